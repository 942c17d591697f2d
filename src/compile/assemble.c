#include "compile/compiler.h"

#include <stdlib.h>

#include "object/bytes.h"
#include "object/code_tables.h"
#include "object/instruction_table.h"
#include "object/tuple.h"

/* From a unit's items to a code object: jumps are threaded, dead code and needless checks go, then instructions, handlers, positions
 * and depths are encoded. */

/* --- flow ------------------------------------------------------------------------------------------------------------- */

static int target_of(const TyUnit *u, const TyItem *item) { return u->labels[item->label]; }

static bool is_conditional(const TyItem *item) { return item->label >= 0 && item->op != TY_OP_JUMP; }

/* The first item at or after i that is alive and does something or has a line to tell. */
static int next_alive(const TyUnit *u, int i)
{
    while (i < u->item_count && u->items[i].dead)
        i++;
    return i;
}

/* A jump with a line of its own is an event of its own. */
static bool may_pass_through(const TyItem *jump, const TyItem *from)
{
    return jump->place.line < 0 || jump->place.line == from->place.line;
}

static void thread_jumps(TyCompiler *c, TyUnit *u)
{
    for (int i = 0; i < u->item_count; i++) {
        TyItem *item = &u->items[i];
        if (item->label < 0 || item->op == TY_OP_FOR_ITER)
            continue;
        for (int hops = 0; hops < 16; hops++) {
            int t = target_of(u, item);
            if (t >= u->item_count || t == i)
                break;
            const TyItem *next = &u->items[t];
            if (next->op == TY_OP_JUMP && may_pass_through(next, item) && target_of(u, next) != t) {
                if (is_conditional(item) && target_of(u, next) <= i)
                    break; /* only JUMP_BACK goes backward: it is a safepoint */
                item->label = next->label;
            } else if (item->op == TY_OP_JUMP && next->op == TY_OP_NOP && t < i && item->place.line < 0 && t + 1 < u->item_count) {
                /* Back to the `while True:` line: the jump tells it. */
                int32_t label = ty_new_label(c);
                if (c->failed)
                    return;
                u->labels[label] = t + 1;
                item->label = label;
                item->place = next->place;
                break;
            } else if (t > i && (item->op == TY_OP_JUMP_IF_TRUE || item->op == TY_OP_JUMP_IF_FALSE) && next->op == item->op && next->a == item->a && target_of(u, next) > i) {
                item->label = next->label;
            } else if (t > i && next->a == item->a && ((item->op == TY_OP_JUMP_IF_TRUE && next->op == TY_OP_JUMP_IF_FALSE) || (item->op == TY_OP_JUMP_IF_FALSE && next->op == TY_OP_JUMP_IF_TRUE))) {
                /* What it asks is known: its truth is not asked for twice. */
                int32_t label = ty_new_label(c);
                if (c->failed)
                    return;
                u->labels[label] = t + 1;
                item->label = label;
            } else {
                break;
            }
        }
    }
}

/* The implicit `return None` at the end has no line: each way to it gets one of its own, with the line that it comes from. */
static void copy_exits(TyCompiler *c, TyUnit *u)
{
    int count = u->item_count;
    for (int i = 0; i < count && !c->failed; i++) {
        TyItem *item = &u->items[i];
        if (item->label < 0)
            continue;
        int t = target_of(u, item);
        if (t >= count || u->items[t].op != TY_OP_RETURN_NONE || u->items[t].place.line >= 0)
            continue;
        if (item->op == TY_OP_JUMP) {
            item->op = TY_OP_RETURN_NONE;
            item->label = -1;
            item->a = 0;
        } else if (item->place.line >= 0 && item->op != TY_OP_FOR_ITER) {
            TyItem exit = u->items[t];
            exit.place = item->place;
            int32_t label = ty_new_label(c);
            ty_place_label(c, label);
            TY_APPEND(c, u->items, u->item_count, u->item_capacity, exit);
            if (!c->failed)
                u->items[i].label = label;
        }
    }
}

