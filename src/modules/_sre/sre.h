/* _sre: the engine of the re module.
 *
 * re._compiler hands over a list of 32-bit codes. They are checked and translated once into a Program: an array of nodes for a backtracking
 * machine with a stack of its own, so that no text and no pattern can exhaust C's. Everything that matches a single character is one
 * of five matchers; sets have a bitmap for characters below 256. The machine is compiled three times, for characters of 1, 2 and 4 bytes. */
#ifndef TY_MODULES_SRE_H
#define TY_MODULES_SRE_H

#include "object/buffer.h"
#include "object/native.h"

#define TY_SRE_MAGIC 20230612u
#define TY_SRE_MAX_REPEAT 0xFFFFFFFFu
#define TY_SRE_MAX_GROUPS (0x7FFFFFFF / 2)

enum { /* opcodes of re._constants */
    SRE_FAILURE, SRE_SUCCESS, SRE_ANY, SRE_ANY_ALL, SRE_ASSERT, SRE_ASSERT_NOT, SRE_AT, SRE_BRANCH, SRE_CATEGORY, SRE_CHARSET, SRE_BIGCHARSET,
    SRE_GROUPREF, SRE_GROUPREF_EXISTS, SRE_IN, SRE_INFO, SRE_JUMP, SRE_LITERAL, SRE_MARK, SRE_MAX_UNTIL, SRE_MIN_UNTIL, SRE_NOT_LITERAL, SRE_NEGATE,
    SRE_RANGE, SRE_REPEAT, SRE_REPEAT_ONE, SRE_SUBPATTERN, SRE_MIN_REPEAT_ONE, SRE_ATOMIC_GROUP, SRE_POSSESSIVE_REPEAT, SRE_POSSESSIVE_REPEAT_ONE,
    SRE_GROUPREF_IGNORE, SRE_IN_IGNORE, SRE_LITERAL_IGNORE, SRE_NOT_LITERAL_IGNORE,
    SRE_GROUPREF_LOC_IGNORE, SRE_IN_LOC_IGNORE, SRE_LITERAL_LOC_IGNORE, SRE_NOT_LITERAL_LOC_IGNORE,
    SRE_GROUPREF_UNI_IGNORE, SRE_IN_UNI_IGNORE, SRE_LITERAL_UNI_IGNORE, SRE_NOT_LITERAL_UNI_IGNORE, SRE_RANGE_UNI_IGNORE,
};
enum { /* positions */
    SRE_AT_BEGINNING, SRE_AT_BEGINNING_LINE, SRE_AT_BEGINNING_STRING, SRE_AT_BOUNDARY, SRE_AT_NON_BOUNDARY, SRE_AT_END, SRE_AT_END_LINE,
    SRE_AT_END_STRING, SRE_AT_LOC_BOUNDARY, SRE_AT_LOC_NON_BOUNDARY, SRE_AT_UNI_BOUNDARY, SRE_AT_UNI_NON_BOUNDARY, SRE_AT_COUNT,
};
enum { /* categories: each even one's negation follows it */
    SRE_DIGIT, SRE_NOT_DIGIT, SRE_SPACE, SRE_NOT_SPACE, SRE_WORD, SRE_NOT_WORD, SRE_LINEBREAK, SRE_NOT_LINEBREAK, SRE_LOC_WORD, SRE_LOC_NOT_WORD,
    SRE_UNI_DIGIT, SRE_UNI_NOT_DIGIT, SRE_UNI_SPACE, SRE_UNI_NOT_SPACE, SRE_UNI_WORD, SRE_UNI_NOT_WORD, SRE_UNI_LINEBREAK, SRE_UNI_NOT_LINEBREAK,
    SRE_CATEGORY_COUNT,
};
enum { SRE_INFO_PREFIX = 1, SRE_INFO_LITERAL = 2, SRE_INFO_CHARSET = 4 };
enum { SRE_FLAG_IGNORECASE = 2, SRE_FLAG_LOCALE = 4, SRE_FLAG_MULTILINE = 8, SRE_FLAG_DOTALL = 16, SRE_FLAG_UNICODE = 32, SRE_FLAG_VERBOSE = 64,
       SRE_FLAG_DEBUG = 128, SRE_FLAG_ASCII = 256 };

