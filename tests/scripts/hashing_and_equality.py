"""== and hash: numbers across types, containers, NaN, custom classes, identity shortcuts, ordering of mixed numbers."""
from fractions import Fraction
from decimal import Decimal
print(1 == 1.0 == True == (1 + 0j) == Fraction(1) == Decimal(1), len({1, 1.0, True, 1 + 0j, Fraction(1), Decimal(1)}), hash(1) == hash(1.0) == hash(Decimal(1)))
for n in (0, 1, -1, -2, 2 ** 31, 2 ** 47, -(2 ** 48), 2 ** 61 - 2, 2 ** 61 - 1, 2 ** 61, 2 ** 64 + 3, -(10 ** 40), 10 ** 100):
    print(n if abs(n) < 10 ** 20 else "big", hash(n), hash(n) == hash(Fraction(n)) == hash(Decimal(n)))
for x in (0.5, -1.5, 1e300, 2.0 ** 100, 0.1, -0.0, 1 / 3): print(x, hash(x), hash(Fraction(x)) == hash(x))
print(hash((1, 2)) == hash((1.0, 2.0)), hash(()) == hash(()), hash(frozenset()) == hash(frozenset()), hash((1, (2, 3))), hash(("a",)) == hash(("a",)), hash(None) == hash(None), hash(1j), hash(complex(3, 4)))
nan = float("nan")
print(nan == nan, [nan] == [nan], (nan,) == (nan,), {nan: 1} == {nan: 1}, nan in [nan], [nan].index(nan), {nan, nan} == {nan}, [nan].count(nan))
class Same:
    def __eq__(self, o): return True
class Never:
    def __eq__(self, o): return False
    def __hash__(self): return 1
print(Same() == 5, 5 == Same(), Same() in [1], Never() in [Never()], [Same()] == [None], Same.__hash__)
n = Never()
print(n in [n], n == n, [n] == [n], {n: 1}[n], n != n, n is n)
class NotImpl:
    def __eq__(self, o): return NotImplemented
    def __hash__(self): return 0
a, b = NotImpl(), NotImpl()
print(a == b, a == a, a != b, a == 1, hash(a))
class P:
    def __init__(self, v): self.v = v
    def __eq__(self, o): return isinstance(o, P) and self.v == o.v
class Q(P):
    def __eq__(self, o): return ("Q", super().__eq__(o))[0]
print(P(1) == P(1), P(1) != P(2), P(1) == Q(1), Q(1) == P(1))
class Order:
    def __init__(self, v): self.v = v
    def __lt__(self, o): print("lt", end=" "); return self.v < o.v
    def __gt__(self, o): print("gt", end=" "); return self.v > o.v
    def __le__(self, o): print("le", end=" "); return NotImplemented
    def __ge__(self, o): print("ge", end=" "); return "reflected"
print(Order(1) < Order(2), Order(1) > Order(2), Order(1) <= Order(2), min(Order(3), Order(1)).v)
print((1, 2) < (1, 3), (1,) < (1, 0), [1, "a"] == [1, "a"], [1, 2] < [2], "a" < "b" < "c", (1, "x") < (2, 5), {1} < {1, 2}, [] < [0], ((1, 2), 3) < ((1, 3), 0))
print(2 ** 53 == 2.0 ** 53, 2 ** 53 + 1 == 2.0 ** 53, 10 ** 400 > 1e308, -10 ** 400 < float("-inf"), float("inf") > 10 ** 400, 1 < 1.5 < 2, Fraction(1, 3) < 0.34, Decimal("0.1") < 0.2, True < 2, 0 == -0.0, 1e308 < 10 ** 309)
print(b"a" == bytearray(b"a") == memoryview(b"a"), "a" == b"a", [1] == (1,), {} == [], None == 0, range(3) == range(0, 3, 1), range(0) == range(5, 5), slice(1) == slice(1), frozenset([1]) == {1}, "a" is not None)
for bad in (lambda: 1 < "a", lambda: [] < (), lambda: None < None, lambda: 1j < 2j, lambda: {} < {}, lambda: (1, "a") < (1, 2), lambda: [1] < [None], lambda: b"a" < "a", lambda: int < str, lambda: hash([]), lambda: hash(Same()), lambda: hash(({},)), lambda: hash(slice([]))):
    try: print(bad())
    except TypeError as error: print(error)
d = {1: "one", 1.5: "f", "1": "s", (1,): "t", None: "n", True: "overwrites value"}
print(d, d[1.0], d[True], d[(1.0,)], 2 not in d)
def f(): pass
print(hash(f) == hash(f), f == f, len == len, [].append == [].append, (l := []).append == l.append, int == int, hash(int) == hash(int), type(f) == type(lambda: 0))
print((0.1 + 0.2) == 0.3, round(0.1 + 0.2, 10) == 0.3, 1e16 + 1 == 1e16, 3.0 == 3, "é" == "e\u0301", "ﬁ" == "fi", "ß".casefold() == "ss")
