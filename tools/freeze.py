"""Compiles the modules that every program imports: freeze.py STDLIB FROZEN.c FROZEN.data. Run by tools/freeze."""
import marshal
import sys
import zlib

# Name, the file's module ("<" before it: the __init__ of a package), whether it is a package.
MODULES = [
    ("_frozen_importlib", "importlib._bootstrap", False),
    ("_frozen_importlib_external", "importlib._bootstrap_external", False),
    ("zipimport", "zipimport", False),
] + [(name, name, False) for name in (
    "abc", "codecs", "io", "_collections_abc", "_sitebuiltins", "genericpath", "ntpath", "posixpath", "os", "site", "stat",
    "importlib.util", "importlib.machinery", "runpy")] + [
    ("encodings", "encodings", True),
    ("encodings.aliases", "encodings.aliases", False),
    ("encodings.utf_8", "encodings.utf_8", False),
    ("encodings.utf_8_sig", "encodings.utf_8_sig", False),
    ("__hello__", "__hello__", False),
    ("__hello_alias__", "__hello__", False),
    ("__phello_alias__", "__hello__", True),
    ("__phello_alias__.spam", "__hello__", False),
    ("__phello__", "__phello__", True),
    ("__phello__.__init__", "<__phello__", False),
    ("__phello__.spam", "__phello__.spam", False),
]

def read(library, original, package):
    path = library + "/" + original.lstrip("<").replace(".", "/")
    names = [path + "/__init__.py"] if original[0] == "<" else [path + "/__init__.py", path + ".py"] if package else [path + ".py"]
    for name in names:
        try:
            with open(name, "rb") as file:
                return file.read()
        except OSError:
            pass
    return None

def main(library, table_name, data_name):
    data = bytearray()
    rows = []
    for name, original, package in MODULES:
        source = read(library, original, package)
        if source is None:
            continue
        shown = original.lstrip("<") if name.startswith("_frozen") else name
        code = marshal.dumps(compile(source, "<frozen %s>" % shown, "exec", dont_inherit=True, optimize=0))
        essential = name.startswith("_frozen") or name == "zipimport"
        rows.append('    { "%s", "%s", %d, %d, %d, %d },\n' % (name, original, package, essential, len(data), len(code)))
        data += code
        data += bytes(-len(data) % 16)
    with open(data_name, "wb") as file:
        file.write(data)
    with open(table_name, "w") as file:
        file.write('/* Made by tools/freeze; the data: %08x. */\n#include "runtime/frozen.h"\n\nconst TyFrozen ty_frozen_modules[] = {\n%s    {0},\n};\n\n' % (zlib.crc32(data), "".join(rows)))
        file.write('__asm__(".pushsection .rodata\\n.balign 16\\n.globl ty_frozen_data\\nty_frozen_data:\\n.incbin \\"%s\\"\\n.popsection\\n");\n' % data_name)

main(*sys.argv[1:])
