"""Looks again and again into the programs of examples/inspect while they work: every answer has to be right.

    typhon tests/inspect/look.py [--times 200]
"""
import argparse
import contextlib
import json
import linecache
import os
import subprocess
import sys
import tempfile

from asyncio.tools import build_async_tree, get_all_awaited_by
from _remote_debugging import RemoteUnwinder

EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "examples", "inspect")
WAITING = {"TaskGroup._aexit": "_on_completed_fut", "TaskGroup.__aexit__": "_aexit", "Event.wait": "await fut", "chapter": "await event.wait()",
           "section": "async with", "report": "async with", "waiter": "await event.wait()"}
passed = failed = 0


def check(title, wrong):
    global passed, failed
    if wrong:
        failed += 1
        print(f"{title}: {wrong}")
    else:
        passed += 1
    if failed > 20:
        sys.exit(f"{passed} passed, {failed} failed, 0 skipped")


@contextlib.contextmanager
def running(program, *options):
    with subprocess.Popen([sys.executable, *options, os.path.join(EXAMPLES, program), "3000"], stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout.readline() != "ready\n":
                sys.exit(f"{program} did not start")
            yield process.pid
        finally:
            process.kill()


def calls(info):
    return [frame.funcname for coro in info.coroutine_stack for frame in coro.call_stack]


def wrong_lines(info):
    """Each frame of what waits stands at the line where it waits."""
    for coro in [*info.coroutine_stack, *info.awaited_by]:
        for frame in coro.call_stack:
            text = linecache.getline(frame.filename, frame.lineno)
            if frame.funcname in WAITING and os.path.exists(frame.filename) and WAITING[frame.funcname] not in text:
                return f"{info.task_name}: {frame.funcname} at line {frame.lineno} of {frame.filename}: {text!r}"
    return None


TITLES = "introduction", "results", "outlook"
PARENTS = {"report": None, **dict.fromkeys(TITLES, "report"), **{f"{title}.{n}": title for title in TITLES for n in (1, 2, 3)}}
GROUP = ["TaskGroup._aexit", "TaskGroup.__aexit__"]
STACKS = {"report": [*GROUP, "report"], **dict.fromkeys(TITLES, [*GROUP, "section"]), **{f"{title}.{n}": ["Event.wait", "chapter"] for title in TITLES for n in (1, 2, 3)}}
WORKER = ["worker"], ["sleep", "worker"], ["__sleep0", "sleep", "worker"]


def wrong_tasks(answer):
    infos = [info for thread in answer for info in thread.awaited_by]
    names = {info.task_id: info.task_name for info in infos}
    if sorted(names.values()) != sorted([*PARENTS, "Task-1", "worker 0", "worker 1"]):
        return f"tasks {sorted(names.values())}"
    for info in infos:
        if info.task_name.startswith("worker"):
            if calls(info) not in WORKER:
                return f"{info.task_name}: {calls(info)}"
        elif info.task_name == "Task-1":
            if calls(info) not in (["sleep", "main"], ["main"]): # it says that it is ready just before it sleeps
                return f"main: {calls(info)}"
        elif calls(info) != STACKS[info.task_name]:
            return f"{info.task_name}: {calls(info)}"
        else:
            waiters = [names.get(coro.task_name) for coro in info.awaited_by]
            if waiters != ([PARENTS[info.task_name]] if PARENTS[info.task_name] else []):
                return f"{info.task_name} is awaited by {waiters}"
    return next(filter(None, map(wrong_lines, infos)), None)


def shape(tree):
    """The names in a drawn tree with their depths."""
    return [(line.index("── ") // 4, line.split("── ", 1)[1].strip().removeprefix("(T) ").split(" ")[0]) for line in tree]


def expected_shape():
    rows = [(0, "report"), (1, "report"), (2, "TaskGroup.__aexit__"), (3, "TaskGroup._aexit")]
    for title in TITLES:
        rows += [(4, title), (5, "section"), (6, "TaskGroup.__aexit__"), (7, "TaskGroup._aexit")]
        for number in (1, 2, 3):
            rows += [(8, f"{title}.{number}"), (9, "chapter"), (10, "Event.wait")]
    return rows


def wrong_tree(answer):
    trees = [shape(tree) for tree in build_async_tree(answer)]
    found = [tree for tree in trees if tree[0][1] == "report"]
    return None if found == [expected_shape()] else f"tree {found}"


def look_at_groups(times):
    with running("task_groups.py") as pid:
        for number in range(times):
            answer = get_all_awaited_by(pid)
            check(f"groups, look {number}", wrong_tasks(answer) or wrong_tree(answer))
            if number % 10 == 0: # what runs now: anything, but well formed
                unwinder = RemoteUnwinder(pid, all_threads=True)
                check(f"stacks, look {number}", None if unwinder.get_stack_trace()[0].thread_id == pid else "no main thread")
                for thread in unwinder.get_async_stack_trace():
                    names = {info.task_name for info in thread.awaited_by}
                    check(f"running, look {number}", None if names <= {"worker 0", "worker 1", "Task-1"} else f"running: {names}")
        for command in (["asyncio", "ps"], ["asyncio", "pstree"], ["typhon.inspect"]):
            process = subprocess.run([sys.executable, "-m", *command, str(pid)], capture_output=True, text=True)
            check(" ".join(command), None if process.returncode == 0 and "outlook.3" in process.stdout else process.stderr)


def wrong_interpreters(answer):
    seen = {}
    for thread in answer:
        for info in thread.awaited_by:
            seen.setdefault(thread.thread_id, {})[info.task_name] = info
    numbers = []
    for tasks in seen.values():
        busy = [name for name in tasks if name.startswith("busy")]
        if len(busy) != 1:
            return f"tasks of one thread: {sorted(tasks)}"
        n = busy[0].split()[1]
        numbers.append(n)
        if sorted(tasks) != sorted(["Task-1", f"busy {n}", *(f"waiter {n}.{i}" for i in range(3))]):
            return f"tasks of interpreter {n}: {sorted(tasks)}"
        for name, info in tasks.items():
            if name.startswith("waiter") and (calls(info) != ["Event.wait", "waiter"] or [c.task_name for c in info.awaited_by] != [tasks["Task-1"].task_id]):
                return f"{name}: {info}"
            if name == "Task-1" and calls(info) not in (["sleep", "main"], ["main"]):
                return f"{name}: {info}"
    return None if sorted(numbers) == ["0", "1", "2"] else f"interpreters {numbers}"


def look_at_interpreters(times):
    with running("interpreters.py") as pid:
        for number in range(times):
            check(f"interpreters, look {number}", wrong_interpreters(get_all_awaited_by(pid)))
        process = subprocess.run([sys.executable, "-m", "typhon.inspect", str(pid), "--json"], capture_output=True, text=True)
        found = json.loads(process.stdout)["interpreters"] if process.returncode == 0 else []
        check("typhon.inspect --json", None if len(found) == 4 and all(one["memory"] > 0 for one in found) else process.stderr)


def refusals():
    with subprocess.Popen(["sleep", "60"]) as other:
        for pid, text in ((other.pid, "does not run Typhon"), (2 ** 30, "there is no process"), (0, "there is no process")):
            for module in (["asyncio", "ps"], ["typhon.inspect"]):
                process = subprocess.run([sys.executable, "-m", *module, str(pid)], capture_output=True, text=True)
                said = (process.stdout + process.stderr).strip()
                check(f"{module[0]} of process {pid}", None if process.returncode != 0 and text in said and "\n" not in said else f"{process.returncode}: {said}")
        other.kill()
    with subprocess.Popen([sys.executable, "-c", "pass"]) as ended: # a zombie until it is waited for
        import time
        time.sleep(1)
        try:
            answer = get_all_awaited_by(ended.pid)
        except RuntimeError as error:
            answer = error
        check("a process that has ended", None if "has ended" in str(answer) else answer)


def remote_scripts():
    with tempfile.TemporaryDirectory() as folder:
        script, mark = os.path.join(folder, "script.py"), os.path.join(folder, "mark")
        with open(script, "w") as file:
            file.write(f"import os\nwith open({mark + '.new'!r}, 'w') as file: file.write(str(os.getpid()))\nos.rename({mark + '.new'!r}, {mark!r})\n")
        with running("task_groups.py") as pid:
            sys.remote_exec(pid, script)
            import time
            for _ in range(200):
                if os.path.exists(mark):
                    break
                time.sleep(0.05)
            check("remote_exec", None if os.path.exists(mark) and open(mark).read() == str(pid) else "the script did not run")
        with running("task_groups.py", "-X", "disable-remote-debug") as pid:
            try:
                sys.remote_exec(pid, script)
                check("remote_exec, switched off", "was accepted")
            except RuntimeError as error:
                check("remote_exec, switched off", None if "not enabled in the remote process" in str(error) else str(error))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=200)
    times = parser.parse_args().times
    look_at_groups(times)
    look_at_interpreters(max(times // 4, 20))
    refusals()
    remote_scripts()
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(failed != 0)
