"""An asyncio server that sends back what it gets: 50 connections at once, streams, 200 lines over each."""
import asyncio

CONNECTIONS, MESSAGES = 50, 200

async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()

async def client(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = 0
    for i in range(MESSAGES):
        writer.write(b"%d: message %d\n" % (number, i))
        received += len(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return received

async def run():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return sum(await asyncio.gather(*[client(port, n) for n in range(CONNECTIONS)]))

def main():
    print(asyncio.run(run()))