static void mark_reachable(TyCompiler *c, TyUnit *u)
{
    int *pending = ty_arena_allocate(&c->arena, (size_t)(u->item_count + 1) * sizeof *pending);
    bool *handler_seen = ty_arena_allocate_zeroed(&c->arena, (size_t)u->handler_count + 1);
    if (!pending || !handler_seen) {
        ty_compiler_fail_memory(c);
        return;
    }
    for (int i = 0; i < u->item_count; i++)
        u->items[i].dead = true;
    int count = 0;
#define REACH(n)                                                  \
    do {                                                          \
        int n_ = (n);                                             \
        if (n_ < u->item_count && u->items[n_].dead) {            \
            u->items[n_].dead = false;                            \
            pending[count++] = n_;                                \
        }                                                         \
    } while (0)
    REACH(0);
    while (count) {
        int i = pending[--count];
        const TyItem *item = &u->items[i];
        if (item->label >= 0)
            REACH(target_of(u, item));
        if (item->handler >= 0 && !handler_seen[item->handler]) {
            handler_seen[item->handler] = true;
            REACH(u->labels[u->handlers[item->handler].label]);
        }
        if (!ty_op_is_terminator((TyOp)item->op))
            REACH(i + 1);
    }
#undef REACH
}

static void drop_needless_items(TyCompiler *c, TyUnit *u)
{
    uint8_t *is_target = ty_arena_allocate_zeroed(&c->arena, (size_t)u->item_count + 1);
    if (!is_target) {
        ty_compiler_fail_memory(c);
        return;
    }
    for (int i = 0; i < u->item_count; i++)
        if (!u->items[i].dead && u->items[i].label >= 0)
            is_target[target_of(u, &u->items[i])] = 1;
    int previous = -1;
    bool target_between = true;
    for (int i = 0; i < u->item_count; i++) {
        TyItem *item = &u->items[i];
        target_between |= is_target[i];
        if (item->dead)
            continue;
        int next = next_alive(u, i + 1);
        if (item->op == TY_OP_JUMP && next_alive(u, target_of(u, item)) == next && next < u->item_count) {
            /* A jump to what follows anyway: only its line may be of interest. */
            if (item->place.line < 0 || (previous >= 0 && !target_between && u->items[previous].place.line == item->place.line) || u->items[next].place.line == item->place.line) {
                item->dead = true;
                target_between = target_between || is_target[i];
                continue;
            }
            item->op = TY_OP_NOP;
            item->label = -1;
        }
        if (item->op == TY_OP_NOP && next < u->item_count) {
            bool told_before = previous >= 0 && !target_between && u->items[previous].place.line == item->place.line && !ty_op_is_terminator((TyOp)u->items[previous].op);
            if (item->place.line < 0 || told_before || u->items[next].place.line == item->place.line) {
                item->dead = true;
                continue;
            }
        }
        previous = i;
        target_between = false;
    }
    /* Items without a place are at that of what runs right before them. */
    previous = -1;
    bool reached_by_jump = true;
    for (int i = 0; i < u->item_count; i++) {
        TyItem *item = &u->items[i];
        reached_by_jump |= is_target[i];
        if (item->dead)
            continue;
        if (item->place.line < 0 && previous >= 0 && !reached_by_jump && !ty_op_is_terminator((TyOp)u->items[previous].op))
            item->place = u->items[previous].place;
        if (item->place.line < 0 && item->op == TY_OP_RETURN_NONE && (previous <= 0 || u->items[previous].place.line >= 0))
            item->place = (TyPlace){previous > 0 ? u->items[previous].place.line : u->first_line, -1, -1, -1};
        if (item->place.line >= 0 && item->place.end_line < 0)
            item->place.end_line = item->place.line;
        previous = i;
        reached_by_jump = false;
    }
}

/* --- definite assignment ------------------------------------------------------------------------------------------------- */

typedef struct Flow {
    TyUnit *u;
    uint64_t *in;        /* for each block, a bit for each local that is bound for sure */
    uint64_t *state;
    int *block_start;    /* items; one more than there are blocks */
    int *block_of;
    int block_count, words;
    bool changed;
} Flow;

