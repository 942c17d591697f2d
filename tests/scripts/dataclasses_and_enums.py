"""dataclasses, enum, namedtuple, typing.NamedTuple, abc."""
from dataclasses import dataclass, field, fields, asdict, astuple, replace, FrozenInstanceError, KW_ONLY, InitVar
from enum import Enum, IntEnum, Flag, IntFlag, StrEnum, auto, unique
from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol, runtime_checkable

@dataclass
class P:
    x: int
    y: int = 0
    tags: list = field(default_factory=list, repr=False)
    _: KW_ONLY
    k: str = "k"
    total: int = field(init=False)
    scale: InitVar[int] = 1
    def __post_init__(self, scale):
        self.total = (self.x + self.y) * scale
p = P(1, 2, scale=10)
print(p, p == P(1, 2, scale=10), p != P(1, 3), asdict(p), astuple(p), [f.name for f in fields(p)], replace(p, x=5, scale=2))
@dataclass(frozen=True, order=True, slots=True)
class F:
    a: int
    b: str = "b"
print(F(1) < F(2), sorted([F(2), F(1, "z"), F(1)]), hash(F(1)) == hash(F(1)), {F(1): 1}[F(1)], F.__slots__, F.__match_args__)
for bad in (lambda: setattr(F(1), "a", 2), lambda: P(), lambda: P(1, 2, [], "k"), lambda: F(1) < 5):
    try:
        bad()
    except (FrozenInstanceError, TypeError) as error:
        print(type(error).__name__, error)
try:
    @dataclass
    class Bad:
        x: list = []
except ValueError as error:
    print(error)
try:
    @dataclass
    class Bad2:
        a: int = 1
        b: int
except TypeError as error:
    print(error)
@dataclass
class Child(P):
    z: int = 9
print(Child(1, k="c"))

class Color(Enum):
    RED = 1
    GREEN = 2
    CRIMSON = 1
    def describe(self): return f"{self.name.lower()}={self.value}"
    @classmethod
    def default(cls): return cls.GREEN
print(list(Color), Color.RED, repr(Color.RED), Color(2), Color["RED"], Color.CRIMSON is Color.RED, Color.RED.describe(), Color.default(), len(Color), Color.RED in Color, 1 in Color, list(Color.__members__))
for bad in (lambda: Color(9), lambda: Color["X"], lambda: setattr(Color, "RED", 5), lambda: Color.RED < Color.GREEN):
    try:
        bad()
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        print(type(error).__name__, error)
class N(IntEnum):
    A = auto()
    B = auto()
class S(StrEnum):
    ONE = auto()
    TWO = "two!"
class Perm(Flag):
    R = auto()
    W = auto()
    X = auto()
    RW = R | W
class I(IntFlag):
    A = 1
    B = 2
print(N.A + 1, N.B > N.A, f"{N.A} {S.ONE} {S.TWO!r}", Perm.R | Perm.X, Perm.RW, Perm.R in Perm.RW, ~Perm.R, list(Perm.RW), bool(Perm(0)), Perm(0), I.A | I.B, I(5), I.A | 8)
try:
    @unique
    class U(Enum):
        A = 1
        B = 1
except ValueError as error:
    print(error)
class Planet(Enum):
    EARTH = (1.0, 2)
    def __init__(self, mass, radius):
        self.mass, self.radius = mass, radius
print(Planet.EARTH.radius, Planet.EARTH.value, Enum("Made", "A B").B, isinstance(Color.RED, Color))

class Shape(ABC):
    @abstractmethod
    def area(self): ...
    @property
    @abstractmethod
    def name(self): ...
    def show(self): return f"{self.name} {self.area()}"
class Square(Shape):
    name = "square"
    def area(self): return 4
print(Square().show(), sorted(Shape.__abstractmethods__))
try:
    Shape()
except TypeError as error:
    print(error)
@Shape.register
class Virtual: pass
print(isinstance(Virtual(), Shape), issubclass(Virtual, Shape))
class NT(NamedTuple):
    a: int
    b: str = "d"
print(NT(1), NT(1)._replace(b="x"), NT._field_defaults, NT(1) == (1, "d"))
@runtime_checkable
class HasLen(Protocol):
    def __len__(self) -> int: ...
print(isinstance([], HasLen), isinstance(5, HasLen))
from collections.abc import Iterable, Mapping, Hashable, Callable, Sequence
print(isinstance([], Iterable), isinstance({}, Mapping), isinstance([], Hashable), isinstance(len, Callable), issubclass(list, Sequence), issubclass(dict, Sequence))
