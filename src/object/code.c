#include "object/code.h"

#include "object/bytes.h"
#include "object/code_tables.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/instruction_table.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

/* Offsets that Python code sees (co_lines, co_branches, tb_lasti, f_lasti) count two for each word, as if a word were one of CPython's code units;
 * co_positions gives one entry for each word. */
enum { OFFSET_OF_WORD = 2 };

static TyCode *as_code(Value v) { return (TyCode *)ty_object(v); }

/* --- making ----------------------------------------------------------------------------------------------------------- */

static void code_trace(TyObject *self, TyMarker *marker)
{
    TyCode *code = (TyCode *)self;
    Value values[] = {
        code->bytecode, code->handler_bytes, code->depths, code->positions, code->consts, code->names, code->register_names,
        code->register_kinds, code->filename, code->name, code->qualname,
    };
    ty_mark_range(marker, values, TY_COUNT_OF(values));
    ty_caches_drop_closed(code);
    for (TyCaches *caches = ty_load_acquire(&code->caches); caches; caches = ty_load_acquire(&caches->next))
        ty_mark_object(marker, &caches->base);
}

Value ty_code_new(const TyCodeParts *p)
{
    TyCode *code = ty_allocate(&ty_code_type, sizeof *code);
    if (!code)
        return TY_NULL;
    code->flags = p->flags;
    code->positional_count = p->positional_count;
    code->positional_only_count = p->positional_only_count;
    code->keyword_only_count = p->keyword_only_count;
    code->local_count = p->local_count;
    code->cell_count = p->cell_count;
    code->free_count = p->free_count;
    code->register_count = p->register_count;
    code->cache_count = p->cache_count;
    code->first_line = p->first_line;
    ty_store(code, &code->bytecode, p->bytecode);
    ty_store(code, &code->handler_bytes, p->handler_bytes);
    ty_store(code, &code->depths, p->depths);
    ty_store(code, &code->positions, p->positions);
    ty_store(code, &code->consts, p->consts);
    ty_store(code, &code->names, p->names);
    ty_store(code, &code->register_names, p->register_names);
    ty_store(code, &code->register_kinds, p->register_kinds);
    ty_store(code, &code->filename, p->filename);
    ty_store(code, &code->name, p->name);
    ty_store(code, &code->qualname, p->qualname);
    code->instructions = (const TyInstruction *)(const void *)ty_bytes_data(p->bytecode);
    code->instruction_count = (uint32_t)(ty_bytes_length(p->bytecode) / (int64_t)sizeof(TyInstruction));
    code->handlers = (const TyHandler *)(const void *)ty_bytes_data(p->handler_bytes);
    code->handler_count = (uint32_t)(ty_bytes_length(p->handler_bytes) / (int64_t)sizeof(TyHandler));
    return ty_from_object(code);
}

static TyCodeParts parts_of(const TyCode *code)
{
    return (TyCodeParts){
        .flags = code->flags, .positional_count = code->positional_count, .positional_only_count = code->positional_only_count,
        .keyword_only_count = code->keyword_only_count, .local_count = code->local_count, .cell_count = code->cell_count,
        .free_count = code->free_count, .register_count = code->register_count, .cache_count = code->cache_count,
        .first_line = code->first_line, .bytecode = code->bytecode, .handler_bytes = code->handler_bytes, .depths = code->depths,
        .positions = code->positions, .consts = code->consts, .names = code->names, .register_names = code->register_names,
        .register_kinds = code->register_kinds, .filename = code->filename, .name = code->name, .qualname = code->qualname,
    };
}

const TyHandler *ty_code_handler(const TyCode *code, uint32_t instruction)
{
    uint32_t low = 0, high = code->handler_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const TyHandler *handler = &code->handlers[middle];
        if (instruction < handler->start)
            high = middle;
        else if (instruction >= handler->end)
            low = middle + 1;
        else
            return handler;
    }
    return NULL;
}

/* --- verification --------------------------------------------------------------------------------------------------------- */

static bool is_str_tuple(Value v)
{
    if (!ty_is_exact_tuple(v))
        return false;
    for (int64_t i = 0; i < ty_tuple_length(v); i++)
        if (!ty_is_exact_str(ty_tuple_item(v, i)))
            return false;
    return true;
}

