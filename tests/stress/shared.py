"""Eight threads on one object of every kind: no crash, no value that nobody made, no exception but those that a single change explains."""
import array, collections, contextvars, functools, gc, heapq, io, itertools, json, operator, os, queue, random, re, struct, sys, tempfile, threading
import time, types, weakref

from common import ROUNDS, THREADS, rounds, time_left, together
ONLY = os.environ.get("ONLY")

def everyone(function):
    together(*[functools.partial(function, n) for n in range(THREADS)])

tests = []
def test(function):
    tests.append(function)
    return function

def allowing(*kinds):
    """Runs steps; what racing changes may raise is left alone."""
    def run(*steps):
        for step in steps:
            try:
                step()
            except kinds:
                pass
    return run

@test
def bytearrays():
    shared = bytearray(b"x" * 64)
    quiet = allowing(IndexError, ValueError, BufferError)
    def work(n):
        for i in range(300):
            quiet(lambda: shared.append(120), lambda: shared.extend(b"xx"), lambda: shared.pop(), lambda: shared.__setitem__(3, 120),
                  lambda: shared.__delitem__(slice(0, 2)), lambda: shared.insert(2, 120), lambda: shared.find(b"xx"), lambda: shared.reverse())
            quiet(lambda: shared.__setitem__(slice(1, 3), b"xxxx"), lambda: shared.__iadd__(b"x"))
            copy = bytes(shared)
            assert copy.count(b"x") == len(copy)
            assert shared[5:9].strip(b"x") == b""
            if i % 50 == 0:
                quiet(lambda: shared.clear())
                quiet(lambda: memoryview(shared)[0])
    everyone(work)

