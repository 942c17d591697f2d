# Interpreters: their life, isolation, errors, queues and channels between them.
import os
import threading
import _interpreters
from concurrent import interpreters
from concurrent.futures import InterpreterPoolExecutor


def fails(function, *arguments, **keywords):
    try:
        print("no error:", function(*arguments, **keywords))
    except Exception as error:
        print(type(error).__name__ + ":", str(error).splitlines()[0])


def square(x):
    return x * x


def capture(interpreter, source):
    """What the source prints in the interpreter."""
    r, w = os.pipe()
    interpreter.exec(f"import os, sys\nsaved, sys.stdout = sys.stdout, open({w}, 'w')\ntry:\n"
                     + "".join("    " + line + "\n" for line in source.splitlines()) + "finally:\n    sys.stdout.close(); sys.stdout = saved\n")
    with open(r) as file:
        return file.read()


if __name__ == "__main__":
    print("--- life")
    main = interpreters.get_main()
    print(main, main.whence, main.is_running(), interpreters.get_current() is main)
    one, two = interpreters.create(), interpreters.create()
    print(one, one.whence, one.is_running(), one == one, one == two, interpreters.list_all() == [main, one, two])
    print(interpreters.Interpreter(one.id) is one, hash(one) == hash(one.id))
    two.close()
    fails(two.close)
    fails(two.exec, "1")
    fails(main.close)
    fails(interpreters.Interpreter, 1000)
    fails(interpreters.Interpreter, -1)
    fails(interpreters.Interpreter, "1")

    print("--- exec and isolation")
    one.exec("x = [1, 2]; import sys; sys.marker = 5")
    one.exec("assert x == [1, 2] and sys.marker == 5 and __name__ == '__main__'")
    import sys
    print(hasattr(sys, "marker"), "x" in globals())
    one.prepare_main(a=1, b="two", c=(3, b"4"))
    print(capture(one, "print(a, b, c)"), end="")
    fails(one.prepare_main)
    fails(one.exec, 10)
    fails(one.exec, "1 +")
    fails(one.exec, lambda x: None)
    fails(one.exec, lambda: 1)
    print(capture(one, "import threading\nt = threading.Thread(target=print, args=('in a thread',))\nt.start(); t.join()"), end="")

    print("--- exceptions")
    for source in "1 / 0", "raise SystemExit(3)", "raise KeyboardInterrupt", "import no_such_module", "class Own(Exception): pass\nraise Own('its own')":
        try:
            one.exec(source)
        except interpreters.ExecutionFailed as error:
            told = error.excinfo
            print(told.type.__name__, told.type.__module__, repr(told.msg), told.formatted)
    try:
        one.exec("def f(n):\n    return 1 / n\nf(0)")
    except interpreters.ExecutionFailed as error:
        print(error)
    print(one.is_running(), capture(one, "print('still there')"), end="")

    print("--- calls")
    print(one.call(pow, 2, 10), one.call(len, "abc"), one.call(max, [1, 5, 3]), one.call(dict, a=1), one.call(eval, "6 * 7"))
    print(one.call(lambda x: x + 1, 41), one.call(square, 5))
    fails(one.call, int, "x")
    fails(one.call, 5)
    fails(_interpreters.call, one.id, len, [1])
    thread = one.call_in_thread(print, end="")
    thread.join()

    print("--- running")
    ready, go = os.pipe(), os.pipe()
    thread = threading.Thread(target=one.exec, args=(f"import os; os.write({ready[1]}, b'.'); os.read({go[0]}, 1)",))
    thread.start()
    os.read(ready[0], 1)
    print(one.is_running())
    fails(one.exec, "1")
    fails(one.call, len, "")
    fails(one.close)
    fails(one.prepare_main, x=1)
    os.write(go[1], b".")
    thread.join()
    print(one.is_running())

    print("--- closing")
    r, w = os.pipe()
    one.exec(f"""
import atexit, os, threading, time
atexit.register(os.write, {w}, b"atexit.")
def late():
    time.sleep(0.05)
    os.write({w}, b"thread.")
threading.Thread(target=late).start()
""")
    closer = threading.Thread(target=one.close)
    closer.start()
    closer.join()
    print(os.read(r, 100), interpreters.list_all() == [main])
    nested = interpreters.create()
    print(capture(nested, "from concurrent import interpreters as i\ninner = i.create()\nprint(inner.call(pow, 3, 3))\n"
                          "inner.close()\ntry: i.get_current().close()\nexcept i.InterpreterError as e: print(e)\n"
                          "try: i.get_main().close()\nexcept i.InterpreterError as e: print(e)"), end="")
    nested.close()

    print("--- configurations")
    print(_interpreters.new_config())
    print(_interpreters.new_config("legacy", gil="own"))
    for arguments in ({"gil": "x"}, {"gil": 1}, {"allow_fork": 1}, {"spam": 1}):
        fails(lambda: _interpreters.new_config(**arguments))
    fails(_interpreters.create, "bogus")
    fails(_interpreters.create, "empty")
    fails(_interpreters.create, 5)
    isolated = _interpreters.create()
    for source in "import os; os.fork()", "import os; os.execv('/bin/true', ['true'])", "import threading; threading.Thread(target=print, daemon=True).start()":
        print(_interpreters.exec(isolated, source).formatted)
    _interpreters.destroy(isolated)

    print("--- queues")
    queue, answers = interpreters.create_queue(), interpreters.create_queue(2)
    worker = interpreters.create()
    worker.prepare_main(queue=queue, answers=answers)
    thread = threading.Thread(target=worker.exec, args=("while (n := queue.get()) is not None: answers.put([n, {n: str(n)}])",))
    thread.start()
    for i in range(5):
        queue.put(i)
    queue.put(None)
    print([answers.get() for _ in range(5)])
    thread.join()
    worker.exec("answers.put('left behind')")
    worker.close()
    print(answers.get(), answers.qsize(), answers.empty(), answers.full(), answers.maxsize)
    fails(answers.get_nowait)
    answers.put(1); answers.put(2)
    fails(answers.put_nowait, 3)
    fails(answers.get, timeout=-1)
    fails(interpreters.Queue, 1000)
    queue.put(answers)
    print(queue.get() is answers)

    print("--- a pool")
    with InterpreterPoolExecutor(2) as pool:
        print(list(pool.map(pow, range(5), [2] * 5)), pool.submit(sorted, [3, 1, 2]).result())
        fails(pool.submit(int, "x").result)
        print(type(pool.submit(divmod, 1, 0).exception()).__name__)
