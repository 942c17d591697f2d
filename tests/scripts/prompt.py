"""The interactive prompt: the basic one over a pipe, and the one of the library on a terminal."""
import os, pty, re, select, signal, subprocess, sys, time

TYPED = """x = 6 * 7
x
_ + 1
def f():
    return 'from f'

f()
1/0
for i in range(2):
    i

import sys; sys.ps1 = '? '
x = (1 +
2)
x
x = = 3
"""

def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHON_HISTORY": os.devnull, "PYTHON_COLORS": "0"} | more

done = subprocess.run([sys.executable, "-i", "-q"], input=TYPED, capture_output=True, text=True, env=environment(TERM="dumb"))
print(done.stdout)
print(done.stderr)
done = subprocess.run([sys.executable, "-i", "-q", "-c", "y = 5; raise SystemExit(3)"], input="y\nraise SystemExit(4)\n", capture_output=True, text=True, env=environment(TERM="dumb"))
print(done.returncode, done.stdout, "SystemExit: 3" in done.stderr)

def on_terminal(steps, **more):
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-q"], environment(**more))
    seen, results = b"", []
    for typed, expected in [(b"", b">>> ")] + steps:
        os.write(fd, typed)
        seen, deadline = b"", time.monotonic() + 30
        while not re.search(expected, re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]", b"", seen), re.S) and time.monotonic() < deadline:
            if select.select([fd], [], [], 0.1)[0]:
                try:
                    seen += os.read(fd, 4096)
                except OSError:
                    break
        results.append(time.monotonic() < deadline)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    return results

STEPS = [(b"20 + 22\r", rb"\r42\r\n.*>>> $"), (b"def g():\r", rb"\.\.\. +$"), (b"return 'gee'\r\r", rb">>> $"), (b"g()\r", rb"'gee'\r\n.*>>> $"), (b"abc\x03", rb"KeyboardInterrupt.*>>> $"),
         (b"1/0\r", rb"ZeroDivisionError.*>>> $")]
print(on_terminal(STEPS, TERM="xterm"))
