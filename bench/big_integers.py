"""Integers of hundreds to tens of thousands of digits: products, powers, division, gcd, conversion to text."""
from math import gcd

def fibonacci(n):
    """By doubling."""
    a, b = 0, 1
    for bit in bin(n)[2:]:
        a, b = a * (2 * b - a), a * a + b * b
        if bit == "1":
            a, b = b, a + b
    return a

def pi_digits(n):
    """Machin's formula in fixed point."""
    one = 10 ** (n + 10)
    def arctan_of_inverse(x):
        term = one // x
        total = term
        k = 1
        while term:
            term //= -x * x
            k += 2
            total += term // k
        return total
    return (16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239)) // 10 ** 10

def main():
    f = fibonacci(1000000)
    product = 1
    for i in range(1, 8000):
        product *= i
    modular = sum(pow(3, p, p * p + 7) for p in range(10 ** 40, 10 ** 40 + 1500))
    pi = pi_digits(8000)
    common = gcd(f, product)
    digits = str(pow(7, 4900))
    xored = 0
    for shift in range(12000):
        xored ^= product >> shift
    medium = 1
    for i in range(900000):
        medium = (medium * 6364136223846793005 + i) % (2 ** 127 - 1)
    print("big_integers", f % 10 ** 12, product % (10 ** 9 + 7), modular % 10 ** 12, pi % 10 ** 12, common % 10 ** 12, digits[:8], xored % 10 ** 12, medium)

if __name__ == "__main__":
    main()
