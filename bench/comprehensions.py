"""List, set, dict and generator comprehensions, nested and filtered: a sieve, a matrix product, a transposition, a table."""

def multiply(a, b):
    columns = list(zip(*b))
    return [[sum([x * y for x, y in zip(row, column)]) for column in columns] for row in a]

def sieve(n):
    composite = {j for i in range(2, int(n ** 0.5) + 1) for j in range(i * i, n, i)}
    return [i for i in range(2, n) if i not in composite]

def main():
    a = [[(i * j) % 17 for j in range(160)] for i in range(160)]
    product = multiply(a, a)
    primes = sieve(400000)
    transposed = [[row[i] for row in product] for i in range(len(product))]
    table = {p: [q for q in primes[:12] if p % q == 1] for p in primes[:33000]}
    lengths = {len(v) for v in table.values()}
    triples = [(x, y, z) for x in range(1, 200) for y in range(x, 200) for z in [int((x * x + y * y) ** 0.5)] if z < 200 and x * x + y * y == z * z]
    inverted = {str(v): k for k, v in enumerate(primes)}
    print("comprehensions", sum(map(sum, transposed)), len(primes), len(table), sorted(lengths), len(triples), len(inverted), sum(x for x in range(3000000) if x % 3 == 0))

if __name__ == "__main__":
    main()
