"""This runtime's build variables, but for the one that says that it has no GIL; see conformance/README.md."""

import importlib
import sys

_name = f"_sysconfigdata_{sys.abiflags}_{sys.platform}_{sys.implementation._multiarch}"
build_time_vars = importlib.import_module(_name).build_time_vars | {"Py_GIL_DISABLED": 0}
