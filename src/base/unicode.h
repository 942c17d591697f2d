/*
 * The Unicode character database, version 16.0.0, as functions over code points.
 *
 * Nothing here knows of objects. Everything is a pure function of its arguments over constant tables, so any
 * thread may call anything at any time. The tables are made by tools/unicode_tables when the product is built;
 * they are two-stage arrays: the high bits of a code point choose a block, the low bits a place in it, and equal
 * blocks are stored once. Every function takes any uint32_t: what lies beyond U+10FFFF is unassigned.
 *
 * The predicates follow the str methods of Python, which are not always the derived property of the same name:
 * is_alpha is "letter", not Alphabetic; is_space is about bidirectional class, not White_Space.
 */
#ifndef TY_BASE_UNICODE_H
#define TY_BASE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TY_UNICODE_VERSION "16.0.0"
#define TY_UNICODE_MAX 0x10FFFFu

enum {
    TY_UNICODE_ALPHA = 1 << 0,
    TY_UNICODE_DECIMAL = 1 << 1,
    TY_UNICODE_DIGIT = 1 << 2,
    TY_UNICODE_NUMERIC = 1 << 3,
    TY_UNICODE_LOWER = 1 << 4,
    TY_UNICODE_UPPER = 1 << 5,
    TY_UNICODE_TITLE = 1 << 6,
    TY_UNICODE_SPACE = 1 << 7,
    TY_UNICODE_PRINTABLE = 1 << 8,
    TY_UNICODE_LINEBREAK = 1 << 9,
    TY_UNICODE_CASED = 1 << 10,
    TY_UNICODE_CASE_IGNORABLE = 1 << 11,
    TY_UNICODE_XID_START = 1 << 12,
    TY_UNICODE_XID_CONTINUE = 1 << 13,
    TY_UNICODE_MIRRORED = 1 << 14,
    /* Upper, lower, title or fold differs from the character, or is more than one code point. */
    TY_UNICODE_CASE_SPECIAL = 1 << 15,
};

/* General categories, in the order of ty_unicode_category_names. */
typedef enum {
    TY_CATEGORY_CN, TY_CATEGORY_LU, TY_CATEGORY_LL, TY_CATEGORY_LT, TY_CATEGORY_MN, TY_CATEGORY_MC,
    TY_CATEGORY_ME, TY_CATEGORY_ND, TY_CATEGORY_NL, TY_CATEGORY_NO, TY_CATEGORY_ZS, TY_CATEGORY_ZL,
    TY_CATEGORY_ZP, TY_CATEGORY_CC, TY_CATEGORY_CF, TY_CATEGORY_CS, TY_CATEGORY_CO, TY_CATEGORY_LM,
    TY_CATEGORY_LO, TY_CATEGORY_PC, TY_CATEGORY_PD, TY_CATEGORY_PS, TY_CATEGORY_PE, TY_CATEGORY_PI,
    TY_CATEGORY_PF, TY_CATEGORY_PO, TY_CATEGORY_SM, TY_CATEGORY_SC, TY_CATEGORY_SK, TY_CATEGORY_SO,
} TyUnicodeCategory;

/* What is known of a character; characters that agree in all of it share one record. */
typedef struct {
    int32_t upper, lower, title;  /* distance to the simple mapping; 0: itself */
    uint16_t flags;               /* TY_UNICODE_… */
    uint16_t full_case;           /* index into ty_unicode_full_cases, 0: the simple mappings are all there is */
    uint8_t category;             /* TyUnicodeCategory */
    uint8_t bidirectional;        /* index into ty_unicode_bidirectional_names */
    uint8_t combining;            /* canonical combining class */
    uint8_t east_asian_width;     /* index into ty_unicode_east_asian_width_names */
    uint8_t quick_check;          /* two bits for each TyNormalForm: a TyQuickCheck */
    int8_t decimal, digit;        /* -1: none */
    uint8_t numeric;              /* index into ty_unicode_numerics, 0: none */
} TyUnicodeRecord;

/* The mappings of a character whose case forms are longer than one code point, or that folds unlike it lowers. */
typedef struct {
    uint32_t lower[3], title[3], upper[3], fold[3];
    uint8_t lower_count, title_count, upper_count, fold_count;
} TyUnicodeFullCase;

