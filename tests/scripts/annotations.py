"""Annotations: evaluated when asked for."""
import annotationlib
from annotationlib import Format, get_annotations

def forward(a: Later, b: "Later" = None, *c: int, d: list[Later] = (), **e: str) -> Later:
    pass
try:
    forward.__annotations__
except NameError as error:
    print(error)
print(get_annotations(forward, format=Format.STRING))
refs = get_annotations(forward, format=Format.FORWARDREF)
print(type(refs["a"]).__name__, refs["a"].__forward_arg__, refs["c"])

class Later:
    x: int = 1
    y: "str"
    z: Undefined
print(forward.__annotations__ == {"a": Later, "b": "Later", "c": int, "d": list[Later], "e": str, "return": Later})
print(Later.__annotate__(2).__class__.__name__ if False else list(get_annotations(Later, format=Format.STRING).items()))

class Node:
    next: Node | None
    def link(self, other: Node) -> Node: ...
print(Node.__annotations__, Node.link.__annotations__["other"] is Node)

v: int = 3
w: list[int]
print(__annotations__ if "__annotations__" in dir() else __annotate__(1))

def local():
    a: int = 5
    b: undefined_is_fine
    return a
print(local(), local.__annotations__)

def effects():
    evaluated = []
    def note(x):
        evaluated.append(x)
        return x
    def f(a: note("a"), b: note("b")): pass
    before = list(evaluated)
    f.__annotations__
    f.__annotations__
    return before, evaluated
print(effects())

class Conditional:
    if True:
        a: int
    else:
        b: str
print(list(Conditional.__annotations__))
f = lambda x: x
print(f.__annotations__, (lambda: 0).__annotate__)
forward.__annotations__ = {"new": 1}
print(forward.__annotations__, forward.__annotate__)
def g(x: int): ...
g.__annotate__ = lambda format: {"x": "replaced"}
print(g.__annotations__)
class Sub(Later):
    pass
print(Sub.__annotations__)
obj: dict = {}
obj["k"]: int = 4
(paren): str = "p"
print(obj, paren)
