/* From the codes of re._compiler to the nodes of the engine, with every index checked. */
#include "modules/_sre/sre.h"
#include "base/unicode.h"
#include "object/exception.h"
#include <ctype.h>
#include <stdlib.h>

typedef struct Translator {
    TyProgram *program;
    uint32_t node_room, set_room;
    bool failed;          /* an exception is raised, or the code is bad */
} Translator;

/* --- characters ------------------------------------------------------------------------------------------------------- */

bool ty_sre_in_category(uint32_t category, uint32_t c)
{
    bool in;
    switch (category & ~1u) {
    case SRE_DIGIT: in = c - '0' < 10; break;
    case SRE_SPACE: in = c == ' ' || c - 9 < 5; break;
    case SRE_WORD: in = c < 128 && (isalnum((int)c) || c == '_'); break;
    case SRE_LINEBREAK: in = c == '\n'; break;
    case SRE_LOC_WORD: in = c < 256 && (isalnum((int)c) || c == '_'); break;
    case SRE_UNI_DIGIT: in = ty_unicode_is_decimal(c); break;
    case SRE_UNI_SPACE: in = ty_unicode_is_space(c); break;
    case SRE_UNI_WORD: in = ty_unicode_is_alnum(c) || c == '_'; break;
    default: in = ty_unicode_is_linebreak(c); break;
    }
    return in != (category & 1);
}

uint32_t ty_sre_fold(TyFold fold, uint32_t c)
{
    switch (fold) {
    case TY_FOLD_ASCII: return c - 'A' < 26 ? c + 32 : c;
    case TY_FOLD_LOCALE: return c < 256 ? (uint32_t)tolower((int)c) : c;
    case TY_FOLD_UNICODE: return ty_unicode_to_lower(c);
    default: return c;
    }
}

/* Whether a charset's codes, which end in FAILURE, have the character. */
static bool in_charset(const uint32_t *p, uint32_t c)
{
    bool result = true;
    for (;;) {
        switch (*p++) {
        case SRE_FAILURE: return !result;
        case SRE_LITERAL:
            if (c == *p++)
                return result;
            break;
        case SRE_CATEGORY:
            if (ty_sre_in_category(*p++, c))
                return result;
            break;
        case SRE_CHARSET:
            if (c < 256 && (p[c >> 5] >> (c & 31)) & 1)
                return result;
            p += 8;
            break;
        case SRE_RANGE:
            if (p[0] <= c && c <= p[1])
                return result;
            p += 2;
            break;
        case SRE_RANGE_UNI_IGNORE: {
            uint32_t upper = ty_unicode_to_upper(c);
            if ((p[0] <= c && c <= p[1]) || (p[0] <= upper && upper <= p[1]))
                return result;
            p += 2;
            break;
        }
        case SRE_NEGATE: result = !result; break;
        case SRE_BIGCHARSET: {
            uint32_t blocks = *p++;
            uint8_t block = c < 0x10000 ? ((const uint8_t *)p)[c >> 8] : 0;
            const uint32_t *bits = p + 64 + block * 8;
            if (c < 0x10000 && (bits[(c & 255) >> 5] >> (c & 31)) & 1)
                return result;
            p += 64 + blocks * 8;
            break;
        }
        }
    }
}

bool ty_sre_in_set(const TyProgram *program, const TySreSet *set, uint32_t c)
{
    const uint32_t *code = program->code + set->code;
    if (set->fold == TY_FOLD_LOCALE) {
        uint32_t lower = ty_sre_fold(TY_FOLD_LOCALE, c), upper = c < 256 ? (uint32_t)toupper((int)c) : c;
        bool negated = *code == SRE_NEGATE, in = in_charset(code, lower);
        return negated ? in && in_charset(code, upper) : in || in_charset(code, upper);
    }
    return in_charset(code, ty_sre_fold((TyFold)set->fold, c));
}

/* --- building ------------------------------------------------------------------------------------------------------------- */

