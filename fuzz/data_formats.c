/* Any bytes as JSON, as a struct's format with its data, as a pickle that may find no class, and as XML. The first byte says which. */
#include "fuzz/driver.h"

static const char driver[] =
    "import io, json, pickle, struct, pyexpat\n"
    "class Reader(pickle.Unpickler):\n"
    "    def find_class(self, module, name):\n"
    "        raise pickle.UnpicklingError('no classes here')\n"
    "    def persistent_load(self, pid):\n"
    "        return pid\n"
    "def read_json(data):\n"
    "    value = json.loads(data)\n"
    "    text = json.dumps(value)\n"
    "    assert json.dumps(json.loads(text)) == text\n"
    "def read_struct(data):\n"
    "    format, _, data = data.partition(b'\\0')\n"
    "    size = struct.calcsize(format)\n"
    "    if size > 1 << 16:\n"
    "        return\n"
    "    values = struct.unpack(format, data[:size].ljust(size, b'\\1'))\n"
    "    assert len(struct.pack(format, *values)) == size\n"
    "    buffer = bytearray(size + 3)\n"
    "    struct.pack_into(format, buffer, 2, *values)\n"
    "def read_pickle(data):\n"
    "    value = Reader(io.BytesIO(data)).load()\n"
    "    pickle.dumps(value)\n"
    "def read_xml(data):\n"
    "    size = data[0] + 1 if data else 1\n"
    "    parser = pyexpat.ParserCreate(namespace_separator=' ' if size & 1 else None)\n"
    "    seen = []\n"
    "    note = lambda *a: seen.append(a)\n"
    "    for name in dir(parser):\n"
    "        if name.endswith('Handler') and name not in ('NotStandaloneHandler', 'ExternalEntityRefHandler'):\n"
    "            setattr(parser, name, note)\n"
    "    parser.buffer_text = size & 2\n"
    "    for i in range(1, len(data), size):\n"
    "        parser.Parse(data[i : i + size])\n"
    "    parser.Parse(b'', True)\n"
    "readers = [read_json, read_struct, read_pickle, read_xml]\n"
    "def one(data):\n"
    "    if data:\n"
    "        readers[data[0] % 4](data[1:])\n";

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
