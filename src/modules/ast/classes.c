/* ast.AST and the classes derived from the table of syntax. */
#include "modules/ast/ast_objects.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/list.h"
#include "object/recursion.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

#define INLINE_ATTRIBUTES 8
#define REPR_DEPTH 3

typedef struct Node {
    TyObject base;
    Value spill;
    Value slots[INLINE_ATTRIBUTES];
} Node;

/* --- what a class says of its instances --------------------------------------------------------------------- */

/* An attribute of the class that is a tuple or list of names: a tuple; empty if there is none. */
static Value names_of(Value self, Value attribute)
{
    bool failed;
    Value names = ty_get_attribute_or_null(ty_from_object(ty_type_of(self)), attribute, &failed);
    if (failed)
        return TY_NULL;
    return names == TY_NULL ? ty_tuple_empty() : ty_sequence_tuple(names);
}

static Value fields_of(Value self) { return names_of(self, TY_NAME("_fields")); }

static int64_t index_of(Value names, Value name)
{
    for (int64_t i = 0; i < ty_tuple_length(names); i++) {
        Value item = ty_tuple_item(names, i);
        if (item == name || (ty_is_str(item) && ty_is_str(name) && ty_str_equal(item, name)))
            return i;
    }
    return -1;
}

static bool is_union(Value type)
{
    return ty_is_object(type) && strcmp(ty_type_short_name(ty_type_of(type)), "Union") == 0;
}

/* --- making ---------------------------------------------------------------------------------------------------- */

static Value node_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return ty_type_allocate(type, 0); }

static bool set_positional(Value self, Value fields, const Value *arguments, size_t count)
{
    const char *name = ty_type_of(self)->name;
    int64_t length = ty_tuple_length(fields);
    if ((int64_t)count > length) {
        ty_raise(&ty_TypeError, "%s constructor takes at most %zu positional argument%s", name, (size_t)length, length == 1 ? "" : "s");
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (!ty_set_attribute(self, ty_tuple_item(fields, (int64_t)i), arguments[i]))
            return false;
    return true;
}

static bool set_keywords(Value self, Value fields, const Value *values, size_t positional, Value keywords, bool *given)
{
    const char *name = ty_type_of(self)->name;
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++) {
        Value keyword = ty_tuple_item(keywords, i);
        int64_t index = index_of(fields, keyword);
        if (index >= 0) {
            if (index < (int64_t)positional) {
                ty_raise(&ty_TypeError, "%s got multiple values for argument %R", name, keyword);
                return false;
            }
            given[index] = true;
        } else {
            Value attributes = names_of(self, TY_NAME("_attributes"));
            if (attributes == TY_NULL)
                return false;
            if (index_of(attributes, keyword) < 0 &&
                !ty_warn(&ty_DeprecationWarning, 1,
                         "%s.__init__ got an unexpected keyword argument %R. Support for arbitrary keyword arguments is deprecated and will be "
                         "removed in Python 3.15.", name, keyword))
                return false;
        }
        if (!ty_set_attribute(self, keyword, values[i]))
            return false;
    }
    return true;
}

/* A field that was not given: lists are empty, contexts Load, optional ones None by the class; the others are missed. */
static bool set_missing(Value self, Value field_types, Value field)
{
    const char *name = ty_type_of(self)->name;
    Value type = ty_get_item(field_types, field);
    if (type == TY_NULL) {
        if (!ty_raised_is(&ty_KeyError))
            return false;
        ty_clear_exception();
        return ty_warn(&ty_DeprecationWarning, 1, "Field %R is missing from %s._field_types. This will become an error in Python 3.15.", field, name);
    }
    if (is_union(type))
        return true;
    if (ty_is_exact(type, &ty_generic_alias_type)) {
        Value list = ty_list_new(0);
        return list != TY_NULL && ty_set_attribute(self, field, list);
    }
    Value *state = ty_ast_state();
    if (!state)
        return false;
    if (type == state[TY_AST_STATE_SUMS + TY_AST_SUM_expr_context])
        return ty_set_attribute(self, field, state[TY_AST_STATE_SINGLETONS + ty_ast_first_choice(TY_AST_SUM_expr_context) + TY_AST_Load]);
    return ty_warn(&ty_DeprecationWarning, 1,
                   "%s.__init__ missing 1 required positional argument: '%U'. This will become an error in Python 3.15.", name, field);
}

