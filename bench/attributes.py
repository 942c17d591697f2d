"""Attributes: instances with dictionaries and with slots, classes, inheritance, properties, __getattr__, several shapes at one place."""

class Point:
    kind = "point"

    def __init__(self, x, y):
        self.x = x
        self.y = y

    @property
    def norm(self):
        return self.x * self.x + self.y * self.y

class Point3(Point):
    def __init__(self, x, y, z):
        super().__init__(x, y)
        self.z = z

class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

class Lazy:
    x = 5

    def __getattr__(self, name):
        if name == "y":
            return 7
        raise AttributeError(name)

class Other:
    def __init__(self, y, x):
        self.y = y
        self.x = x

def total(things, rounds):
    result = 0
    for _ in range(rounds):
        for thing in things:
            result += thing.x - thing.y
            thing_x = thing.x
            result ^= thing_x
    return result

def main():
    same = [Point(i, i + 1) for i in range(100)]
    mixed = [make for i in range(20) for make in (Point(i, 2), Point3(i, 3, 4), Slotted(i, 1), Lazy(), Other(i, 5))]
    first = total(same, 15000)
    second = total(mixed, 15000)
    norms = sum(p.norm for _ in range(5000) for p in same)
    for round in range(10000):
        for p in same:
            p.x = p.x + 1
            p.y += 1
    names = 0
    for i in range(400000):
        p = same[i % 100]
        if hasattr(p, "x") and not hasattr(p, "missing"):
            names += getattr(p, "x") + len(p.kind)
        setattr(p, "extra", i)
    print("attributes", first, second, norms, names, len(vars(same[0])))

if __name__ == "__main__":
    main()
