"""Dictionaries: order, views, merging, mutation while iterating, odd keys."""
d = {"b": 1, "a": 2, 3: "x"}
d["c"] = 4
del d["b"]
d["b"] = 5
print(d, list(d), list(d.values()), list(d.items()), len(d), "a" in d, d.get("zz"), d.get("zz", 0), list(reversed(d)))
print(d.pop("a"), d.pop("zz", None), d.popitem(), d.setdefault("n", []), d.setdefault("n", 5), d)
d.update({"u": 1}, v=2)
d.update([("w", 3), ["x", 4]])
print(d, d | {"c": 0, "z": 9}, {"c": 1} | d)
d |= {"last": True}
print(d == dict(d.items()), d != {}, dict(a=1, b=2), dict([("a", 1)], b=2), dict.fromkeys("abc", 0), dict(zip("ab", [1, 2])), {**{"a": 1}, **{"a": 2}})
keys, items, values = d.keys(), d.items(), d.values()
print(keys & {"c", "u"} == {"c", "u"}, keys - {"c"} == set(d) - {"c"}, ("c", 4) in items, sorted(keys ^ {"c", "q"}, key=str), 4 in values, keys.isdisjoint({"nope"}), len(values), {1: 2}.items() == {(1, 2)}, keys.mapping["c"])
print(repr({}.keys()), repr({1: 2}.items()), repr({1: 2}.values()), type(iter(d)).__name__)
try:
    for k in d:
        d[k * 2] = 1
except RuntimeError as error:
    print(error)
try:
    for k in list(d):
        del d[k]
    for k in {1: 1} if not d else ():
        print("empty now", d)
except RuntimeError as error:
    print(error)
class Key:
    def __init__(self, h, name):
        self.h, self.name = h, name
    def __hash__(self):
        return self.h
    def __eq__(self, other):
        return isinstance(other, Key) and self.name == other.name
    def __repr__(self):
        return self.name
collide = {Key(1, n): n for n in "abcdefghij"}
print(collide[Key(1, "e")], len(collide), Key(2, "e") in collide, collide.pop(Key(1, "c")), list(collide))
print({1: "int", 1.0: "float", True: "bool"}, {0: 1} == {0.0: True, -0.0: 1}, {(1, 2): "t"}[1, 2], {None: 1, ...: 2, (): 3})
class Missing(dict):
    def __missing__(self, key):
        return f"missing {key}"
print(Missing(a=1)["a"], Missing()["b"], Missing().get("c"), "b" in Missing())
for bad in (lambda: {}["k"], lambda: {[]: 1}, lambda: {}.pop("x"), lambda: {}.popitem(), lambda: dict([1]), lambda: dict([(1, 2, 3)]), lambda: {} | [], lambda: {} < {}, lambda: dict(1), lambda: {1: 2}[{}], lambda: hash({}), lambda: {}.update(5), lambda: dict(**{1: 2})):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
big = {i: i * i for i in range(1000)}
for i in range(0, 1000, 3):
    del big[i]
print(len(big), sum(big.values()), next(iter(big)), list(big)[-3:], big.get(3), big[500])
recursive = {}
recursive["self"] = recursive
print(recursive, len(repr(recursive)))
order = {}
for w in "the quick brown fox jumps over the lazy dog the end".split():
    order[w] = order.get(w, 0) + 1
print(order, sorted(order.items(), key=lambda kv: (-kv[1], kv[0]))[:3], max(order, key=order.get))
copy = order.copy()
copy["x"] = 1
print("x" in order, {k: v for k, v in order.items() if v > 1}, sum(order.values()), any(order), all(order.values()))
m = {"a": {"b": [1, {"c": 2}]}}
m["a"]["b"][1]["c"] += 10
print(m, m == {"a": {"b": [1, {"c": 12}]}})
