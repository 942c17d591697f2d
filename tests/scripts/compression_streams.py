# _bz2 and _lzma: streams in pieces, limits, errors.
import _bz2
import _lzma

text = b"".join(b"%d squared is %d\n" % (i, i * i) for i in range(2000))


def attempt(function, *arguments, **keywords):
    try:
        result = function(*arguments, **keywords)
    except Exception as error:
        result = type(error).__name__ + ": " + str(error)
    shown = ascii(arguments) if len(ascii(arguments)) < 100 else "(...)"
    if not isinstance(result, (str, bytes, bool, dict)):
        result = type(result)
    print(getattr(function, "__name__", function), shown, keywords or "", "->", ascii(result)[:150])


def pieces(make, data, size, limit):
    reader, whole, steps = make(), b"", 0
    while not reader.eof:
        piece, data = (data[:size], data[size:]) if reader.needs_input else (b"", data)
        out = reader.decompress(piece, limit)
        assert limit < 0 or len(out) <= limit
        whole += out
        steps += 1
    return whole == text, reader.unused_data + data, reader.needs_input


for make, read in [(_bz2.BZ2Compressor, _bz2.BZ2Decompressor), (_lzma.LZMACompressor, _lzma.LZMADecompressor)]:
    compressor = make()
    packed = b"".join(compressor.compress(text[i : i + 997]) for i in range(0, len(text), 997)) + compressor.flush()
    for size, limit in [(10**6, -1), (1, -1), (100, 1000), (10**6, 7000)]:
        print(pieces(read, packed + b"the rest", size, limit))
    attempt(compressor.compress, b"x")
    attempt(compressor.flush)
    attempt(make, "x")
    reader = read()
    attempt(reader.decompress, b"nonsense that is long enough to be noticed")
    attempt(reader.decompress, b"")
    reader = read()
    reader.decompress(packed)
    attempt(reader.decompress, b"")
    attempt(reader.decompress, "text")
attempt(_bz2.BZ2Compressor, 0)
attempt(_bz2.BZ2Decompressor, 1)
C, D = _lzma.LZMACompressor, _lzma.LZMADecompressor
LZMA1, LZMA2, DELTA, X86 = _lzma.FILTER_LZMA1, _lzma.FILTER_LZMA2, _lzma.FILTER_DELTA, _lzma.FILTER_X86
for keywords in [dict(format=99), dict(format=_lzma.FORMAT_RAW), dict(format=_lzma.FORMAT_ALONE, check=1), dict(preset=100), dict(preset=1, filters=[]),
                 dict(filters=[]), dict(filters=5), dict(filters=[{}]), dict(filters=[{"id": 99}]), dict(filters=[{"id": LZMA2, "foo": 1}]),
                 dict(filters=[{"id": DELTA, "foo": 1}]), dict(filters=[5]), dict(filters=[{"id": LZMA2}] * 5), dict(filters=[{"id": LZMA2, "preset": 77}]),
                 dict(filters=[{"id": LZMA2, "dict_size": 1}]), dict(filters=[{"id": DELTA, "dist": 2}, {"id": LZMA2, "preset": 3}]),
                 dict(format=_lzma.FORMAT_ALONE, filters=[{"id": LZMA2}]), dict(format=_lzma.FORMAT_ALONE, filters=[{"id": LZMA1}])]:
    attempt(C, **keywords)
for arguments in [(99,), (_lzma.FORMAT_RAW,), (_lzma.FORMAT_AUTO, None, []), (_lzma.FORMAT_RAW, 5, [])]:
    attempt(D, *arguments)
for chain, format in [([{"id": LZMA2, "preset": 2}], _lzma.FORMAT_RAW), ([{"id": DELTA, "dist": 4}, {"id": LZMA2}], _lzma.FORMAT_RAW),
                      (None, _lzma.FORMAT_ALONE), (None, _lzma.FORMAT_XZ)]:
    compressor = C(format=format, filters=chain)
    packed = compressor.compress(text) + compressor.flush()
    reader = D(format, None, chain if format == _lzma.FORMAT_RAW else None)
    print(format, reader.check, reader.decompress(packed) == text, reader.check, reader.eof)
attempt(D(memlimit=100).decompress, packed)
damaged = bytearray(packed)
damaged[30] ^= 1
attempt(D().decompress, damaged)
for specifier in [{"id": LZMA2, "dict_size": 1 << 20}, {"id": LZMA1}, {"id": DELTA, "dist": 4}, {"id": X86}, {"id": X86, "start_offset": 16}]:
    properties = _lzma._encode_filter_properties(specifier)
    print(properties, _lzma._decode_filter_properties(specifier["id"], properties))
attempt(_lzma._decode_filter_properties, 99, b"")
attempt(_lzma._decode_filter_properties, LZMA2, b"\xff")
attempt(_lzma.is_check_supported, 4)
attempt(_lzma.is_check_supported, 99)
