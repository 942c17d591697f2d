"""Garbage from many threads, with collections, weak references and finalizers in the middle of it."""
import gc, threading, weakref

from common import rounds, together

class Node:
    finalized = 0
    lock = threading.Lock()
    def __init__(self, next=None):
        self.next = next
        self.data = list(range(5))
    def __del__(self):
        with Node.lock:
            Node.finalized += 1

def cycles():
    for i in range(800):
        a = Node()
        b = Node(a)
        a.next = b
        assert a.next.next is a and a.data == [0, 1, 2, 3, 4]

def chains():
    for i in range(20):
        head = None
        for j in range(300):
            head = [head, j, str(j), {"k": j}]
        n = 0
        while head is not None:
            assert head[2] == str(head[1]) and head[3]["k"] == head[1]
            head = head[0]
            n += 1
        assert n == 300

weak = weakref.WeakValueDictionary()
def weakly():
    keep = []
    for i in range(600):
        s = {i, i + 1, "x"}
        one = Node()
        weak[threading.get_ident(), i] = one
        if i % 3 == 0:
            keep.append((i, one))
        assert one is weak.get((threading.get_ident(), i))
    for i, one in keep:
        assert weak[threading.get_ident(), i] is one

def text():
    parts = []
    for i in range(3000):
        parts.append(f"{i}:" + "é" * (i % 7))
        if len(parts) > 100:
            joined = ",".join(parts)
            assert joined.split(",") == parts
            parts.clear()

def collect():
    for _ in range(6):
        gc.collect()

for _ in rounds():
    together(cycles, cycles, chains, weakly, weakly, text, collect)
for _ in range(4):
    gc.collect()
assert Node.finalized > 0 and len(weak) == 0, (Node.finalized, len(weak))
print("collector ok")
