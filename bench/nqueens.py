"""Queens on a board by backtracking, once with sets of bits and once with generators and tuples."""

def count(n, columns=0, left=0, right=0):
    full = (1 << n) - 1
    if columns == full:
        return 1
    total = 0
    free = full & ~(columns | left | right)
    while free:
        bit = free & -free
        free ^= bit
        total += count(n, columns | bit, (left | bit) << 1, (right | bit) >> 1)
    return total

def place(n, row=0, placed=()):
    if row == n:
        yield placed
        return
    for column in range(n):
        for r, c in enumerate(placed):
            if c == column or abs(c - column) == row - r:
                break
        else:
            yield from place(n, row + 1, placed + (column,))

def main():
    boards = list(place(10))
    print("nqueens", count(12), len(boards), boards[0])

if __name__ == "__main__":
    main()
