"""Classes of __main__ travel by value, their instances with them; what comes back is of the origin's class."""
import abc
import collections
import enum
import typing
from dataclasses import dataclass, field, fields, replace

from concurrent import interpreters

there = interpreters.create()


def call(function, *args, **kwargs):
    return there.call(function, *args, **kwargs)


def check(name, condition):
    print(name, "ok" if condition else "FAILED")


class Point:
    """A point."""
    count = 0
    origin = None

    def __init__(self, x, y=0):
        self.x, self.y = x, y

    def __eq__(self, other):
        return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)

    def __hash__(self):
        return hash((self.x, self.y))

    def __add__(self, other):
        return type(self)(self.x + other.x, self.y + other.y)

    @property
    def length(self):
        return abs(self.x) + abs(self.y)

    @length.setter
    def length(self, value):
        self.x, self.y = value, 0

    @classmethod
    def make(cls):
        return cls(7)

    @staticmethod
    def help():
        return "help"

    class Inner:
        value = 3


class Point3(Point):
    def __init__(self, x, y=0, z=0):
        super().__init__(x, y)
        self.z = z

    def __add__(self, other):
        sum = super().__add__(other)
        sum.z = self.z + other.z
        return sum


Point.origin = Point(0)
p = call(lambda p: (p + Point(1, 1), p.length, p.make(), p.help(), type(p).__doc__, p.Inner.value, Point.origin.x), Point(4))
print(p[0].x, p[0].y, p[1], p[2].x, p[3:])
check("class", type(p[0]) is Point and p[0] == Point(5, 1))
q = call(lambda a, b: [a + b, a, a], Point3(1, 2, 3), Point3(4, 5, 6))
check("subclass", type(q[0]) is Point3 and (q[0].x, q[0].y, q[0].z) == (5, 7, 9) and q[1] is q[2])
check("class itself", call(lambda c: c, Point) is Point and call(lambda: Point3.__mro__)[1] is Point)
check("keys", call(lambda d: d[Point(1, 2)], {Point(1, 2): "found"}) == "found")


def set_length(p):
    p.length = 9
    return p


check("setter", call(set_length, Point(1, 2)) == Point(9))
check("isinstance there", call(lambda p: isinstance(p, Point) and type(p) is Point, Point(1)))
Point.count = 12
check("class attribute sent again", call(lambda: Point.count) == 12)
Point.extra = lambda self: self.x * 100
check("method added", call(lambda p: p.extra(), Point(3)) == 300)
del Point.extra
check("method gone", call(lambda p: hasattr(p, "extra"), Point(3)) is False)


class Slotted:
    __slots__ = ("a", "b", "__dict__")


s = Slotted()
s.a, s.c = [1], 2
s = call(lambda s: (s.a, hasattr(s, "b"), s.c, s), s)
check("slots", s[:3] == ([1], False, 2) and s[3].a is s[0] and type(s[3]) is Slotted)


class Node:
    def __init__(self):
        self.me = self
        self.children = [self]


n = call(lambda n: n if n.me is n and n.children[0] is n else None, Node())
check("cycle", n.me is n and n.children[0] is n)
many = call(lambda items: [Point(i.y, i.x) for i in items], [Point(i, -i) for i in range(1000)])
check("many", many == [Point(-i, i) for i in range(1000)])
wide = Point(1)
for i in range(100):
    setattr(wide, f"a{i}", i)
del wide.a50
check("many attributes", call(lambda w: w, wide).__dict__ == wide.__dict__)


@dataclass(order=True)
class Item:
    name: str
    tags: list = field(default_factory=list)
    rank: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Frozen:
    a: int
    b: "Frozen | None" = None


d = call(lambda i: [i, Item("new", ["t"]), replace(i, rank=5), [f.name for f in fields(i)], i < Item("z")], Item("x"))
print(d)
check("dataclass", d[0] == Item("x") and type(d[1]) is Item)
f = call(lambda f: (f, Frozen(2, f), hash(f) == hash(Frozen(1))), Frozen(1))
print(f)
check("frozen", f[1] == Frozen(2, Frozen(1)) and f[2])


class Color(enum.Enum):
    RED = 1
    GREEN = "g"

    def paint(self):
        return self.name.lower()


class Number(enum.IntEnum):
    ONE = 1
    TWO = 2


class Word(enum.StrEnum):
    YES = enum.auto()


