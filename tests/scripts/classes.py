"""Classes: bodies, inheritance, the method resolution order, special methods, bound methods."""

class A:
    kind = "a"
    def __init__(self, value):
        self.value = value
    def who(self):
        return f"A.who {self.value}"
    def __repr__(self):
        return f"{type(self).__name__}({self.value!r})"

class B(A):
    def who(self):
        return "B." + super().who()

class C(A):
    kind = "c"
    def who(self):
        return "C." + super().who()

class D(B, C):
    pass

print(D(1).who(), D.kind, [k.__name__ for k in D.__mro__])
print(isinstance(D(1), C), issubclass(B, C), D.__bases__ == (B, C))
d = D("v")
m = d.who
print(m(), m.__self__ is d, m.__func__ is B.who, D.who is B.who)
d.extra = 1
print(sorted(vars(d).items()), hasattr(d, "missing"), getattr(d, "missing", "default"))
del d.extra
try:
    d.extra
except AttributeError as error:
    print(error, error.name, error.obj is d)

try:
    class Broken(A, D):
        pass
except TypeError as error:
    print(error)

class Body:
    x = 1
    y = [i * 2 for i in range(x + 2)]
    def x_of(self):
        return self.x
    locals()["z"] = 9
    if x:
        conditional = True
print(Body.y, Body.z, Body.conditional, Body().x_of())
print(Body.__name__, Body.__qualname__, Body.__module__, Body.__doc__)

class Outer:
    class Inner:
        def method(self):
            pass
print(Outer.Inner.__qualname__, Outer.Inner.method.__qualname__)

class Callable:
    def __call__(self, *args, **kwargs):
        return args, kwargs
print(Callable()(1, 2, k=3))

class Static:
    @staticmethod
    def s(x):
        return x
    @classmethod
    def c(cls, x):
        return cls.__name__, x
class Sub(Static):
    pass
print(Static.s(1), Static().s(2), Sub.c(3), Sub().c(4))

class Slots:
    __slots__ = ("a", "b")
s = Slots()
s.a = 1
print(s.a)
for action in (lambda: s.b, lambda: setattr(s, "c", 1), lambda: s.__dict__):
    try:
        action()
    except AttributeError as error:
        print(error)

s.__class__ = Slots
try:
    s.__class__ = A
except TypeError as error:
    print(error)
e = A(1)
e.__class__ = B
print(e.who())

A.late = lambda self: ("late", self.value)
print(d.late())
print(object.__new__(A).__class__.__name__)
try:
    A()
except TypeError as error:
    print(error)
try:
    object(1)
except TypeError as error:
    print(error)
class WithNew:
    def __new__(cls, x):
        return x * 2
print(WithNew(21))
