#include "compile/compiler.h"

#include "object/int.h"
#include "object/tuple.h"

/* Statements. What protects or repeats a block is kept on the unit's stack of blocks, so that return, break and continue can
 * leave it properly: the bodies of finally are compiled anew wherever they are left through. */

enum { MAX_BLOCKS = 20 };

/* --- blocks -------------------------------------------------------------------------------------------------------------- */

static TyBlock *push_block(TyCompiler *c, TyPlace place, TyBlock block)
{
    TyUnit *u = c->unit;
    int real = 0;
    for (int i = 0; i < u->block_count; i++)
        real += u->blocks[i].kind != TY_BLOCK_FINALLY_BODY;
    if (real >= MAX_BLOCKS && block.kind != TY_BLOCK_FINALLY_BODY)
        TY_COMPILE_ERROR(c, place, "too many statically nested blocks");
    TY_APPEND(c, u->blocks, u->block_count, u->block_capacity, block);
    return c->failed ? NULL : &u->blocks[u->block_count - 1];
}

static void pop_block(TyCompiler *c)
{
    if (!c->failed)
        c->unit->block_count--;
}

/* Calls a with's exit function with three Nones. The result is dropped. */
static void call_exit(TyCompiler *c, TyPlace place, TyRegister exit, bool is_async)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyRegister window = ty_slot(u);
    for (uint32_t i = 0; i < 2; i++) {
        ty_emit(c, place, TY_OP_MOVE, ty_slot(u), exit + i, 0);
        ty_push(c);
    }
    for (int i = 0; i < 3; i++) {
        ty_load_const(c, place, ty_slot(u), TY_NONE);
        ty_push(c);
    }
    ty_emit(c, place, TY_OP_CALL_METHOD, window, window, 3);
    u->top = mark;
    if (is_async) {
        ty_push(c);
        ty_await(c, place, window, window, 2);
    }
    u->top = mark;
}

static void unbind_handler_name(TyCompiler *c, Value name)
{
    if (name == TY_NULL)
        return;
    TyUnit *u = c->unit;
    TyRegister none = ty_slot(u);
    ty_load_const(c, TY_NO_PLACE, none, TY_NONE);
    ty_push(c);
    ty_store_variable(c, TY_NO_PLACE, name, none);
    u->top--;
    ty_delete_variable(c, TY_NO_PLACE, name);
}

static bool leaving_needs_code(const TyBlock *block)
{
    return block->kind != TY_BLOCK_LOOP && block->kind != TY_BLOCK_TRY && block->kind != TY_BLOCK_FINALLY_BODY;
}

/* The code that leaves the innermost block, which is off the stack already. What comes after the code of a `finally` or an __exit__() has no place:
 * it shall not look as if the statement that leaves ran again. */
static void leave_block(TyCompiler *c, const TyBlock *block, TyPlace *way)
{
    TyUnit *u = c->unit;
    TyPlace place = *way;
    switch (block->kind) {
    case TY_BLOCK_LOOP:
    case TY_BLOCK_FINALLY_BODY:
        break;
    case TY_BLOCK_TRY:
        u->handler = block->outer_handler;
        break;
    case TY_BLOCK_FINALLY_TRY: {
        u->handler = block->outer_handler;
        c->silent++;
        const TyNodeList *body = block->node->kind == TY_AST_Try ? &TY_AST(Try, block->node)->finalbody : &TY_AST(TryStar, block->node)->finalbody;
        push_block(c, place, (TyBlock){.kind = TY_BLOCK_FINALLY_BODY});
        ty_statements(c, body);
        pop_block(c);
        c->silent--;
        *way = TY_NO_PLACE;
        break;
    }
    case TY_BLOCK_FINALLY_HANDLER:
    case TY_BLOCK_GROUP_HANDLER:
        ty_emit(c, place, TY_OP_POP_HANDLED, block->base, 0, 0);
        u->handler = block->outer_handler;
        break;
    case TY_BLOCK_HANDLER:
        ty_emit(c, place, TY_OP_POP_HANDLED, block->base, 0, 0);
        u->handler = block->outer_handler;
        unbind_handler_name(c, TY_AST(ExceptHandler, block->node)->name);
        break;
    case TY_BLOCK_WITH:
    case TY_BLOCK_ASYNC_WITH:
        u->handler = block->outer_handler;
        call_exit(c, ty_place(block->node), block->base, block->kind == TY_BLOCK_ASYNC_WITH);
        *way = TY_NO_PLACE;
        break;
    }
}

/* Leaves all blocks above `keep`. The caller emits the jump or return and restores what leave_blocks changed by end_leaving. */
typedef struct Leaving {
    TyBlock *blocks;
    int block_count, block_capacity;
    int32_t handler;
} Leaving;

static Leaving leave_blocks(TyCompiler *c, int keep, TyPlace *place)
{
    TyUnit *u = c->unit;
    Leaving saved = {u->blocks, u->block_count, u->block_capacity, u->handler};
    /* The bodies that are compiled on the way out push blocks of their own: they work on a copy of the stack. */
    TyBlock *copy = ty_arena_allocate(&c->arena, (size_t)(u->block_count + 1) * sizeof *copy);
    if (!copy) {
        ty_compiler_fail_memory(c);
        return saved;
    }
    if (u->block_count)
        memcpy(copy, u->blocks, (size_t)u->block_count * sizeof *copy);
    u->blocks = copy;
    u->block_capacity = u->block_count;
    while (u->block_count > keep && !c->failed) {
        TyBlock block = u->blocks[--u->block_count];
        leave_block(c, &block, place);
    }
    return saved;
}