static bool verify_shape(const TyCode *code)
{
    uint64_t variables = (uint64_t)code->local_count + code->cell_count + code->free_count;
    uint64_t parameters = (uint64_t)code->positional_count + code->keyword_only_count + !!(code->flags & TY_CODE_VARARGS) + !!(code->flags & TY_CODE_VARKEYWORDS);
    bool types = ty_is_exact(code->bytecode, &ty_bytes_type) && ty_is_exact(code->handler_bytes, &ty_bytes_type) && ty_is_exact(code->depths, &ty_bytes_type)
        && ty_is_exact(code->positions, &ty_bytes_type) && ty_is_exact(code->register_kinds, &ty_bytes_type) && ty_is_exact_tuple(code->consts)
        && is_str_tuple(code->names) && is_str_tuple(code->register_names) && ty_is_str(code->filename) && ty_is_str(code->name) && ty_is_str(code->qualname);
    if (!types)
        return false;
    return ty_bytes_length(code->bytecode) % (int64_t)sizeof(TyInstruction) == 0 && ty_bytes_length(code->bytecode) > (int64_t)sizeof(TyInstruction)
        && (ty_op(code->instructions[0]) == TY_OP_RESUME || ty_op(code->instructions[0]) == TY_OP_BEGIN)
        && ty_bytes_length(code->handler_bytes) % (int64_t)sizeof(TyHandler) == 0 && ty_bytes_length(code->bytecode) / (int64_t)sizeof(TyInstruction) < INT32_MAX
        && (uint64_t)ty_tuple_length(code->register_names) == variables && (uint64_t)ty_bytes_length(code->register_kinds) == variables
        && variables <= code->register_count && code->register_count <= TY_REGISTER_LIMIT && parameters <= code->local_count
        && code->positional_only_count <= code->positional_count;
}

static bool verify_numbers(const TyCode *code, const TyInstruction *at)
{
    TyInstruction w = *at;
    int64_t consts = ty_tuple_length(code->consts);
    switch (ty_op(w)) {
    case TY_OP_LOAD_CONST:
        return ty_op_imm(w) >= 0 && ty_op_imm(w) < consts;
    case TY_OP_MAKE_FUNCTION:
        return ty_op_imm(w) >= 0 && ty_op_imm(w) < consts && ty_is_exact(ty_tuple_item(code->consts, ty_op_imm(w)), &ty_code_type);
    case TY_OP_LOAD_COMMON:
        return (uint32_t)ty_op_imm(w) < TY_COMMON_COUNT;
    case TY_OP_CALL_KW: case TY_OP_CALL_METHOD_KW: {
        if (ty_ext_x(at[1]) >= consts)
            return false;
        Value names = ty_tuple_item(code->consts, ty_ext_x(at[1]));
        return is_str_tuple(names) && ty_tuple_length(names) <= ty_op_c(w);
    }
    case TY_OP_LOAD_SPECIAL:
        return ty_op_c(w) <= TY_SPECIAL_AEXIT;
    case TY_OP_BUILD_SLICE:
        return ty_op_c(w) == 2 || ty_op_c(w) == 3;
    case TY_OP_CONVERT:
        return ty_op_c(w) >= 1 && ty_op_c(w) <= 3;
    case TY_OP_BUILD_INTERPOLATION:
        return ty_op_c(w) <= 3;
    case TY_OP_SET_FUNCTION:
        return ty_op_c(w) <= TY_FUNCTION_ANNOTATE;
    case TY_OP_RAISE:
        return ty_op_c(w) <= 2;
    case TY_OP_GET_AWAITABLE:
        return ty_op_c(w) <= 2;
    case TY_OP_INTRINSIC:
        return ty_op_c(w) <= TY_INTRINSIC_TYPEALIAS;
    case TY_OP_INTRINSIC_TWO:
        return ty_ext_x(at[1]) <= TY_INTRINSIC_TWO_SET_TYPEPARAM_DEFAULT;
    default:
        return true;
    }
}

/* Registers that instructions take for cells must be cells: those of cell and free variables. */
static bool verify_cells(const TyCode *code, TyInstruction w)
{
    uint32_t r;
    switch (ty_op(w)) {
    case TY_OP_MAKE_CELL: case TY_OP_STORE_CELL: case TY_OP_DELETE_CELL:
        r = ty_op_a(w);
        break;
    case TY_OP_LOAD_CELL: case TY_OP_LOAD_CELL_OR_MAPPING:
        r = ty_op_b(w);
        break;
    case TY_OP_CHECK_BOUND:
        return ty_op_a(w) < code->local_count + code->cell_count + code->free_count;
    default:
        return true;
    }
    return r < code->local_count + code->cell_count + code->free_count && (ty_bytes_data(code->register_kinds)[r] & (TY_REGISTER_CELL | TY_REGISTER_FREE));
}

