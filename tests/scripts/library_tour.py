"""A sweep over the library: one line or two for each module, all deterministic."""
import base64, binascii, calendar, codecs, datetime, decimal, difflib, fractions, glob, hashlib, hmac, html, ipaddress, json, locale, logging, math, pickle, pprint, random, secrets, shlex, statistics, string, struct, textwrap, time, unicodedata, urllib.parse, uuid, zlib
print(base64.b64encode(b"hello\xff"), base64.b32decode("NBSWY3DP"), base64.b85encode(b"data"), binascii.crc32(b"abc"), binascii.hexlify(b"ab"))
d = datetime.datetime(2026, 11, 22, 14, 30, 5, 123456, tzinfo=datetime.timezone.utc)
print(d, d.isoformat(), d + datetime.timedelta(days=40, hours=-3), d.strftime("%Y %j %a %H%M%S %f %z"), d.date().weekday(), d.timestamp(), datetime.date.fromisoformat("2024-02-29").replace(year=2028), datetime.timedelta(seconds=-1), datetime.datetime.strptime("5 Mar 2021", "%d %b %Y"), tuple(d.isocalendar()))
print(decimal.Decimal("1.1") + decimal.Decimal("2.2"), decimal.Decimal(1) / 3, decimal.Decimal("2").sqrt(), round(decimal.Decimal("2.675"), 2), decimal.Decimal("1e-7").normalize(), decimal.Decimal("NaN").is_nan(), f"{decimal.Decimal('1234.5'):,.3f}")
print(fractions.Fraction(3, 4) + fractions.Fraction("1/6"), fractions.Fraction(0.5), fractions.Fraction(10, 4).limit_denominator(), f"{fractions.Fraction(1, 3):.3f}", statistics.mean([1, 2, 4]), statistics.median([3, 1, 2]), statistics.pstdev([1, 2, 3, 4]), statistics.mode("aab"))
print(hashlib.md5(b"a").hexdigest(), hashlib.sha256(b"a").hexdigest()[:16], hashlib.sha3_256(b"").hexdigest()[:16], hashlib.blake2b(b"x", digest_size=8).hexdigest(), hmac.new(b"k", b"m", "sha256").hexdigest()[:16], hashlib.sha512(b"abc").hexdigest()[-8:])
random.seed(42)
print(random.random(), random.randint(1, 100), random.choice("abc"), random.sample(range(100), 3), random.gauss(0, 1), [random.randrange(10) for _ in range(5)], random.getrandbits(70))
l = list(range(8)); random.shuffle(l); print(l, random.Random("seed").random(), random.choices("xyz", k=4))
print(pickle.loads(pickle.dumps({"a": [1, (2, 3), {4}, None, 1.5, "é", b"b", 2 ** 70, frozenset([1])]})), [len(pickle.dumps([1, "a"], p)) for p in range(6)])
class Pt:
    def __init__(self, x): self.x = x
    def __eq__(self, o): return self.x == o.x
    def __reduce__(self): return Pt, (self.x,)
print(pickle.loads(pickle.dumps(Pt(3))) == Pt(3), pickle.loads(pickle.dumps(len)) is len)
pprint.pprint({"key%d" % i: list(range(i)) for i in range(12)}, width=60, compact=True)
print(string.Template("$a ${b} $$").substitute(a=1, b=2), string.capwords("hello big world"), string.ascii_letters[:5], textwrap.fill("the quick brown fox " * 4, 30), textwrap.dedent("  a\n   b"), textwrap.shorten("many words here", 12), sep="|")
print(unicodedata.name("é"), unicodedata.category("A"), unicodedata.normalize("NFD", "é") == "e\u0301", unicodedata.lookup("SNOWMAN"), unicodedata.numeric("½"), unicodedata.east_asian_width("日"), unicodedata.bidirectional("א"))
print(urllib.parse.urlparse("http://u:p@h.org:80/p;x?q=1&r=a%20b#f"), urllib.parse.quote("a b/é"), urllib.parse.parse_qs("a=1&a=2&b="), urllib.parse.urljoin("http://a/b/c", "../d"), urllib.parse.urlencode({"k": "v w"}))
print(zlib.decompress(zlib.compress(b"x" * 1000)) == b"x" * 1000, zlib.adler32(b"abc"), uuid.uuid5(uuid.NAMESPACE_DNS, "python.org"), uuid.UUID(int=5), html.escape("<a&'>"), html.unescape("&eacute;&#8364;"), shlex.split("a 'b c' d\\ e"), shlex.join(["a b", "c"]))
print(ipaddress.ip_address("10.0.0.1") + 5, ipaddress.ip_network("10.0.0.0/30").num_addresses, list(ipaddress.ip_network("10.0.0.0/30").hosts()), ipaddress.ip_address("::1").is_loopback)
print("\n".join(difflib.unified_diff("a b c".split(), "a x c".split(), lineterm="")), difflib.get_close_matches("appel", ["ape", "apple", "peach"]), difflib.SequenceMatcher(None, "abcd", "bcde").ratio())
print(calendar.month(2026, 2), calendar.isleap(2024), calendar.monthrange(2024, 2), codecs.encode("abc", "rot13"), codecs.lookup("utf8").name, "é".encode("cp1252"), b"\xe4".decode("iso8859-15"), codecs.getincrementaldecoder("utf-8")().decode(b"\xc3"), math.perm(5))
import argparse, configparser, io, enum, graphlib, heapq, inspect, tomllib, types, typing, warnings, contextlib, ast, tokenize, dis, keyword, token
parser = argparse.ArgumentParser(prog="prog"); parser.add_argument("x", type=int); parser.add_argument("--flag", action="store_true"); parser.add_argument("-n", default=3, type=float)
print(parser.parse_args(["5", "--flag"]), parser.format_usage())
config = configparser.ConfigParser(); config.read_string("[s]\na = 1\nb = %(a)s2\n"); print(config["s"]["b"], config.getint("s", "a"))
print(tomllib.loads('a = 1\n[t]\nb = [1.5, "x"]\nd = 2026-11-22'), list(graphlib.TopologicalSorter({"d": {"b", "c"}, "b": {"a"}, "c": {"b"}}).static_order()))
print(ast.literal_eval("{'a': [1, -2, (3,)]}"), ast.dump(ast.parse("x = 1 + y")), ast.unparse(ast.parse("def f(a, *b, c=1): return a if b else [*c]")), keyword.iskeyword("match"), keyword.issoftkeyword("match"))
print([(token.tok_name[t.type], t.string) for t in tokenize.generate_tokens(io.StringIO("x = f'{y}'  # c\n").readline)])
def sig(a, /, b: int = 2, *c, d, **e) -> str: "doc"
print(inspect.signature(sig), inspect.getdoc(sig), list(inspect.signature(sig).parameters), inspect.isfunction(sig), typing.get_type_hints(sig), typing.Optional[int], typing.Union[int, str, None], typing.get_args(typing.Dict[str, int]))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always"); warnings.warn("careful", DeprecationWarning); warnings.warn("again")
print([(w.category.__name__, str(w.message)) for w in caught])
stream = io.StringIO(); logger = logging.getLogger("t"); handler = logging.StreamHandler(stream); handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s")); logger.addHandler(handler); logger.setLevel(logging.INFO)
logger.info("hello %s", "world"); logger.debug("not shown"); logger.error("bad %d", 5)
print(repr(stream.getvalue()), time.strftime("%Y-%m-%d", time.gmtime(0)), time.gmtime(86400).tm_mday, time.struct_time(range(9)).tm_year, locale.getlocale() is not None)
