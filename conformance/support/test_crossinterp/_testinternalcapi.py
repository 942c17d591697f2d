"""Stands in for the two functions of CPython's test module that test_crossinterp is written against: a value made ready to
cross in one of several ways, and what arrives.

The ways `xidata` and `fallback` are this runtime's own: a queue between interpreters, without and with what is more than
shared. The others are by definition what a library module makes of the value (pickle, marshal), or a choice among functions
and scripts that is put before that.
"""

import _interpqueues
import builtins
import dis
import inspect
import marshal
import pickle
import types

from _interpreters import NotShareableError
from stand_in import stand_in


def get_crossinterp_data(value, mode):
    """A pair of how it is restored and what from."""
    try:
        return WAYS[mode](value)
    except NotShareableError:
        raise
    except Exception as error:
        raise NotShareableError(f"object could not be made ready to cross ({mode})") from error


def restore_crossinterp_data(data):
    how, parcel = data
    try:
        return how(parcel)
    except Exception as error:
        raise NotShareableError("object could not be restored") from error


# --- the runtime's own -----------------------------------------------------------------------------------------------

def from_queue(queue):
    try:
        return _interpqueues.get(queue)[0]
    finally:
        _interpqueues.destroy(queue)


def through_queue(value, fallback):
    queue = _interpqueues.create(0, 3, fallback)
    try:
        _interpqueues.put(queue, value)
    except BaseException:
        _interpqueues.destroy(queue)
        raise
    return from_queue, queue


# --- code, functions, scripts ----------------------------------------------------------------------------------------

def refuse_unless(allowed, what):
    if not allowed:
        raise NotShareableError(what)


def by_marshal(value):
    return marshal.loads, marshal.dumps(value)


def as_code(value):
    refuse_unless(type(value) is types.CodeType, "not code")
    return by_marshal(value)


def refuse_globals(code):
    """Whatever is read by a name that the builtins do not have is taken for a variable of some module."""
    for instruction in dis.get_instructions(code):
        refuse_unless("GLOBAL" not in instruction.opname or hasattr(builtins, instruction.argval), "globals not supported")


def as_function(value):
    refuse_unless(type(value) is types.FunctionType, "not a function")
    refuse_unless(not value.__defaults__ and not value.__kwdefaults__, "defaults not supported")
    refuse_unless(not value.__closure__, "closures not supported")
    refuse_globals(value.__code__)
    return (lambda data: types.FunctionType(marshal.loads(data), {})), marshal.dumps(value.__code__)


GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def as_script(value, pure):
    if type(value) in (str, bytes):
        code = compile(value, "<script>", "exec")
    else:
        code = value.__code__ if type(value) is types.FunctionType else value
        refuse_unless(type(code) is types.CodeType, "unsupported script")
        refuse_unless(not (code.co_argcount or code.co_kwonlyargcount or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)), "code with args not supported")
        refuse_unless(not code.co_freevars, "closures not supported")
        refuse_unless(not code.co_flags & GENERATORS, "generators not supported")
        refuse_unless(all(instruction.opname != "RETURN" for instruction in dis.get_instructions(code)), "code that returns a value is not a script")
        if pure:
            refuse_globals(code)
    return by_marshal(code)


WAYS = {
    "xidata": lambda value: through_queue(value, 0),
    "fallback": lambda value: through_queue(value, 1),
    "pickle": lambda value: (pickle.loads, pickle.dumps(value)),
    "marshal": by_marshal,
    "code": as_code,
    "func": as_function,
    "script": lambda value: as_script(value, False),
    "script-pure": lambda value: as_script(value, True),
}

stand_in(__name__, get_crossinterp_data=get_crossinterp_data, restore_crossinterp_data=restore_crossinterp_data)
