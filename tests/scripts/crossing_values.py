"""What crosses between interpreters: by reference, copied, by handle, as it pickles; and what can't."""
import collections
import datetime
import decimal
import enum
import fractions
import functools
import http
import math
import operator
import pathlib
import re
import string
import sys
import threading
import types
import uuid

from concurrent import interpreters

queue = interpreters.create_queue()
there = interpreters.create()


def through(value):
    queue.put(value)
    return queue.get()


def check(name, condition):
    print(name, "ok" if condition else "FAILED")


# By reference: the same object comes out.
nested = ()
for _ in range(200_000):
    nested = (nested,)
twice = ()
for _ in range(100):
    twice = (twice, twice)
code = check.__code__
for value in (None, True, False, 3, 2 ** 100, 1.5, 1j, "text", b"bytes", range(3), slice(1, None), (1, ("two", 3.0)), frozenset({1, "a"}), code, (), int, Exception, len.__self__.__class__):
    if through(value) is not value:
        print("not the same:", value)
check("by reference", True)
check("shareable", all(map(interpreters.is_shareable, (None, True, 1, 2 ** 70, 1.5, 1j, "a", b"a", range(3), (1, ("a", True)), frozenset({1}), code, slice(2), nested, twice, queue, memoryview(b"a")))))
check("not shareable", not any(map(interpreters.is_shareable, (NotImplemented, ..., int, object, object(), Exception(), [], {}, set(), bytearray(), (1, []), check, math, (nested, [])))))
check("deep tuple", through(nested) is not None)
check("shared tuple", through(twice) is not None)

# Copied.
for value in ([1, "a", None], {"a": 1, 2: (3, 4)}, {1, 2, "c"}, bytearray(b"abc"), [], {}, set(), [[1], {"k": [2, {3}]}], ([1], 2), {(1, 2): [3]}, frozenset({(1, frozenset({2}))})):
    copy = through(value)
    if copy != value or type(copy) is not type(value) or (copy is value and type(value) is not frozenset):
        print("differs:", value, copy)
big = list(range(100_000))
copy = through(big)
check("big list", copy == big and copy is not big)
copy.append(1)
check("apart", len(big) == 100_000)

# Shared parts and cycles.
part = [1]
copy = through([part, part, {"k": part}, (part,)])
check("shared parts", copy[0] is copy[1] is copy[2]["k"] is copy[3][0] and copy[0] is not part)
cycle = []
cycle.append(cycle)
copy = through(cycle)
check("list cycle", copy[0] is copy and copy is not cycle)
cycle = {}
cycle["self"] = [cycle]
copy = through(cycle)
check("dict cycle", copy["self"][0] is copy)
cycle = ([],)
cycle[0].append(cycle)
copy = through(cycle)
check("tuple cycle", copy[0][0] is copy)
deep = []
for _ in range(300_000):
    deep = [deep]
copy, depth = through(deep), 0
while copy:
    copy, depth = copy[0], depth + 1
check("deep list", depth == 300_000)

# As they pickle.
values = [datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc), decimal.Decimal("1.50"), pathlib.Path("/a/b"), fractions.Fraction(1, 3), uuid.UUID(int=5), re.compile("a+", re.I),
          collections.OrderedDict(a=1, b=[2]), collections.deque([1, 2], 5), collections.Counter("abca"), collections.defaultdict(list, {1: [2]}), types.SimpleNamespace(a=[1]),
          list[int], int | str, ..., NotImplemented, string.Formatter, string.capwords, len, math.sqrt, str.upper, math, http.HTTPStatus.OK, re.IGNORECASE, types.MappingProxyType({"a": 1})]
for value in values:
    copy = through(value)
    if copy != value or type(copy) is not type(value):
        print("differs:", repr(value), repr(copy))
check("importable things are the same", through(string.Formatter) is string.Formatter and through(math) is math and through(len) is len and through(http.HTTPStatus.OK) is http.HTTPStatus.OK)
copy = through(functools.partial(max, 1, key=abs))
check("partial", copy(-3) == -3 and copy.func is max)
copy = through(operator.itemgetter(1, 2))
check("itemgetter", copy("abc") == ("b", "c"))
error = through(OSError(2, "none", "file"))
check("OSError", type(error) is FileNotFoundError and error.filename == "file")
error = ValueError("x", 1)
error.add_note("note")
copy = through(error)
check("exception", copy.args == ("x", 1) and copy.__notes__ == ["note"])
template = string.Template("$a")
copy = through([template, template])
check("plain instance", copy[0] is copy[1] and type(copy[0]) is string.Template and copy[0].template == "$a")
keys = {datetime.date(2020, 1, 1): 1, frozenset({pathlib.Path("a")}): 2, (decimal.Decimal(1), "x"): 3}
check("keys that hash anew", through(keys) == keys and through(keys)[datetime.date(2020, 1, 1)] == 1)
check("sets that hash anew", through({pathlib.Path("a"), 1}) == {pathlib.Path("a"), 1})
items = [1]
append = through(items.append)
append(2)
check("method of a built-in object", items == [1] and append.__self__ == [1, 2])

# By handle.
memory = bytearray(b"hello")
view = through(memoryview(memory))
view[0] = ord("j")
check("memoryview", bytes(memory) == b"jello" and view.obj is not memory and not view.readonly)
check("read-only memoryview", through(memoryview(b"abc")).readonly)
check("queue", through(queue) is queue)

# What can't, and where it is.
lock = threading.Lock()


def generator():
    yield


class Named:
    pass


held = types.SimpleNamespace(lock=lock)
for value in (lock, {"a": [1, {"s": lock}]}, [1, (2, {"k": generator()})], held, [held], sys._getframe(), sys.stdout, iter(generator()), {1: functools.partial(print, lock)}, {generator(): 1}, types.ModuleType("made_by_hand")):
    try:
        queue.put(value)
    except interpreters.NotShareableError as error:
        print(type(error).__mro__[1].__name__, error)
for arguments, keywords in (((1, [lock]), {}), ((), {"items": {"socket": lock}})):
    try:
        there.call(print, *arguments, **keywords)
    except interpreters.NotShareableError as error:
        print(error)
