"""Functions made by functions: cells that are read and rebound, composition, memoising by a decorator, callbacks."""

def counter():
    n = 0
    def step(by):
        nonlocal n
        n += by
        return n
    return step

def compose(*functions):
    def composed(x):
        for f in functions:
            x = f(x)
        return x
    return composed

def memoised(function):
    known = {}
    def wrapper(*key):
        if key not in known:
            known[key] = function(*key)
        return known[key]
    return wrapper

@memoised
def paths(rows, columns):
    if rows == 0 or columns == 0:
        return 1
    return paths(rows - 1, columns) + paths(rows, columns - 1)

def curried(a):
    return lambda b: lambda c: a * b + c

def main():
    step = counter()
    for i in range(3000000):
        last = step(i & 3)
    f = compose(*[(lambda k: lambda x: (x * 3 + k) & 0xFFFF)(k) for k in range(8)])
    total = 0
    for i in range(250000):
        total += f(i)
    routes = 0
    for i in range(250):
        routes += paths(60, 60) % 1000
        routes += sum(paths(i % 50, j) % 7 for j in range(50) for _ in range(20))
    sums = 0
    for i in range(500000):
        sums += curried(i)(2)(3)
    handlers = [counter() for _ in range(50)]
    for i in range(40000):
        for handler in handlers[i % 40:i % 40 + 10]:
            handler(i)
    print("closures", last, total, routes, sums, sum(h(0) for h in handlers))

if __name__ == "__main__":
    main()
