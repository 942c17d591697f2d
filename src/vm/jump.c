/* f_lineno = …: a trace function moves its frame to another line.
 *
 * A place can be jumped to if all that the instructions from there on read of the temporaries is there already, and is what they take it for: some
 * loop's iterator, the exit of some `with`, or what the same instruction has made. Two passes over the code tell: `live`, which temporaries are read from a place on before they are
 * written; and, along the ways that reach a place, who made them and which exceptions are handled. What is not needed at the new place is let go of;
 * exceptions that are no longer handled there are taken from the thread, as POP_HANDLED would. */
#include <stdlib.h>
#include <string.h>

#include "object/code.h"
#include "object/instruction_table.h"
#include "object/int.h"
#include "object/native.h"
#include "vm/generator.h"
#include "vm/monitor.h"
#include "vm/trace.h"

enum { TEMPORARIES = 64 }; /* that are kept account of; a place where more are in use cannot be jumped to */

typedef struct Place {
    uint64_t live, iterators, exceptions; /* sets of temporaries; exceptions: what PUSH_HANDLED was given, and above it the one before */
    uint32_t handling;                    /* the innermost PUSH_HANDLED that is not undone, or 0 */
    bool reached;
} Place;

typedef struct Map {
    const TyCode *code;
    uint32_t variables; /* temporaries come after so many registers */
    uint32_t temporaries;
    Place *places;      /* one for each word */
    uint32_t *makers;   /* for each word and temporary, where that was made */
} Map;

static uint64_t bit(const Map *map, uint32_t reg)
{
    return reg < map->variables || reg >= map->variables + TEMPORARIES ? 0 : 1ull << (reg - map->variables);
}

static uint64_t bits(const Map *map, uint32_t from, uint32_t to)
{
    uint64_t set = 0;
    for (uint32_t reg = from; reg < to && reg < map->variables + TEMPORARIES; reg++)
        set |= bit(map, reg);
    return set;
}

/* --- what an instruction writes and reads ------------------------------------------------------------------------------------ */

static uint64_t written(const Map *map, const TyInstruction *pc)
{
    TyOp op = ty_op(*pc);
    uint32_t a = ty_op_a(*pc);
    switch (op) {
    case TY_OP_LOAD_METHOD: case TY_OP_LOAD_SUPER_METHOD: case TY_OP_LOAD_SPECIAL:
        return bits(map, a, a + 2);
    case TY_OP_PUSH_HANDLED:
        return bit(map, a + 1);
    case TY_OP_UNPACK:
        return bits(map, a, a + ty_op_c(*pc));
    case TY_OP_UNPACK_STAR:
        return bits(map, a, a + ty_ext_x(pc[1]) + ty_ext_y(pc[1]) + 1);
    default:
        return ty_op_writes_a(op) ? bit(map, a) : 0;
    }
}

static uint64_t read(const Map *map, const TyInstruction *pc)
{
    TyOp op = ty_op(*pc);
    uint32_t a = ty_op_a(*pc), b = ty_op_b(*pc), c = ty_op_c(*pc);
    const TyFormatInfo *format = ty_op_format(op);
    uint64_t set = 0;
    if (format->registers & TY_REGISTER_A && !ty_op_writes_a(op))
        set |= bit(map, a);
    if (format->registers & TY_REGISTER_B)
        set |= bit(map, b);
    if (format->registers & TY_REGISTER_C)
        set |= bit(map, c);
    switch (op) {
    case TY_OP_BUILD_TUPLE: case TY_OP_BUILD_LIST: case TY_OP_BUILD_SET: case TY_OP_BUILD_STRING: case TY_OP_BUILD_SLICE:
        return bits(map, b, b + c);
    case TY_OP_BUILD_MAP:
        return bits(map, b, b + 2 * c);
    case TY_OP_CALL: case TY_OP_CALL_KW:
        return bits(map, b, b + c + 1);
    case TY_OP_CALL_METHOD: case TY_OP_CALL_METHOD_KW:
        return bits(map, b, b + c + 2);
    case TY_OP_CALL_SPREAD: case TY_OP_LOAD_SUPER_ATTR: case TY_OP_LOAD_SUPER_METHOD: case TY_OP_BUILD_INTERPOLATION: case TY_OP_LOAD_SLICE:
        return bits(map, b, b + 3);
    case TY_OP_IMPORT_NAME: case TY_OP_WITH_EXCEPT:
        return set | bits(map, b, b + 2);
    case TY_OP_STORE_SLICE:
        return set | bits(map, a, a + 3);
    case TY_OP_POP_HANDLED:
        return bits(map, a, a + 2);
    case TY_OP_MATCH_CLASS:
        return set | bits(map, c, c + 2);
    default:
        return set;
    }
}

