"""Interpreters at work side by side: pools, queues between threads, a sender's graph changing while it is packed."""
import math
import threading
from concurrent import interpreters
from concurrent.futures import InterpreterPoolExecutor, ThreadPoolExecutor, as_completed

factor = 3


def work(n):
    return sum(math.factorial(i) for i in range(n)) * factor


class Job:
    def __init__(self, n):
        self.n, self.log = n, []

    def run(self):
        self.log.append(work(self.n))
        return self


with InterpreterPoolExecutor(max_workers=3) as pool:
    print(sorted(pool.map(work, range(8))) == sorted(work(n) for n in range(8)))
    jobs = [future.result() for future in as_completed([pool.submit(job.run) for job in map(Job, range(6))])]
    print(sorted((job.n, type(job) is Job, job.log == [work(job.n)]) for job in jobs))
    print([f.result() for f in [pool.submit(lambda x: [math.factorial(y) for y in x], range(i)) for i in range(4)]])
    try:
        pool.submit(lambda: 1 / 0).result()
    except ZeroDivisionError as error:
        print(error)
    print(type(pool.submit(lambda: Job(1).missing).exception()).__name__)


def nested(n):
    with ThreadPoolExecutor(max_workers=2) as threads:
        return list(threads.map(work, range(n)))


with InterpreterPoolExecutor(max_workers=2) as pool:
    print(list(pool.map(nested, [3, 4])) == [nested(3), nested(4)])

# Lists and dicts that change while they are sent arrive as they were at some moment.
queue = interpreters.create_queue()
changing, table, stop = [0] * 100, {}, False


def change():
    n = 0
    while not stop:
        n += 1
        changing[n % 100] = n
        changing.append(n) if n % 2 else changing.pop()
        table[n % 50] = [n]
        table.pop((n + 25) % 50, None)


thread = threading.Thread(target=change)
thread.start()
fine = True
for _ in range(200):
    queue.put([changing, table])
    items, pairs = queue.get()
    fine = fine and len(items) in (100, 101) and all(type(value) is list for value in pairs.values())
stop = True
thread.join()
print(fine)

# A worker that answers through queues.
requests, answers = interpreters.create_queue(), interpreters.create_queue()


def serve(requests, answers):
    while (request := requests.get()) is not None:
        function, argument = request
        answers.put((argument, function(argument)))


worker = interpreters.create()
thread = worker.call_in_thread(serve, requests, answers)
for n in range(5):
    requests.put((lambda x: x * factor, n))
requests.put((work, 4))
requests.put(None)
print([answers.get() for _ in range(6)])
thread.join()
worker.close()
