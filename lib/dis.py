"""Shows the instructions that code consists of.

Typhon's instructions are words of 64 bits for a machine with registers; some are followed by a second word. A listing has the source line, the
labels that jumps go to, the instruction's name and its operands, the destination first: variables by their names, temporaries as t0, t1, …,
constants as they are written. Offsets count two for each word, as in co_lines(), f_lasti and tb_lasti.
"""

import collections
import io
import sys
import types

import _opcode
from _opcode import stack_effect

__all__ = ["code_info", "dis", "disassemble", "distb", "disco", "findlinestarts", "findlabels", "show_code", "get_instructions",
           "Instruction", "Bytecode", "cmp_op", "stack_effect", "hascompare", "opname", "opmap", "HAVE_ARGUMENT", "EXTENDED_ARG", "hasarg",
           "hasconst", "hasname", "hasjump", "hasjrel", "hasjabs", "hasfree", "haslocal", "hasexc"]

# The library's opcode module goes on giving the reference interpreter's numbering; these are the numbers of our own table.
_table = _opcode.get_instructions()
opname = [row[0] for row in _table]
opmap = {name: number for number, name in enumerate(opname)}
cmp_op = ("<", "<=", "==", "!=", ">", ">=")
HAVE_ARGUMENT = 0           # there is no number from which on instructions have operands: see hasarg
EXTENDED_ARG = len(opname)  # no instruction has this number: operands are never extended

_all = range(len(opname))
hasarg = [op for op in _all if _opcode.has_arg(op)]
hasconst = [op for op in _all if _opcode.has_const(op)]
hasname = [op for op in _all if _opcode.has_name(op)]
hasjump = [op for op in _all if _opcode.has_jump(op)]
hasjrel = hasjump
hasjabs = []
hasfree = [op for op in _all if _opcode.has_free(op)]
haslocal = [op for op in _all if _opcode.has_local(op)]
hasexc = []
hascompare = [opmap[name] for name in ("LESS", "LESS_EQUAL", "EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL")]

_have_code = (types.MethodType, types.FunctionType, types.CodeType, classmethod, staticmethod, type)
_WORD, _UNIT = 8, 2  # bytes of a word in co_code; what it counts in offsets

COMPILER_FLAG_NAMES = {
    1: "OPTIMIZED", 2: "NEWLOCALS", 4: "VARARGS", 8: "VARKEYWORDS", 16: "NESTED", 32: "GENERATOR", 64: "NOFREE", 128: "COROUTINE",
    256: "ITERABLE_COROUTINE", 512: "ASYNC_GENERATOR", 0x4000000: "HAS_DOCSTRING", 0x8000000: "METHOD",
}

Positions = collections.namedtuple("Positions", "lineno end_lineno col_offset end_col_offset", defaults=[None] * 4)

_Fields = collections.namedtuple("_Instruction", "opname opcode arg argval argrepr offset start_offset starts_line line_number label positions cache_info",
                                 defaults=[None, None, None])


class Instruction(_Fields):
    """One instruction.

    opname, opcode    its name and number
    arg               its number, name's index, constant's index or jump, if it has one
    argval            what that stands for: the name, the constant, the offset jumped to; else a tuple of the registers' names
    argrepr           all operands as text
    offset            where it is; start_offset is the same
    starts_line       whether a source line begins here
    line_number       its source line, or None
    label             the label of jumps to it, or None
    positions         where in the source it comes from
    """

    @property
    def oparg(self):
        return self.arg

    @property
    def baseopcode(self):
        return self.opcode

    @property
    def baseopname(self):
        return self.opname

    @property
    def cache_offset(self):
        return self.end_offset

    @property
    def end_offset(self):
        return self.offset + _UNIT * _table[self.opcode][1]

    @property
    def jump_target(self):
        return self.argval if _table[self.opcode][3] else None

    @property
    def is_jump_target(self):
        return self.label is not None

    def __str__(self):
        output = io.StringIO()
        Formatter(file=output).print_instruction(self, False)
        return output.getvalue()