/* --- the passes --------------------------------------------------------------------------------------------------------------- */

/* The places after the one at `at`, the handler apart. */
static int successors(const Map *map, uint32_t at, uint32_t next[2])
{
    const TyInstruction *pc = &map->code->instructions[at];
    TyOp op = ty_op(*pc);
    const TyFormatInfo *format = ty_op_format(op);
    int count = 0;
    if (!ty_op_is_terminator(op) && at + format->words < map->code->instruction_count)
        next[count++] = at + format->words;
    if (format->jump)
        next[count++] = (uint32_t)((int64_t)at + (format->jump == 1 ? ty_op_imm(*pc) : ty_ext_jump(pc[1])));
    return count;
}

static uint32_t words_at(const Map *map, uint32_t at) { return ty_op_words[ty_op(map->code->instructions[at])]; }

static bool find_live_at(const Map *map, uint32_t at)
{
    Place *place = &map->places[at];
    uint32_t next[2];
    uint64_t after = 0;
    for (int i = successors(map, at, next); i-- > 0;)
        after |= map->places[next[i]].live;
    const TyInstruction *pc = &map->code->instructions[at];
    uint64_t live = (after & ~written(map, pc)) | read(map, pc);
    const TyHandler *handler = ty_code_handler(map->code, at);
    if (handler)
        live |= map->places[handler->target].live & ~bit(map, handler->target_register);
    bool changed = live != place->live;
    place->live = live;
    return changed;
}

static void find_live(const Map *map)
{
    uint32_t count = map->code->instruction_count, *starts = malloc(count * sizeof *starts), total = 0;
    if (!starts)
        return;
    for (uint32_t at = 0; at < count; at += words_at(map, at))
        starts[total++] = at;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = total; i-- > 0;)
            changed |= find_live_at(map, starts[i]);
    }
    free(starts);
}

static uint32_t *makers_at(const Map *map, uint32_t at) { return &map->makers[(size_t)at * map->temporaries]; }

/* The first way that reaches a place says what is in its temporaries: all ways agree. Those in `set` are made at `maker`. */
static bool reach(const Map *map, uint32_t from, uint32_t at, const Place *state, uint64_t set, uint32_t maker)
{
    Place *place = &map->places[at];
    if (place->reached)
        return false;
    uint64_t live = place->live;
    *place = *state;
    place->live = live;
    place->reached = true;
    memcpy(makers_at(map, at), makers_at(map, from), map->temporaries * sizeof *map->makers);
    for (; set; set &= set - 1)
        makers_at(map, at)[__builtin_ctzll(set)] = maker;
    return true;
}

static bool pass_on(const Map *map, uint32_t at)
{
    const TyInstruction *pc = &map->code->instructions[at];
    TyOp op = ty_op(*pc);
    Place state = map->places[at];
    const TyHandler *handler = ty_code_handler(map->code, at);
    bool changed = false;
    if (handler) {
        uint64_t taken = bit(map, handler->target_register), below = taken - 1;
        Place raised = { .iterators = state.iterators & below, .exceptions = (state.exceptions & below) | taken, .handling = state.handling };
        changed |= reach(map, at, handler->target, &raised, taken, handler->target);
    }
    uint64_t set = written(map, pc), a = bit(map, ty_op_a(*pc));
    state.iterators &= ~set;
    state.exceptions &= ~set;
    if (op == TY_OP_GET_ITER || op == TY_OP_GET_AITER)
        state.iterators |= a;
    else if (op == TY_OP_PUSH_HANDLED) {
        state.exceptions |= a | a << 1;
        state.handling = at;
    } else if (op == TY_OP_POP_HANDLED) {
        state.exceptions &= ~(a | a << 1);
        state.handling = map->places[state.handling].handling;
    }
    uint32_t next[2];
    for (int i = successors(map, at, next); i-- > 0;)
        changed |= reach(map, at, next[i], &state, set, at);
    return changed;
}

