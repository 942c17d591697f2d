"""Functions: every kind of parameter, defaults, unpacking in calls, attributes, errors of binding."""
def f(a, b=2, /, c=3, *args, d, e=5, **kw):
    return a, b, c, args, d, e, kw
print(f(1, d=4), f(1, 2, 3, 4, 5, d=6, e=7, z=8), f(1, d=4, a=9, b=10), f(*[1, 2], *(3, 4), d=0, **{"x": 1}, **{"y": 2}))
print(f.__defaults__, f.__kwdefaults__, f.__code__.co_argcount, f.__code__.co_posonlyargcount, f.__code__.co_kwonlyargcount, f.__code__.co_varnames[:7])
def g(a, b): return a, b
def none(): pass
def only(*, k): return k
def pos(a, /): return a
calls = {
    "g()": lambda: g(), "g(1)": lambda: g(1), "g(1, 2, 3)": lambda: g(1, 2, 3), "g(1, a=2)": lambda: g(1, a=2), "g(1, c=2)": lambda: g(1, c=2), "g(1, 2, 3, 4)": lambda: g(1, 2, 3, 4),
    "none(1)": lambda: none(1), "only()": lambda: only(), "only(1)": lambda: only(1), "pos(a=1)": lambda: pos(a=1), "f()": lambda: f(), "g(*5)": lambda: g(*5), "g(**5)": lambda: g(**5),
    "g(**{1: 2})": lambda: g(**{1: 2}), "dup": lambda: g(**{"a": 1}, **{"a": 2}), "5()": lambda: 5(), "None()": lambda: None(), "len()": lambda: len(), "len(1, 2)": lambda: len(1, 2), "len(5)": lambda: len(5),
    "int(x=1)": lambda: int(x=1), "print(z=1)": lambda: print(z=1), "[].append()": lambda: [].append(), "''.join(1)": lambda: "".join(1), "f(1, 2)": lambda: f(1, 2), "lambda": lambda: (lambda x: x)(),
}
for name, call in calls.items():
    try:
        print(name, call())
    except TypeError as error:
        print(name, "|", error)
def mutable(x, acc=[]):
    acc.append(x)
    return acc
mutable(1)
print(mutable(2), mutable.__defaults__)
print((lambda *a, **k: (a, k))(1, 2, x=3), (lambda x, y=lambda: 5: x + y())(1))
def decorated_order():
    out = []
    def deco(n):
        out.append(f"make {n}")
        def apply(fn):
            out.append(f"apply {n}")
            return fn
        return apply
    @deco(1)
    @deco(2)
    def fn(x=out.append("default")): pass
    return out
print(decorated_order())
f.attr = "set"
f.__name__ = "renamed"
print(f.attr, f.__name__, f.__qualname__, f.__dict__, f.__doc__, f.__module__)
def doc():
    "the docstring"
print(doc.__doc__, doc())
def evaluation():
    out = []
    def e(x):
        out.append(x)
        return x
    g(e(1), *[e(2)])
    dict(a=e(3), **{"b": e(4)})
    e({e(5): e(6)} and 7) if e(8) else e(9)
    x = [0, 0]
    x[e(0)], x[e(1)] = e(10), e(11)
    return out
print(evaluation())
def early(n):
    for i in range(n):
        if i == 3:
            return i
print(early(2), early(5))
import functools, inspect
print(inspect.signature(f), inspect.signature(lambda a, *, b=1: 0), functools.partial(g, 1)(2), functools.partial(g, b=5)(4), functools.reduce(lambda a, b: a * b, range(1, 6)))
@functools.lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(80), fib.cache_info())
@functools.wraps(g)
def wrapper(*a): pass
print(wrapper.__name__, wrapper.__wrapped__ is g)
@functools.singledispatch
def kind(x): return "object"
@kind.register
def _(x: int): return "int"
@kind.register(list)
def _(x): return "list"
print(kind(1), kind([]), kind("s"), kind(True))
g.__code__ = (lambda a, b: (b, a)).__code__
print(g(1, 2))
def swap_defaults(a=1): return a
swap_defaults.__defaults__ = (9,)
print(swap_defaults())