# --- words -------------------------------------------------------------------------------------------------------------------------

def _words(code):
    for at in range(0, len(code) // _WORD * _WORD, _WORD):
        yield int.from_bytes(code[at:at + _WORD], "little")


def _signed(number, bits):
    return number - (1 << bits) if number >> (bits - 1) else number


def _unpack(code):
    """(index of the word, opcode, the first word, the second word or None) of each instruction."""
    words = list(_words(code))
    index = 0
    while index < len(words):
        op = words[index] & 0xFFFF
        if op >= len(opname):
            raise ValueError(f"no instruction has the number {op}")
        length = _table[op][1]
        yield index, op, words[index], words[index + 1] if length == 2 and index + 1 < len(words) else None
        index += length


def _jump(index, op, word, second):
    kind = _table[op][3]
    if not kind:
        return None
    return (index + (_signed(word >> 32, 32) if kind == 1 else _signed((second or 0) & 0xFFFFFFFF, 32))) * _UNIT


class _Names:
    """What registers, names and constants are called."""

    def __init__(self, co=None):
        self.registers = _register_names(co) if co else []
        self.names = co.co_names if co else ()
        self.constants = co.co_consts if co else ()

    def register(self, number):
        if number < len(self.registers):
            return self.registers[number]
        return f"t{number - len(self.registers)}"

    def constant(self, number):
        return self.constants[number] if number < len(self.constants) else None


def _register_names(co):
    names = []
    while True:
        try:
            names.append(co._varname_from_oparg(len(names)))
        except IndexError:
            return names


def _operands(names, index, op, word, second):
    """(arg, argval, argrepr)"""
    _, _, registers, jump, has_name_, format = _table[op]
    a, b, c = word >> 16 & 0xFFFF, word >> 32 & 0xFFFF, word >> 48
    shown = [names.register(r) for r, bit in ((a, 1), (b, 2), (c, 4)) if registers & bit]
    arg, argval = None, tuple(shown) if shown else None
    if format in ("A_IMM", "IMM"):
        arg = argval = _signed(word >> 32, 32)
        if opname[op] in ("LOAD_CONST", "MAKE_FUNCTION"):
            argval = names.constant(arg)
            shown.append(repr(argval))
        else:
            shown.append(str(arg))
    elif format in ("AB_N", "ABC_N", "ABC_NAME", "ABC_N_EXT"):
        arg = c
        shown.append(str(c))
    elif format == "ABC_I":
        arg = _signed(c, 16)
        shown.append(str(arg))
    elif format == "AB_N_JUMP":
        shown.append("true" if c else "false")
    elif format == "AI_N_JUMP":
        shown += [str(_signed(b, 16)), "true" if c else "false"]
    if has_name_:
        arg = second & 0xFFFFFFFF
        argval = names.names[arg] if arg < len(names.names) else str(arg)
        shown.append(argval)
    elif jump:
        argval = _jump(index, op, word, second)
        arg = argval // _UNIT - index
        shown.append(f"to {argval}")
    elif opname[op] in ("CALL_KW", "CALL_METHOD_KW"):
        argval = names.constant(second & 0xFFFFFFFF)
        shown.append(repr(argval))
    elif format in ("AB_EXT", "ABC_EXT"):
        shown.append(str(second & 0xFFFFFFFF))
        if format == "AB_EXT":
            shown.append(str(second >> 32))
    return arg, argval, ", ".join(shown)


# --- facts about code --------------------------------------------------------------------------------------------------------------

def findlabels(code):
    """The offsets that are jumped to, of bytes of instructions."""
    labels = []
    for index, op, word, second in _unpack(code):
        target = _jump(index, op, word, second)
        if target is not None and target not in labels:
            labels.append(target)
    return labels


def findlinestarts(code):
    """Pairs of an offset and the source line that begins there, or None where there is no line."""
    last = False
    for start, end, line in code.co_lines():
        if line is not last:
            last = line
            yield start, line


def _find_imports(co):
    """(name, level, from list) of each import, as far as the code alone tells."""
    constants, known = co.co_consts, {}
    for index, op, word, second in _unpack(co.co_code):
        name, a, b = opname[op], word >> 16 & 0xFFFF, word >> 32 & 0xFFFF
        if name == "LOAD_CONST":
            known[a] = constants[_signed(word >> 32, 32)]
        elif name == "LOAD_INT":
            known[a] = _signed(word >> 32, 32)
        elif name == "IMPORT_NAME" and b in known and b + 1 in known:
            yield co.co_names[second & 0xFFFFFFFF], known[b], known[b + 1]


def _find_store_names(co):
    """The global names that the code stores."""
    stores = {opmap["STORE_NAME"], opmap["STORE_GLOBAL"]}
    yield from dict.fromkeys(co.co_names[second & 0xFFFFFFFF] for _, op, _, second in _unpack(co.co_code) if op in stores)


def _try_compile(source, name):
    try:
        return compile(source, name, "eval")
    except SyntaxError:
        return compile(source, name, "exec")


def _get_code_object(x):
    for attribute in ("__func__", "__code__", "gi_code", "ag_code", "cr_code"):
        if hasattr(x, attribute):
            x = getattr(x, attribute)
    if isinstance(x, str):
        x = _try_compile(x, "<disassembly>")
    if hasattr(x, "co_code"):
        return x
    raise TypeError(f"don't know how to disassemble {type(x).__name__} objects")


def pretty_flags(flags):
    """The names of a code object's flags."""
    names = [COMPILER_FLAG_NAMES.get(1 << bit, hex(1 << bit)) for bit in range(32) if flags >> bit & 1]
    return ", ".join(names) or hex(flags)


def _format_code_info(co):
    lines = [f"Name:              {co.co_name}", f"Filename:          {co.co_filename}", f"Argument count:    {co.co_argcount}",
             f"Positional-only arguments: {co.co_posonlyargcount}", f"Kw-only arguments: {co.co_kwonlyargcount}",
             f"Number of locals:  {co.co_nlocals}", f"Stack size:        {co.co_stacksize}", f"Flags:             {pretty_flags(co.co_flags)}"]
    for title, values, show in (("Constants:", co.co_consts, repr), ("Names:", co.co_names, str), ("Variable names:", co.co_varnames, str),
                                ("Free variables:", co.co_freevars, str), ("Cell variables:", co.co_cellvars, str)):
        if values:
            lines.append(title)
            lines += [f"{number:4d}: {show(value)}" for number, value in enumerate(values)]
    return "\n".join(lines)


def code_info(x):
    """What is known of a function, method, class's code, generator, source text or code object, as text of many lines."""
    return _format_code_info(_get_code_object(x))


def show_code(co, *, file=None):
    """Prints that."""
    print(code_info(co), file=file)


# --- instructions ------------------------------------------------------------------------------------------------------------------

def _exception_table(co):
    """(start, end, target, register) of each range of instructions that a handler covers; offsets."""
    table = memoryview(co.co_exceptiontable).cast("I") if len(co.co_exceptiontable) % 16 == 0 else []
    return [(table[i] * _UNIT, table[i + 1] * _UNIT, table[i + 2] * _UNIT, table[i + 3]) for i in range(0, len(table), 4)]


def _labels(co):
    targets = set(findlabels(co.co_code)) | {target for _, _, target, _ in _exception_table(co)}
    return {offset: number for number, offset in enumerate(sorted(targets), 1)}


def _instructions(co, line_offset=0):
    names, labels = _Names(co), _labels(co)
    positions = list(co.co_positions())
    last = False
    for index, op, word, second in _unpack(co.co_code):
        offset = index * _UNIT
        place = Positions(*positions[index]) if index < len(positions) else Positions()
        line = place.lineno + line_offset if place.lineno is not None else None
        arg, argval, argrepr = _operands(names, index, op, word, second)
        if _table[op][3] and argval in labels:
            argrepr = argrepr.rpartition("to ")[0] + f"to L{labels[argval]}"
        yield Instruction(opname[op], op, arg, argval, argrepr, offset, offset, line is not last and line is not None, line, labels.get(offset), place)
        last = line


def get_instructions(x, *, first_line=None, show_caches=None, adaptive=False):
    """Iterates over the Instructions of a function, method, source text or code object."""
    co = _get_code_object(x)
    return _instructions(co, first_line - co.co_firstlineno if first_line is not None else 0)


class Formatter:
    """Prints instructions in columns."""

    def __init__(self, file=None, lineno_width=0, offset_width=0, label_width=0, line_offset=0, show_caches=False, *, show_positions=False):
        self.file, self.lineno_width, self.offset_width, self.label_width, self.show_positions = file, lineno_width, offset_width, label_width, show_positions

    def print_instruction(self, instruction, mark_as_current=False):
        if instruction.starts_line and instruction.offset > 0 and self.lineno_width:
            print(file=self.file)
        fields = []
        if self.show_positions:
            p = instruction.positions
            shown = "" if p.lineno is None else f"{p.lineno}:{p.col_offset}-{p.end_lineno}:{p.end_col_offset}"
            fields.append(shown.ljust(self.lineno_width))
        elif self.lineno_width:
            shown = str(instruction.line_number) if instruction.starts_line else ""
            fields.append(shown.rjust(self.lineno_width))
        fields.append("-->" if mark_as_current else "   ")
        label = f"L{instruction.label}:" if instruction.label is not None else ""
        fields.append(label.rjust(self.label_width + 2 if self.label_width else 0))
        if self.offset_width:
            fields.append(str(instruction.offset).rjust(self.offset_width))
        fields.append(instruction.opname.ljust(22))
        fields.append(instruction.argrepr)
        print(" ".join(fields).rstrip(), file=self.file)

    def print_exception_table(self, entries, names, labels):
        if entries:
            print("ExceptionTable:", file=self.file)
        for start, end, target, register in entries:
            first = f"L{labels[start]}" if start in labels else start
            last = f"L{labels[end]}" if end in labels else end
            print(f"  {first} to {last} -> L{labels[target]} in {names.register(register)}", file=self.file)


def disassemble(co, lasti=-1, *, file=None, show_caches=False, adaptive=False, show_offsets=False, show_positions=False):
    """Prints the instructions of a code object; the one at lasti is marked."""
    instructions, labels = list(_instructions(co)), _labels(co)
    width = max((len(str(i.line_number)) for i in instructions if i.line_number is not None), default=0)
    if show_positions:
        width = max((len(f"{p.lineno}:{p.col_offset}-{p.end_lineno}:{p.end_col_offset}") for p in (i.positions for i in instructions)), default=0)
    last = instructions[-1].offset if instructions else 0
    formatter = Formatter(file, max(width, 3), len(str(last)) if show_offsets else 0, len(str(len(labels))) if labels else 0, show_positions=show_positions)
    for instruction in instructions:
        formatter.print_instruction(instruction, instruction.offset <= lasti < instruction.end_offset)
    formatter.print_exception_table(_exception_table(co), _Names(co), labels)


disco = disassemble


def _disassemble_recursive(co, *, depth=None, **options):
    disassemble(co, **options)
    if depth is None or depth > 0:
        depth = None if depth is None else depth - 1
        for constant in co.co_consts:
            if hasattr(constant, "co_code"):
                print(f"\nDisassembly of {constant!r}:", file=options.get("file"))
                _disassemble_recursive(constant, depth=depth, **options)


def dis(x=None, *, file=None, depth=None, show_caches=False, adaptive=False, show_offsets=False, show_positions=False):
    """Prints the instructions of a class, module, function, method, generator, source text or code object, those of nested code too;
    without an argument, of the function that the last traceback ended in."""
    options = dict(file=file, show_offsets=show_offsets, show_positions=show_positions)
    if x is None:
        distb(**options)
        return
    for attribute in ("__func__", "__code__", "gi_code", "ag_code", "cr_code"):
        if hasattr(x, attribute):
            x = getattr(x, attribute)
    if hasattr(x, "__dict__"):
        for name, value in sorted(x.__dict__.items()):
            if isinstance(value, _have_code):
                print(f"Disassembly of {name}:", file=file)
                try:
                    dis(value, depth=depth, **options)
                except TypeError as error:
                    print("Sorry:", error, file=file)
                print(file=file)
    elif hasattr(x, "co_code"):
        _disassemble_recursive(x, depth=depth, **options)
    elif isinstance(x, (bytes, bytearray)):
        _disassemble_bytes(x, file)
    elif isinstance(x, str):
        _disassemble_recursive(_try_compile(x, "<dis>"), depth=depth, **options)
    else:
        raise TypeError(f"don't know how to disassemble {type(x).__name__} objects")


def _disassemble_bytes(code, file):
    names, formatter = _Names(), Formatter(file)
    for index, op, word, second in _unpack(code):
        arg, argval, argrepr = _operands(names, index, op, word, second)
        formatter.print_instruction(Instruction(opname[op], op, arg, argval, argrepr, index * _UNIT, index * _UNIT, False, None))


def distb(tb=None, *, file=None, show_caches=False, adaptive=False, show_offsets=False, show_positions=False):
    """Prints the code that a traceback ends in, by default the last one, with its instruction marked."""
    if tb is None:
        try:
            tb = sys.last_exc.__traceback__ if hasattr(sys, "last_exc") else sys.last_traceback
        except AttributeError:
            raise RuntimeError("no last traceback to disassemble") from None
        while tb.tb_next:
            tb = tb.tb_next
    disassemble(tb.tb_frame.f_code, tb.tb_lasti, file=file, show_offsets=show_offsets, show_positions=show_positions)


class Bytecode:
    """The instructions of a piece of code: iterating over it gives Instructions."""

    def __init__(self, x, *, first_line=None, current_offset=None, show_caches=False, adaptive=False, show_offsets=False, show_positions=False):
        self.codeobj = co = _get_code_object(x)
        self.first_line = co.co_firstlineno if first_line is None else first_line
        self._line_offset = self.first_line - co.co_firstlineno if first_line is not None else 0
        self._original_object = x
        self.current_offset, self.show_offsets, self.show_positions = current_offset, show_offsets, show_positions
        self.exception_entries = _exception_table(co)

    def __iter__(self):
        return _instructions(self.codeobj, self._line_offset)

    def __repr__(self):
        return f"{self.__class__.__name__}({self._original_object!r})"

    @classmethod
    def from_traceback(cls, tb, *, show_caches=False, adaptive=False):
        while tb.tb_next:
            tb = tb.tb_next
        return cls(tb.tb_frame.f_code, current_offset=tb.tb_lasti)

    def info(self):
        return _format_code_info(self.codeobj)

    def dis(self):
        output = io.StringIO()
        disassemble(self.codeobj, -1 if self.current_offset is None else self.current_offset, file=output, show_offsets=self.show_offsets,
                    show_positions=self.show_positions)
        return output.getvalue()


def main(args=None):
    import argparse
    parser = argparse.ArgumentParser(color=True)
    parser.add_argument("-C", "--show-caches", action="store_true", help="accepted and ignored: caches are no part of the code")
    parser.add_argument("-O", "--show-offsets", action="store_true", help="show instruction offsets")
    parser.add_argument("-P", "--show-positions", action="store_true", help="show instruction positions")
    parser.add_argument("-S", "--specialized", action="store_true", help="accepted and ignored: code does not change while it runs")
    parser.add_argument("infile", nargs="?", default="-")
    options = parser.parse_args(args=args)
    if options.infile == "-":
        name, source = "<stdin>", sys.stdin.buffer.read()
    else:
        name = options.infile
        with open(name, "rb") as file:
            source = file.read()
    dis(compile(source, name, "exec"), show_offsets=options.show_offsets, show_positions=options.show_positions)


if __name__ == "__main__":
    main()
