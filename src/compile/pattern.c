#include "compile/compiler.h"

#include "object/int.h"
#include "object/tuple.h"

/* match: each pattern tests a subject in a register and jumps to a label where it fails. What it captures is kept in temporaries of its
 * own until the whole pattern has succeeded. */

typedef struct Pattern {
    Value *names;           /* what the case's pattern captures */
    int count, capacity;
    TyRegister first;       /* their temporaries */
    int32_t fail;
    bool irrefutable_allowed;
} Pattern;

static bool is_wildcard(const TyNode *p)
{
    return p->kind == TY_AST_MatchAs && !TY_AST(MatchAs, p)->pattern && TY_AST(MatchAs, p)->name == TY_NULL;
}

static bool is_star_wildcard(const TyNode *p) { return p->kind == TY_AST_MatchStar && TY_AST(MatchStar, p)->name == TY_NULL; }

static void refuse_irrefutable(TyCompiler *c, const TyAstMatchAs *p)
{
    if (p->name != TY_NULL)
        TY_COMPILE_ERROR(c, ty_place(&p->node), "name capture '%U' makes remaining patterns unreachable", p->name);
    else
        TY_COMPILE_ERROR(c, ty_place(&p->node), "wildcard makes remaining patterns unreachable");
}

/* --- names -------------------------------------------------------------------------------------------------------------------- */

static void collect(TyCompiler *c, Pattern *k, TyNode *p);

static void add_name(TyCompiler *c, Pattern *k, Value name, TyNode *p)
{
    if (name == TY_NULL)
        return;
    for (int i = 0; i < k->count; i++)
        if (k->names[i] == name) {
            TY_COMPILE_ERROR(c, ty_place(p), "multiple assignments to name '%U' in pattern", name);
            return;
        }
    TY_APPEND(c, k->names, k->count, k->capacity, name);
}

static void collect_list(TyCompiler *c, Pattern *k, const TyNodeList *list)
{
    for (int i = 0; i < list->count && !c->failed; i++)
        collect(c, k, list->items[i]);
}

static bool has_name(const Pattern *k, int from, Value name)
{
    for (int i = from; i < k->count; i++)
        if (k->names[i] == name)
            return true;
    return false;
}

/* Alternatives bind the same names, into the same temporaries. */
static void collect_alternatives(TyCompiler *c, Pattern *k, TyAstMatchOr *p)
{
    int before = k->count;
    for (int i = 0; i + 1 < p->patterns.count; i++) {
        TyAstMatchAs *alternative = TY_AST(MatchAs, p->patterns.items[i]);
        if (alternative->node.kind == TY_AST_MatchAs && !alternative->pattern) {
            refuse_irrefutable(c, alternative);
            return;
        }
    }
    collect(c, k, p->patterns.items[0]);
    for (int i = 1; i < p->patterns.count && !c->failed; i++) {
        Pattern other = {0};
        for (int j = 0; j < before; j++)
            TY_APPEND(c, other.names, other.count, other.capacity, k->names[j]);
        collect(c, &other, p->patterns.items[i]);
        bool same = other.count == k->count;
        for (int j = before; j < other.count && same; j++)
            same = has_name(k, before, other.names[j]);
        if (!same)
            TY_COMPILE_ERROR(c, ty_place(&p->node), "alternative patterns bind different names");
    }
}

