"""Locks, conditions, semaphores, queues and events under contention."""
import queue, threading, time
from concurrent.futures import ThreadPoolExecutor

from common import rounds, together

for _ in rounds(2):
    lock, total = threading.Lock(), [0]
    def add():
        for _ in range(4000):
            with lock:
                total[0] += 1
    together(add, add, add, add)
    assert total[0] == 16000

    rlock, depth = threading.RLock(), []
    def nested(n=0):
        with rlock:
            depth.append(n)
            if n < 5:
                nested(n + 1)
            assert depth.pop() == n
    together(*[lambda: [nested() for _ in range(200)]] * 3)

    q, seen = queue.Queue(maxsize=7), []
    def produce():
        for i in range(700):
            q.put(i)
    def consume():
        got = [q.get() for _ in range(700)]
        seen.extend(got)
    together(produce, produce, consume, consume)
    assert sorted(seen) == sorted([*range(700)] * 2)

    simple, out = queue.SimpleQueue(), []
    together(*[lambda: [simple.put(i) for i in range(1000)]] * 2, *[lambda: out.extend(simple.get() for _ in range(500))] * 4)
    assert sorted(out) == sorted([*range(1000)] * 2)

    semaphore, inside, most = threading.Semaphore(3), [0], [0]
    def limited():
        for _ in range(60):
            with semaphore:
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0)
                with lock:
                    inside[0] -= 1
    together(*[limited] * 6)
    assert most[0] <= 3 and inside[0] == 0

    condition, turn = threading.Condition(), [0]
    def take_turns(me):
        def run():
            for _ in range(100):
                with condition:
                    condition.wait_for(lambda: turn[0] % 3 == me)
                    turn[0] += 1
                    condition.notify_all()
        return run
    together(*map(take_turns, range(3)))
    assert turn[0] == 300

    for _ in range(30):
        event = threading.Event()
        woken = []
        ts = [threading.Thread(target=lambda: woken.append(event.wait(5))) for _ in range(4)]
        for t in ts: t.start()
        event.set()
        for t in ts: t.join()
        assert woken == [True] * 4

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda n: n * n, range(500))) == sum(n * n for n in range(500))
    for _ in range(100):
        t = threading.Thread(target=lambda: None)
        t.start(); t.join()
    local = threading.local()
    def use_local():
        me = threading.get_ident()
        for i in range(2000):
            local.value = (me, i)
            assert local.value == (me, i)
    together(*[use_local] * 4)
print("synchronisation ok")