static void meet(Flow *f, int item)
{
    item = next_alive(f->u, item);
    if (item >= f->u->item_count)
        return;
    uint64_t *in = f->in + (size_t)f->block_of[item] * (size_t)f->words;
    for (int w = 0; w < f->words; w++)
        if (in[w] & ~f->state[w]) {
            in[w] &= f->state[w];
            f->changed = true;
        }
}

static void bind(Flow *f, TyRegister r, bool bound)
{
    if (!ty_is_local_register(r) || r >= (uint32_t)f->u->local_count)
        return;
    if (bound)
        f->state[r / 64] |= 1ull << (r % 64);
    else
        f->state[r / 64] &= ~(1ull << (r % 64));
}

static bool is_bound(const Flow *f, TyRegister r) { return f->state[r / 64] >> (r % 64) & 1; }

static void apply(Flow *f, const TyItem *item)
{
    switch (item->op) {
    case TY_OP_LOAD_NULL:
        bind(f, item->a, false);
        break;
    case TY_OP_CHECK_BOUND:
        bind(f, item->a, true);
        break;
    case TY_OP_UNPACK:
        for (uint32_t i = 0; i < item->c; i++)
            bind(f, item->a + i, true);
        break;
    default:
        if (ty_op_writes_a((TyOp)item->op))
            bind(f, item->a, true);
        break;
    }
}

static void flow_through(Flow *f, int block, bool remove_checks)
{
    TyUnit *u = f->u;
    memcpy(f->state, f->in + (size_t)block * (size_t)f->words, (size_t)f->words * sizeof *f->state);
    int last_handler = -1;
    const TyItem *last = NULL;
    for (int i = f->block_start[block]; i < f->block_start[block + 1]; i++) {
        TyItem *item = &u->items[i];
        if (item->dead)
            continue;
        last = item;
        if (remove_checks && item->op == TY_OP_CHECK_BOUND && is_bound(f, item->a)) {
            item->dead = true;
            continue;
        }
        /* Within a block bits are only lost by unbinding: what a handler sees is the state at its first item, and after those. */
        if (!remove_checks && item->handler >= 0 && item->handler != last_handler)
            meet(f, u->labels[u->handlers[item->handler].label]);
        last_handler = item->op == TY_OP_LOAD_NULL ? -1 : item->handler;
        if (item->op == TY_OP_FOR_ITER && !remove_checks)
            meet(f, i + 1); /* at the end nothing has been written */
        if (item->op == TY_OP_FOR_ITER)
            apply(f, item);
        if (item->label >= 0 && !remove_checks)
            meet(f, target_of(u, item));
        if (item->op != TY_OP_FOR_ITER)
            apply(f, item);
    }
    if (!remove_checks && last && last->op != TY_OP_FOR_ITER && !ty_op_is_terminator((TyOp)last->op))
        meet(f, f->block_start[block + 1]);
}

