# binascii and zlib: results, limits and errors.
import binascii
import zlib


def attempt(function, *arguments, **keywords):
    try:
        result = function(*arguments, **keywords)
    except Exception as error:
        result = type(error).__name__ + ": " + str(error)
    shown = ascii(arguments) if len(ascii(arguments)) < 100 else "(...)"
    print(getattr(function, "__name__", function), shown, keywords or "", "->", ascii(result)[:200])


for data in [b"", b"a", b"ab", b"abc", b"abcd", b"abc=", b"ab==", b"ab=", b"a===", b"=", b"ab=c", b"ab==c", b"ab=c=", b"a\nb=\n=", b"abcd=", b"ab==abcd",
             b"=abcd", b"ab\xff==", b"abcd\n", b"ab===", b"abcde", b"ab==\n", b"+/+/", "abc\xe9", "ab=="]:
    attempt(binascii.a2b_base64, data)
    attempt(binascii.a2b_base64, data, strict_mode=True)
for size in range(6):
    attempt(binascii.b2a_base64, bytes(range(250, 250 + size)))
    attempt(binascii.b2a_base64, bytes(range(size)), newline=False)
for data in [b"", b" ", b"!A", b'"AA', b"#86)C\n", b"#86)C  \n", b"#86)CX", b" \0", b"-", b"M86", b"#86\x7f", b"#86\x1f"]:
    attempt(binascii.a2b_uu, data)
for data in [b"", b"abc", b"abcd", b"\0\0", b"a" * 45, b"a" * 46]:
    attempt(binascii.b2a_uu, data)
    attempt(binascii.b2a_uu, data, backtick=True)
for arguments in [(b"abcdef", "-", 2), (b"abcdef", "-", -4), (b"abc", b""), (b"abc", "ab"), (b"abc", 1), (b"abc", "-", 0), (b"abc", b":"), (b"", ":"),
                  (bytearray(b"ab"),)]:
    attempt(binascii.hexlify, *arguments)
for data in [b"a", b"zz", "6162", "\xe9\xe9", b"0aF0", b""]:
    attempt(binascii.unhexlify, data)
attempt(binascii.crc_hqx, b"abc", 0)
attempt(binascii.crc32, b"abc", -1)
for data in [b"a=41b", b"a=\nb", b"a=\r\nb", b"a==b", b"=4", b"=", b"a_b", b"=zz", b"a=  \nb", b"=\rb", b"=3d=3D"]:
    attempt(binascii.a2b_qp, data)
    attempt(binascii.a2b_qp, data, header=True)
for data in [b"a b\n", b"a \n", b"a\t\n", b"a_b=", b".", b"\n.\n", b"x" * 80, b"\r\n", b"a\rb", b"\xff\0", b"a ", b"ab\r\ncd \r\n", b"x" * 75 + b"\n", b"x" * 74 + b"=="]:
    for keywords in [{}, {"quotetabs": True}, {"istext": False}, {"header": True}]:
        attempt(binascii.b2a_qp, data, **keywords)

text = b"".join(b"%d squared is %d\n" % (i, i * i) for i in range(3000))
for level in [-1, 0, 1, 9]:
    for wbits in [15, -15, 31]:
        packed = zlib.compress(text, level, wbits)
        print(level, wbits, zlib.decompress(packed, wbits) == text, zlib.decompress(packed, wbits, 1) == text)
packed = zlib.compress(text)
attempt(zlib.compress, text, 10)
attempt(zlib.decompress, b"")
attempt(zlib.decompress, packed[:-1])
attempt(zlib.decompress, b"nonsense")
attempt(zlib.decompress, packed, 100)
attempt(zlib.decompress, packed, 15, -1)
attempt(zlib.decompress, "text")
attempt(zlib.compressobj, 20)
attempt(zlib.compressobj, zdict=5)
attempt(zlib.decompressobj, zdict=5)
attempt(zlib.decompressobj, 100)

compressor = zlib.compressobj(6, zlib.DEFLATED, 15, zdict=b"squared is")
pieces = [compressor.compress(text[i : i + 1000]) for i in range(0, 20000, 1000)]
twin = compressor.copy()
ends = [c.compress(text[20000:]) + c.flush() for c in (compressor, twin)]
print(ends[0] == ends[1])
attempt(compressor.compress, b"more")
attempt(compressor.flush)
attempt(compressor.copy)
stream = b"".join(pieces) + ends[0]
attempt(zlib.decompressobj().decompress, stream)
attempt(zlib.decompressobj(zdict=b"wrong").decompress, stream)
decompressor = zlib.decompressobj(zdict=b"squared is")
whole = decompressor.decompress(stream + b"the rest")
print(whole == text, decompressor.eof, decompressor.unused_data, decompressor.unconsumed_tail, decompressor.flush())
decompressor = zlib.decompressobj(zdict=bytearray(b"squared is"))
whole, left, steps = b"", stream, 0
while not decompressor.eof:
    whole += decompressor.decompress(left, 777)
    left = decompressor.unconsumed_tail
    steps += 1
print(whole == text, steps, decompressor.unused_data)
decompressor = zlib.decompressobj()
first = decompressor.decompress(packed, 10)
other = decompressor.copy()
print(first, first + decompressor.flush() == text, first + other.flush(1) == text, decompressor.eof, decompressor.unconsumed_tail)
attempt(decompressor.decompress, b"x", -1)
attempt(decompressor.flush, 0)
attempt(decompressor.copy)
modes = zlib.compressobj()
print(modes.flush(zlib.Z_NO_FLUSH), len(modes.compress(b"abc") + modes.flush(zlib.Z_SYNC_FLUSH)), zlib.decompress(
    zlib.compressobj().flush()))

reader = zlib._ZlibDecompressor()
whole, data = b"", packed + b"tail"
while not reader.eof:
    whole += reader.decompress(data if reader.needs_input else b"", 5000)
    data = b""
print(whole == text, reader.eof, reader.needs_input, reader.unused_data)
attempt(reader.decompress, b"")
attempt(zlib._ZlibDecompressor().decompress, b"nonsense")
attempt(zlib._ZlibDecompressor, wbits=100)
print(zlib.crc32(text), zlib.adler32(text), zlib.crc32(b"", 7), zlib.adler32(b"a", -1), zlib.crc32(text[100:], zlib.crc32(text[:100])))
attempt(type(zlib.compressobj()))
try:
    zlib.compressobj().x = 1
except AttributeError as error:
    print(error)
