/* The searches of search.c for one width of characters: included once for each with CHAR (the type) and NAME(x) (its function's name). */

static int64_t NAME(find_char)(const CHAR *text, int64_t length, CHAR c)
{
    int64_t i = 0;
#ifdef FIND_CHAR
    const CHAR *found = length > 0 ? FIND_CHAR(text, c, length) : NULL;
    (void)i;
    return found ? found - text : -1;
#else
    for (; i + 16 <= length; i += 16) { /* a block at a time: compilers make vector instructions of it */
        CHAR any = 0;
        for (int j = 0; j < 16; j++)
            any |= (CHAR) - (text[i + j] == c);
        if (any)
            break;
    }
    for (; i < length; i++)
        if (text[i] == c)
            return i;
    return -1;
#endif
}

static int64_t NAME(rfind_char)(const CHAR *text, int64_t length, CHAR c)
{
#ifdef RFIND_CHAR
    const CHAR *found = length > 0 ? RFIND_CHAR(text, c, length) : NULL;
    return found ? found - text : -1;
#else
    int64_t i = length;
    for (; i >= 16; i -= 16) {
        CHAR any = 0;
        for (int j = 1; j <= 16; j++)
            any |= (CHAR) - (text[i - j] == c);
        if (any)
            break;
    }
    while (--i >= 0)
        if (text[i] == c)
            return i;
    return -1;
#endif
}

static int64_t NAME(count_char)(const CHAR *text, int64_t length, CHAR c)
{
    int64_t count = 0;
    for (int64_t i = 0; i < length;) {
        int64_t end = TY_MIN(length, i + 128);
        CHAR some = 0; /* at most 128: no width overflows */
        for (; i < end; i++)
            some += text[i] == c;
        count += some;
    }
    return count;
}

/* Two-way searching (Crochemore and Perrin), forwards over `text` read through AT: with `step` -1 both arrays are read from their ends. */
#define AT(array, length, i) ((array)[step > 0 ? (i) : (length) - 1 - (i)])

static int64_t NAME(maximal_suffix)(const CHAR *needle, int64_t length, int step, bool reversed, int64_t *period_out)
{
    int64_t start = -1, candidate = 0, offset = 1, period = 1;
    while (candidate + offset < length) {
        CHAR a = AT(needle, length, candidate + offset), b = AT(needle, length, start + offset);
        if (reversed ? a > b : a < b) {
            candidate += offset;
            offset = 1;
            period = candidate - start;
        } else if (a == b) {
            if (offset == period) {
                candidate += period;
                offset = 1;
            } else {
                offset++;
            }
        } else {
            start = candidate++;
            offset = period = 1;
        }
    }
    *period_out = period;
    return start + 1;
}

static int64_t NAME(two_way)(const CHAR *text, int64_t length, const CHAR *needle, int64_t m, int step)
{
    int64_t period, other_period;
    int64_t cut = NAME(maximal_suffix)(needle, m, step, false, &period);
    int64_t other = NAME(maximal_suffix)(needle, m, step, true, &other_period);
    if (other > cut) {
        cut = other;
        period = other_period;
    }
    bool periodic = true;
    for (int64_t i = 0; i < cut && periodic; i++)
        periodic = i + period < m && AT(needle, m, i) == AT(needle, m, i + period);
    int64_t memory = 0, shift = periodic ? period : TY_MAX(cut, m - cut) + 1;
    for (int64_t at = 0; at <= length - m;) {
        int64_t i = TY_MAX(cut, memory);
        while (i < m && AT(needle, m, i) == AT(text, length, at + i))
            i++;
        if (i < m) {
            at += i - cut + 1;
            memory = 0;
            continue;
        }
        i = cut - 1;
        while (i >= memory && AT(needle, m, i) == AT(text, length, at + i))
            i--;
        if (i < memory)
            return at;
        at += shift;
        memory = periodic ? m - period : 0;
    }
    return -1;
}
#undef AT

static int64_t NAME(find)(const CHAR *text, int64_t length, const CHAR *needle, int64_t m)
{
    if (m > length)
        return -1;
    if (m <= 1)
        return m == 0 ? 0 : NAME(find_char)(text, length, needle[0]);
    /* Candidates by the last character; a budget of comparisons bounds the bad cases. */
    CHAR last = needle[m - 1];
    int64_t budget = 4 * length + 64, at = 0;
    while (at <= length - m) {
        int64_t step = NAME(find_char)(text + at + m - 1, length - m - at + 1, last);
        if (step < 0)
            return -1;
        at += step;
        if (text[at] == needle[0]) {
            int64_t i = 1;
            while (i < m - 1 && text[at + i] == needle[i])
                i++;
            if (i >= m - 1)
                return at;
            budget -= i;
        }
        at++;
        budget -= 16;
        if (budget < 0) {
            int64_t rest = NAME(two_way)(text + at, length - at, needle, m, 1);
            return rest < 0 ? -1 : at + rest;
        }
    }
    return -1;
}

static int64_t NAME(rfind)(const CHAR *text, int64_t length, const CHAR *needle, int64_t m)
{
    if (m > length)
        return -1;
    if (m <= 1)
        return m == 0 ? length : NAME(rfind_char)(text, length, needle[0]);
    CHAR first = needle[0];
    int64_t budget = 4 * length + 64, end = length - m + 1; /* starts below `end` are still to be tried */
    while (end > 0) {
        int64_t at = NAME(rfind_char)(text, end, first);
        if (at < 0)
            return -1;
        if (text[at + m - 1] == needle[m - 1]) {
            int64_t i = m - 2;
            while (i > 0 && text[at + i] == needle[i])
                i--;
            if (i <= 0)
                return at;
            budget -= m - i;
        }
        end = at;
        budget -= 16;
        if (budget < 0 && end > 0) {
            int64_t shorter = end + m - 1, back = NAME(two_way)(text, shorter, needle, m, -1);
            return back < 0 ? -1 : shorter - m - back;
        }
    }
    return -1;
}
