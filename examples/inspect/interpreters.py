"""Three interpreters in three threads, an event loop in each, all busy: `python -m asyncio ps PID` shows the tasks of all of them."""
import sys
import threading
from concurrent import interpreters

LOOP = """
import asyncio

async def waiter(event):
    await event.wait()

async def busy():
    while True:
        sum(range(200))
        await asyncio.sleep(0)

async def main():
    event = asyncio.Event()
    work = asyncio.create_task(busy(), name=f"busy {number}")
    async with asyncio.TaskGroup() as group:
        for n in range(3):
            group.create_task(waiter(event), name=f"waiter {number}.{n}")
        await asyncio.sleep(0.1)
        ready.put(number)
        await asyncio.sleep(seconds)
        event.set()
    work.cancel()

asyncio.run(main())
"""


def run(interpreter):
    interpreter.exec(LOOP)


if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600
    ready = interpreters.create_queue()
    threads = []
    for number in range(3):
        interpreter = interpreters.create()
        interpreter.prepare_main(number=number, seconds=seconds, ready=ready)
        threads.append(threading.Thread(target=run, args=[interpreter]))
        threads[-1].start()
    for _ in threads:
        ready.get()
    print("ready", flush=True)
    for thread in threads:
        thread.join()