static bool bad(Translator *t)
{
    if (!t->failed)
        ty_raise(&ty_RuntimeError, "invalid SRE code");
    t->failed = true;
    return false;
}

static bool no_memory(Translator *t)
{
    ty_raise_memory_error();
    t->failed = true;
    return false;
}

static uint32_t emit(Translator *t, TyNode node)
{
    TyProgram *p = t->program;
    if (p->node_count == t->node_room) {
        uint32_t room = t->node_room ? t->node_room * 2 : 32;
        TyNode *nodes = realloc(p->nodes, room * sizeof(TyNode));
        if (!nodes) {
            no_memory(t);
            return 0;
        }
        p->nodes = nodes;
        t->node_room = room;
    }
    p->nodes[p->node_count] = node;
    return p->node_count++;
}

/* Where a charset that begins at i ends, just behind its FAILURE; 0 if it is not good before `end`. */
static uint32_t charset_end(Translator *t, uint32_t i, uint32_t end, bool *locale)
{
    const uint32_t *code = t->program->code;
    while (i < end) {
        uint32_t left = end - i - 1, need;
        switch (code[i]) {
        case SRE_FAILURE: return i + 1;
        case SRE_NEGATE: need = 0; break;
        case SRE_LITERAL: need = 1; break;
        case SRE_RANGE: case SRE_RANGE_UNI_IGNORE: need = 2; break;
        case SRE_CHARSET: need = 8; break;
        case SRE_CATEGORY:
            need = 1;
            if (left < 1 || code[i + 1] >= SRE_CATEGORY_COUNT)
                return 0;
            *locale |= (code[i + 1] & ~1u) == SRE_LOC_WORD;
            break;
        case SRE_BIGCHARSET: {
            if (left < 65 || code[i + 1] > 256)
                return 0;
            need = 65 + code[i + 1] * 8;
            if (left < need)
                return 0;
            const uint8_t *blocks = (const uint8_t *)&code[i + 2];
            for (int k = 0; k < 256; k++)
                if (blocks[k] >= code[i + 1])
                    return 0;
            break;
        }
        default: return 0;
        }
        if (left < need)
            return 0;
        i += 1 + need;
    }
    return 0;
}

/* A set over the charset's codes at `code`, which are known to be good. */
static int64_t add_set(Translator *t, uint32_t code, TyFold fold, bool locale)
{
    TyProgram *p = t->program;
    if (p->set_count == t->set_room) {
        uint32_t room = t->set_room ? t->set_room * 2 : 8;
        TySreSet *sets = realloc(p->sets, room * sizeof(TySreSet));
        if (!sets) {
            no_memory(t);
            return -1;
        }
        p->sets = sets;
        t->set_room = room;
    }
    TySreSet *set = &p->sets[p->set_count];
    *set = (TySreSet){.code = code, .fold = (uint8_t)fold, .depends_on_locale = locale || fold == TY_FOLD_LOCALE};
    for (uint32_t c = 0; c < 256; c++)
        if (ty_sre_in_set(p, set, c))
            set->bitmap[c >> 3] |= (uint8_t)(1 << (c & 7));
    return p->set_count++;
}

/* A set whose codes are made here: appended to the copy, in the room kept for them. */
static int64_t add_made_set(Translator *t, const uint32_t *codes, uint32_t count, TyFold fold)
{
    TyProgram *p = t->program;
    uint32_t at = p->code_count;
    memcpy(p->code + at, codes, count * sizeof *codes);
    p->code_count += count;
    return add_set(t, at, fold, false);
}

