"""Calls, attributes, loops and slices that have a shorter way inside: the same results, and the same errors."""

class Meta(type):
    def __call__(cls, *arguments):
        return "meta", arguments

class Made(metaclass=Meta):
    pass

class Base:
    def __init__(self, a, b=2, *rest):
        self.all = a, b, rest
    def __call__(self, a, b=3):
        return a, b
    @classmethod
    def kind(cls, x):
        return cls.__name__, x
    @staticmethod
    def plain(x):
        return x

class Derived(Base):
    pass

class Missing:
    def __getattr__(self, name):
        return "no " + name

class Stops:
    def __iter__(self):
        return self
    def __next__(self):
        raise StopIteration

for turn in range(3):
    derived = Derived(turn)
    print(Made(1, 2), Base(1)(5), Derived(1, 2, 3).all, Derived.kind(1), derived.kind(2), Base.plain(3), derived.plain(4), Missing().thing)
    bound, static = Derived.kind, derived.plain
    print(bound(5), static(6))
    for number, (a, b) in enumerate(zip([1, 2], "ab")):
        print(number, a, b)
    for pair in enumerate("x"):
        number, letter = pair
        print(pair)
    for a, b in zip(Stops(), Stops()):
        print("never")
    try:
        d = {1: 2}
        for key, value in d.items():
            d[key + 1] = value
    except RuntimeError as error:
        print(error)
    try:
        for a, b in zip([1], [1, 2], strict=True):
            pass
    except ValueError as error:
        print(error)
    for call in (lambda: Base(), lambda: derived(), lambda: derived(1, 2, 3)):
        try:
            call()
        except TypeError as error:
            print(error)

Base.plain = staticmethod(lambda x: x + 1)
Derived.kind = lambda self, x: "method"
print(Base.plain(1), Derived(1).plain(1), Derived(1).kind(2))

items = [3, 1, 2]
items[:2] = items
print(items, "abc"[-1] + "abc"[1:] + "abc"[:-1], (1, 2, 3)[1:], [1, 2, 3][-2:], "abc"[5:], "abc"[2:1], list(range(5, 0, -2)), list(b"ab"))
nan = float("nan")
print(2.0 in [1, 2, 3], [1, 2, 3].index(2.0), [True].count(1), nan in [nan], (1, 2.5, "a") < (1, 2.5, "b"), dict(zip("ab", [1, 2])), dict(enumerate("ab")))

d = {i: i for i in range(50)}
for i in range(1000):
    d.pop(7)
    d[7] = i
    d.popitem()
    d[7] = 1
print(sorted(d) == list(range(50)), d.copy() == d, list(d)[-1])
