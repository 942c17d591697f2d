/* The character database: what is more than one look into a table. */
#include "base/unicode.h"

#include <stdlib.h>
#include <string.h>

#include "base/unicode_tables.h"

#define BLOCK_MASK ((1u << TY_UNICODE_BLOCK_BITS) - 1)

static inline unsigned two_stage(const uint16_t *stage1, const uint16_t *stage2, uint32_t c)
{
    return stage2[((size_t)stage1[c >> TY_UNICODE_BLOCK_BITS] << TY_UNICODE_BLOCK_BITS) | (c & BLOCK_MASK)];
}

/* ---- case ----------------------------------------------------------------------------------------- */

static int copy_case(const uint32_t form[3], int count, uint32_t out[3])
{
    for (int i = 0; i < count; i++)
        out[i] = form[i];
    return count;
}

#define FULL_CASE(name, simple)                                                                               \
    int ty_unicode_full_##name(uint32_t c, uint32_t out[3])                                                   \
    {                                                                                                         \
        const TyUnicodeRecord *record = ty_unicode_record(c);                                                 \
        if (record->full_case) {                                                                              \
            const TyUnicodeFullCase *full = &ty_unicode_full_cases[record->full_case];                        \
            return copy_case(full->name, full->name##_count, out);                                            \
        }                                                                                                     \
        out[0] = c + (uint32_t)record->simple;                                                                \
        return 1;                                                                                             \
    }

FULL_CASE(upper, upper)
FULL_CASE(lower, lower)
FULL_CASE(title, title)
FULL_CASE(fold, lower)

bool ty_unicode_is_final_sigma(uint32_t (*at)(const void *text, size_t index), const void *text, size_t length,
                               size_t position)
{
    size_t before = position;
    while (before > 0 && ty_unicode_is_case_ignorable(at(text, before - 1)))
        before--;
    if (before == 0 || !ty_unicode_is_cased(at(text, before - 1)))
        return false;
    size_t after = position + 1;
    while (after < length && ty_unicode_is_case_ignorable(at(text, after)))
        after++;
    return after == length || !ty_unicode_is_cased(at(text, after));
}

/* ---- decomposition and composition ------------------------------------------------------------------ */

enum {
    HANGUL = 0xAC00,
    HANGUL_LEAD = 0x1100,
    HANGUL_VOWEL = 0x1161,
    HANGUL_TRAIL = 0x11A7, /* one before the first: 0 trails are possible */
    LEADS = 19,
    VOWELS = 21,
    TRAILS = 28,
    SYLLABLES = LEADS * VOWELS * TRAILS,
};

static const TyUnicodeDecomposition *find_decomposition(uint32_t c)
{
    if (c > TY_UNICODE_MAX)
        c = 0xFFFF;
    return &ty_unicode_decompositions[two_stage(ty_unicode_decomposition_stage1, ty_unicode_decomposition_stage2, c)];
}

int ty_unicode_decomposition(uint32_t c, const char **tag, const uint32_t **mapping)
{
    const TyUnicodeDecomposition *found = find_decomposition(c);
    *tag = ty_unicode_decomposition_tags[found->tag];
    *mapping = &ty_unicode_decomposition_pool[found->start];
    return found->count;
}

uint32_t ty_unicode_compose(uint32_t first, uint32_t second)
{
    if (second - HANGUL_VOWEL < VOWELS && first - HANGUL_LEAD < LEADS)
        return HANGUL + ((first - HANGUL_LEAD) * VOWELS + (second - HANGUL_VOWEL)) * TRAILS;
    if (second - (HANGUL_TRAIL + 1) < TRAILS - 1 && first - HANGUL < SYLLABLES && (first - HANGUL) % TRAILS == 0)
        return first + (second - HANGUL_TRAIL);
    uint32_t place = first * 0x9E3779B1u ^ second * 0x85EBCA6Bu;
    place = (place ^ place >> 15) & ty_unicode_composition_mask;
    for (;;) {
        const TyUnicodeComposition *entry = &ty_unicode_compositions[place];
        if (!entry->composite || (entry->first == first && entry->second == second))
            return entry->composite;
        place = (place + 1) & ty_unicode_composition_mask;
    }
}

/* ---- normal forms ----------------------------------------------------------------------------------- */

typedef struct {
    uint32_t *text;
    size_t length, capacity;
    bool compatibility, old;
} Buffer;

static bool reserve(Buffer *buffer, size_t more)
{
    if (buffer->capacity - buffer->length >= more)
        return true;
    size_t capacity = buffer->capacity + buffer->capacity / 2 + more;
    uint32_t *text = realloc(buffer->text, capacity * sizeof *text);
    if (!text)
        return false;
    buffer->text = text;
    buffer->capacity = capacity;
    return true;
}

static uint32_t old_mapping(uint32_t c)
{
    for (int i = 0; i < ty_unicode_correction_count; i++)
        if (ty_unicode_corrections[i].character == c)
            return ty_unicode_corrections[i].original;
    return 0;
}

int ty_unicode_hangul_decomposition(uint32_t c, uint32_t out[3])
{
    if (c - HANGUL >= SYLLABLES)
        return 0;
    uint32_t syllable = c - HANGUL;
    out[0] = HANGUL_LEAD + syllable / (VOWELS * TRAILS);
    out[1] = HANGUL_VOWEL + syllable / TRAILS % VOWELS;
    out[2] = HANGUL_TRAIL + syllable % TRAILS;
    return syllable % TRAILS ? 3 : 2;
}

/* Appends the full decomposition; mappings nest at most a few deep. */
static bool decompose(Buffer *buffer, uint32_t c)
{
    if (!reserve(buffer, TY_UNICODE_DECOMPOSITION_MAX))
        return false;
    if (c - HANGUL < SYLLABLES) {
        buffer->length += (size_t)ty_unicode_hangul_decomposition(c, buffer->text + buffer->length);
        return true;
    }
    const TyUnicodeDecomposition *found = find_decomposition(c);
    bool itself = found->count == 0 || (found->tag && !buffer->compatibility);
    if (buffer->old && !itself) {
        uint32_t original = old_mapping(c);
        if (original) {
            buffer->text[buffer->length++] = original;
            return true;
        }
        itself = !ty_unicode_3_2_is_assigned(c);
    }
    if (itself) {
        buffer->text[buffer->length++] = c;
        return true;
    }
    for (int i = 0; i < found->count; i++)
        if (!decompose(buffer, ty_unicode_decomposition_pool[found->start + i]))
            return false;
    return true;
}

/* Sorts marks by combining class and leaves equal ones in place. Long runs come from hostile text: they are sorted
   by counting, so that the time stays linear. */
static bool sort_marks(uint32_t *text, size_t length)
{
    if (length <= 32) {
        for (size_t i = 1; i < length; i++) {
            uint32_t mark = text[i];
            int class = ty_unicode_combining(mark);
            size_t j = i;
            for (; j > 0 && ty_unicode_combining(text[j - 1]) > class; j--)
                text[j] = text[j - 1];
            text[j] = mark;
        }
        return true;
    }
    uint32_t *sorted = malloc(length * sizeof *sorted);
    if (!sorted)
        return false;
    size_t place[257] = {0};
    for (size_t i = 0; i < length; i++)
        place[ty_unicode_combining(text[i]) + 1]++;
    for (int class = 1; class < 257; class++)
        place[class] += place[class - 1];
    for (size_t i = 0; i < length; i++)
        sorted[place[ty_unicode_combining(text[i])]++] = text[i];
    memcpy(text, sorted, length * sizeof *sorted);
    free(sorted);
    return true;
}

static bool order_marks(uint32_t *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        if (ty_unicode_combining(text[i]) == 0) {
            i++;
            continue;
        }
        size_t end = i + 1;
        while (end < length && ty_unicode_combining(text[end]) != 0)
            end++;
        if (end - i > 1 && !sort_marks(text + i, end - i))
            return false;
        i = end;
    }
    return true;
}

