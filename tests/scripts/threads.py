"""Threads: start and join, locks, conditions, events, queues, locals, executors, shared containers."""
import threading, queue, time
from concurrent.futures import ThreadPoolExecutor, as_completed

total = 0
lock = threading.Lock()
def add(n):
    global total
    for _ in range(n):
        with lock:
            total += 1
threads = [threading.Thread(target=add, args=(5000,), name=f"t{i}") for i in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(total, [t.is_alive() for t in threads], threads[0].name, threading.current_thread().name, threading.main_thread() is threading.current_thread())

shared = []
d = {}
def fill(k):
    for i in range(1000):
        shared.append(k)
        d[k, i] = i
workers = [threading.Thread(target=fill, args=(k,)) for k in range(4)]
for t in workers: t.start()
for t in workers: t.join()
print(len(shared), sorted(shared.count(k) for k in range(4)), len(d))

q, done = queue.Queue(3), queue.SimpleQueue()
def consume():
    while (item := q.get()) is not None:
        done.put(item * item)
        q.task_done()
    q.task_done()
c = threading.Thread(target=consume)
c.start()
for i in range(10): q.put(i)
q.put(None)
q.join(); c.join()
print([done.get() for _ in range(10)], done.empty())

local = threading.local()
seen = []
def use_local(v):
    local.v = v
    time.sleep(0.001)
    seen.append(local.v == v)
ts = [threading.Thread(target=use_local, args=(i,)) for i in range(5)]
for t in ts: t.start()
for t in ts: t.join()
print(seen, hasattr(local, "v"))

event, order = threading.Event(), []
def wait_event():
    event.wait()
    order.append("after event")
w = threading.Thread(target=wait_event); w.start()
order.append("before set"); event.set(); w.join()
print(order, event.is_set(), threading.Event().wait(0.001))

cond, box = threading.Condition(), []
def waiter():
    with cond:
        cond.wait_for(lambda: box)
        box.append("seen")
w = threading.Thread(target=waiter); w.start()
with cond:
    box.append("put"); cond.notify_all()
w.join()
print(box)

barrier, arrived = threading.Barrier(3), []
def meet(): arrived.append(barrier.wait())
ts = [threading.Thread(target=meet) for _ in range(3)]
for t in ts: t.start()
for t in ts: t.join()
print(sorted(arrived))
rl = threading.RLock()
with rl:
    with rl: print("reentered", lock.acquire(blocking=False), lock.locked(), lock.acquire(timeout=0.01))
lock.release()
try:
    lock.release()
except RuntimeError as error:
    print(error)
sem = threading.BoundedSemaphore(1)
with sem: print(sem.acquire(blocking=False))

with ThreadPoolExecutor(3) as pool:
    futures = [pool.submit(pow, i, 2) for i in range(5)]
    print(sorted(f.result() for f in as_completed(futures)), list(pool.map(lambda a, b: a + b, [1, 2], [3, 4])))
    failing = pool.submit(lambda: 1 / 0)
    print(repr(failing.exception()))
caught = []
threading.excepthook = lambda args: caught.append((args.exc_type.__name__, args.thread.name))
def boom(): raise ValueError("in thread")
t = threading.Thread(target=boom, name="boom"); t.start(); t.join()
print(caught)
timer = threading.Timer(0.01, lambda: order.append("timer")); timer.start(); timer.join()
print(order[-1], threading.active_count())
t = threading.Thread(target=print, daemon=True)
print(t.daemon, t.ident, t.is_alive())
t.start(); t.join()
try:
    t.start()
except RuntimeError as error:
    print(error)
