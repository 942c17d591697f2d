"""Type parameters: functions, classes, aliases, bounds, defaults, scoping."""
from typing import TypeVar, Generic, get_type_hints

def first[T](items: list[T]) -> T:
    return items[0]
print(first([3]), first.__type_params__, first.__annotations__)

class Stack[T: (int, str), *Ts, **P]:
    item: T
    def push[U: int = bool](self, x: U) -> T:
        return U
print(Stack.__type_params__, Stack.__bases__, Stack.__orig_bases__)
T, Ts, P = Stack.__type_params__
print(T.__constraints__, T.__bound__, type(Ts).__name__, type(P).__name__, T.__infer_variance__)
U = Stack.push.__type_params__[0]
print(U.__bound__, U.__default__, U.has_default(), T.has_default(), Stack.push(None, None) is U)

type Pair[A, B = int] = tuple[A, B]
print(Pair, Pair.__value__, Pair.__type_params__, Pair[str, int])
type Recursive = list[Recursive] | int
print(Recursive.__value__, type(Recursive).__name__)
type Lazy = not_defined_yet
try:
    Lazy.__value__
except NameError as error:
    print(error)
not_defined_yet = int
print(Lazy.__value__)

class Box[T]:
    def __init__(self, value: T):
        self.value = value
class IntBox(Box[int]):
    pass
print(Box[int], Box[int].__origin__ is Box, Box[int].__args__, Box[int](5).value, IntBox(3).value, IntBox.__orig_bases__)
print(issubclass(Box, Generic), get_type_hints(Box.__init__))
def outer[T]():
    def inner(x: T): return T
    return inner(None)
print(outer(), type(outer()).__name__)
def lazy_bound[T: undefined](x): return x
print(lazy_bound(5))
try:
    lazy_bound.__type_params__[0].__bound__
except NameError as error:
    print(error)
class Scoped[T]:
    T2 = T
    def m(self):
        return T
print(Scoped.T2 is Scoped.__type_params__[0], Scoped().m() is Scoped.T2, hasattr(Scoped, "T"))
for bad in ("def f[T, T](): pass", "class A[T=int, U]: pass", "type X[**P: int] = 1", "def f[T: (yield)](): pass", "type int.x = 1", "class A[T: (x := 1)]: pass"):
    try:
        compile(bad, "<s>", "exec")
    except SyntaxError as error:
        print(error.msg)
print(list[int], dict[str, list[int]], int | str, (int | None).__args__, type[int], list[int] | None)
print(isinstance(3, int | str), list[int] == list[int], hash(list[int]) == hash(list[int]), tuple[int, ...])
type = 5
print(type)
