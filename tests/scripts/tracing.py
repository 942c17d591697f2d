"""sys.settrace, sys.setprofile, frames, sys.monitoring-free introspection of code and functions."""
import sys, inspect
events = []
def tracer(frame, event, arg):
    if frame.f_code.co_name in ("traced", "helper", "<genexpr>", "raises"):
        events.append((event, frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, arg if event == "return" else arg and arg[0].__name__ if event == "exception" else None))
        return tracer
def helper(n):
    return n + 1
def raises():
    raise ValueError
def traced(n):
    total = 0
    for i in range(n):
        total += helper(i)
    try:
        raises()
    except ValueError:
        pass
    return total
sys.settrace(tracer)
traced(2)
sys.settrace(None)
for event in events: print(event)
calls = []
def profiler(frame, event, arg):
    if event in ("call", "return"):
        calls.append((event, frame.f_code.co_name))
sys.setprofile(profiler)
helper(len([1]))
sys.setprofile(None)
print(calls)
def frames():
    x = 1
    def inner():
        f = sys._getframe()
        return f.f_code.co_name, f.f_back.f_code.co_name, f.f_back.f_locals["x"], f.f_globals is globals(), f.f_lineno - f.f_code.co_firstlineno, f.f_builtins["len"] is len
    return inner()
print(frames())
def code_facts(a, b=1, *args, c, **kw):
    """doc"""
    local = a
    def nested(): return local, b
    return nested
c = code_facts.__code__
print(c.co_name, c.co_qualname, c.co_argcount, c.co_kwonlyargcount, c.co_varnames, c.co_cellvars, c.co_freevars, c.co_names, c.co_nlocals, bool(c.co_flags & inspect.CO_VARARGS), bool(c.co_flags & inspect.CO_VARKEYWORDS), c.co_consts[0], c.co_firstlineno > 0)
print(code_facts(1, c=2).__code__.co_freevars, code_facts.__code__.replace(co_name="renamed").co_name, helper.__code__ == helper.__code__, compile("1", "f", "eval").co_filename)
lines = [l - c.co_firstlineno for _, _, l in c.co_lines() if l is not None]
print(sorted(set(lines))[-3:])
positions = [p for p in helper.__code__.co_positions() if p[0] is not None]
print(all(p[0] <= p[1] for p in positions), max(p[3] for p in positions if p[3]))
def gen(): x = yield 1
g = gen(); next(g)
print(g.gi_frame.f_locals, g.gi_frame.f_lineno - g.gi_code.co_firstlineno, inspect.getgeneratorstate(g), inspect.isgenerator(g))
print(inspect.getsource(helper), inspect.getsourcelines(helper)[1] > 0, inspect.getmodule(helper).__name__, inspect.getfullargspec(code_facts))
def change_locals():
    v = 1
    sys._getframe().f_locals["v"] = 2
    return v
print(change_locals(), [f.function for f in inspect.stack()][:1])
try:
    1 / 0
except ZeroDivisionError as error:
    tb = error.__traceback__
    print(tb.tb_lineno == tb.tb_frame.f_lineno, tb.tb_next, tb.tb_frame is sys._getframe())
print(sys.version_info >= (3, 14), sys.maxunicode, sys.byteorder, sys.getrefcount is not None, sys.intern("a") is sys.intern("a"), type(sys.flags).__name__, sys.float_info.dig, sys.hash_info.modulus, sys.getsizeof(1) > 0, sys.implementation.cache_tag is not None)