/* Composes in place and returns the new length. */
static size_t compose(uint32_t *text, size_t length)
{
    size_t out = 0, starter = SIZE_MAX;
    int last_class = 0; /* of what was kept since the starter; 0: nothing, or another starter */
    bool adjacent = false;
    for (size_t i = 0; i < length; i++) {
        uint32_t c = text[i];
        int class = ty_unicode_combining(c);
        if (starter != SIZE_MAX && (adjacent || last_class < class)) {
            uint32_t composite = ty_unicode_compose(text[starter], c);
            if (composite) {
                text[starter] = composite;
                continue;
            }
        }
        if (class == 0) {
            starter = out;
            adjacent = true;
        } else {
            adjacent = false;
        }
        last_class = class;
        text[out++] = c;
    }
    return out;
}

static uint32_t *normalize(TyNormalForm form, const uint32_t *text, size_t length, size_t *result_length, bool old)
{
    Buffer buffer = {.compatibility = form == TY_NFKC || form == TY_NFKD, .old = old};
    if (!reserve(&buffer, length + TY_UNICODE_DECOMPOSITION_MAX))
        return NULL;
    bool good = true;
    for (size_t i = 0; good && i < length; i++) {
        if (text[i] < 0xA0 && buffer.length < buffer.capacity)
            buffer.text[buffer.length++] = text[i];
        else
            good = decompose(&buffer, text[i]);
    }
    if (!good || !order_marks(buffer.text, buffer.length)) {
        free(buffer.text);
        return NULL;
    }
    if (form == TY_NFC || form == TY_NFKC)
        buffer.length = compose(buffer.text, buffer.length);
    *result_length = buffer.length;
    return buffer.text;
}