static bool node_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    Value fields = fields_of(self);
    if (fields == TY_NULL || !set_positional(self, fields, arguments, count))
        return false;
    int64_t length = ty_tuple_length(fields);
    bool given_few[32] = {false};
    Value given_many = TY_NULL; /* memory for classes with more fields */
    bool *given = given_few;
    if (length > 32) {
        given_many = ty_str_allocate(length, 0xFF);
        if (given_many == TY_NULL)
            return false;
        given = (bool *)ty_as_str(given_many)->data;
        memset(given, 0, (size_t)length);
    }
    if (!set_keywords(self, fields, arguments + count, count, keywords, given))
        return false;
    bool complete = true;
    for (int64_t i = (int64_t)count; i < length; i++)
        complete &= given[i];
    if (complete)
        return true;
    bool failed;
    Value field_types = ty_get_attribute_or_null(ty_from_object(ty_type_of(self)), TY_NAME("_field_types"), &failed);
    if (failed || field_types == TY_NULL)
        return !failed;
    for (int64_t i = (int64_t)count; i < length; i++)
        if (!given[i] && !set_missing(self, field_types, ty_tuple_item(fields, i)))
            return false;
    return true;
}

/* --- text -------------------------------------------------------------------------------------------------------- */

static bool add_repr(TyStrBuilder *text, Value self, int depth);

static bool add_value_repr(TyStrBuilder *text, Value value, int depth)
{
    if (ty_is_ast(value))
        return add_repr(text, value, depth);
    return ty_builder_add_repr(text, value);
}

/* The first and the last item. */
static bool add_items_repr(TyStrBuilder *text, Value items, int depth)
{
    bool is_list = ty_is_list(items);
    Value tuple = ty_sequence_tuple(items);
    if (tuple == TY_NULL || !ty_builder_add_char(text, is_list ? '[' : '('))
        return false;
    int64_t length = ty_tuple_length(tuple);
    if (length > 0 && !add_value_repr(text, ty_tuple_item(tuple, 0), depth))
        return false;
    if (length > 2 && !ty_builder_add_text(text, ", ..."))
        return false;
    if (length > 1 && !(ty_builder_add_text(text, ", ") && add_value_repr(text, ty_tuple_item(tuple, length - 1), depth)))
        return false;
    return ty_builder_add_char(text, is_list ? ']' : ')');
}

static bool add_fields_repr(TyStrBuilder *text, Value self, Value fields, int depth)
{
    for (int64_t i = 0; i < ty_tuple_length(fields); i++) {
        Value name = ty_tuple_item(fields, i), value = ty_get_attribute(self, name);
        if (value == TY_NULL || (i && !ty_builder_add_text(text, ", ")) || !ty_builder_add(text, name) || !ty_builder_add_char(text, '='))
            return false;
        bool added = ty_is_list(value) || ty_is_tuple(value) ? add_items_repr(text, value, depth - 1) : add_value_repr(text, value, depth - 1);
        if (!added)
            return false;
    }
    return true;
}

static bool add_repr(TyStrBuilder *text, Value self, int depth)
{
    TyReprGuard guard;
    Value fields = fields_of(self);
    if (fields == TY_NULL || !ty_builder_add(text, ty_str_from_text(ty_type_of(self)->name)))
        return false;
    if (depth <= 0)
        return ty_builder_add_text(text, "(...)");
    if (!ty_repr_enter(&guard, self))
        return !ty_raised() && ty_builder_add_text(text, "(...)");
    bool added = ty_builder_add_char(text, '(') && add_fields_repr(text, self, fields, depth) && ty_builder_add_char(text, ')');
    ty_repr_leave(&guard);
    return added;
}