static bool verify_instructions(const TyCode *code, uint8_t *starts)
{
    uint32_t count = code->instruction_count, i = 0;
    uint32_t last_op = TY_OP_NOP;
    while (i < count) {
        const TyInstruction *at = &code->instructions[i];
        uint32_t op = (uint32_t)(*at & 0xFFFF);
        if (op >= TY_OP_COUNT)
            return false;
        const TyFormatInfo *format = ty_op_format((TyOp)op);
        if (i + format->words > count)
            return false;
        if (ty_instruction_reach(at) > code->register_count || !verify_numbers(code, at) || !verify_cells(code, *at))
            return false;
        if (format->name && (ty_ext_x(at[1]) >= ty_tuple_length(code->names) || ty_ext_y(at[1]) >= code->cache_count))
            return false;
        starts[i / 8] |= (uint8_t)(1 << (i % 8));
        i += format->words;
        last_op = op;
    }
    return ty_op_is_terminator((TyOp)last_op); /* nothing runs off the end */
}

static bool is_start(const uint8_t *starts, uint32_t i) { return starts[i / 8] >> (i % 8) & 1; }

static bool verify_jumps(const TyCode *code, const uint8_t *starts)
{
    for (uint32_t i = 0; i < code->instruction_count; ) {
        const TyInstruction *at = &code->instructions[i];
        const TyFormatInfo *format = ty_op_format(ty_op(*at));
        if (format->jump) {
            int64_t jump = format->jump == 1 ? ty_op_imm(*at) : ty_ext_jump(at[1]);
            int64_t target = (int64_t)i + jump;
            if (target < 0 || target >= code->instruction_count || !is_start(starts, (uint32_t)target))
                return false;
            bool is_safepoint = ty_op(*at) == TY_OP_JUMP_BACK || ty_op(*at) == TY_OP_FOR_ITER || (ty_op(*at) >= TY_OP_LOOP_IF_TRUE && ty_op(*at) <= TY_OP_LOOP_IF_GREATER_EQUAL_INT);
            if (jump <= 0 && !is_safepoint)
                return false;
        }
        i += format->words;
    }
    return true;
}

static bool verify_handlers(const TyCode *code, const uint8_t *starts)
{
    uint32_t after = 0;
    for (uint32_t h = 0; h < code->handler_count; h++) {
        const TyHandler *handler = &code->handlers[h];
        if (handler->start < after || handler->end <= handler->start || handler->end > code->instruction_count)
            return false;
        if (handler->target >= code->instruction_count || !is_start(starts, handler->target) || handler->target_register >= code->register_count)
            return false;
        after = handler->end;
    }
    return true;
}

bool ty_code_verify(const TyCode *code)
{
    if (!verify_shape(code))
        return false;
    uint8_t small[512] = {0};
    uint8_t *starts = small;
    if (code->instruction_count > sizeof small * 8) {
        Value bits = ty_bytes_new(NULL, code->instruction_count / 8 + 1);
        if (bits == TY_NULL) {
            ty_clear_exception();
            return false;
        }
        starts = ty_as_bytes(bits)->data;
    }
    return verify_instructions(code, starts) && verify_jumps(code, starts) && verify_handlers(code, starts);
}

/* --- equality ------------------------------------------------------------------------------------------------------------------ */

/* Constants are the same only if their types are too: 1, 1.0 and True are not. */
static int same_constant(Value a, Value b)
{
    if (a == b)
        return 1;
    if (ty_type_of(a) != ty_type_of(b) || !ty_is_object(a))
        return 0;
    if (ty_is_exact_tuple(a)) {
        if (ty_tuple_length(a) != ty_tuple_length(b))
            return 0;
        for (int64_t i = 0; i < ty_tuple_length(a); i++) {
            int same = same_constant(ty_tuple_item(a, i), ty_tuple_item(b, i));
            if (same <= 0)
                return same;
        }
        return 1;
    }
    if (ty_is_exact(a, &ty_complex_type)) {
        TyComplex *x = (TyComplex *)ty_object(a), *y = (TyComplex *)ty_object(b);
        return !memcmp(&x->real, &y->real, sizeof x->real) && !memcmp(&x->imaginary, &y->imaginary, sizeof x->imaginary);
    }
    return ty_equal(a, b);
}

static int same_code(const TyCode *a, const TyCode *b)
{
    if (a->flags != b->flags || a->positional_count != b->positional_count || a->positional_only_count != b->positional_only_count
        || a->keyword_only_count != b->keyword_only_count || a->local_count != b->local_count || a->cell_count != b->cell_count
        || a->free_count != b->free_count || a->first_line != b->first_line)
        return 0;
    Value pairs[][2] = {
        {a->name, b->name}, {a->bytecode, b->bytecode}, {a->names, b->names}, {a->register_names, b->register_names}, {a->register_kinds, b->register_kinds},
        {a->positions, b->positions}, {a->handler_bytes, b->handler_bytes},
    };
    for (size_t i = 0; i < TY_COUNT_OF(pairs); i++) {
        int equal = ty_equal(pairs[i][0], pairs[i][1]);
        if (equal <= 0)
            return equal;
    }
    return same_constant(a->consts, b->consts);
}

