"""str: methods, searching, splitting, case, unicode, formatting."""
s = "Hello, World"
print(s.upper(), s.lower(), s.swapcase(), s.title(), "hello world".capitalize(), "ß".upper(), "ǅ".title(), "İ".lower().encode(), "ΑΣ".lower(), "straße".casefold())
print(s.find("o"), s.rfind("o"), s.find("z"), s.index("W"), s.count("l"), "aaaa".count("aa"), "abc".find(""), "abc".count(""), s.find("o", 5, 8))
print(s.replace("l", "L", 2), "aaa".replace("", "-"), "aaa".replace("a", ""), s.startswith(("He", "x")), s.endswith("ld", 5), s.removeprefix("Hello"), s.removesuffix("ld"))
print("a,b,,c".split(","), " a  b ".split(), "a,b,c".split(",", 1), "a,b,c".rsplit(",", 1), "".split(), "".split(","), "a\nb\r\nc\x0bd\u2028e".splitlines(), "a\n".splitlines(True))
print("k=v=w".partition("="), "k=v=w".rpartition("="), "none".partition("="), "none".rpartition("="))
print("-".join(["a", "b", "c"]), "".join([]), ",".join("abc"), "-".join(["one"]), " x ".strip(), "xxaxx".strip("x"), "abcba".lstrip("ab"), "abcba".rstrip("ab"))
print("5".zfill(3), "-5".zfill(4), "+5".zfill(1), "ab".center(7, "*"), "ab".ljust(4) + "|", "ab".rjust(4), "a\tb\tc".expandtabs(4), "tab\t".expandtabs())
print("abc".isalpha(), "a1".isalnum(), "1".isdigit(), "²".isdigit(), "²".isdecimal(), "½".isnumeric(), "x1_".isidentifier(), "1x".isidentifier(), " \t".isspace(), "Ab Cd".istitle(), "ABC".isupper(), "abc".islower(), "é\n".isprintable(), "é".isascii())
print("abc" < "abd", "a" < "B", "" < "a", "é" > "z", "abc" == "abc", "a" * 3, 0 * "a", -1 * "x", "ell" in s, "" in "", "x" not in s)
print(s[0], s[-1], s[2:5], s[::-1], len("日本語😀"), "日本語😀"[3], "日本語😀"[::-1], ord("😀"), chr(128512), "\U0001f600" == "😀")
print(repr("it's"), repr('say "hi"'), repr("both ' and \""), repr("tab\t nl\n bs\\ nul\0 del\x7f é \u200b \ud800 😀"), ascii("é😀"))
print("{} {1} {0}".format if False else "{} {}".format(1, 2), "{1} {0} {1}".format("a", "b"), "{x} {y!r:>5}".format(x=1, y="z"), "{0[k]} {0[l][1]} {1.real}".format({"k": 1, "l": [1, 2]}, 5), "{{}}".format(), "{:>{w}}".format("a", w=4))
print("%s %r %d %5.2f %x %o %c %% %-5s| %05d %+d" % ("a", "b", 3, 1.5, 255, 8, "c", "l", 42, 7), "%(k)s" % {"k": "v"}, "%s" % (1,), "%s" % [1, 2], "%*d" % (5, 3), "%c" % 65, "%.2s" % "abc")
print("abc".translate({97: "X", 98: None, 99: 100}), "abc".translate(str.maketrans("ab", "AB", "c")), str.maketrans({"a": "1"}))
print("abc".encode(), "é".encode("latin-1"), "é".encode("utf-16-le"), "é€".encode("ascii", "replace"), "é".encode("ascii", "ignore"), "é".encode("ascii", "xmlcharrefreplace"), "é".encode("ascii", "backslashreplace"), "\udc80".encode("utf-8", "surrogateescape"))
print(str(5), str(None), str(b"ab", "ascii"), str(b"ab"), str(), str([1, "a"]), format(5, ">3"), format("a", "^5"), sorted("hello"), list("abc"), max("abc"), "abc".__contains__("b"))
print("a\
b", r"raw\n", """triple
line""", "con" "cat", "\x41\u0042\N{LATIN SMALL LETTER C}\101", len("\r\n"))
for bad in (lambda: "a" + 1, lambda: "a" % 1, lambda: "%d" % "x", lambda: "%s %s" % (1,), lambda: "{}{}".format(1), lambda: "{a}".format(), lambda: "{".format(), lambda: "abc".index("z"), lambda: "a".join([1]), lambda: "a".split(""),
            lambda: chr(-1), lambda: chr(0x110000), lambda: ord("ab"), lambda: "é".encode("ascii"), lambda: b"\xff".decode(), lambda: "a".encode("nope"), lambda: "a".center(5, "xx"), lambda: "ab"["x"], lambda: "a" * "b",
            lambda: "{0.x}".format(1), lambda: "{:d}".format("a"), lambda: "%z" % 1, lambda: "%(a)s" % 5, lambda: str(b"a", 5), lambda: "abc".foo, lambda: "a" < 1, lambda: "\ud800".encode()):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
class S(str):
    def __str__(self): return "S!"
print(S("x"), S("x") + "y", type(S("x") + "y").__name__, S("x") == "x", hash(S("x")) == hash("x"), {"x": 1}[S("x")], f"{S('x')}", "%s" % S("x"), "".join([S("p"), S("q")]))
print("a" "b".upper(), "x".__mul__(3), "x".__add__("y"), "%s" % "x", "abc".__getitem__(1), "hello"[1:-1].upper().center(9, "."))
print("ŉ".upper(), "ﬁ".upper(), "ά".upper(), "K".lower(), "ẞ".lower(), "ﬀ".title(), "i̇".upper())
