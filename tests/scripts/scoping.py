"""Names: global, nonlocal, class scopes, builtins, exec and eval with namespaces, del, locals()."""
x = "global"

def reads(): return x
def writes():
    global x, created
    x = "written"
    created = 1
writes()
print(reads(), created)

class C:
    x = "class"
    def method(self):
        return x
    y = x
    def inner():
        return y
    z = [x for _ in range(1)]
    try:
        inner()
    except NameError as error:
        print(error)
print(C().method(), C.y, C.z)

def outer():
    x = "outer"
    class D:
        nonlocal x
        x = "set in class body"
        seen = x
    return x, D.seen, hasattr(D, "x")
print(outer())

def class_closure():
    v = 1
    class E:
        v = v + 1 if False else 5
        def get(self): return v
    return E.v, E().get()
try:
    print(class_closure())
except NameError as error:
    print(error)

namespace = {"a": 1}
exec("b = a + 1\ndef f(): return a, b", namespace)
print(namespace["b"], namespace["f"](), "__builtins__" in namespace)
print(eval("a * 2", {"a": 21}), eval("p + q", {"p": 1}, {"q": 2}), eval(compile("1 + 1", "<e>", "eval")))
local_space = {}
exec("c = 5\nclass K: d = 6", {}, local_space)
print(sorted(local_space), local_space["K"].d)
class Space(dict):
    def __missing__(self, key):
        return key.upper()
print(eval("foo + bar", {}, Space()))

def frame_locals():
    a, b = 1, 2
    del a
    inner = lambda: b
    return sorted(locals().items(), key=lambda kv: kv[0])[0], "a" in locals()
print(frame_locals())
def snapshot():
    v = 1
    l = locals()
    v = 2
    l["v"] = 99
    return v, l["v"], locals()["v"]
print(snapshot())
def exec_inside():
    v = 1
    exec("v = 2; w = 3")
    return v, "w" in locals()
print(exec_inside())

len_saved = len
def len(x): return "shadowed"
print(len([]))
del len
print(len([]) == len_saved([]))
import builtins
builtins.injected = "from builtins"
print(injected)
del builtins.injected
try:
    injected
except NameError as error:
    print(error)
for i in range(2): loop_var = i
print(i, loop_var)
try:
    try:
        raise ValueError
    except ValueError as gone:
        pass
    gone
except NameError as error:
    print(error)
def conditional(flag):
    if flag: v = 1
    try: return v
    except UnboundLocalError as error: return str(error)
print(conditional(True), conditional(False))
print([__name__, __doc__[:5], "__file__" in globals(), __spec__])
def f():
    def g():
        nonlocal v
        v += 1
    v = 0
    g(); g()
    return v
print(f(), globals()["x"], vars() is globals())
globals()["dynamic_name"] = 7
print(dynamic_name)
try:
    undefined_thing
except NameError as error:
    print(error, error.name)
class Annotated:
    a: int
    b = 2
print(sorted(k for k in vars(Annotated) if not k.startswith("__")))