/* The code at i as a matcher of one character, if it is one. *next: behind it. */
static bool one_character(Translator *t, uint32_t i, uint32_t end, TyNode *node, uint32_t *next)
{
    const uint32_t *code = t->program->code;
    uint32_t op = code[i];
    TyFold fold = TY_FOLD_NONE;
    *node = (TyNode){.op = TY_NODE_ONE};
    switch (op) {
    case SRE_ANY: node->matcher = TY_MATCH_ANY; *next = i + 1; return true;
    case SRE_ANY_ALL: node->matcher = TY_MATCH_ALL; *next = i + 1; return true;
    case SRE_LITERAL: case SRE_NOT_LITERAL:
        if (i + 1 >= end)
            return bad(t);
        node->matcher = op == SRE_LITERAL ? TY_MATCH_CHAR : TY_MATCH_NOT_CHAR;
        node->y = code[i + 1];
        *next = i + 2;
        return true;
    case SRE_LITERAL_IGNORE: case SRE_NOT_LITERAL_IGNORE: fold = TY_FOLD_ASCII; break;
    case SRE_LITERAL_LOC_IGNORE: case SRE_NOT_LITERAL_LOC_IGNORE: fold = TY_FOLD_LOCALE; break;
    case SRE_LITERAL_UNI_IGNORE: case SRE_NOT_LITERAL_UNI_IGNORE: fold = TY_FOLD_UNICODE; break;
    case SRE_IN_IGNORE: fold = TY_FOLD_ASCII; break;
    case SRE_IN_LOC_IGNORE: fold = TY_FOLD_LOCALE; break;
    case SRE_IN_UNI_IGNORE: fold = TY_FOLD_UNICODE; break;
    case SRE_IN: case SRE_CATEGORY: case SRE_FAILURE: break;
    default: return false;
    }
    node->matcher = TY_MATCH_SET;
    int64_t set;
    if (op == SRE_IN || op == SRE_IN_IGNORE || op == SRE_IN_LOC_IGNORE || op == SRE_IN_UNI_IGNORE) {
        bool locale = false;
        if (i + 1 >= end || code[i + 1] < 2 || code[i + 1] > end - i - 1)
            return bad(t);
        uint32_t stop = i + 1 + code[i + 1];
        if (charset_end(t, i + 2, stop, &locale) != stop)
            return bad(t);
        *next = stop;
        set = add_set(t, i + 2, fold, locale);
    } else if (op == SRE_FAILURE) { /* an empty class */
        uint32_t codes[1] = {SRE_FAILURE};
        *next = i + 1;
        set = add_made_set(t, codes, 1, TY_FOLD_NONE);
    } else {
        if (i + 1 >= end || (op == SRE_CATEGORY && code[i + 1] >= SRE_CATEGORY_COUNT))
            return bad(t);
        bool negated = op == SRE_NOT_LITERAL_IGNORE || op == SRE_NOT_LITERAL_LOC_IGNORE || op == SRE_NOT_LITERAL_UNI_IGNORE;
        uint32_t c = code[i + 1];
        if (fold == TY_FOLD_LOCALE) { /* "in" means that either case is the character: negation comes after */
            uint32_t codes[3] = {SRE_LITERAL, c, SRE_FAILURE};
            set = add_made_set(t, codes, 3, fold);
            node->mode = negated;
        } else {
            uint32_t codes[4] = {SRE_NEGATE, op == SRE_CATEGORY ? SRE_CATEGORY : SRE_LITERAL, c, SRE_FAILURE};
            set = negated ? add_made_set(t, codes, 4, fold) : add_made_set(t, codes + 1, 3, fold);
        }
        if (op == SRE_CATEGORY && (c & ~1u) == SRE_LOC_WORD && set >= 0)
            t->program->sets[set].depends_on_locale = true;
        *next = i + 2;
    }
    node->y = (uint32_t)TY_MAX(set, 0);
    return set >= 0;
}

static bool sequence(Translator *t, uint32_t i, uint32_t end, bool *ends_in_jump);

/* A body that ends in SUCCESS just before `end`. */
static bool closed_body(Translator *t, uint32_t i, uint32_t end)
{
    if (end <= i || t->program->code[end - 1] != SRE_SUCCESS)
        return bad(t);
    return sequence(t, i, end - 1, NULL);
}