static void remove_bound_checks(TyCompiler *c, TyUnit *u)
{
    bool any = false;
    for (int i = 0; i < u->item_count && !any; i++)
        any = !u->items[i].dead && u->items[i].op == TY_OP_CHECK_BOUND;
    if (!any || !u->local_count)
        return;
    Flow f = {.u = u, .words = (u->local_count + 63) / 64};
    uint8_t *leader = ty_arena_allocate_zeroed(&c->arena, (size_t)u->item_count + 1);
    f.block_of = ty_arena_allocate(&c->arena, (size_t)(u->item_count + 1) * sizeof *f.block_of);
    f.block_start = ty_arena_allocate(&c->arena, (size_t)(u->item_count + 2) * sizeof *f.block_start);
    f.state = ty_arena_allocate(&c->arena, (size_t)f.words * sizeof *f.state);
    if (!leader || !f.block_of || !f.block_start || !f.state) {
        ty_compiler_fail_memory(c);
        return;
    }
    leader[0] = 1;
    for (int i = 0; i < u->item_count; i++) {
        const TyItem *item = &u->items[i];
        if (item->dead)
            continue;
        if (item->label >= 0)
            leader[TY_MIN(next_alive(u, target_of(u, item)), u->item_count)] = leader[i + 1] = 1;
        if (ty_op_is_terminator((TyOp)item->op))
            leader[i + 1] = 1;
    }
    for (int h = 0; h < u->handler_count; h++)
        leader[TY_MIN(next_alive(u, u->labels[u->handlers[h].label]), u->item_count)] = 1;
    for (int i = 0; i < u->item_count; i++) {
        if (leader[i])
            f.block_start[f.block_count++] = i;
        f.block_of[i] = f.block_count - 1;
    }
    f.block_start[f.block_count] = u->item_count;
    f.in = ty_arena_allocate(&c->arena, (size_t)f.block_count * (size_t)f.words * sizeof *f.in);
    if (!f.in) {
        ty_compiler_fail_memory(c);
        return;
    }
    memset(f.in, 0xFF, (size_t)f.block_count * (size_t)f.words * sizeof *f.in);
    for (int w = 0; w < f.words; w++)
        f.in[w] = 0;
    for (int i = 0; i < u->scope->parameter_count; i++)
        f.in[i / 64] |= 1ull << (i % 64);
    do {
        f.changed = false;
        for (int b = 0; b < f.block_count; b++)
            flow_through(&f, b, false);
    } while (f.changed);
    for (int b = 0; b < f.block_count; b++)
        flow_through(&f, b, true);
}

/* --- encoding ---------------------------------------------------------------------------------------------------------------- */

typedef struct Layout {
    uint32_t cells, frees, temporaries; /* first registers */
    uint32_t cache_count;
    uint32_t *offset;                   /* of each item, in words; one more than there are items */
} Layout;

static uint32_t encode_register(const Layout *l, uint32_t r)
{
    uint32_t number = r & ~TY_KIND_MASK;
    switch (r & TY_KIND_MASK) {
    case TY_KIND_LOCAL: return number;
    case TY_KIND_CELL: return l->cells + number;
    case TY_KIND_FREE: return l->frees + number;
    default: return l->temporaries + number;
    }
}

static void encode_item(TyUnit *u, Layout *l, int index, TyInstruction *out)
{
    const TyItem *item = &u->items[index];
    const TyFormatInfo *format = ty_op_format((TyOp)item->op);
    TyOp op = (TyOp)item->op;
    int64_t jump = item->label < 0 ? 0 : (int64_t)l->offset[target_of(u, item)] - l->offset[index];
    if (op == TY_OP_JUMP && jump <= 0)
        op = TY_OP_JUMP_BACK;
    uint64_t a = format->registers & TY_REGISTER_A ? encode_register(l, item->a) : item->a;
    uint64_t b = format->registers & TY_REGISTER_B ? encode_register(l, item->b) : item->b;
    uint64_t c = format->registers & TY_REGISTER_C ? encode_register(l, item->c) : item->c;
    if (op == TY_OP_UNPACK_STAR)
        c = 0;
    TyFormatInfo f = *format;
    switch ((TyInstructionFormat)ty_op_formats[op]) {
    case TY_FORMAT_A_IMM:
    case TY_FORMAT_IMM:
        out[0] = (uint64_t)op | (a & 0xFFFF) << 16 | (uint64_t)(uint32_t)(int32_t)item->x << 32;
        return;
    case TY_FORMAT_JUMP:
    case TY_FORMAT_A_JUMP:
        out[0] = (uint64_t)op | (a & 0xFFFF) << 16 | (uint64_t)(uint32_t)(int32_t)jump << 32;
        return;
    default:
        break;
    }
    out[0] = (uint64_t)op | (a & 0xFFFF) << 16 | (b & 0xFFFF) << 32 | (c & 0xFFFF) << 48;
    if (f.words == 1)
        return;
    uint32_t x = f.jump ? (uint32_t)(int32_t)jump : (uint32_t)item->x, y = 0;
    if (f.name)
        y = l->cache_count++;
    else if (op == TY_OP_UNPACK_STAR)
        y = item->c;
    out[1] = x | (uint64_t)y << 32;
}