static Value node_repr(Value self)
{
    TyStrBuilder text = {0};
    return add_repr(&text, self, REPR_DEPTH) ? ty_builder_finish(&text) : TY_NULL;
}

/* --- pickling and replacing ------------------------------------------------------------------------------------------ */

/* None for each leading field that is set, so that the constructor does not miss it; then the attributes. */
static Value node_reduce(Value self, Value *a)
{
    Value fields = fields_of(self), dict = ty_attributes_copy_dict(ty_object(self), ty_type_of(self));
    if (fields == TY_NULL || dict == TY_NULL)
        return TY_NULL;
    int64_t count = 0;
    for (; count < ty_tuple_length(fields); count++) {
        int present = ty_dict_contains(dict, ty_tuple_item(fields, count));
        if (present < 0)
            return TY_NULL;
        if (!present)
            break;
    }
    Value arguments = ty_tuple_new(count);
    if (arguments == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < count; i++)
        ty_tuple_set(arguments, i, TY_NONE);
    return ty_tuple_pack(3, ty_from_object(ty_type_of(self)), arguments, dict);
}

/* Whether a field may be left out of a copy. */
static bool may_be_missing(Value self, Value field)
{
    bool failed;
    Value types = ty_get_attribute_or_null(ty_from_object(ty_type_of(self)), TY_NAME("_field_types"), &failed);
    Value type = types != TY_NULL ? ty_get_item(types, field) : TY_NULL;
    if (type == TY_NULL)
        ty_clear_exception();
    return type != TY_NULL && is_union(type);
}

/* The fields and positions among an instance's attributes: what a copy keeps. */
static Value known_attributes(Value self)
{
    Value all = ty_attributes_copy_dict(ty_object(self), ty_type_of(self)), known = ty_dict_new(), key, value;
    Value fields = fields_of(self), attributes = names_of(self, TY_NAME("_attributes"));
    if (all == TY_NULL || known == TY_NULL || fields == TY_NULL || attributes == TY_NULL)
        return TY_NULL;
    int64_t position = 0;
    while (ty_dict_next(all, &position, &key, &value))
        if ((index_of(fields, key) >= 0 || index_of(attributes, key) >= 0) && !ty_dict_set(known, key, value))
            return TY_NULL;
    return known;
}

static bool check_replacement(Value self, Value dict, Value changes)
{
    const char *name = ty_type_of(self)->name;
    Value fields = fields_of(self), attributes = names_of(self, TY_NAME("_attributes")), key;
    if (fields == TY_NULL || attributes == TY_NULL)
        return false;
    int64_t position = 0;
    while (ty_dict_next(changes, &position, &key, NULL))
        if (index_of(fields, key) < 0 && index_of(attributes, key) < 0) {
            ty_raise(&ty_TypeError, "%s.__replace__ got an unexpected keyword argument %R.", name, key);
            return false;
        }
    Value missing = ty_list_new(0);
    for (int64_t i = 0; missing != TY_NULL && i < ty_tuple_length(fields); i++) {
        Value field = ty_tuple_item(fields, i);
        if (ty_dict_contains(dict, field) == 0 && ty_dict_contains(changes, field) == 0 && !may_be_missing(self, field)) {
            Value repr = ty_repr(field);
            if (repr == TY_NULL || !ty_list_append(missing, repr))
                return false;
        }
    }
    if (missing == TY_NULL)
        return false;
    int64_t count = ty_list_length(missing);
    if (!count)
        return true;
    Value names = ty_list_sort(missing, TY_NULL, false) ? ty_str_join(ty_str_from_text(", "), missing) : TY_NULL;
    if (names != TY_NULL)
        ty_raise(&ty_TypeError, "%s.__replace__ missing %lld keyword argument%s: %U.", name, (long long)count, count == 1 ? "" : "s", names);
    return false;
}

