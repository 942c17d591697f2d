"""Calls: functions, methods, bound methods, keywords, defaults, *args, super, class and static methods, __call__."""

class Base:
    def __init__(self):
        self.total = 0

    def add(self, n):
        self.total += n
        return self

    def scaled(self, n, factor=2, *, offset=0):
        return n * factor + offset

    @classmethod
    def make(cls):
        return cls()

    @staticmethod
    def twice(n):
        return n + n

    def __call__(self, n):
        return n ^ 1

class Derived(Base):
    def add(self, n):
        return super().add(n + 1)

def plain(a, b):
    return a + b

def variable(*args, **keywords):
    return len(args) + len(keywords)

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def main():
    derived = Derived.make()
    add = derived.add
    total = 0
    for i in range(800000):
        derived.add(i).add(1)
        add(2)
        total += plain(i, 1)
        total += derived.scaled(i) + derived.scaled(i, 3) + derived.scaled(i, factor=4, offset=1)
        total += derived(i) + Base.twice(i)
        total += variable(i, 2, key=3)
    total += sum(map(derived, range(400000)))
    print("method_calls", derived.total, total, fib(27))

if __name__ == "__main__":
    main()
