/* Trees as objects, and back. Both ways walk the table of syntax. */
#include "modules/ast/ast_objects.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/str.h"
#include "object/tuple.h"
#include "syntax/validate.h"

#include <stdio.h>

/* --- tree to objects ------------------------------------------------------------------------------------- */

static Value node_object(Value *state, const TyNode *node);

static Value choice_object(Value *state, TyAstSum sum, int choice)
{
    return state[TY_AST_STATE_SINGLETONS + ty_ast_first_choice(sum) + choice];
}

static Value list_object(Value *state, const TyAstField *field, const char *place)
{
    const TyNodeList *list = (const TyNodeList *)place; /* all lists have their count at the same place */
    Value result = ty_list_new(list->count);
    for (int i = 0; result != TY_NULL && i < list->count; i++) {
        Value item;
        if (field->type == TY_AST_SUM_identifier)
            item = ((const TyIdentifierList *)place)->items[i];
        else if (ty_ast_sums[field->type].form == TY_AST_IS_ENUM)
            item = choice_object(state, field->type, ((const TyOperatorList *)place)->items[i]);
        else
            item = node_object(state, list->items[i]);
        if (item == TY_NULL || !ty_list_append(result, item))
            return TY_NULL;
    }
    return result;
}

static Value field_object(Value *state, const TyAstField *field, const char *place)
{
    if (field->arity >= TY_AST_IS_LIST)
        return list_object(state, field, place);
    if (field->type == TY_AST_SUM_int)
        return ty_int_from_int64(*(const int *)place);
    if (ty_ast_sums[field->type].form == TY_AST_IS_ENUM)
        return choice_object(state, field->type, *(const int *)place);
    if (ty_ast_sums[field->type].form == TY_AST_IS_PRIMITIVE) {
        Value value = *(const Value *)place;
        return value == TY_NULL ? TY_NONE : value;
    }
    return node_object(state, *(TyNode *const *)place);
}

static bool set_positions(Value object, const TyNode *node)
{
    return ty_generic_set_attribute(object, TY_NAME("lineno"), ty_int_from_int64(node->lineno)) &&
           ty_generic_set_attribute(object, TY_NAME("col_offset"), ty_int_from_int64(node->col_offset)) &&
           ty_generic_set_attribute(object, TY_NAME("end_lineno"), ty_int_from_int64(node->end_lineno)) &&
           ty_generic_set_attribute(object, TY_NAME("end_col_offset"), ty_int_from_int64(node->end_col_offset));
}

static Value node_object(Value *state, const TyNode *node)
{
    if (!node)
        return TY_NONE;
    if (ty_c_stack_low())
        return ty_raise_recursion_error(" during ast construction");
    const TyAstKindInfo *kind = &ty_ast_kinds[node->kind];
    Value object = ty_type_allocate(ty_as_type(state[TY_AST_STATE_KINDS + node->kind]), 0);
    if (object == TY_NULL)
        return TY_NULL;
    for (int i = 0; i < kind->field_count; i++) {
        Value value = field_object(state, &kind->fields[i], (const char *)node + kind->fields[i].offset);
        if (value == TY_NULL || !ty_generic_set_attribute(object, ty_ast_field_name(node->kind, i), value))
            return TY_NULL;
    }
    return !ty_ast_sums[kind->sum].has_position || set_positions(object, node) ? object : TY_NULL;
}

Value ty_ast_to_object(const TyAst *ast)
{
    Value *state = ty_ast_state();
    return state ? node_object(state, ast->root) : TY_NULL;
}

/* --- objects to tree ---------------------------------------------------------------------------------------- */

typedef struct Reader {
    TyAst *ast;
    Value *state;
} Reader;

static bool read_node(Reader *r, TyAstSum sum, Value object, TyNode **result);

static bool read_int(Value object, int *result)
{
    int64_t number;
    if (!ty_is_int(object)) {
        ty_raise(&ty_ValueError, "invalid integer value: %R", object);
        return false;
    }
    if (ty_int_get_int64(object, &number) != 0 || number != (int)number) {
        ty_raise(&ty_OverflowError, "Python int too large to convert to C int");
        return false;
    }
    *result = (int)number;
    return true;
}

static bool read_value(Reader *r, TyAstSum type, Value object, Value *result)
{
    *result = TY_NULL;
    if (type == TY_AST_SUM_constant) {
        *result = object;
    } else if (object != TY_NONE) {
        if (!ty_is_exact_str(object) && !(type == TY_AST_SUM_string && ty_is_exact(object, &ty_bytes_type))) {
            ty_raise(&ty_TypeError, "AST %s must be of type str", type == TY_AST_SUM_identifier ? "identifier" : "string");
            return false;
        }
        *result = type == TY_AST_SUM_identifier ? ty_intern(object) : object;
        if (*result == TY_NULL)
            return false;
    }
    return *result == TY_NULL || ty_ast_keep(r->ast, *result);
}