static Value node_replace(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (count > 0)
        return ty_raise(&ty_TypeError, "__replace__() takes no positional arguments");
    Value dict = known_attributes(self), changes = ty_dict_new();
    if (dict == TY_NULL || changes == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++)
        if (!ty_dict_set(changes, ty_tuple_item(keywords, i), arguments[i]))
            return TY_NULL;
    if (!check_replacement(self, dict, changes) || !ty_dict_update(dict, changes))
        return TY_NULL;
    return ty_call_with(ty_from_object(ty_type_of(self)), ty_tuple_empty(), dict);
}

/* --- the class AST ------------------------------------------------------------------------------------------------------ */

static const TyNativeDef methods[] = {
    TY_METHOD("__reduce__(self, /)", node_reduce, "What pickle keeps."),
    TY_RAW_METHOD("__replace__(self, /, **fields)", node_replace, "A copy of the node with new values for the named fields."),
    {0},
};

static Value get_dict(Value self) { return ty_attributes_dict(ty_object(self), ty_type_of(self)); }
static bool set_dict(Value self, Value dict)
{
    if (dict != TY_NULL && ty_is_dict(dict))
        return ty_attributes_set_dict(ty_object(self), ty_type_of(self), dict);
    ty_raise(&ty_TypeError, "__dict__ must be set to a dictionary");
    return false;
}
static const TyGetSetDef getsets[] = {{"__dict__", get_dict, set_dict, NULL}, {0}};

static void node_trace(TyObject *self, TyMarker *marker) { ty_attributes_trace(self, ty_object_type(self), marker); }

TyType ty_ast_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Node), .trace = node_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_HAS_DICT | TY_TYPE_WEAKREFABLE,
    .attributes_offset = offsetof(Node, spill),
    .inline_count = INLINE_ATTRIBUTES,
    .name = "ast.AST",
    .parent = &ty_object_base_type,
    .slots = {.repr = node_repr, .new = node_new, .init = node_init},
    .methods = methods,
    .getsets = getsets,
};

/* --- the classes of the table ----------------------------------------------------------------------------------------------- */

enum { MAX_FIELDS = 8 };

static _Atomic Value field_names[TY_AST_KIND_COUNT][MAX_FIELDS];

Value ty_ast_field_name(TyAstKind kind, int field)
{
    Value name = ty_load_acquire(&field_names[kind][field]);
    if (TY_UNLIKELY(name == TY_NULL)) {
        name = ty_intern_text(ty_ast_kinds[kind].fields[field].name);
        ty_store_release(&field_names[kind][field], name);
    }
    return name;
}

int ty_ast_first_choice(TyAstSum sum)
{
    int first = 0;
    for (int s = 0; s < (int)sum; s++)
        first += ty_ast_sums[s].choice_count;
    return first;
}

/* "expr? value" and so on, for docstrings. */
static bool add_field_text(TyStrBuilder *text, const TyAstField *field)
{
    static const char *const marks[] = {[TY_AST_IS_ONE] = "", [TY_AST_IS_OPTIONAL] = "?", [TY_AST_IS_LIST] = "*", [TY_AST_IS_LIST_OF_OPTIONAL] = "?*"};
    return ty_builder_add_text(text, ty_ast_sums[field->type].name) && ty_builder_add_text(text, marks[field->arity]) &&
           ty_builder_add_char(text, ' ') && ty_builder_add_text(text, field->name);
}

static bool add_kind_text(TyStrBuilder *text, const TyAstKindInfo *kind)
{
    if (!ty_builder_add_text(text, kind->name))
        return false;
    for (int i = 0; i < kind->field_count; i++)
        if (!ty_builder_add_text(text, i ? ", " : "(") || !add_field_text(text, &kind->fields[i]))
            return false;
    return !kind->field_count || ty_builder_add_char(text, ')');
}

static Value kind_text(const TyAstKindInfo *kind)
{
    TyStrBuilder text = {0};
    return add_kind_text(&text, kind) ? ty_builder_finish(&text) : TY_NULL;
}