static void collect(TyCompiler *c, Pattern *k, TyNode *p)
{
    if (c->failed)
        return;
    if (ty_c_stack_low()) {
        ty_raise(&ty_RecursionError, "maximum recursion depth exceeded during compilation");
        c->failed = true;
        return;
    }
    switch (p->kind) {
    case TY_AST_MatchSequence:
        collect_list(c, k, &TY_AST(MatchSequence, p)->patterns);
        break;
    case TY_AST_MatchMapping:
        collect_list(c, k, &TY_AST(MatchMapping, p)->patterns);
        add_name(c, k, TY_AST(MatchMapping, p)->rest, p);
        break;
    case TY_AST_MatchClass:
        collect_list(c, k, &TY_AST(MatchClass, p)->patterns);
        collect_list(c, k, &TY_AST(MatchClass, p)->kwd_patterns);
        break;
    case TY_AST_MatchStar:
        add_name(c, k, TY_AST(MatchStar, p)->name, p);
        break;
    case TY_AST_MatchAs:
        if (TY_AST(MatchAs, p)->pattern)
            collect(c, k, TY_AST(MatchAs, p)->pattern);
        add_name(c, k, TY_AST(MatchAs, p)->name, p);
        break;
    case TY_AST_MatchOr:
        collect_alternatives(c, k, TY_AST(MatchOr, p));
        break;
    default:
        break;
    }
}

static void capture(TyCompiler *c, Pattern *k, TyNode *p, Value name, TyRegister subject)
{
    for (int i = 0; i < k->count; i++)
        if (k->names[i] == name)
            ty_emit(c, ty_place(p), TY_OP_MOVE, k->first + (uint32_t)i, subject, 0);
}

/* --- patterns ------------------------------------------------------------------------------------------------------------------- */

static void pattern(TyCompiler *c, Pattern *k, TyNode *p, TyRegister subject);

static void value_pattern(TyCompiler *c, Pattern *k, TyAstMatchValue *p, TyRegister subject)
{
    uint32_t mark = c->unit->top;
    Value constant;
    TyPlace place = ty_place(&p->node);
    bool is_template = p->value->kind == TY_AST_JoinedStr || p->value->kind == TY_AST_TemplateStr;
    if (is_template || (p->value->kind != TY_AST_Attribute && !ty_fold(c, p->value, &constant))) {
        TY_COMPILE_ERROR(c, place, "patterns may only match literals and attribute lookups");
        return;
    }
    if (p->value->kind != TY_AST_Attribute && ty_fold(c, p->value, &constant) && ty_is_immediate_int(constant) && ty_immediate_int(constant) == (int16_t)ty_immediate_int(constant)) {
        ty_emit_jump(c, place, TY_OP_JUMP_IF_EQUAL_INT, subject, (uint16_t)ty_immediate_int(constant), 0, k->fail);
        return;
    }
    TyRegister value = ty_last_operand(c, p->value);
    ty_emit_jump(c, place, TY_OP_JUMP_IF_EQUAL, subject, value, 0, k->fail);
    c->unit->top = mark;
}

static void singleton_pattern(TyCompiler *c, Pattern *k, TyAstMatchSingleton *p, TyRegister subject)
{
    TyPlace place = ty_place(&p->node);
    if (p->value == TY_NONE) {
        ty_emit_jump(c, place, TY_OP_JUMP_IF_NOT_NONE, subject, 0, 0, k->fail);
        return;
    }
    uint32_t mark = c->unit->top;
    TyRegister value = ty_slot(c->unit);
    ty_load_const(c, place, value, p->value);
    ty_push(c);
    ty_emit_jump(c, place, TY_OP_JUMP_IF_IS, subject, value, 0, k->fail);
    c->unit->top = mark;
}

/* Jumps to the failure unless a fact of the subject, computed by op, is true. */
static void require(TyCompiler *c, Pattern *k, TyPlace place, TyOp op, TyRegister subject)
{
    TyRegister r = ty_slot(c->unit);
    ty_emit(c, place, op, r, subject, 0);
    ty_push(c);
    ty_emit_jump(c, place, TY_OP_JUMP_IF_FALSE, r, 0, 0, k->fail);
    c->unit->top--;
}

