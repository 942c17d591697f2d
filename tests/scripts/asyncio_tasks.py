"""Tasks and futures: names, states, cancelling, eager start, who awaits whom, errors."""
import asyncio
import contextvars
import gc
import threading

var = contextvars.ContextVar("var", default="unset")


async def leaf(event):
    await event.wait()
    return var.get()


async def names():
    async def nothing():
        pass
    tasks = [asyncio.create_task(nothing()) for _ in range(3)]
    first = int(tasks[0].get_name().split("-")[1])
    print([int(t.get_name().split("-")[1]) - first for t in tasks])
    tasks[0].set_name(17)
    print(tasks[0].get_name(), asyncio.create_task(nothing(), name="own").get_name())
    await asyncio.gather(*tasks)
    print(tasks[1].done(), tasks[1].result(), tasks[1].exception(), tasks[1].cancelled())
    for action in (lambda: tasks[0].set_result(1), lambda: tasks[0].set_exception(ValueError()), lambda: asyncio.Task(1), lambda: asyncio.Future(1)):
        try:
            action()
        except (RuntimeError, TypeError) as error:
            print(type(error).__name__, error)


async def cancelling():
    event = asyncio.Event()
    task = asyncio.create_task(leaf(event))
    await asyncio.sleep(0)
    print(task.cancel("why"), task.cancel(), task.cancelling())
    print(task.uncancel(), task.cancelling())
    try:
        await task
    except asyncio.CancelledError as error:
        print("cancelled", error.args, task.cancelled(), task.cancel())

    async def stubborn():
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            return asyncio.current_task().uncancel()
    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    task.cancel()
    print(await task, task.cancelled())


async def futures():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    calls = []
    other = calls.append
    future.add_done_callback(other)
    future.add_done_callback(other)
    future.add_done_callback(lambda f: calls.append(f.result()))
    print(future.remove_done_callback(other), len(future._callbacks))
    for action in (future.result, future.exception):
        try:
            action()
        except asyncio.InvalidStateError as error:
            print(error)
    future.set_result(5)
    try:
        future.set_result(6)
    except asyncio.InvalidStateError as error:
        print(error)
    await asyncio.sleep(0)
    print(calls, await future, future)
    failing = loop.create_future()
    failing.set_exception(StopIteration(1))
    try:
        await failing
    except RuntimeError as error:
        print(error, repr(error.__cause__))
    try:
        loop.create_future().set_exception(5)
    except TypeError as error:
        print(error)


async def eager():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    order = []

    async def quick():
        order.append(asyncio.current_task().get_name())
        return 1

    async def slow():
        order.append("slow begins")
        await asyncio.sleep(0)
        order.append("slow ends")
    done = asyncio.create_task(quick(), name="quick")
    print(done.done(), done.get_coro(), order)
    task = asyncio.create_task(slow())
    order.append("between")
    print(task in asyncio.all_tasks(), done in asyncio.all_tasks(), asyncio.current_task() is not task)
    await task
    print(order)
    loop.set_task_factory(None)


async def contexts():
    context = contextvars.copy_context()
    context.run(var.set, "inside")
    event = asyncio.Event()
    task = asyncio.create_task(leaf(event), context=context)
    event.set()
    print(await task, var.get(), task.get_context() is context)


async def graph():
    event = asyncio.Event()

    async def outer():
        async with asyncio.TaskGroup() as group:
            group.create_task(leaf(event), name="leaf")
    task = asyncio.create_task(outer(), name="outer")
    await asyncio.sleep(0.01)
    inner = next(t for t in asyncio.all_tasks() if t.get_name() == "leaf")
    call_graph = asyncio.capture_call_graph(inner)
    print([entry.frame.f_code.co_name for entry in call_graph.call_stack], [one.future.get_name() for one in call_graph.awaited_by])
    print(inner._asyncio_awaited_by == frozenset([task]), task._asyncio_awaited_by)
    event.set()
    await task
    print(inner._asyncio_awaited_by)


async def bad_yields():
    class Odd:
        def __init__(self, value):
            self.value = value

        def __await__(self):
            yield self.value

    async def awaits(value):
        await Odd(value)
    for value in (5, (x for x in ()), asyncio.get_running_loop().create_future()):
        try:
            await asyncio.create_task(awaits(value), name="odd")
        except RuntimeError as error:
            print(str(error).split(" in task")[0].split(" with")[0].split(" <")[0])


def threads():
    found = []

    def run(number):
        async def main():
            asyncio.create_task(asyncio.sleep(10), name=f"{number}")
            await asyncio.sleep(0)
            found.append(sorted(t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task()) == [str(number)])
        asyncio.run(main())
    each = [threading.Thread(target=run, args=[n]) for n in range(4)]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()
    print(found)


async def main():
    for part in (names, cancelling, futures, eager, contexts, graph, bad_yields):
        print("--", part.__name__)
        await part()
    try:
        asyncio.get_event_loop().run_until_complete(asyncio.sleep(0))
    except RuntimeError as error:
        print(error)


with __import__("warnings").catch_warnings():
    __import__("warnings").simplefilter("ignore")
    asyncio.run(main())
    threads()
    gc.collect()
