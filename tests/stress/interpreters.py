"""Interpreters made, used from several threads and closed; queues between them."""
import threading
from concurrent import interpreters

from common import rounds, together

for _ in rounds():
    def cycle():
        for i in range(8):
            one = interpreters.create()
            one.prepare_main(n=i)
            one.exec("assert n * 2 == %d; data = [{'k': j} for j in range(200)]" % (i * 2))
            assert one.call(pow, i, 2) == i * i
            one.close()
    together(cycle, cycle, cycle)

    work, results = interpreters.create_queue(), interpreters.create_queue()
    script = """
while True:
    item = work.get()
    if item is None:
        break
    results.put((item, sum(range(item)), str(item) * 3))
"""
    def serve():
        one = interpreters.create()
        one.prepare_main(work=work, results=results)
        one.exec(script)
        # What an interpreter has put into a queue goes when it is closed.
        gathered.wait()
        one.close()
    def feed():
        for i in range(200):
            work.put(i)
        for _ in range(3):
            work.put(None)
    answers, gathered = [], threading.Event()
    def gather():
        for _ in range(200):
            answers.append(results.get())
        gathered.set()
    together(serve, serve, serve, feed, gather)
    assert sorted(answers) == [(i, sum(range(i)), str(i) * 3) for i in range(200)]
print("interpreters ok")
