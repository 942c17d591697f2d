# unicodedata: properties, names and normal forms, of every 97th character in detail and of some by name.
import unicodedata
import zlib


def checksum(database):
    sums = {}
    for c in range(0, 0x110000, 97):
        char = chr(c)
        for name in ["category", "bidirectional", "combining", "mirrored", "east_asian_width", "decomposition"]:
            sums[name] = zlib.crc32(repr(getattr(database, name)(char)).encode(), sums.get(name, 0))
        for name in ["decimal", "digit", "numeric", "name"]:
            sums[name] = zlib.crc32(repr(getattr(database, name)(char, None)).encode(), sums.get(name, 0))
        for form in ["NFC", "NFKC", "NFD", "NFKD"]:
            text = database.normalize(form, "a" + char + "\u0323" + char).encode("utf-8", "surrogatepass")
            sums[form] = zlib.crc32(text, sums.get(form, 0))
    return sums


print(unicodedata.unidata_version, unicodedata.ucd_3_2_0.unidata_version)
print(checksum(unicodedata))
print(checksum(unicodedata.ucd_3_2_0))
methods = 0
for c in range(0, 0x110000, 31):
    char = chr(c)
    values = (char.isalpha(), char.isdecimal(), char.isdigit(), char.isnumeric(), char.isalnum(), char.islower(), char.isupper(),
              char.istitle(), char.isspace(), char.isprintable(), char.isidentifier(), ascii(char.upper()), ascii(char.lower()),
              ascii(char.title()), ascii(char.casefold()), ascii(char.swapcase()), ascii(char.capitalize()))
    methods = zlib.crc32(repr(values).encode(), methods)
print(methods)


def attempt(function, *arguments):
    try:
        print(function.__name__, arguments, ascii(function(*arguments)))
    except Exception as error:
        print(function.__name__, ascii(arguments), type(error).__name__, error)


for name in ["SPACE", "latin small letter e with acute", "NULL", "VS17", "KEYCAP DIGIT ONE", "HANGUL SYLLABLE HIH",
             "CJK UNIFIED IDEOGRAPH-4E00", "CJK UNIFIED IDEOGRAPH-04E00", "cjk unified ideograph-20000", "no such", "", "x" * 300]:
    attempt(unicodedata.lookup, name)
    attempt(unicodedata.ucd_3_2_0.lookup, name)
attempt(unicodedata.lookup, 5)
attempt(unicodedata.category, 5)
attempt(unicodedata.category, "ab")
attempt(unicodedata.decimal, "ab")
attempt(unicodedata.decimal, "x")
attempt(unicodedata.digit, "x")
attempt(unicodedata.numeric, "x")
attempt(unicodedata.numeric, "\u215b")
attempt(unicodedata.name, "\0")
attempt(unicodedata.normalize, "NFX", "x")
attempt(unicodedata.normalize, "NFC", 1)
attempt(unicodedata.is_normalized, "NFC", "e\u0301")
attempt(unicodedata.is_normalized, "NFD", "e\u0301")
attempt(unicodedata.normalize, "NFC", "\u0301" * 5 + "\u0327" * 50)
print("\N{GREEK SMALL LETTER ALPHA}\N{BELL}\N{ESC}".encode("unicode_escape"))