#define TY_UNICODE_BLOCK_BITS 7
extern const uint16_t ty_unicode_stage1[];
extern const uint16_t ty_unicode_stage2[];
extern const TyUnicodeRecord ty_unicode_records[];
extern const TyUnicodeFullCase ty_unicode_full_cases[];
extern const double ty_unicode_numerics[];
extern const char ty_unicode_category_names[][3];
extern const char ty_unicode_bidirectional_names[][4];
extern const char ty_unicode_east_asian_width_names[][3];

static inline const TyUnicodeRecord *ty_unicode_record(uint32_t c)
{
    if (c > TY_UNICODE_MAX)
        c = 0xFFFF; /* never assigned */
    size_t block = ty_unicode_stage1[c >> TY_UNICODE_BLOCK_BITS];
    return &ty_unicode_records[ty_unicode_stage2[(block << TY_UNICODE_BLOCK_BITS) |
                                                 (c & ((1u << TY_UNICODE_BLOCK_BITS) - 1))]];
}

/* ---- predicates ---------------------------------------------------------------------------------- */

#define TY_UNICODE_PREDICATE(name, flag)                                                                      \
    static inline bool ty_unicode_is_##name(uint32_t c) { return (ty_unicode_record(c)->flags & (flag)) != 0; }

TY_UNICODE_PREDICATE(alpha, TY_UNICODE_ALPHA)
TY_UNICODE_PREDICATE(decimal, TY_UNICODE_DECIMAL)
TY_UNICODE_PREDICATE(digit, TY_UNICODE_DIGIT)
TY_UNICODE_PREDICATE(numeric, TY_UNICODE_NUMERIC)
TY_UNICODE_PREDICATE(alnum, TY_UNICODE_ALPHA | TY_UNICODE_DECIMAL | TY_UNICODE_DIGIT | TY_UNICODE_NUMERIC)
TY_UNICODE_PREDICATE(lower, TY_UNICODE_LOWER)
TY_UNICODE_PREDICATE(upper, TY_UNICODE_UPPER)
TY_UNICODE_PREDICATE(title, TY_UNICODE_TITLE)
TY_UNICODE_PREDICATE(space, TY_UNICODE_SPACE)
TY_UNICODE_PREDICATE(printable, TY_UNICODE_PRINTABLE)
TY_UNICODE_PREDICATE(linebreak, TY_UNICODE_LINEBREAK)
TY_UNICODE_PREDICATE(cased, TY_UNICODE_CASED)
TY_UNICODE_PREDICATE(case_ignorable, TY_UNICODE_CASE_IGNORABLE)
TY_UNICODE_PREDICATE(xid_start, TY_UNICODE_XID_START)       /* without '_' */
TY_UNICODE_PREDICATE(xid_continue, TY_UNICODE_XID_CONTINUE)
TY_UNICODE_PREDICATE(mirrored, TY_UNICODE_MIRRORED)
#undef TY_UNICODE_PREDICATE

/* ---- values --------------------------------------------------------------------------------------- */

static inline const char *ty_unicode_category(uint32_t c)
{
    return ty_unicode_category_names[ty_unicode_record(c)->category];
}
static inline const char *ty_unicode_bidirectional(uint32_t c) /* "" if unassigned */
{
    return ty_unicode_bidirectional_names[ty_unicode_record(c)->bidirectional];
}
static inline const char *ty_unicode_east_asian_width(uint32_t c)
{
    return ty_unicode_east_asian_width_names[ty_unicode_record(c)->east_asian_width];
}
static inline int ty_unicode_combining(uint32_t c) { return ty_unicode_record(c)->combining; }
static inline int ty_unicode_decimal(uint32_t c) { return ty_unicode_record(c)->decimal; } /* -1: none */
static inline int ty_unicode_digit(uint32_t c) { return ty_unicode_record(c)->digit; }     /* -1: none */
/* False if the character has no numeric value. */
static inline bool ty_unicode_numeric(uint32_t c, double *value)
{
    unsigned index = ty_unicode_record(c)->numeric;
    *value = ty_unicode_numerics[index];
    return index != 0;
}

/* ---- case ----------------------------------------------------------------------------------------- */

/* Simple mappings: one code point to one. */
static inline uint32_t ty_unicode_to_upper(uint32_t c) { return c + (uint32_t)ty_unicode_record(c)->upper; }
static inline uint32_t ty_unicode_to_lower(uint32_t c) { return c + (uint32_t)ty_unicode_record(c)->lower; }
static inline uint32_t ty_unicode_to_title(uint32_t c) { return c + (uint32_t)ty_unicode_record(c)->title; }

