"""Stands in for CPython's test module of its internal C API, with what test_class takes of it at its top: whether an instance
keeps its values where CPython does. `test.support` knows what to do without the rest. See stand_in.py."""

import types

from stand_in import Absent, stand_in


def get_recursion_depth():
    raise ImportError("test.support counts frames itself")


stand_in(__name__, types.ModuleType, has_inline_values=Absent("has_inline_values"), get_recursion_depth=get_recursion_depth)
