"""Comprehensions: scoping, nesting, walrus, evaluation order."""
x = "outer"
print([x for x in range(3)], x)
print({x: y for x, y in zip("ab", [1, 2])}, {c for c in "hello"} == set("helo"), list(c for c in "abc"))
print([(i, j) for i in range(3) for j in range(i) if (i + j) % 2])
print([[j for j in range(i)] for i in range(4)])
print([y := 5, y ** 2], y)
print([last := n for n in range(4)], last)
print(any((hit := n) > 2 for n in [1, 3, 5]), hit)

def in_function(n):
    a = [n + i for i in range(2)]
    b = [lambda: i for i in range(3)]
    return a, [f() for f in b], [[n * i for i in range(2)] for n in range(2)], n
print(in_function(10))

class Scope:
    items = [1, 2, 3]
    doubled = [i * 2 for i in items]
    try:
        total = [i + len(items) for i in items]
    except NameError as error:
        print(error)
print(Scope.doubled, getattr(Scope, "total", None))

def trace(name, value):
    print(name, end=" ")
    return value
print({trace("k", k): trace("v", k * 2) for k in trace("iter", [1, 2])})

def gen():
    return [(yield_) for yield_ in range(2)]
print(gen())
print([a if a else "zero" for a in [0, 1]], [*[1, 2], *(3,)], {**{"a": 1}, "b": 2})

def locals_inside():
    a = 1
    return [sorted(locals()) for b in [0]]
print(locals_inside())
try:
    [undefined for i in [1]]
except NameError as error:
    print(error)
print([i for i in range(5) if i > 1 if i < 4], [b"x" for _ in range(2)])
print(sum(i for i in range(101)), max((len(w), w) for w in "a bbb cc".split()))
for bad in ("[x := 0 for x in y]", "[i for i in range(3), 4]", "[*a for a in b]", "{**a for a in b}", "[(i := 0) for i in x]"):
    try:
        compile(bad, "<s>", "eval")
    except SyntaxError as error:
        print(error.msg)
matrix = [[1, 2], [3, 4]]
print([[row[i] for row in matrix] for i in range(2)], [v for row in matrix for v in row])
