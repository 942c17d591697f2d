/* The machine for one width of characters: included three times with CHAR and NAME(x). */

TY_INLINE bool NAME(one)(const TyProgram *p, const TyNode *node, uint32_t c)
{
    switch (node->matcher) {
    case TY_MATCH_CHAR: return c == node->y;
    case TY_MATCH_NOT_CHAR: return c != node->y;
    case TY_MATCH_ANY: return c != '\n';
    case TY_MATCH_ALL: return true;
    default: return in_set(p, &p->sets[node->y], c) != node->mode;
    }
}

/* How many characters from i on, at most limit, the node matches. */
static int64_t NAME(run_length)(const TyProgram *p, const TyNode *node, const CHAR *text, int64_t i, int64_t limit)
{
    int64_t at, end = i + limit, start = i;
    switch (node->matcher) {
    case TY_MATCH_ALL: return limit;
    case TY_MATCH_ANY: case TY_MATCH_NOT_CHAR:
        at = ty_find_char(text + i, limit, node->matcher == TY_MATCH_ANY ? '\n' : node->y, (int)sizeof(CHAR));
        return at < 0 ? limit : at;
    case TY_MATCH_CHAR:
        while (i < end && text[i] == node->y)
            i++;
        return i - start;
    default: {
        const TySreSet *set = &p->sets[node->y];
        if (set->depends_on_locale || node->mode) {
            while (i < end && in_set(p, set, text[i]) != node->mode)
                i++;
            return i - start;
        }
        const uint8_t *bitmap = set->bitmap;
        for (; i < end; i++) {
            uint32_t c = text[i];
            if (sizeof(CHAR) == 1 || c < 256 ? !(bitmap[(c & 255) >> 3] >> (c & 7) & 1) : !ty_sre_in_set(p, set, c))
                break;
        }
        return i - start;
    }
    }
}

static bool NAME(at_position)(const TySreState *s, const CHAR *text, int64_t i, uint32_t where)
{
    uint32_t word;
    switch (where) {
    case SRE_AT_BEGINNING: case SRE_AT_BEGINNING_STRING: return i == 0;
    case SRE_AT_BEGINNING_LINE: return i == 0 || text[i - 1] == '\n';
    case SRE_AT_END: return i == s->end || (i + 1 == s->end && text[i] == '\n');
    case SRE_AT_END_LINE: return i == s->end || text[i] == '\n';
    case SRE_AT_END_STRING: return i == s->end;
    case SRE_AT_BOUNDARY: case SRE_AT_NON_BOUNDARY: word = SRE_WORD; break;
    case SRE_AT_LOC_BOUNDARY: case SRE_AT_LOC_NON_BOUNDARY: word = SRE_LOC_WORD; break;
    default: word = SRE_UNI_WORD; break;
    }
    bool before = i > 0 && ty_sre_in_category(word, text[i - 1]), after = i < s->end && ty_sre_in_category(word, text[i]);
    bool boundary = where == SRE_AT_BOUNDARY || where == SRE_AT_LOC_BOUNDARY || where == SRE_AT_UNI_BOUNDARY;
    return (before != after) == boundary;
}

/* Group `group` again at i: where it ends, or -1. */
static int64_t NAME(reference)(const TySreState *s, const CHAR *text, int64_t i, uint32_t group, TyFold fold)
{
    int64_t from = s->marks[2 * group], to = s->marks[2 * group + 1];
    if (from < 0 || to < from || to - from > s->end - i)
        return -1;
    if (fold == TY_FOLD_NONE)
        return memcmp(text + from, text + i, (size_t)(to - from) * sizeof(CHAR)) == 0 ? i + to - from : -1;
    for (; from < to; from++, i++)
        if (ty_sre_fold(fold, text[from]) != ty_sre_fold(fold, text[i]))
            return -1;
    return i;
}

