"""Descriptors: data and non-data, __set_name__, properties, precedence over the instance's dictionary."""

class Logged:
    def __set_name__(self, owner, name):
        self.name = name
        print("set_name", owner.__name__, name)
    def __get__(self, obj, objtype=None):
        if obj is None:
            return self
        print("get", self.name)
        return obj.__dict__[self.name]
    def __set__(self, obj, value):
        print("set", self.name, value)
        obj.__dict__[self.name] = value
    def __delete__(self, obj):
        print("delete", self.name)
        del obj.__dict__[self.name]

class Uses:
    field = Logged()

u = Uses()
u.field = 3
print(u.field)
u.__dict__["field"] = 4
print(u.field)
del u.field
print(Uses.field.name)

class NonData:
    def __get__(self, obj, objtype):
        return "descriptor", obj is None, objtype.__name__

class V:
    attr = NonData()
v = V()
print(v.attr, V.attr)
v.attr = "instance"
print(v.attr)

class Celsius:
    def __init__(self):
        self._t = 0
    @property
    def t(self):
        """the temperature"""
        return self._t
    @t.setter
    def t(self, value):
        if value < -273:
            raise ValueError("too cold")
        self._t = value
    @t.deleter
    def t(self):
        print("gone")
        self._t = None
    @property
    def fixed(self):
        return 1

c = Celsius()
c.t = 20
print(c.t, Celsius.t.__doc__, Celsius.t.fget.__name__)
del c.t
print(c.t)
for action in (lambda: setattr(c, "t", -300), lambda: setattr(c, "fixed", 2), lambda: delattr(c, "fixed")):
    try:
        action()
    except (ValueError, AttributeError) as error:
        print(type(error).__name__, error)

class Fallback:
    def __getattr__(self, name):
        if name.startswith("dyn_"):
            return name[4:]
        raise AttributeError(f"no {name}", name=name, obj=self)
f = Fallback()
f.real = 1
print(f.real, f.dyn_x, getattr(f, "other", None))

class Intercept:
    def __getattribute__(self, name):
        return "intercepted " + name
    def __setattr__(self, name, value):
        print("setattr", name, value)
    def __delattr__(self, name):
        print("delattr", name)
i = Intercept()
print(i.anything)
i.x = 1
del i.x

class Meta(type):
    @property
    def on_class(cls):
        return cls.__name__ + "!"
class M(metaclass=Meta):
    pass
print(M.on_class, hasattr(M(), "on_class"))

class Multi:
    def method(self):
        return self
m = Multi()
bound = Multi.__dict__["method"].__get__(m)
print(bound() is m, bound == m.method, bound is m.method)

try:
    class Bad:
        class Raises:
            def __set_name__(self, owner, name):
                raise ValueError("no")
        x = Raises()
except ValueError as error:
    print(error, error.__notes__)
