"""Nested task groups at work, to be looked into while they run:

    build/typhon examples/inspect/task_groups.py &
    build/typhon -m asyncio pstree $!
    build/typhon -m typhon.inspect $!

A report waits for its sections, each section for its chapters, and these for events that never come. Beside them two workers keep the event loop
busy all the time. Ends after as many seconds as it is told to, an hour by default.
"""
import asyncio
import sys


async def chapter(event):
    await event.wait()


async def section(title, event):
    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(chapter(event), name=f"{title}.{number + 1}")


async def report(event):
    async with asyncio.TaskGroup() as group:
        for title in ("introduction", "results", "outlook"):
            group.create_task(section(title, event), name=title)


async def worker():
    total = 0
    while True:
        total += sum(range(200))
        await asyncio.sleep(0)


async def main(seconds):
    event = asyncio.Event()
    workers = [asyncio.create_task(worker(), name=f"worker {n}") for n in range(2)]
    task = asyncio.create_task(report(event), name="report")
    await asyncio.sleep(0.1)
    print("ready", flush=True)
    await asyncio.sleep(seconds)
    event.set()
    await task
    for each in workers:
        each.cancel()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 3600))
