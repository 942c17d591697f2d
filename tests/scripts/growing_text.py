"""Text that += makes long: every earlier str keeps its own characters, whoever appends to it afterwards."""
import io
import json
import sys
import threading

text, parts, seen = "", [], []
for i in range(3000):
    part = chr(97 + i % 26) * (i % 7)
    parts.append(part)
    text += part
    if i % 100 == 0:
        seen.append((text, "".join(parts)))
print(len(text), all(a == b and hash(a) == hash(b) and a.encode() == b.encode() and {a: 1}[b] for a, b in seen))

first = text
first += "Y"
second = text
second += "é"
third = second
third += "\u1234"
fourth = third
fourth += "\U00012345"
print(first == "".join(parts) + "Y", second[-2:], ascii(third[-2:]), ascii(fourth[-3:]), text == "".join(parts))
print(text.isascii(), second.isascii(), second.encode("latin-1").decode("latin-1") == second, fourth.encode("utf-16").decode("utf-16") == fourth)
print(sys.intern(text) is sys.intern("".join(parts)), json.loads(json.dumps(text)) == text, io.StringIO(text).read() == text)

number = "1"
for _ in range(500):
    number += "0"
shorter = number
number += "x"
print(int(shorter) == 10 ** 500, float(shorter[:200]) == 1e199)
try:
    int(number)
except ValueError:
    print("no number", number[-2:])

class Words(str):
    pass
print(Words(text) == text, Words(text).upper() == text.upper(), f"{text}{text}" == text * 2)

# Several threads append to one str: each gets what it appended.
base = "b" * 300
base += "c"
wrong = []
def append(number):
    for _ in range(500):
        mine = base
        mine += str(number) * 5
        mine += "-"
        if mine != "".join([base, str(number) * 5, "-"]):
            wrong.append(number)
threads = [threading.Thread(target=append, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(wrong)
