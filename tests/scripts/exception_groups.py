"""Exception groups and except*."""

def raise_group():
    raise ExceptionGroup("group", [ValueError(1), TypeError("t"), ExceptionGroup("inner", [ValueError(2), OSError("o")])])

try:
    raise_group()
except* ValueError as group:
    print("values", [repr(e) for e in group.exceptions], group.message)
except* (TypeError, OSError) as group:
    print("others", repr(group))

try:
    try:
        raise_group()
    except* ValueError:
        pass
except ExceptionGroup as rest:
    print("rest", rest, [type(e).__name__ for e in rest.exceptions])

try:
    try:
        raise ValueError("plain")
    except* ValueError as group:
        print(type(group).__name__, group.exceptions)
except BaseException as error:
    print("not reached", error)

try:
    try:
        raise_group()
    except* ValueError:
        raise KeyError("new")
    except* TypeError:
        raise
except ExceptionGroup as error:
    print(repr(error))

def flow():
    done = []
    for i in range(3):
        try:
            if i:
                raise ExceptionGroup("", [OSError(i)]) if i == 1 else OSError(i)
        except* OSError as group:
            done.append(len(group.exceptions))
        else:
            done.append("else")
        finally:
            done.append("f")
    return done
print(flow())

group = BaseExceptionGroup("base", [KeyboardInterrupt(), ValueError("v")])
print(type(group).__name__, group.subgroup(ValueError), group.split(lambda e: isinstance(e, KeyboardInterrupt)))
print(type(BaseExceptionGroup("only", [ValueError()])).__name__)
for bad in (lambda: ExceptionGroup("x", []), lambda: ExceptionGroup("x", [1]), lambda: ExceptionGroup("x", [KeyboardInterrupt()]),
            lambda: ExceptionGroup(1, [ValueError()]), lambda: ExceptionGroup("x")):
    try:
        bad()
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)

class Mine(ExceptionGroup):
    def derive(self, exceptions):
        return Mine(self.message + "*", exceptions)
m = Mine("mine", [ValueError(1), KeyError(2)])
m.add_note("noted")
part = m.subgroup(KeyError)
print(repr(part), part.__notes__)
try:
    raise m
except* KeyError as g:
    print(repr(g))
except* ValueError as g:
    print(repr(g))

try:
    try:
        raise_group()
    except* ExceptionGroup:
        pass
except TypeError as error:
    print(error)

import traceback
def show():
    try:
        raise ExceptionGroup("shown", [ValueError("a"), ExceptionGroup("deeper", [TypeError("b")])])
    except ExceptionGroup as group:
        return "".join(traceback.format_exception_only(group, show_group=True))
print(show())