static void end_leaving(TyCompiler *c, Leaving saved)
{
    TyUnit *u = c->unit;
    u->blocks = saved.blocks;
    u->block_count = saved.block_count;
    u->block_capacity = saved.block_capacity;
    u->handler = saved.handler;
}

/* The registers of comprehensions that an exception may have left bound. */
static void clear_hidden_since(TyCompiler *c, int mark)
{
    TyUnit *u = c->unit;
    for (int i = mark; i < u->hidden_count && !c->failed; i++) {
        bool seen = u->locals[u->hidden_log[i]].busy;
        for (int j = mark; j < i && !seen; j++)
            seen = u->hidden_log[j] == u->hidden_log[i];
        if (!seen)
            ty_emit(c, TY_NO_PLACE, TY_OP_LOAD_NULL, u->hidden_log[i], 0, 0);
    }
}

/* --- loops ------------------------------------------------------------------------------------------------------------------ */

static void loop_body(TyCompiler *c, TyNode *node, const TyNodeList *body, int32_t again, int32_t end)
{
    push_block(c, ty_place(node), (TyBlock){.kind = TY_BLOCK_LOOP, .continue_label = again, .break_label = end, .outer_handler = c->unit->handler, .node = node});
    c->unit->conditional_depth++;
    ty_statements(c, body);
    c->unit->conditional_depth--;
    pop_block(c);
}

static void rest_of_loop(TyCompiler *c, const TyNodeList *orelse)
{
    c->unit->conditional_depth++;
    ty_statements(c, orelse);
    c->unit->conditional_depth--;
}

static void while_loop(TyCompiler *c, TyAstWhile *s)
{
    int32_t body = ty_new_label(c), again = ty_new_label(c), otherwise = ty_new_label(c), end = ty_new_label(c);
    Value constant;
    if (ty_fold(c, s->test, &constant)) {
        ty_place_label(c, again);
        ty_jump_if(c, s->test, false, otherwise);
        loop_body(c, &s->node, &s->body, again, end);
        ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, again);
    } else { /* the test stands at the end, so that going on takes one jump */
        ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, again);
        ty_place_label(c, body);
        loop_body(c, &s->node, &s->body, again, end);
        ty_place_label(c, again);
        ty_jump_if(c, s->test, true, body);
    }
    ty_place_label(c, otherwise);
    rest_of_loop(c, &s->orelse);
    ty_place_label(c, end);
}

static TyRegister push_for_iterator(TyCompiler *c, TyNode *e)
{
    /* A display that is only walked over is made as a tuple. */
    TyNode *source = e;
    TyAstTuple tuple;
    if (e->kind == TY_AST_List) {
        tuple = (TyAstTuple){.node = *e, .elts = TY_AST(List, e)->elts, .ctx = TY_AST_Load};
        tuple.node.kind = TY_AST_Tuple;
        tuple.node.flags = 0;
        source = &tuple.node;
    }
    uint32_t mark = c->unit->top;
    TyRegister iterator = ty_slot(c->unit);
    TyRegister r = ty_last_operand(c, source);
    ty_emit(c, ty_place(e), TY_OP_GET_ITER, iterator, r, 0);
    c->unit->top = mark;
    return ty_push(c);
}

static void for_loop(TyCompiler *c, TyAstFor *s)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    int32_t body = ty_new_label(c), again = ty_new_label(c), end = ty_new_label(c);
    TyRegister iterator = push_for_iterator(c, s->iter);
    TyRegister direct = ty_target_register(c, s->target), item = ty_slot(u);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, again);
    ty_place_label(c, body);
    if (direct == TY_NO_REGISTER) {
        ty_push(c);
        ty_store_target(c, s->target, item);
        u->top = mark + 1;
    }
    loop_body(c, &s->node, &s->body, again, end);
    ty_place_label(c, again);
    ty_emit_jump(c, ty_place(s->iter), TY_OP_FOR_ITER, direct != TY_NO_REGISTER ? direct : item, iterator, 0, body);
    u->top = mark;
    rest_of_loop(c, &s->orelse);
    ty_place_label(c, end);
}

static void async_for_loop(TyCompiler *c, TyAstFor *s)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(s->iter);
    int32_t again = ty_new_label(c), ended = ty_new_label(c), end = ty_new_label(c);
    TyRegister iterator = ty_slot(u);
    TyRegister r = ty_last_operand(c, s->iter);
    ty_emit(c, place, TY_OP_GET_AITER, iterator, r, 0);
    u->top = mark;
    ty_push(c);
    ty_place_label(c, again);
    int32_t outer = u->handler;
    TyRegister item = ty_slot(u);
    u->handler = ty_new_handler(c, ended, item);
    ty_emit(c, place, TY_OP_GET_ANEXT, item, iterator, 0);
    ty_push(c);
    TyRegister sent = ty_slot(u);
    ty_load_const(c, place, sent, TY_NONE);
    ty_push(c);
    ty_emit(c, place, TY_OP_YIELD_FROM, item, item, sent);
    u->handler = outer;
    u->top = mark + 2;
    ty_store_target(c, s->target, item);
    u->top = mark + 1;
    loop_body(c, &s->node, &s->body, again, end);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, again);
    ty_place_label(c, ended);
    ty_push(c);
    ty_emit(c, place, TY_OP_END_ASYNC_FOR, item, 0, 0);
    u->top = mark;
    rest_of_loop(c, &s->orelse);
    ty_place_label(c, end);
}