/* The last place from high down to low where the character stands; -1: none. */
TY_INLINE int64_t NAME(last_place)(const CHAR *text, int64_t low, int64_t high, int64_t end, uint32_t c)
{
    if (high >= end)
        high = end - 1;
    for (; high >= low; high--)
        if (text[high] == c)
            return high;
    return -1;
}

/* Tries to match from `start` on. */
static int NAME(run)(TySreState *s, int64_t start)
{
    const TyProgram *p = s->program;
    const CHAR *text = s->text;
    const TyNode *nodes = p->nodes, *node = nodes;
    const int64_t end = s->end;
    int64_t i = start;
    uint32_t barrier = NO_BARRIER; /* the innermost entry that begins an assertion or atomic group */
    s->stack_used = 0;
    s->last_index = -1;
    for (uint32_t m = 0; m < 2 * p->groups; m++)
        s->marks[m] = -1;
    for (;;) {
        switch ((TyNodeOp)node->op) {
        case TY_NODE_FAIL: goto fail;
        case TY_NODE_SUCCESS:
            if ((s->whole && i != end) || (s->must_advance && start == s->start && i == start))
                goto fail;
            s->match_start = start;
            s->match_end = i;
            return 1;
        case TY_NODE_ONE:
            if (i >= end || !NAME(one)(p, node, text[i]))
                goto fail;
            i++;
            node++;
            continue;
        case TY_NODE_AT:
            if (!NAME(at_position)(s, text, i, node->x))
                goto fail;
            node++;
            continue;
        case TY_NODE_SPLIT:
            /* An alternative that can't begin here is passed over. */
            if (node[1].op == TY_NODE_ONE && (i >= end || !NAME(one)(p, &node[1], text[i]))) {
                node = nodes + node->x;
                continue;
            }
            PUSH(ENTRY_BRANCH, node->x, i, 0);
            node++;
            continue;
        case TY_NODE_JUMP: node = nodes + node->x; continue;
        case TY_NODE_MARK:
            if (s->stack_used)
                PUSH(ENTRY_MARK, node->x, s->marks[node->x], s->last_index);
            s->marks[node->x] = i;
            if (node->x & 1)
                s->last_index = node->x / 2 + 1;
            node++;
            continue;
        case TY_NODE_REFERENCE: {
            int64_t after = NAME(reference)(s, text, i, node->x, (TyFold)node->mode);
            if (after < 0)
                goto fail;
            i = after;
            node++;
            continue;
        }
        case TY_NODE_IF_GROUP: {
            int64_t from = s->marks[2 * node->x], to = s->marks[2 * node->x + 1];
            node = from >= 0 && to >= from ? node + 1 : nodes + node->y;
            continue;
        }
        case TY_NODE_GREEDY_ONE: {
            int64_t n = NAME(run_length)(p, node, text, i, TY_MIN(end - i, LIMIT(node->max)));
            if (n < (int64_t)node->min)
                goto fail;
            int64_t low = i + node->min, high = i + n;
            if (node->has_next) {
                high = NAME(last_place)(text, low, high, end, node->x);
                if (high < 0)
                    goto fail;
            }
            if (high > low)
                PUSH(ENTRY_GREEDY, (uint32_t)(node - nodes), low, high);
            i = high;
            node++;
            continue;
        }
        case TY_NODE_LAZY_ONE:
            if (node->min > 0) {
                if (end - i < (int64_t)node->min || NAME(run_length)(p, node, text, i, node->min) < (int64_t)node->min)
                    goto fail;
                i += node->min;
            }
            if (node->max > node->min)
                PUSH(ENTRY_LAZY, (uint32_t)(node - nodes), i, node->min);
            node++;
            continue;
        case TY_NODE_POSSESSIVE_ONE: {
            int64_t n = NAME(run_length)(p, node, text, i, TY_MIN(end - i, LIMIT(node->max)));
            if (n < (int64_t)node->min)
                goto fail;
            i += n;
            node++;
            continue;
        }
        case TY_NODE_LOOP_START: {
            TySreLoop *loop = &s->loops[node->x];
            PUSH(ENTRY_LOOP, node->x, loop->count, loop->last);
            loop->count = 0;
            loop->last = -1;
            node++;
            continue;
        }
        case TY_NODE_LOOP_GREEDY: {
            TySreLoop *loop = &s->loops[node->x];
            if (loop->count < (int64_t)node->min) {
                if (loop->count > 1000 && loop->last == i) { /* empty, again and again: as good as done */
                    node++;
                    continue;
                }
                PUSH(ENTRY_LOOP, node->x, loop->count, loop->last);
                if (node->min > 1000)
                    loop->last = i;
                loop->count++;
                node = nodes + node->y;
            } else if (loop->count < LIMIT(node->max) && i != loop->last) {
                PUSH(ENTRY_BRANCH, (uint32_t)(node - nodes) + 1, i, 0);
                PUSH(ENTRY_LOOP, node->x, loop->count, loop->last);
                loop->last = i;
                loop->count++;
                node = nodes + node->y;
            } else {
                node++;
            }
            continue;
        }
        case TY_NODE_LOOP_LAZY: {
            TySreLoop *loop = &s->loops[node->x];
            if (loop->count < (int64_t)node->min) {
                PUSH(ENTRY_LOOP, node->x, loop->count, loop->last);
                loop->count++;
                node = nodes + node->y;
            } else {
                PUSH(ENTRY_LAZY_LOOP, (uint32_t)(node - nodes), i, 0);
                node++;
            }
            continue;
        }
        case TY_NODE_LOOP_POSSESSIVE: {
            TySreLoop *loop = &s->loops[node->x];
            bool must = loop->count < (int64_t)node->min;
            if (!must && (loop->count >= LIMIT(node->max) || i == loop->last)) {
                node++;
                continue;
            }
            PUSH(must ? ENTRY_BARRIER : ENTRY_BARRIER_ELSE, (uint32_t)(node - nodes) + 1, i, barrier);
            barrier = (uint32_t)s->stack_used - 1;
            PUSH(ENTRY_LOOP, node->x, loop->count, loop->last);
            if (!must)
                loop->last = i;
            loop->count++;
            node = nodes + node->y;
            continue;
        }
        case TY_NODE_LOOP_DONE_POSSESSIVE:
            barrier = cut(s, barrier, NULL);
            node = nodes + node->x;
            continue;
        case TY_NODE_ASSERT:
            if (i < (int64_t)node->min)
                goto fail;
            PUSH(ENTRY_BARRIER, 0, i, barrier);
            barrier = (uint32_t)s->stack_used - 1;
            i -= node->min;
            node++;
            continue;
        case TY_NODE_ASSERT_END:
            barrier = cut(s, barrier, &i);
            node++;
            continue;
        case TY_NODE_ASSERT_NOT:
            if (i < (int64_t)node->min) {
                node = nodes + node->x;
                continue;
            }
            PUSH(ENTRY_BARRIER_ELSE, node->x, i, barrier);
            barrier = (uint32_t)s->stack_used - 1;
            i -= node->min;
            node++;
            continue;
        case TY_NODE_ASSERT_NOT_END: /* the body matched: all of it is undone */
            while (s->stack_used - 1 > barrier)
                undo(s, &s->stack[--s->stack_used]);
            barrier = (uint32_t)s->stack[--s->stack_used].b;
            goto fail;
        case TY_NODE_ATOMIC:
            PUSH(ENTRY_BARRIER, 0, i, barrier);
            barrier = (uint32_t)s->stack_used - 1;
            node++;
            continue;
        case TY_NODE_ATOMIC_END:
            barrier = cut(s, barrier, NULL);
            node++;
            continue;
        }
    fail:
        if (TY_UNLIKELY((++s->steps & 0x3FFF) == 0) && !ty_sre_poll())
            return -1;
        for (;;) {
            if (s->stack_used == 0)
                return 0;
            TySreEntry *e = &s->stack[s->stack_used - 1];
            if (e->kind == ENTRY_MARK || e->kind == ENTRY_LOOP) {
                undo(s, e);
                s->stack_used--;
                continue;
            }
            if (e->kind == ENTRY_BRANCH) {
                node = nodes + e->index;
                i = e->a;
                s->stack_used--;
                break;
            }
            if (e->kind == ENTRY_GREEDY) {
                node = nodes + e->index;
                int64_t high = e->b - 1;
                if (node->has_next)
                    high = NAME(last_place)(text, e->a, high, end, node->x);
                if (high < 0 || high <= e->a)
                    s->stack_used--;
                else
                    e->b = high;
                if (high < 0)
                    continue;
                i = high;
                node++;
                break;
            }
            if (e->kind == ENTRY_LAZY) {
                node = nodes + e->index;
                i = e->a;
                int64_t count = e->b;
                do {
                    if (i >= end || !NAME(one)(p, node, text[i])) {
                        i = -1;
                        break;
                    }
                    i++;
                    count++;
                } while (node->has_next && count < LIMIT(node->max) && (i >= end || text[i] != node->x));
                if (i < 0 || count >= LIMIT(node->max))
                    s->stack_used--;
                if (i < 0)
                    continue;
                if (count < LIMIT(node->max)) {
                    e->a = i;
                    e->b = count;
                }
                node++;
                break;
            }
            if (e->kind == ENTRY_LAZY_LOOP) {
                node = nodes + e->index;
                i = e->a;
                TySreLoop *loop = &s->loops[node->x];
                if (loop->count >= LIMIT(node->max) || i == loop->last) {
                    s->stack_used--;
                    continue;
                }
                *e = (TySreEntry){.kind = ENTRY_LOOP, .index = node->x, .a = loop->count, .b = loop->last};
                loop->last = i;
                loop->count++;
                node = nodes + node->y;
                break;
            }
            barrier = (uint32_t)e->b;
            s->stack_used--;
            if (e->kind == ENTRY_BARRIER)
                continue;
            node = nodes + e->index; /* ENTRY_BARRIER_ELSE: the body failed */
            i = e->a;
            break;
        }
    }
}

