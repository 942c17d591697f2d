"""Functions that travel by value: lambdas, closures, functions of __main__, with what they use; remembered where they went."""
import functools
import importlib.util
import math
import os.path
import string
import sys
import threading

from concurrent import interpreters

there, other = interpreters.create(), interpreters.create()


def call(function, *args, **kwargs):
    return there.call(function, *args, **kwargs)


def check(name, condition):
    print(name, "ok" if condition else "FAILED")


def failure(*args):
    try:
        call(*args)
    except interpreters.NotShareableError as error:
        print(error)
    else:
        print("crossed", args)


scale = 3


def square(n):
    return n * n


def scaled(n):
    return square(n) * scale


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


print(call(lambda x, *a, k=2: (x, a, k), 1, 5), call(scaled, 2), call(factorial, 20), call(even, 11), call(sum, [1, 2]))
print(call(lambda: math.pi), call(lambda: os.path.join("a", "b")), call(lambda: [square(i) for i in range(3)]))
print(call(lambda: [n for n in (lambda: (yield square(2)))()]))

# What has changed since is sent again.
scale = 4
print(call(scaled, 2))


def square(n):
    return -n * n


print(call(scaled, 2), other.call(scaled, 1))

# Names that the receiver has bound itself stay.
other.exec("mine = 'theirs'")
mine = "ours"
print(call(lambda: mine), other.call(lambda: mine))
counter = 0


def count():
    global counter
    counter += 1
    return counter


print(call(count), call(count), other.call(count), counter)


def early():
    return later


try:
    call(early)
except interpreters.ExecutionFailed as error:
    print(error.excinfo.msg)
later = "defined"
print(call(early))


# Closures; a cell that two functions share stays shared, and is where it was the next time.
def make():
    total, log = 0, []

    def add(n):
        nonlocal total
        total += n
        log.append(n)
        return total

    def get():
        return total, log

    return add, get


add, get = make()
print(call(lambda a, g: (a(1), a(2), g()), add, get), call(add, 3), call(get), get())


def recursive():
    def inner(n):
        return 0 if n == 0 else 1 + inner(n - 1)
    return inner


print(call(recursive(), 50))


def defaults(a, b=[1], *, c={"k": 1}):
    """Documented."""
    return a, b, c


defaults.mark = "attribute"
print(call(lambda f: (f(0), f.__doc__, f.mark, f.__qualname__, f.__module__, f.__kwdefaults__), defaults))


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return "wrapped", function(*args)
    return wrapper


@decorated
def twice(x: int) -> "text":
    return x * 2


print(call(twice, 4), call(lambda f: f.__wrapped__(5), twice), call(lambda f: f.__annotations__, twice))
print(call(functools.partial(scaled, 10)))

# The original comes back as itself; what was made there is the same each time.
check("returns", call(lambda f: f, square) is square)
check("remembered", call(lambda f: id(f), square) == call(lambda f: id(f), square))
check("same there", call(lambda f, g: f is g is square, square, square))
check("importable", call(lambda f: f is string.capwords, string.capwords) and call(lambda: string.capwords) is string.capwords)
made = call(lambda: (lambda x: x + scale))
check("made there", made(1) == 5)
check("and sent again", call(lambda f: f(2), made) == 6)


def through_all(n):
    """One interpreter asks the next."""
    from concurrent import interpreters
    if n == 0:
        return square(7)
    inner = interpreters.create()
    try:
        return [n, inner.call(through_all, n - 1)]
    finally:
        inner.close()


print(call(through_all, 3))

# A function whose globals are no module's.
space = {"__name__": "made", "value": 41}
exec("def from_space():\n    return value + 1\ndef change():\n    global value\n    value += 1\n", space)
print(call(space["from_space"]), call(space["change"]), call(space["from_space"]), space["value"])

# What can't go is named.
lock = threading.Lock()


def uses_lock():
    with lock:
        return 1


def closed():
    inner_lock = threading.Lock()
    return lambda: inner_lock


failure(uses_lock)
failure(lambda: uses_lock())
failure(closed())
failure(print, [uses_lock])
failure(lambda a=lock: a)

# Bound methods and coroutines' functions.
class Counter:
    def __init__(self, n):
        self.n = n

    def up(self, by):
        self.n += by
        return self.n


c = Counter(5)
print(call(c.up, 2), c.n)


async def work(n):
    import asyncio
    await asyncio.sleep(0)
    return n * scale


print(call(lambda n: __import__("asyncio").run(work(n)), 2))
there.close()
print(other.call(scaled, 3))
