"""re: groups, flags, lookaround, substitution, splitting, errors."""
import re
m = re.search(r"(?P<year>\d{4})-(?P<month>\d\d)", "on 2026-11-22")
print(m, m.group(), m.group(1, "month"), m.groups(), m.groupdict(), m.span("year"), m.start(2), m["year"], m.lastgroup, m.string, m.re.pattern, m.expand(r"\2/\g<year>"))
print(re.match("b", "ab"), re.fullmatch("a+", "aaa"), re.findall(r"(\w)(\d)", "a1b2"), re.findall("x*", "axb"), re.split(r"([,;])\s*", "a, b;c"), re.split("", "ab"), re.sub("a", "b", "aaa", count=2), re.subn(r"(\w+)", lambda m: m[1].upper(), "ab cd"))
tests = [("a|b|cd", "xcd"), ("^a.c$", "a\nc"), ("(?s)a.c", "a\nc"), ("(?m)^b", "a\nb"), ("(?i)ÀB", "àb"), ("(?x) a  b # c", "ab"), ("a{2,3}?", "aaaa"), ("a*+a", "aaa"), ("(?>a+)b", "aab"), (r"\bfoo\b", "a foo b"), ("(?<=a)b", "ab"), ("(?<!a)b", "ab"), ("a(?=b)", "ab"), ("a(?!b)", "ab"),
         (r"(a)(?:b)(c)?\1", "aba"), ("(a)?(?(1)b|c)", "ab"), ("(a)?(?(1)b|c)", "c"), ("[^a-c]+", "abcxyz"), (r"[\w.-]+@[\w.]+", "mail x.y@z.org"), (r"\d+(?:\.\d+)?", "pi 3.14"), ("((a)|b)*", "abab"), ("(?:a|ab)(?:c|bcd)(d*)", "abcd"), (r"\Aa\Z", "a"), ("é+", "éé"), (r"(?a)\w+", "éa"), (r"\s", "\u2003"), ("[[]", "["), ("x{,2}y", "xxy"), ("(?i:A)b", "ab"), (".*?b", "aab"), ("(.+)(.+)", "abc"), ("😀+", "a😀😀")]
for pattern, text in tests:
    m = re.search(pattern, text)
    print(pattern, repr(text), m and (m.group(), m.groups(), m.span()))
for bad in ("(", "a)", "[a", "*a", "a**", "(?P<n>a)(?P<n>b)", "(?P=x)", r"\1", "(?<=a+)b", "a{3,2}", "(?z)", "[b-a]", "\\", r"\q", "(?P<1>a)", "(?(2)a)", "a(?i)b", "(?P<n"):
    try:
        re.compile(bad)
        print(bad, "compiles")
    except re.PatternError as error:
        print(bad, "|", error)
p = re.compile(r"(\w+)=(\d+)", re.I)
print(p.groups, p.flags, p.groupindex, p.pattern, [m.group(0) for m in p.finditer("a=1 b=2")], p.sub(r"\2=\1", "k=5"), p.search("xx a=1", 3).span(), p.match("a=1 b", 0, 3), repr(p))
print(re.escape("a.b*[c]"), re.sub(r"\s+", " ", " a \n b "), re.sub("", "-", "ab"), re.sub("x*", "-", "axb"), re.sub(b"a", b"b", b"aa"), re.compile("a") == re.compile("a"), bool(re.match("", "")))
for bad in (lambda: re.sub("a", r"\2", "a"), lambda: re.match("a", b"a"), lambda: re.match(b"a", "a"), lambda: re.search("a", "a").group(3), lambda: re.sub("a", 5, "a"), lambda: re.compile(5)):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
scanner = re.Scanner([(r"\d+", lambda s, t: ("int", int(t))), (r"[a-z]+", lambda s, t: ("name", t)), (r"\s+", None)])
print(scanner.scan("abc 12 x !"))
print(re.findall(r"(?:(?:25[0-5]|1?\d?\d)\.){3}\d+", "ip 192.168.1.1 and 10.0.0.255"), re.match(r"(a+)+$", "aaaaaaaaaaaaaaaa") is not None, re.split(r"(?<=,)", "a,b,c"))
text = "the cat sat on the mat " * 100
print(len(re.findall(r"\b[cms]at\b", text)), re.sub(r"(?P<w>\w+) (\w+)", r"\2 \g<w>", text)[:30], re.search("mat $", text).start())
