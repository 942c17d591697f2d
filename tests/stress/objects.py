"""Attributes, shapes, classes and descriptors that change while other threads look."""
import threading

from common import rounds, together

class Base:
    value = "class"
    def method(self): return "base"

class Derived(Base):
    pass

for _ in rounds(3):
    shared = Derived()
    stop = False
    def write(tag):
        def run():
            for i in range(3000):
                setattr(shared, f"a{tag}_{i % 50}", i)
                shared.common = (tag, i)
                if i % 10 == 0:
                    shared.__dict__[f"d{tag}"] = i
                if i % 50 == 49:
                    delattr(shared, f"a{tag}_{i % 50}")
        return run
    together(*map(write, range(4)))
    assert len([k for k in vars(shared) if k.startswith("a")]) == 4 * 49

    def change_class():
        global stop
        for i in range(2000):
            Base.value = i
            Derived.method = (lambda n: lambda self: n)(i)
            if i % 3 == 0:
                del Derived.method
            Derived.extra = property(lambda self: "extra")
            del Derived.extra
        stop = True
    def look():
        one = Derived()
        while not stop:
            assert one.value == "class" or type(one.value) is int
            assert type(one.method()) in (int, str)
            assert getattr(one, "extra", "none") in ("extra", "none")
            assert isinstance(one, Base)
    together(change_class, look, look)
    Base.value = "class"

    switching = [type(f"K{i}", (Base,), {"value": i}) for i in range(4)]
    thing = switching[0]()
    def switch():
        for i in range(4000):
            thing.__class__ = switching[i % 4]
            assert type(thing.value) is int
    together(switch, switch)

    def classes():
        for i in range(200):
            K = type("K", (Base,), {"m": lambda self: i})
            assert K().m() == i and K.mro()[1] is Base
    together(classes, classes, classes)

    made = []
    def instances():
        for i in range(3000):
            d = Derived()
            d.x, d.y = i, i + 1
            made.append(d)
            assert d.x + 1 == d.y
    together(instances, instances)
    assert sum(d.y - d.x for d in made) == 6000
print("objects ok")
