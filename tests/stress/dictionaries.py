"""Many threads on one dictionary and one set: insertion, deletion, resizing, lookups and iteration at once."""
import threading

from common import rounds, together

class Key:
    """Few hashes, slow equality: lookups run Python code in the middle of the table."""
    def __init__(self, n): self.n = n
    def __hash__(self): return self.n & 7
    def __eq__(self, other): return isinstance(other, Key) and self.n == other.n

for _ in rounds(3):
    shared = {"fixed": 0}
    members = set()
    def insert(tag):
        def run():
            for i in range(3000):
                shared[tag, i] = i
                members.add((tag, i))
                assert shared["fixed"] == 0 and shared[tag, i] == i and (tag, i) in members
        return run
    together(*map(insert, range(4)))
    assert len(shared) == 12001 and len(members) == 12000
    def delete(tag):
        def run():
            for i in range(3000):
                assert shared.pop((tag, i)) == i
                members.discard((tag, i))
        return run
    together(*map(delete, range(4)))
    assert shared == {"fixed": 0} and not members

    won = []
    together(*[lambda n=n: won.extend(k for k in range(2000) if shared.setdefault(("once", k), n) is n or shared["once", k] == n) for n in range(4)])
    assert len(won) == 2000, len(won)

    churn = {i: i for i in range(100)}
    stop = False
    def change():
        global stop
        for i in range(4000):
            churn[i + 1000] = i
            churn.pop(i % 100, None)
            churn[i % 100] = -i
            if i % 500 == 0:
                churn.update(dict.fromkeys(range(5000, 5050)))
            churn.pop(i + 1000)
        stop = True
    def look():
        while not stop:
            for i in range(100):
                value = churn.get(i)
                assert value is None or type(value) is int
            try:
                for key, value in churn.items():
                    assert type(key) is int
            except RuntimeError:
                pass
            len(list(churn)), churn.copy(), 5 in churn
    together(change, look, look)

    keyed = {}
    def keys(tag):
        def run():
            for i in range(150):
                keyed[Key(i)] = tag
                assert Key(i) in keyed
        return run
    together(*map(keys, range(3)))
    assert len(keyed) == 150
print("dictionaries ok")
