# Big integers: five thousand factorials, one after the other.
import math
import time

began = time.perf_counter()
factorials = [math.factorial(n) for n in range(10000, 15000)]
print(f"{len(factorials)} factorials in {time.perf_counter() - began:.1f} s")

factorials[-1].bit_length()