static void if_statement(TyCompiler *c, TyAstIf *s)
{
    int32_t otherwise = ty_new_label(c), end = s->orelse.count ? ty_new_label(c) : otherwise;
    c->unit->conditional_depth++;
    ty_jump_if(c, s->test, false, otherwise);
    ty_statements(c, &s->body);
    if (s->orelse.count) {
        ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, end);
        ty_place_label(c, otherwise);
        ty_statements(c, &s->orelse);
    }
    ty_place_label(c, end);
    c->unit->conditional_depth--;
}

/* A jump out of a loop. */
static void leave_loop(TyCompiler *c, TyNode *node, bool is_break)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(node);
    const char *word = is_break ? "break" : "continue";
    for (int i = u->block_count - 1; i >= 0; i--) {
        const TyBlock *block = &u->blocks[i];
        if (block->kind == TY_BLOCK_FINALLY_BODY || block->kind == TY_BLOCK_FINALLY_HANDLER)
            ty_compiler_warn(c, place, "'%s' in a 'finally' block", word);
        if (block->kind == TY_BLOCK_GROUP_HANDLER) {
            TY_COMPILE_ERROR(c, place, "'break', 'continue' and 'return' cannot appear in an except* block");
            return;
        }
        if (block->kind == TY_BLOCK_LOOP) {
            int32_t label = is_break ? block->break_label : block->continue_label;
            ty_emit(c, place, TY_OP_NOP, 0, 0, 0);
            Leaving saved = leave_blocks(c, i + 1, &place);
            ty_emit_jump(c, place, TY_OP_JUMP, 0, 0, 0, label);
            end_leaving(c, saved);
            return;
        }
    }
    TY_COMPILE_ERROR(c, place, is_break ? "'break' outside loop" : "'continue' not properly in loop");
}

static void return_statement(TyCompiler *c, TyAstReturn *s)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&s->node);
    if (u->scope->type != TY_BLOCK_FUNCTION) {
        TY_COMPILE_ERROR(c, place, "'return' outside function");
        return;
    }
    if (s->value && u->scope->coroutine && u->scope->generator) {
        TY_COMPILE_ERROR(c, place, "'return' with value in async generator");
        return;
    }
    bool needs_code = false;
    for (int i = u->block_count - 1; i >= 0; i--) {
        const TyBlock *block = &u->blocks[i];
        if (block->kind == TY_BLOCK_FINALLY_BODY || block->kind == TY_BLOCK_FINALLY_HANDLER)
            ty_compiler_warn(c, place, "'return' in a 'finally' block");
        if (block->kind == TY_BLOCK_GROUP_HANDLER) {
            TY_COMPILE_ERROR(c, place, "'break', 'continue' and 'return' cannot appear in an except* block");
            return;
        }
        needs_code |= leaving_needs_code(block);
    }
    uint32_t mark = u->top;
    Value constant = TY_NONE;
    bool is_constant = !s->value || ty_fold(c, s->value, &constant);
    TyRegister r = TY_NO_REGISTER;
    if (is_constant)
        ty_emit(c, place, TY_OP_NOP, 0, 0, 0);
    else
        r = needs_code ? ty_expression_push(c, s->value) : ty_last_operand(c, s->value);
    Leaving saved = leave_blocks(c, 0, &place);
    if (is_constant && constant == TY_NONE) {
        ty_emit(c, place, TY_OP_RETURN_NONE, 0, 0, 0);
    } else {
        if (is_constant) {
            r = ty_slot(u);
            ty_load_const(c, place, r, constant);
            ty_push(c);
        }
        ty_emit(c, place, TY_OP_RETURN, r, 0, 0);
    }
    end_leaving(c, saved);
    u->top = mark;
}

/* --- exceptions ----------------------------------------------------------------------------------------------------------------- */

/* The entry of a handler: the exception, and the one handled before, in a pair of temporaries that is taken. What follows is
 * protected by a clean-up, which end_handler places. */
static TyRegister begin_handler(TyCompiler *c, int32_t label, int32_t *cleanup, int hidden_mark)
{
    TyUnit *u = c->unit;
    ty_place_label(c, label);
    TyRegister exception = ty_push(c);
    ty_emit(c, TY_NO_PLACE, TY_OP_PUSH_HANDLED, exception, 0, 0);
    ty_push(c);
    *cleanup = ty_new_label(c);
    u->handler = ty_new_handler(c, *cleanup, ty_slot(u));
    clear_hidden_since(c, hidden_mark);
    return exception;
}

