"""Looks into a running process from outside, without stopping it.

    python -m typhon.inspect PID             interpreters, threads, stacks, tasks, memory, collections
    python -m typhon.inspect PID --json      the same for programs
    python -m typhon.inspect PID --watch     again and again, until interrupted or the process ends

The process has to run the same version of this program, and you must be allowed to trace it.
"""
import _inspect
import argparse
import json
import os
import sys
import time

# What system calls that wait are for, by their numbers on this machine.
_WAITS = {
    "x86_64": {0: "reading a file", 7: "poll", 23: "select", 35: "sleep", 45: "receiving", 43: "a connection", 61: "a child process", 202: "a lock",
               230: "sleep", 232: "events of its loop", 247: "a child process", 270: "select", 271: "poll", 281: "events of its loop", 42: "connecting",
               44: "sending", 46: "sending", 47: "receiving", 1: "writing a file", 288: "a connection", 128: "a signal", 34: "a signal"},
    "aarch64": {63: "reading a file", 73: "poll", 72: "select", 101: "sleep", 115: "sleep", 207: "receiving", 202: "a connection", 242: "a connection",
                260: "a child process", 95: "a child process", 98: "a lock", 22: "events of its loop", 203: "connecting", 206: "sending", 64: "writing a file"},
}


class InspectionError(Exception):
    """The process cannot be looked into; str() says why in one line."""


def _waits_for(pid, thread):
    """What a waiting thread waits for, as far as the system tells."""
    if thread["state"] != "waiting":
        return None
    try:
        with open(f"/proc/{pid}/task/{thread['id']}/syscall") as file:
            number = file.read().split()[0]
        return _WAITS.get(os.uname().machine, {}).get(int(number), f"system call {number}")
    except (OSError, ValueError, IndexError):
        return None


def _frame(info):
    return {"file": info.filename, "line": info.lineno, "function": info.funcname}


def _task(info, thread):
    return {"id": info.task_id, "name": info.task_name, "thread": thread, "stack": [_frame(f) for coro in info.coroutine_stack for f in coro.call_stack],
            "awaited_by": [coro.task_name for coro in info.awaited_by]}


def snapshot(pid):
    """What there is in the process: a dict of plain values. InspectionError says why not."""
    try:
        seen = _inspect.snapshot(pid)
    except PermissionError:
        raise InspectionError(f"process {pid} may not be looked into: it needs the permission to trace it") from None
    except (RuntimeError, OSError) as error:
        raise InspectionError(str(error)) from None
    for interpreter in seen["interpreters"]:
        for thread in interpreter["threads"]:
            thread["stack"] = [_frame(f) for f in thread["stack"]]
            thread["waits_for"] = _waits_for(pid, thread)
        interpreter["tasks"] = [_task(info, thread) for thread, infos in interpreter["tasks"] for info in infos]
    return seen


def _bytes(count):
    for unit in "B", "KB", "MB":
        if count < 1024:
            return f"{count:.3g} {unit}" if unit != "B" else f"{count} B"
        count /= 1024
    return f"{count:.3g} GB"


def _stack(frames, indent):
    for frame in frames:
        yield f"{indent}{frame['function']}  {frame['file']}:{frame['line']}"


def _thread(thread, names):
    kind = "main thread" if thread["main"] else "daemon thread" if thread["daemon"] else "thread"
    state = f"waits for {thread['waits_for']}" if thread["waits_for"] else thread["state"]
    task = f", runs task {names.get(thread['task'], hex(thread['task']))}" if thread["task"] else ""
    yield f"  {kind} {thread['id']}: {state}{task}"
    yield from _stack(thread["stack"], "      ")


def _task_lines(task, names):
    by = ", ".join(names.get(waiter, hex(waiter)) for waiter in task["awaited_by"])
    yield f"  task {task['name']}" + (f", awaited by {by}" if by else "")
    yield from _stack(task["stack"], "      ")


def lines(seen):
    """A snapshot as text, line by line."""
    yield (f"process {seen['pid']}, Typhon {seen['release']}: {seen['collections']} collections, last pause {seen['last_pause_ns'] / 1e6:.1f} ms, "
           f"longest {seen['longest_pause_ns'] / 1e6:.1f} ms, all {seen['total_pause_ns'] / 1e6:.1f} ms")
    for interpreter in seen["interpreters"]:
        limit = f" of {_bytes(interpreter['memory_limit'])}" if interpreter["memory_limit"] else ""
        yield f"interpreter {interpreter['id']}: {_bytes(interpreter['memory'])}{limit}"
        names = {task["id"]: task["name"] for task in interpreter["tasks"]}
        for thread in interpreter["threads"]:
            yield from _thread(thread, names)
        for task in interpreter["tasks"]:
            yield from _task_lines(task, names)


def _show(pid, as_json):
    seen = snapshot(pid)
    print(json.dumps(seen) if as_json else "\n".join(lines(seen)), flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m typhon.inspect", description="Looks into a running process from outside, without stopping it.")
    parser.add_argument("pid", type=int, metavar="PID", help="the process")
    parser.add_argument("--json", action="store_true", help="for programs: one line of JSON")
    parser.add_argument("--watch", action="store_true", help="again and again")
    parser.add_argument("--interval", type=float, default=1.0, metavar="SECONDS", help="between two looks of --watch; 1 by default")
    options = parser.parse_args(arguments)
    try:
        _show(options.pid, options.json)
        while options.watch:
            time.sleep(options.interval)
            if not options.json and sys.stdout.isatty():
                print("\033[H\033[2J", end="")
            _show(options.pid, options.json)
    except InspectionError as error:
        print(f"typhon.inspect: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