static Value encode_handlers(TyCompiler *c, TyUnit *u, const Layout *l)
{
    TyHandler *handlers = ty_arena_allocate(&c->arena, (size_t)(u->item_count + 1) * sizeof *handlers);
    if (!handlers) {
        ty_compiler_fail_memory(c);
        return TY_NULL;
    }
    int count = 0;
    int32_t current = -1;
    for (int i = 0; i < u->item_count; i++) {
        const TyItem *item = &u->items[i];
        if (item->dead)
            continue;
        if (item->handler >= 0 && item->handler == current) {
            handlers[count - 1].end = l->offset[i + 1];
        } else if (item->handler >= 0) {
            const TyHandlerPlan *plan = &u->handlers[item->handler];
            handlers[count++] = (TyHandler){l->offset[i], l->offset[i + 1], l->offset[u->labels[plan->label]], encode_register(l, plan->target)};
        }
        current = item->handler;
    }
    return ty_bytes_new(count ? (const void *)handlers : "", (size_t)count * sizeof *handlers);
}

static void encode_tables(TyCompiler *c, TyUnit *u, Layout *l, TyCodeParts *parts)
{
    uint32_t words = l->offset[u->item_count];
    TyInstruction *code = ty_arena_allocate(&c->arena, (words + 1) * sizeof *code);
    TyPosition *positions = ty_arena_allocate(&c->arena, (words + 1) * sizeof *positions);
    uint32_t *depths = ty_arena_allocate(&c->arena, (words + 1) * sizeof *depths);
    if (!code || !positions || !depths) {
        ty_compiler_fail_memory(c);
        return;
    }
    bool lines_only = ty_config_no_debug_ranges();
    for (int i = 0; i < u->item_count; i++) {
        const TyItem *item = &u->items[i];
        if (item->dead)
            continue;
        encode_item(u, l, i, code + l->offset[i]);
        for (uint32_t w = l->offset[i]; w < l->offset[i + 1]; w++) {
            positions[w] = (TyPosition){item->place.line, item->place.end_line, item->place.column, item->place.end_column};
            if (lines_only)
                positions[w] = (TyPosition){item->place.line, item->place.line, -1, -1};
            depths[w] = l->temporaries + item->depth;
        }
    }
    parts->bytecode = ty_keep(c, ty_bytes_new(code, words * sizeof *code));
    parts->positions = ty_keep(c, c->failed ? TY_NULL : ty_positions_encode(positions, words, u->first_line));
    parts->depths = ty_keep(c, c->failed ? TY_NULL : ty_depths_encode(depths, words));
    parts->handler_bytes = ty_keep(c, c->failed ? TY_NULL : encode_handlers(c, u, l));
    parts->cache_count = l->cache_count;
}

static void encode_variables(TyCompiler *c, TyUnit *u, TyCodeParts *parts)
{
    int count = u->local_count + u->cell_count + u->free_count;
    Value names = ty_tuple_new(count);
    Value kinds = names == TY_NULL ? TY_NULL : ty_bytes_new(NULL, (size_t)count);
    if (kinds == TY_NULL) {
        c->failed = true;
        return;
    }
    uint8_t *kind = ty_as_bytes(kinds)->data;
    for (int i = 0; i < u->local_count; i++) {
        ty_tuple_set(names, i, u->locals[i].name);
        kind[i] = u->locals[i].kind;
    }
    for (int i = 0; i < u->cell_count; i++) {
        ty_tuple_set(names, u->local_count + i, u->cells[i]);
        kind[u->local_count + i] = TY_REGISTER_CELL;
    }
    for (int i = 0; i < u->free_count; i++) {
        ty_tuple_set(names, u->local_count + u->cell_count + i, u->frees[i]);
        kind[u->local_count + u->cell_count + i] = TY_REGISTER_FREE;
    }
    parts->register_names = ty_keep(c, names);
    parts->register_kinds = ty_keep(c, kinds);
}