static void end_handler(TyCompiler *c, TyRegister exception, int32_t cleanup, int32_t outer_handler)
{
    TyUnit *u = c->unit;
    u->handler = outer_handler;
    u->top = (exception & ~TY_KIND_MASK) + 2;
    ty_place_label(c, cleanup);
    TyRegister raised = ty_push(c);
    ty_emit(c, TY_NO_PLACE, TY_OP_POP_HANDLED, exception, 0, 0);
    ty_emit_imm(c, TY_NO_PLACE, TY_OP_RERAISE, raised, 0);
    u->top = exception & ~TY_KIND_MASK;
}

static void handler_body(TyCompiler *c, TyAstExceptHandler *handler, TyRegister exception, int32_t outer_handler, int32_t end)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&handler->node);
    uint32_t mark = u->top;
    int32_t protecting = u->handler;
    bool named = handler->name != TY_NULL;
    int32_t raised_label = named ? ty_new_label(c) : -1;
    if (named) {
        ty_store_variable(c, place, handler->name, exception);
        u->handler = ty_new_handler(c, raised_label, ty_slot(u));
    }
    push_block(c, place, (TyBlock){.kind = TY_BLOCK_HANDLER, .outer_handler = outer_handler, .base = exception, .node = &handler->node});
    ty_statements(c, &handler->body);
    pop_block(c);
    u->handler = protecting;
    ty_emit(c, TY_NO_PLACE, TY_OP_POP_HANDLED, exception, 0, 0);
    u->handler = outer_handler;
    unbind_handler_name(c, handler->name);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, end);
    u->handler = protecting;
    if (named) {
        ty_place_label(c, raised_label);
        TyRegister raised = ty_push(c);
        unbind_handler_name(c, handler->name);
        ty_emit_imm(c, TY_NO_PLACE, TY_OP_RERAISE, raised, 0);
        u->top = mark;
    }
}

static void try_except(TyCompiler *c, TyAstTry *s)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    int32_t outer = u->handler, except = ty_new_label(c), end = ty_new_label(c), cleanup;
    int hidden_mark = u->hidden_count;
    for (int i = 0; i + 1 < s->handlers.count; i++)
        if (!TY_AST(ExceptHandler, s->handlers.items[i])->type) {
            TY_COMPILE_ERROR(c, ty_place(s->handlers.items[i]), "default 'except:' must be last");
            return;
        }
    u->handler = ty_new_handler(c, except, ty_slot(u));
    push_block(c, ty_place(&s->node), (TyBlock){.kind = TY_BLOCK_TRY, .outer_handler = outer, .node = &s->node});
    ty_statements(c, &s->body);
    pop_block(c);
    u->handler = outer;
    ty_statements(c, &s->orelse);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, end);

    TyRegister exception = begin_handler(c, except, &cleanup, hidden_mark);
    int32_t protecting = u->handler;
    TyPlace last = TY_NO_PLACE;
    for (int i = 0; i < s->handlers.count && !c->failed; i++) {
        TyAstExceptHandler *handler = TY_AST(ExceptHandler, s->handlers.items[i]);
        int32_t next = ty_new_label(c);
        if (handler->type) {
            uint32_t before = u->top;
            TyRegister type = ty_last_operand(c, handler->type);
            ty_emit_jump(c, ty_place(handler->type), TY_OP_JUMP_UNLESS_EXCEPTION, exception, type, 0, next);
            u->top = before;
        } else {
            ty_emit(c, ty_place(&handler->node), TY_OP_NOP, 0, 0, 0);
        }
        handler_body(c, handler, exception, outer, end);
        u->handler = protecting;
        ty_place_label(c, next);
        last = handler->type ? ty_place(handler->type) : TY_NO_PLACE;
    }
    ty_emit_imm(c, last, TY_OP_RERAISE, exception, 1);
    end_handler(c, exception, cleanup, outer);
    u->top = mark;
    ty_place_label(c, end);
}

static void group_handler_body(TyCompiler *c, TyAstExceptHandler *handler, TyRegister match, TyRegister raised_list, int32_t next)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&handler->node);
    int32_t protecting = u->handler, raised_label = ty_new_label(c);
    ty_emit(c, place, TY_OP_PUSH_HANDLED, match, 0, 0);
    ty_push(c);
    uint32_t mark = u->top;
    if (handler->name != TY_NULL)
        ty_store_variable(c, place, handler->name, match);
    u->handler = ty_new_handler(c, raised_label, ty_slot(u));
    push_block(c, place, (TyBlock){.kind = TY_BLOCK_GROUP_HANDLER, .outer_handler = protecting, .base = match, .node = &handler->node});
    ty_statements(c, &handler->body);
    pop_block(c);
    u->handler = protecting;
    unbind_handler_name(c, handler->name);
    ty_emit(c, TY_NO_PLACE, TY_OP_POP_HANDLED, match, 0, 0);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, next);

    ty_place_label(c, raised_label);
    TyRegister raised = ty_push(c);
    unbind_handler_name(c, handler->name);
    ty_emit(c, TY_NO_PLACE, TY_OP_LIST_APPEND, raised_list, raised, 0);
    ty_emit(c, TY_NO_PLACE, TY_OP_POP_HANDLED, match, 0, 0);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, next);
    u->top = mark;
}