static Value code_compare(Value left, Value right, int op)
{
    if (!ty_is_exact(right, &ty_code_type) || (op != TY_EQ && op != TY_NE))
        return TY_NOT_IMPLEMENTED;
    int same = left == right ? 1 : same_code(as_code(left), as_code(right));
    return same < 0 ? TY_NULL : ty_from_bool((op == TY_EQ) == (same != 0));
}

static int64_t code_hash(Value self)
{
    const TyCode *code = as_code(self);
    Value parts[] = {code->name, code->bytecode, code->names, code->register_names, code->positions};
    const uint32_t numbers[] = {code->positional_count, code->positional_only_count, code->keyword_only_count, code->flags, code->first_line, code->local_count};
    uint64_t hash = 20;
    for (size_t i = 0; i < TY_COUNT_OF(numbers); i++)
        hash = (hash ^ numbers[i]) * 1000003u;
    for (size_t i = 0; i < TY_COUNT_OF(parts); i++) {
        int64_t h = ty_hash(parts[i]);
        if (h == -1)
            return -1;
        hash = (hash ^ (uint64_t)h) * 1000003u;
    }
    return (int64_t)hash == -1 ? -2 : (int64_t)hash;
}

/* --- attributes ------------------------------------------------------------------------------------------------------------------ */

static Value code_repr(Value self)
{
    const TyCode *code = as_code(self);
    if (code->first_line == 0)
        return ty_str_format("<code object %U at %p, file \"%U\", line -1>", code->name, (void *)ty_object(self), code->filename);
    return ty_str_format("<code object %U at %p, file \"%U\", line %u>", code->name, (void *)ty_object(self), code->filename, code->first_line);
}

/* The names of the variables of some kind, in the order of their registers. */
static Value names_of_kind(const TyCode *code, uint8_t kind)
{
    int64_t count = 0, total = ty_bytes_length(code->register_kinds);
    const uint8_t *kinds = ty_bytes_data(code->register_kinds);
    for (int64_t i = 0; i < total; i++)
        count += (kinds[i] & kind) != 0;
    Value names = ty_tuple_new(count);
    if (names == TY_NULL)
        return TY_NULL;
    int64_t n = 0;
    for (int64_t i = 0; i < total; i++)
        if (kinds[i] & kind)
            ty_tuple_set(names, n++, ty_tuple_item(code->register_names, i));
    return names;
}

static Value get_argcount(Value self) { return ty_from_immediate_int(as_code(self)->positional_count); }
static Value get_posonlyargcount(Value self) { return ty_from_immediate_int(as_code(self)->positional_only_count); }
static Value get_kwonlyargcount(Value self) { return ty_from_immediate_int(as_code(self)->keyword_only_count); }
static Value get_nlocals(Value self) { return ty_from_immediate_int(as_code(self)->local_count); }
static Value get_flags(Value self) { return ty_from_immediate_int(as_code(self)->flags); }
static Value get_firstlineno(Value self) { return ty_from_immediate_int(as_code(self)->first_line); }
static Value get_code(Value self) { return as_code(self)->bytecode; }
static Value get_consts(Value self) { return as_code(self)->consts; }
static Value get_names(Value self) { return as_code(self)->names; }
static Value get_varnames(Value self) { return names_of_kind(as_code(self), TY_REGISTER_LOCAL); }
static Value get_cellvars(Value self) { return names_of_kind(as_code(self), TY_REGISTER_CELL); }
static Value get_freevars(Value self) { return names_of_kind(as_code(self), TY_REGISTER_FREE); }
static Value get_filename(Value self) { return as_code(self)->filename; }
static Value get_name(Value self) { return as_code(self)->name; }
static Value get_qualname(Value self) { return as_code(self)->qualname; }
static Value get_linetable(Value self) { return as_code(self)->positions; }
static Value get_exceptiontable(Value self) { return as_code(self)->handler_bytes; }

static Value get_stacksize(Value self)
{
    const TyCode *code = as_code(self);
    return ty_from_immediate_int((int64_t)code->register_count - code->local_count - code->cell_count - code->free_count);
}

static Value get_lnotab(Value self)
{
    (void)self;
    if (!ty_warn(&ty_DeprecationWarning, 1, "co_lnotab is deprecated, use co_lines instead."))
        return TY_NULL;
    return ty_bytes_new("", 0);
}

