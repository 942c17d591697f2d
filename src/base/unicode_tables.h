/*
 * The tables that tools/unicode_tables writes, as unicode.c reads them. Not for anyone else: see unicode.h.
 */
#ifndef TY_BASE_UNICODE_TABLES_H
#define TY_BASE_UNICODE_TABLES_H

#include <stdint.h>

typedef struct {
    uint16_t start; /* in the pool */
    uint8_t count, tag;
} TyUnicodeDecomposition;

typedef struct {
    uint32_t first, second, composite; /* composite 0: a free place */
} TyUnicodeComposition;

typedef struct {
    uint8_t category, bidirectional, east_asian_width, mirrored;
    int8_t decimal;
    uint8_t numeric;
} TyUnicodeOldRecord;

typedef struct {
    uint32_t character, original; /* what it decomposed to before the mapping was corrected */
} TyUnicodeCorrection;

typedef struct {
    uint32_t first, last;
    int prefix; /* the name is this prefix and the code point in hexadecimal */
} TyUnicodeNameRange;

typedef struct {
    uint32_t first;  /* characters without a gap from here on … */
    uint32_t number; /* … have names with numbers from here on */
} TyUnicodeNameRun;

typedef struct {
    uint8_t count;
    uint32_t characters[4];
} TyUnicodeNameSequence;

extern const uint16_t ty_unicode_decomposition_stage1[], ty_unicode_decomposition_stage2[];
extern const TyUnicodeDecomposition ty_unicode_decompositions[];
extern const uint32_t ty_unicode_decomposition_pool[];
extern const char *const ty_unicode_decomposition_tags[];

extern const TyUnicodeComposition ty_unicode_compositions[];
extern const uint32_t ty_unicode_composition_mask;

extern const uint16_t ty_unicode_old_stage1[], ty_unicode_old_stage2[];
extern const TyUnicodeOldRecord ty_unicode_old_records[];
extern const TyUnicodeCorrection ty_unicode_corrections[];
extern const int ty_unicode_correction_count;

/* Names are numbered: first the characters in order, then the aliases, then the named sequences. Each is a string
   of word codes that ends in 0: a byte up to the number of short words, less one, is a word; a higher one and the
   byte after it are another. The offset of every sixteenth name is kept. */
extern const int ty_unicode_name_short_words;
extern const uint8_t ty_unicode_name_text[];
extern const uint32_t ty_unicode_name_offsets[];
extern const uint32_t ty_unicode_name_word_offsets[];
extern const char ty_unicode_name_letters[];
extern const TyUnicodeNameRun ty_unicode_name_runs[];
extern const int ty_unicode_name_run_count;
extern const int ty_unicode_name_alias_start;
extern const uint32_t ty_unicode_name_aliases[];
extern const int ty_unicode_name_sequence_start;
extern const TyUnicodeNameSequence ty_unicode_name_sequences[];
extern const uint16_t ty_unicode_name_table[65536]; /* from a name's hash to its number and 1; 0: free */
extern const char *const ty_unicode_name_prefixes[];
extern const TyUnicodeNameRange ty_unicode_name_ranges[];
extern const int ty_unicode_name_range_count;
extern const char ty_unicode_jamo_leads[][4], ty_unicode_jamo_vowels[][4], ty_unicode_jamo_trails[][4];

#endif
