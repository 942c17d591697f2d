/* _suggestions: which of some names is most like a given one. The measure is an edit distance in which a letter's change of case
 * costs half of what any other edit does. */
#include "object/exception.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"

enum { EDIT_COST = 2, CASE_COST = 1, LONGEST_NAME = 40, MOST_CANDIDATES = 750 };

static uint32_t small_letter(uint32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

static int substitution_cost(uint32_t a, uint32_t b)
{
    return a == b ? 0 : small_letter(a) == small_letter(b) ? CASE_COST : EDIT_COST;
}

/* The cost of turning a into b; anything above `most` stands for "more than that". */
static int distance(Value a, Value b, int most)
{
    int row[LONGEST_NAME + 1];
    int64_t start = 0, a_end = ty_str_length(a), b_end = ty_str_length(b);
    while (start < a_end && start < b_end && ty_str_at(a, start) == ty_str_at(b, start))
        start++;
    while (a_end > start && b_end > start && ty_str_at(a, a_end - 1) == ty_str_at(b, b_end - 1))
        a_end--, b_end--;
    int a_size = (int)(a_end - start), b_size = (int)(b_end - start);
    if (a_size == 0 || b_size == 0)
        return (a_size + b_size) * EDIT_COST;
    if (a_size > LONGEST_NAME || b_size > LONGEST_NAME || (a_size > b_size ? a_size - b_size : b_size - a_size) * EDIT_COST > most)
        return most + 1;
    for (int i = 0; i <= a_size; i++)
        row[i] = i * EDIT_COST;
    for (int j = 1; j <= b_size; j++) {
        int diagonal = row[0], least = row[0] = j * EDIT_COST;
        for (int i = 1; i <= a_size; i++) {
            int changed = diagonal + substitution_cost(ty_str_at(a, start + i - 1), ty_str_at(b, start + j - 1));
            int moved = (row[i] < row[i - 1] ? row[i] : row[i - 1]) + EDIT_COST;
            diagonal = row[i];
            row[i] = changed < moved ? changed : moved;
            if (row[i] < least)
                least = row[i];
        }
        if (least > most)
            return most + 1;
    }
    return row[a_size];
}

static Value generate_suggestions(Value module, Value *a)
{
    Value candidates = a[0], name = a[1], best = TY_NONE;
    if (!ty_is_exact_list(candidates))
        return ty_raise(&ty_TypeError, "candidates must be a list");
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "_generate_suggestions() argument 2 must be str, not %T", name);
    int64_t count = ty_list_length(candidates);
    for (int64_t i = 0; i < count; i++) {
        Value candidate = ty_list_item(candidates, i);
        if (candidate != TY_NULL && !ty_is_str(candidate))
            return ty_raise(&ty_TypeError, "all elements in 'candidates' must be strings");
    }
    if (count >= MOST_CANDIDATES || ty_str_length(name) > LONGEST_NAME)
        return TY_NONE;
    int best_distance = 0;
    for (int64_t i = 0; i < count; i++) {
        Value candidate = ty_list_item(candidates, i);
        if (candidate == TY_NULL || ty_str_equal(candidate, name) || ty_str_length(candidate) > 10 * LONGEST_NAME)
            continue;
        /* No more than a third of the letters may be wrong. */
        int most = (int)(ty_str_length(name) + ty_str_length(candidate) + 3) * EDIT_COST / 6;
        if (best != TY_NONE && most > best_distance - 1)
            most = best_distance - 1;
        int cost = distance(name, candidate, most);
        if (cost > most)
            continue;
        best = candidate;
        best_distance = cost;
    }
    return best;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("_generate_suggestions(candidates, item, /)", generate_suggestions, "The candidate that is most like the item, or None."),
    {0},
};

const TyModuleDef ty_module__suggestions = {.name = "_suggestions", .doc = "Names that may have been meant.", .functions = functions};
