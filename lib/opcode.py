"""The numbering and the properties of Typhon's instructions.

They are those of a register machine, declared in one table (src/vm/instructions.h), which _opcode gives: nothing here has to be kept
in step by hand. The names that other modules look for are those of the standard library's own opcode module.
"""

import _opcode
from _opcode import stack_effect, has_const, has_name, has_jump, has_local, has_free, has_exc, has_arg

__all__ = ["cmp_op", "stack_effect", "hascompare", "opname", "opmap", "HAVE_ARGUMENT", "EXTENDED_ARG", "hasarg", "hasconst", "hasname",
           "hasjump", "hasjrel", "hasjabs", "hasfree", "haslocal", "hasexc"]

_table = _opcode.get_instructions()
opname = [row[0] for row in _table]
opmap = {name: number for number, name in enumerate(opname)}

cmp_op = ("<", "<=", "==", "!=", ">", ">=")
HAVE_ARGUMENT = 0           # there is no number from which on instructions have operands: see hasarg
EXTENDED_ARG = len(opname)  # no instruction has this number: operands are never extended

_all = range(len(opname))
hasarg = [op for op in _all if has_arg(op)]
hasconst = [op for op in _all if has_const(op)]
hasname = [op for op in _all if has_name(op)]
hasjump = [op for op in _all if has_jump(op)]
hasjrel = hasjump
hasjabs = []
hasfree = [op for op in _all if has_free(op)]
haslocal = [op for op in _all if has_local(op)]
hasexc = []
hascompare = [opmap[name] for name in ("LESS", "LESS_EQUAL", "EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL")]
