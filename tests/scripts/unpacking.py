"""Assignment targets and unpacking."""
a, b = 1, 2
a, b = b, a
[c, d], (e, *f) = (3, 4), "xyz"
print(a, b, c, d, e, f)
*init, last = range(5)
first, *mid, end = "abcd"
(g,), [[h]] = [1], ([2],)
print(init, last, first, mid, end, g, h)
x = y = z = []
x.append(1)
print(y, z is x)
*empty, only = [1]
print(empty, only)
for i, (j, *k) in [(1, "ab"), (2, "cde")]:
    print(i, j, k)
class Obj: pass
o = Obj()
l = [0] * 3
o.attr, l[1], l[2:] = 1, 2, [3, 4]
print(o.attr, l)
print([*range(3), *"ab"], (*[1], 2), {*[1], 2}, {**{"a": 1}, "b": 2, **{"a": 3}}, [*[]], (*(),))
def r(): return *[1, 2], 3
def yields(): yield *[1], 2
print(r(), list(yields()))
i = 0
i, l[i] = 1, "index after i changed"
print(l)
for bad in (lambda: [p for p, q in [(1,)]], lambda: [p for p, q in [(1, 2, 3)]], lambda: [p for p, *q in [()]], lambda: [p for p, q in [5]], lambda: [p for (p, q), s in [(1, 2)]], lambda: [p for p, q, *s in ["a"]], lambda: [*5], lambda: {**5}, lambda: [p for p, q in [{}]], lambda: [p for p, q in [iter([1, 2, 3, 4])]]):
    try:
        bad()
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
for bad in ("*a = 1", "a, *b, *c = x", "1 = x", "f() = 1", "a + b = 1", "(a, b) += 1", "[] = 5; () = 5", "x = *a", "del f()", "a = 1 = b", "None = 1", "for 1 in x: pass", "*a, = b", "(yield) = 1", "'a' = 1", "a if b else c = 1", "{a} = 1", "f'{a}' = 1", "x: int, y = 1", "with a as 1: pass", "import a as b.c", "del *a", "lambda: x = 1", "(a) : int = 1", "__debug__ = 1", "True = 1"):
    try:
        compile(bad, "<s>", "exec")
        print(bad, "| compiles")
    except SyntaxError as error:
        print(bad, "|", error.msg)
print((n := 10) + n, (lambda: (m := 5) * m)(), [w := 1, w + 1])
if (count := len("abc")) > 2:
    print(count)
while (n := n - 3) > 0:
    print(n, end=" ")
print()
del a, (b, c), [d], l[0], o.attr
for name in "abcd":
    print(name in globals(), end=" ")
print(l, vars(o))
from collections import namedtuple
P = namedtuple("P", "x y")
p, q = P(1, 2)
print(p, q, P(x=3, y=4)._replace(x=5), P._fields, P(1, 2)._asdict(), P(1, 2) == (1, 2), P._make([5, 6]), P(1, 2)[1])
