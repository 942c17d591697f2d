"""bytes, bytearray and memoryview."""
b = b"Hello, World"
print(b[0], b[-1:], b[2:5], b[::-1], len(b), b"a" + b"b", b"a" * 3, 108 in b, b"lo" in b, list(b"ab"), bytes([1, 2, 255]), bytes(3), bytes("é", "utf-8"), bytes(range(3)))
print(b.upper(), b.find(b"o"), b.rfind(b"o"), b.count(b"l"), b.replace(b"l", b"L"), b.split(b", "), b.partition(b","), b" x ".strip(), b"a,b".rsplit(b","), b"-".join([b"a", b"b"]), b.startswith(b"He"), b.find(111))
print(b.hex(), b.hex(":"), b.hex("-", 2), bytes.fromhex("00 ff 10"), b"ab".center(6, b"*"), b"5".zfill(3), b"a\tb".expandtabs(2), b"abc".translate(None, b"b"), b"abc".translate(bytes.maketrans(b"a", b"z")), b"aXb".swapcase(), b"ab cd".title())
print(repr(b"it's \x00\xff\n\t\\ \""), repr(b"'\""), str(b"abc", "ascii"), b"\xc3\xa9".decode(), b"\xff\xfea\x00".decode("utf-16"), b"a\xffb".decode("utf-8", "replace"), b"a\xff".decode("ascii", "backslashreplace"), b"a\xff".decode("utf-8", "surrogateescape").encode("utf-8", "surrogateescape"))
print(b"abc" < b"abd", b"a" == "a", b"ab" == bytearray(b"ab"), hash(b"x") == hash(bytes(b"x")), b"%s %d %a %x %c" % (b"s", 5, "é", 255, 65), b"%(k)b" % {b"k": b"v"})
a = bytearray(b"abc")
a.append(100)
a.extend(b"ef")
a += b"g"
a[0] = 65
a.insert(1, 42)
print(a, a.pop(), a.pop(0), a, len(a))
a.remove(42)
a.reverse()
a[1:2] = b"XYZ"
del a[0]
a *= 2
print(a, a.copy() == a, a.find(b"Y"), a.isalpha(), bytes(a)[:2], bytearray(3), bytearray("é", "latin-1"), sorted(bytearray(b"cab")))
a.clear()
print(a, bool(a))
m = memoryview(bytearray(b"abcdefgh"))
print(m[0], m[1:3].tobytes(), m.tolist()[:3], len(m), m.format, m.itemsize, m.shape, m.readonly, m.nbytes, m.contiguous, m == b"abcdefgh", m[::2].tobytes())
m[0] = 90
m[2:4] = b"__"
print(m.obj, m.cast("H").shape, m.cast("I").itemsize, m.cast("B", [2, 4]).tolist(), m.hex())
with memoryview(b"abc") as r:
    try:
        r[0] = 1
    except TypeError as error:
        print(error)
try:
    r[0]
except ValueError as error:
    print(error)
e = bytearray(b"exported")
v = memoryview(e)
try:
    e.append(1)
except BufferError as error:
    print(error)
v.release()
e.append(33)
print(e)
for bad in (lambda: b"a" + "b", lambda: bytes([256]), lambda: bytes(-1), lambda: bytes("a"), lambda: b"abc"[5], lambda: b"a".index(b"z"), lambda: bytes.fromhex("0g"), lambda: bytearray(b"a").pop(5), lambda: b"a".join(["x"]), lambda: bytearray().pop(),
            lambda: bytes([1, "a"]), lambda: bytearray(b"a").append(300), lambda: b"a" < "b", lambda: b"".split(b""), lambda: b"%d" % b"x", lambda: bytes(1.5), lambda: memoryview(5), lambda: b"a" % 1, lambda: int.from_bytes("a"), lambda: bytearray(b"ab").remove(99)):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
import struct
print(struct.pack("<IhB3s?d", 1, -2, 3, b"abc", True, 1.5).hex(), struct.unpack(">Hb", b"\x01\x02\xff"), struct.calcsize("bhq"), struct.pack("!e", 1.5))
class B(bytes):
    pass
print(B(b"x") + b"y", type(B(b"x")[:]).__name__, isinstance(B(), bytes), B(b"abc").upper())