static void try_except_star(TyCompiler *c, TyAstTry *s)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    int32_t outer = u->handler, except = ty_new_label(c), end = ty_new_label(c), cleanup;
    int hidden_mark = u->hidden_count;
    TyPlace place = ty_place(&s->node);
    u->handler = ty_new_handler(c, except, ty_slot(u));
    push_block(c, place, (TyBlock){.kind = TY_BLOCK_TRY, .outer_handler = outer, .node = &s->node});
    ty_statements(c, &s->body);
    pop_block(c);
    u->handler = outer;
    ty_statements(c, &s->orelse);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, end);

    TyRegister exception = begin_handler(c, except, &cleanup, hidden_mark);
    TyRegister rest = ty_slot(u);
    ty_emit(c, TY_NO_PLACE, TY_OP_MOVE, rest, exception, 0);
    ty_push(c);
    TyRegister raised_list = ty_slot(u);
    ty_emit(c, TY_NO_PLACE, TY_OP_BUILD_LIST, raised_list, raised_list, 0);
    ty_push(c);
    for (int i = 0; i < s->handlers.count && !c->failed; i++) {
        TyAstExceptHandler *handler = TY_AST(ExceptHandler, s->handlers.items[i]);
        TyPlace type_place = ty_place(handler->type ? handler->type : &handler->node);
        uint32_t before = u->top;
        int32_t next = ty_new_label(c);
        TyRegister match = ty_slot(u);
        TyRegister type = ty_last_operand(c, handler->type);
        ty_emit(c, ty_place(&handler->node), TY_OP_GROUP_MATCHES, match, rest, type);
        u->top = before;
        ty_push(c);
        ty_emit_jump(c, type_place, TY_OP_JUMP_IF_NONE, match, 0, 0, next);
        group_handler_body(c, handler, match, raised_list, next);
        u->top = before;
        ty_place_label(c, next);
    }
    ty_emit(c, TY_NO_PLACE, TY_OP_LIST_APPEND, raised_list, rest, 0);
    int32_t reraise = ty_new_label(c);
    TyRegister result = ty_slot(u);
    ty_emit(c, TY_NO_PLACE, TY_OP_INTRINSIC_TWO, result, exception, raised_list)->x = TY_INTRINSIC_TWO_RERAISE_STAR;
    ty_push(c);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP_IF_NOT_NONE, result, 0, 0, reraise);
    ty_emit(c, TY_NO_PLACE, TY_OP_POP_HANDLED, exception, 0, 0);
    u->handler = outer;
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, end);
    ty_place_label(c, reraise);
    ty_emit(c, TY_NO_PLACE, TY_OP_POP_HANDLED, exception, 0, 0);
    ty_emit_imm(c, TY_NO_PLACE, TY_OP_RERAISE, result, 0);
    end_handler(c, exception, cleanup, outer);
    u->top = mark;
    ty_place_label(c, end);
}

/* One line, or one expression: what comes after it is still there. */
static bool is_simple_statement(const TyNode *s)
{
    switch (s->kind) {
    case TY_AST_For: case TY_AST_AsyncFor: case TY_AST_While: case TY_AST_If: case TY_AST_With: case TY_AST_AsyncWith: case TY_AST_Match: case TY_AST_Try:
    case TY_AST_TryStar: case TY_AST_FunctionDef: case TY_AST_AsyncFunctionDef: case TY_AST_ClassDef:
        return false;
    default:
        return true;
    }
}

static void try_finally(TyCompiler *c, TyAstTry *s)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&s->node);
    uint32_t mark = u->top;
    int32_t outer = u->handler, raised = ty_new_label(c), end = ty_new_label(c), cleanup;
    int hidden_mark = u->hidden_count;
    bool is_star = s->node.kind == TY_AST_TryStar;
    u->handler = ty_new_handler(c, raised, ty_slot(u));
    push_block(c, place, (TyBlock){.kind = TY_BLOCK_FINALLY_TRY, .outer_handler = outer, .node = &s->node});
    if (s->handlers.count && is_star)
        try_except_star(c, s);
    else if (s->handlers.count)
        try_except(c, s);
    else
        ty_statements(c, &s->body);
    pop_block(c);
    u->handler = outer;
    push_block(c, place, (TyBlock){.kind = TY_BLOCK_FINALLY_BODY});
    ty_statements(c, &s->finalbody);
    pop_block(c);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, end);

    TyRegister exception = begin_handler(c, raised, &cleanup, hidden_mark);
    push_block(c, place, (TyBlock){.kind = TY_BLOCK_FINALLY_HANDLER, .outer_handler = outer, .base = exception, .node = &s->node});
    c->silent++;
    ty_statements(c, &s->finalbody);
    c->silent--;
    pop_block(c);
    const TyNode *last = s->finalbody.items[s->finalbody.count - 1];
    bool simple = is_simple_statement(last);
    ty_emit_imm(c, simple ? ty_place(last) : TY_NO_PLACE, TY_OP_RERAISE, exception, simple);
    end_handler(c, exception, cleanup, outer);
    u->top = mark;
    ty_place_label(c, end);
}

static void try_statement(TyCompiler *c, TyNode *node)
{
    TyAstTry *s = TY_AST(Try, node); /* TryStar has the same fields */
    ty_emit(c, ty_place(node), TY_OP_NOP, 0, 0, 0);
    c->unit->conditional_depth++;
    if (s->finalbody.count)
        try_finally(c, s);
    else if (node->kind == TY_AST_TryStar)
        try_except_star(c, s);
    else
        try_except(c, s);
    c->unit->conditional_depth--;
}