uint32_t *ty_unicode_normalize(TyNormalForm form, const uint32_t *text, size_t length, size_t *result_length)
{
    return normalize(form, text, length, result_length, false);
}

uint32_t *ty_unicode_3_2_normalize(TyNormalForm form, const uint32_t *text, size_t length, size_t *result_length)
{
    return normalize(form, text, length, result_length, true);
}

TyQuickCheck ty_unicode_quick_check(TyNormalForm form, const uint32_t *text, size_t length)
{
    TyQuickCheck result = TY_QUICK_YES;
    int last_class = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < 0xA0) {
            last_class = 0;
            continue;
        }
        const TyUnicodeRecord *record = ty_unicode_record(text[i]);
        TyQuickCheck one = (TyQuickCheck)((record->quick_check >> (2 * form)) & 3);
        if (one == TY_QUICK_NO || (record->combining && last_class > record->combining))
            return TY_QUICK_NO;
        if (one == TY_QUICK_MAYBE)
            result = TY_QUICK_MAYBE;
        last_class = record->combining;
    }
    return result;
}

int ty_unicode_is_normalized(TyNormalForm form, const uint32_t *text, size_t length)
{
    TyQuickCheck quick = ty_unicode_quick_check(form, text, length);
    if (quick != TY_QUICK_MAYBE)
        return quick == TY_QUICK_YES;
    size_t normal_length;
    uint32_t *normal = ty_unicode_normalize(form, text, length, &normal_length);
    if (!normal)
        return -1;
    int same = normal_length == length && memcmp(normal, text, length * sizeof *text) == 0;
    free(normal);
    return same;
}

/* ---- names ---------------------------------------------------------------------------------------- */

/* Writes the name with that number into out, with a final NUL; returns its length. */
static int spell(int number, char out[TY_UNICODE_NAME_MAX])
{
    const uint8_t *text = &ty_unicode_name_text[ty_unicode_name_offsets[number / 16]];
    for (int skip = number % 16; skip > 0; text++) {
        if (*text == 0)
            skip--;
        else if (*text > ty_unicode_name_short_words)
            text++;
    }
    int length = 0;
    while (*text) {
        int word = *text++ - 1;
        if (word >= ty_unicode_name_short_words)
            word = ty_unicode_name_short_words + ((word - ty_unicode_name_short_words) << 8) + *text++;
        const char *letters = &ty_unicode_name_letters[ty_unicode_name_word_offsets[word]];
        int count = (int)(ty_unicode_name_word_offsets[word + 1] - ty_unicode_name_word_offsets[word]);
        if (length && letters[0] != '-' && letters[0] != ' ')
            out[length++] = ' ';
        memcpy(out + length, letters, (size_t)count);
        length += count;
    }
    out[length] = 0;
    return length;
}

