"""Exceptions: try in all its shapes, chaining, notes, cleanup of the name, finally's control flow."""

def shapes(action):
    try:
        action()
    except (KeyError, IndexError) as error:
        return "lookup", type(error).__name__, error.args
    except ZeroDivisionError:
        return "zero"
    else:
        return "else"
    finally:
        print("finally", end=" ")

print(shapes(lambda: {}["k"]))
print(shapes(lambda: [][1]))
print(shapes(lambda: 1 // 0))
print(shapes(lambda: None))

try:
    try:
        raise ValueError("first")
    except ValueError:
        raise KeyError("second")
except KeyError as error:
    print(repr(error.__context__), error.__cause__, error.__suppress_context__)

try:
    raise RuntimeError("outer") from OSError(2, "No such file or directory", "name")
except RuntimeError as error:
    cause = error.__cause__
    print(cause, cause.errno, cause.filename, type(cause).__name__, error.__suppress_context__)

try:
    raise TypeError("a") from None
except TypeError as error:
    error.add_note("note 1")
    error.add_note("note 2")
    print(error.__notes__, error.__suppress_context__)

try:
    error
except NameError as missing:
    print(missing)

def returns():
    for i in range(3):
        try:
            if i == 1:
                return "return", i
        finally:
            print("f", i, end="; ")
print(returns())

def loops():
    out = []
    for i in range(4):
        try:
            if i == 1:
                continue
            if i == 3:
                break
            out.append(i)
        finally:
            out.append("f")
    else:
        out.append("else")
    return out
print(loops())

def nested():
    try:
        try:
            1 / 0
        finally:
            print("inner finally")
    except ZeroDivisionError as e:
        print("outer", e)
        try:
            raise
        except ArithmeticError as again:
            print(again is e)
nested()

try:
    raise
except RuntimeError as error:
    print(error)
for bad in ("text", 5, int):
    try:
        raise bad
    except TypeError as error:
        print(error)
try:
    raise ValueError from "x"
except TypeError as error:
    print(error)
try:
    try:
        1 / 0
    except "string":
        pass
except TypeError as error:
    print(error)

class Custom(Exception):
    def __init__(self, code, text):
        super().__init__(code, text)
        self.code = code
    def __str__(self):
        return f"<{self.code}>"
try:
    raise Custom(3, "three")
except Custom as error:
    print(error, repr(error), error.args)

print(repr(OSError(13, "x")), isinstance(OSError(13, "x"), PermissionError), OSError("one").errno)
print(str(KeyError("quoted")), str(ValueError()), str(ValueError(1, 2)), repr(ValueError("a")))
print(StopIteration(5).value, SystemExit(3).code, UnicodeDecodeError("utf-8", b"ab\xff", 2, 3, "invalid start byte"))
print(Exception().__traceback__, [c.__name__ for c in FileNotFoundError.__mro__])

def depth():
    try:
        raise ValueError("tb")
    except ValueError as error:
        tb = error.__traceback__
        lines = []
        while tb:
            lines.append((tb.tb_frame.f_code.co_name, tb.tb_lineno - tb.tb_frame.f_code.co_firstlineno))
            tb = tb.tb_next
        return lines
print(depth())

def generator_cleanup():
    try:
        yield 1
    except GeneratorExit:
        print("closed")
        raise
g = generator_cleanup()
next(g)
g.close()

import sys
def info():
    try:
        1 / 0
    except ZeroDivisionError:
        return sys.exc_info()[0].__name__, sys.exception() is sys.exc_info()[1]
print(info(), sys.exception())