static bool repeat_one(Translator *t, uint32_t i, uint32_t end, uint32_t op)
{
    const uint32_t *code = t->program->code;
    TyNode node;
    uint32_t next;
    if (!one_character(t, i + 4, end, &node, &next))
        return t->failed ? false : bad(t);
    if (next + 1 != end || code[next] != SRE_SUCCESS || code[i + 2] > code[i + 3])
        return bad(t);
    node.op = op == SRE_REPEAT_ONE ? TY_NODE_GREEDY_ONE : op == SRE_MIN_REPEAT_ONE ? TY_NODE_LAZY_ONE : TY_NODE_POSSESSIVE_ONE;
    node.min = code[i + 2];
    node.max = code[i + 3];
    emit(t, node);
    return !t->failed;
}

/* REPEAT … UNTIL, body from i to end, `until` the code behind it (SUCCESS: possessive). */
static bool loop(Translator *t, uint32_t i, uint32_t end, uint32_t min, uint32_t max, uint32_t until)
{
    TyProgram *p = t->program;
    if (min > max)
        return bad(t);
    uint32_t number = p->loops++;
    emit(t, (TyNode){.op = TY_NODE_LOOP_START, .x = number});
    uint32_t jump = emit(t, (TyNode){.op = TY_NODE_JUMP});
    uint32_t body = p->node_count;
    if (!(until == SRE_SUCCESS ? closed_body(t, i, end) : sequence(t, i, end, NULL)))
        return false;
    uint32_t done = until == SRE_SUCCESS ? emit(t, (TyNode){.op = TY_NODE_LOOP_DONE_POSSESSIVE}) : 0;
    uint8_t op = until == SRE_MAX_UNTIL ? TY_NODE_LOOP_GREEDY : until == SRE_MIN_UNTIL ? TY_NODE_LOOP_LAZY : TY_NODE_LOOP_POSSESSIVE;
    uint32_t head = emit(t, (TyNode){.op = op, .x = number, .y = body, .min = min, .max = max});
    if (t->failed)
        return false;
    p->nodes[jump].x = head;
    if (until == SRE_SUCCESS)
        p->nodes[done].x = head;
    return true;
}

/* BRANCH: alternatives, each with a jump to behind all. *next: there. */
static bool branch(Translator *t, uint32_t i, uint32_t end, uint32_t *next)
{
    TyProgram *p = t->program;
    uint32_t split = 0, first_target = 0, last_jump = UINT32_MAX; /* the jumps to be set are chained through x */
    bool first = true;
    for (;;) {
        if (i >= end)
            return bad(t);
        uint32_t skip = p->code[i];
        if (skip == 0)
            break;
        if (skip < 3 || skip > end - i)
            return bad(t);
        uint32_t stop = i + skip;
        if (stop >= end || p->code[stop - 2] != SRE_JUMP)
            return bad(t);
        uint32_t target = stop - 1 + p->code[stop - 1];
        if (target > end || (!first && target != first_target))
            return bad(t);
        first_target = target;
        bool last = p->code[stop] == 0;
        if (!last)
            split = emit(t, (TyNode){.op = TY_NODE_SPLIT});
        if (!sequence(t, i + 1, stop - 2, NULL))
            return false;
        last_jump = emit(t, (TyNode){.op = TY_NODE_JUMP, .x = last_jump});
        if (t->failed)
            return false;
        if (!last)
            p->nodes[split].x = p->node_count;
        first = false;
        i = stop;
    }
    if (!first && first_target != i + 1)
        return bad(t);
    if (first)
        emit(t, (TyNode){.op = TY_NODE_FAIL});
    while (last_jump != UINT32_MAX) {
        uint32_t before = p->nodes[last_jump].x;
        p->nodes[last_jump].x = p->node_count;
        last_jump = before;
    }
    *next = i + 1;
    return !t->failed;
}

static bool assertion(Translator *t, uint32_t i, uint32_t end, bool negative)
{
    TyProgram *p = t->program;
    uint32_t back = p->code[i + 2];
    if (back & 0x80000000u)
        return bad(t);
    uint32_t head = emit(t, (TyNode){.op = negative ? TY_NODE_ASSERT_NOT : TY_NODE_ASSERT, .min = back});
    if (!closed_body(t, i + 3, end))
        return false;
    emit(t, (TyNode){.op = negative ? TY_NODE_ASSERT_NOT_END : TY_NODE_ASSERT_END});
    if (!t->failed)
        p->nodes[head].x = p->node_count;
    return !t->failed;
}