static bool read_choice(Reader *r, TyAstSum sum, Value object, int *result)
{
    int first = ty_ast_first_choice(sum);
    for (int i = 0; i < ty_ast_sums[sum].choice_count; i++) {
        int is = ty_isinstance(object, r->state[TY_AST_STATE_CHOICES + first + i]);
        if (is < 0)
            return false;
        if (is) {
            *result = i;
            return true;
        }
    }
    ty_raise(&ty_TypeError, "expected some sort of %s, but got %R", ty_ast_sums[sum].name, object);
    return false;
}

static bool read_list(Reader *r, const char *kind, const TyAstField *field, Value object, char *place)
{
    TyNodeList *list = (TyNodeList *)place;
    if (object == TY_NULL)
        return true;
    if (!ty_is_list(object)) {
        ty_raise(&ty_TypeError, "%s field \"%s\" must be a list, not a %T", kind, field->name, object);
        return false;
    }
    Value items = ty_sequence_tuple(object);
    if (items == TY_NULL)
        return false;
    int64_t count = ty_tuple_length(items);
    if (count > INT32_MAX) {
        ty_raise_memory_error();
        return false;
    }
    if (!count)
        return true;
    bool is_enum = ty_ast_sums[field->type].form == TY_AST_IS_ENUM;
    void *memory = ty_arena_allocate_zeroed(&r->ast->arena, (size_t)count * (is_enum ? 1 : 8));
    if (!memory) {
        ty_raise_memory_error();
        return false;
    }
    list->items = memory;
    list->count = (int32_t)count;
    for (int64_t i = 0; i < count; i++) {
        Value item = ty_tuple_item(items, i);
        bool good;
        if (is_enum) {
            int choice = 0;
            good = read_choice(r, field->type, item, &choice);
            ((uint8_t *)memory)[i] = (uint8_t)choice;
        } else if (field->type == TY_AST_SUM_identifier) {
            good = item != TY_NONE ? read_value(r, field->type, item, (Value *)memory + i)
                                   : (ty_raise(&ty_TypeError, "AST identifier must be of type str"), false);
        } else {
            good = read_node(r, field->type, item, (TyNode **)memory + i);
        }
        if (!good)
            return false;
    }
    return true;
}

/* One field; object TY_NULL: the attribute is missing. */
static bool read_field(Reader *r, TyAstKind kind_number, const TyAstField *field, Value object, char *place)
{
    const char *kind = ty_ast_kinds[kind_number].name;
    if (field->arity >= TY_AST_IS_LIST)
        return read_list(r, kind, field, object, place);
    bool optional = field->arity == TY_AST_IS_OPTIONAL;
    if (object == TY_NULL) {
        /* A context left out is Load, which is 0. */
        if (optional || field->type == TY_AST_SUM_expr_context)
            return true;
        ty_raise(&ty_TypeError, "required field \"%s\" missing from %s", field->name, kind);
        return false;
    }
    if (object == TY_NONE && optional && field->type != TY_AST_SUM_constant)
        return true;
    if (object == TY_NONE && field->type != TY_AST_SUM_constant && field->type != TY_AST_SUM_int) {
        ty_raise(&ty_ValueError, "field '%s' is required for %s", field->name, kind);
        return false;
    }
    if (field->type == TY_AST_SUM_int)
        return read_int(object, (int *)place);
    if (ty_ast_sums[field->type].form == TY_AST_IS_ENUM)
        return read_choice(r, field->type, object, (int *)place);
    if (ty_ast_sums[field->type].form == TY_AST_IS_PRIMITIVE)
        return read_value(r, field->type, object, (Value *)place);
    return read_node(r, field->type, object, (TyNode **)place);
}

/* A place in the source: required, or taken from the default. */
static bool read_position(Value object, Value name, const char *sum, int32_t *result, const int32_t *otherwise)
{
    bool failed;
    Value value = ty_get_attribute_or_null(object, name, &failed);
    if (failed)
        return false;
    if (value == TY_NULL && !otherwise) {
        ty_raise(&ty_TypeError, "required field \"%U\" missing from %s", name, sum);
        return false;
    }
    if (value == TY_NULL || (value == TY_NONE && otherwise)) {
        *result = *otherwise;
        return true;
    }
    int number;
    if (!read_int(value, &number))
        return false;
    *result = number;
    return true;
}