static const TyGetSetDef code_getsets[] = {
    {"co_argcount", get_argcount, NULL, NULL}, {"co_posonlyargcount", get_posonlyargcount, NULL, NULL},
    {"co_kwonlyargcount", get_kwonlyargcount, NULL, NULL}, {"co_nlocals", get_nlocals, NULL, NULL},
    {"co_stacksize", get_stacksize, NULL, "How many temporary registers the code needs."}, {"co_flags", get_flags, NULL, NULL},
    {"co_code", get_code, NULL, "The instructions, eight bytes a word."}, {"_co_code_adaptive", get_code, NULL, NULL},
    {"co_consts", get_consts, NULL, NULL}, {"co_names", get_names, NULL, NULL}, {"co_varnames", get_varnames, NULL, NULL},
    {"co_cellvars", get_cellvars, NULL, NULL}, {"co_freevars", get_freevars, NULL, NULL}, {"co_filename", get_filename, NULL, NULL},
    {"co_name", get_name, NULL, NULL}, {"co_qualname", get_qualname, NULL, NULL}, {"co_firstlineno", get_firstlineno, NULL, NULL},
    {"co_linetable", get_linetable, NULL, "Source positions, in a format of our own."},
    {"co_exceptiontable", get_exceptiontable, NULL, "The handlers, in a format of our own."}, {"co_lnotab", get_lnotab, NULL, NULL}, {0},
};

/* --- positions ---------------------------------------------------------------------------------------------------------------------- */

static Value number_or_none(int number) { return number < 0 ? TY_NONE : ty_from_immediate_int(number); }

static bool append_line(Value list, uint32_t start, uint32_t stop, int line)
{
    if (start == stop)
        return true;
    Value entry = ty_tuple_pack(3, ty_from_immediate_int((int64_t)start * OFFSET_OF_WORD), ty_from_immediate_int((int64_t)stop * OFFSET_OF_WORD), number_or_none(line));
    return entry != TY_NULL && ty_list_append(list, entry);
}

static Value code_lines(Value self, Value *a)
{
    (void)a;
    Value list = ty_list_new(16);
    if (list == TY_NULL)
        return TY_NULL;
    TyPositionReader reader;
    ty_position_reader_init(&reader, as_code(self));
    uint32_t start = 0, stop = 0;
    int line = -2;
    while (ty_position_reader_next(&reader)) {
        if (reader.position.line != line) {
            if (!append_line(list, start, stop, line))
                return TY_NULL;
            start = reader.start;
            line = reader.position.line;
        }
        stop = reader.stop;
    }
    return append_line(list, start, stop, line) ? ty_iter(list) : TY_NULL;
}

static Value code_positions(Value self, Value *a)
{
    (void)a;
    const TyCode *code = as_code(self);
    Value list = ty_list_new(code->instruction_count);
    if (list == TY_NULL)
        return TY_NULL;
    TyPositionReader reader;
    ty_position_reader_init(&reader, code);
    while (ty_position_reader_next(&reader) && reader.start < code->instruction_count) {
        TyPosition p = reader.position;
        Value entry = ty_tuple_pack(4, number_or_none(p.line), number_or_none(p.end_line), number_or_none(p.column), number_or_none(p.end_column));
        if (entry == TY_NULL)
            return TY_NULL;
        for (uint32_t i = reader.start; i < reader.stop && i < code->instruction_count; i++)
            if (!ty_list_append(list, entry))
                return TY_NULL;
    }
    return ty_iter(list);
}

static Value code_branches(Value self, Value *a)
{
    (void)a;
    const TyCode *code = as_code(self);
    Value list = ty_list_new(8);
    if (list == TY_NULL)
        return TY_NULL;
    for (uint32_t i = 0; i < code->instruction_count; ) {
        const TyInstruction *at = &code->instructions[i];
        const TyFormatInfo *format = ty_op_format(ty_op(*at));
        if (format->jump && ty_op(*at) != TY_OP_JUMP && ty_op(*at) != TY_OP_JUMP_BACK) {
            int64_t jump = format->jump == 1 ? ty_op_imm(*at) : ty_ext_jump(at[1]);
            Value fallen = ty_from_immediate_int((int64_t)(i + format->words) * OFFSET_OF_WORD), jumped = ty_from_immediate_int(((int64_t)i + jump) * OFFSET_OF_WORD);
            bool left = ty_op_jumps_left(ty_op(*at));
            Value entry = ty_tuple_pack(3, ty_from_immediate_int((int64_t)i * OFFSET_OF_WORD), left ? jumped : fallen, left ? fallen : jumped);
            if (entry == TY_NULL || !ty_list_append(list, entry))
                return TY_NULL;
        }
        i += format->words;
    }
    return ty_iter(list);
}

static Value code_varname(Value self, Value *a)
{
    int64_t oparg;
    if (!ty_to_int64(a[0], &oparg))
        return TY_NULL;
    if (oparg < 0 || oparg >= ty_tuple_length(as_code(self)->register_names))
        return ty_raise(&ty_IndexError, "tuple index out of range");
    return ty_tuple_item(as_code(self)->register_names, oparg);
}