static void raise_statement(TyCompiler *c, TyAstRaise *s)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(&s->node);
    if (!s->exc) {
        ty_emit(c, place, TY_OP_RAISE, TY_KIND_TEMPORARY, TY_KIND_TEMPORARY, 0);
        return;
    }
    TyRegister exception = s->cause ? ty_operand(c, s->exc) : ty_last_operand(c, s->exc);
    TyRegister cause = s->cause ? ty_last_operand(c, s->cause) : exception;
    ty_emit(c, place, TY_OP_RAISE, exception, cause, s->cause ? 2 : 1);
    c->unit->top = mark;
}

static void assert_statement(TyCompiler *c, TyAstAssert *s)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&s->node);
    Value constant;
    bool is_tuple = s->test->kind == TY_AST_Tuple ? TY_AST(Tuple, s->test)->elts.count > 0
        : s->test->kind == TY_AST_Constant && ty_is_exact_tuple(TY_AST(Constant, s->test)->value) && ty_tuple_length(TY_AST(Constant, s->test)->value) > 0;
    (void)constant;
    if (is_tuple)
        ty_compiler_warn(c, place, "assertion is always true, perhaps remove parentheses?");
    if (c->optimize > 0)
        return;
    uint32_t mark = u->top;
    int32_t end = ty_new_label(c);
    ty_jump_if(c, s->test, true, end);
    TyRegister error = ty_slot(u);
    ty_emit_imm(c, place, TY_OP_LOAD_COMMON, error, TY_COMMON_ASSERTION_ERROR);
    ty_push(c);
    if (s->msg) {
        ty_expression_push(c, s->msg);
        ty_emit(c, place, TY_OP_CALL, error, error, 1);
    }
    u->top = mark + 1;
    ty_emit(c, ty_place(s->test), TY_OP_RAISE, error, error, 1);
    u->top = mark;
    ty_place_label(c, end);
}

/* --- with ---------------------------------------------------------------------------------------------------------------------------- */

static void with_items(TyCompiler *c, TyAstWith *s, int index)
{
    TyUnit *u = c->unit;
    if (c->failed)
        return;
    if (index == s->items.count) {
        ty_statements(c, &s->body);
        return;
    }
    bool is_async = s->node.kind == TY_AST_AsyncWith;
    TyAstwithitem *item = TY_AST(withitem, s->items.items[index]);
    TyPlace place = ty_place(item->context_expr);
    uint32_t mark = u->top;
    int hidden_mark = u->hidden_count;
    int32_t outer = u->handler, raised = ty_new_label(c), end = ty_new_label(c), cleanup;

    TyRegister manager = ty_operand(c, item->context_expr);
    TyRegister exit = ty_slot(u);
    ty_emit(c, place, TY_OP_LOAD_SPECIAL, exit, manager, is_async ? TY_SPECIAL_AEXIT : TY_SPECIAL_EXIT);
    ty_push_many(c, 2);
    TyRegister entered = ty_slot(u);
    ty_emit(c, place, TY_OP_LOAD_SPECIAL, entered, manager, is_async ? TY_SPECIAL_AENTER : TY_SPECIAL_ENTER);
    ty_push_many(c, 2);
    ty_emit(c, place, TY_OP_CALL_METHOD, entered, entered, 0);
    u->top = entered & ~TY_KIND_MASK;
    if (is_async) {
        ty_push(c);
        ty_await(c, place, entered, entered, 1);
        u->top--;
    }
    uint32_t inside = u->top;
    TyPlace with_place = place;
    u->handler = ty_new_handler(c, raised, ty_slot(u));
    push_block(c, place, (TyBlock){.kind = is_async ? TY_BLOCK_ASYNC_WITH : TY_BLOCK_WITH, .outer_handler = outer, .base = exit, .node = item->context_expr});
    ty_push(c);
    if (item->optional_vars)
        ty_store_target(c, item->optional_vars, entered);
    u->top = inside;
    with_items(c, s, index + 1);
    pop_block(c);
    u->handler = outer;
    call_exit(c, with_place, exit, is_async);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, end);

    TyRegister exception = begin_handler(c, raised, &cleanup, hidden_mark);
    TyRegister result = ty_slot(u);
    ty_emit(c, with_place, TY_OP_WITH_EXCEPT, result, exit, exception);
    ty_push(c);
    if (is_async)
        ty_await(c, with_place, result, result, 2);
    int32_t suppressed = ty_new_label(c);
    ty_emit_jump(c, with_place, TY_OP_JUMP_IF_TRUE, result, 0, 0, suppressed);
    ty_emit_imm(c, TY_NO_PLACE, TY_OP_RERAISE, exception, 0);
    ty_place_label(c, suppressed);
    ty_emit(c, TY_NO_PLACE, TY_OP_POP_HANDLED, exception, 0, 0);
    u->handler = outer;
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, end);
    end_handler(c, exception, cleanup, outer);
    u->top = mark;
    ty_place_label(c, end);
}

/* --- imports ---------------------------------------------------------------------------------------------------------------------------- */

