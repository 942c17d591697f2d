"""The event loop: tasks, gathering, time-outs, queues, cancellation, task groups."""
import asyncio

log = []

async def worker(name, delay):
    log.append(f"{name} starts")
    await asyncio.sleep(delay)
    log.append(f"{name} ends")
    return name.upper()

async def fails():
    await asyncio.sleep(0)
    raise ValueError("failed")

async def main():
    print(await asyncio.gather(worker("a", 0.5), worker("b", 0.01)))
    print(log)
    task = asyncio.create_task(worker("c", 10), name="task c")
    await asyncio.sleep(0)
    task.cancel("why")
    try:
        await task
    except asyncio.CancelledError as error:
        print("cancelled", task.cancelled(), task.get_name(), error.args)
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(5)
    except TimeoutError:
        print("timeout")
    print(await asyncio.gather(fails(), worker("d", 0), return_exceptions=True))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(worker("e", 5))
            group.create_task(fails())
    except* ValueError as errors:
        print(errors.exceptions)
    queue = asyncio.Queue(2)
    async def produce():
        for i in range(5):
            await queue.put(i)
        await queue.put(None)
    async def consume():
        items = []
        while (item := await queue.get()) is not None:
            items.append(item)
        return items
    _, items = await asyncio.gather(produce(), consume())
    print(items)
    lock = asyncio.Lock()
    order = []
    async def locked(n):
        async with lock:
            order.append(n)
            await asyncio.sleep(0)
            order.append(n)
    await asyncio.gather(*(locked(n) for n in range(3)))
    print(order)
    event = asyncio.Event()
    async def waits():
        await event.wait()
        return "woken"
    waiting = asyncio.create_task(waits())
    await asyncio.sleep(0)
    event.set()
    print(await waiting)
    done, pending = await asyncio.wait([asyncio.create_task(worker("f", 0)), asyncio.create_task(worker("g", 10))],
                                       return_when=asyncio.FIRST_COMPLETED)
    print(len(done), len(pending), done.pop().result())
    for p in pending:
        p.cancel()
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(future.set_result, "soon")
    print(await future)
    print(await asyncio.to_thread(lambda: "thread"))
    for done in asyncio.as_completed([worker("h", 0.02), worker("i", 0)]):
        print(await done)

asyncio.run(main())
async def value():
    return 5
with asyncio.Runner() as runner:
    print(runner.run(value()))
try:
    asyncio.get_running_loop()
except RuntimeError as error:
    print(error)