static int join_four(char *out, const char *a, const char *b, const char *c, const char *d)
{
    char *end = stpcpy(stpcpy(stpcpy(stpcpy(out, a), b), c), d);
    return (int)(end - out);
}

static int put_hexadecimal(char *out, uint32_t c)
{
    int digits = c > 0xFFFFF ? 6 : c > 0xFFFF ? 5 : 4;
    for (int i = 0; i < digits; i++)
        out[i] = "0123456789ABCDEF"[(c >> (4 * (digits - 1 - i))) & 15];
    out[digits] = 0;
    return digits;
}

static const TyUnicodeNameRange *find_range(uint32_t c)
{
    for (int i = 0; i < ty_unicode_name_range_count; i++)
        if (c >= ty_unicode_name_ranges[i].first && c <= ty_unicode_name_ranges[i].last)
            return &ty_unicode_name_ranges[i];
    return NULL;
}

int ty_unicode_name(uint32_t c, char out[TY_UNICODE_NAME_MAX])
{
    if (c > TY_UNICODE_MAX)
        return 0;
    if (c - HANGUL < SYLLABLES) {
        uint32_t syllable = c - HANGUL;
        return join_four(out, "HANGUL SYLLABLE ", ty_unicode_jamo_leads[syllable / (VOWELS * TRAILS)],
                     ty_unicode_jamo_vowels[syllable / TRAILS % VOWELS], ty_unicode_jamo_trails[syllable % TRAILS]);
    }
    int low = 0, high = ty_unicode_name_run_count;
    while (low < high) { /* the last run that begins at or before c */
        int middle = (low + high + 1) / 2;
        if (ty_unicode_name_runs[middle].first <= c)
            low = middle;
        else
            high = middle - 1;
    }
    const TyUnicodeNameRun *run = &ty_unicode_name_runs[low];
    if (c >= run->first && c - run->first < run[1].number - run->number)
        return spell((int)(run->number + (c - run->first)), out);
    const TyUnicodeNameRange *range = find_range(c);
    if (!range)
        return 0;
    int length = join_four(out, ty_unicode_name_prefixes[range->prefix], "", "", "");
    return length + put_hexadecimal(out + length, c);
}

/* Of the parts that the text begins with, the longest: its index, or -1. An empty part always fits. */
static int longest_part(const char (*parts)[4], int count, const char **text)
{
    int best = -1;
    size_t best_length = 0;
    for (int i = 0; i < count; i++) {
        size_t length = strlen(parts[i]);
        if ((best < 0 || length > best_length) && strncmp(*text, parts[i], length) == 0) {
            best = i;
            best_length = length;
        }
    }
    *text += best_length;
    return best;
}

static int32_t lookup_hangul(const char *rest)
{
    int lead = longest_part(ty_unicode_jamo_leads, LEADS, &rest);
    int vowel = longest_part(ty_unicode_jamo_vowels, VOWELS, &rest);
    int trail = longest_part(ty_unicode_jamo_trails, TRAILS, &rest);
    if (lead < 0 || vowel < 0 || trail < 0 || *rest)
        return -1;
    return HANGUL + (lead * VOWELS + vowel) * TRAILS + trail;
}

static int32_t lookup_computed(const char *name, size_t length)
{
    static const char hangul[] = "HANGUL SYLLABLE ";
    if (strncmp(name, hangul, sizeof hangul - 1) == 0)
        return lookup_hangul(name + sizeof hangul - 1);
    const char *hyphen = memrchr(name, '-', length);
    if (!hyphen || strlen(hyphen) < 5 || strlen(hyphen) > 7)
        return -1;
    uint32_t c = 0;
    for (const char *digit = hyphen + 1; *digit; digit++) {
        if (*digit >= '0' && *digit <= '9')
            c = c * 16 + (uint32_t)(*digit - '0');
        else if (*digit >= 'A' && *digit <= 'F')
            c = c * 16 + (uint32_t)(*digit - 'A' + 10);
        else
            return -1;
    }
    char spelled[TY_UNICODE_NAME_MAX];
    if (!find_range(c) || !ty_unicode_name(c, spelled) || strcmp(spelled, name) != 0)
        return -1;
    return (int32_t)c;
}