/* Full mappings, without the conditional ones: write up to 3 code points and return how many.
   U+03A3 at the end of a word lowers to U+03C2: that needs its surroundings, see ty_unicode_is_final_sigma. */
int ty_unicode_full_upper(uint32_t c, uint32_t out[3]);
int ty_unicode_full_lower(uint32_t c, uint32_t out[3]);
int ty_unicode_full_title(uint32_t c, uint32_t out[3]);
int ty_unicode_full_fold(uint32_t c, uint32_t out[3]);

/* Whether a capital sigma at `position` ends a word: a cased letter stands before it and none after it, looking
   past case-ignorable characters. `at` reads the code point at an index of whatever holds the text. */
bool ty_unicode_is_final_sigma(uint32_t (*at)(const void *text, size_t index), const void *text, size_t length,
                               size_t position);

/* ---- decomposition and normal forms ---------------------------------------------------------------- */

typedef enum { TY_NFC, TY_NFKC, TY_NFD, TY_NFKD } TyNormalForm;
typedef enum { TY_QUICK_YES, TY_QUICK_MAYBE, TY_QUICK_NO } TyQuickCheck;

#define TY_UNICODE_DECOMPOSITION_MAX 18 /* the longest decomposition mapping has 18 code points */

/* The mapping in the database, one step only: its code points (in constant memory) and, for a compatibility
   mapping, its tag ("<font>"), else "". Returns their number, 0 if there is none; Hangul syllables, whose mapping
   is computed, have none here. */
int ty_unicode_decomposition(uint32_t c, const char **tag, const uint32_t **mapping);

/* The two or three letters of a Hangul syllable; 0 for anything else. */
int ty_unicode_hangul_decomposition(uint32_t c, uint32_t out[3]);

/* The primary composite of a pair, or 0. Hangul included. */
uint32_t ty_unicode_compose(uint32_t first, uint32_t second);

static inline TyQuickCheck ty_unicode_quick_check_one(TyNormalForm form, uint32_t c)
{
    return (TyQuickCheck)((ty_unicode_record(c)->quick_check >> (2 * form)) & 3);
}

/* Whether the text is in the form: yes, no, or "maybe: normalise and compare". */
TyQuickCheck ty_unicode_quick_check(TyNormalForm form, const uint32_t *text, size_t length);

/* The normal form in malloc'ed memory, its length in *result_length; NULL: out of memory. An empty text gives a
   non-NULL result. */
uint32_t *ty_unicode_normalize(TyNormalForm form, const uint32_t *text, size_t length, size_t *result_length);

/* 1 yes, 0 no, -1 out of memory. */
int ty_unicode_is_normalized(TyNormalForm form, const uint32_t *text, size_t length);

/* ---- names ---------------------------------------------------------------------------------------- */

#define TY_UNICODE_NAME_MAX 128    /* room enough for any name and a final NUL */
#define TY_UNICODE_SEQUENCE_MAX 4  /* the longest named sequence */

/* Writes the character's name with a final NUL and returns its length; 0 if it has none. */
int ty_unicode_name(uint32_t c, char out[TY_UNICODE_NAME_MAX]);

/* The character with that name or alias, in any case; -1 if there is none. */
int32_t ty_unicode_lookup(const char *name, size_t length);

/* The same with named sequences: writes the code points and returns their number; 0 if there is none. */
int ty_unicode_lookup_sequence(const char *name, size_t length, uint32_t out[TY_UNICODE_SEQUENCE_MAX]);

/* ---- version 3.2.0 --------------------------------------------------------------------------------- */

/* IDNA 2003 and stringprep are defined over version 3.2.0. What 3.2.0 did not have is unassigned here,
   but its digit value is given all the same, as Python does; names are those of the current version. */
bool ty_unicode_3_2_is_assigned(uint32_t c);
const char *ty_unicode_3_2_category(uint32_t c);
const char *ty_unicode_3_2_bidirectional(uint32_t c);
const char *ty_unicode_3_2_east_asian_width(uint32_t c);
int ty_unicode_3_2_combining(uint32_t c);
bool ty_unicode_3_2_is_mirrored(uint32_t c);
int ty_unicode_3_2_decimal(uint32_t c);
int ty_unicode_3_2_digit(uint32_t c);
bool ty_unicode_3_2_numeric(uint32_t c, double *value);
int ty_unicode_3_2_decomposition(uint32_t c, const char **tag, const uint32_t **mapping);
uint32_t *ty_unicode_3_2_normalize(TyNormalForm form, const uint32_t *text, size_t length, size_t *result_length);

#endif
