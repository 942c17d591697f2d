"""Sorting: stability, keys, reverse, errors, partial orders, big inputs."""
data = [5, 2, 9, 1, 5, 6]
print(sorted(data), sorted(data, reverse=True), data, data.sort(), data)
words = "the quick brown Fox jumps Over lazy dogs".split()
print(sorted(words), sorted(words, key=str.lower), sorted(words, key=len), sorted(words, key=len, reverse=True), sorted(words, key=lambda w: (-len(w), w.lower())))
records = [("b", 2), ("a", 2), ("c", 1), ("d", 2), ("e", 1)]
print(sorted(records, key=lambda r: r[1]), sorted(records, key=lambda r: r[1], reverse=True))
state = 12345
def rand():
    global state
    state = (state * 1103515245 + 12345) % 2 ** 31
    return state
big = [rand() for _ in range(5000)]
s = sorted(big)
print(all(a <= b for a, b in zip(s, s[1:])), s[0] == min(big), s[-1] == max(big), sum(s) == sum(big))
for pattern in (list(range(1000)), list(range(1000, 0, -1)), [1] * 500, [i % 7 for i in range(1000)], list(range(500)) + list(range(500)), [i ^ 21 for i in range(1024)]):
    r = sorted(pattern)
    print(r[:3], r[-3:], r == sorted(reversed(pattern)))
pairs = [(i % 10, i) for i in range(1000)]
pairs.sort(key=lambda p: p[0])
print(all(a < b for a, b in zip(pairs, pairs[1:])))
pairs.sort(key=lambda p: p[0], reverse=True)
print(pairs[0], pairs[99], pairs[100], pairs[-1])
mixed = [2 ** 60, 1.5, -(2 ** 70), 0, True, 3.0, 2 ** 49]
print(sorted(mixed))
class Only:
    def __init__(self, v): self.v = v
    def __lt__(self, other): return self.v < other.v
    def __repr__(self): return f"O{self.v}"
print(sorted([Only(3), Only(1), Only(2)]), max([Only(3), Only(1)], key=lambda o: o.v), min(Only(3), Only(1)))
for bad in (lambda: sorted([1, "a"]), lambda: sorted([{}, {}]), lambda: sorted(5), lambda: [3, 1].sort(lambda a: a), lambda: sorted([1], key=5), lambda: sorted([1j, 2j]), lambda: [1].sort(cmp=1), lambda: min([]), lambda: max(5), lambda: sorted()):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
def failing(x):
    if x == 3:
        raise KeyError(x)
    return x
l = [5, 4, 3, 2]
try:
    l.sort(key=failing)
except KeyError:
    print(l)
m = [3, 2, 1]
def mutate(x):
    m.append(x)
    return x
try:
    m.sort(key=mutate)
except ValueError as error:
    print(error, sorted(m))
from functools import cmp_to_key
print(sorted(["10", "9", "2"], key=cmp_to_key(lambda a, b: int(a) - int(b))), sorted([(1, "b"), (1, "a")]), sorted({"b": 1, "a": 2}), sorted("hello", reverse=True))
from operator import itemgetter, attrgetter
print(sorted(records, key=itemgetter(1, 0)), sorted([3 + 0j, 1j], key=attrgetter("real")), list(reversed(sorted([1, 3, 2]))))
import bisect, heapq
h = [5, 3, 8, 1]
heapq.heapify(h)
heapq.heappush(h, 2)
print([heapq.heappop(h) for _ in range(5)], heapq.nlargest(2, [1, 5, 3]), heapq.nsmallest(2, [4, 1, 3]), list(heapq.merge([1, 4], [2, 3])), bisect.bisect([1, 2, 2, 3], 2), bisect.bisect_left([1, 2, 2, 3], 2))
print(sorted([float("nan"), 1.0])[1:] if False else sorted([(2, "x"), (1, "y"), (2, "a")], key=lambda t: -t[0]))