static uint32_t hash_name(const char *name, size_t length)
{
    uint32_t value = 0x811C9DC5u;
    for (size_t i = 0; i < length; i++)
        value = (value ^ (uint8_t)name[i]) * 0x01000193u;
    return value ^ value >> 16;
}

/* The number of the entry with that name, in upper case; -1: none. */
static int find_name(const char *name, size_t length)
{
    char spelled[TY_UNICODE_NAME_MAX];
    for (uint32_t place = hash_name(name, length) & 0xFFFF;; place = (place + 1) & 0xFFFF) {
        int number = ty_unicode_name_table[place] - 1;
        if (number < 0)
            return -1;
        if (spell(number, spelled) == (int)length && memcmp(spelled, name, length) == 0)
            return number;
    }
}

static uint32_t character_of(int number)
{
    if (number >= ty_unicode_name_alias_start)
        return ty_unicode_name_aliases[number - ty_unicode_name_alias_start];
    int low = 0, high = ty_unicode_name_run_count - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if ((int)ty_unicode_name_runs[middle].number <= number)
            low = middle;
        else
            high = middle - 1;
    }
    return ty_unicode_name_runs[low].first + ((uint32_t)number - ty_unicode_name_runs[low].number);
}

int ty_unicode_lookup_sequence(const char *name, size_t length, uint32_t out[TY_UNICODE_SEQUENCE_MAX])
{
    char upper[TY_UNICODE_NAME_MAX];
    if (length >= sizeof upper)
        return 0;
    for (size_t i = 0; i < length; i++) {
        if (!name[i])
            return 0;
        upper[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A') : name[i];
    }
    upper[length] = 0;
    int number = find_name(upper, length);
    if (number >= ty_unicode_name_sequence_start) {
        const TyUnicodeNameSequence *sequence = &ty_unicode_name_sequences[number - ty_unicode_name_sequence_start];
        for (int i = 0; i < sequence->count; i++)
            out[i] = sequence->characters[i];
        return sequence->count;
    }
    int32_t c = number >= 0 ? (int32_t)character_of(number) : lookup_computed(upper, length);
    if (c < 0)
        return 0;
    out[0] = (uint32_t)c;
    return 1;
}

int32_t ty_unicode_lookup(const char *name, size_t length)
{
    uint32_t found[TY_UNICODE_SEQUENCE_MAX];
    return ty_unicode_lookup_sequence(name, length, found) == 1 ? (int32_t)found[0] : -1;
}

/* ---- version 3.2.0 --------------------------------------------------------------------------------- */

static const TyUnicodeOldRecord *old_record(uint32_t c)
{
    if (c > TY_UNICODE_MAX)
        c = 0xFFFF;
    return &ty_unicode_old_records[two_stage(ty_unicode_old_stage1, ty_unicode_old_stage2, c)];
}

bool ty_unicode_3_2_is_assigned(uint32_t c) { return old_record(c)->category != TY_CATEGORY_CN; }

const char *ty_unicode_3_2_category(uint32_t c) { return ty_unicode_category_names[old_record(c)->category]; }

const char *ty_unicode_3_2_bidirectional(uint32_t c)
{
    return ty_unicode_bidirectional_names[old_record(c)->bidirectional];
}

const char *ty_unicode_3_2_east_asian_width(uint32_t c)
{
    return ty_unicode_east_asian_width_names[old_record(c)->east_asian_width];
}

int ty_unicode_3_2_combining(uint32_t c)
{
    return ty_unicode_3_2_is_assigned(c) ? ty_unicode_combining(c) : 0;
}

bool ty_unicode_3_2_is_mirrored(uint32_t c) { return old_record(c)->mirrored; }

int ty_unicode_3_2_decimal(uint32_t c) { return old_record(c)->decimal; }

int ty_unicode_3_2_digit(uint32_t c) { return ty_unicode_digit(c); }

bool ty_unicode_3_2_numeric(uint32_t c, double *value)
{
    unsigned index = old_record(c)->numeric;
    *value = ty_unicode_numerics[index];
    return index != 0;
}

int ty_unicode_3_2_decomposition(uint32_t c, const char **tag, const uint32_t **mapping)
{
    return ty_unicode_decomposition(ty_unicode_3_2_is_assigned(c) ? c : 0xFFFF, tag, mapping);
}
