"""Floats: repr, formatting, rounding, special values."""
import math
for x in (0.1, 0.1 + 0.2, 1.0, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 1.5e300, 5e-324, 1.7976931348623157e308, -0.0, 2 / 3, 1e22, 1e23, 4.35):
    print(x, repr(x), f"{x:.3f}", f"{x:.3e}", f"{x:.3g}", f"{x:g}", f"{x:.0f}", f"{x:,.2f}", x.hex()) if x < 1e30 else print(x, f"{x:.3e}", x.hex())
nan, inf = float("nan"), float("inf")
print(nan, inf, -inf, nan == nan, inf == inf, inf - inf, inf * 0, 1 / inf, -1 / inf, min(nan, 1), max(1, nan))
print(f"{inf:f} {nan:F} {-inf:e} {inf:010.2f} {1234.5678:+.1f} {0.00001234:g} {1e10:g} {123456:.3g} {1.0:#.0f} {0.5:%} {0.1234:.1%}")
print(round(2.5), round(3.5), round(-2.5), round(2.675, 2), round(1234.567, -2), round(0.5), round(1e300, 2), round(1.15, 1), type(round(1.5)).__name__, round(1.5, 0))
print(7.5 // 2, -7.5 // 2, 7.5 % 2, -7.5 % 2, 7.5 % -2, divmod(-7.5, 2), 2.0 ** 0.5, (-8) ** (1 / 3), 0.0 ** 0, 2 ** -1)
print(int(1e20), math.floor(-0.5), math.ceil(0.5), math.trunc(-2.7), (0.75).as_integer_ratio(), (2.0).is_integer(), float.fromhex("0x1.8p3"))
print(float("1e5"), float("  -3.5\n"), float("1_0.5"), float("infinity"), float("-NaN"), float(b"2.5"), float(10 ** 20), float("1e400"), float("1e-400"))
print(hash(1.0), hash(0.5), hash(inf), hash(-inf), hash(1e100), hash(2.0 ** 61), 1.0 == 1, hash(1.0) == hash(1), {1: "a"}[1.0])
print(math.sqrt(2), math.sin(1), math.exp(1), math.log(10), math.log2(8), math.log10(1000), math.hypot(3, 4), math.atan2(1, -1), math.fsum([0.1] * 10), sum([0.1] * 10))
print(math.pi, math.e, math.tau, math.copysign(1, -0.0), math.frexp(10), math.ldexp(0.5, 4), math.modf(-2.5), math.fmod(-7, 3), math.remainder(7, 4), math.isclose(0.1 + 0.2, 0.3))
print(math.nextafter(1, 2), math.ulp(1.0), math.gamma(5), math.erf(0.5), math.cbrt(27), math.dist((0, 0), (3, 4)), math.prod([1.5, 2]), math.sumprod([1, 2], [3, 4.5]), math.fma(2, 3, 4))
for bad in (lambda: 1.0 / 0, lambda: 1.0 // 0, lambda: 1.0 % 0, lambda: float("x"), lambda: float(""), lambda: float(None), lambda: math.sqrt(-1), lambda: math.log(0), lambda: 10.0 ** 400, lambda: 0.0 ** -1,
            lambda: int("1.5"), lambda: float(10 ** 400), lambda: 1.5 & 1, lambda: format(1.5, "d"), lambda: math.exp(1000), lambda: math.factorial(1.5), lambda: round(inf), lambda: round(nan)):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
z = 3 + 4j
print(z, abs(z), z.conjugate(), z * z, z / (1 - 2j), z ** 2, -z, complex("1-2j"), complex(1.5), 1j ** 2, complex(0, -0.0), repr(-0j), z == 3 + 4j, f"{z:.2f}")
print(1e308 * 10, 0.1 * 3, 1 - 0.9, 1e16 + 1, 9007199254740993.0, 0.1 + 0.7, 100 * 1.1, 3 * 1.1)
print([round(i * 0.1, 10) for i in range(5)], sorted([2.5, -1, 1e-9, inf, -inf, 0]), float.__repr__(1e7), "%.3f %5.1f %e %g %s" % (1.5, 2.25, 12345.678, 1e-7, 0.1))
