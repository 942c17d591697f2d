"""What isolated interpreters cost: to create, to call, to send things to."""
import time
from concurrent import interpreters

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

if __name__ == "__main__":
    main()
