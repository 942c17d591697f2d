"""Text: joining, formatting, f-strings, +=, split, replace, find, and going through characters."""

def caesar(text, shift):
    out = []
    for c in text:
        if "a" <= c <= "z":
            out.append(chr((ord(c) - 97 + shift) % 26 + 97))
        else:
            out.append(c)
    return "".join(out)

def main():
    lines = []
    for i in range(400000):
        lines.append(f"{i:06d}|{i * 7 % 1000:>4}|{'abc' * (i % 3)}|{i / 7:.3f}")
    text = "\n".join(lines)
    fields = 0
    for line in text.split("\n"):
        parts = line.split("|")
        fields += len(parts[2].strip()) + int(parts[1])
    pieces = []
    for _ in range(100):
        built = ""
        for i in range(10000):
            built += chr(97 + i % 26)
        pieces.append(built)
    built = "".join(pieces)
    coded = caesar(built, 3)
    back = caesar(coded, 23)
    replaced = text.replace("abc", "xyz").upper().count("XYZ")
    found = 0
    position = text.find("|99")
    while position >= 0:
        found += 1
        position = text.find("|99", position + 1)
    table = "".join("%-8s%5d\n" % (w, len(w)) for w in text[:1000000].split("|"))
    print("string_building", len(text), fields, coded[:10], back == built, replaced, found, len(table))

if __name__ == "__main__":
    main()
