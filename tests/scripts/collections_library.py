"""collections: Counter, defaultdict, deque, OrderedDict, ChainMap, UserDict."""
from collections import Counter, defaultdict, deque, OrderedDict, ChainMap, UserDict, UserList, UserString
c = Counter("mississippi")
print(c, c.most_common(2), c["z"], sorted(c.elements())[:4], c + Counter("ms"), c - Counter("iii"), c & Counter("ssx"), c | Counter("ppp"), c.total(), -Counter(a=-1, b=2))
c.update("zz"); c.subtract("m")
print(sorted(c.items()), dict(c) == c)
d = defaultdict(list)
for k, v in [("a", 1), ("b", 2), ("a", 3)]: d[k].append(v)
print(d, d["new"], len(d), d.get("no"), d.default_factory)
n = defaultdict(lambda: defaultdict(int)); n["x"]["y"] += 1
print(n["x"]["y"])
q = deque([1, 2, 3], maxlen=4)
q.append(4); q.append(5); q.appendleft(0); q.rotate(1)
print(q, q.pop(), q.popleft(), len(q), q[0], 3 in q, q.index(2), list(reversed(q)), q.count(2), q.maxlen)
q.extend("ab"); q.extendleft("cd"); q.insert(1, "i") if len(q) < 4 else None
print(q, deque("ab") + deque("c"), deque("ab") * 2, deque("ab") < deque("b"))
try:
    for x in q: q.append(x)
except RuntimeError as error:
    print(error)
for bad in (lambda: deque().pop(), lambda: deque([1], maxlen=-1), lambda: deque().remove(1), lambda: deque()[0], lambda: deque().index(2)):
    try:
        bad()
    except (IndexError, ValueError) as error:
        print(type(error).__name__, error)
o = OrderedDict(a=1, b=2, c=3)
o.move_to_end("a"); o.move_to_end("c", last=False)
print(o, o.popitem(last=False), list(reversed(o)), OrderedDict(a=1, b=2) == OrderedDict(b=2, a=1), OrderedDict(a=1, b=2) == {"b": 2, "a": 1})
m = ChainMap({"a": 1}, {"a": 2, "b": 3})
m["c"] = 5
print(m["a"], m["b"], sorted(m), m.maps[0], m.new_child({"a": 0})["a"], m.parents["a"], len(m))
class Lower(UserDict):
    def __setitem__(self, k, v): super().__setitem__(k.lower(), v)
l = Lower(ABC=1); l["X"] = 2
print(l, "abc" in l, UserList([1, 2]) + [3], UserString("ab").upper())
import heapq, bisect, array, queue, copy, types
a = array.array("i", [3, 1, 2])
a.append(5); a.extend([7, 8]); a[0] = 9
print(a, a.tolist(), a.itemsize, a.typecode, a[1:3], sum(a), array.array("d", [1.5]).tobytes().hex(), array.array("u", "hé"))
s = types.SimpleNamespace(x=1, y="two")
s.z = 3
print(s, s == types.SimpleNamespace(x=1, y="two", z=3), types.MappingProxyType({"a": 1}))
deep = {"l": [1, [2]], "t": (1, [3])}
deep["self"] = deep
e = copy.deepcopy(deep)
e["l"][1].append(9)
print(deep["l"], e["l"], e["self"] is e, copy.copy(deep)["l"] is deep["l"], copy.replace(s, x=9))
pq = queue.PriorityQueue()
for item in (3, 1, 2): pq.put(item)
print([pq.get() for _ in range(3)], pq.empty(), queue.Queue(1).full())