static bool if_group(Translator *t, uint32_t i, uint32_t end, uint32_t *next)
{
    TyProgram *p = t->program;
    if (end - i < 3 || p->code[i + 1] >= p->groups || p->code[i + 2] < 1)
        return bad(t);
    if (p->code[i + 2] - 1 > end - (i + 2))
        return bad(t);
    uint32_t stop = i + 2 + p->code[i + 2] - 1;
    bool jumps = false;
    uint32_t head = emit(t, (TyNode){.op = TY_NODE_IF_GROUP, .x = p->code[i + 1]});
    if (stop < i + 3 || !sequence(t, i + 3, stop, &jumps))
        return t->failed ? false : bad(t);
    *next = stop;
    if (!jumps) {
        p->nodes[head].y = p->node_count;
        return true;
    }
    uint32_t jump = emit(t, (TyNode){.op = TY_NODE_JUMP});
    if (t->failed)
        return false;
    p->nodes[head].y = p->node_count;
    uint32_t skip = p->code[stop - 1];
    if (skip < 1 || skip > end - (stop - 1))
        return bad(t);
    *next = stop - 1 + skip;
    if (!sequence(t, stop, *next, NULL))
        return false;
    p->nodes[jump].x = p->node_count;
    return true;
}

/* Codes from i to end. A JUMP as the last of them is left to the caller, if it asks for that. */
static bool sequence(Translator *t, uint32_t i, uint32_t end, bool *ends_in_jump)
{
    TyProgram *p = t->program;
    if (ty_c_stack_low()) {
        t->failed = true;
        ty_raise_recursion_error("");
        return false;
    }
    while (i < end && !t->failed) {
        const uint32_t *code = p->code;
        uint32_t op = code[i], left = end - i, next = i + 2;
        TyNode node;
        if (op != SRE_FAILURE && one_character(t, i, end, &node, &next)) {
            emit(t, node);
            i = next;
            continue;
        }
        if (t->failed)
            return false;
        /* Those with a skip: its end is checked here. */
        bool skips = op == SRE_REPEAT || op == SRE_POSSESSIVE_REPEAT || op == SRE_REPEAT_ONE || op == SRE_MIN_REPEAT_ONE || op == SRE_POSSESSIVE_REPEAT_ONE ||
                     op == SRE_ASSERT || op == SRE_ASSERT_NOT || op == SRE_ATOMIC_GROUP;
        uint32_t stop = end;
        if (skips) {
            uint32_t least = op == SRE_ATOMIC_GROUP ? 1 : op == SRE_ASSERT || op == SRE_ASSERT_NOT ? 2 : 3;
            if (left < 2 || code[i + 1] < least || code[i + 1] > left - 1)
                return bad(t);
            stop = i + 1 + code[i + 1];
        }
        switch (op) {
        case SRE_FAILURE: emit(t, (TyNode){.op = TY_NODE_FAIL}); next = i + 1; break;
        case SRE_SUCCESS: emit(t, (TyNode){.op = TY_NODE_SUCCESS}); next = i + 1; break;
        case SRE_AT:
            if (left < 2 || code[i + 1] >= SRE_AT_COUNT)
                return bad(t);
            emit(t, (TyNode){.op = TY_NODE_AT, .x = code[i + 1]});
            break;
        case SRE_MARK:
            if (left < 2 || code[i + 1] >= 2 * (uint64_t)p->groups)
                return bad(t);
            emit(t, (TyNode){.op = TY_NODE_MARK, .x = code[i + 1]});
            break;
        case SRE_GROUPREF: case SRE_GROUPREF_IGNORE: case SRE_GROUPREF_LOC_IGNORE: case SRE_GROUPREF_UNI_IGNORE:
            if (left < 2 || code[i + 1] >= p->groups)
                return bad(t);
            emit(t, (TyNode){.op = TY_NODE_REFERENCE, .x = code[i + 1],
                             .mode = op == SRE_GROUPREF ? TY_FOLD_NONE : op == SRE_GROUPREF_IGNORE ? TY_FOLD_ASCII
                                     : op == SRE_GROUPREF_LOC_IGNORE ? TY_FOLD_LOCALE : TY_FOLD_UNICODE});
            break;
        case SRE_REPEAT_ONE: case SRE_MIN_REPEAT_ONE: case SRE_POSSESSIVE_REPEAT_ONE:
            if (!repeat_one(t, i, stop, op))
                return false;
            next = stop;
            break;
        case SRE_REPEAT:
            if (stop >= end || (code[stop] != SRE_MAX_UNTIL && code[stop] != SRE_MIN_UNTIL))
                return bad(t);
            if (!loop(t, i + 4, stop, code[i + 2], code[i + 3], code[stop]))
                return false;
            next = stop + 1;
            break;
        case SRE_POSSESSIVE_REPEAT: /* its body has no SUCCESS of its own inside the skip: one follows */
            if (stop >= end || code[stop] != SRE_SUCCESS)
                return bad(t);
            if (!loop(t, i + 4, stop + 1, code[i + 2], code[i + 3], SRE_SUCCESS))
                return false;
            next = stop + 1;
            break;
        case SRE_BRANCH:
            if (!branch(t, i + 1, end, &next))
                return false;
            break;
        case SRE_ASSERT: case SRE_ASSERT_NOT:
            if (!assertion(t, i, stop, op == SRE_ASSERT_NOT))
                return false;
            next = stop;
            break;
        case SRE_ATOMIC_GROUP:
            emit(t, (TyNode){.op = TY_NODE_ATOMIC});
            if (!closed_body(t, i + 2, stop))
                return false;
            emit(t, (TyNode){.op = TY_NODE_ATOMIC_END});
            next = stop;
            break;
        case SRE_GROUPREF_EXISTS:
            if (!if_group(t, i, end, &next))
                return false;
            break;
        case SRE_JUMP:
            if (!ends_in_jump || left != 2)
                return bad(t);
            *ends_in_jump = true;
            return true;
        default: return bad(t);
        }
        i = next;
    }
    return !t->failed;
}