static void find_reached(const Map *map)
{
    map->places[0].reached = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t at = 0; at < map->code->instruction_count; at += words_at(map, at))
            if (map->places[at].reached)
                changed |= pass_on(map, at);
    }
}

/* --- where to ---------------------------------------------------------------------------------------------------------------- */

/* Whether what is handled there is handled here: the same, or more. */
static bool handles(const Map *map, uint32_t from, uint32_t to)
{
    uint32_t there = map->places[to].handling, here = map->places[from].handling;
    while (here != there && here)
        here = map->places[here].handling;
    return here == there;
}

/* Whether what the one instruction has made can be taken for what the other makes: loops' iterators, and the exits of `with`. */
static bool alike(const Map *map, uint32_t one, uint32_t other)
{
    TyInstruction v = map->code->instructions[one], w = map->code->instructions[other];
    return one == other || (ty_op(v) == ty_op(w) && (ty_op(v) == TY_OP_GET_ITER || ty_op(v) == TY_OP_GET_AITER || (ty_op(v) == TY_OP_LOAD_SPECIAL && ty_op_c(v) == ty_op_c(w))));
}

static bool has(const Map *map, uint32_t from, uint32_t to)
{
    uint64_t needed = map->places[to].live;
    if (needed & ~map->places[from].live)
        return false;
    for (; needed; needed &= needed - 1)
        if (!alike(map, makers_at(map, from)[__builtin_ctzll(needed)], makers_at(map, to)[__builtin_ctzll(needed)]))
            return false;
    return true;
}

/* Why one cannot go there; NULL: one can. */
static const char *obstacle(const Map *map, uint32_t from, uint32_t to)
{
    const Place *here = &map->places[from], *there = &map->places[to];
    if (!here->reached)
        return "can't jump from unreachable code";
    if (!there->reached)
        return "can't jump into an exception handler, or code may be unreachable";
    if (ty_code_live_registers(map->code, to) > map->variables + TEMPORARIES)
        return "stack to deep to analyze";
    if (has(map, from, to) && handles(map, from, to))
        return NULL;
    uint64_t top = there->live ? 1ull << (63 - __builtin_clzll(there->live)) : there->exceptions;
    if (top & there->exceptions)
        return "can't jump into an 'except' block as there's no exception";
    return top & there->iterators ? "can't jump into the body of a for loop" : "incompatible stacks";
}

/* The line to be jumped to: the first that has code from `line` on, or -1. */
static int line_from(const TyCodeMonitor *monitor, const TyCode *code, int64_t line)
{
    int best = -1;
    for (uint32_t i = 0; i < code->instruction_count; i++) {
        int at = ty_code_monitor_line(monitor, i);
        if (at >= line && (best < 0 || at < best))
            best = at;
    }
    return best;
}

/* The beginning of the line that keeps most of what is there; -1, and why. */
static int64_t best_place(const Map *map, const TyCodeMonitor *monitor, uint32_t from, int line, const char **why)
{
    int64_t best = -1;
    uint64_t kept = 0;
    int before = -1;
    *why = "cannot find bytecode for specified line";
    for (uint32_t at = 0; at < map->code->instruction_count; at += words_at(map, at)) {
        int here = ty_code_monitor_line(monitor, at);
        TyOp op = ty_op(map->code->instructions[at]);
        bool begins = here == line && before != line && op != TY_OP_BEGIN && op != TY_OP_MAKE_GENERATOR && op != TY_OP_MAKE_CELL
            && op != TY_OP_FOR_ITER && op != TY_OP_GET_ANEXT; /* a loop begins anew, as where these follow GET_ITER */
        before = here;
        if (!begins)
            continue;
        const char *against = obstacle(map, from, at);
        if (!against && (best < 0 || map->places[at].live > kept)) {
            best = at;
            kept = map->places[at].live;
        } else if (against && best < 0)
            *why = against;
    }
    return best;
}

/* --- the jump ----------------------------------------------------------------------------------------------------------------- */

