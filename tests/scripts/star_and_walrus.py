"""Parsing odds and ends: operators' precedence, literals, chained comparison, conditional imports, semicolons, decorators, ellipsis, unicode names."""
a = 1; b = 2; c = a if b > a else b
print(a, b, c, ..., Ellipsis is ..., not a == b, -a ** 2, a << b + 1, a | b & c ^ 3, a < b == b, (lambda: (yield))().__class__.__name__)
print(0b101, 0o17, 0xFf, 1_000.5e-1, 1e3j, .5, 5., 1_0j, 0_0, r"\d", b"\x00\n", rb"\x", "\
joined", 'a' "b" """c""")
ünïcode = "names"; 变量 = 1; ª = 2
print(ünïcode, 变量, ª, a.real, 1 .real, 1.0.real, 1..real, [1,][0], (1,), ((1)), {1,}, {1: 2,}, [])
if a: print("inline"); print("two")
else: print("no")
while a < 3: a += 1
else: print("else", a)
class Inline: x = 1; y = 2
def inline(): return 1
def stub(): ...
print(Inline.x + Inline.y, inline(), stub())
x = (
    1 +  # comment
    2
)
y = [
    1,

    2,
]
z = x \
    + 1
print(x, y, z)
print((x := 5, x + 1), [q := 1, q * 2], {k: (v := k * 2) for k in range(2)}, v, (w := 3) and w, f"{(u := 4)}", u)
def defaults(p=(m := 7), *, r=[n := 8]): return p, r
print(defaults(), m, n)
print([i for i in range(10) if (j := i % 3) if j == 1], j)
for i, in [(1,), (2,)]: print(i, end=" ")
for i in 1, 2, *[3]: print(i, end=" ")
print()
lst = [*range(3), *"ab", *{}]
print(*lst, *[], sep=",", end=";\n")
print({**{"a": 1}, "b": 2}, dict(**{"x y": 1}), [*map(str, range(2))], (*"ab", 1), *(), sep="|")
def multi(*a, k=0, **kw): return a, k, kw
print(multi(*[1], 2, *(3,), k=4, **{"z": 5}), multi(*"ab", **dict(k=1)), multi(a := 5, k=a))
assert True, "never shown"
try: assert (1, 0)[1], ("tuple", "message")
except AssertionError as error: print(error)
print(1 if 0 else 2 if 0 else 3, [1, 2, 3][-1:][0], "abc"[::-1][0], {"a": {"b": [5]}}["a"]["b"][0], (lambda x: lambda y: x + y)(1)(2))
print(True and 1 or 2, None or [] or 0, 1 and 2 and 3, not None, not not 5, 1 if [] else 0, 3 if "a" in "abc" and "z" not in "abc" else 4)
print(5 // 2 * 2 + 5 % 2, -5 // 2, -(5 // 2), 2 ** -1, 2 ** 3 ** 0, ~-1, - - 1, +-+1, not-1, 1 - -1, 1 --1, 10 - 5 - 2, 2 * 3 % 4, 7 & 3 == 3, (7 & 3) == 3)
print(1 < 2 > 1, 1 == 1 != 2, 1 in [1] in [[1]], "a" < "b" < "c", 3 > 2 > 1 > 0, 1 is 1 if False else True, None is None is not True)
del x, (y, z), [lst]
try: x
except NameError as error: print(error)
global global_in_module
match = {"match": 1}; match["match"] += 1; case = type = 3; _ = 4
print(match, case, type, _)
match match:
    case {"match": n}: print("matched", n)
type type = int
print(type.__value__)
print((yield_ := 3), [None, True, False], __debug__, NotImplemented, type(None) if False else None)
async def coroutine(): return [x async for x in agen()] if False else await other()
print(coroutine.__name__, coroutine.__code__.co_flags & 0x80 == 0x80)
def decorated(f): return f"decorated {f.__name__}"
@decorated
def function(): pass
@decorated
class Klass: pass
@[decorated][0]
def third(): pass
print(function, Klass, third)
if True:
	tab = "tab indented"
print(tab)
try:
    pass
except* ValueError: pass
else: print("else of except*")
finally: print("finally")
lambda_ = lambda *a, b=1, **k: (a, b, k)
print(lambda_(1, b=2, c=3), (lambda: 5)(), (lambda x, /, y, *, z: (x, y, z))(1, y=2, z=3))
with (open(__file__)) as f1, open(__file__) as f2: print(f1.readline() == f2.readline())
print("""triple "quotes" inside""", '''multi\nline''', "esc \" \' \\ \t|")
print("end")