@test
def deques():
    shared, bounded = collections.deque(range(50)), collections.deque(maxlen=20)
    quiet = allowing(IndexError, RuntimeError, ValueError)
    def work(n):
        for i in range(300):
            quiet(lambda: shared.append(i), lambda: shared.appendleft(i), lambda: shared.pop(), lambda: shared.popleft(), lambda: shared.rotate(3),
                  lambda: bounded.append(i), lambda: bounded.extend((1, 2, 3)), lambda: shared.__setitem__(2, i), lambda: shared.remove(i),
                  lambda: shared.insert(1, i), lambda: shared.extendleft((4, 5)), lambda: shared.reverse())
            quiet(lambda: [x + 0 for x in shared], lambda: shared[len(shared) // 2] + 0, lambda: shared.count(3), lambda: 7 in shared,
                  lambda: list(reversed(shared)), lambda: shared.copy(), lambda: shared == bounded, lambda: shared.index(4))
            assert len(bounded) <= 20
            if i % 100 == 0:
                shared.clear()
    everyone(work)
    count = collections.deque()
    everyone(lambda n: [count.append((n, i)) for i in range(500)])
    assert len(count) == 500 * THREADS == len(set(count))

@test
def ordered_dicts():
    shared, counter, default, chain = collections.OrderedDict(), collections.Counter(), collections.defaultdict(list), collections.ChainMap({}, {1: 2})
    quiet = allowing(KeyError, RuntimeError)
    def work(n):
        for i in range(200):
            shared[i % 40] = (n, i)
            quiet(lambda: shared.move_to_end(i % 40), lambda: shared.popitem(last=i % 2 == 0), lambda: list(shared.items()), lambda: shared.pop(3),
                  lambda: list(reversed(shared)), lambda: shared == shared.copy())
            default[i % 10].append(n)
            counter[i % 10] += 1
            chain[i % 5] = i
            quiet(lambda: chain[3], lambda: counter.most_common(2), lambda: counter.update("abc"))
            if i % 90 == 0:
                shared.clear()
    everyone(work)
    assert sum(map(len, default.values())) == 200 * THREADS

@test
def sets():
    shared, frozen = set(range(30)), frozenset(range(100))
    quiet = allowing(KeyError, RuntimeError)
    def work(n):
        for i in range(300):
            quiet(lambda: shared.add(i % 70), lambda: shared.discard(i % 30), lambda: shared.pop(), lambda: shared.update(range(5)),
                  lambda: shared.difference_update((1, 2)), lambda: shared.intersection(frozen), lambda: shared | frozen, lambda: shared ^ frozen,
                  lambda: [x + 0 for x in shared], lambda: sorted(shared), lambda: shared <= frozen, lambda: shared.copy())
            assert i % 100 in frozen
            if i % 100 == 0:
                shared.clear()
    everyone(work)

@test
def dictionaries_of_all():
    shared = {i: str(i) for i in range(50)}
    quiet = allowing(KeyError, RuntimeError)
    def work(n):
        for i in range(200):
            shared[n, i] = i
            quiet(lambda: shared.update({i: str(i)}), lambda: shared.popitem(), lambda: shared.setdefault(i, "d"), lambda: list(shared.values()),
                  lambda: dict(shared), lambda: {**shared}, lambda: shared | {1: 2}, lambda: list(reversed(shared)), lambda: shared.items() & {(1, "1")},
                  lambda: [shared[k] for k in shared], lambda: shared == {}, lambda: shared.keys() - {1}, lambda: repr(shared), lambda: shared.__ior__({5: "5"}))
            if i % 70 == 0:
                shared.clear()
    everyone(work)

@test
def lists_of_all():
    shared = list(range(40))
    quiet = allowing(IndexError, ValueError, RuntimeError)
    def work(n):
        for i in range(200):
            quiet(lambda: shared.append(i), lambda: shared.pop(0), lambda: shared.insert(4, i), lambda: shared.sort(), lambda: shared.reverse(),
                  lambda: shared.extend(range(4)), lambda: shared.remove(3), lambda: shared.__setitem__(slice(2, 9, 2), [1] * 4), lambda: shared.index(5),
                  lambda: shared.__delitem__(slice(0, 3)), lambda: shared + shared[:3], lambda: sum(shared), lambda: max(shared), lambda: tuple(shared),
                  lambda: sorted(shared), lambda: shared * 2, lambda: shared == shared[:], lambda: list(reversed(shared)), lambda: [*shared, 1],
                  lambda: ",".join(map(str, shared)), lambda: heapq.heappush(shared, 1), lambda: heapq.heapify(shared), lambda: heapq.heappop(shared),
                  lambda: bytes(x & 255 for x in shared), lambda: shared.copy(), lambda: shared.__imul__(1), lambda: dict(enumerate(shared)))
            def swap():
                shared[0], shared[1] = shared[1], shared[0]
            quiet(swap)
            if len(shared) > 300 or i % 90 == 0:
                shared.clear()
                shared.extend(range(10))
    everyone(work)

@test
def arrays():
    shared = array.array("i", range(50))
    quiet = allowing(IndexError, ValueError, BufferError)
    def work(n):
        for i in range(200):
            quiet(lambda: shared.append(i), lambda: shared.pop(), lambda: shared.extend((1, 2)), lambda: shared.insert(1, i), lambda: shared.__setitem__(0, i),
                  lambda: shared[1:9].tobytes(), lambda: sum(shared), lambda: shared.reverse(), lambda: shared.tolist(), lambda: shared.byteswap(),
                  lambda: shared.__delitem__(slice(5, 9)), lambda: struct.unpack_from("i", shared), lambda: shared.__setitem__(slice(0, 2), array.array("i", [1, 2])))
    everyone(work)

@test
def views():
    memory, numbers = bytearray(b"x" * 400), array.array("i", range(64))
    shared, items = memoryview(memory), memoryview(numbers)
    cast, backwards = shared.cast("I"), shared[::-2]
    quiet = allowing(BufferError, ValueError)
    def work(n):
        for i in range(150):
            shared[i], items[i % 64], cast[i % 100] = 120, i, 0x78787878
            memory[i], numbers[i % 64] = 120, i
            shared[8:16] = b"xxxxxxxx"
            memory[8:16] = b"xxxxxxxx"
            numbers[3:5] = array.array("i", [1, 2])
            struct.pack_into("4s", memory, i, b"xxxx")
            assert struct.unpack_from("8s", memory, i) == (b"x" * 8,) and bytes(shared[:9]) == b"x" * 9 == shared[:9].tobytes()
            assert shared[i] == 120 and cast[3] == 0x78787878 and set(shared[:20].tolist()) == {120} and backwards[5] == 120
            assert type(items[i % 64]) is type(sum(items[:9].tolist())) is int and shared == shared and shared[:50].hex() == "78" * 50
            assert list(struct.iter_unpack("ss", shared[:8])) == [(b"x", b"x")] * 4 and len(list(items)) == 64
            quiet(lambda: numbers.pop(), lambda: numbers.byteswap(), lambda: memory.reverse())
            if i % 50 == 0:
                quiet(lambda: memory.append(1)) # looks for views that nobody has any more
            assert memory.find(b"y") == -1 and 120 in memory and numbers.count(1000) >= 0 and len(numbers.tobytes()) == 256
            with memoryview(memory) as own, own[2:5] as part:
                assert part[0] == 120 and part.nbytes == 3
    everyone(work)

@test
def namespaces():
    shared, table = types.SimpleNamespace(a=1), {"a": 1}
    proxy, keys, items = types.MappingProxyType(table), table.keys(), table.items()
    quiet = allowing(AttributeError, KeyError, RuntimeError)
    def work(n):
        for i in range(200):
            setattr(shared, "k%d" % (i % 20), i)
            table["k%d" % (i % 20)] = i
            quiet(lambda: delattr(shared, "k%d" % (i % 13)), lambda: table.pop("k%d" % (i % 13)), lambda: repr(shared), lambda: shared == types.SimpleNamespace(),
                  lambda: list(proxy.items()), lambda: proxy["k3"], lambda: len(proxy), lambda: proxy | {}, lambda: "k2" in keys, lambda: ("k2", 2) in items,
                  lambda: keys & {"a"}, lambda: sorted(keys), lambda: items.isdisjoint([1]), lambda: vars(shared).copy(), lambda: reversed(proxy))
            assert shared.a == 1 == proxy["a"]
    everyone(work)

@test
def cells():
    value, total = 0, 0
    def set_(x):
        nonlocal value
        value = x
    def unset():
        nonlocal value
        try: del value
        except NameError: pass
        value = 1
    def get():
        try: return value
        except NameError: return 0
    def work(n):
        for i in range(1000):
            set_((n, i) if i % 2 else float(i))
            assert type(get()) in (tuple, float, int)
            if i % 10 == 0: unset()
            cell = get.__closure__[0]
            try: cell.cell_contents
            except ValueError: pass
            cell.cell_contents = i
    everyone(work)

@test
def generators():
    def numbers():
        for i in range(4000): yield i
    shared, seen, clashes = numbers(), [], []
    def work(n):
        while True:
            try: seen.append(next(shared))
            except StopIteration: return
            except ValueError as e:
                assert str(e) == "generator already executing", e
                clashes.append(1)
    everyone(work)
    assert len(seen) == len(set(seen)) <= 4000 and max(seen) == 3999
    def echo():
        got = None
        while True:
            try: got = yield got
            except KeyError: got = "thrown"
    shared = echo()
    next(shared)
    def work(n):
        for i in range(500):
            try:
                shared.send(i)
                shared.throw(KeyError)
                shared.gi_frame, shared.gi_running, shared.gi_suspended
            except (ValueError, StopIteration, TypeError): pass
    everyone(work)
    for _ in range(30):
        g = echo(); next(g)
        def work(n):
            try: g.close()
            except ValueError: pass
        everyone(work)
    async def coroutine(): return 5
    for _ in range(30):
        c = coroutine()
        results = []
        def work(n):
            try: c.send(None)
            except StopIteration as e: results.append(e.value)
            except (RuntimeError, ValueError): pass
        everyone(work)
        assert results == [5]

@test
def iterators():
    quiet = allowing(StopIteration, RuntimeError, IndexError, ValueError, TypeError)
    numbers, table = list(range(300)), {i: i for i in range(300)}
    def makers():
        yield lambda: iter(numbers)
        yield lambda: reversed(numbers)
        yield lambda: iter(tuple(numbers))
        yield lambda: iter("x" * 300)
        yield lambda: iter("\u20ac" * 300)
        yield lambda: iter(b"x" * 300)
        yield lambda: iter(bytearray(300))
        yield lambda: iter(range(300))
        yield lambda: iter(range(1 << 70, (1 << 70) + 300))
        yield lambda: iter(table)
        yield lambda: iter(table.items())
        yield lambda: reversed(table.values())
        yield lambda: iter(set(numbers))
        yield lambda: iter(frozenset(numbers))
        yield lambda: enumerate(numbers)
        yield lambda: enumerate(numbers, 1 << 65)
        yield lambda: zip(numbers, table, "x" * 300)
        yield lambda: map(operator.add, numbers, numbers)
        yield lambda: filter(None, numbers)
        yield lambda: iter(numbers.copy().pop, 3)
        yield lambda: iter(collections.deque(numbers))
        yield lambda: reversed(collections.deque(numbers))
        yield lambda: iter(collections.OrderedDict(table))
        yield lambda: iter(array.array("i", numbers))
        yield lambda: iter(memoryview(b"x" * 300))
        yield lambda: itertools.count()
        yield lambda: itertools.count(1 << 62)
        yield lambda: itertools.count(1, 2.5)
        yield lambda: itertools.cycle((1, 2, 3))
        yield lambda: itertools.cycle(iter(numbers))
        yield lambda: itertools.chain(numbers, table)
        yield lambda: itertools.chain.from_iterable([numbers, table])
        yield lambda: itertools.islice(numbers, 3, 200, 2)
        yield lambda: itertools.accumulate(numbers)
        yield lambda: itertools.batched(numbers, 3)
        yield lambda: itertools.combinations(range(9), 3)
        yield lambda: itertools.combinations_with_replacement(range(5), 3)
        yield lambda: itertools.permutations(range(6), 3)
        yield lambda: itertools.product(range(6), range(7), range(5))
        yield lambda: itertools.repeat(1, 300)
        yield lambda: itertools.repeat(None)
        yield lambda: itertools.starmap(operator.add, zip(numbers, numbers))
        yield lambda: itertools.takewhile(lambda x: x < 250, numbers)
        yield lambda: itertools.dropwhile(lambda x: x < 20, numbers)
        yield lambda: itertools.filterfalse(lambda x: x % 2, numbers)
        yield lambda: itertools.compress(numbers, numbers)
        yield lambda: itertools.pairwise(numbers)
        yield lambda: itertools.zip_longest(numbers, range(5))
        yield lambda: (g for _, g in itertools.groupby(numbers, lambda x: x // 5))
        yield lambda: itertools.tee(numbers)[0]
        yield lambda: re.finditer("x", "x" * 200)
        yield lambda: struct.iter_unpack("i", bytes(400))
        yield lambda: iter(io.StringIO("line\n" * 100))
        yield lambda: iter(io.BytesIO(b"line\n" * 100))
        yield lambda: contextvars.copy_context().keys().__iter__()
        yield lambda: iter(types.MappingProxyType(table))
        yield lambda: iter(weakref.WeakSet())
    for make in makers():
        shared = make()
        def work(n):
            for i in range(60):
                quiet(lambda: next(shared))
                if i % 16 == 0:
                    quiet(lambda: operator.length_hint(shared), lambda: repr(shared))
                    quiet(lambda: shared.__reduce__())
        everyone(work)
    taken = []
    count = itertools.count()
    everyone(lambda n: [taken.append(next(count)) for _ in range(500)])
    assert sorted(taken) == list(range(500 * THREADS))

@test
def caches():
    calls = []
    @functools.lru_cache(maxsize=16)
    def bounded(x):
        calls.append(x)
        return x * 2
    @functools.cache
    def unbounded(x): return (x,)
    class With:
        @functools.cached_property
        def value(self): return object()
        @functools.singledispatchmethod
        def kind(self, x): return "object"
        @kind.register
        def _(self, x: int): return "int"
    one = With()
    part = functools.partial(int, base=16)
    def work(n):
        for i in range(400):
            assert bounded(i % 24) == i % 24 * 2 and unbounded(i % 50) == (i % 50,)
            assert part("ff") == 255 and one.kind(3) == "int" and one.kind("") == "object"
            one.value
            if i % 100 == 0:
                bounded.cache_info(), bounded.cache_clear()
    everyone(work)
    bounded.cache_info()

@test
def files():
    with tempfile.TemporaryFile("w+") as text, tempfile.TemporaryFile("w+b") as binary:
        memory, lines = io.BytesIO(), io.StringIO()
        quiet = allowing(ValueError, io.UnsupportedOperation, OSError, BufferError)
        def work(n):
            for i in range(100):
                text.write("line %d\n" % n)
                binary.write(b"12345678")
                memory.write(b"1234")
                lines.write("abc\n")
                if i % 10 == 0:
                    text.flush(), binary.flush(), lines.getvalue(), memory.getvalue()
                    quiet(lambda: lines.tell())
        everyone(work)
        assert len(memory.getvalue()) == 400 * THREADS and len(lines.getvalue()) == 400 * THREADS
        text.flush(); text.seek(0)
        assert len(text.readlines()) == 100 * THREADS
        binary.seek(0)
        assert len(binary.read()) == 800 * THREADS
        def read(n):
            for i in range(50):
                quiet(lambda: binary.seek(i), lambda: binary.read(5), lambda: binary.readline(), lambda: text.seek(0), lambda: text.read(7),
                      lambda: text.readline(), lambda: next(text), lambda: text.tell(), lambda: memory.seek(0), lambda: memory.read(3), lambda: memory.getbuffer()[0],
                      lambda: memory.truncate(900), lambda: lines.seek(0), lambda: lines.readline())
        everyone(read)

@test
def expressions():
    text = "alpha 1 beta 22 gamma 333 " * 5
    pattern = re.compile(r"(?P<word>[a-z]+) (?P<number>\d+)")
    def work(n):
        for i in range(60):
            assert len(pattern.findall(text)) == 15 and pattern.sub(r"\g<number>", text).count("333") == 5
            match = pattern.match(text)
            assert match["word"] == "alpha" and match.groupdict()["number"] == "1"
            assert re.search("b%da" % (i % 30), text) is None and re.split(r"\s+", text)[0] == "alpha"
            re.compile("x%d" % (n * 100 + i))
            if i % 20 == 0: re.purge()
    everyone(work)

@test
def randoms():
    generator = random.Random(5)
    def work(n):
        for i in range(400):
            assert 0 <= generator.random() < 1 and 1 <= generator.randint(1, 6) <= 6 and 0 <= random.random() < 1
            generator.getrandbits(70), generator.gauss(0, 1)
            if i % 100 == 0: generator.setstate(generator.getstate()); generator.seed(n)
    everyone(work)

class Plain:
    def method(self): return 1

class Slotted:
    __slots__ = "a", "b", "__weakref__"

@test
def weak_references():
    target, finals = [Plain() for _ in range(20)], []
    table, keys, members = weakref.WeakValueDictionary(), weakref.WeakKeyDictionary(), weakref.WeakSet()
    quiet = allowing(KeyError, ReferenceError, RuntimeError)
    def work(n):
        for i in range(150):
            one = target[i % 20]
            reference = weakref.ref(one, lambda r: finals.append(1))
            assert reference() is None or type(reference()) is Plain
            table[i % 30] = one
            keys[one] = i
            members.add(one)
            proxy = weakref.proxy(one)
            def touch(): proxy.x = i
            quiet(touch, lambda: table[i % 30], lambda: list(table.items()), lambda: list(keys), lambda: len(members), lambda: weakref.getweakrefs(one),
                  lambda: weakref.getweakrefcount(one), lambda: list(members), lambda: weakref.WeakMethod(one.method)())
            target[i % 20] = Plain()
            weakref.finalize(target[i % 20], int)
            if i % 60 == 0: gc.collect()
    everyone(work)

@test
def instances():
    shared, slotted = Plain(), Slotted()
    slotted.a = 0
    quiet = allowing(AttributeError, RuntimeError)
    def work(n):
        for i in range(300):
            shared.x = (n, i)
            setattr(shared, "y%d" % (i % 20), i)
            slotted.a, slotted.b = i, (n, i)
            one = Plain()
            one.a, one.b, one.c = n, i, [n]
            assert (one.a, one.b, one.c) == (n, i, [n]) and shared.x[1] >= 0 and slotted.a >= 0
            quiet(lambda: delattr(slotted, "b"), lambda: delattr(shared, "y3"), lambda: shared.y5, lambda: slotted.b[0], lambda: vars(one)["a"], lambda: dir(shared))
            if i % 60 == 0:
                shared.__dict__["z"] = i
                shared.__dict__ = {"x": (0, 0)}
            if i % 97 == 0:
                one.__class__ = Other
                assert one.a == n
    class Other: pass
    everyone(work)

@test
def lost_stores():
    """What one thread stores in attributes of its own on a shared object is there, whatever others do to the object."""
    for _ in range(20):
        shared = Plain()
        def work(n):
            for i in range(25):
                setattr(shared, "t%d_%d" % (n, i), i)
                if i == 10 + n: shared.__dict__
            for i in range(25):
                assert getattr(shared, "t%d_%d" % (n, i)) == i
            mine = "t%d_0" % n
            for i in range(50):
                setattr(shared, mine, i)
                assert getattr(shared, mine) == i
        everyone(work)
        assert len(vars(shared)) == 25 * THREADS

@test
def classes():
    class Base:
        attribute = 0
        def method(self): return 1
    class Derived(Base): pass
    class Another(Base):
        attribute = -1
    quiet = allowing(AttributeError, TypeError)
    def work(n):
        one = Derived()
        for i in range(150):
            Base.attribute = i
            setattr(Derived, "a%d" % (i % 10), lambda self: 2)
            assert one.attribute >= -1 and one.method() in (1, 2, 3)
            assert Derived.attribute >= -1 and isinstance(one, Base) and issubclass(Derived, Base)
            if n == 0: Derived.method = [lambda self: 2, lambda self: 3][i % 2]
            if n == 1: quiet(lambda: delattr(Derived, "method"))
            if n == 2: Derived.described = property(lambda self: 5); assert one.described == 5; quiet(lambda: delattr(Derived, "described"))
            if n == 3 and i % 30 == 0: Derived.__bases__ = (Another,) if i % 60 else (Base,)
            if n == 4: Base.__getattr__ = lambda self, name: 7; quiet(lambda: delattr(Base, "__getattr__"))
            if n == 5: Base.__add__ = lambda self, other: 8; quiet(lambda: one + one); quiet(lambda: delattr(Base, "__add__"))
            kind = type("Made", (Base,), {"x": i, "__slots__": ()})
            assert kind().x == i
            quiet(lambda: one.a3(), lambda: Derived.__subclasses__(), lambda: Base.__subclasses__(), lambda: Derived.__mro__, lambda: vars(Derived).copy())
    everyone(work)

@test
def functions():
    def shared(a, b=2, *, c=3): return a + b + c
    def work(n):
        for i in range(400):
            assert shared(1) >= 1
            if n == 0: shared.__defaults__ = (i,)
            if n == 1: shared.__kwdefaults__ = {"c": i}
            if n == 2: shared.__code__ = (lambda a, b=2, *, c=3: a + b + c).__code__
            if n == 3: shared.__name__ = "f%d" % i; shared.__doc__ = str(i); shared.extra = i
            if n == 4: shared.__annotations__, shared.__qualname__, shared.__dict__
            repr(shared)
    everyone(work)

total = 0

@test
def globals_and_modules():
    global total
    module = types.ModuleType("shared")
    def work(n):
        global total, made
        for i in range(500):
            made = i
            total += 1
            module.x = i
            assert module.x >= 0
            setattr(module, "y%d" % (i % 30), n)
            globals()["g%d" % (i % 10)] = i
            len([1]), max(1, 2)
            if i % 100 == 0:
                import builtins
                builtins.brand_new = i
                assert brand_new >= 0
                vars(module).copy(), dir(module)
            try:
                del made
            except NameError: pass
    everyone(work)
    del globals()["g1"]

@test
def imports():
    names = ["colorsys", "calendar", "fractions", "statistics", "decimal", "textwrap", "string", "pprint", "shlex", "bisect", "configparser",
             "html.parser", "xml.etree.ElementTree", "csv", "hashlib", "zlib", "bz2", "lzma", "base64", "uuid", "difflib", "ipaddress", "datetime",
             "dataclasses", "enum", "inspect", "ast", "dis", "tokenize", "logging", "argparse", "locale", "secrets", "hmac", "cmath", "select",
             "socket", "subprocess", "unicodedata", "pickle", "copy", "glob", "shutil", "zipfile", "tarfile", "gettext", "numbers", "sched", "timeit"]
    def work(n):
        for name in names[n:] + names[:n]:
            __import__(name)
        import decimal, datetime, hashlib, zlib, enum, dataclasses, pickle, fractions, copy
        assert decimal.Decimal("1.5") + 1 == decimal.Decimal("2.5")
        assert datetime.datetime(2020, 1, 1).strftime("%Y") == "2020"
        assert hashlib.sha256(b"x").hexdigest().startswith("2d711642")
        assert zlib.decompress(zlib.compress(b"x" * 100)) == b"x" * 100
        class Color(enum.Enum):
            RED = 1
        assert Color(1) is Color.RED
        @dataclasses.dataclass(order=True)
        class Point:
            x: int
            y: int = 0
        assert Point(1) < Point(2) and copy.deepcopy(Point(1, 2)) == Point(1, 2)
        assert pickle.loads(pickle.dumps({1: [2, (3,)]})) == {1: [2, (3,)]}
        assert fractions.Fraction(1, 3) + fractions.Fraction(1, 6) == fractions.Fraction(1, 2)
    everyone(work)

@test
def queues():
    simple, bounded = queue.SimpleQueue(), queue.Queue(maxsize=4)
    got = []
    def work(n):
        if n % 2:
            for i in range(200):
                simple.put((n, i)); bounded.put((n, i))
        else:
            for i in range(200):
                got.append(simple.get()); bounded.get()
            simple.qsize(), simple.empty()
    everyone(work)
    assert len(got) == len(set(got)) == 100 * THREADS

@test
def contexts():
    variable = contextvars.ContextVar("variable", default=0)
    context = contextvars.copy_context()
    def work(n):
        for i in range(200):
            token = variable.set((n, i))
            assert variable.get() == (n, i)
            variable.reset(token)
            assert variable.get() == 0
            try: context.run(variable.set, n)
            except RuntimeError: pass
            context.get(variable), len(context), list(context.items()), context.copy()
    everyone(work)

@test
def texts():
    parts = ["p%d" % i for i in range(100)]
    text = "".join(parts) + "\u20ac"
    def work(n):
        for i in range(200):
            assert hash(text) == hash("".join(parts) + "\u20ac") and text.encode().decode() == text
            assert sys.intern("interned %d" % i) is sys.intern("interned %d" % i)
            assert json.loads(json.dumps({"a": [i, n]})) == {"a": [i, n]}
            assert f"{i:>5}" == str(i).rjust(5) and "%s" % (n,) == str(n) and "{}{}".format(i, n) == str(i) + str(n)
            assert int(str(10 ** 30 + i)) == 10 ** 30 + i and text.upper().lower() == text
            assert "x".isidentifier() and text.split("p")[1] == "0" and text.replace("p", "q").count("q") == 100
            eval("%d + 1" % i), compile("x = %d" % i, "f", "exec")
    everyone(work)

@test
def exceptions():
    shared = ValueError("shared")
    def deep(n):
        if n == 0: raise shared
        deep(n - 1)
    def work(n):
        for i in range(100):
            try: deep(i % 10)
            except ValueError as e:
                assert e is shared
                e.__traceback__, e.__context__, e.args
                e.note = i
            try: raise KeyError from shared
            except KeyError as e: assert e.__cause__ is shared
            try:
                try: 1 / 0
                finally: raise shared
            except ValueError: pass
            shared.add_note("n") if i % 50 == 0 else None
            import traceback
            if i % 50 == 0: traceback.format_exc(); traceback.format_exception(shared)
    everyone(work)

@test
def frames():
    def deep(n): return sys._getframe() if n == 0 else deep(n - 1)
    def work(n):
        for i in range(100):
            frame = deep(i % 10)
            while frame:
                frame.f_lineno, frame.f_code.co_name, list(frame.f_locals)[:3]
                frame = frame.f_back
            if i % 10 == 0:
                for frame in sys._current_frames().values(): frame.f_lineno, frame.f_code, frame.f_back
    everyone(work)

@test
def collections_at_once():
    def work(n):
        for i in range(6):
            kept = [[j] for j in range(500)]
            cycle = []; cycle.append(cycle)
            gc.collect() if n < 2 else None
            assert [j for [j] in kept] == list(range(500))
            gc.get_stats(), gc.get_count(), gc.isenabled()
    everyone(work)

for turn in rounds():
    for each in tests:
        if turn >= ROUNDS and not time_left():
            break
        if ONLY is None or each.__name__ in ONLY.split(","):
            try:
                each()
            except BaseException as error:
                error.add_note("in " + each.__name__)
                raise
print("shared ok")
