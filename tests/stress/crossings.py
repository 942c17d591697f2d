"""Eight threads send every kind of value that can cross, through queues, calls and prepare_main, to interpreters that they share."""
import array, collections, contextlib, dataclasses, datetime, decimal, enum, fractions, functools, itertools, os, pathlib, re, threading, time
from concurrent import interpreters

ROUNDS = int(os.environ.get("ROUNDS", "1"))
SECONDS = float(os.environ.get("SECONDS", "0"))
THREADS = int(os.environ.get("THREADS", "8"))
SHARED = 3

factor = 3

@dataclasses.dataclass
class Point:
    x: int
    y: list

class Node:
    def __init__(self, value): self.value, self.next = value, None
    def total(self): return self.value * factor

class Slotted:
    __slots__ = "a", "b"
    def __init__(self, a, b): self.a, self.b = a, b
    def __eq__(self, other): return (self.a, self.b) == (other.a, other.b)

class Color(enum.Enum):
    RED = 1

class Pickled:
    def __init__(self, n): self.n = n
    def __reduce__(self): return Pickled, (self.n,)
    def __eq__(self, other): return self.n == other.n

Pair = collections.namedtuple("Pair", "left right")

def scale(n, by=2, *, more=0): return n * by * factor + more

def cycle():
    items = [1]
    items.append(items)
    return items

def ring():
    first, second = Node(1), Node(2)
    first.next, second.next = second, first
    return first

def counter(start):
    count = start
    def step():
        nonlocal count
        count += 1
        return count
    return step

def same(a, b): return type(a) is type(b) and a == b

shared_bytes = bytearray(range(256))
shared_array = array.array("i", range(100))

# What is sent, and how what comes back is checked against it.
KINDS = [
    *[(lambda v=v: v, same) for v in (None, True, 1, -1 << 40, 1 << 100, 1.5, -0.0, 2j, "text", "\u20ac" * 50, "\U0001f600", b"bytes" * 100, (), (1, ("two", 3.0)), range(9),
                                      range(1 << 70), slice(1, None, 2), frozenset({1, "a"}), ..., NotImplemented, int, ValueError, len)],
    *[(lambda v=v: v, same) for v in ([], [1, [2, [3]]], list(range(1000)), {}, {"a": 1, 2: (3, 4), (5,): [6]}, set(), {1, 2, "c"}, bytearray(b"abc"), bytearray(5000))],
    *[(lambda v=v: v, same) for v in (collections.deque([1, 2], maxlen=5), collections.OrderedDict(a=1, b=2), collections.Counter("abca"), collections.defaultdict(list, a=[1]),
                                      collections.ChainMap({1: 2}, {3: 4}), array.array("d", [1, 2]), datetime.datetime(2020, 1, 2), datetime.timedelta(3), decimal.Decimal("1.5"),
                                      fractions.Fraction(1, 3), pathlib.PurePosixPath("/a/b"), re.compile("a+b"), Color.RED, Pair(1, [2]), Point(1, [2, 3]), Slotted(1, [2]), Pickled(4))],
    (cycle, lambda a, b: b[0] == 1 and b[1] is b),
    (ring, lambda a, b: b.next.next is b and b.next.value == 2 and b.total() == 3),
    (lambda: [shared_parts := [1], shared_parts, (shared_parts,)], lambda a, b: b[0] is b[1] is b[2][0]),
    (lambda: memoryview(shared_bytes), lambda a, b: b[5] == 5 and len(b) == 256),
    (lambda: memoryview(shared_array)[10:20], lambda a, b: b.tolist() == list(range(10, 20))),
    (lambda: memoryview(b"constant"), lambda a, b: bytes(b) == b"constant"),
    (lambda: scale, lambda a, b: b(5) == 30 and b(5, more=1) == 31),
    (lambda: lambda x: x + factor, lambda a, b: b(1) == 4),
    (lambda: counter(5), lambda a, b: b() + 1 == b()), # what comes home is what was sent
    (lambda: functools.partial(scale, 2, by=3), lambda a, b: b() == 18),
    (lambda: Node, lambda a, b: b(2).total() == 6),
    (lambda: Node(4).total, lambda a, b: b() == 12),
    (lambda: "abc".upper, lambda a, b: b() == "ABC"),
    (lambda: scale.__code__, lambda a, b: b.co_name == "scale"),
    (lambda: ValueError("message", [1]), lambda a, b: type(b) is ValueError and b.args == ("message", [1])),
    (lambda: iter([1, 2, 3]), lambda a, b: list(b) == [1, 2, 3]),
    (lambda: contextlib.nullcontext(3), lambda a, b: b.enter_result == 3),
]
REFUSED = [lambda: threading.Lock(), lambda: (i for i in range(3)), lambda: {"deep": [threading.Lock()]}]

# Graphs that others change while they are sent: what arrives was there at some time.
changing_list, changing_dict, changing_set, changing_object = [0] * 50, {}, set(), Node([])

def change(i, n):
    with contextlib.suppress(IndexError):
        changing_list[i % 40] = i
        changing_list.append(i) if i % 2 else changing_list.pop()
    changing_dict[n, i % 20] = [i]
    changing_dict.pop((n, (i + 10) % 20), None)
    changing_set.add(i % 30)
    changing_set.discard((i + 15) % 30)
    setattr(changing_object, "a%d" % (i % 10), i)
    changing_object.value.append(i) if i % 5 else changing_object.value.clear()

def send_changing(queue, i):
    for it in (changing_list, changing_dict, changing_set, changing_object):
        try:
            queue.put(it)
        except RuntimeError as error:
            assert "changed" in str(error), error
            continue
        got = queue.get()
        assert type(got) is type(it)

def echo(v): return v

def work(n):
    # Its own queue and a shared one; interpreters are everyone's: a call waits for no one, and is refused where another thread runs.
    mine = interpreters.create_queue()
    for i, (make, check) in enumerate(KINDS):
        sent = make()
        mine.put(sent)
        got = mine.get()
        assert check(sent, got), (i, sent, got)
        everyones.put(sent)
        everyones.get()
        change(i, n)
        one = shared[(i + n) % SHARED]
        try:
            got = one.call(echo, sent)
            assert check(sent, got), (i, sent, got)
            one.prepare_main(sent=sent)
            if i % 5 == 0:
                one.exec("assert sent is sent; mine = [sent, sent]")
        except interpreters.InterpreterError as error:
            assert "running" in str(error), error
        if i % 4 == 0:
            send_changing(mine, i)
    for make in REFUSED:
        try:
            mine.put(make())
        except interpreters.NotShareableError:
            continue
        except TypeError as error:
            assert "pickle" in str(error) or "shar" in str(error), error
            continue
        raise AssertionError("crossed")
    own = interpreters.create()
    own.prepare_main(inbox=mine, outbox=everyones, view=memoryview(shared_bytes), handle=own)
    own.exec("inbox.put([view[3], handle.id]); import array; view[7] = 7")
    assert mine.get() == [3, own.id]
    own.close()

def run(n):
    try:
        barrier.wait()
        work(n)
    except BaseException as error:
        errors.append(error)

deadline = time.monotonic() + SECONDS
turn = 0
everyones, errors = interpreters.create_queue(), []
while turn < ROUNDS or time.monotonic() < deadline:
    shared = [interpreters.create() for _ in range(SHARED)]
    barrier = threading.Barrier(THREADS)
    threads = [threading.Thread(target=run, args=(n,)) for n in range(THREADS)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    if errors:
        raise errors[0]
    for one in shared:
        one.close()
    turn += 1
print("crossings ok")
