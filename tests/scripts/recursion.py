"""Recursion: deep Python calls, RecursionError where it belongs, recovery after it."""
import sys

def down(n):
    return 0 if n == 0 else 1 + down(n - 1)
print(down(900))

def forever(n):
    return forever(n + 1)
def caught():
    try:
        forever(0)
    except RecursionError as error:
        return str(error)
print(caught(), caught() == caught())
print(down(900))

class Loop:
    def __getattr__(self, name):
        return getattr(self, name + "x")
    def __repr__(self):
        return repr(self)
    def __eq__(self, other):
        return self == other
    def __len__(self):
        return len(self)
for action in (lambda: Loop().a, lambda: repr(Loop()), lambda: Loop() == 1, lambda: len(Loop())):
    try:
        action()
    except RecursionError as error:
        print(type(error).__name__)

limit = sys.getrecursionlimit()
print(limit)
sys.setrecursionlimit(20000)
print(down(15000))
sys.setrecursionlimit(limit)
try:
    sys.setrecursionlimit(0)
except ValueError as error:
    print(error)

def mutual_a(n):
    return mutual_b(n - 1) if n else "a"
def mutual_b(n):
    return mutual_a(n - 1) if n else "b"
print(mutual_a(500), mutual_a(501))

def gen(n):
    if n:
        yield from gen(n - 1)
    yield n
print(sum(gen(300)))
nested = []
for _ in range(300):
    nested = [nested]
print(len(repr(nested)), nested == nested)
deep = None
for _ in range(200000):
    deep = (deep,)
try:
    repr(deep)
except RecursionError:
    print("too deep to show")
del deep
def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))
print(ackermann(2, 9))
try:
    eval("(" * 500 + ")" * 500)
except (SyntaxError, MemoryError, RecursionError) as error:
    print(type(error).__name__)
def handler_depth():
    try:
        return handler_depth()
    except RecursionError:
        return "recovered"
print(handler_depth())
