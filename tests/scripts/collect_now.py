"""What gc.collect() finds dead: nothing that calls or caches have left behind keeps an object alive."""
import functools
import gc
import weakref
from collections import OrderedDict


class Thing:
    pass


async def coroutine():
    pass


def is_alive(make, use):
    thing = make()
    reference = weakref.ref(thing)
    use(thing)
    thing = None
    gc.collect()
    return reference() is not None


uses = {
    "repr": repr, "str": str, "hash": hash, "set": lambda thing: {thing}, "dict": lambda thing: {thing: 1}[thing],
    "format": lambda thing: f"{thing}", "attribute": lambda thing: setattr(thing, "x", 1), "sorted": lambda thing: sorted([thing, thing], key=id),
}
print([name for name, use in uses.items() if is_alive(Thing, use)])


def class_with(body, use):
    kind = type("Kind", (), body)
    reference = weakref.ref(kind)
    use(kind)
    del kind
    gc.collect()
    return reference() is not None


def put_itself(kind):
    kind.table[kind] = None


def call(kind):
    kind().method()


print(class_with({"x": 1}, lambda kind: kind.x), class_with({"table": OrderedDict()}, put_itself), class_with({"method": lambda self: 1}, call))


def cached():
    @functools.lru_cache
    def square(x):
        return x * x

    square(3)
    return weakref.ref(square)


reference = cached()
gc.collect()
print(reference())


def still_cached(thing):
    return [thing.x for _ in range(3)]


thing = Thing()
thing.x = 5
for _ in range(3):
    print(still_cached(thing))
    gc.collect()
