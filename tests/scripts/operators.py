"""Operators: overloads, reflected forms, in-place forms, comparison chains, short circuits."""
class N:
    def __init__(self, v): self.v = v
    def __repr__(self): return f"N({self.v})"
    def __add__(self, o): return N(("add", self.v, o)) if not isinstance(o, str) else NotImplemented
    def __radd__(self, o): return N(("radd", o, self.v))
    def __iadd__(self, o): self.v = ("iadd", self.v, o); return self
    def __sub__(self, o): return NotImplemented
    def __mul__(self, o): return "mul"
    def __matmul__(self, o): return "matmul"
    def __rpow__(self, o, mod=None): return f"rpow {o}"
    def __neg__(self): return "neg"
    def __invert__(self): return "invert"
    def __abs__(self): return "abs"
    def __bool__(self): return bool(self.v)
    def __eq__(self, o): return isinstance(o, N) and self.v == o.v
    def __lt__(self, o): return self.v < o.v
    def __contains__(self, x): return x == self.v
    def __getitem__(self, k): return ("item", k)
    def __divmod__(self, o): return "divmod"
    def __rshift__(self, o): return "rshift"
    def __int__(self): return 7
    def __float__(self): return 7.5
    def __complex__(self): return 7j
    def __index__(self): return 3
    def __hash__(self): return 1
    def __round__(self, n=None): return ("round", n)
    def __len__(self): return 4
a, b = N(1), N(2)
print(a + 1, 1 + a, a * 2, a @ b, 2 ** a, -a, ~a, abs(a), a < b, a > b, a == N(1), a != b, 1 in a, 5 in a, a["k"], divmod(a, 1), a >> 1, not a, not N(0))
c = a
a += 5
print(a, c is a, int(a), float(a), complex(a), [10, 20, 30, 40][a], bin(a), round(a), round(a, 2), len(a), hash(a), "s" + N(1))
for bad in (lambda: b - 1, lambda: N(1) + "s", lambda: b / 1, lambda: +b, lambda: b >= b, lambda: b % 2, lambda: b < 1, lambda: b ** 2, lambda: b & 1, lambda: 1 - b, lambda: [] + (), lambda: {} + {}, lambda: None + 1, lambda: object() < object()):
    try:
        print(bad())
    except (TypeError, AttributeError) as error:
        print(type(error).__name__, error)
class Sub(N):
    def __radd__(self, o): return "Sub.radd first"
print(N(1) + Sub(2), Sub(1) + N(2))
def say(x, v):
    print(x, end=" ")
    return v
print(say("a", 1) < say("b", 2) < say("c", 0) < say("d", 9))
print(say("e", 0) and say("f", 1), say("g", 0) or say("h", 2), say("i", 1) if say("j", 0) else say("k", 3))
print(1 < 2 < 3 != 4 == 4 >= 4, 1 is not None, not 1 == 2, 3 in [3] == True, (3 in [3]) == True, 2 ** 3 ** 2, -2 ** 2, (-2) ** 2, 7 // -2, -7 % 3, 1 << 2 + 1, 6 & 3 | 8, 5 ^ 1, ~5)
x = 10
x //= 3; x **= 3; x %= 10; x <<= 2; x |= 1; x ^= 3; x &= 0xff; x -= 1; x *= 2; x >>= 1
print(x)
l = [1]; m = l
l += (2, 3)
l *= 2
print(m, l is m)
t = ([],)
try:
    t[0] += [1]
except TypeError as error:
    print(error, t)
class IOnly:
    def __init__(self): self.log = []
    def __setitem__(self, k, v): self.log.append(("set", k, v))
    def __getitem__(self, k): self.log.append(("get", k)); return 5
    def __delitem__(self, k): self.log.append(("del", k))
i = IOnly()
i["a"] += 1
del i[1:2]
i[0], *i[1:] = 1, 2
print(i.log)
class Iter:
    def __getitem__(self, n):
        if n > 2: raise IndexError
        return n * 10
print(list(Iter()), 20 in Iter(), [*Iter()], max(Iter()), tuple(reversed([1, 2])))
from operator import add, itemgetter, methodcaller
print(add(1, 2), itemgetter(1)("abc"), methodcaller("upper")("x"), sum([[1], [2]], []), any([0, 1]), all([]), min("b", "a"), max([1, 3, 2], default=0), abs(-3), pow(2, 3, 5))
class Weird:
    def __bool__(self): return 5
    def __len__(self): return -1
    def __hash__(self): return "x"
    def __str__(self): return 5
    def __index__(self): return "i"
    def __iter__(self): return 5
    def __repr__(self): return None
w = Weird()
for bad in (lambda: bool(w), lambda: len(w), lambda: hash(w), lambda: str(w), lambda: [1][w], lambda: iter(w), lambda: repr(w)):
    try:
        print(bad())
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
class NoHash:
    def __eq__(self, o): return True
class NoBool:
    __bool__ = None
for bad in (lambda: hash(NoHash()), lambda: bool(NoBool()), lambda: 5 in 5, lambda: 5[0], lambda: len(5), lambda: iter(5), lambda: next([]), lambda: reversed({1})):
    try:
        print(bad())
    except TypeError as error:
        print(error)