class Access(enum.Flag):
    READ = 1
    WRITE = 2


print(call(lambda c: (c is Color.RED, c.paint(), Color("g"), Color["RED"], list(Color)), Color.RED))
print(call(lambda n: (n + 1, Number(2), n is Number.ONE, Word("yes")), Number.ONE), call(lambda a: (a | Access.WRITE, Access.READ in a), Access.READ))
check("enum", call(lambda: Color.GREEN) is Color.GREEN and call(lambda: {Number.ONE: Word.YES}) == {1: "yes"})

Pair = collections.namedtuple("Pair", "left right", defaults=[0])


class Typed(typing.NamedTuple):
    a: int
    b: str = "b"


r = call(lambda p: (p.left, p._replace(right=9), Pair(1), Typed(4), p._asdict()), Pair(1, [2]))
print(r)
check("named tuples", type(r[1]) is Pair and type(r[3]) is Typed)


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...


class Square(Shape):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side ** 2


def abstract():
    try:
        Shape()
    except TypeError as error:
        return str(error)


print(call(lambda s: (s.area(), isinstance(s, Shape)), Square(3)), call(abstract))


class Meta(type):
    def __call__(cls, *args):
        made = super().__call__(*args)
        made.by = cls.__name__
        return made


class Made(metaclass=Meta):
    def __init_subclass__(cls, **kwargs):
        cls.registered = True


class Sub(Made):
    pass


check("metaclass", call(lambda: (Sub().by, Sub.registered, type(Sub) is Meta)) == ("Sub", True, True))


class Failure(Exception):
    def __init__(self, code, text):
        super().__init__(code, text)
        self.code = code


e = call(lambda: Failure(3, "text"))
check("exception", type(e) is Failure and e.code == 3 and e.args == (3, "text"))


class Reduced:
    def __init__(self, a):
        self.a = a

    def __reduce__(self):
        return Reduced, (self.a + 1,)


class State:
    def __getstate__(self):
        return {"kept": self.kept}

    def __setstate__(self, state):
        self.kept = state["kept"] * 2


class Numbers(list):
    def total(self):
        return sum(self)


class Table(dict):
    def __missing__(self, key):
        return key


class Text(str):
    pass


state = State()
state.kept, state.dropped = 4, object()
check("__reduce__", call(lambda r: r.a, Reduced(1)) == 2)
check("__setstate__", call(lambda s: s.kept, state) == 8)
numbers = Numbers([1, 2, 3])
numbers.name = "n"
r = call(lambda n: (n.total(), n.name, n), numbers)
check("list subclass", r[:2] == (6, "n") and type(r[2]) is Numbers and r[2] == [1, 2, 3])
check("dict subclass", call(lambda t: (t["a"], t["b"]), Table(a=1)) == (1, "b"))
check("str subclass", type(call(lambda t: t, Text("t"))) is Text)


class Box[T]:
    def __init__(self, item: T):
        self.item = item

    def get(self) -> T:
        return self.item


T = typing.TypeVar("T")


class Old(typing.Generic[T]):
    def get(self, x: T) -> T:
        return x


def first[U](items: list[U]) -> U:
    return items[0]


check("generic", call(lambda b: (b.get(), Box(4).get(), first([5, 6]), Old[int]().get(7)), Box(3)) == (3, 4, 5, 7))
print(call(lambda: Box.__type_params__))


class Annotated:
    a: int = 3
    b: "list[Annotated]"


print(call(lambda: Annotated.__annotations__))


class Protocol(typing.Protocol):
    def area(self): ...


class Movie(typing.TypedDict):
    name: str


check("protocol", call(lambda: (issubclass(Square, object), Movie(name="x"))) == (True, {"name": "x"}))


type Name = str
type Tree = int | list[Tree]
type Pair[A, B] = tuple[A, B]


def inner_alias():
    type Local[T] = list[T]
    return Local


print(call(lambda: (Name.__value__, Pair.__type_params__, Pair[int, str].__value__)))
check("alias is one", call(lambda alias: alias, Tree) is Tree)
check("alias of itself", call(lambda alias: alias.__value__.__args__[1].__args__[0] is alias, Tree))
print(call(lambda alias: (alias, alias.__value__, alias.__module__), inner_alias()))


def grow(tree: Tree) -> Pair[int, Tree]:
    return len(tree), tree


print(call(grow, [1, [2, 3]]))
