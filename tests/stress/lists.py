"""Many threads on one list: append, pop, slices, sort and iteration at once; nothing is lost or made up."""
import threading

from common import rounds, together
THREADS = 4

for _ in rounds(5):
    shared = []
    def appends(tag):
        def run():
            for i in range(3000):
                shared.append((tag, i))
        return run
    together(*map(appends, range(THREADS)))
    assert len(shared) == THREADS * 3000
    for tag in range(THREADS):
        assert [i for t, i in shared if t == tag] == list(range(3000))

    taken = [[] for _ in range(THREADS)]
    def pops(n):
        def run():
            try:
                while True:
                    taken[n].append(shared.pop())
            except IndexError:
                pass
        return run
    together(*map(pops, range(THREADS)))
    assert not shared and len({x for part in taken for x in part}) == THREADS * 3000 == sum(map(len, taken))

    numbers = list(range(500))
    stop = False
    def mutate():
        global stop
        for i in range(1500):
            numbers.append(i)
            numbers[10:20] = range(5)
            numbers.insert(3, i)
            del numbers[::7]
            numbers.extend([1, 2, 3])
        stop = True
    def read():
        while not stop:
            assert all(type(x) is int for x in numbers)
            assert all(type(x) is int for x in numbers[5:-5])
            len(numbers), 3 in numbers, numbers.copy(), numbers + numbers
            try:
                numbers[7], numbers[-1]
            except IndexError:
                pass
    together(mutate, read, read)
print("lists ok")
