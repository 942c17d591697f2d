"""Runs one file of CPython's test suite in the interpreter that executes this script, and writes what happens as it happens.

    PYTHON conformance_driver.py EVENTS MODULE SUITE DONE

EVENTS is the file that gets one JSON object a line; MODULE the test module, such as test_dict or test_ast.test_ast;
SUITE a directory with the `test` package, for an interpreter that has none of its own; DONE a file with the keys
of cases to leave out, one a line, because an earlier process has run them already (or died in them).

The events: plan (how many cases there are), start, pass, fail, skip (of the case `key`), load (the module could not be
loaded) and end. Each is written before the next thing is tried, with one system call, so that a crash loses none.

A young interpreter runs this file: it imports what unittest imports, little else, and survives when a part of that
does not work.
"""

import os
import sys
import unittest

EVENTS = ""


def quote(text):
    """A JSON string in ASCII, without the json module."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return '"' + text + '"'
    parts = []
    for character in text:
        code = ord(character)
        if character == '"' or character == "\\":
            parts.append("\\" + character)
        elif 32 <= code < 127:
            parts.append(character)
        elif code < 0x10000:
            parts.append("\\u%04x" % code)
        else:
            code -= 0x10000
            parts.append("\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF)))
    return '"' + "".join(parts) + '"'


def write(event, **fields):
    # Opened anew each time: a test may close every descriptor, or leave a child behind that writes too.
    text = '{"event": ' + quote(event)
    for name, value in fields.items():
        text += ", " + quote(name) + ": " + (str(value) if type(value) is int else quote(value))
    descriptor = os_open(EVENTS, EVENT_FLAGS, 0o666)
    try:
        os_write(descriptor, (text + "}\n").encode("ascii"))
    finally:
        os_close(descriptor)


# Tests patch the functions of os; these are the ones from before.
os_open, os_write, os_close = os.open, os.write, os.close
EVENT_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)


def describe(kind, error, trace):
    """The exception on one line, and the whole traceback where the traceback module works."""
    try:
        text = str(error)
    except BaseException as other:
        text = "<str() raised " + type(other).__name__ + ">"
    line = kind.__name__ + (": " + text if text else "")
    try:
        import traceback
        whole = "".join(traceback.format_exception(kind, error, trace))
    except BaseException as other:
        whole = line + "\n(no traceback: " + type(other).__name__ + ")"
    return line[:1000], whole[-6000:]


class Result(unittest.TestResult):
    """Writes one outcome for each case: the first bad thing that happens to it, or that it passed."""

    def __init__(self):
        super().__init__()
        self.current = None
        self.reported = False
        self.loose = 0

    def startTest(self, test):
        self.testsRun += 1
        self.current = key_of(test)
        self.reported = False
        write("start", key=self.current)

    def stopTest(self, test):
        if not self.reported:
            # Neither success nor anything else: unittest reports failing subtests that way, see addSubTest.
            write("pass", key=self.current)
        self.current = None

    def report(self, event, test, why="", trace=""):
        if self.current is None:
            # A class's or module's set-up or tear-down, not a case.
            self.loose += 1
            write("loose", outcome=event, key=str(test), why=why, trace=trace)
        elif not self.reported:
            self.reported = True
            write(event, key=self.current, why=why, trace=trace)

    def fail(self, test, error):
        self.report("fail", test, *describe(*error))

    def addError(self, test, error):
        self.fail(test, error)

    def addFailure(self, test, error):
        self.fail(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            line, trace = describe(*error)
            try:
                part = subtest._subDescription()
            except BaseException:
                part = ""
            self.report("fail", test, line, part + "\n" + trace)

    def addSkip(self, test, reason):
        self.report("skip", test, str(reason))

    def addUnexpectedSuccess(self, test):
        # What is expected to fail is a known fault of CPython's.
        self.report("pass", test)

    def addSuccess(self, test):
        self.report("pass", test)

    def addExpectedFailure(self, test, error):
        self.report("pass", test)

    def addDuration(self, test, elapsed):
        pass

    def printErrors(self):
        pass

    def wasSuccessful(self):
        return True


def key_of(test):
    try:
        return test.conformance_key
    except AttributeError:
        return name_of(test)


def name_of(test):
    try:
        return str(test.id())
    except BaseException:
        return str(test)


def number_cases(suite, name, done, counts):
    """Gives each case of the suite a key of its own and returns how many there are. Leaves out those in `done`, and the doctests
    of library modules that some files take in: they test CPython's docstrings, and are not counted for the file."""
    kept = []
    total = 0
    for test in suite._tests:
        if isinstance(test, unittest.TestSuite):
            total += number_cases(test, name, done, counts)
            kept.append(test)
            continue
        key = name_of(test)
        if type(test).__name__ in ("DocTestCase", "DocFileCase") and not key.startswith("test."):
            continue
        total += 1
        counts[key] = number = counts.get(key, 0) + 1
        if number > 1:
            key += "#%d" % number
        try:
            test.conformance_key = key
        except Exception:
            pass
        if key not in done:
            kept.append(test)
    suite._tests = kept
    return total


def prepare():
    """What the suite's own runner does to a process before it runs tests in it."""
    from test import support
    # No optional resource: neither network, nor much memory or disk, nor a screen.
    support.use_resources = {}
    support.verbose = 0
    support.failfast = False
    support.junit_xml_list = None
    support.record_original_stdout(sys.stdout)
    try:
        import signal
        if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, signal.SIG_DFL):
            signal.signal(signal.SIGINT, signal.default_int_handler)
    except Exception:
        pass
    try:
        sys.stdout.reconfigure(errors="backslashreplace")
    except Exception:
        pass
    try:
        from test.support.os_helper import TESTFN_UNDECODABLE
        if TESTFN_UNDECODABLE:
            os.environb.setdefault(b"PYTHONREGRTEST_UNICODE_GUARD", TESTFN_UNDECODABLE)
    except Exception:
        pass


def add_support(name):
    """Puts the stand-ins of conformance/support on the path, last: those for every file, and those for the file `name` alone,
    whose prepare.py is run first."""
    support = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "conformance", "support")
    sys.path.append(support)
    own = os.path.join(support, name)
    if os.path.isdir(own):
        sys.path.append(own)
        prepare = os.path.join(own, "prepare.py")
        if os.path.exists(prepare):
            with open(prepare) as file:
                exec(compile(file.read(), prepare, "exec"), {})


def loader_reported(error):
    return type(error) is ImportError and "Traceback (most recent call last)" in str(error)


def main(argv):
    global EVENTS
    EVENTS, name, suite_directory, done_file = argv
    sys.argv[1:] = []
    sys.path[0] = os.getcwd()
    add_support(name)
    with open(done_file) as file:
        done = set(file.read().splitlines())
    try:
        try:
            import test.support
        except ImportError:
            sys.path.append(suite_directory)
            import test.support
        prepare()
        __import__("test." + name)
        module = sys.modules["test." + name]
        loader = unittest.TestLoader()
        suite = loader.loadTestsFromModule(module)
        if loader.errors:
            raise ImportError("\n".join(loader.errors))
    except unittest.SkipTest as skip:
        write("load", outcome="skip", why=str(skip), trace="")
        return
    except BaseException as error:
        line, trace = describe(type(error), error, error.__traceback__)
        # Of errors that the loader reports as text, the last line says what it was.
        write("load", outcome="fail", why=str(error).strip().splitlines()[-1] if loader_reported(error) else line, trace=trace)
        return
    write("plan", cases=number_cases(suite, name, done, {}))
    suite(Result())
    write("end")


if __name__ == "__main__":
    main(sys.argv[1:])