/* INFO, at the start: how wide matches are and what they begin with. */
static bool info(Translator *t, uint32_t *i)
{
    TyProgram *p = t->program;
    const uint32_t *code = p->code;
    if (p->code_count < 5 || code[0] != SRE_INFO)
        return true;
    uint32_t skip = code[1], flags = code[2], stop = 1 + skip;
    if (skip < 4 || stop > p->code_count)
        return bad(t);
    p->minimum_width = code[3];
    *i = stop;
    if (flags & SRE_INFO_PREFIX) {
        if (stop < 7 || code[5] > (stop - 7) / 2 || stop - 7 != 2 * (uint64_t)code[5] || code[6] > code[5])
            return bad(t);
        p->prefix_length = code[5];
        p->prefix = p->code + 7;
        p->literal = flags & SRE_INFO_LITERAL;
    } else if (flags & SRE_INFO_CHARSET) {
        bool locale = false;
        if (charset_end(t, 5, stop, &locale) != stop)
            return bad(t);
    }
    return true;
}

/* What character must follow a repeat: tried first, without the whole machine. */
static void find_next_characters(TyProgram *p)
{
    for (uint32_t n = 0; n < p->node_count; n++) {
        TyNode *node = &p->nodes[n];
        if (node->op != TY_NODE_GREEDY_ONE && node->op != TY_NODE_LAZY_ONE)
            continue;
        uint32_t next = n + 1;
        for (int steps = 0; steps < 4 && (p->nodes[next].op == TY_NODE_MARK || p->nodes[next].op == TY_NODE_JUMP); steps++)
            next = p->nodes[next].op == TY_NODE_JUMP ? p->nodes[next].x : next + 1;
        if (p->nodes[next].op == TY_NODE_ONE && p->nodes[next].matcher == TY_MATCH_CHAR) {
            node->has_next = true;
            node->x = p->nodes[next].y;
        }
    }
}

