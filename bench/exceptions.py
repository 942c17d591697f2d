"""Exceptions: raised and caught near and far, finally on the way, else taken, custom classes, try that costs nothing."""

class Problem(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code

class Special(Problem):
    pass

def risky(i):
    if i % 5 == 0:
        raise Special(i)
    if i % 3 == 0:
        raise Problem(i)
    return i

def deep(n, i):
    if n == 0:
        return risky(i)
    try:
        return deep(n - 1, i) + 1
    finally:
        counters["finally"] += 1

counters = {"finally": 0}

def parse(text):
    try:
        return int(text)
    except ValueError:
        return -1

def main():
    special = plain = fine = 0
    for i in range(700000):
        try:
            fine += risky(i)
        except Special as problem:
            special += problem.code & 7
        except Problem as problem:
            plain += problem.code & 7
        else:
            fine -= 1
    far = 0
    for i in range(70000):
        try:
            far += deep(8, i)
        except Problem:
            far -= 1
    parsed = sum(parse(t) for t in ["12", "x", "7", "3.5"] * 100000)
    quiet = 0
    for i in range(4000000):
        try:
            quiet += i & 3
        except KeyError:
            quiet = 0
    missing = 0
    table = {}
    for i in range(500000):
        try:
            table[i]
        except KeyError:
            missing += 1
    print("exceptions", special, plain, fine, far, counters["finally"], parsed, quiet, missing)

if __name__ == "__main__":
    main()
