"""Flipping pancakes: how many prefix reversals each permutation needs at most. Lists of small ints."""

def flips_of(order):
    count = 0
    stack = order[:]
    while (first := stack[0]) != 0:
        stack[:first + 1] = stack[first::-1]
        count += 1
    return count

def permutations(n):
    """All orders of n things, by Heap's method, with the sign of each."""
    order = list(range(n))
    state = [0] * n
    sign = 1
    yield order, sign
    i = 1
    while i < n:
        if state[i] < i:
            j = state[i] if i & 1 else 0
            order[j], order[i] = order[i], order[j]
            sign = -sign
            yield order, sign
            state[i] += 1
            i = 1
        else:
            state[i] = 0
            i += 1

def main():
    worst = checksum = 0
    for order, sign in permutations(9):
        flips = flips_of(order)
        if flips > worst:
            worst = flips
        checksum += sign * flips
    print("fannkuch", worst, checksum)

if __name__ == "__main__":
    main()
