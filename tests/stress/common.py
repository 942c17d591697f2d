"""What the stress tests share: how long they go on, and threads that begin together. No test itself."""
import os, sys, threading, time

def _option(name, default):
    arguments = sys.argv[1:]
    for i, argument in enumerate(arguments):
        if argument.startswith("--" + name + "="):
            return argument.partition("=")[2]
        if argument == "--" + name and i + 1 < len(arguments):
            return arguments[i + 1]
    return os.environ.get(name.upper(), default)

ROUNDS = int(_option("rounds", "1"))
SECONDS = float(_option("seconds", "0"))   # rounds go on until they are over
THREADS = int(_option("threads", "8"))
_begun = time.monotonic()

def time_left():
    return time.monotonic() - _begun < SECONDS

def rounds(each=1):
    """The numbers of the rounds; `each`: how many make one of the option's."""
    number = 0
    while number < ROUNDS * each or time_left():
        yield number
        number += 1

def together(*functions):
    """Runs each in a thread, all from the same moment on; raises what one of them raised."""
    errors = []
    barrier = threading.Barrier(len(functions))
    def run(function):
        try:
            barrier.wait()
            function()
        except BaseException as error:
            errors.append(error)
    threads = [threading.Thread(target=run, args=(f,)) for f in functions]
    for t in threads: t.start()
    for t in threads: t.join()
    if errors:
        raise errors[0]
