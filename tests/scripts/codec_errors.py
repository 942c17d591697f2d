# Encoding and decoding with every error handler, and what the errors say: a checksum for each group, all of it with -v.
import codecs
import _codecs
import sys
import warnings
import zlib

warnings.simplefilter("ignore")
codecs.register_error("test.mark", lambda e: ("[%d,%d]" % (e.start, e.end), e.end))
codecs.register_error("test.bytes", lambda e: (b"abcd", e.end))
codecs.register_error("test.accent", lambda e: ("\xe9", e.end))
codecs.register_error("test.far", lambda e: ("", 1000))
codecs.register_error("test.back", lambda e: ("", -1000))
codecs.register_error("test.wrong", lambda e: 42)

HANDLERS = ["strict", "ignore", "replace", "backslashreplace", "xmlcharrefreplace", "namereplace", "surrogateescape",
            "surrogatepass", "test.mark", "test.bytes", "test.accent", "test.far", "test.back", "test.wrong", "test.none"]


def attempt(function, *arguments):
    try:
        result = function(*arguments)
    except Exception as error:
        result = type(error).__name__, str(error), getattr(error, "__notes__", None)
        if isinstance(error, UnicodeError):
            result += error.encoding, error.object, error.start, error.end, error.reason
    line = " ".join([function.__name__, *(ascii(a) for a in arguments), "->", ascii(result)])
    if "-v" in sys.argv:
        print(line)
    global count, total
    count += 1
    total = zlib.crc32(line.encode(), total)


def group(name):
    global count, total
    if "-v" not in sys.argv:
        print(name, count, total)
    count = total = 0


count = total = 0


for text in ["abc", "a\udc80\udc81b", "\ud800", "\xe9\u20ac\U0001f40d!", "\udc80\xe9\udc81", ""]:
    for encoding in ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-7", "latin-1", "ascii", "cp1252",
                     "koi8-r"]:
        for handler in HANDLERS:
            attempt(str.encode, text, encoding, handler)
        group("encoding " + encoding)

BROKEN = [b"a\xffb", b"\xe2\x82", b"\xe2\x82x", b"\xed\xa0\x80", b"\xed\xa0", b"\xf0\x9f\x90", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\x80",
          b"\xe2\x28\xa1", b"\xf0\x90\x28\xbc", b"ok \xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8d", b"\xff\xfea\x00\x00\xd8", b"\xfe\xff\x00a\xdc\x00",
          b"\xff\xfe\x00\xd8A", b"\xff\xfe\x00\x00a\x00\x00\x00\x00\x00\x11\x00", b"\x00\x00\xfe\xff\x00\x00\xd8\x00", b"\x00\x00\x11",
          b"+2AA-", b"+2ADcAA-", b"a+b", b"+AGE-x", b"+-", b"+A", b"+AG!x", b"+/////-", b"\xe9", b"+\x80", b"+AGEAYQBi", b""]
for data in BROKEN:
    for encoding in ["utf-8", "utf-16", "utf-16-be", "utf-32", "utf-7", "ascii", "cp1252", "cp1253"]:
        for handler in HANDLERS:
            attempt(bytes.decode, data, encoding, handler)
    group("decoding " + repr(data))

for name in ["utf_8", "utf_7", "utf_16", "utf_16_be", "utf_32", "utf_32_le", "utf_16_ex", "utf_32_ex"]:
    function = getattr(_codecs, name + "_decode")
    for data in BROKEN:
        attempt(function, data, "replace")
    for data in ["é€🐍".encode("utf-8"), "é€🐍".encode("utf-16"), "é€🐍".encode("utf-32")]:
        for end in range(len(data)):
            attempt(function, data[:end], "replace")
    group(name + " in pieces")

ESCAPES = [rb"\x41\u0042\U00000043\N{SPACE}\101\n\\\'\"\a\b\f\r\t\v", rb"\x4", rb"\x4g", rb"\u12", rb"\u123x", rb"\U0011FFFF", rb"\U1234",
           rb"\N", rb"\N{", rb"\N{}", rb"\N{NO SUCH}", rb"\N{SPACE", b"\\", rb"\d\q", rb"\777", rb"\8", b"a\\\nb", b"\xe9\xff", rb"\\u1234", rb"a\u"]
for data in ESCAPES:
    for handler in ["strict", "ignore", "replace", "backslashreplace", "test.mark"]:
        for final in [True, False]:
            attempt(_codecs.unicode_escape_decode, data, handler, final)
            attempt(_codecs.raw_unicode_escape_decode, data, handler, final)
        attempt(_codecs.escape_decode, data, handler)
    group("escapes " + repr(data))
for text in ["abc", "\t\n\r\x00\x1f\x7f\x80\xff'\"\\", "\u0100\uffff\U00010000\ud800"]:
    attempt(_codecs.unicode_escape_encode, text)
    attempt(_codecs.raw_unicode_escape_encode, text)
    attempt(_codecs.utf_7_encode, text)
attempt(_codecs.escape_encode, bytes(range(256)))

group("writing escapes")
mappings = [{97: 65}, {97: b"xy"}, {97: None}, {97: 300}, {97: "x"}, {}, None, [1] * 98]
for mapping in mappings:
    for handler in ["strict", "replace", "ignore", "xmlcharrefreplace", "test.mark"]:
        attempt(_codecs.charmap_encode, "abba", handler, mapping)
for mapping in [{97: "A"}, {97: 65}, {97: None}, {97: -1}, {97: 0x110000}, {97: b"x"}, {97: "long"}, {97: 0xFFFE}, "x" * 98, "\ufffe" * 99, "", None]:
    for handler in ["strict", "replace", "ignore", "test.mark"]:
        attempt(_codecs.charmap_decode, b"aba", handler, mapping)
attempt(_codecs.charmap_build, "abc")
print(type(_codecs.charmap_build("\0" + "".join(map(chr, range(1, 256))))))
group("maps")

attempt(codecs.lookup, "no such encoding")
attempt(str.encode, "a", "rot13")
attempt(bytes.decode, b"a", "hex")
attempt(codecs.encode, "a", "rot13")
attempt(codecs.encode, "a", "hex")
attempt(codecs.decode, b"6162", "hex")
attempt(codecs.register, 1)
attempt(codecs.lookup_error, "test.none")
attempt(_codecs._unregister_error, "strict")
attempt(_codecs._unregister_error, "test.none")
attempt(_codecs._unregister_error, "test.far")
group("the registry")
for handler in ["strict", "ignore", "replace", "backslashreplace", "xmlcharrefreplace", "namereplace", "surrogateescape", "surrogatepass"]:
    for error in [UnicodeEncodeError("utf-8", "a\udc80b", 1, 2, "why"), UnicodeDecodeError("utf-8", b"a\xed\xb2\x80b", 1, 4, "why"),
                  UnicodeTranslateError("a\xe9\u20ac", 0, 3, "why"), UnicodeEncodeError("ascii", "", 0, 5, "why"), ValueError("other")]:
        attempt(codecs.lookup_error(handler), error)
    group("handler " + handler)
for name in ["UTF-8", "utf_8", "U8", "latin 1", "L1", "ISO-8859-15", "cp437", "mac-roman"]:
    print(name, codecs.lookup(name).name)
