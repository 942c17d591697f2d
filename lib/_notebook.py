"""Runs a notebook: its code cells in order, in one `__main__`.

    typhon FILE.ipynb [--inplace | --output FILE]

Of each cell it shows the number, what it prints, the value of its last expression, and the time. The first exception ends the run, with
status 1. With --inplace or --output the outputs are written back into the notebook, or into a copy.
"""

import _io
import ast
import builtins
import codecs
import inspect
import json
import linecache
import os
import sys
import time

WIDTH = 75
USAGE = "usage: typhon FILE.ipynb [--inplace | --output FILE]"
_runner = None  # of cells that await


def say(*lines):
    """Prints what does not belong to the outputs of a cell."""
    text = "\n".join(lines) + "\n"
    try:
        sys.__stdout__.flush()
        data = text.encode(sys.__stdout__.encoding, "backslashreplace")
        while data:
            data = data[os.write(1, data):]
    except (OSError, AttributeError):
        pass  # nobody listens


def written(outputs, keep):
    """Adds what was written to the standard streams, by all interpreters, since the last call."""
    for stream in sys.stdout, sys.stderr:
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # the cell has put something else there
    decoders = {1: ("stdout", codecs.getincrementaldecoder("utf-8")("replace")), 2: ("stderr", codecs.getincrementaldecoder("utf-8")("replace"))}
    for descriptor, data in _io._transcript(keep):
        name, decoder = decoders[descriptor]
        text = decoder.decode(data)
        if outputs and outputs[-1].get("name") == name:
            outputs[-1]["text"].append(text)
        elif text:
            outputs.append({"name": name, "output_type": "stream", "text": [text]})


def lines_of(text):
    """Text as notebooks keep it: a list of lines, each with its end."""
    return text.splitlines(True)


def representations(value):
    """What is shown of a value, by kind: its repr, and what it has to offer beside."""
    data = {"text/plain": lines_of(repr(value))}
    for method, kind in (("_repr_html_", "text/html"), ("_repr_markdown_", "text/markdown"), ("_repr_svg_", "image/svg+xml"), ("_repr_latex_", "text/latex")):
        shown = getattr(type(value), method, None)
        if shown and (text := shown(value)) is not None:
            data[kind] = lines_of(text)
    return data


# --- exceptions ---------------------------------------------------------------------------------------------------------

def frame_place(filename, line, function):
    if filename.startswith("Cell In["):
        return f"{filename}, line {line}" + ("" if function == "<module>" else f", in {function}()")
    return f"File {filename}:{line}" + ("" if function == "<module>" else f", in {function}()")


def frame_lines(filename, line):
    """The lines around the one that runs, which has an arrow."""
    source = linecache.getlines(filename)
    first, last = max(1, line - 2), min(len(source), line + 2)
    width = len(str(last)) + 6
    for number in range(first, last + 1):
        mark = f"{'-' * (width - len(str(number)) - 2)}> {number}" if number == line else f"{number:{width}}"
        yield (mark + " " + source[number - 1].rstrip("\n")).rstrip()


def trace_lines(error, seen):
    """An exception as a notebook shows it, after those that led to it."""
    seen.add(id(error))
    before, why = error.__cause__, "The above exception was the direct cause of the following exception:"
    if before is None and not error.__suppress_context__:
        before, why = error.__context__, "During handling of the above exception, another exception occurred:"
    if before is not None and id(before) not in seen:
        yield from trace_lines(before, seen)
        yield from ("", why, "")
    name = type(error).__name__
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        import traceback
        yield "  " + frame_place(error.filename, error.lineno, "<module>")
        yield from "".join(traceback.format_exception_only(error)).splitlines()[1:]
        return
    yield "-" * WIDTH
    yield name + "Traceback (most recent call last)".rjust(WIDTH - len(name))
    trace = error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        if code.co_filename != __file__:
            yield frame_place(code.co_filename, trace.tb_lineno, code.co_name)
            yield from frame_lines(code.co_filename, trace.tb_lineno)
            yield ""
        trace = trace.tb_next
    yield name + (f": {error}" if str(error) else "")
    if isinstance(error, BaseExceptionGroup):
        import traceback
        yield from "".join(traceback.format_exception(error)).splitlines()