/* "expr = BoolOp(...)" and the other kinds below it, or "boolop = And | Or". */
static Value sum_text(TyAstSum number)
{
    const TyAstSumInfo *sum = &ty_ast_sums[number];
    TyStrBuilder text = {0};
    bool first = true;
    if (!ty_builder_add_text(&text, sum->name))
        return TY_NULL;
    for (int i = 0; i < sum->choice_count; i++)
        if (!ty_builder_add_text(&text, i ? " | " : " = ") || !ty_builder_add_text(&text, sum->choices[i]))
            return TY_NULL;
    for (int k = 0; k < TY_AST_KIND_COUNT; k++) {
        if (ty_ast_kinds[k].sum != number)
            continue;
        if (first) {
            ty_builder_add_text(&text, " = ");
        } else {
            ty_builder_add_char(&text, '\n');
            for (size_t i = 0; i <= strlen(sum->name); i++)
                ty_builder_add_char(&text, ' ');
            ty_builder_add_text(&text, "| ");
        }
        first = false;
        if (!add_kind_text(&text, &ty_ast_kinds[k]))
            return TY_NULL;
    }
    return ty_builder_finish(&text);
}

static Value position_names(void)
{
    return ty_tuple_pack(4, TY_NAME("lineno"), TY_NAME("col_offset"), TY_NAME("end_lineno"), TY_NAME("end_col_offset"));
}

/* A class with the names of its fields, under its name in the module and in the state. */
static Value make_class(Value module, const char *name, Value base, Value namespace, Value fields, Value doc, Value *place)
{
    if (fields == TY_NULL || doc == TY_NULL || !ty_dict_set_text(namespace, "_fields", fields) ||
        !ty_dict_set_text(namespace, "__match_args__", fields) || !ty_dict_set_text(namespace, "__module__", TY_NAME("ast")) ||
        !ty_dict_set_text(namespace, "__doc__", doc))
        return TY_NULL;
    Value bases = ty_tuple_pack(1, base);
    Value class = bases == TY_NULL ? TY_NULL : ty_type_new(&ty_type_type, ty_intern_text(name), bases, namespace, TY_NULL, NULL);
    if (class == TY_NULL || !ty_module_add(module, name, class))
        return TY_NULL;
    ty_store(ty_object(module), place, class);
    return class;
}

static Value field_tuple(TyAstKind kind)
{
    int count = ty_ast_kinds[kind].field_count;
    Value fields = ty_tuple_new(count);
    for (int i = 0; fields != TY_NULL && i < count; i++)
        ty_tuple_set(fields, i, ty_ast_field_name(kind, i));
    return fields;
}

/* Attributes of a family: positions, of which the ends need not be given. */
static bool add_positions(Value namespace, bool has_position)
{
    Value names = has_position ? position_names() : ty_tuple_empty();
    return names != TY_NULL && ty_dict_set_text(namespace, "_attributes", names) &&
           (!has_position || (ty_dict_set_text(namespace, "end_lineno", TY_NONE) && ty_dict_set_text(namespace, "end_col_offset", TY_NONE)));
}

static bool add_optional_fields(Value namespace, TyAstKind kind)
{
    for (int i = 0; i < ty_ast_kinds[kind].field_count; i++)
        if (ty_ast_kinds[kind].fields[i].arity == TY_AST_IS_OPTIONAL && !ty_dict_set(namespace, ty_ast_field_name(kind, i), TY_NONE))
            return false;
    return true;
}

