"""Files and streams: text and binary, seek, newlines, encodings, errors, io classes, os and pathlib."""
import io, os, sys, tempfile, pathlib, json, csv, shutil
root = pathlib.Path(tempfile.mkdtemp())
path = root / "a.txt"
with open(path, "w", encoding="utf-8", newline="") as f:
    print(f.write("line 1\nline 2\r\nüñ€😀\n"), f.tell(), f.name == str(path) or f.name == path, f.mode, f.closed, f.writable(), f.readable())
print(path.read_bytes())
with open(path, encoding="utf-8") as f:
    print(f.readline(), f.read(3), f.read(), repr(f.read()), f.encoding)
with open(path, encoding="utf-8", newline="") as f: print(f.readlines())
with open(path, "rb") as f:
    print(f.read(4), f.seek(-5, 2), f.read(), f.seek(0), f.readline(), f.tell(), f.peek(3)[:3], f.readinto(bytearray(3)))
with open(path, "r+b") as f:
    f.seek(5); f.write(b"X"); f.seek(0); print(f.readline()); f.truncate(8)
print(path.stat().st_size)
with open(path, "a") as f: print("appended", file=f, end="!")
print(path.read_text(), list(open(path)))
for mode in ("x", "q", "rw", ""):
    try: open(path, mode)
    except (ValueError, FileExistsError) as error: print(type(error).__name__, str(error).replace(str(root), "ROOT"))
for bad in (lambda: open(root / "missing"), lambda: open(root), lambda: open(path, "rb", encoding="utf-8"), lambda: os.listdir(root / "no"), lambda: os.mkdir(root)):
    try: bad()
    except (OSError, ValueError) as error: print(type(error).__name__, str(error).replace(str(root), "ROOT"))
f = open(path); f.close()
for bad in (lambda: f.read(), lambda: open(path, "w").read(), lambda: open(path).write("x")):
    try: bad()
    except (ValueError, io.UnsupportedOperation) as error: print(type(error).__name__, error)
(root / "latin").write_bytes(b"caf\xe9")
print(open(root / "latin", encoding="latin-1").read(), open(root / "latin", encoding="utf-8", errors="replace").read(), ascii(open(root / "latin", encoding="utf-8", errors="surrogateescape").read()))
try: open(root / "latin", encoding="utf-8").read()
except UnicodeDecodeError as error: print(error)
s = io.StringIO("one\ntwo\nthree")
print(s.readline(), s.tell(), s.read(2), s.getvalue()[:3], [line for line in s], s.seek(0), s.truncate(3), s.getvalue())
b = io.BytesIO(b"abc")
b.seek(0, 2); b.write(b"def"); b.seek(1)
print(b.read(2), b.getvalue(), b.getbuffer()[0], b.read1(), b.readable())
w = io.TextIOWrapper(io.BytesIO(), encoding="utf-16", newline="\r\n"); w.write("a\nb"); w.flush()
print(w.buffer.getvalue() in ("\ufeffa\r\nb".encode("utf-16-le"), "\ufeffa\r\nb".encode("utf-16-be")))
r = io.BufferedReader(io.BytesIO(bytes(range(100))), 16)
print(r.read(3), r.peek(1)[:1], r.read1(4), r.seek(50), r.read(2), io.BufferedWriter(io.BytesIO()).write(b"x"))
(root / "d").mkdir(); (root / "d" / "n.py").touch(); os.makedirs(root / "d" / "e" / "f", exist_ok=True)
print(sorted(os.listdir(root)), sorted(p.name for p in root.rglob("*")), [p.relative_to(root).as_posix() for p in sorted(root.glob("**/*.py"))])
print([(os.path.relpath(d, root), sorted(ds), sorted(fs)) for d, ds, fs in sorted(os.walk(root / "d"))])
os.rename(root / "latin", root / "moved"); shutil.copy(root / "moved", root / "copied"); os.symlink("moved", root / "link")
print(os.path.exists(root / "latin"), os.readlink(root / "link"), (root / "link").is_symlink(), os.path.getsize(root / "copied"), os.path.isdir(root), sorted(e.name for e in os.scandir(root) if e.is_file()))
p = pathlib.PurePosixPath("/usr/lib/x.tar.gz")
print(p.name, p.stem, p.suffix, p.suffixes, p.parent, p.parts, p.with_suffix(".zip"), p / ".." / "y", p.is_relative_to("/usr"), p.match("*.gz"), pathlib.PurePosixPath("a//b/./c"))
print(os.path.join("a", "/b", "c"), os.path.split("/a/b"), os.path.splitext("x.tar.gz"), os.path.normpath("a/../b//c/."), os.path.basename("/a/"), os.path.commonpath(["/a/b", "/a/c"]))
with open(root / "j", "w") as file: json.dump({"a": [1, 2.5, None, True, "é"]}, file)
print(json.load(open(root / "j")), json.dumps({"b": 1, "a": [1, {"c": ()}]}, indent=1, sort_keys=True), json.loads('[1e3, -0, "\\u00e9", {}]'))
for bad in ("[1,]", "{'a': 1}", "[1", "nul", ""):
    try: json.loads(bad)
    except json.JSONDecodeError as error: print(error)
out = io.StringIO()
writer = csv.writer(out); writer.writerow(["a", 'q"uote', "c,omma", 5, None])
print(out.getvalue(), list(csv.reader(io.StringIO('x,"y,z"\n1,"2""3"\n'))), list(csv.DictReader(io.StringIO("a,b\n1,2\n"))))
rfd, wfd = os.pipe(); os.write(wfd, b"pipe"); os.close(wfd); print(os.read(rfd, 10), os.read(rfd, 1)); os.close(rfd)
shutil.rmtree(root); print(root.exists())
print("to", "stdout", sep="-", end="\n", file=sys.stdout, flush=True)
