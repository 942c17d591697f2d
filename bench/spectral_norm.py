"""The largest singular value of an infinite matrix's corner: nested loops over floats."""
from math import sqrt

def element(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)

def times(vector, n):
    return [sum([element(i, j) * vector[j] for j in range(n)]) for i in range(n)]

def times_transposed(vector, n):
    return [sum([element(j, i) * vector[j] for j in range(n)]) for i in range(n)]

def main():
    n = 340
    u = [1.0] * n
    for _ in range(10):
        v = times_transposed(times(u, n), n)
        u = times_transposed(times(v, n), n)
    product = sum(a * b for a, b in zip(u, v))
    square = sum(b * b for b in v)
    print("spectral_norm %.8f" % sqrt(product / square))

if __name__ == "__main__":
    main()
