"""Template strings."""
from string.templatelib import Template, Interpolation, convert

name, n = "yj", 3
t = t"hello {name!r:>5} and {n + 1} end"
print(type(t).__name__, t.strings, t.values)
for part in t:
    print(type(part).__name__, part if isinstance(part, str) else (part.value, part.expression, part.conversion, part.format_spec))
print([i.expression for i in t.interpolations])
print(t"".strings, t"{n}".strings, t"{n}{n}".strings, list(t""))
print((t"a{n}" + t"b{n}").strings, t"x" t"y{n}".strings)
def render(template):
    return "".join(p if isinstance(p, str) else format(convert(p.value, p.conversion), p.format_spec) for p in template)
print(render(t"{name:>5}|{n:03d}|{name!r}"))
print(t"{n=}".strings, t"{n = :>4}".interpolations[0].format_spec, t"{n:{n}}".interpolations[0].format_spec)
print(Interpolation(1, "one", None, ".2f"))
built = Template("a", Interpolation(5, "five"), "b", "c", Interpolation(6, "six"))
print(built.strings, built.values, repr(built))
match t:
    case Template(strings=[first, *_]):
        print("matched", first)
match t.interpolations[0]:
    case Interpolation(value, expression, conversion, spec):
        print(value, expression, conversion, spec)
def nested():
    inner = t"in {n}"
    return t"out {inner}".values[0] is inner
print(nested(), t"{{x}}".strings, rt"\n{n}".strings)
for action in (lambda: t"a" + "b", lambda: "a" + t"b", lambda: Template(1), lambda: Interpolation(1, "a", "x")):
    try:
        action()
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
try:
    compile("t'a' 'b' f'c'", "<s>", "eval")
except SyntaxError as error:
    print(error.msg)
order = []
def mark(x):
    order.append(x)
    return x
t"{mark(1)} {mark(2):{mark(3)}}"
print(order)