static void add_matcher(TyProgram *p, const TyNode *node)
{
    for (uint32_t c = 0; c < 256; c++) {
        bool in = true;
        switch (node->matcher) {
        case TY_MATCH_CHAR: in = c == node->y; break;
        case TY_MATCH_NOT_CHAR: in = c != node->y; break;
        case TY_MATCH_ANY: in = c != '\n'; break;
        case TY_MATCH_SET: {
            const TySreSet *set = &p->sets[node->y];
            in = set->depends_on_locale || node->mode || (set->bitmap[c >> 3] >> (c & 7) & 1);
            break;
        }
        }
        if (in)
            p->first[c >> 3] |= (uint8_t)(1 << (c & 7));
    }
}

/* Adds the characters that a match from node n on can begin with; false if it may be empty or that is not known. */
static bool add_first(TyProgram *p, uint32_t n, int *budget)
{
    for (; --*budget > 0;) {
        const TyNode *node = &p->nodes[n];
        switch (node->op) {
        case TY_NODE_ONE: add_matcher(p, node); return true;
        case TY_NODE_MARK: case TY_NODE_AT: case TY_NODE_ATOMIC: case TY_NODE_ATOMIC_END: case TY_NODE_LOOP_START: n++; break;
        case TY_NODE_ASSERT: case TY_NODE_ASSERT_NOT: case TY_NODE_JUMP: n = node->x; break;
        case TY_NODE_SPLIT:
            if (!add_first(p, n + 1, budget))
                return false;
            n = node->x;
            break;
        case TY_NODE_GREEDY_ONE: case TY_NODE_LAZY_ONE: case TY_NODE_POSSESSIVE_ONE:
            if (node->max > 0)
                add_matcher(p, node);
            if (node->min > 0)
                return true;
            n++;
            break;
        case TY_NODE_LOOP_GREEDY: case TY_NODE_LOOP_LAZY: case TY_NODE_LOOP_POSSESSIVE:
            if (node->max > 0 && !add_first(p, node->y, budget))
                return false;
            if (node->min > 0)
                return true;
            n++;
            break;
        default: return false;
        }
    }
    return false;
}

static bool all_set(const uint8_t bitmap[32])
{
    for (int i = 0; i < 32; i++)
        if (bitmap[i] != 0xFF)
            return false;
    return true;
}

void ty_sre_free(TyProgram *p)
{
    if (!p)
        return;
    free(p->nodes);
    free(p->sets);
    free(p->code);
    free(p);
}

TyProgram *ty_sre_translate(const uint32_t *code, uint32_t count, uint32_t groups)
{
    TyProgram *p = calloc(1, sizeof *p);
    Translator t = {.program = p};
    uint32_t start = 0;
    /* Room for the sets that are made: four codes for at most every code. */
    if (!p || !(p->code = malloc(((size_t)count * 5 + 8) * sizeof *code))) {
        free(p);
        ty_raise_memory_error();
        return NULL;
    }
    memcpy(p->code, code, (size_t)count * sizeof *code);
    p->code_count = count;
    p->groups = groups;
    bool good = count > 0 && code[count - 1] == SRE_SUCCESS ? true : bad(&t);
    good = good && info(&t, &start) && sequence(&t, start, count, NULL);
    if (good) {
        emit(&t, (TyNode){.op = TY_NODE_FAIL});
        good = !t.failed;
    }
    if (!good) {
        ty_sre_free(p);
        return NULL;
    }
    find_next_characters(p);
    int budget = 64;
    p->has_first = add_first(p, 0, &budget) && !all_set(p->first);
    p->anchored = p->nodes[0].op == TY_NODE_AT && (p->nodes[0].x == SRE_AT_BEGINNING || p->nodes[0].x == SRE_AT_BEGINNING_STRING);
    return p;
}