static int NAME(search_prefix)(TySreState *s)
{
    const TyProgram *p = s->program;
    CHAR prefix[32];
    int64_t length = TY_MIN(p->prefix_length, 32u), at = s->start, last = s->end - (int64_t)TY_MAX(p->minimum_width, p->prefix_length);
    for (int64_t k = 0; k < length; k++) {
        prefix[k] = (CHAR)p->prefix[k];
        if (prefix[k] != p->prefix[k])
            return 0; /* no such character in so narrow a text */
    }
    while (at <= last) {
        int64_t found = ty_find((const CHAR *)s->text + at, last - at + length, prefix, length, (int)sizeof(CHAR));
        if (found < 0)
            return 0;
        at += found;
        if (p->literal && length == p->prefix_length && !s->whole && p->groups == 0) {
            s->match_start = at;
            s->match_end = at + length;
            s->last_index = -1;
            return 1;
        }
        int status = NAME(run)(s, at);
        if (status)
            return status;
        at++;
    }
    return 0;
}

static int NAME(search)(TySreState *s)
{
    const TyProgram *p = s->program;
    const CHAR *text = s->text;
    if (p->prefix_length)
        return NAME(search_prefix)(s);
    int64_t last = s->end - (int64_t)p->minimum_width;
    if (p->anchored)
        last = TY_MIN(last, 0);
    for (int64_t at = s->start; at <= last; at++) {
        if (p->has_first) {
            while (at <= last && at < s->end && !((uint32_t)text[at] >> 8) && !(p->first[(text[at] & 255) >> 3] >> (text[at] & 7) & 1))
                at++;
            if (at > last || at >= s->end)
                return 0;
        }
        int status = NAME(run)(s, at);
        if (status)
            return status;
    }
    return 0;
}
