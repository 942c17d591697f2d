"""gather() of 100,000 tasks that sleep for a moment: making, scheduling, timers, waking."""
import asyncio

TASKS = 100_000

async def nap(number):
    await asyncio.sleep(0.001)
    return number

async def run():
    return sum(await asyncio.gather(*[nap(i) for i in range(TASKS)]))

def main():
    print(asyncio.run(run()))
