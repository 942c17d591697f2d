"""The Mandelbrot set, by plain floats in a while loop."""

def escape(cr, ci, limit):
    zr = zi = 0.0
    n = 0
    while n < limit:
        rr = zr * zr
        ii = zi * zi
        if rr + ii > 4.0:
            return n
        zi = 2.0 * zr * zi + ci
        zr = rr - ii + cr
        n += 1
    return n

def main():
    width, height, limit = 400, 320, 200
    total = inside = 0
    for y in range(height):
        ci = -1.2 + 2.4 * y / height
        for x in range(width):
            n = escape(-2.1 + 3.0 * x / width, ci, limit)
            total += n
            inside += n == limit
    print("mandelbrot", total, inside)

if __name__ == "__main__":
    main()