static Value name_tuple(TyCompiler *c, const TyUnit *u)
{
    Value names = ty_tuple_new(u->name_count);
    for (int i = 0; i < u->names.count && names != TY_NULL; i++)
        ty_tuple_set(names, u->names.entries[i].number, u->names.entries[i].name);
    return ty_keep(c, names);
}

static uint32_t code_flags(const TyCompiler *c, const TyUnit *u)
{
    const TyScope *scope = u->scope;
    uint32_t flags = c->flags & TY_FUTURE_ALL;
    if (ty_scope_is_function_like(scope)) {
        flags |= TY_CODE_NEWLOCALS | TY_CODE_OPTIMIZED;
        if (scope->nested)
            flags |= TY_CODE_NESTED;
        if (scope->method)
            flags |= TY_CODE_METHOD;
        if (scope->star)
            flags |= TY_CODE_VARARGS;
        if (scope->star_star)
            flags |= TY_CODE_VARKEYWORDS;
        if (scope->generator && !scope->coroutine)
            flags |= TY_CODE_GENERATOR;
        if (scope->generator && scope->coroutine)
            flags |= TY_CODE_ASYNC_GENERATOR;
    }
    if (scope->coroutine && !scope->generator)
        flags |= TY_CODE_COROUTINE;
    if (u->has_docstring)
        flags |= TY_CODE_HAS_DOCSTRING;
    return flags;
}

static void improve(TyCompiler *c, TyUnit *u)
{
    thread_jumps(c, u);
    copy_exits(c, u);
    if (!c->failed)
        mark_reachable(c, u);
    if (!c->failed)
        remove_bound_checks(c, u);
    if (!c->failed)
        drop_needless_items(c, u);
}

Value ty_leave_unit(TyCompiler *c)
{
    TyUnit *u = c->unit;
    if (c->failed)
        return TY_NULL;
    for (int i = 0; i < u->label_count; i++)
        if (u->labels[i] == u->item_count) { /* a label behind the last instruction: nothing jumps there alive */
            ty_emit(c, TY_NO_PLACE, TY_OP_RETURN_NONE, 0, 0, 0);
            break;
        }
    improve(c, u);
    Layout layout = {.cells = (uint32_t)u->local_count};
    layout.frees = layout.cells + (uint32_t)u->cell_count;
    layout.temporaries = layout.frees + (uint32_t)u->free_count;
    uint64_t registers = (uint64_t)layout.temporaries + u->max_top;
    if (!c->failed && registers > TY_REGISTER_LIMIT) {
        ty_raise(&ty_MemoryError, "the code needs too many registers");
        c->failed = true;
    }
    if (!c->failed)
        layout.offset = ty_arena_allocate(&c->arena, (size_t)(u->item_count + 1) * sizeof *layout.offset);
    if (!layout.offset) {
        ty_compiler_fail_memory(c);
        return TY_NULL;
    }
    uint32_t words = 0;
    for (int i = 0; i < u->item_count; i++) {
        layout.offset[i] = words;
        if (!u->items[i].dead)
            words += ty_op_format((TyOp)u->items[i].op)->words;
    }
    layout.offset[u->item_count] = words;
    TyCodeParts parts = {
        .flags = code_flags(c, u), .positional_count = u->positional_count, .positional_only_count = u->positional_only_count,
        .keyword_only_count = u->keyword_only_count, .local_count = (uint32_t)u->local_count, .cell_count = (uint32_t)u->cell_count,
        .free_count = (uint32_t)u->free_count, .register_count = (uint32_t)registers, .first_line = (uint32_t)u->first_line,
        .filename = c->filename, .name = u->name, .qualname = u->qualname,
    };
    encode_tables(c, u, &layout, &parts);
    if (!c->failed)
        encode_variables(c, u, &parts);
    if (c->failed)
        return TY_NULL;
    parts.names = name_tuple(c, u);
    parts.consts = ty_keep(c, ty_tuple_from_array(u->consts, (size_t)u->const_count));
    Value code = c->failed ? TY_NULL : ty_code_new(&parts);
    c->unit = u->outer;
    return ty_keep(c, code);
}
