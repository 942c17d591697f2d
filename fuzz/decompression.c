/* Any bytes as compressed data, in pieces, with limits on what comes out. The first byte says in which format, the next two how large pieces and limit are. */
#include "fuzz/driver.h"

static const char driver[] =
    "import _bz2, _lzma, zlib\n"
    "try:\n"
    "    import _zstd\n"
    "except ImportError:\n"
    "    _zstd = None\n"
    "makers = [_bz2.BZ2Decompressor, lambda: _lzma.LZMADecompressor(memlimit=1 << 26), zlib._ZlibDecompressor, lambda: zlib._ZlibDecompressor(31),\n"
    "          lambda: _lzma.LZMADecompressor(_lzma.FORMAT_RAW, None, [{'id': _lzma.FILTER_LZMA2, 'dict_size': 1 << 16}]),\n"
    "          lambda: zlib._ZlibDecompressor(-15)]\n"
    "if _zstd:\n"
    "    makers += [_zstd.ZstdDecompressor] * 2\n"
    "def one(data):\n"
    "    if len(data) < 4:\n"
    "        return\n"
    "    reader, size, limit, data = makers[data[0] % len(makers)](), data[1] + 1, data[2] * 16 - 1, data[3:]\n"
    "    if limit == 0:\n"
    "        limit = -1\n"
    "    total = 0\n"
    "    while not reader.eof and total < 1 << 21:\n"
    "        if reader.needs_input:\n"
    "            if not data:\n"
    "                break\n"
    "            piece, data = data[:size], data[size:]\n"
    "        else:\n"
    "            piece = b''\n"
    "        out = reader.decompress(piece, limit)\n"
    "        assert limit < 0 or len(out) <= limit\n"
    "        total += len(out)\n"
    "    reader.unused_data\n";

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count, (void)arguments;
    begin_driver(driver);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_driver(data, size);
    return 0;
}
