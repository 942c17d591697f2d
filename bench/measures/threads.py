"""What threads cost and bring: starting, locking, passing things on, and work that is spread over the cores."""
import math
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

try:
    from concurrent.futures import InterpreterPoolExecutor
except ImportError:
    InterpreterPoolExecutor = None

def measure(name, value, unit):
    print(name, "%.4g" % value, unit, sep="\t")

def timed(function):
    began = time.perf_counter()
    function()
    return time.perf_counter() - began

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def work(n):
    total = 0
    for i in range(n):
        total += i * i & 7
    return total

def run_threads(target, arguments):
    threads = [threading.Thread(target=target, args=a) for a in arguments]
    for t in threads:
        t.start()
    for t in threads:
        t.join()

def main():
    count = 300
    measure("start and join a thread", timed(lambda: [run_threads(abs, [(1,)]) for _ in range(count)]) / count * 1e6, "µs")
    lock = threading.Lock()
    def locks(n):
        for _ in range(n):
            with lock:
                pass
    measure("take and release a lock", timed(lambda: locks(300_000)) / 300_000 * 1e9, "ns")
    measure("the same, two threads at it", timed(lambda: run_threads(locks, [(100_000,)] * 2)) / 200_000 * 1e9, "ns")
    q = queue.SimpleQueue()
    def puts(n):
        for i in range(n):
            q.put(i)
    def gets(n):
        for _ in range(n):
            q.get()
    def both():
        threads = [threading.Thread(target=f, args=(50_000,)) for f in (puts, gets)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    measure("put and get between threads", timed(both) / 50_000 * 1e6, "µs")

    for name, function, argument in (("fib(24), twice", fib, 24), ("a loop of 1,500,000, twice", work, 1_500_000)):
        once = timed(lambda: [function(argument) for _ in range(2)])
        spread = timed(lambda: run_threads(function, [(argument,)] * 2))
        measure(name + ": in sequence", once * 1e3, "ms")
        measure(name + ": in two threads", spread * 1e3, "ms")
    shared = {}
    def fill(part):
        for i in range(100_000):
            shared[part, i & 1023] = i
    measure("100,000 stores into one dict: one thread", timed(lambda: fill(0)) * 1e3, "ms")
    measure("100,000 stores into one dict: two threads, each", timed(lambda: run_threads(fill, [(1,), (2,)])) * 1e3 / 2, "ms")

    numbers = range(10_000, 11_000)
    measure("1,000 factorials: in sequence", timed(lambda: [math.factorial(n) for n in numbers]) * 1e3, "ms")
    with ThreadPoolExecutor(4) as pool:
        measure("1,000 factorials: ThreadPoolExecutor(4)", timed(lambda: list(pool.map(math.factorial, numbers))) * 1e3, "ms")
    if InterpreterPoolExecutor:
        with InterpreterPoolExecutor(4) as pool:
            measure("1,000 factorials: InterpreterPoolExecutor(4)", timed(lambda: list(pool.map(math.factorial, numbers))) * 1e3, "ms")

if __name__ == "__main__":
    main()
