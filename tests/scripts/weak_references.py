"""weakref, __del__ and gc: what is documented, without a promise of when."""
import gc, weakref

class Thing:
    def __init__(self, name): self.name = name
    def __repr__(self): return f"Thing({self.name})"
def collect():
    for _ in range(3):
        gc.collect()

def basics():
    t = Thing("a")
    r = weakref.ref(t)
    p = weakref.proxy(t)
    print(r() is t, p.name, r == weakref.ref(t), weakref.getweakrefcount(t) >= 1, hash(r) == hash(t))
    return r
r = basics()
collect()
print(r(), weakref.ref)

called = []
def with_callback():
    t = Thing("b")
    return weakref.ref(t, lambda ref: called.append(ref() is None))
keep = with_callback()
collect()
print(called)

values = weakref.WeakValueDictionary()
keys = weakref.WeakKeyDictionary()
members = weakref.WeakSet()
strong = Thing("strong")
def fill():
    weak = Thing("weak")
    for t, n in ((strong, "s"), (weak, "w")):
        values[n] = t
        keys[t] = n
        members.add(t)
    print(len(values), len(keys), len(members))
fill()
collect()
print(list(values.items()), list(keys.items()), list(members))

log = []
class Finalized:
    def __init__(self, n): self.n = n
    def __del__(self): log.append(self.n)
def cycle():
    a, b = Finalized(1), Finalized(2)
    a.other, b.other = b, a
cycle()
collect()
print(sorted(log))

saved = []
class Phoenix:
    def __del__(self): saved.append(self)
def burn(): Phoenix()
burn()
collect()
print(len(saved), type(saved[0]).__name__)

ended = []
def final():
    t = Thing("f")
    return weakref.finalize(t, ended.append, "done")
f = final()
collect()
print(ended, f.alive)
for bad in (lambda: weakref.ref(5), lambda: weakref.ref("s"), lambda: weakref.proxy(())):
    try:
        bad()
    except TypeError as error:
        print(error)
class Slots:
    __slots__ = ("a",)
class WeakSlots:
    __slots__ = ("a", "__weakref__")
try:
    weakref.ref(Slots())
except TypeError as error:
    print(error)
w = WeakSlots()
print(weakref.ref(w)() is w)
class M:
    def method(self): return "called"
m = M()
wm = weakref.WeakMethod(m.method)
print(wm()())
gone = weakref.proxy(Thing("gone"))
collect()
try:
    gone.name
except ReferenceError as error:
    print(error)
print(gc.isenabled(), type(gc.collect()).__name__, gc.is_tracked([]), type(gc.get_threshold()).__name__)
gc.disable(); print(gc.isenabled()); gc.enable()
