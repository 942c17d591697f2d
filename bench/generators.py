"""Generators: pipelines, delegation, recursion through yield from, and values sent in."""

def naturals(limit):
    n = 0
    while n < limit:
        yield n
        n += 1

def keep(predicate, source):
    for x in source:
        if predicate(x):
            yield x

def windows(source, size):
    window = []
    for x in source:
        window.append(x)
        if len(window) == size:
            yield tuple(window)
            window.pop(0)

def walk(low, high):
    if low < high:
        middle = (low + high) // 2
        yield from walk(low, middle)
        yield middle
        yield from walk(middle + 1, high)

def averager():
    total = 0.0
    count = 0
    average = None
    while True:
        x = yield average
        total += x
        count += 1
        average = total / count

def main():
    total = 0
    for a, b, c in windows(keep(lambda n: n % 3, naturals(1800000)), 3):
        total += a * c - b
    in_order = sum(i * x for i, x in enumerate(walk(0, 150000)))
    running = averager()
    next(running)
    for i in range(1500000):
        last = running.send(i & 255)
    squares = sum(x * x for x in naturals(2500000) if x & 1)
    print("generators", total, in_order, last, squares)

if __name__ == "__main__":
    main()