# --- cells -----------------------------------------------------------------------------------------------------------------

def split(source, filename):
    """The code of all statements but a last expression, and of that expression (or None)."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(source, filename, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";") else None
    body = compile(tree, filename, "exec", flags, dont_inherit=True)
    return body, last and compile(ast.Expression(last.value), filename, "eval", flags, dont_inherit=True)


def evaluate(code, namespace):
    global _runner
    value = eval(code, namespace)
    if code.co_flags & inspect.CO_COROUTINE:
        import asyncio
        _runner = _runner or asyncio.Runner()

        async def wait():
            return await value
        return _runner.run(wait())
    return value


def show(number, value, outputs):
    data = representations(value)
    written(outputs, True)
    text = "".join(data["text/plain"])
    say(f"Out[{number}]: " + ("\n" + text if "\n" in text else text))
    outputs.append({"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"})


def run_cell(number, source, namespace, outputs):
    """False if the cell raised an exception."""
    filename = f"Cell In[{number}]"
    linecache.cache[filename] = len(source), None, source.splitlines(True), filename
    try:
        body, last = split(source, filename)
        evaluate(body, namespace)
        value = evaluate(last, namespace) if last else None
        if value is not None:
            show(number, value, outputs)
            builtins._ = value
        return True
    except BaseException as error:
        if isinstance(error, SystemExit) and error.code in (None, 0):
            raise
        lines = list(trace_lines(error.with_traceback(error.__traceback__.tb_next), set()))
        written(outputs, False)
        print(*lines, sep="\n", file=sys.__stderr__, flush=True)
        outputs.append({"ename": type(error).__name__, "evalue": str(error), "output_type": "error", "traceback": lines})
        return False


def run_notebook(notebook, namespace):
    """Runs the cells; False if one raised an exception, which ends the run."""
    number = 0
    for cell in notebook["cells"]:
        source = "".join(cell.get("source", ""))
        if cell["cell_type"] != "code" or not source.strip():
            continue
        number += 1
        outputs = []
        say(f"[{number}]")
        _io._transcript(True)
        began = time.perf_counter()
        try:
            fine = run_cell(number, source, namespace, outputs)
        finally:
            seconds = time.perf_counter() - began
            written(outputs, False)
            for output in outputs:
                if output["output_type"] == "stream":
                    output["text"] = lines_of("".join(output["text"]))
            cell["outputs"], cell["execution_count"] = outputs, number
        say(f"({seconds:.2f} s)\n" if seconds >= 1 else f"({seconds * 1e3:.1f} ms)\n")
        if not fine:
            return False
    return True


# --- files -------------------------------------------------------------------------------------------------------------------

def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            notebook = json.load(file)
    except (OSError, ValueError) as error:
        sys.exit(f"typhon: {path}: {error}")
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or notebook.get("nbformat") != 4 or not all(isinstance(cell, dict) and "cell_type" in cell for cell in cells):
        sys.exit(f"typhon: {path}: not a notebook of format 4")
    return notebook


def write(path, notebook):
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


def destination(path, arguments):
    """Where the outputs go, or None."""
    match arguments:
        case []:
            return None
        case ["--inplace"]:
            return path
        case ["--output", target]:
            return target
    if len(arguments) == 1 and arguments[0].startswith("--output="):
        return arguments[0].partition("=")[2]
    sys.exit(USAGE)


def main(path, namespace):
    target = destination(path, sys.argv[1:])
    sys.argv[1:] = []
    notebook = read(path)
    fine = False
    try:
        fine = run_notebook(notebook, namespace)
    finally:
        if _runner:
            _runner.close()
        if target:
            write(target, notebook)
    sys.exit(0 if fine else 1)
