"""concurrent.interpreters: create, exec, call, queues, isolation, errors."""
from concurrent import interpreters

main = interpreters.get_main()
print(interpreters.get_current() == main, main.whence if hasattr(main, "whence") else "")
i = interpreters.create()
i.exec("x = 41\nimport sys\ndef f(): return x")
i.exec("print('inside', x + 1)")
print(i == interpreters.create(), i in interpreters.list_all(), len(interpreters.list_all()) >= 2)
i.prepare_main(name="prepared", number=7)
i.exec("print(name, number)")
def square(n): return n * n
print(i.call(square, 5), i.call(len, "abcd"), i.call(pow, 2, 10))
try:
    i.exec("raise ValueError('inside')")
except interpreters.ExecutionFailed as error:
    print(type(error).__name__, str(error).splitlines()[0])
try:
    i.exec("x y")
except Exception as error:
    print(type(error).__name__)
q = interpreters.create_queue()
for item in (1, "text", b"bytes", None, True, 2.5, (1, "a"), 2 ** 100):
    q.put(item)
print([q.get() for _ in range(8)], q.empty(), q.qsize())
i.prepare_main(q=q)
i.exec("q.put(('from inside', x))")
print(q.get())
try:
    q.get(timeout=0.01)
except interpreters.QueueEmpty:
    print("empty")
try:
    x
except NameError as error:
    print(error)
t = i.call_in_thread(q.put, "threaded") if False else None
import threading
thread = threading.Thread(target=i.exec, args=("q.put('thread')",))
thread.start(); thread.join()
print(q.get())
i.close()
try:
    i.exec("1")
except interpreters.InterpreterNotFoundError as error:
    print(type(error).__name__)
from concurrent.futures import InterpreterPoolExecutor
with InterpreterPoolExecutor(2) as pool:
    print(list(pool.map(pow, [2, 3, 4], [5, 2, 1])), pool.submit(sum, [1, 2, 3]).result())
for other in interpreters.list_all():
    if other != main:
        other.close()
print(len(interpreters.list_all()))
