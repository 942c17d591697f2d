"""contextvars, functools, operator, itertools recipes, decorators with state."""
import contextvars, functools, operator
var = contextvars.ContextVar("var", default="default")
print(var.get(), var.name)
token = var.set("set")
print(var.get(), token.old_value is contextvars.Token.MISSING, token.var is var)
def inner():
    var.set("inner")
    return var.get()
ctx = contextvars.copy_context()
print(ctx.run(inner), var.get(), ctx[var], [v for _, v in ctx.items()], len(ctx), var in ctx)
var.reset(token)
print(var.get())
try:
    var.reset(token)
except RuntimeError as error:
    print(str(error)[:33])
other = contextvars.ContextVar("other")
try:
    other.get()
except LookupError as error:
    print(type(error).__name__)
print(other.get("fallback"))
with other.set("managed"):
    print(other.get())

def repeat(times):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            wrapper.calls += 1
            return [function(*args, **kwargs) for _ in range(times)]
        wrapper.calls = 0
        return wrapper
    return decorate
@repeat(2)
def hello(name): "says hello"; return f"hello {name}"
print(hello("x"), hello("y"), hello.calls, hello.__name__, hello.__doc__)
class Deco:
    def __init__(self, f): self.f = f; functools.update_wrapper(self, f)
    def __call__(self, *a): return ("deco", self.f(*a))
    def __get__(self, obj, cls): return functools.partial(self, obj) if obj is not None else self
@Deco
def plain(x): return x
class K:
    @Deco
    def method(self, x): return type(self).__name__, x
    @functools.cached_property
    def expensive(self):
        print("computed")
        return 42
    @functools.singledispatchmethod
    def handle(self, x): return "any"
    @handle.register
    def _(self, x: int): return "int"
    part = functools.partialmethod(lambda self, a, b: (a, b), 1)
k = K()
print(plain(1), k.method(2), k.expensive, k.expensive, k.handle(1), k.handle("s"), k.part(5), vars(k))
@functools.total_ordering
class V:
    def __init__(self, n): self.n = n
    def __eq__(self, o): return self.n == o.n
    def __lt__(self, o): return self.n < o.n
print(V(1) <= V(1), V(2) > V(1), V(1) >= V(2))
@functools.lru_cache(maxsize=2)
def cached(x): print("miss", x); return x
cached(1); cached(2); cached(1); cached(3); cached(2)
print(cached.cache_info(), cached.cache_parameters()); cached.cache_clear()
@functools.cache
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(100), functools.reduce(operator.mul, range(1, 11)), functools.reduce(lambda a, b: a + b, [], "start"))
p = functools.partial(int, base=2)
print(p("101"), p.func, p.keywords, functools.partial(pow, functools.Placeholder, 2)(5))
print(operator.attrgetter("a.b")(type("X", (), {"a": type("Y", (), {"b": 5})})), operator.itemgetter(1, 2)("abc"), operator.concat("a", "b"), operator.contains([1], 1), operator.index(True), operator.is_none(None), operator.length_hint([1, 2]))
def compose(*fs): return functools.reduce(lambda f, g: lambda x: f(g(x)), fs)
print(compose(str, abs, int)("-5"))
@staticmethod
def st(x): return x
print(st(5))
def register(registry):
    def add(cls): registry[cls.__name__] = cls; return cls
    return add
reg = {}
@register(reg)
class Reg: pass
print(list(reg), [f := lambda x: x + 1, f(2)][1])
@(lambda f: lambda *a: f(*a) * 2)
def doubled(x): return x
print(doubled(4))
