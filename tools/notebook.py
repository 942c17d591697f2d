"""Runs cells as a notebook does: in order, in one `__main__`, showing the value of a cell's last expression.

    PYTHON notebook.py [--quiet] CELL.py...

A first line that is a comment is the cell's title. The exit status is the number of cells that raised an exception.
"""

import sys
import time


def split(source, path):
    """The code of a cell: of all its statements but a last expression, and of that expression (or None)."""
    lines = source.splitlines(True)
    for start in range(len(lines) - 1, -1, -1):
        if lines[start][0] in " \t\n#)]}":
            continue
        # Blank lines in the place of the others keep line numbers right in tracebacks.
        try:
            last = compile("(" + "\n" * start + "".join(lines[start:]) + "\n)", path, "eval")
            return compile("".join(lines[:start]), path, "exec"), last
        except SyntaxError:
            pass
    return compile(source, path, "exec"), None


def run(number, path, namespace, quiet):
    with open(path) as file:
        source = file.read()
    title, body = path, source
    if source.startswith("#"):
        title, _, body = source.partition("\n")
        title = title.lstrip("# ")
    print("[" + str(number) + "] " + title)
    if not quiet:
        print("\n" + "\n".join("    " + line for line in body.strip("\n").splitlines()) + "\n")
    failed = False
    began = time.perf_counter()
    try:
        code, last = split(source, path)
        exec(code, namespace)
        value = eval(last, namespace) if last else None
        if value is not None:
            print("Out[" + str(number) + "]: " + repr(value))
    except Exception as error:
        failed = True
        sys.stdout.flush()
        import traceback
        traceback.print_exception(error)
    print("(%.1f ms)\n" % ((time.perf_counter() - began) * 1000), flush=True)
    return failed


def main(arguments):
    quiet = "--quiet" in arguments
    # The cells get a __main__ of their own, where pickle and others find what they define.
    module = type(sys)("__main__")
    sys.modules["__main__"] = module
    sys.argv = [""]
    cells = [path for path in arguments if path != "--quiet"]
    return sum([run(number, path, module.__dict__, quiet) for number, path in enumerate(cells, 1)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
