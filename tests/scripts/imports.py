"""import: forms, packages, relative imports, cycles, errors, sys.modules, hooks."""
import sys, os, tempfile, textwrap, importlib, shutil

root = tempfile.mkdtemp()
def write(path, text=""):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w") as file:
        file.write(textwrap.dedent(text))
write("pkg/__init__.py", """
    print("init", __name__, __package__)
    from . import sub
    __all__ = ["sub", "value"]
    value = 1
    hidden = 2
    def __getattr__(name):
        if name == "dynamic":
            return "from __getattr__"
        raise AttributeError(f"no {name}")
    """)
write("pkg/sub.py", """
    print("sub", __name__, __package__)
    from .deep import leaf
    from .deep.leaf import name as leaf_name
    def relative():
        from . import deep
        return deep.__name__
    """)
write("pkg/deep/__init__.py", "")
write("pkg/deep/leaf.py", "name = __name__\n")
write("cycle_a.py", "import cycle_b\nfrom cycle_b import y\nx = 1\n")
write("cycle_b.py", "import cycle_a\ny = hasattr(cycle_a, 'x')\n")
write("broken.py", "def f(:\n")
write("raises.py", "before = 1\nraise ValueError('at import')\n")
write("namespace/only.py", "where = __name__\n")
sys.path.insert(0, root)

import pkg.deep.leaf
print(pkg.deep.leaf.name, pkg.sub.leaf_name, pkg.sub.relative())
import pkg.deep.leaf as leaf, pkg as p
print(leaf is sys.modules["pkg.deep.leaf"], p.dynamic, p.__path__ == [os.path.join(root, "pkg")])
from pkg import sub, value as v, dynamic
print(sub.__name__, v, dynamic)
namespace = {}
exec("from pkg import *", namespace)
print(sorted(k for k in namespace if not k.startswith("__")))
import cycle_a
print(cycle_a.y)
import namespace.only
print(namespace.only.where, type(namespace.__path__).__name__, namespace.__file__)

def attempt(code):
    try:
        exec(code, {"__name__": "__main__"})
    except Exception as error:
        print(type(error).__name__, str(error).replace(root, "ROOT"), getattr(error, "name", None))
attempt("import missing_module")
attempt("import pkg.missing")
attempt("from pkg import absent")
attempt("import os.path.nothing")
attempt("from . import x")
attempt("import raises")
print("raises" in sys.modules)
try:
    import broken
except SyntaxError as error:
    print(error.msg, error.lineno, os.path.basename(error.filename))
sys.modules["blocked"] = None
attempt("import blocked")

class Finder:
    @staticmethod
    def find_spec(name, path, target=None):
        if name == "virtual":
            return importlib.machinery.ModuleSpec(name, Loader())
class Loader:
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        module.answer = 42
import importlib.machinery, importlib.util
sys.meta_path.append(Finder)
import virtual
print(virtual.answer, virtual.__spec__.name, virtual.__loader__.__class__.__name__)
write("changes.py", "n = 1\n")
importlib.invalidate_caches()
import changes
print(changes.n)
write("changes.py", "n = 1 + 10\n")
importlib.reload(changes)
print(changes.n, importlib.import_module("pkg.deep").__name__, importlib.util.find_spec("nothing_here"))
print(__import__("os").path is os.path, __import__("pkg.deep.leaf").__name__, __import__("pkg.deep", fromlist=["leaf"]).__name__)
def function_scope():
    import math as m
    from os import sep
    return m.pi > 3, sep
print(function_scope(), "m" in globals())
spec = importlib.util.spec_from_file_location("by_path", os.path.join(root, "changes.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module.n, module.__name__)
import types
made = types.ModuleType("made", "its doc")
print(made.__name__, made.__doc__, repr(made), made.__spec__)
shutil.rmtree(root)
