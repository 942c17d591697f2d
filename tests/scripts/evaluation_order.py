# The order in which parts of expressions and statements are evaluated, and what a failure in the middle leaves behind.
log = []


def note(name, value=None):
    log.append(name)
    return value


def show():
    print(' '.join(log))
    log.clear()


class Box:
    def __init__(self, name):
        object.__setattr__(self, 'name', name)

    def __getattr__(self, attribute):
        if attribute.startswith('__'):
            raise AttributeError(attribute)
        note(f'{self.name}.{attribute}')
        return Box(f'{self.name}.{attribute}')

    def __setattr__(self, attribute, value):
        note(f'{self.name}.{attribute}=')

    def __getitem__(self, key):
        note(f'{self.name}[{key}]')
        return 1

    def __setitem__(self, key, value):
        note(f'{self.name}[{key}]=')

    def __delitem__(self, key):
        note(f'del {self.name}[{key}]')

    def __call__(self, *args, **kwargs):
        note(f'{self.name}()')
        return self


def assignments():
    box = Box('b')
    note('left', box).x, note('right', box)[note('key', 0)] = note('one', 1), note('two', 2)
    show()
    note('target', box)[note('key', 1)] += note('value', 5)
    show()
    note('target', box).y = note('z', box)[0] = note('value', 3)
    show()
    del note('a', box)[note('k', 1)], note('b', box)[note('l', 2)]
    show()


def calls():
    box = Box('f')
    note('f', box)(note('a'), *note('b', (1, 2)), note('c'), k=note('d'), **note('e', {'x': 1}), l=note('g'))
    show()
    note('o', box).method(note('a'), k=note('b'))
    show()
    {note('k1'): note('v1'), **note('m', {}), note('k2', 2): note('v2')}
    show()
    note('x', 1) < note('y', 2) < note('z', 0) < note('never')
    show()
    note('t') if note('c', True) else note('f')
    show()


def changed_in_the_middle():
    x = 1
    print(x + (x := 10) + x, x)
    x = 1
    print([x, (x := 5), x], (lambda a, b, c: (a, b, c))(x, (x := 6), x))
    x = 2
    print(x < (x := 3) < x, x)
    x = [1]
    x += [(x := [2])]
    print(x)
    y = [0, 1, 2]
    i = 0
    i, y[i] = 2, 'set'
    print(i, y)
    a, b, c = 1, 2, 3
    a, b, c = c, a, b
    print(a, b, c)
    (a, b), c = (b, c), a
    print(a, b, c)
    d = {'n': 1}
    print(d['n'] + d.update(n=7) if False else d['n'], [d.setdefault('m', 9), d])


def failing_in_the_middle():
    x = 'old'
    try:
        x = 1 / 0
    except ZeroDivisionError:
        print(x)
    try:
        x = x or 1
        x = '' or 1 / 0
    except ZeroDivisionError:
        print(x)
    try:
        x, y = 'new', 1 / 0
    except ZeroDivisionError:
        print(x)
    try:
        a, b = iter([1])
    except ValueError as error:
        print(error)
    try:
        print(a)
    except UnboundLocalError as error:
        print(error)
    try:
        x = [1 / (i - 2) for i in range(4)]
    except ZeroDivisionError:
        print(x)
    try:
        x = 1 < 'a' < 2
    except TypeError:
        print(x)
    n = 1
    try:
        n += 'a'
    except TypeError:
        print(n)


def unbound(flag):
    if flag:
        value = 1
    try:
        print(value)
    except UnboundLocalError as error:
        print(error)
    for i in ():
        pass
    try:
        print(i)
    except UnboundLocalError as error:
        print(error)
    del flag
    try:
        del flag
    except UnboundLocalError as error:
        print(error)
    try:
        raise KeyError('k')
    except KeyError as error:
        pass
    try:
        error
    except UnboundLocalError as e:
        print(e)


def hidden_names():
    x = 'outer'
    print([x for x in (1, 2)], x, [[x for x in range(x)] for x in (1, 2)], x)
    functions = [lambda: x for x in (1, 2)]
    print([f() for f in functions], x)
    try:
        [1 / x for x in (1, 0)]
    except ZeroDivisionError:
        print(x, sorted(k for k in locals()))
    print([(x, locals()['x']) for x in 'a'], {k: v for k, v in {'x': x}.items()})
    print([y := 1, y + 1], y, any((z := v) > 1 for v in (1, 2, 3)), z)


class Body:
    x = 1
    try:
        print([x for _ in range(1)])
    except NameError as error:
        print(error)
    print([x for x in range(x + 1)], [k for k in 'ab' if k])
    y = [lambda: v for v in (1, 2)][0]()
    print(y, sorted(n for n in dir() if not n.startswith('__')))


assignments()
calls()
changed_in_the_middle()
failing_in_the_middle()
unbound(True)
unbound(False)
hidden_names()