static void require_length(TyCompiler *c, Pattern *k, TyPlace place, TyRegister subject, int count, bool at_least)
{
    TyUnit *u = c->unit;
    TyRegister length = ty_slot(u);
    ty_emit(c, place, TY_OP_GET_LEN, length, subject, 0);
    ty_push(c);
    if (count <= INT16_MAX) {
        ty_emit_jump(c, place, at_least ? TY_OP_JUMP_IF_GREATER_EQUAL_INT : TY_OP_JUMP_IF_EQUAL_INT, length, (uint16_t)count, 0, k->fail);
    } else {
        TyRegister wanted = ty_slot(u);
        ty_load_const(c, place, wanted, ty_from_immediate_int(count));
        ty_push(c);
        ty_emit_jump(c, place, at_least ? TY_OP_JUMP_IF_GREATER_EQUAL : TY_OP_JUMP_IF_EQUAL, length, wanted, 0, k->fail);
        u->top--;
    }
    u->top--;
}

static void sequence_pattern(TyCompiler *c, Pattern *k, TyAstMatchSequence *p, TyRegister subject)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&p->node);
    uint32_t mark = u->top;
    int count = p->patterns.count, star = -1;
    bool only_wildcards = true;
    for (int i = 0; i < count; i++) {
        TyNode *item = p->patterns.items[i];
        if (item->kind == TY_AST_MatchStar) {
            if (star >= 0) {
                TY_COMPILE_ERROR(c, place, "multiple starred names in sequence pattern");
                return;
            }
            star = i;
        }
        only_wildcards &= is_wildcard(item) || is_star_wildcard(item);
    }
    require(c, k, place, TY_OP_MATCH_SEQUENCE, subject);
    if (star < 0)
        require_length(c, k, place, subject, count, false);
    else if (count > 1)
        require_length(c, k, place, subject, count - 1, true);
    if (only_wildcards)
        return;
    if (star >= 0 && is_star_wildcard(p->patterns.items[star]) && count > 1) {
        /* The middle is not wanted: the others are fetched one by one. */
        for (int i = 0; i < count && !c->failed; i++) {
            TyNode *item = p->patterns.items[i];
            if (i == star || is_wildcard(item))
                continue;
            TyRegister r = ty_slot(u);
            if (i < star) {
                ty_emit(c, place, TY_OP_LOAD_ITEM_INT, r, subject, (uint16_t)i);
                ty_push(c);
            } else { /* counted from the length: not every sequence takes negative indexes */
                ty_emit(c, place, TY_OP_GET_LEN, r, subject, 0);
                ty_push(c);
                ty_emit(c, place, TY_OP_SUBTRACT_INT, r, r, (uint16_t)(count - i));
                ty_emit(c, place, TY_OP_LOAD_ITEM, r, subject, r);
            }
            pattern(c, k, item, r);
            u->top = mark;
        }
        return;
    }
    TyRegister first = ty_slot(u);
    if (star < 0)
        ty_emit(c, place, TY_OP_UNPACK, first, subject, (uint32_t)count);
    else
        ty_emit(c, place, TY_OP_UNPACK_STAR, first, subject, (uint32_t)(count - star - 1))->x = star;
    ty_push_many(c, (uint32_t)count);
    for (int i = 0; i < count && !c->failed; i++)
        pattern(c, k, p->patterns.items[i], first + (uint32_t)i);
    u->top = mark;
}

static void check_mapping_keys(TyCompiler *c, TyAstMatchMapping *p)
{
    for (int i = 0; i < p->keys.count && !c->failed; i++) {
        Value key, other;
        if (!ty_fold(c, p->keys.items[i], &key)) {
            if (p->keys.items[i]->kind != TY_AST_Attribute)
                TY_COMPILE_ERROR(c, ty_place(&p->node), "mapping pattern keys may only match literals and attribute lookups");
            continue;
        }
        for (int j = 0; j < i && !c->failed; j++)
            if (ty_fold(c, p->keys.items[j], &other) && ty_equal(key, other) == 1)
                TY_COMPILE_ERROR(c, ty_place(&p->node), "mapping pattern checks duplicate key (%R)", key);
    }
}