/* --- construction from Python ----------------------------------------------------------------------------------------------------- */

/* Fills the tables of variables from the tuples that Python code knows. */
static bool set_variables(TyCodeParts *p, Value varnames, Value cellvars, Value freevars)
{
    if (!is_str_tuple(varnames) || !is_str_tuple(cellvars) || !is_str_tuple(freevars)) {
        ty_raise(&ty_TypeError, "name tuples must contain only strings");
        return false;
    }
    int64_t locals = ty_tuple_length(varnames), cells = ty_tuple_length(cellvars), frees = ty_tuple_length(freevars);
    Value list = ty_list_new(locals + cells + frees);
    Value kinds = list == TY_NULL ? TY_NULL : ty_bytes_new(NULL, (size_t)(locals + cells + frees));
    if (kinds == TY_NULL)
        return false;
    uint8_t *kind = ty_as_bytes(kinds)->data;
    int64_t n = 0;
    for (int64_t i = 0; i < locals; i++, n++) {
        kind[n] = TY_REGISTER_LOCAL;
        if (!ty_list_append(list, ty_tuple_item(varnames, i)))
            return false;
    }
    for (int64_t i = 0; i < cells; i++) {
        Value name = ty_tuple_item(cellvars, i);
        int64_t local = 0;
        while (local < locals && (!ty_str_equal(name, ty_tuple_item(varnames, local)) || (kind[local] & TY_REGISTER_CELL)))
            local++;
        if (local < locals) {
            kind[local] |= TY_REGISTER_CELL;
            continue;
        }
        kind[n++] = TY_REGISTER_CELL;
        if (!ty_list_append(list, name))
            return false;
    }
    p->local_count = (uint32_t)locals;
    p->cell_count = (uint32_t)(n - locals);
    p->free_count = (uint32_t)frees;
    for (int64_t i = 0; i < frees; i++) {
        kind[n++] = TY_REGISTER_FREE;
        if (!ty_list_append(list, ty_tuple_item(freevars, i)))
            return false;
    }
    p->register_names = ty_list_to_tuple(list);
    p->register_kinds = ty_bytes_new(kind, (size_t)n);
    return p->register_names != TY_NULL && p->register_kinds != TY_NULL;
}

static bool intern_names(Value *names)
{
    if (!is_str_tuple(*names)) {
        ty_raise(&ty_TypeError, "name tuples must contain only strings");
        return false;
    }
    Value result = ty_tuple_new(ty_tuple_length(*names));
    for (int64_t i = 0; i < ty_tuple_length(*names) && result != TY_NULL; i++)
        ty_tuple_set(result, i, ty_intern(ty_tuple_item(*names, i)));
    *names = result;
    return result != TY_NULL;
}

/* How many caches the instructions name. */
static uint32_t caches_named(Value bytecode)
{
    const TyInstruction *code = (const TyInstruction *)(const void *)ty_bytes_data(bytecode);
    int64_t count = ty_bytes_length(bytecode) / (int64_t)sizeof *code;
    uint32_t caches = 0;
    for (int64_t i = 0; i < count; ) {
        uint32_t op = (uint32_t)(code[i] & 0xFFFF);
        if (op >= TY_OP_COUNT)
            return 0;
        const TyFormatInfo *format = ty_op_format((TyOp)op);
        if (format->name && i + 1 < count && ty_ext_y(code[i + 1]) < (uint64_t)count)
            caches = TY_MAX(caches, ty_ext_y(code[i + 1]) + 1);
        i += format->words;
    }
    return caches;
}

static Value checked_code(const TyCodeParts *parts)
{
    Value code = ty_code_new(parts);
    if (code == TY_NULL)
        return TY_NULL;
    if (!ty_code_verify(as_code(code)))
        return ty_raise(&ty_ValueError, "code: the instructions do not fit the tables");
    return code;
}

