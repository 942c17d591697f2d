"""with: order, suppression, several items, exit on every way out, contextlib."""
class M:
    def __init__(self, name, suppress=False, fail=None):
        self.name, self.suppress, self.fail = name, suppress, fail
    def __enter__(self):
        print("enter", self.name)
        if self.fail == "enter":
            raise RuntimeError("in enter")
        return self.name.upper()
    def __exit__(self, kind, error, traceback):
        print("exit", self.name, kind.__name__ if kind else None, error)
        if self.fail == "exit":
            raise KeyError("in exit")
        return self.suppress

with M("a") as a, M("b") as b:
    print(a, b)
with (M("c") as c, M("d", suppress=True)):
    raise ValueError("swallowed by d")
print("after")
try:
    with M("e"), M("f"):
        1 / 0
except ZeroDivisionError as error:
    print("got", error)
try:
    with M("g"), M("h", fail="enter"):
        print("not reached")
except RuntimeError as error:
    print("got", error)
try:
    with M("i", fail="exit"):
        raise ValueError("original")
except KeyError as error:
    print("got", error, repr(error.__context__))

def leaves():
    for i in range(3):
        with M(f"loop{i}"):
            if i == 0:
                continue
            if i == 1:
                break
    with M("ret"):
        return "returned"
print(leaves())

def gen():
    with M("gen"):
        yield 1
        yield 2
g = gen()
print(next(g))
g.close()

with M("t") as (x, *y):
    print(x, y)
target = {}
with M("k") as target["key"]:
    print(target)

class NoExit:
    def __enter__(self): pass
class NoEnter:
    def __exit__(self, *a): pass
class Async:
    async def __aenter__(self): pass
    async def __aexit__(self, *a): pass
for bad in (NoExit, NoEnter, Async, int):
    try:
        with bad():
            pass
    except TypeError as error:
        print(error)

from contextlib import contextmanager, ExitStack, suppress, closing, nullcontext, redirect_stdout, AbstractContextManager, chdir
import io
@contextmanager
def managed(tag):
    print("before", tag)
    try:
        yield tag * 2
    except ValueError as error:
        print("inside", error)
    finally:
        print("finally", tag)
with managed("x") as v:
    print(v)
with managed("y"):
    raise ValueError("caught inside")
with ExitStack() as stack:
    for n in "pq":
        stack.enter_context(M(n))
    stack.callback(print, "callback", 1)
with suppress(KeyError, IndexError):
    {}["missing"]
out = io.StringIO()
with redirect_stdout(out):
    print("captured")
print(repr(out.getvalue()))
with nullcontext(5) as five, closing(io.StringIO("text")) as f:
    print(five, f.read())
print(f.closed)
@managed("decorator")
def decorated():
    return "result"
print(decorated())
