"""async and await without an event loop: the protocol itself."""
import types

class Awaitable:
    def __init__(self, value):
        self.value = value
    def __await__(self):
        got = yield "suspend " + str(self.value)
        return (self.value, got)

async def add(a, b):
    x = await Awaitable(a)
    y = await Awaitable(b)
    return x, y

def drive(coroutine, *values):
    values = iter(values)
    trace = []
    try:
        step = coroutine.send(None)
        while True:
            trace.append(step)
            step = coroutine.send(next(values, None))
    except StopIteration as stop:
        return trace, stop.value

print(drive(add(1, 2), "r1", "r2"))

class Manager:
    async def __aenter__(self):
        print("enter", await Awaitable("in"))
        return "managed"
    async def __aexit__(self, kind, error, traceback):
        print("exit", kind and kind.__name__, await Awaitable("out"))
        return kind is ValueError

async def managed(fail):
    async with Manager() as m:
        print("body", m)
        if fail:
            raise ValueError("swallowed")
    return "after"
print(drive(managed(False)))
print(drive(managed(True)))

async def agen(n):
    try:
        for i in range(n):
            got = yield i
            if got:
                print("got", got)
            await Awaitable(f"a{i}")
    finally:
        print("agen finally")

async def consume():
    out = []
    async for x in agen(3):
        out.append(x)
    else:
        out.append("else")
    out.append([y async for y in agen(2)])
    out.append({y: y * 2 async for y in agen(2) if y})
    out.append([await Awaitable(z) for z in range(2)])
    return out
print(drive(consume()))

async def manual():
    a = agen(5)
    print(await anext(a), await a.asend("hello"))
    try:
        await a.athrow(KeyError("thrown"))
    except KeyError as error:
        print("raised", error)
    print(await anext(a, "default"))
    b = agen(2)
    await anext(b)
    await b.aclose()
print(drive(manual()))

class Counter:
    def __init__(self, n):
        self.n = n
    def __aiter__(self):
        return self
    async def __anext__(self):
        if not self.n:
            raise StopAsyncIteration
        self.n -= 1
        return self.n
async def count():
    return [x async for x in Counter(3)]
print(drive(count()))

async def never():
    pass
c = never()
print(type(c).__name__, c.cr_running, c.cr_await, c.__name__)
c.close()
for bad in ("async def f():\n yield 1\n return 2", "def f():\n await x", "async def f():\n yield from x", "[x async for x in y]"):
    try:
        compile(bad, "<s>", "exec")
    except SyntaxError as error:
        print(error.msg)
async def not_awaitable():
    await 5
try:
    drive(not_awaitable())
except TypeError as error:
    print(error)
async def not_aiter():
    async for x in 5: pass
try:
    drive(not_aiter())
except TypeError as error:
    print(error)
async def not_manager():
    async with 5: pass
try:
    drive(not_manager())
except TypeError as error:
    print(error)

@types.coroutine
def old_style():
    x = yield "old"
    return x
async def uses_old():
    return await old_style()
print(drive(uses_old(), "new"))
done = add(1, 2)
drive(done)
try:
    done.send(None)
except RuntimeError as error:
    print(error)
