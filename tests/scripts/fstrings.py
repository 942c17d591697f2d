"""f-strings: conversions, specs, nesting, self-documenting, quotes."""
name, n, pi = "world", 42, 3.14159265
print(f"hello {name}", f"{n:05d}|{n:>6}|{n:<6}|{n:^6}|{n:+}|{n:x}|{n:#b}|{n:,}")
print(f"{pi:.2f} {pi:10.3e} {pi:g} {pi!r:>20} {pi:%}")
print(f"{name!r} {name!s} {'é'!a} {name:>{n // 4}} {pi:{'.'}{3}}")
print(f"{n=} {n = } {name=!s} {pi=:.1f} {n + 1 = }")
print(f"{'nested ' + f'{n:{len(name)}}'} {{literal}} {{{n}}}")
print(f"{"same quotes"} {name + "\n"!r} {
    n  # a comment
    + 1
}")
print(f"{lambda_(3) if (lambda_ := lambda x: x * 2) else 0}" if False else f"{(lambda x: x * 2)(3)}")
print(f"{[i for i in range(3)]} {dict(a=1)['a']} { {'k': 'v'}['k'] }")
print(rf"\d{n}\n", f"\N{DEGREE SIGN} \x41 \u20ac", "implicit " f"{n}" " join")
class Spec:
    def __format__(self, spec):
        return f"<{spec}>"
    def __str__(self):
        return "str"
    def __repr__(self):
        return "repr"
s = Spec()
print(f"{s} {s:abc} {s!r} {s!s:>6} {s:{n}} {s=}")
print(f"""multi
{n}
line""")
def gen():
    x = f"{(yield 1)}"
    yield x
g = gen()
next(g)
print(g.send("sent"))
print(f"{n!r:^{n}.{5 - 3}}|", f"{'abcdef':.3}", f"{'abc':*^9}", f"{True}", f"{None}", f"{1_000_000:_}")
for bad in ("f'{}'", "f'{a b}'", "f'{a!x}'", "f'{'", "f'}'", "f'{a!}'", "f'{lambda x: 1}'", "f'{a:{b:{c:{d}}}}'", "f'{*a}'"):
    try:
        compile(bad, "<s>", "eval")
        print("compiles", bad)
    except SyntaxError as error:
        print(bad, "|", error.msg)
try:
    f"{undefined_name}"
except NameError as error:
    print(error)
try:
    f"{'x':d}"
except ValueError as error:
    print(error)
