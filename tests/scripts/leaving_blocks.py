# Every way out of every block: return, break, continue, exceptions, through finally, with, except and except*.
import sys


class Manager:
    def __init__(self, name, suppress=False):
        self.name, self.suppress = name, suppress

    def __enter__(self):
        print('enter', self.name)
        return self.name

    def __exit__(self, kind, value, traceback):
        print('exit', self.name, kind and kind.__name__, value, traceback is not None)
        return self.suppress


def returns(how):
    try:
        with Manager('a') as a, Manager('b', how == 'suppressed') as b:
            try:
                if how == 'return':
                    return 'value'
                if how == 'raise' or how == 'suppressed':
                    raise ValueError(how)
                if how == 'nested':
                    try:
                        raise KeyError
                    except KeyError:
                        return 'from handler', sys.exception()
            finally:
                print('inner finally', type(sys.exception()).__name__)
        return 'end', a, b
    except ValueError as error:
        return 'caught', str(error)
    finally:
        print('outer finally', sys.exception())


def loops():
    for i in range(6):
        try:
            if i == 1:
                continue
            if i == 4:
                break
            print('body', i)
        finally:
            print('finally', i)
    else:
        print('not here')
    for i in range(2):
        with Manager(i):
            if i:
                break
            continue
    while True:
        try:
            raise ValueError
        except ValueError:
            break
        finally:
            print('leaving')
    else:
        print('not here')
    for i in []:
        pass
    else:
        print('else', i)


def replaced():
    x = 1
    try:
        return x
    finally:
        x = 2


def handled_state():
    print(sys.exception())
    try:
        raise ValueError(1)
    except ValueError:
        print(sys.exception())
        try:
            raise KeyError(2)
        except KeyError:
            print(repr(sys.exception()), repr(sys.exception().__context__))
        print(sys.exception())
        for _ in range(1):
            try:
                raise TypeError(3)
            except TypeError:
                continue
        print(sys.exception())
    print(sys.exception())


def generator():
    try:
        yield 1
        try:
            raise ValueError('inside')
        except ValueError:
            yield sys.exception()
        yield sys.exception()
    finally:
        print('closed')


def chains():
    try:
        try:
            1 / 0
        except ZeroDivisionError as error:
            raise KeyError('k') from error
    except KeyError as error:
        print(repr(error.__cause__), error.__suppress_context__)
    try:
        try:
            1 / 0
        finally:
            raise KeyError('second')
    except KeyError as error:
        print(repr(error.__context__))
    try:
        raise
    except RuntimeError as error:
        print(error)


def groups():
    def run(*errors):
        try:
            raise ExceptionGroup('g', errors)
        except* ValueError as group:
            print('value', group.exceptions, sys.exception() is group)
        except* (TypeError, KeyError) as group:
            print('type', group.exceptions)
            if len(group.exceptions) > 1:
                raise OSError('more')
        else:
            print('no')
        finally:
            print('finally')
    run(ValueError(1))
    run(ValueError(1), TypeError(2))
    for errors in ((IndexError(3), ValueError(4)), (TypeError(5), KeyError(6))):
        try:
            run(*errors)
        except BaseException as error:
            print(repr(error), getattr(error, 'exceptions', None))
    try:
        try:
            raise ValueError('naked')
        except* ValueError as group:
            print(repr(group))
            raise
    except ExceptionGroup as group:
        print(repr(group))
    try:
        print('fine')
    except* ValueError:
        print('no')
    else:
        print('else')


for how in ('return', 'raise', 'suppressed', 'nested', ''):
    print(returns(how))
loops()
print(replaced())
handled_state()
g = generator()
print(next(g), repr(next(g)), sys.exception(), next(g))
g.close()
chains()
groups()
