# Big integers: five hundred factorials of ten thousand and more, one after the other.
import math
import time

began = time.perf_counter()
factorials = [math.factorial(n) for n in range(10000, 10500)]
seconds = time.perf_counter() - began

len(factorials), factorials[-1].bit_length()
