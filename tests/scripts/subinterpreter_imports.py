"""What an interpreter finds when it imports for the first time, looks at names of site, or runs tasks of a pool."""
import _interpreters
import concurrent.futures
import sys

def run(source):
    sys.stdout.flush()
    interpreter = _interpreters.create()
    try:
        failure = _interpreters.run_string(interpreter, source + "\nimport sys; sys.stdout.flush()")
        if failure is not None:
            print(failure.formatted)
    finally:
        _interpreters.destroy(interpreter)

# A built-in module first: its spec, loader and package are those of any other.
run("import math as m; print(m, m.__spec__.origin, m.__loader__.__name__, repr(m.__package__))")
run("import errno as m; print(sorted(n for n in vars(m) if n.startswith('__')))")
run("import itertools, json; print(itertools.__spec__.name, json.loads('[1, 2]'))")
run("import math, sys; print(sys.modules['math'] is math, 'math' in sys.modules)")
run("from math import factorial; print(factorial(5))")
run("import builtins; print(builtins.__spec__.name)")
run("import sys; sys.modules['errno'] = 5; import errno; print(errno)")
run("import nosuchmodule")
run("from math import nosuchname")

# What site adds.
for name in ("exit", "quit", "copyright", "help"):
    run(f"print(type({name}).__name__)")
run("class A:\n    print(type(license).__name__)")
run("import builtins; print(type(builtins.credits).__name__)")
run("print(nosuchname)")
run("import os, site; print(site.ENABLE_USER_SITE in (True, False), os.path.basename('a/b'))")

# What one interpreter changes in a module is its own.
run("import posix; posix.sysconf_names['mine'] = 1; posix.environ[b'MINE'] = b'1'; posix.getpid = 5")
run("import posix; print('mine' in posix.sysconf_names, b'MINE' in posix.environ, callable(posix.getpid), posix.stat.__self__ is posix)")
run("import json.decoder; json.decoder.JSONDecoder.decode = 5; print(json.decoder.JSONDecoder.decode)")
run("import json.decoder; print(json.loads('{}'), json.decoder.JSONDecoder.decode.__code__.co_name)")

def divide(n):
    return 10 // n

if __name__ == "__main__":
    with concurrent.futures.InterpreterPoolExecutor(2) as pool:
        print([f.result() for f in [pool.submit(divide, n) for n in (1, 2, 5)]])
        print(pool.submit(int, "12").result(), pool.submit(int, "ff", base=16).result())
        for task in (pool.submit(divide, 0), pool.submit(int, "x")):
            try:
                task.result()
            except Exception as error:
                print(type(error).__name__, error, type(error.__cause__).__name__)
