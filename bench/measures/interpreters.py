"""What isolated interpreters cost: to create, to call, to send things to."""
import time
from concurrent import interpreters
from concurrent.futures import InterpreterPoolExecutor, ThreadPoolExecutor

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def best(function, rounds=5):
    """The smallest time of a call, in seconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)

def measure(name, value, unit):
    print(name, "%.4g" % value, unit, sep="\t")

def nothing():
    pass

def square(x):
    return x * x

def spin(n):
    total = 0
    for i in range(n):
        total += i * i & 7
    return total

def spread(pool_class, workers):
    """The seconds that two long tasks take, and tasks a second of short ones."""
    with pool_class(workers) as pool:
        list(pool.map(spin, [10] * 20))
        began = time.perf_counter()
        list(pool.map(spin, [1_500_000] * 2))
        long = time.perf_counter() - began
        began = time.perf_counter()
        list(pool.map(square, range(500)))
        return long, 500 / (time.perf_counter() - began)

def main():
    interpreters.create().close()
    count = 20
    before = resident()
    began = time.perf_counter()
    made = [interpreters.create() for _ in range(count)]
    measure("create an interpreter", (time.perf_counter() - began) / count * 1e6, "µs")
    measure("memory of an interpreter", (resident() - before) / count / 1024, "KB")
    one = made[0]
    one.call(len, "x")
    rounds = 500
    began = time.perf_counter()
    for _ in range(rounds):
        one.call(len, "x")
    measure("call a built-in function in one", (time.perf_counter() - began) / rounds * 1e6, "µs")
    one.call(nothing)
    began = time.perf_counter()
    for _ in range(rounds):
        one.call(nothing)
    measure("call a function of __main__ in one", (time.perf_counter() - began) / rounds * 1e6, "µs")
    began = time.perf_counter()
    for _ in range(rounds):
        one.exec("pass")
    measure("exec 'pass' in one", (time.perf_counter() - began) / rounds * 1e6, "µs")
    began = time.perf_counter()
    for other in made:
        other.close()
    measure("close an interpreter", (time.perf_counter() - began) / count * 1e6, "µs")

    queue = interpreters.create_queue()
    data = bytes(10_000_000)
    numbers = list(range(100_000))
    nested = [{"id": i, "name": "n%d" % i, "tags": ["a", "b"]} for i in range(2000)]
    for name, thing in (("a small int", 5), ("10 MB of bytes", data), ("a list of 100,000 ints", numbers), ("2,000 dicts with lists", nested)):
        def through():
            queue.put(thing)
            queue.get()
        measure(name + " through a queue", best(through, 20) * 1e6, "µs")

    measure("two long tasks: in sequence", best(lambda: spin(1_500_000), 2) * 2e3, "ms")
    for pool_class in ThreadPoolExecutor, InterpreterPoolExecutor:
        long, rate = spread(pool_class, 2)
        measure(f"two long tasks: {pool_class.__name__}(2)", long * 1e3, "ms")
        measure(f"a short task: {pool_class.__name__}(2)", 1e6 / rate, "µs")

if __name__ == "__main__":
    main()
