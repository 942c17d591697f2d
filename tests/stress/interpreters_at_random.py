"""Interpreters made, called, refused and closed at random by eight threads that share them; many alive at once, and many one after another."""
import random, threading, time
from concurrent import interpreters

from common import rounds
THREADS, SHARED, STEPS = 8, 6, 120
queue = interpreters.create_queue()
errors = []

def make(slots, i, seed):
    old, slots[i] = slots[i], interpreters.create()
    if old:
        old.close()

def call(slots, i, seed):
    assert slots[i] is None or slots[i].call(pow, seed, 2) == seed * seed

def by_value(slots, i, seed):
    assert slots[i] is None or slots[i].call(lambda x, y={"k": [1]}: (x, y, seed), 3) == (3, {"k": [1]}, seed)

def script(slots, i, seed):
    if slots[i]:
        slots[i].exec("try: n += 1\nexcept NameError: n = 1\ndata = [{j: str(j)} for j in range(50)]")

def failing(slots, i, seed):
    if slots[i]:
        try:
            slots[i].call(divmod, seed, 0)
        except interpreters.ExecutionFailed as error:
            assert error.excinfo.type.__name__ == "ZeroDivisionError"

def send(slots, i, seed):
    if slots[i]:
        slots[i].call(queue.put, {"from": seed, "data": list(range(20))})

def receive(slots, i, seed):
    try:
        item = queue.get_nowait()
    except interpreters.QueueEmpty:
        return
    assert item is interpreters._queues.UNBOUND or item["data"] == list(range(20))

def listing(slots, i, seed):
    assert interpreters.get_main() in interpreters.list_all()

def work(slots, seed):
    chance = random.Random(seed)
    try:
        for step in range(STEPS):
            action = chance.choice([make, call, call, by_value, script, failing, send, receive, listing])
            try:
                action(slots, chance.randrange(SHARED), chance.randrange(1000))
            except interpreters.InterpreterError as error: # another thread is there, or has closed it
                assert isinstance(error, interpreters.InterpreterNotFoundError) or "running" in str(error), error
    except BaseException as error:
        errors.append(error)

for turn in rounds():
    slots = [None] * SHARED
    threads = [threading.Thread(target=work, args=(slots, turn * THREADS + i)) for i in range(THREADS)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    if errors:
        raise errors[0]
    for one in slots:
        if one:
            one.close()
    while not queue.empty():
        queue.get()
    alive = [interpreters.create() for _ in range(300)]
    assert [one.call(len, "abc") for one in alive] == [3] * len(alive)
    for one in alive:
        one.close()
    for _ in range(300):
        interpreters.create().close()
    # An interpreter that was made and put nowhere, by a thread that another replaced, goes when it is collected.
print("interpreters at random ok")
