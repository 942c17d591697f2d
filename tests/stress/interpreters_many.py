"""Thousands of interpreters alive at once, and many more one after another: memory must not grow with those that are gone."""
import gc, sys, time
from concurrent import interpreters
from common import ROUNDS, rounds

ALIVE, CYCLES = (10_000, 100_000) if ROUNDS > 1 else (300, 2_000)
MEGABYTES_EACH = 0.2       # with what a small script leaves behind
GROWTH = 16                # megabytes that all the closed ones may cost together

def megabytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

def cycle(i):
    one = interpreters.create()
    one.exec("x = [1, 2, 3]\ndef f(): return x\nf()")
    if i % 10 == 0:
        assert one.call(pow, i, 2) == i * i
    one.close()

before = megabytes()
alive = [interpreters.create() for _ in range(ALIVE)]
for one in alive:
    one.exec("x = [1, 2, 3]\ndef f(): return x")
taken = megabytes() - before
for i, one in enumerate(alive):
    if i % 100 == 0:
        assert one.call(len, "abc") == 3
    one.close()
del alive, one
gc.collect()
assert sys.implementation.name != "typhon" or taken < ALIVE * MEGABYTES_EACH + 32, taken

for i in range(CYCLES // 10):
    cycle(i)
gc.collect()
before = megabytes()
for i in range(CYCLES):
    cycle(i)
gc.collect()
grown = megabytes() - before
assert grown < GROWTH, grown
print("many interpreters ok")
