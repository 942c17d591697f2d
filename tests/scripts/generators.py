"""Generators: send, throw, close, return values, delegation, laziness, state."""

def echo():
    received = []
    while True:
        try:
            x = yield len(received)
        except KeyError as error:
            received.append(("caught", error.args[0]))
            continue
        if x is None:
            return received
        received.append(x)

g = echo()
print(next(g), g.send("a"), g.throw(KeyError("k")), g.send("b"))
try:
    next(g)
except StopIteration as stop:
    print(stop.value)
print(next(g, "exhausted"))

def inner():
    got = yield "inner 1"
    print("inner got", got)
    try:
        yield "inner 2"
    finally:
        print("inner finally")
    return "inner result"

def outer():
    result = yield from inner()
    print("result", result)
    yield from "ab"
    return result

o = outer()
print(next(o), o.send("sent"), list(o))
o = outer()
next(o), next(o)
o.close()
print(o.gi_frame, o.gi_running, o.gi_suspended)

def fib():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b
from itertools import islice
print(list(islice(fib(), 12)))

squares = (x * x for x in range(10) if x % 2)
print(next(squares), sum(squares), list(squares))

def first_is_eager():
    try:
        (x for x in 5)
    except TypeError as error:
        print(error)
first_is_eager()

def stop_inside():
    yield 1
    raise StopIteration("bad")
try:
    list(stop_inside())
except RuntimeError as error:
    print(error, repr(error.__cause__))

def self_running():
    yield next(me)
me = self_running()
try:
    next(me)
except ValueError as error:
    print(error)

def ignores_close():
    try:
        yield
    except GeneratorExit:
        yield "again"
i = ignores_close()
next(i)
try:
    i.close()
except RuntimeError as error:
    print(error)
def returns_on_close():
    try:
        yield
    except GeneratorExit:
        return "value of close"
r = returns_on_close()
next(r)
print(r.close(), r.close())

fresh = echo()
try:
    fresh.send(1)
except TypeError as error:
    print(error)
print(fresh.gi_suspended, fresh.gi_code.co_name, fresh.__name__, fresh.__qualname__)

def tree(n):
    if n:
        yield from tree(n - 1)
        yield n
        yield from tree(n - 1)
print(list(tree(4)))

class Delegate:
    def __iter__(self):
        return iter([1, 2])
def from_iterable():
    x = yield from Delegate()
    print("value", x)
print(list(from_iterable()))

def with_state():
    for i in range(2):
        try:
            yield i
        except ValueError:
            yield "handled"
w = with_state()
print(next(w), w.throw(ValueError), next(w))
try:
    w.throw(TypeError("out"))
except TypeError as error:
    print("thrown", error)
print([a + b for a in (yield_ for yield_ in "xy") for b in "12"])