static bool count_argument(Value v, const char *name, uint32_t *out)
{
    int64_t number;
    if (!ty_to_int64(v, &number))
        return false;
    if (number < 0) {
        ty_raise(&ty_ValueError, "code: %s must not be negative", name);
        return false;
    }
    if (number > INT32_MAX) {
        ty_raise(&ty_OverflowError, "Python int too large to convert to C int");
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static bool require(bool condition, const char *name, const char *type, Value v)
{
    if (!condition)
        ty_raise(&ty_TypeError, "code() argument '%s' must be %s, not %T", name, type, v);
    return condition;
}

static bool check_variable_count(uint32_t nlocals, Value varnames)
{
    if (ty_is_exact_tuple(varnames) && ty_tuple_length(varnames) == nlocals)
        return true;
    ty_raise(&ty_ValueError, "code: co_nlocals != len(co_varnames)");
    return false;
}

static bool check_parameters(const TyCodeParts *p)
{
    uint64_t total = (uint64_t)p->positional_count + p->keyword_only_count + !!(p->flags & TY_CODE_VARARGS) + !!(p->flags & TY_CODE_VARKEYWORDS);
    if (p->positional_only_count <= p->positional_count && total <= p->local_count)
        return true;
    ty_raise(&ty_ValueError, "code: co_varnames is too small");
    return false;
}

static bool check_types(const TyCodeParts *p)
{
    return require(ty_is_exact(p->bytecode, &ty_bytes_type), "codestring", "bytes", p->bytecode) && require(ty_is_exact_tuple(p->consts), "constants", "tuple", p->consts)
        && require(ty_is_exact_tuple(p->names), "names", "tuple", p->names) && require(ty_is_str(p->filename), "filename", "str", p->filename)
        && require(ty_is_str(p->name), "name", "str", p->name) && require(ty_is_str(p->qualname), "qualname", "str", p->qualname)
        && require(ty_is_exact(p->positions, &ty_bytes_type), "linetable", "bytes", p->positions)
        && require(ty_is_exact(p->handler_bytes, &ty_bytes_type), "exceptiontable", "bytes", p->handler_bytes);
}

static Value code_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE(
        "code(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, codestring, constants, names, varnames, "
        "filename, name, qualname, firstlineno, linetable, exceptiontable, freevars=(), cellvars=(), /)");
    (void)type;
    Value a[18] = {0};
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return TY_NULL;
    TyCodeParts p = {.bytecode = a[6], .consts = a[7], .names = a[8], .filename = a[10], .name = a[11], .qualname = a[12], .positions = a[14], .handler_bytes = a[15]};
    uint32_t nlocals, stack_size;
    if (!count_argument(a[0], "argcount", &p.positional_count) || !count_argument(a[1], "posonlyargcount", &p.positional_only_count)
        || !count_argument(a[2], "kwonlyargcount", &p.keyword_only_count) || !count_argument(a[3], "nlocals", &nlocals)
        || !count_argument(a[4], "stacksize", &stack_size) || !count_argument(a[5], "flags", &p.flags) || !count_argument(a[13], "firstlineno", &p.first_line))
        return TY_NULL;
    Value empty = ty_tuple_empty();
    if (!check_types(&p) || !intern_names(&p.names) || !set_variables(&p, a[9], a[17] == TY_NULL ? empty : a[17], a[16] == TY_NULL ? empty : a[16]))
        return TY_NULL;
    if (!check_variable_count(nlocals, a[9]) || !check_parameters(&p))
        return TY_NULL;
    p.register_count = p.local_count + p.cell_count + p.free_count + stack_size;
    p.cache_count = caches_named(p.bytecode);
    p.depths = ty_bytes_new("", 0);
    return p.depths == TY_NULL ? TY_NULL : checked_code(&p);
}

/* --- replace ---------------------------------------------------------------------------------------------------------------------------- */

enum {
    R_ARGCOUNT, R_POSONLYARGCOUNT, R_KWONLYARGCOUNT, R_NLOCALS, R_STACKSIZE, R_FLAGS, R_FIRSTLINENO, R_CODE, R_CONSTS, R_NAMES, R_VARNAMES,
    R_FREEVARS, R_CELLVARS, R_FILENAME, R_NAME, R_QUALNAME, R_LINETABLE, R_EXCEPTIONTABLE, R_COUNT
};

static Value code_replace(Value self, Value *a)
{
    const TyCode *code = as_code(self);
    TyCodeParts p = parts_of(code);
    struct { int index; const char *name; uint32_t *field; } numbers[] = {
        {R_ARGCOUNT, "argcount", &p.positional_count}, {R_POSONLYARGCOUNT, "posonlyargcount", &p.positional_only_count},
        {R_KWONLYARGCOUNT, "kwonlyargcount", &p.keyword_only_count}, {R_FLAGS, "flags", &p.flags}, {R_FIRSTLINENO, "firstlineno", &p.first_line},
    };
    for (size_t i = 0; i < TY_COUNT_OF(numbers); i++)
        if (a[numbers[i].index] != TY_NULL && !count_argument(a[numbers[i].index], numbers[i].name, numbers[i].field))
            return TY_NULL;
    struct { int index; Value *field; } values[] = {
        {R_CODE, &p.bytecode}, {R_CONSTS, &p.consts}, {R_NAMES, &p.names}, {R_FILENAME, &p.filename}, {R_NAME, &p.name}, {R_QUALNAME, &p.qualname},
        {R_LINETABLE, &p.positions}, {R_EXCEPTIONTABLE, &p.handler_bytes},
    };
    for (size_t i = 0; i < TY_COUNT_OF(values); i++)
        if (a[values[i].index] != TY_NULL)
            *values[i].field = a[values[i].index];
    if (!check_types(&p))
        return TY_NULL;
    if (a[R_NAMES] != TY_NULL && !intern_names(&p.names))
        return TY_NULL;
    uint32_t nlocals = p.local_count, temporaries = code->register_count - code->local_count - code->cell_count - code->free_count;
    if (a[R_NLOCALS] != TY_NULL && !count_argument(a[R_NLOCALS], "nlocals", &nlocals))
        return TY_NULL;
    if (a[R_STACKSIZE] != TY_NULL && !count_argument(a[R_STACKSIZE], "stacksize", &temporaries))
        return TY_NULL;
    if (a[R_VARNAMES] != TY_NULL || a[R_CELLVARS] != TY_NULL || a[R_FREEVARS] != TY_NULL) {
        Value varnames = a[R_VARNAMES] != TY_NULL ? a[R_VARNAMES] : get_varnames(self);
        Value cellvars = a[R_CELLVARS] != TY_NULL ? a[R_CELLVARS] : get_cellvars(self);
        Value freevars = a[R_FREEVARS] != TY_NULL ? a[R_FREEVARS] : get_freevars(self);
        if (varnames == TY_NULL || cellvars == TY_NULL || freevars == TY_NULL || !require(ty_is_exact_tuple(varnames), "varnames", "tuple", varnames))
            return TY_NULL;
        if (!check_variable_count(nlocals, varnames) || !set_variables(&p, varnames, cellvars, freevars))
            return TY_NULL;
    } else if (nlocals != p.local_count) {
        return ty_raise(&ty_ValueError, "code: co_nlocals != len(co_varnames)");
    }
    if (!check_parameters(&p))
        return TY_NULL;
    p.register_count = p.local_count + p.cell_count + p.free_count + temporaries;
    if (a[R_CODE] != TY_NULL) {
        p.cache_count = TY_MAX(p.cache_count, caches_named(p.bytecode));
        p.depths = ty_bytes_new("", 0); /* everything is then taken for alive */
        if (p.depths == TY_NULL)
            return TY_NULL;
    }
    return checked_code(&p);
}

#define REPLACE_PARAMETERS \
    "*, co_argcount=None, co_posonlyargcount=None, co_kwonlyargcount=None, co_nlocals=None, co_stacksize=None, co_flags=None, " \
    "co_firstlineno=None, co_code=None, co_consts=None, co_names=None, co_varnames=None, co_freevars=None, co_cellvars=None, " \
    "co_filename=None, co_name=None, co_qualname=None, co_linetable=None, co_exceptiontable=None)"

static Value code_sizeof(Value self, Value *a)
{
    (void)a;
    const TyCode *code = as_code(self);
    return ty_int_from_int64((int64_t)sizeof *code + ty_bytes_length(code->bytecode) + ty_bytes_length(code->positions));
}

static const TyNativeDef code_methods[] = {
    TY_METHOD("co_lines(self)", code_lines, "Iterates over (start, end, line) for the ranges of instructions of each line."),
    TY_METHOD("co_positions(self)", code_positions, "Iterates over (line, end line, column, end column) of each word of the instructions."),
    TY_METHOD("co_branches(self)", code_branches, "Iterates over (source, left, right) of the conditional jumps, as sys.monitoring tells of them."),
    TY_METHOD("_varname_from_oparg(self, oparg)", code_varname, "The name of the variable in a register."),
    TY_METHOD("replace(self, " REPLACE_PARAMETERS, code_replace, "A copy with new values for some of its attributes."),
    TY_METHOD("__replace__(self, " REPLACE_PARAMETERS, code_replace, "The same as replace()."),
    TY_METHOD("__sizeof__(self)", code_sizeof, "Size in memory, in bytes."),
    {0},
};

TyType ty_code_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyCode), .trace = code_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_WEAKREFABLE,
    .name = "code",
    .doc = "Code object: what the compiler makes of a module, class or function. Immutable.",
    .parent = &ty_object_type_,
    .slots = {.repr = code_repr, .hash = code_hash, .compare = code_compare, .new = code_new},
    .methods = code_methods,
    .getsets = code_getsets,
};

void ty_code_set_filename(TyCode *code, Value filename)
{
    ty_store_publish(code, &code->filename, filename);
    for (int64_t i = 0; i < ty_tuple_length(code->consts); i++) {
        Value constant = ty_tuple_item(code->consts, i);
        if (ty_is_exact(constant, &ty_code_type))
            ty_code_set_filename((TyCode *)ty_object(constant), filename);
    }
}