static bool make_sum(Value module, Value *state, TyAstSum number)
{
    const TyAstSumInfo *sum = &ty_ast_sums[number];
    if (sum->form == TY_AST_IS_PRIMITIVE)
        return true;
    Value base = ty_from_object(&ty_ast_type), namespace = ty_dict_new();
    if (namespace == TY_NULL || !add_positions(namespace, sum->has_position))
        return false;
    if (sum->form == TY_AST_IS_PRODUCT) {
        int kind = 0;
        while (ty_ast_kinds[kind].sum != number)
            kind++;
        return add_optional_fields(namespace, kind) &&
               make_class(module, sum->name, base, namespace, field_tuple(kind), sum_text(number) == TY_NULL ? TY_NULL : kind_text(&ty_ast_kinds[kind]),
                          &state[TY_AST_STATE_KINDS + kind]) != TY_NULL &&
               (ty_store(ty_object(module), &state[TY_AST_STATE_SUMS + number], state[TY_AST_STATE_KINDS + kind]), true);
    }
    Value class = make_class(module, sum->name, base, namespace, ty_tuple_empty(), sum_text(number), &state[TY_AST_STATE_SUMS + number]);
    if (class == TY_NULL)
        return false;
    for (int i = 0; i < sum->choice_count; i++) {
        int choice = ty_ast_first_choice(number) + i;
        namespace = ty_dict_new();
        Value types = ty_dict_new();
        if (namespace == TY_NULL || types == TY_NULL || !ty_dict_set_text(namespace, "_field_types", types) ||
            make_class(module, sum->choices[i], class, namespace, ty_tuple_empty(), ty_str_from_text(sum->choices[i]),
                       &state[TY_AST_STATE_CHOICES + choice]) == TY_NULL)
            return false;
        Value instance = ty_type_allocate(ty_as_type(state[TY_AST_STATE_CHOICES + choice]), 0);
        if (instance == TY_NULL)
            return false;
        ty_store(ty_object(module), &state[TY_AST_STATE_SINGLETONS + choice], instance);
    }
    return true;
}

static Value primitive_type(TyAstSum sum)
{
    switch (sum) {
    case TY_AST_SUM_int: return ty_from_object(&ty_int_type);
    case TY_AST_SUM_constant: return ty_from_object(&ty_object_base_type);
    default: return ty_from_object(&ty_str_type);
    }
}

/* What a field holds, as an annotation would say it. */
static Value field_type(Value *state, const TyAstField *field)
{
    Value type = ty_ast_sums[field->type].form == TY_AST_IS_PRIMITIVE ? primitive_type(field->type) : state[TY_AST_STATE_SUMS + field->type];
    switch (field->arity) {
    case TY_AST_IS_OPTIONAL: return ty_union_or(type, TY_NONE);
    case TY_AST_IS_LIST: case TY_AST_IS_LIST_OF_OPTIONAL: {
        Value arguments = ty_tuple_pack(1, type);
        return arguments == TY_NULL ? TY_NULL : ty_generic_alias_new(ty_from_object(&ty_list_type), arguments);
    }
    default: return type;
    }
}

static bool add_field_types(Value *state, TyAstKind kind)
{
    Value class = state[TY_AST_STATE_KINDS + kind], types = ty_dict_new(), annotations = ty_dict_new();
    if (types == TY_NULL || annotations == TY_NULL)
        return false;
    for (int i = 0; i < ty_ast_kinds[kind].field_count; i++) {
        Value type = field_type(state, &ty_ast_kinds[kind].fields[i]);
        if (type == TY_NULL || !ty_dict_set(types, ty_ast_field_name(kind, i), type) ||
            !ty_dict_set(annotations, ty_ast_field_name(kind, i), type))
            return false;
    }
    return ty_set_attribute(class, TY_NAME("_field_types"), types) && ty_set_attribute(class, TY_NAME("__annotations__"), annotations);
}

bool ty_ast_make_classes(Value module)
{
    Value *state = ty_module_state(module);
    for (int sum = 0; sum < TY_AST_SUM_COUNT; sum++)
        if (!make_sum(module, state, sum))
            return false;
    for (int k = 0; k < TY_AST_KIND_COUNT; k++) {
        const TyAstKindInfo *kind = &ty_ast_kinds[k];
        if (ty_ast_sums[kind->sum].form == TY_AST_IS_PRODUCT)
            continue;
        Value namespace = ty_dict_new();
        if (namespace == TY_NULL || !add_optional_fields(namespace, k) ||
            make_class(module, kind->name, state[TY_AST_STATE_SUMS + kind->sum], namespace, field_tuple(k), kind_text(kind),
                       &state[TY_AST_STATE_KINDS + k]) == TY_NULL)
            return false;
    }
    for (int k = 0; k < TY_AST_KIND_COUNT; k++)
        if (!add_field_types(state, k))
            return false;
    return true;
}