/* How a character is folded before it is compared. */
typedef enum TyFold { TY_FOLD_NONE, TY_FOLD_ASCII, TY_FOLD_LOCALE, TY_FOLD_UNICODE } TyFold;

typedef struct TySreSet {
    uint8_t bitmap[32];
    uint32_t code;        /* the charset's codes begin here in the program's copy */
    uint8_t fold;
    bool depends_on_locale; /* the bitmap is not used */
} TySreSet;

typedef enum TyMatcher { TY_MATCH_CHAR, TY_MATCH_NOT_CHAR, TY_MATCH_ANY, TY_MATCH_ALL, TY_MATCH_SET } TyMatcher;

typedef enum TyNodeOp {
    TY_NODE_FAIL, TY_NODE_SUCCESS,
    TY_NODE_ONE,              /* one character: matcher, y */
    TY_NODE_AT,               /* x: position */
    TY_NODE_SPLIT,            /* what follows; if that fails, from node x on */
    TY_NODE_JUMP,             /* x */
    TY_NODE_MARK,             /* x */
    TY_NODE_REFERENCE,        /* x: group; mode: fold */
    TY_NODE_IF_GROUP,         /* x: group; else to node y */
    TY_NODE_GREEDY_ONE, TY_NODE_LAZY_ONE, TY_NODE_POSSESSIVE_ONE, /* matcher, y, min, max; has_next and x: the character that must follow */
    TY_NODE_LOOP_START,       /* x: loop */
    TY_NODE_LOOP_GREEDY, TY_NODE_LOOP_LAZY, TY_NODE_LOOP_POSSESSIVE, /* x: loop, y: body; min, max; what follows is behind the loop */
    TY_NODE_LOOP_DONE_POSSESSIVE, /* the end of an iteration; x: its LOOP_POSSESSIVE */
    TY_NODE_ASSERT,           /* min: characters to step back */
    TY_NODE_ASSERT_END,       /* back to where ASSERT was, for good */
    TY_NODE_ASSERT_NOT,       /* min: characters to step back; x: what follows if the body fails */
    TY_NODE_ASSERT_NOT_END,
    TY_NODE_ATOMIC, TY_NODE_ATOMIC_END,
} TyNodeOp;

typedef struct TyNode {
    uint8_t op, matcher, mode;
    bool has_next;
    uint32_t x, y, min, max;
} TyNode;

typedef struct TyProgram {
    TyNode *nodes;
    TySreSet *sets;
    uint32_t *code;           /* a copy of the codes, for sets */
    uint32_t node_count, set_count, code_count, groups, loops;
    uint32_t minimum_width;
    uint32_t prefix_length;   /* literal text that every match begins with … */
    uint32_t *prefix;
    bool literal;             /* … and that is all of it */
    bool has_first;           /* every match begins with a character in `first`, or one above 255 */
    bool anchored;            /* every match begins at the start of the text */
    uint8_t first[32];
} TyProgram;

/* NULL with RuntimeError "invalid SRE code" or MemoryError. */
TyProgram *ty_sre_translate(const uint32_t *code, uint32_t count, uint32_t groups);
void ty_sre_free(TyProgram *program);
bool ty_sre_in_set(const TyProgram *program, const TySreSet *set, uint32_t c); /* without the bitmap */
bool ty_sre_in_category(uint32_t category, uint32_t c);
uint32_t ty_sre_fold(TyFold fold, uint32_t c);

/* A match in progress, and its result. Marks are indexes of characters, -1: not set. */
typedef struct TySreState {
    const TyProgram *program;
    const void *text;
    int width;
    int64_t start, end;       /* the search begins at start; end is the end for everything */
    bool whole;               /* a match must reach the end */
    bool must_advance;        /* a match at `start` must not be empty */
    int64_t match_start, match_end;
    int64_t last_index;       /* the last group closed, from 1; -1: none */
    int64_t *marks;
    int64_t few_marks[32];
    struct TySreEntry *stack;
    size_t stack_used, stack_room;
    struct TySreLoop *loops;
    uint32_t steps;
} TySreState;

bool ty_sre_state_start(TySreState *state, const TyProgram *program);
void ty_sre_state_end(TySreState *state);
/* 1 found, 0 not, -1 error. */
int ty_sre_match(TySreState *state);
int ty_sre_search(TySreState *state);

extern TyType ty_pattern_type, ty_match_type, ty_scanner_type, ty_sre_template_type;

#endif
