/* The backtracking machine. Its stack holds choices to come back to, what is to be undone on the way back (marks, loop counters), and barriers,
 * which begin assertions and atomic groups: when one of these has matched, its choices are dropped and its undoing stays. */
#include "modules/_sre/sre.h"
#include "base/search.h"
#include "object/exception.h"
#include <stdlib.h>

typedef enum EntryKind {
    ENTRY_BRANCH,       /* go on at node `index`, position a */
    ENTRY_MARK,         /* mark `index` was a, the last group b */
    ENTRY_LOOP,         /* the count of loop `index` was a, its last position b */
    ENTRY_GREEDY,       /* the repeat at node `index` may give back: from b down to a */
    ENTRY_LAZY,         /* the repeat at node `index` may take more: at a, after b */
    ENTRY_LAZY_LOOP,    /* the loop at node `index` may go round once more, from a */
    ENTRY_BARRIER,      /* position a; the barrier before was b */
    ENTRY_BARRIER_ELSE, /* the same, and failure of the body means: go on at node `index` */
} EntryKind;

typedef struct TySreEntry {
    uint32_t kind, index;
    int64_t a, b;
} TySreEntry;

typedef struct TySreLoop {
    int64_t count, last;
} TySreLoop;

#define NO_BARRIER UINT32_MAX
#define LIMIT(max) ((max) == TY_SRE_MAX_REPEAT ? INT64_MAX : (int64_t)(max))

static TY_NOINLINE bool grow(TySreState *s)
{
    size_t room = s->stack_room ? s->stack_room * 2 : 64;
    TySreEntry *stack = room < UINT32_MAX ? realloc(s->stack, room * sizeof(TySreEntry)) : NULL;
    if (!stack) {
        ty_raise_memory_error();
        return false;
    }
    s->stack = stack;
    s->stack_room = room;
    return true;
}

#define PUSH(kind_, index_, a_, b_)                                                               \
    do {                                                                                          \
        if (TY_UNLIKELY(s->stack_used == s->stack_room) && !grow(s))                              \
            return -1;                                                                            \
        s->stack[s->stack_used++] = (TySreEntry){.kind = kind_, .index = index_, .a = a_, .b = b_}; \
    } while (0)

static void undo(TySreState *s, const TySreEntry *e)
{
    if (e->kind == ENTRY_MARK) {
        s->marks[e->index] = e->a;
        s->last_index = e->b;
    } else if (e->kind == ENTRY_LOOP) {
        s->loops[e->index] = (TySreLoop){e->a, e->b};
    }
}

/* Drops the barrier and the choices above it; the undoing stays. Returns the barrier before it. */
static uint32_t cut(TySreState *s, uint32_t barrier, int64_t *position)
{
    uint32_t before = (uint32_t)s->stack[barrier].b;
    size_t kept = barrier;
    if (position)
        *position = s->stack[barrier].a;
    for (size_t k = barrier + 1; k < s->stack_used; k++)
        if (s->stack[k].kind == ENTRY_MARK || s->stack[k].kind == ENTRY_LOOP)
            s->stack[kept++] = s->stack[k];
    s->stack_used = kept;
    return before;
}

/* A long match lets others stop the world, and signals be handled. */
static TY_NOINLINE bool ty_sre_poll(void)
{
    ty_safepoint();
    return !ty_load_relaxed(&ty_thread->poll) || ty_poll_run();
}

TY_INLINE bool in_set(const TyProgram *p, const TySreSet *set, uint32_t c)
{
    if (TY_LIKELY(c < 256 && !set->depends_on_locale))
        return set->bitmap[c >> 3] >> (c & 7) & 1;
    return ty_sre_in_set(p, set, c);
}

#define CHAR uint8_t
#define NAME(x) x##_1
#include "modules/_sre/engine_kind.h"
#undef CHAR
#undef NAME
#define CHAR uint16_t
#define NAME(x) x##_2
#include "modules/_sre/engine_kind.h"
#undef CHAR
#undef NAME
#define CHAR uint32_t
#define NAME(x) x##_4
#include "modules/_sre/engine_kind.h"
#undef CHAR
#undef NAME

bool ty_sre_state_start(TySreState *s, const TyProgram *program)
{
    memset(s, 0, offsetof(TySreState, few_marks));
    s->program = program;
    s->stack = NULL;
    s->loops = NULL;
    s->stack_used = s->stack_room = 0;
    s->steps = 0;
    s->marks = s->few_marks;
    if (2 * (size_t)program->groups > TY_COUNT_OF(s->few_marks))
        s->marks = malloc(2 * (size_t)program->groups * sizeof(int64_t));
    if (program->loops)
        s->loops = calloc(program->loops, sizeof(TySreLoop));
    if (!s->marks || (program->loops && !s->loops)) {
        ty_sre_state_end(s);
        ty_raise_memory_error();
        return false;
    }
    return true;
}

void ty_sre_state_end(TySreState *s)
{
    if (s->marks != s->few_marks)
        free(s->marks);
    free(s->stack);
    free(s->loops);
}

int ty_sre_match(TySreState *s)
{
    if (s->start > s->end)
        return 0;
    return s->width == 1 ? run_1(s, s->start) : s->width == 2 ? run_2(s, s->start) : run_4(s, s->start);
}

int ty_sre_search(TySreState *s)
{
    if (s->start > s->end)
        return 0;
    return s->width == 1 ? search_1(s) : s->width == 2 ? search_2(s) : search_4(s);
}
