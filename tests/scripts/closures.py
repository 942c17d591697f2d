"""Cells: shared, rebound by nonlocal, captured late, deleted, seen through __closure__."""

def counter(start):
    value = start
    def step(by=1):
        nonlocal value
        value += by
        return value
    def peek():
        return value
    return step, peek

step, peek = counter(10)
other, _ = counter(0)
print(step(), step(5), peek(), other())

late = [lambda: i for i in range(3)]
early = [lambda i=i: i for i in range(3)]
print([f() for f in late], [f() for f in early])

def deep(a):
    def one():
        def two():
            def three():
                nonlocal a
                a *= 2
                return a
            return three
        return two
    return one
f = deep(3)()()
print(f(), f(), f.__code__.co_freevars, f.__closure__[0].cell_contents)

def unbound():
    def read():
        return x
    try:
        read()
    except NameError as error:
        print(type(error).__name__, error)
    x = 1
    print(read())
    del x
    try:
        read()
    except NameError as error:
        print(error)
unbound()

def local_before_assignment():
    try:
        print(y)
    except UnboundLocalError as error:
        print(error)
    y = 1
local_before_assignment()

def make_class(tag):
    class Tagged:
        name = tag
        def get(self):
            return tag, __class__.__name__
    return Tagged
print(make_class("a")().get(), make_class("b").name)

def cell_of():
    x = 5
    return (lambda: x).__closure__[0]
cell = cell_of()
cell.cell_contents = 7
print(cell.cell_contents)
del cell.cell_contents
try:
    cell.cell_contents
except ValueError as error:
    print(error)

x = "global"
def shadow():
    x = "outer"
    def use_global():
        global x
        x += "!"
        return x
    return use_global(), x
print(shadow(), x)
