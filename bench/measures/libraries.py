"""What the modules do that stand on libraries in C: compression, hashes, JSON, pickle, SQLite."""
import bz2
import gzip
import hashlib
import json
import lzma
import pickle
import random
import sqlite3
import threading
import time

try:
    from compression import zstd
except ImportError:
    zstd = None

MB = 1 << 20


def measure(name, seconds):
    print(name, "%.4g" % (seconds * 1000), "ms", sep="\t", flush=True)


def took(function, *arguments, rounds=1):
    """The smallest time of a call, and what it returned."""
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        result = function(*arguments)
        best = min(best, time.perf_counter() - began)
    return best, result


def sample(size):
    """Text that compresses to about a third, the same each time."""
    choose = random.Random(1)
    words = ["".join(choose.choices("etaoinshrdlucmfw", k=choose.randint(2, 9))) for _ in range(3000)]
    block = " ".join(choose.choices(words, k=MB // 5)).encode()
    return (block * (size // len(block) + 1))[:size]


def compression(data):
    pairs = [("gzip", lambda d: gzip.compress(d, 6), gzip.decompress), ("bz2", bz2.compress, bz2.decompress), ("lzma", lambda d: lzma.compress(d, preset=1), lzma.decompress)]
    if zstd:
        pairs.append(("zstd", zstd.compress, zstd.decompress))
    for name, compress, decompress in pairs:
        seconds, packed = took(compress, data)
        measure(f"{name}: compress 64 MB", seconds)
        measure(f"{name}: decompress 64 MB", took(decompress, packed, rounds=2)[0])


def hashing():
    block = bytes(range(256)) * (64 * MB // 256)

    def digest():
        state = hashlib.sha256()
        for _ in range(16):
            state.update(block)
        return state.hexdigest()

    measure("SHA-256 of 1 GB", took(digest)[0])


def both_at_once(data):
    """Compression and hashing beside a thread that computes."""
    def spin():
        total = 0
        for i in range(3_000_000):
            total += i & 7

    threads = [threading.Thread(target=gzip.compress, args=(data[: 16 * MB], 6)), threading.Thread(target=spin)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    measure("gzip of 16 MB beside a loop", time.perf_counter() - began)


def texts():
    choose = random.Random(2)
    records = [{"id": i, "name": f"record {i}", "value": choose.random(), "tags": ["a", "b", str(i % 7)], "nested": {"ok": i % 2 == 0, "none": None}} for i in range(50_000)]
    seconds, text = took(json.dumps, records, rounds=3)
    measure("json: write 50,000 records", seconds)
    measure("json: read 50,000 records", took(json.loads, text, rounds=3)[0])
    seconds, data = took(lambda: pickle.dumps(records, 5), rounds=3)
    measure("pickle: write 50,000 records", seconds)
    measure("pickle: read 50,000 records", took(pickle.loads, data, rounds=3)[0])


def database():
    db = sqlite3.connect(":memory:")
    db.execute("create table items(id integer primary key, name text, value real)")
    rows = [(i, f"item {i}", i * 0.5) for i in range(200_000)]

    def insert():
        db.execute("delete from items")
        db.executemany("insert into items values(?, ?, ?)", rows)
        db.commit()

    measure("sqlite: insert 200,000 rows", took(insert, rounds=3)[0])
    measure("sqlite: read 200,000 rows", took(lambda: len(db.execute("select * from items").fetchall()), rounds=3)[0])
    measure("sqlite: 20,000 queries by key", took(lambda: [db.execute("select name from items where id = ?", (i * 7,)).fetchone() for i in range(20_000)], rounds=3)[0])
    db.create_function("twice", 1, lambda x: x * 2)
    measure("sqlite: 200,000 calls of a function", took(lambda: db.execute("select sum(twice(id)) from items").fetchone(), rounds=3)[0])
    db.close()


def main():
    data = sample(64 * MB)
    compression(data)
    hashing()
    both_at_once(data)
    texts()
    database()


main()
