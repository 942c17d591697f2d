# The format mini-language for numbers and text, and the errors that it gives.
values = [0, 1, -1, 255, -123456789, 10**30, True, 0.0, -0.0, 1.5, -2.675, 1e16, 1e-7, 123456.789, float('inf'), float('nan'),
          1j, 1.5 - 2j, 'text', 'é€']
specs = ['', 'd', 'x', '#X', 'o', '#b', '_b', ',', ',d', '_x', 'c', 'n', '+', ' ', '08', '<8', '^9', '*>9', '=+9', 'é^9', '#06x',
         '.2f', '+.3e', '.0f', '#.0f', 'g', '.3g', '#g', '%', '.1%', 'z.1f', ',.2f', '015,.2f', '_.8_f', '.5', '.0', 's', '.1s',
         '5.1s', '010', '010,', 'F', 'E', 'G', ',x', ',_', '.', '.2d', 'zd', '+c', '5k', 'xyz', '99999999999999999999']
for value in values:
    for spec in specs:
        try:
            print(repr(value), repr(spec), repr(format(value, spec)))
        except (ValueError, OverflowError) as error:
            print(repr(value), repr(spec), type(error).__name__, error)

for text in ['%d', '%5d|%-5d|%05d', '%+d % d', '%x %X %#x %o %#o', '%.3d', '%5.3d', '%e', '%.0e', '%#.0f', '%g %G', '%+.2f', '%010.3f', '%-10.2f|']:
    count = text.count('%')
    print(text, '->', text % tuple([-42, 255, 7][i % 3] for i in range(count)))

for number in [0.5, 1.5, 2.5, 2.675, 1e22, 123456.5, -0.5, 1e300]:
    print(number, round(number), [round(number, places) for places in (-2, 0, 1, 2, 20)])
for number in [5, 15, 25, -15, -25, 10**20 + 5 * 10**9]:
    print(number, [round(number, places) for places in (-10, -1, 0, 3)])
for text in ['0x1.8p3', '-0x.8p-1074', '0x1p1023', 'inf', '-nan', '0x1.fffffffffffff8p1023', '0xg', '1.8', '0x1p-1075']:
    try:
        print(text, repr(float.fromhex(text)), float.fromhex(text).hex())
    except (ValueError, OverflowError) as error:
        print(text, type(error).__name__, error)
for text in [' 12 ', '1_000', '1__0', '_1', '0x1F', '0b1', '٣٤', '', '12a', '+-1', '9' * 25, '-0']:
    for base in (10, 0, 16, 36):
        try:
            print(repr(text), base, int(text, base))
        except ValueError as error:
            print(repr(text), base, error)
for text in ['1.5', ' 1e5 ', '1_0.5', '1e', '.5', '5.', '.', 'infinity', '-INF', 'nan', '1_e5', '٣.٤', '']:
    try:
        print(repr(text), float(text))
    except ValueError as error:
        print(repr(text), error)
for text in ['1+2j', '(1-2j)', 'j', '-j', '1e5j', '1+', 'infj', 'nan-infj', '1 + 2j', '3']:
    try:
        print(repr(text), complex(text))
    except ValueError as error:
        print(repr(text), error)