static void mapping_pattern(TyCompiler *c, Pattern *k, TyAstMatchMapping *p, TyRegister subject)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&p->node);
    uint32_t mark = u->top;
    int count = p->keys.count;
    check_mapping_keys(c, p);
    require(c, k, place, TY_OP_MATCH_MAPPING, subject);
    if (count)
        require_length(c, k, place, subject, count, true);
    if (!count && p->rest == TY_NULL)
        return;
    TyRegister keys = ty_slot(u);
    TyAstTuple tuple = {.node = p->node, .elts = p->keys, .ctx = TY_AST_Load};
    tuple.node.kind = TY_AST_Tuple;
    tuple.node.flags = 0;
    ty_expression_push(c, &tuple.node);
    TyRegister values = ty_slot(u);
    ty_emit(c, place, TY_OP_MATCH_KEYS, values, subject, keys);
    ty_push(c);
    ty_emit_jump(c, place, TY_OP_JUMP_IF_NONE, values, 0, 0, k->fail);
    if (count) {
        TyRegister first = ty_slot(u);
        ty_emit(c, place, TY_OP_UNPACK, first, values, (uint32_t)count);
        ty_push_many(c, (uint32_t)count);
        for (int i = 0; i < count && !c->failed; i++)
            pattern(c, k, p->patterns.items[i], first + (uint32_t)i);
    }
    if (p->rest != TY_NULL && !c->failed) {
        TyRegister rest = ty_slot(u);
        ty_emit(c, place, TY_OP_BUILD_MAP, rest, rest, 0);
        ty_push(c);
        ty_emit(c, place, TY_OP_DICT_UPDATE, rest, subject, 0);
        for (int i = 0; i < count; i++) {
            TyRegister key = ty_slot(u);
            ty_emit(c, place, TY_OP_LOAD_ITEM_INT, key, keys, (uint16_t)i);
            ty_push(c);
            ty_emit(c, place, TY_OP_DELETE_ITEM, rest, key, 0);
            u->top--;
        }
        capture(c, k, &p->node, p->rest, rest);
    }
    u->top = mark;
}

static void class_pattern(TyCompiler *c, Pattern *k, TyAstMatchClass *p, TyRegister subject)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&p->node);
    uint32_t mark = u->top;
    int positional = p->patterns.count, keywords = p->kwd_attrs.count;
    for (int i = 0; i < keywords; i++)
        for (int j = i + 1; j < keywords; j++)
            if (p->kwd_attrs.items[i] == p->kwd_attrs.items[j]) {
                TY_COMPILE_ERROR(c, ty_place(p->kwd_patterns.items[j]), "attribute name repeated in class pattern: %U", p->kwd_attrs.items[i]);
                return;
            }
    Value names = ty_tuple_new(keywords);
    for (int i = 0; i < keywords && names != TY_NULL; i++)
        ty_tuple_set(names, i, p->kwd_attrs.items[i]);
    names = ty_keep(c, names);
    if (c->failed)
        return;
    TyRegister class = ty_expression_push(c, p->cls);
    ty_load_const(c, place, ty_slot(u), names);
    ty_push(c);
    TyRegister attributes = class;
    ty_emit(c, place, TY_OP_MATCH_CLASS, attributes, subject, class)->x = positional;
    u->top = mark + 1;
    ty_emit_jump(c, place, TY_OP_JUMP_IF_NONE, attributes, 0, 0, k->fail);
    if (positional + keywords) {
        TyRegister first = ty_slot(u);
        ty_emit(c, place, TY_OP_UNPACK, first, attributes, (uint32_t)(positional + keywords));
        ty_push_many(c, (uint32_t)(positional + keywords));
        for (int i = 0; i < positional + keywords && !c->failed; i++)
            pattern(c, k, i < positional ? p->patterns.items[i] : p->kwd_patterns.items[i - positional], first + (uint32_t)i);
    }
    u->top = mark;
}

static void alternatives(TyCompiler *c, Pattern *k, TyAstMatchOr *p, TyRegister subject)
{
    int32_t matched = ty_new_label(c), outer_fail = k->fail;
    bool allowed = k->irrefutable_allowed;
    for (int i = 0; i < p->patterns.count && !c->failed; i++) {
        bool last = i == p->patterns.count - 1;
        int32_t next = last ? outer_fail : ty_new_label(c);
        k->fail = next;
        k->irrefutable_allowed = last && allowed;
        pattern(c, k, p->patterns.items[i], subject);
        if (!last) {
            ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, matched);
            ty_place_label(c, next);
        }
    }
    k->fail = outer_fail;
    k->irrefutable_allowed = allowed;
    ty_place_label(c, matched);
}

