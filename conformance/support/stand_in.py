"""What takes the place of CPython's C API test modules (`_testlimitedcapi` and its like), so that a test file that
imports one at its top can be loaded at all.

Such a module is CPython's C API made callable from Python. Another implementation has no such thing, but of a file's
hundreds of cases only a few need it. `stand_in` gives a module from which any name can be had, and whose every use skips
the case that uses it, with a reason that says so. What has a meaning in plain Python is handed over as a function.
"""

import sys
import types
import unittest


class Absent:
    """A name of CPython's C API: having it does no harm, using it skips the case."""

    def __init__(self, name):
        object.__setattr__(self, "_name", name)

    def _skip(self, *arguments, **keywords):
        raise unittest.SkipTest(object.__getattribute__(self, "_name") + " is CPython's C API")

    __call__ = __getattr__ = __setattr__ = __delattr__ = __getitem__ = __iter__ = __index__ = __int__ = __bool__ = _skip
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __hash__ = __mro_entries__ = _skip


class AbsentSpec:
    """The spec of such a module: importing it again works, asking what kind of module it is skips."""

    _initializing = False

    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        raise unittest.SkipTest(self._name + " is CPython's C API")


class StandIn(types.ModuleType):
    def __getattr__(self, attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return Absent(self.__name__ + "." + attribute)


def stand_in(name, kind=StandIn, **values):
    """Puts a module with these values in sys.modules; when `kind` is types.ModuleType it has no other names."""
    module = kind(name, "Stands in for a module of CPython's C API.")
    module.__spec__ = AbsentSpec(name)
    module.__dict__.update(values)
    sys.modules[name] = module
