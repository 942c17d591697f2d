"""Interpreters made, called, interrupted and closed at random by eight threads, signals on the way, and the process forks in the middle: the child
can use all that the parent could."""
import bz2, gc, hashlib, lzma, os, queue, random, signal, sys, threading, time, warnings, zlib
from concurrent import interpreters
from concurrent.futures import ThreadPoolExecutor
from common import THREADS, rounds

warnings.simplefilter("ignore", DeprecationWarning)
SHARED, CHILD_SECONDS = 5, 100
ticks, interruptions, stop = [0], [0], threading.Event()
items, text = queue.SimpleQueue(), os.urandom(1 << 14)
streams = [zlib.compressobj(), bz2.BZ2Compressor(), lzma.LZMACompressor(preset=0), hashlib.sha256()]

class Interruption(Exception):
    pass

def tick(number, frame):
    ticks[0] += 1

def interrupt(number, frame):
    interruptions[0] += 1
    raise Interruption

def feed(stream):
    (stream.update if hasattr(stream, "update") else stream.compress)(text)

def native(chance):
    """What holds locks of C libraries."""
    feed(chance.choice(streams))

def imports(chance):
    name = chance.choice(["colorsys", "sched", "this_is_no_module"])
    sys.modules.pop(name, None)
    try:
        __import__(name)
    except (ImportError, KeyError):
        pass

def passing(chance):
    items.put([1])
    items.get()

def garbage(chance):
    [{i: str(i)} for i in range(300)]

def interpreter(chance, slots):
    i = chance.randrange(SHARED)
    try:
        match chance.randrange(5):
            case 0:
                old, slots[i] = slots[i], interpreters.create()
                if old:
                    old.close()
            case 1 if slots[i]:
                assert slots[i].call(pow, i, 2) == i * i
            case 2 if slots[i]:
                slots[i].exec("import time\nfor _ in range(20): time.sleep(0.0001)")
            case 3 if slots[i]:
                try:
                    slots[i].call(divmod, 1, 0)
                except interpreters.ExecutionFailed:
                    pass
            case 4 if slots[i]:
                slots[i].close()
    except interpreters.InterpreterError as error:
        assert isinstance(error, interpreters.InterpreterNotFoundError) or "running" in str(error), error

def work(slots, seed, errors):
    chance = random.Random(seed)
    try:
        while not stop.is_set():
            action = chance.choice([native, imports, passing, garbage, interpreter, interpreter])
            action(chance, *([slots] if action is interpreter else []))
    except BaseException as error:
        errors.append(error)

def in_child():
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(CHILD_SECONDS)
    assert threading.active_count() == 1
    for stream in streams:
        try:
            feed(stream)
        except RuntimeError as error: # another thread was in the middle of it
            assert "forked" in str(error), error
    for name in "colorsys", "sched", "fractions":
        sys.modules.pop(name, None)
        __import__(name)
    one = interpreters.create()
    one.exec("import string")
    assert one.call(len, "abc") == 3
    one.close()
    threading.Thread(target=items.put, args=(1,)).start()
    items.get()
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(abs, [-1, -2, -3])) == [1, 2, 3]
    gc.collect()

def fork():
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            in_child()
            status = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(status)
    while True:
        try:
            status = os.waitpid(pid, 0)[1]
            break
        except Interruption:
            pass
    assert status == 0, ("child", status)

def interrupted_call(slot):
    """The handler raises in the main thread while it is inside of another interpreter: the script ends, at once, and the exception arrives here."""
    timer = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        slot.exec("while True: pass")
        assert False, "not interrupted"
    except Interruption:
        pass
    timer.join()

if sys.implementation.name != "typhon":
    print("interrupted: other Pythons do none of this")
elif __name__ == "__main__":
    for turn in rounds():
        stop.clear()
        slots, errors = [None] * SHARED, []
        signal.signal(signal.SIGALRM, tick)
        signal.signal(signal.SIGUSR1, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
        threads = [threading.Thread(target=work, args=(slots, turn * THREADS + i, errors)) for i in range(THREADS)]
        for thread in threads: thread.start()
        own = interpreters.create()
        for _ in range(3):
            time.sleep(0.02)
            fork()
            interrupted_call(own)
        stop.set()
        for thread in threads: thread.join()
        signal.setitimer(signal.ITIMER_REAL, 0)
        own.close()
        for one in slots:
            try:
                if one: one.close()
            except interpreters.InterpreterNotFoundError:
                pass
        if errors:
            raise errors[0]
    assert ticks[0] > 0 and interruptions[0] > 0
    print("interrupted ok")