static void as_pattern(TyCompiler *c, Pattern *k, TyAstMatchAs *p, TyRegister subject)
{
    if (!p->pattern) {
        if (!k->irrefutable_allowed) {
            refuse_irrefutable(c, p);
            return;
        }
    } else {
        pattern(c, k, p->pattern, subject);
    }
    if (p->name != TY_NULL)
        capture(c, k, &p->node, p->name, subject);
}

static void pattern(TyCompiler *c, Pattern *k, TyNode *p, TyRegister subject)
{
    if (c->failed)
        return;
    bool allowed = k->irrefutable_allowed;
    switch (p->kind) {
    case TY_AST_MatchValue:
        value_pattern(c, k, TY_AST(MatchValue, p), subject);
        break;
    case TY_AST_MatchSingleton:
        singleton_pattern(c, k, TY_AST(MatchSingleton, p), subject);
        break;
    case TY_AST_MatchSequence: /* what is inside can be as general as it likes */
        k->irrefutable_allowed = true;
        sequence_pattern(c, k, TY_AST(MatchSequence, p), subject);
        break;
    case TY_AST_MatchMapping:
        k->irrefutable_allowed = true;
        mapping_pattern(c, k, TY_AST(MatchMapping, p), subject);
        break;
    case TY_AST_MatchClass:
        k->irrefutable_allowed = true;
        class_pattern(c, k, TY_AST(MatchClass, p), subject);
        break;
    case TY_AST_MatchStar:
        if (TY_AST(MatchStar, p)->name != TY_NULL)
            capture(c, k, p, TY_AST(MatchStar, p)->name, subject);
        break;
    case TY_AST_MatchAs:
        as_pattern(c, k, TY_AST(MatchAs, p), subject);
        break;
    case TY_AST_MatchOr:
        alternatives(c, k, TY_AST(MatchOr, p), subject);
        break;
    default:
        TY_COMPILE_ERROR(c, ty_place(p), "invalid match pattern node in AST");
        break;
    }
    k->irrefutable_allowed = allowed;
}

/* --- the statement ------------------------------------------------------------------------------------------------------------------ */

void ty_match(TyCompiler *c, TyAstMatch *s)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    int32_t end = ty_new_label(c);
    TyRegister subject = ty_expression_push(c, s->subject);
    uint32_t inside = u->top;
    for (int i = 0; i < s->cases.count && !c->failed; i++) {
        TyAstmatch_case *branch = TY_AST(match_case, s->cases.items[i]);
        TyPlace place = ty_place(branch->pattern);
        bool last = i == s->cases.count - 1;
        Pattern k = {.fail = ty_new_label(c), .irrefutable_allowed = branch->guard || last};
        collect(c, &k, branch->pattern);
        k.first = ty_slot(u);
        for (int j = 0; j < k.count && k.count > 0; j++) { /* no temporary in use is without a value */
            ty_emit(c, place, TY_OP_LOAD_NULL, ty_slot(u), 0, 0);
            ty_push(c);
        }
        if (branch->pattern->kind == TY_AST_MatchAs && !TY_AST(MatchAs, branch->pattern)->pattern)
            ty_emit(c, place, TY_OP_NOP, 0, 0, 0);
        pattern(c, &k, branch->pattern, subject);
        for (int j = 0; j < k.count; j++)
            ty_store_variable(c, place, k.names[j], k.first + (uint32_t)j);
        u->top = inside;
        if (branch->guard)
            ty_jump_if(c, branch->guard, false, k.fail);
        ty_statements(c, &branch->body);
        ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, end);
        ty_place_label(c, k.fail);
    }
    u->top = mark;
    ty_place_label(c, end);
}
