"""match: every kind of pattern."""
from dataclasses import dataclass
from enum import Enum

class Color(Enum):
    RED = 1
    BLUE = 2

@dataclass
class Point:
    x: int
    y: int

class Positional:
    __match_args__ = ("a", "b")
    def __init__(self, a, b):
        self.a, self.b = a, b

def describe(value):
    match value:
        case None | True | False:
            return f"singleton {value}"
        case -1 | 2.5 | 3 + 4j:
            return "number literal"
        case "text" | b"bytes":
            return "string literal"
        case Color.RED:
            return "red"
        case Point(x=0, y=0):
            return "origin"
        case Point(0, y):
            return f"on y at {y}"
        case Point(x, y) if x == y:
            return f"diagonal {x}"
        case Point():
            return "point"
        case Positional(a, Positional(b=inner)):
            return f"nested {a} {inner}"
        case []:
            return "empty sequence"
        case [1]:
            return "just one"
        case [1, *rest, 9]:
            return f"1..9 {rest}"
        case (str() as first, int(second)):
            return f"pair {first} {second}"
        case [_, _, *_]:
            return "two or more"
        case {"kind": "a", "n": n}:
            return f"mapping a {n}"
        case {"kind": kind, **others}:
            return f"mapping {kind} {others}"
        case {}:
            return "some mapping"
        case int(n) if n > 100:
            return f"big {n}"
        case int() | float() as number:
            return f"number {number}"
        case str(s):
            return f"string {s!r}"
        case _:
            return f"other {type(value).__name__}"

for value in [None, True, -1, 2.5, 3 + 4j, "text", b"bytes", Color.RED, Color.BLUE, Point(0, 0), Point(0, 5), Point(3, 3), Point(1, 2),
              Positional(1, Positional(2, 3)), [], [1], [1, 2, 3, 9], (1, 9), ("s", 5), [7, 8], [5], {"kind": "a", "n": 1},
              {"kind": "b", "x": 1, "y": 2}, {}, {"z": 1}, 500, 7, 1.25, "other", b"zz", range(3), bytearray(b"x"), {1, 2}]:
    print(repr(value)[:40] if not isinstance(value, Positional) else "Positional", "->", describe(value))

def binds(value):
    match value:
        case [a, [b, *c], {"k": d, **e}]:
            return a, b, c, d, e
        case (a, b) | [a, b, _]:
            return a, b
print(binds([1, [2, 3, 4], {"k": 5, "z": 6}]), binds((1, 2)), binds([1, 2, 3]), binds("no"))

class WrongArgs:
    __match_args__ = ["a"]
def attempt(f):
    try:
        f()
    except TypeError as error:
        print(error)
def one():
    match WrongArgs():
        case WrongArgs(1): pass
def two():
    match Point(1, 2):
        case Point(1, 2, 3): pass
def three():
    match 5:
        case int(1, 2): pass
def four():
    match Point(1, 2):
        case Point(1, x=1): pass
for f in (one, two, three, four):
    attempt(f)
for bad in ("match x:\n case a | b: pass", "match x:\n case a: pass\n case b: pass", "match x:\n case [a, a]: pass",
            "match x:\n case {**r, 'k': 1}: pass", "match x:\n case {'a': 1, 'a': 2}: pass", "match x:\n case 1 + 1: pass", "match x:\n case [*a, *b]: pass"):
    try:
        compile(bad, "<s>", "exec")
    except SyntaxError as error:
        print(error.msg)
match = case = 1
print(match, case, match + case)
