"""Integers of every size: arithmetic, shifts, conversion, text."""
import math
big = 3 ** 200
print(big, -big // 7, -big % 7, divmod(-big, 10 ** 20), big.bit_length(), big.bit_count())
for a in (7, -7, 2 ** 47, -(2 ** 47), 2 ** 48 - 1, 2 ** 63, -(2 ** 63), 2 ** 64 + 1, 10 ** 30):
    for b in (3, -3, 2 ** 31, -(2 ** 62)):
        assert (a // b) * b + a % b == a
        print(a + b, a - b, a * b, a // b, a % b, a & b, a | b, a ^ b)
print(2 ** 47 + 2 ** 47, 2 ** 48 * 2 ** 48, (2 ** 47) ** 2, -(-(2 ** 47)), ~(2 ** 47), abs(-2 ** 63))
print(1 << 100, (1 << 100) >> 98, -1 >> 5, -(1 << 70) >> 68, 5 >> 1000, -5 >> 1000, 0 << 100)
print(pow(3, 100, 7), pow(3, -1, 7), pow(2, 1000, 10 ** 9 + 7), pow(-2, 3), pow(2, -2), pow(10, 0, 1))
print(int("123"), int("-0xff", 16), int("0b101", 0), int("z", 36), int(" 1_000 "), int(b"12"), int(3.99), int(-3.99), int(True), int("١٢٣"))
print(bin(-10), oct(8), hex(255), hex(-2 ** 70), f"{2 ** 70:,}", f"{255:#010x}", f"{-5:08b}", f"{2**100:_x}")
print((1000).to_bytes(2, "big"), (-5).to_bytes(3, "little", signed=True), int.from_bytes(b"\x03\xe8"), int.from_bytes(b"\xff\xfe", "little", signed=True))
print(math.gcd(12, -18), math.lcm(4, 6), math.isqrt(10 ** 40), math.factorial(30), math.comb(50, 25), math.perm(10, 3))
print(round(12345, -2), round(-25, -1), round(15, -1), round(25, -1), (5).__round__(), int.__floor__(5))
print(10 ** 25 == 1e25, 2 ** 53 + 1 == float(2 ** 53 + 1), 2 ** 53 + 1 > float(2 ** 53), hash(2 ** 61 - 1), hash(-1), hash(2 ** 100), hash(10 ** 30))
print(5 / 2, -7 / 2, 10 ** 400 / 10 ** 399, (10 ** 20) / 3, 1 / 3)
print(str(10 ** 50), repr(-10 ** 25), len(str(2 ** 10000)), int("9" * 100) + 1 == 10 ** 100)
print((7).numerator, (7).denominator, (7).real, (7).imag, (7).conjugate(), (7).as_integer_ratio(), (7).is_integer())
print(True + True, True & False, True ^ True, ~True if False else -2, isinstance(True, int), bool(0), bool(-1), bool(2 ** 100))
print(0x_ff, 0b1_0, 0o17, 1_000_000, 00)
for bad in (lambda: 1 // 0, lambda: 1 % 0, lambda: 1 / 0, lambda: divmod(1, 0), lambda: pow(2, -1, 4), lambda: pow(1, 2, 0), lambda: 1 << -1, lambda: int("12x"), lambda: int("", 5),
            lambda: int("1", 99), lambda: int(None), lambda: int([]), lambda: int(float("nan")), lambda: int(float("inf")), lambda: 2 ** 10000 / 1, lambda: (-1).to_bytes(1), lambda: (256).to_bytes(1),
            lambda: 1 + "a", lambda: "a" + 1, lambda: 1 < "a", lambda: -"a", lambda: 1 @ 2, lambda: int("1__0"), lambda: math.isqrt(-1), lambda: 1 .x):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
try:
    int("1" * 5000)
except ValueError as error:
    print(error)
try:
    str(10 ** 5000)
except ValueError as error:
    print(error)
import sys
print(sys.int_info.default_max_str_digits, sys.maxsize)
class MyInt(int):
    def __add__(self, other):
        return MyInt(int(self) + other + 1)
print(MyInt(3) + 4, type(MyInt(3) + 4).__name__, MyInt(3) * 2, type(MyInt(3) * 2).__name__, sum([MyInt(1), MyInt(2)]))
total = 0
for i in range(1, 60):
    total = total * 31 + i ** i
print(total % (10 ** 40), total.bit_length())
