"""Slices: reading, assigning, deleting, slice objects, __index__."""
data = list(range(10))
print(data[2:5], data[:-3], data[::-1], data[7:2:-2], data[-3:], data[100:], data[:100:4], data[:])
text, raw, tup, ran = "abcdefghij", b"abcdefghij", tuple(data), range(0, 100, 10)
for s in (slice(None), slice(1, 8, 3), slice(None, None, -1), slice(-4, -1), slice(8, 2), slice(8, 2, -3), slice(-100, 100)):
    print(s, text[s], raw[s], tup[s], ran[s], s.indices(10))
d = list("abcdef")
d[1:3] = "XYZ"
print(d)
d[::2] = range(4)
print(d)
d[2:2] = ["ins", "ert"]
print(d)
del d[::3]
print(d)
d[:] = []
print(d)
try:
    data[::3] = [1, 2]
except ValueError as error:
    print(error)
for bad in (lambda: data[::0], lambda: data["a"], lambda: data[1.0], lambda: data[1:"x"], lambda: [][0], lambda: ()[5], lambda: ""[1], lambda: b""[1],
            lambda: range(3)[5], lambda: data.__setitem__(50, 1), lambda: data.__delitem__(50)):
    try:
        bad()
    except (ValueError, TypeError, IndexError) as error:
        print(type(error).__name__, error)
class Index:
    def __index__(self):
        return 3
print(data[Index()], data[Index():], "abc" * Index(), hex(Index()))
class Show:
    def __getitem__(self, key):
        return key
s = Show()
print(s[1], s[1:2], s[1:2:3], s[..., 1], s[:, 2:], s[()], s[1,], s[*[1, 2], 3])
ba = bytearray(b"0123456789")
ba[2:5] = b"__"
del ba[::4]
ba[-1:] = b"end"
print(ba)
print(slice(1, 2) == slice(1, 2), hash(slice(1, 2)) == hash(slice(1, 2)), slice(1, 2) < slice(1, 3), slice(5).start)
mv = memoryview(bytearray(b"abcdef"))
mv[1:3] = b"ZZ"
print(bytes(mv), mv[::2].tolist(), mv[-1])
matrix = [[1, 2, 3], [4, 5, 6]]
print([row[::-1] for row in matrix[::-1]], data[2:8][1:3][0])
i = 2
data[i], data[i + 1] = data[i + 1], data[i]
print(data)
