"""How long the program stands still for a collection, with a gigabyte of objects of many kinds alive."""
import gc
import sys
import time

MEGABYTES = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
SHARE = 1000 # bytes that one round of grow() takes, about

class Point:
    def __init__(self, i):
        self.number, self.name, self.parts = i, str(i), [i, i + 1]

def grow(kept, count):
    for i in range(count):
        kept.append({"k%d" % (i % 100): i, "list": [i, str(i), (i, i + 0.5)]})
        kept.append(Point(i))
        kept.append(("tuple", str(i), [None] * 4))

def megabytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

pauses = []

def note(phase, info):
    pauses.append(time.perf_counter() if phase == "start" else time.perf_counter() - pauses.pop())

def longest_pause():
    if hasattr(gc, "get_pauses"):
        return gc.get_pauses()["longest"]
    return max(pauses, default=0)

def main():
    kept = []
    gc.disable()
    while megabytes() < MEGABYTES:
        grow(kept, 20_000)
    gc.enable()
    gc.callbacks.append(note)
    if hasattr(gc, "get_pauses"):
        gc.get_pauses(reset=True)
    garbage = 0
    collected = lambda: gc.get_pauses()["count"] if hasattr(gc, "get_pauses") else len(pauses)
    before = collected()
    while collected() < before + 3 and garbage < 40:
        grow([], 100_000)
        garbage += 1
    print("longest pause for a collection, %d MB of objects" % MEGABYTES, "%.4g" % (longest_pause() * 1e3), "ms", sep="\t")

if __name__ == "__main__":
    main()
