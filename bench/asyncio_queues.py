"""Two tasks that send a number to and fro over two queues."""
import asyncio

ROUNDS = 50_000

async def pong(requests, answers):
    while (number := await requests.get()) is not None:
        await answers.put(number + 1)

async def run():
    requests, answers = asyncio.Queue(), asyncio.Queue()
    task = asyncio.create_task(pong(requests, answers))
    number = 0
    for _ in range(ROUNDS):
        await requests.put(number)
        number = await answers.get()
    await requests.put(None)
    await task
    return number

def main():
    print(asyncio.run(run()))
