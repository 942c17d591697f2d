"""Control flow: for, while, else, break, continue, nested, iteration protocol."""
for i in range(3):
    if i == 5: break
else:
    print("no break")
for i in range(3):
    if i == 1: break
else:
    print("not printed")
print(i)
n = 0
while n < 5:
    n += 1
    if n == 2: continue
    if n == 4: break
    print(n, end=" ")
else:
    print("not printed")
print(n)
while False: pass
else: print("while else")
out = []
for a in range(3):
    for b in range(3):
        if b == a: continue
        if a + b == 4: break
        out.append((a, b))
    else:
        out.append("inner done")
print(out)
class Countdown:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        if self.n <= 0: raise StopIteration
        self.n -= 1
        return self.n
print(list(Countdown(3)), sum(Countdown(5)), 2 in Countdown(4), dict(zip("ab", Countdown(9))), max(Countdown(3)))
it = iter([1, 2, 3])
for x in it:
    print(x, next(it, "end"), end="; ")
print()
print(list(iter(lambda c=[0]: c.__setitem__(0, c[0] + 1) or c[0], 4)), list(enumerate("ab", 5)), list(zip([1, 2, 3], "ab")), list(map(lambda a, b: a + b, [1, 2], [3, 4])), list(filter(None, [0, 1, "", "a"])), list(reversed(range(0, 10, 3))))
try:
    list(zip([1], [1, 2], strict=True))
except ValueError as error:
    print(error)
r = range(10, 0, -3)
print(list(r), len(r), 7 in r, 8 in r, r[1], r[-1], r.index(4), r.count(1), r == range(10, -1, -3), hash(r) == hash(range(10, -1, -3)), range(5)[1:4], repr(r), range(0), bool(range(0)), range(10 ** 20)[10 ** 19], len(range(0, 10 ** 15, 7)))
l = [1, 2, 3]
for x in l:
    if x < 4:
        l.append(x + 3)
print(l)
def find(matrix, target):
    for y, row in enumerate(matrix):
        for x, v in enumerate(row):
            if v == target:
                return y, x
print(find([[1, 2], [3, 4]], 3), find([[1]], 2))
for i in []: pass
for i in "x": i = 10
print(i)
total = 0
for i in range(100000):
    if i & 1: continue
    total += i
print(total)
i = 2 ** 47 - 3
steps = 0
while i < 2 ** 47 + 3:
    i += 1
    steps += 1
print(i, steps)
from itertools import chain, count, cycle, repeat, islice, takewhile, dropwhile, groupby, product, permutations, combinations, accumulate, starmap, tee, zip_longest, pairwise, batched, compress
print(list(chain([1], "a")), list(islice(count(5, 2), 3)), list(islice(cycle("ab"), 5)), list(repeat(1, 2)), list(takewhile(lambda x: x < 3, count())), list(dropwhile(lambda x: x < 3, range(5))))
print([(k, list(g)) for k, g in groupby("aabbc")], list(product("ab", [1, 2])), list(permutations([1, 2, 3], 2)), list(combinations("abc", 2)), list(accumulate([1, 2, 3])), list(starmap(pow, [(2, 3)])))
x, y = tee([1, 2])
print(list(x), list(y), list(zip_longest("ab", "c", fillvalue="-")), list(pairwise("abc")), list(batched("abcde", 2)), list(compress("abc", [1, 0, 1])))
for bad in (lambda: range(1.5), lambda: range(1, 2, 0), lambda: next(iter([])), lambda: iter(5, 6, 7), lambda: enumerate(5), lambda: zip(5), lambda: [x for x in 5]):
    try:
        bad()
    except (TypeError, ValueError, StopIteration) as error:
        print(type(error).__name__, error)