static TyRegister push_import(TyCompiler *c, TyPlace place, Value name, int level, Value from_list)
{
    TyUnit *u = c->unit;
    TyRegister window = ty_slot(u);
    ty_load_const(c, place, window, ty_from_immediate_int(level));
    ty_push(c);
    ty_load_const(c, place, ty_slot(u), from_list);
    ty_push(c);
    ty_emit_name(c, place, TY_OP_IMPORT_NAME, window, window, name);
    u->top--;
    return window;
}

static Value part_of_name(TyCompiler *c, Value name, int64_t start, int64_t end)
{
    Value part = ty_str_slice(name, start, end);
    return ty_keep(c, part == TY_NULL ? TY_NULL : ty_intern(part));
}

static void import_alias(TyCompiler *c, TyNode *statement, TyAstalias *alias)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(statement);
    uint32_t mark = u->top;
    Value name = alias->name;
    int64_t length = ty_str_length(name);
    int64_t dot = ty_str_find_char(name, '.', 0, length, 1);
    TyRegister module = push_import(c, place, name, 0, TY_NONE);
    if (alias->asname == TY_NULL) {
        ty_store_variable(c, place, dot < 0 ? name : part_of_name(c, name, 0, dot), module);
        u->top = mark;
        return;
    }
    while (dot >= 0 && !c->failed) {
        int64_t next = ty_str_find_char(name, '.', dot + 1, length, 1);
        Value part = part_of_name(c, name, dot + 1, next < 0 ? length : next);
        if (!c->failed)
            ty_emit_name(c, place, TY_OP_IMPORT_FROM, module, module, part);
        dot = next;
    }
    ty_store_variable(c, place, alias->asname, module);
    u->top = mark;
}

static void import_from(TyCompiler *c, TyAstImportFrom *s)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&s->node);
    uint32_t mark = u->top;
    Value names = ty_tuple_new(s->names.count);
    if (names == TY_NULL) {
        c->failed = true;
        return;
    }
    for (int i = 0; i < s->names.count; i++)
        ty_tuple_set(names, i, TY_AST(alias, s->names.items[i])->name);
    if (s->level == 0 && s->module != TY_NULL && s->module == TY_NAME("__future__") && s->node.lineno > c->last_future_line) {
        TY_COMPILE_ERROR(c, place, "from __future__ imports must occur at the beginning of the file");
        return;
    }
    TyRegister module = push_import(c, place, s->module != TY_NULL ? s->module : TY_NAME(""), s->level, ty_keep(c, names));
    for (int i = 0; i < s->names.count && !c->failed; i++) {
        TyAstalias *alias = TY_AST(alias, s->names.items[i]);
        TyRegister r = ty_slot(u);
        if (i == 0 && ty_str_equal_text(alias->name, "*")) {
            ty_emit(c, place, TY_OP_INTRINSIC, r, module, TY_INTRINSIC_IMPORT_STAR);
            break;
        }
        ty_emit_name(c, place, TY_OP_IMPORT_FROM, r, module, alias->name);
        ty_push(c);
        ty_store_variable(c, place, alias->asname != TY_NULL ? alias->asname : alias->name, r);
        u->top--;
    }
    u->top = mark;
}

/* --- simple statements --------------------------------------------------------------------------------------------------------------------- */

static const TyNodeList *display_items(const TyNode *e)
{
    return e->kind == TY_AST_Tuple ? &TY_AST(Tuple, e)->elts : e->kind == TY_AST_List ? &TY_AST(List, e)->elts : NULL;
}

static bool any_star(const TyNodeList *items)
{
    for (int i = 0; i < items->count; i++)
        if (items->items[i]->kind == TY_AST_Starred)
            return true;
    return false;
}

/* Whether all targets are different plain locals, or none of them is one. */
typedef enum TargetKind { ALL_LOCALS, NO_LOCALS, MIXED } TargetKind;

static TargetKind kind_of_targets(TyCompiler *c, const TyNodeList *targets)
{
    TyRegister registers[16];
    int locals = 0;
    for (int i = 0; i < targets->count; i++) {
        TyNode *target = targets->items[i];
        if (target->kind == TY_AST_Tuple || target->kind == TY_AST_List)
            return MIXED;
        registers[i] = ty_target_register(c, target);
        if (registers[i] == TY_NO_REGISTER)
            continue;
        locals++;
        for (int j = 0; j < i; j++)
            if (registers[j] == registers[i])
                return MIXED;
    }
    return locals == targets->count ? ALL_LOCALS : locals ? MIXED : NO_LOCALS;
}

static bool constant_from(TyCompiler *c, const TyNodeList *values, int i)
{
    Value v;
    for (; i < values->count; i++)
        if (!ty_fold(c, values->items[i], &v))
            return false;
    return true;
}

