# math, cmath, random, struct, bisect, heapq and statistics: exact results, and errors.
import bisect
import cmath
import heapq
import math
import random
import statistics
import struct


def show(function, *arguments, **names):
    try:
        print(function.__name__, arguments, names or '', '->', function(*arguments, **names))
    except Exception as error:
        print(function.__name__, arguments, names or '', '->', type(error).__name__, error)


for n in (0, 1, 20, 21, 50, -1):
    show(math.factorial, n)
print(math.factorial(3000) % (10**9 + 7), len(str(math.factorial(1000))))
for n, k in ((5, 2), (100, 50), (10**20, 3), (3, 5), (-1, 2)):
    show(math.comb, n, k)
    show(math.perm, n, k)
for n in (0, 15, 16, 10**40, 2**64 - 1, -1):
    show(math.isqrt, n)
show(math.gcd, 12, 18, 30)
show(math.lcm, 4, 6, 10)
show(math.gcd)
show(math.fsum, [0.1] * 10)
show(math.fsum, [1e16, 1, -1e16])
show(math.prod, range(1, 30))
show(math.sumprod, [1, 2.5, 3], [4, 5, 6.5])
show(math.dist, (1, 2), (4, 6))
show(math.hypot, 3, 4, 12)
for x in (0.0, 1.0, -1.0, 1e308, math.inf, math.nan):
    for function in (math.sqrt, math.log, math.exp, math.gamma, math.floor, math.ulp, math.frexp, math.modf):
        show(function, x)
show(math.nextafter, 1.0, 2.0, steps=3)
show(math.log, 10**400)
show(math.log2, 2**2000)
show(math.log, 8, 2)
show(math.fma, 2.0, 3.0, 4.0)
show(math.remainder, 7, 3)
show(math.ldexp, 1.0, 5000)
show(math.isclose, 1.0, 1.0 + 1e-10)

for z in (0j, 2j, -1 + 0j, complex(math.inf, 1), complex(0, math.nan)):
    for function in (cmath.sqrt, cmath.exp, cmath.isnan, cmath.polar):
        show(function, z)
show(cmath.log, 0)

generator = random.Random(12345)
print([generator.random() for _ in range(3)], generator.getrandbits(100), generator.randrange(1000))
state = generator.getstate()
first = [generator.gauss(0, 1) for _ in range(2)]
generator.setstate(state)
print(first == [generator.gauss(0, 1) for _ in range(2)], generator.sample(range(100), 5), generator.choice('abc'))
items = list(range(10))
random.Random('seed').shuffle(items)
print(items)

for layout in ('<bBhHiIqQ', '>bBhHiIqQ', '=3s2xp?', '<efd', '@bq'):
    print(layout, struct.calcsize(layout))
packed = struct.pack('<hIq5sd?', -2, 4000000000, -2**40, b'hello!', 1.5, True)
print(packed, struct.unpack('<hIq5sd?', packed))
print(list(struct.iter_unpack('>H', b'\x00\x01\x00\x02')), struct.unpack_from('<I', b'xxxx\x01\x00\x00\x00', 4))
buffer = bytearray(8)
struct.pack_into('>I', buffer, 2, 0xdeadbeef)
print(buffer)
for arguments in (('b', 200), ('H', -1), ('i',), ('z', 1), ('i', 1.5), ('c', b'ab'), ('f', 1e300)):
    show(struct.pack, *arguments)
show(struct.unpack, 'i', b'abc')

data = [1, 3, 3, 5, 8]
print([bisect.bisect_left(data, x) for x in range(10)], [bisect.bisect_right(data, x) for x in range(10)])
bisect.insort(data, 4)
bisect.insort(data, -7, key=abs)
print(data)

heap = [5, 2, 8, 1, 9, 3]
heapq.heapify(heap)
heapq.heappush(heap, 0)
print([heapq.heappop(heap) for _ in range(len(heap))], heapq.nlargest(2, [4, 1, 7]), list(heapq.merge([1, 4], [2, 3])))
show(heapq.heappop, [])
show(heapq.heappush, (), 1)

print(statistics.mean([1, 2, 3, 4]), statistics.median([3, 1, 2]), statistics.stdev([2, 4, 4, 4, 5, 5, 7, 9]))
print(statistics.NormalDist(100, 15).inv_cdf(0.975), statistics.quantiles(range(1, 10)), statistics.fmean([1.5, 2.5]))
