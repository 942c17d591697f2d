"""Compares trees, tokens and syntax errors with CPython's. PROGRAM is built by `ninja -C build tests/unit/syntax_dump`. Run by
CPython 3.14:

    python3.14 tests/syntax_compare.py trees  PROGRAM FILE...
    python3.14 tests/syntax_compare.py errors PROGRAM CASES.py     (a file with a list `cases` of sources, or of
                                                                   tuples: source, mode, flags, feature version)
    python3.14 tests/syntax_compare.py tokens PROGRAM FILE...
    python3.14 tests/syntax_compare.py unparse PROGRAM FILE...
    python3.14 tests/syntax_compare.py mutate PROGRAM COUNT SEED FILE...
"""

import ast
import os
import random
import re
import subprocess
import sys
import tokenize
import io
import warnings
import zlib

warnings.simplefilter("ignore")
sys.setrecursionlimit(100000)
sys.set_int_max_str_digits(0)

ENUMS = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)


def value_text(value):
    if value is None or value is True or value is False:
        return str(value).encode()
    if value is Ellipsis:
        return b"Ellipsis"
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return b"b" + value
    if isinstance(value, int):
        return b"i%d" % value
    if isinstance(value, float):
        return b"f%.17g" % value
    return b"j%.17g" % value.imag


def dump(node, out):
    if node is None:
        out.append(b"-")
        return
    name = type(node).__name__
    out.append(name.encode() + b"(")
    if node._attributes:
        out.append(b"%d:%d-%d:%d " % (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset))
    for field in node._fields:
        value = getattr(node, field)
        if isinstance(value, list):
            out.append(b"[")
            for item in value:
                if isinstance(item, str):
                    out.append(value_text(item))
                elif isinstance(item, ENUMS):
                    out.append(type(item).__name__.encode())
                else:
                    dump(item, out)
                out.append(b",")
            out.append(b"]")
        elif isinstance(value, ENUMS):
            out.append(type(value).__name__.encode())
        elif isinstance(value, ast.AST):
            dump(value, out)
        elif name in ("Constant", "MatchSingleton") and field == "value":
            out.append(value_text(value))
        elif value is None:
            out.append(b"-")
        elif isinstance(value, int):
            out.append(b"%d" % value)
        else:
            out.append(value_text(value))
        out.append(b" ")
    out.append(b")\n")


def text_of(node):
    out = []
    dump(node, out)
    return b"".join(out)


def lines_of(path):
    with open(path, "rb") as file:
        source = file.read()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        return ["ERROR " + str(error)]
    return ["%d %08x" % (node.lineno, zlib.crc32(text_of(node))) for node in tree.body]


def trees(program, files):
    bad = 0
    for start in range(0, len(files), 50):
        batch = files[start:start + 50]
        output = subprocess.run([program, *batch], capture_output=True).stdout.decode("utf-8", "replace")
        ours = {}
        for line in output.split("\n"):
            if line.startswith("FILE "):
                current = ours[line[5:]] = []
            elif line:
                current.append(line)
        for path in batch:
            theirs = lines_of(path)
            mine = ours.get(path, ["no output"])
            if theirs == mine or (theirs and mine and theirs[0].startswith("ERROR") and mine[0].startswith("ERROR")):
                continue
            bad += 1
            print("DIFFERENT", path)
            for a, b in zip(theirs, mine):
                if a != b:
                    print("   theirs", a, "  ours", b)
                    break
    print(len(files), "files,", bad, "different")


def their_error(source, mode, flags=0, version=-1):
    try:
        tree = compile(source, "<unknown>", mode, flags | ast.PyCF_ONLY_AST, _feature_version=version)
        return "ok %08x" % zlib.crc32(text_of(tree))
    except SyntaxError as error:
        if len(error.args) < 2:
            return "%s|%s|" % (type(error).__name__, error.args[0])
        _, line, offset, text, *end = error.args[1]
        end_line, end_offset = end or (-2, 0)
        return "%s|%s|%s|%s|%s|%s|%s" % (type(error).__name__, error.args[0], line, offset, end_line, end_offset, text or "")
    except (MemoryError, RecursionError, ValueError) as error:
        return "%s|%s|" % (type(error).__name__, error)


