"""super in its forms, cooperative inheritance, subclassing built-ins, attribute lookup order."""
class Root:
    def go(self, log): log.append("Root"); return log
class A(Root):
    def go(self, log): log.append("A"); return super().go(log)
class B(Root):
    def go(self, log): log.append("B"); return super(B, self).go(log)
class C(A, B):
    def go(self, log): log.append("C"); return super().go(log)
print(C().go([]), super(A, C()).go([]), super(C, C).go(C(), []), repr(super(A, C())).replace(hex(id(0))[2:], "")[:30])
class K:
    @classmethod
    def make(cls): return cls.__name__
    @staticmethod
    def st(): return "static"
    @property
    def prop(self): return "K.prop"
class L(K):
    @classmethod
    def make(cls): return "L+" + super().make()
    @property
    def prop(self): return "L+" + super().prop
    def st(self): return super().st()
    def comp(self): return [super(L, self).prop for _ in range(1)]
    def missing(self): return super().nothing
l = L()
print(L.make(), l.prop, l.st(), l.comp())
for bad in (lambda: l.missing(), lambda: super(), lambda: super(int, "x"), lambda: super(5, l)):
    try: bad()
    except (AttributeError, RuntimeError, TypeError) as error: print(type(error).__name__, error)
def orphan(self): return super()
K.orphan = orphan
try: K().orphan()
except RuntimeError as error: print(error)
class MyList(list):
    def append(self, x): super().append(x * 2)
    def __getitem__(self, i): return ("got", super().__getitem__(i))
m = MyList([1]); m.append(5); m += [7]
print(m, m[0], len(m), [x for x in m], m == [1, 10, 7], type(m + []).__name__, type(m[:]).__name__, isinstance(m, list), m.__class__.__bases__)
class MyDict(dict):
    def __setitem__(self, k, v): super().__setitem__(k, ("set", v))
    def __contains__(self, k): return True
md = MyDict(a=1); md["b"] = 2; md.update(c=3)
print(md, "zzz" in md, md.get("zzz"), json_dumps(md) if False else sorted(md))
class MyStr(str):
    def upper(self): return "custom " + super().upper()
    def __len__(self): return 99
    def __new__(cls, v, extra=None):
        self = super().__new__(cls, v); self.extra = extra; return self
s = MyStr("abc", extra=5)
print(s.upper(), len(s), s.extra, s + "d", s.title(), s[1], str(s) is s, f"{s}")
class MyTuple(tuple):
    def __new__(cls, *a): return super().__new__(cls, a)
print(MyTuple(1, 2), MyTuple(1) + (2,), hash(MyTuple(1, 2)) == hash((1, 2)))
class MyFloat(float):
    def __repr__(self): return "MyFloat"
print(MyFloat(1.5), MyFloat(1.5) + 1, [MyFloat(2)], f"{MyFloat(1):.2f}")
class MyInt(int):
    def __bool__(self): return True
    def __index__(self): return 1
print(bool(MyInt(0)), [5, 6][MyInt(0)], MyInt(3) == 3, {3: "x"}[MyInt(3)])
class E(Exception):
    def __init__(self, a, b): super().__init__(a); self.b = b
print(E(1, 2).args, E(1, 2).b, repr(E(1, 2)))
for sealed in (bool, type(None), range, type(lambda: 0), slice, type(...), type(NotImplemented)):
    try: type("S", (sealed,), {})
    except TypeError as error: print(error)
class Diamond1(int, Exception if False else object): pass
try:
    class Both(int, str): pass
except TypeError as error: print(error)
class Mixin:
    def __repr__(self): return f"{type(self).__name__}<{super().__repr__()}>"
class ML(Mixin, list): pass
print(ML([1, 2]), ML.__mro__[1].__name__, ML.mro() == list(ML.__mro__))
class Dyn: pass
Dyn.__repr__ = lambda self: "patched"
d = Dyn(); d.__repr__ = lambda: "instance"
print(repr(d), d.__repr__(), [d])
class Base1: attr = 1
class Child1(Base1): pass
c1 = Child1(); before = c1.attr; Base1.attr = 2; mid = c1.attr; Child1.attr = 3; after = c1.attr; del Child1.attr
print(before, mid, after, c1.attr, Child1.__subclasses__(), Base1.__subclasses__()[0].__name__)
Child1.__bases__ = (type("NewBase", (), {"attr": "new"}),)
print(c1.attr, Child1.__mro__[1].__name__)
print(C.__init_subclass__.__self__ is C, type.__call__(Root).__class__.__name__, object().__eq__(1), (5).__add__("x"), type(C.go).__name__, type(C().go).__name__, C.go.__qualname__)
