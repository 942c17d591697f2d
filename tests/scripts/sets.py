"""set and frozenset."""
a, b = {1, 2, 3, 4}, {3, 4, 5}
print(sorted(a | b), sorted(a & b), sorted(a - b), sorted(a ^ b), a <= b, {3} < a, a >= {1}, a.isdisjoint({9}), a == {4, 3, 2, 1}, a != b)
print(sorted(a.union([7], (8,))), sorted(a.intersection([1, 9])), sorted(a.difference([1], [2])), sorted(a.symmetric_difference([1, 9])), a.issubset(range(10)), a.issuperset([1]))
s = set("hello")
s.add("z")
s.discard("nope")
s.remove("h")
s.update("xy", ["q"])
print(sorted(s), len(s), "z" in s, "h" in s)
s -= {"x"}; s |= {"1"}; s &= set("qz1e"); s ^= {"q", "new"}
print(sorted(s))
while s:
    s.pop()
print(s, set(), frozenset(), {1}, frozenset([1]), set([1]) == frozenset([1]), hash(frozenset([1, 2])) == hash(frozenset([2, 1])))
f = frozenset("abc")
print(sorted(f | {"d"}), type(f | {"d"}).__name__, type({"d"} | f).__name__, f.copy() is f, {f: 1}[frozenset("cba")], frozenset({1}) in {frozenset({1})}, {1} in {frozenset({1})})
for bad in (lambda: {[]}, lambda: set(5), lambda: {1}.remove(2), lambda: set().pop(), lambda: {1} | [2], lambda: hash(set()), lambda: {1} < 5, lambda: frozenset().add(1), lambda: {1}.__iand__([1])):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
try:
    t = {1, 2, 3}
    for x in t:
        t.add(x + 10)
except RuntimeError as error:
    print(error)
print({1, 1.0, True}, len({0, False, 0.0, -0.0}), {*[1, 2], *{2}} == {1, 2}, sorted({x % 3 for x in range(10)}))
class Set(set):
    def __repr__(self): return "Set!"
print(Set([1]) | {2} if False else repr(Set([1])), type(Set([1]) | {2}).__name__, Set([1]) == {1})
big = set(range(10000))
big -= set(range(0, 10000, 2))
print(len(big), sum(big), min(big), max(big), 5001 in big, 5000 in big)
primes = set(range(2, 100))
for i in range(2, 10):
    primes -= set(range(i * i, 100, i))
print(sorted(primes))
nested = {frozenset({1, 2}), frozenset()}
print(frozenset() in nested, len(nested), set() in nested)