static bool read_positions(Value object, const char *sum, TyNode *node)
{
    return read_position(object, TY_NAME("lineno"), sum, &node->lineno, NULL) &&
           read_position(object, TY_NAME("col_offset"), sum, &node->col_offset, NULL) &&
           read_position(object, TY_NAME("end_lineno"), sum, &node->end_lineno, &node->lineno) &&
           read_position(object, TY_NAME("end_col_offset"), sum, &node->end_col_offset, &node->col_offset);
}

/* The kind of an object among those of a family; -1: an exception, TY_AST_KIND_COUNT: none. */
static int kind_of(Reader *r, TyAstSum sum, Value object)
{
    Value type = ty_from_object(ty_type_of(object));
    for (int k = 0; k < TY_AST_KIND_COUNT; k++)
        if (ty_ast_kinds[k].sum == sum && r->state[TY_AST_STATE_KINDS + k] == type)
            return k;
    for (int k = 0; k < TY_AST_KIND_COUNT; k++) {
        if (ty_ast_kinds[k].sum != sum)
            continue;
        int is = ty_isinstance(object, r->state[TY_AST_STATE_KINDS + k]);
        if (is)
            return is < 0 ? -1 : k;
    }
    return TY_AST_KIND_COUNT;
}

static bool read_node(Reader *r, TyAstSum sum, Value object, TyNode **result)
{
    *result = NULL;
    if (object == TY_NONE)
        return true;
    if (ty_c_stack_low()) {
        char where[64];
        snprintf(where, sizeof where, " while traversing '%s' node", ty_ast_sums[sum].name);
        ty_raise_recursion_error(where);
        return false;
    }
    TyNode positions = {0};
    bool is_product = ty_ast_sums[sum].form == TY_AST_IS_PRODUCT;
    /* Families say where they are before it is seen which kind it is; single kinds after their fields. */
    if (!is_product && ty_ast_sums[sum].has_position && !read_positions(object, ty_ast_sums[sum].name, &positions))
        return false;
    int number = is_product ? 0 : kind_of(r, sum, object);
    if (is_product)
        while (ty_ast_kinds[number].sum != sum)
            number++;
    if (number < 0)
        return false;
    if (number == TY_AST_KIND_COUNT) {
        ty_raise(&ty_TypeError, "expected some sort of %s, but got %R", ty_ast_sums[sum].name, object);
        return false;
    }
    TyNode *node = ty_ast_new_node(r->ast, number, NULL);
    if (!node)
        return false;
    const TyAstKindInfo *kind = &ty_ast_kinds[number];
    for (int i = 0; i < kind->field_count; i++) {
        bool failed;
        Value value = ty_get_attribute_or_null(object, ty_ast_field_name(number, i), &failed);
        if (failed || !read_field(r, number, &kind->fields[i], value, (char *)node + kind->fields[i].offset))
            return false;
    }
    if (is_product && ty_ast_sums[sum].has_position && !read_positions(object, ty_ast_sums[sum].name, &positions))
        return false;
    node->lineno = positions.lineno;
    node->col_offset = positions.col_offset;
    node->end_lineno = positions.end_lineno;
    node->end_col_offset = positions.end_col_offset;
    *result = node;
    return true;
}

bool ty_ast_check_mode(Value object, TyParseMode mode)
{
    static const TyAstKind wanted[] = {
        [TY_PARSE_FILE] = TY_AST_Module,
        [TY_PARSE_EXPRESSION] = TY_AST_Expression,
        [TY_PARSE_INTERACTIVE] = TY_AST_Interactive,
        [TY_PARSE_FUNCTION_TYPE] = TY_AST_FunctionType,
    };
    Value *state = ty_ast_state();
    int is = state ? ty_isinstance(object, state[TY_AST_STATE_KINDS + wanted[mode]]) : -1;
    if (is == 0)
        ty_raise(&ty_TypeError, "expected %s node, got %s", ty_ast_kinds[wanted[mode]].name, ty_type_of(object)->name);
    return is == 1;
}

TyAst *ty_ast_from_object(Value object, TyParseMode mode)
{
    if (!ty_ast_check_mode(object, mode))
        return NULL;
    Reader reader = {.ast = ty_ast_new(), .state = ty_ast_state()};
    if (!reader.ast || !reader.state)
        return NULL;
    if (read_node(&reader, TY_AST_SUM_mod, object, &reader.ast->root) && ty_ast_validate(reader.ast->root))
        return reader.ast;
    ty_ast_free(reader.ast);
    return NULL;
}
