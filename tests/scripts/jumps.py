"""f_lineno = …: where a trace function may send its frame, and what a debugger sees of a call that starts it."""
import io
import pdb
import sys
import warnings

warnings.simplefilter("ignore")


class Noted:
    def __init__(self, log, name):
        self.log, self.name = log, name

    def __enter__(self):
        self.log.append("in " + self.name)

    def __exit__(self, *exception):
        self.log.append("out " + self.name)


def try_jump(function, start, target):
    """What the function notes when its line `start` jumps to `target`, lines counted from its def."""
    log, done = [], False

    def trace(frame, event, argument):
        nonlocal done
        if frame.f_code is not function.__code__:
            return None
        if event == "line" and not done and frame.f_lineno == function.__code__.co_firstlineno + start:
            done = True
            frame.f_lineno = function.__code__.co_firstlineno + target
        return trace

    sys.settrace(trace)
    try:
        function(log)
    except Exception as error:
        sys.settrace(None)
        log.append(f"{type(error).__name__}: {error}")
    finally:
        sys.settrace(None)
    return log


def blocks(log):
    log.append(1)
    for i in range(2):
        log.append(3)
        with Noted(log, "a"):
            log.append(5)
        log.append(6)
    with Noted(log, "b"):
        log.append(8)
    try:
        log.append(10)
        {}["x"]
    except KeyError:
        log.append(13)
        log.append(14)
    finally:
        log.append(16)
    log.append(17)


for start, target in [(1, 7), (3, 2), (3, 9), (5, 6), (1, 3), (1, 5), (1, 13), (14, 13), (14, 17), (13, 16), (8, 5), (1, 100), (10, 1)]:
    print(start, target, try_jump(blocks, start, target))


def handled_is_forgotten(log):
    try:
        raise ValueError("first")
    except ValueError:
        log.append(4)
        log.append(5)
    log.append(repr(sys.exception()))


print(try_jump(handled_is_forgotten, 5, 6))


def numbers(log):
    log.append(1)
    yield 1
    yield 2


def from_generator(log):
    log.append(list(numbers(log)))


print(try_jump(from_generator, 1, 1))


def debugged():
    first = 1
    pdb.Pdb(stdin=io.StringIO("p first\nnext\nnext\njump 2\nnext\nreturn\ncontinue\n"), stdout=out, nosigint=True, readrc=False).set_trace()
    second = 2
    third = first + second
    return third


out = io.StringIO()
debugged()
print("\n".join(line.rpartition("/")[2] for line in out.getvalue().splitlines()))
