"""Depth and size that the stack or memory can't hold end in RecursionError or MemoryError, never in a crash."""
import copy
import gc
import os
import resource
import subprocess
import sys

if sys.implementation.name != "typhon": # CPython's stack does not hold all of this
    print("depth ok: not tried")
    sys.exit()
ROUNDS = int(os.environ.get("ROUNDS", "1"))
DEPTH = 1_000_000 if ROUNDS > 1 else 200_000


def outcome(function, *arguments):
    """Its name: any other exception is a failure."""
    try:
        function(*arguments)
        return "done"
    except (RecursionError, MemoryError) as error:
        return type(error).__name__
    except SyntaxError as error:
        return "SyntaxError " + str(error.msg)


def nested(make, depth=DEPTH):
    v = make(None)
    for _ in range(depth):
        v = make(v)
    return v


for name, make in (("list", lambda v: [v]), ("tuple", lambda v: (v,)), ("dict", lambda v: {1: v}), ("frozenset", lambda v: frozenset([v]))):
    a, b = nested(make), nested(make)
    outcome(lambda: a == b)
    outcome(repr, a)
    if name in ("tuple", "frozenset"):
        outcome(hash, a)
    outcome(copy.deepcopy, a)
    if name in ("list", "tuple"):
        outcome(lambda: a < b)
    del a, b
    gc.collect()


class Chain:
    def __init__(self, next): self.next = next
class Called:
    def __init__(self, f): self.f = f
    def __call__(self): return self.f()
    def __getattr__(self, name): return getattr(self, name + "x")
    def __add__(self, other): return self + other
    def __repr__(self): return repr(self)
    def __lt__(self, other): return self < other
    def __hash__(self): return hash(self)
    def __iter__(self): return iter(self)
    def __len__(self): return len(self)
    def __bool__(self): return bool(self)
    def __contains__(self, item): return item in self
    def __getitem__(self, key): return self[key]
    def __enter__(self):
        with self: pass
    def __exit__(self, *a): pass
    def __format__(self, spec): return format(self, spec)
    def __eq__(self, other): return self == other

chain = nested(Chain)
del chain
gc.collect()


def forever(): return forever()
def mutual(): return sorted([1, 2], key=lambda v: mutual())
def generator():
    yield from generator()
def mapped(): return list(map(lambda v: mapped(), [1]))
def evaluated(): return eval("evaluated()")
def spread(*a, **k): return spread(*a, **k)
called = Called(None)
called.f = called
for name, function in (("python", forever), ("sorted", mutual), ("generators", lambda: list(generator())), ("map", mapped), ("eval", evaluated),
                       ("spread", lambda: spread(1, k=2)), ("callable", called), ("getattr", lambda: called.missing), ("add", lambda: called + 1), ("repr", lambda: repr(called)),
                       ("lt", lambda: called < called), ("hash", lambda: hash(called)), ("iter", lambda: iter(called)), ("len", lambda: len(called)), ("bool", lambda: bool(called)),
                       ("in", lambda: 1 in called), ("item", lambda: called[0]), ("with", called.__enter__), ("format", lambda: f"{called}"), ("eq", lambda: called == 1)):
    for limit in (1000, 1_000_000_000 if name != "generators" else 100_000):
        sys.setrecursionlimit(limit)
        result = outcome(function)
        sys.setrecursionlimit(1000)
        assert result != "done", name
for text in ("(", "[", "{", "-", "not ", "f(", "a[", "lambda:", "~", "x if y else ", "a.b(", "f'{", "*", "a**", "(yield ", "await "):
    for depth in (150, DEPTH):
        outcome(compile, text * depth + "a", "deep", "exec")
outcome(compile, "a" + "+a" * DEPTH, "deep", "exec")
outcome(compile, "a" + ".a" * DEPTH, "deep", "exec")
outcome(compile, "a" + "()" * DEPTH, "deep", "exec")
outcome(compile, "if a: pass\n" + "elif a: pass\n" * 100_000, "deep", "exec")
outcome(compile, "".join(" " * i + "if a:\n" for i in range(1000)) + " " * 1000 + "pass\n", "deep", "exec")

# Growth under a limit of address space, as `ulimit -v` sets it, in a process of its own.
GROWTH = """
import gc, sys
def lists():
    items = []
    while True: items.append([len(items)] * 10)
def text():
    s = "x"
    while True: s += s
def numbers():
    n = 1
    while True: n <<= 1_000_000
def tables():
    d = {}
    while True: d[len(d)] = str(len(d))
def sets():
    s = set()
    while True: s.add(len(s) * 1_000_003)
def array():
    b = bytearray(b"x")
    while True: b += b
def objects():
    class C: pass
    last = None
    while True:
        new = C(); new.next = last; new.x = 1.5; last = new
def generators():
    def generate(i): yield i
    running = []
    while True:
        running.append(generate(1)); next(running[-1])
def joined(): return ",".join(["x" * 1000] * 2_000_000)
def repeated(): return [0] * (1 << 40)
def formatted(): return "%1000000000d" % 1 + format(1, "3000000000")
for grow in (lists, text, numbers, tables, sets, array, objects, generators, joined, repeated, formatted):
    try:
        grow()
    except MemoryError:
        pass
    else:
        sys.exit(grow.__name__)
    gc.collect()
"""
if "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ: # their shadow of the address space does not fit
    print("depth ok: growth not tried")
    sys.exit()
LIMIT = 300 << 20
done = subprocess.run([sys.executable, "-c", GROWTH], preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT)), capture_output=True, text=True)
assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
print("depth ok")
