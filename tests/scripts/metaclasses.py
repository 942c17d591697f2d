"""Metaclasses: __prepare__, keywords, __init_subclass__, __class_getitem__, conflicts, __instancecheck__."""

class Meta(type):
    @classmethod
    def __prepare__(mcls, name, bases, **kwargs):
        print("prepare", name, kwargs)
        return {"injected": 1}
    def __new__(mcls, name, bases, namespace, **kwargs):
        print("new", name, [k for k in namespace if not k.startswith("__")])
        return super().__new__(mcls, name, bases, namespace)
    def __init__(cls, name, bases, namespace, **kwargs):
        print("init", name, kwargs)
        super().__init__(name, bases, namespace)
    def __call__(cls, *args):
        print("call", cls.__name__, args)
        return super().__call__(*args)
    def __len__(cls):
        return 42
    def __repr__(cls):
        return f"<Meta {cls.__name__}>"

class K(metaclass=Meta, option=True):
    x = injected + 1
    def __init__(self, a):
        self.a = a

print(K.x, K.injected, len(K), K, K(7).a)

class L(K, other=2):
    pass
print(type(L) is Meta)

class Registered:
    all = []
    def __init_subclass__(cls, /, tag=None, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.tag = tag
        Registered.all.append((cls.__name__, tag))
class R1(Registered, tag="one"):
    pass
class R2(R1):
    pass
print(Registered.all, R1.tag, R2.tag)
try:
    class R3(Registered, wrong=1):
        pass
except TypeError as error:
    print("takes no keyword arguments" in str(error))

class Generic:
    def __class_getitem__(cls, item):
        return cls.__name__, item
print(Generic[int, 3], Generic["x"])

class Even(type):
    def __instancecheck__(cls, x):
        return isinstance(x, int) and x % 2 == 0
    def __subclasscheck__(cls, k):
        return k is int
class E(metaclass=Even):
    pass
print(isinstance(4, E), isinstance(3, E), issubclass(int, E), issubclass(str, E))

class M1(type): pass
class M2(type): pass
class X1(metaclass=M1): pass
class X2(metaclass=M2): pass
try:
    class X3(X1, X2): pass
except TypeError as error:
    print(error)

T = type("T", (K.__base__,), {"f": lambda self: "f", "__slots__": ()})
print(T.__name__, T().f(), type(T) is type)

def function_as_metaclass(name, bases, namespace):
    return name, bases, sorted(k for k in namespace if not k.startswith("__"))
class F(metaclass=function_as_metaclass):
    a = b = 1
print(F)

class Entries:
    def __mro_entries__(self, bases):
        print("mro_entries", len(bases))
        return (dict,)
class FromEntries(Entries()):
    pass
print(FromEntries.__bases__, len(FromEntries.__orig_bases__))

class Order(type):
    def mro(cls):
        default = super().mro()
        return [default[0]] + default[2:0:-1] + default[3:]
class P: name = "P"
class Q: name = "Q"
class S(P, Q, metaclass=Order): pass
print([c.__name__ for c in S.__mro__], S.name)