class Ours:
    def __init__(self, program):
        self.process = subprocess.Popen([program, "-e"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def error(self, source, mode="exec", flags=0, version=-1):
        data = source.encode("utf-8", "surrogatepass")
        self.process.stdin.write(b"%d %s %d %d\n" % (len(data), mode.encode(), flags | 0x800, version) + data)
        self.process.stdin.flush()
        size = int(self.process.stdout.readline())
        return self.process.stdout.read(size).decode("utf-8", "replace")


def compare(ours, source, mode="exec", flags=0, version=-1, quiet=False):
    theirs, mine = their_error(source, mode, flags, version), ours.error(source, mode, flags, version)
    if theirs == mine:
        return True
    if not quiet:
        shown = source if len(source) < 300 else source[:300] + "..."
        print(repr(shown), "\n   theirs", repr(theirs)[:400], "\n   ours  ", repr(mine)[:400])
    return False


def errors(program, path):
    names = {}
    exec(open(path).read(), names)
    ours = Ours(program)
    bad = 0
    for case in names["cases"]:
        bad += not compare(ours, *(case if isinstance(case, tuple) else (case,)))
    print(len(names["cases"]), "cases,", bad, "different")


SPLICES = """( ) [ ] { } , : ; . = == := + - * ** / // @ -> not in is and or if else elif for while def class lambda
return yield await async import from as with try except finally raise pass break del global match case type None
True x print 1 1.5 'a' f'{x}' \\ ! ~ <> != += ... \n""".split() + ["\n", "\n    ", " "]


def mutate(program, count, seed, files):
    random.seed(seed)
    ours = Ours(program)
    bad = {}
    total = 0
    pieces = []
    for path in files:
        source = open(path, encoding="utf-8").read()
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        lines = source.splitlines(True)
        for node in tree.body:
            if node.end_lineno - node.lineno < 40:
                pieces.append("".join(lines[node.lineno - 1:node.end_lineno]))
    for _ in range(count):
        piece = random.choice(pieces)
        tokens = re.findall(r"\w+|\s+|[^\w\s]", piece)
        for _ in range(random.choice((1, 1, 1, 2))):
            if not tokens:
                break
            where = random.randrange(len(tokens))
            how = random.randrange(4)
            if how == 0:
                del tokens[where]
            elif how == 1:
                tokens.insert(where, random.choice((" ", "")) + random.choice(SPLICES) + " ")
            elif how == 2:
                tokens[where] = random.choice(SPLICES)
            else:
                other = random.randrange(len(tokens))
                tokens[where], tokens[other] = tokens[other], tokens[where]
        source = "".join(tokens)
        total += 1
        if not compare(ours, source, quiet=True):
            key = (their_error(source, "exec").split("|")[:2], ours.error(source).split("|")[:2])
            bad.setdefault(repr(key), []).append(source)
    print(total, "sources,", sum(map(len, bad.values())), "different")
    for key, sources in sorted(bad.items(), key=lambda item: -len(item[1]))[:25]:
        print("=====", len(sources), key)
        compare(ours, min(sources, key=len))


def tokens_of(path):
    """What syntax_dump -k -v prints."""
    import _tokenize

    out = []
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        try:
            for kind, text, start, end, line in _tokenize.TokenizerIter(file.readline, extra_tokens=True):
                out.append("%d %d:%d-%d:%d %s|%s\n" % (kind, *start, *end, text, line))
        except SyntaxError as error:
            place = error.args[1][1:] if len(error.args) > 1 else ()
            if place:
                line, offset, text, *end = place
                end_line, end_offset = [0 if e is None else e for e in end]
                place = "%s|%s|%s|%s|%s" % (line, offset, -3 if end[0] is None else end_line, end_offset, text)
            out.append("%s|%s|%s" % (type(error).__name__, error.args[0], place or ""))
        except UnicodeError:
            return None
    return "".join(out).encode("utf-8", "surrogateescape")


def tokens(program, files):
    bad = 0
    for path in files:
        theirs = tokens_of(path)
        if theirs is None:
            continue
        mine = subprocess.run([program, "-k", path], capture_output=True).stdout.decode().split()[-1]
        if "%08x" % zlib.crc32(theirs) != mine:
            bad += 1
            full = subprocess.run([program, "-k", "-v", path], capture_output=True).stdout
            for a, b in zip(theirs.split(b"\n"), full.split(b"\n")):
                if a != b:
                    print(path, "\n   theirs", a, "\n   ours  ", b)
                    break
    print(len(files), "files,", bad, "different")


def unparse(program, files):
    """Every expression of the files, as annotations show it."""
    ours = Ours(program)
    total = bad = 0
    for path in files:
        source = open(path, encoding="utf-8").read()
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, (ast.Call, ast.BinOp, ast.Compare, ast.Lambda, ast.JoinedStr, ast.TemplateStr,
                                     ast.Dict, ast.Subscript, ast.IfExp, ast.ListComp, ast.BoolOp)):
                continue
            text = ast.get_source_segment(source, node)
            if text is None or len(text) > 2000 or "\\" in text:
                continue
            names = {}
            try:
                exec(compile("from __future__ import annotations\ndef f(x: (" + text + ")): pass", "", "exec"), names)
                theirs = names["f"].__annotations__["x"]
            except Exception:
                continue
            mine = ours.error("(" + text + ")", "unparse")
            total += 1
            if mine != theirs:
                bad += 1
                if bad < 20:
                    print(repr(text), "\n   theirs", repr(theirs), "\n   ours  ", repr(mine))
    print(total, "expressions,", bad, "different")


if __name__ == "__main__":
    what, program = sys.argv[1:3]
    if what == "trees":
        trees(program, sys.argv[3:])
    elif what == "errors":
        errors(program, sys.argv[3])
    elif what == "tokens":
        tokens(program, sys.argv[3:])
    elif what == "unparse":
        unparse(program, sys.argv[3:])
    else:
        mutate(program, int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