/* a, b = b, a: no tuple is made, and values go straight to their targets where nothing can tell. */
static bool assign_in_parallel(TyCompiler *c, TyNode *target, TyNode *value)
{
    const TyNodeList *targets = display_items(target), *values = display_items(value);
    if (!targets || !values || targets->count != values->count || !targets->count || targets->count > 16 || any_star(targets) || any_star(values))
        return false;
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TargetKind kind = kind_of_targets(c, targets);
    TyRegister sources[16];
    for (int i = 0; i < values->count && !c->failed; i++) {
        TyNode *item = values->items[i];
        if (kind == ALL_LOCALS && constant_from(c, values, i + 1)) {
            sources[i] = ty_target_register(c, targets->items[i]);
            ty_expression(c, item, sources[i]);
        } else {
            sources[i] = kind == NO_LOCALS ? ty_operand(c, item) : ty_expression_push(c, item);
        }
    }
    for (int i = 0; i < values->count && !c->failed; i++)
        ty_store_target(c, targets->items[i], sources[i]);
    u->top = mark;
    return true;
}

static void assignment(TyCompiler *c, TyAstAssign *s)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    if (s->targets.count == 1) {
        TyNode *target = s->targets.items[0];
        TyRegister direct = ty_target_register(c, target);
        if (direct != TY_NO_REGISTER) {
            ty_expression(c, s->value, direct);
            return;
        }
        if (assign_in_parallel(c, target, s->value))
            return;
    }
    TyRegister r = ty_operand(c, s->value);
    for (int i = 0; i < s->targets.count; i++)
        ty_store_target(c, s->targets.items[i], r);
    u->top = mark;
}

static void expression_statement(TyCompiler *c, TyAstExpr *s)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(&s->node);
    if (c->interactive && !u->outer) {
        TyRegister r = ty_last_operand(c, s->value);
        ty_emit(c, place, TY_OP_INTRINSIC, ty_slot(u), r, TY_INTRINSIC_PRINT);
    } else if (s->value->kind == TY_AST_Constant) {
        ty_emit(c, place, TY_OP_NOP, 0, 0, 0);
    } else {
        if (s->value->kind == TY_AST_Name) /* may need no code, but has a line */
            ty_emit(c, place, TY_OP_NOP, 0, 0, 0);
        ty_last_operand(c, s->value);
    }
    u->top = mark;
}

void ty_statements(TyCompiler *c, const TyNodeList *list)
{
    for (int i = 0; i < list->count && !c->failed; i++)
        ty_statement(c, list->items[i]);
}

void ty_statement(TyCompiler *c, TyNode *s)
{
    if (c->failed)
        return;
    if (ty_c_stack_low()) {
        ty_raise(&ty_RecursionError, "maximum recursion depth exceeded during compilation");
        c->failed = true;
        return;
    }
    switch (s->kind) {
    case TY_AST_FunctionDef:
    case TY_AST_AsyncFunctionDef:
        ty_function_definition(c, s);
        break;
    case TY_AST_ClassDef:
        ty_class_definition(c, TY_AST(ClassDef, s));
        break;
    case TY_AST_Return:
        return_statement(c, TY_AST(Return, s));
        break;
    case TY_AST_Delete:
        for (int i = 0; i < TY_AST(Delete, s)->targets.count; i++)
            ty_delete_target(c, TY_AST(Delete, s)->targets.items[i]);
        break;
    case TY_AST_Assign:
        assignment(c, TY_AST(Assign, s));
        break;
    case TY_AST_TypeAlias:
        ty_type_alias(c, TY_AST(TypeAlias, s));
        break;
    case TY_AST_AugAssign:
        ty_augmented_assignment(c, TY_AST(AugAssign, s));
        break;
    case TY_AST_AnnAssign:
        ty_annotated_assignment(c, TY_AST(AnnAssign, s));
        break;
    case TY_AST_For:
        for_loop(c, TY_AST(For, s));
        break;
    case TY_AST_AsyncFor:
        async_for_loop(c, TY_AST(For, s));
        break;
    case TY_AST_While:
        while_loop(c, TY_AST(While, s));
        break;
    case TY_AST_If:
        if_statement(c, TY_AST(If, s));
        break;
    case TY_AST_With:
    case TY_AST_AsyncWith:
        c->unit->conditional_depth++;
        with_items(c, TY_AST(With, s), 0);
        c->unit->conditional_depth--;
        break;
    case TY_AST_Match:
        c->unit->conditional_depth++;
        ty_match(c, TY_AST(Match, s));
        c->unit->conditional_depth--;
        break;
    case TY_AST_Raise:
        raise_statement(c, TY_AST(Raise, s));
        break;
    case TY_AST_Try:
    case TY_AST_TryStar:
        try_statement(c, s);
        break;
    case TY_AST_Assert:
        assert_statement(c, TY_AST(Assert, s));
        break;
    case TY_AST_Import:
        for (int i = 0; i < TY_AST(Import, s)->names.count; i++)
            import_alias(c, s, TY_AST(alias, TY_AST(Import, s)->names.items[i]));
        break;
    case TY_AST_ImportFrom:
        import_from(c, TY_AST(ImportFrom, s));
        break;
    case TY_AST_Global:
    case TY_AST_Nonlocal:
        break;
    case TY_AST_Expr:
        expression_statement(c, TY_AST(Expr, s));
        break;
    case TY_AST_Pass:
        ty_emit(c, ty_place(s), TY_OP_NOP, 0, 0, 0);
        break;
    case TY_AST_Break:
        leave_loop(c, s, true);
        break;
    case TY_AST_Continue:
        leave_loop(c, s, false);
        break;
    default:
        TY_COMPILE_ERROR(c, ty_place(s), "this is no statement");
        break;
    }
}
