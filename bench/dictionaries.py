"""Dictionaries and sets: counting, grouping, joining, updating, deleting, with str, int and tuple keys."""

def words(n):
    state = 42
    for _ in range(n):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        yield "w%d" % (state % 5000)

def main():
    text = list(words(900000))
    counts = {}
    for word in text:
        counts[word] = counts.get(word, 0) + 1
    groups = {}
    for word, count in counts.items():
        groups.setdefault(count, []).append(word)
    pairs = {}
    previous = ""
    for word in text:
        key = (previous[-1:], word[-1])
        if key in pairs:
            pairs[key] += 1
        else:
            pairs[key] = 1
        previous = word
    squares = {i: i * i for i in range(700000)}
    total = 0
    for i in range(0, 1400000, 3):
        total += squares.get(i, 1)
    for i in range(0, 700000, 2):
        del squares[i]
    seen = set()
    twice = 0
    for word in text:
        if word in seen:
            twice += 1
        else:
            seen.add(word)
    common = seen & {"w%d" % i for i in range(0, 6000, 2)}
    print("dictionaries", len(counts), len(groups), len(pairs), total, len(squares), twice, len(common))

if __name__ == "__main__":
    main()
