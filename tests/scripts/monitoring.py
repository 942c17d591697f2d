"""sys.monitoring: events, their order, DISABLE, local events; cProfile and dis, which build on it or on the code."""
import sys, io, threading
mon = sys.monitoring
E = mon.events
TOOL = 3
NAMES = [n for n in ("PY_START", "PY_RESUME", "PY_RETURN", "PY_YIELD", "CALL", "C_RETURN", "C_RAISE", "LINE", "RAISE", "EXCEPTION_HANDLED", "PY_UNWIND", "PY_THROW", "RERAISE")]
log = []

def shown(v):
    return getattr(v, "__name__", None) or (type(v).__name__ if isinstance(v, BaseException) else "MISSING" if v is mon.MISSING else repr(v))

def record(name):
    def callback(code, *rest):
        if name == "LINE":
            log.append((name, code.co_name, rest[0] - code.co_firstlineno))
        else:
            log.append((name, code.co_name, *map(shown, rest[1:])))
    return callback

def generator(n):
    for i in range(n):
        try:
            yield i
        except KeyError:
            yield "caught"

def failing():
    try:
        raise ValueError("x")
    finally:
        len("abc")

def program():
    total = sum([1, 2])
    g = generator(2)
    next(g)
    g.throw(KeyError)
    g.close()
    try:
        failing()
    except ValueError:
        total += 1
    try:
        int("no")
    except ValueError:
        pass
    return total

mon.use_tool_id(TOOL, "test")
for name in NAMES:
    mon.register_callback(TOOL, getattr(E, name), record(name))
mon.set_events(TOOL, sum(getattr(E, name) for name in NAMES))
program()
mon.set_events(TOOL, 0)
for entry in log:
    print(*entry)

log.clear()
def disabling(code, line):
    log.append(line - code.co_firstlineno)
    return mon.DISABLE
mon.register_callback(TOOL, E.LINE, disabling)
mon.set_local_events(TOOL, program.__code__, E.LINE)
program(), program()
print("each line once:", log == sorted(set(log)), len(log))
mon.restart_events()
count = len(log)
program()
print("again after restart:", len(log) == 2 * count)
mon.set_local_events(TOOL, program.__code__, 0)

mon.register_callback(TOOL, E.RAISE, lambda *a: mon.DISABLE)
mon.set_events(TOOL, E.RAISE)
try:
    failing()
except Exception as error:
    mon.set_events(TOOL, 0)
    print(type(error).__name__, error)
mon.free_tool_id(TOOL)
for wrong in (lambda: mon.set_events(9, 0), lambda: mon.set_events(TOOL, 1), lambda: mon.register_callback(0, 3, None)):
    try:
        wrong()
    except ValueError as error:
        print(error)

calls = []
def profiler(frame, event, argument):
    if frame.f_code is failing.__code__:
        calls.append((event, getattr(argument, "__name__", argument)))
sys.setprofile(profiler)
try:
    failing()
except ValueError:
    pass
sys.setprofile(None)
print(calls)

ready, leave, seen = threading.Event(), threading.Event(), []
def worker():
    ready.set()
    leave.wait()
    failing_quietly()
def failing_quietly():
    return 1
thread = threading.Thread(target=worker)
thread.start()
ready.wait()
threading.settrace_all_threads(lambda frame, event, argument: seen.append(frame.f_code.co_name))
leave.set()
thread.join()
threading.settrace_all_threads(None)
print("failing_quietly" in seen)

import cProfile, pstats
profile = cProfile.Profile()
profile.enable()
program()
profile.disable()
rows = {(key[2], value[0]) for key, value in pstats.Stats(profile, stream=io.StringIO()).stats.items()}
print(sorted(row for row in rows if row[0] in ("program", "failing", "<built-in method builtins.sum>", "<built-in method builtins.len>")))
