#include "object/suggest.h"
#include "object/exception.h"
#include "object/list.h"
#include "object/str.h"
#include <ctype.h>

#define CANDIDATES_MAX 750
#define NAME_MAX_SIZE 40
#define MOVE_COST 2
#define CASE_COST 1

static size_t substitution_cost(char a, char b)
{
    if ((a & 31) != (b & 31))
        return MOVE_COST;
    if (a == b)
        return 0;
    return tolower((unsigned char)a) == tolower((unsigned char)b) ? CASE_COST : MOVE_COST;
}

/* Levenshtein distance with cheaper changes of case; anything over `limit` is given as limit + 1. */
static size_t distance(const char *a, size_t n, const char *b, size_t m, size_t limit)
{
    while (n && m && *a == *b)
        a++, b++, n--, m--;
    while (n && m && a[n - 1] == b[m - 1])
        n--, m--;
    if (n == 0 || m == 0)
        return (n + m) * MOVE_COST;
    if (n > NAME_MAX_SIZE || m > NAME_MAX_SIZE)
        return limit + 1;
    size_t row[NAME_MAX_SIZE];
    for (size_t i = 0; i < n; i++)
        row[i] = (i + 1) * MOVE_COST;
    size_t result = 0;
    for (size_t j = 0; j < m; j++) {
        size_t diagonal = j * MOVE_COST, best = SIZE_MAX;
        result = (j + 1) * MOVE_COST;
        for (size_t i = 0; i < n; i++) {
            size_t substitute = diagonal + substitution_cost(b[j], a[i]);
            diagonal = row[i];
            size_t insert_or_delete = TY_MIN(result, diagonal) + MOVE_COST;
            result = TY_MIN(insert_or_delete, substitute);
            row[i] = result;
            best = TY_MIN(best, result);
        }
        if (best > limit)
            return limit + 1;
    }
    return result;
}

Value ty_suggest(Value candidates, Value name)
{
    size_t n;
    Value holder, best = TY_NULL;
    const char *text = ty_str_utf8(name, &n, &holder);
    if (!text || ty_list_length(candidates) >= CANDIDATES_MAX) {
        ty_clear_exception();
        return TY_NULL;
    }
    size_t best_distance = SIZE_MAX;
    for (int64_t i = 0; i < ty_list_length(candidates); i++) {
        Value candidate = ty_list_item(candidates, i), candidate_holder;
        size_t m;
        const char *other = candidate == TY_NULL || !ty_is_str(candidate) ? NULL : ty_str_utf8(candidate, &m, &candidate_holder);
        if (!other) {
            ty_clear_exception();
            continue;
        }
        if (n == m && memcmp(text, other, n) == 0)
            continue;
        size_t limit = (n + m + 3) * MOVE_COST / 6;
        if (best != TY_NULL)
            limit = TY_MIN(limit, best_distance - 1);
        size_t d = distance(text, n, other, m, limit);
        if (d > limit)
            continue;
        best = candidate;
        best_distance = d;
    }
    return best;
}