/* Variables that are not bound would be read without a check where the compiler knew that they are. */
static bool bind_unbound(TyFrame *frame)
{
    uint32_t count = 0, variables = frame->code->local_count;
    for (uint32_t i = 0; i < variables; i++)
        count += frame->registers[i] == TY_NULL;
    if (count && !ty_warn(&ty_RuntimeWarning, 0, "assigning None to %u unbound local%s", count, count == 1 ? "" : "s"))
        return false;
    for (uint32_t i = 0; i < variables; i++)
        if (frame->registers[i] == TY_NULL)
            frame->registers[i] = TY_NONE;
    return true;
}

/* As POP_HANDLED, for all that are handled here and not there: what was before the outermost of them. */
static void leave_handlers(TyFrame *frame, const Map *map, uint32_t from, uint32_t to)
{
    uint32_t left = 0;
    for (uint32_t handling = map->places[from].handling; handling != map->places[to].handling; handling = map->places[handling].handling)
        left = handling;
    if (!left)
        return;
    Value before = frame->registers[ty_op_a(map->code->instructions[left]) + 1];
    if (frame->generator) {
        ty_store(frame->generator, &frame->generator->own_handled, before);
        ty_thread->handled = before != TY_NULL ? before : frame->generator->caller_handled;
    } else
        ty_thread->handled = before;
}

static bool may_jump(TyFrameObject *object)
{
    TyThread *thread = ty_thread;
    const char *why = NULL;
    bool told = object->frame && thread->tracing && thread->told_frame == object->frame;
    if (told && thread->told == TY_TOLD_CALL)
        why = "can't jump from the 'call' trace event of a new frame";
    else if (told && thread->told != TY_TOLD_LINE)
        why = "can only jump from a 'line' trace event";
    else if (!told && (!object->frame || object->trace == TY_NULL))
        why = "f_lineno can only be set by a trace function";
    else if (!told)
        why = thread->tracing ? "can't jump during a call" : "f_lineno can only be set in a trace function";
    return !why || (ty_raise(&ty_ValueError, "%s", why), false);
}

static bool jump(TyFrame *frame, const Map *map, const TyCodeMonitor *monitor, int line)
{
    find_live(map);
    find_reached(map);
    const char *why;
    uint32_t from = ty_frame_instruction(frame);
    int64_t to = best_place(map, monitor, from, line, &why);
    if (to < 0)
        return ty_raise(&ty_ValueError, "%s", why), false;
    if (!bind_unbound(frame))
        return false;
    leave_handlers(frame, map, from, (uint32_t)to);
    frame->pc = map->code->instructions + (to == 0 ? 1 : to); /* the first word is not for running */
    frame->traced_line = (int32_t)line;
    frame->traced_instruction = -1;
    return true;
}

bool ty_frame_set_line(TyFrameObject *object, Value value)
{
    int64_t wanted;
    if (value == TY_NULL)
        return ty_raise(&ty_AttributeError, "cannot delete attribute"), false;
    if (!ty_is_int(value))
        return ty_raise(&ty_ValueError, "lineno must be an integer"), false;
    if (!may_jump(object))
        return false;
    if (!ty_to_int64(value, &wanted))
        return false;
    TyCode *code = object->code;
    if (wanted < code->first_line)
        return ty_raise(&ty_ValueError, "line %lld comes before the current code block", (long long)wanted), false;
    TyCodeMonitor *monitor = ty_code_monitor(object->frame->caches, code);
    if (!monitor)
        return false;
    int line = line_from(monitor, code, wanted);
    if (line < 0)
        return ty_raise(&ty_ValueError, "line %lld comes after the current code block", (long long)wanted), false;
    uint32_t variables = code->local_count + code->cell_count + code->free_count, temporaries = TY_MIN(code->register_count - variables, (uint32_t)TEMPORARIES);
    Map map = { .code = code, .variables = variables, .temporaries = temporaries, .places = calloc(code->instruction_count, sizeof *map.places),
                .makers = calloc((size_t)code->instruction_count * temporaries + 1, sizeof *map.makers) };
    bool jumped = map.places && map.makers ? jump(object->frame, &map, monitor, line) : (ty_raise_memory_error(), false);
    free(map.places);
    free(map.makers);
    return jumped;
}
