/* _operator: Python's operators as functions, and the getters and callers that sort keys are made of. */
#include "object/buffer.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/recursion.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

#define SELF(structure) structure *self = (structure *)ty_object(v)

/* --- operators ------------------------------------------------------------------------------------------------------ */

/* Python name, operator, symbol, in-place name. */
#define BINARY_FUNCTIONS(X)                    \
    X(add, ADD, "+", iadd)                     \
    X(sub, SUBTRACT, "-", isub)                \
    X(mul, MULTIPLY, "*", imul)                \
    X(truediv, TRUE_DIVIDE, "/", itruediv)     \
    X(floordiv, FLOOR_DIVIDE, "//", ifloordiv) \
    X(mod, REMAINDER, "%", imod)               \
    X(pow, POWER, "**", ipow)                  \
    X(matmul, MATRIX_MULTIPLY, "@", imatmul)   \
    X(lshift, LEFT_SHIFT, "<<", ilshift)       \
    X(rshift, RIGHT_SHIFT, ">>", irshift)      \
    X(and_, AND, "&", iand)                    \
    X(or_, OR, "|", ior)                       \
    X(xor, XOR, "^", ixor)

#define BINARY(name, op, symbol, inplace_name)                                                          \
    static Value op_##name(Value module, Value *a) { return ty_binary(TY_BINARY_##op, a[0], a[1]); }    \
    static Value op_##inplace_name(Value module, Value *a) { return ty_inplace(TY_BINARY_##op, a[0], a[1]); }
BINARY_FUNCTIONS(BINARY)

#define COMPARE_FUNCTIONS(X) X(lt, LT, "<") X(le, LE, "<=") X(eq, EQ, "==") X(ne, NE, "!=") X(gt, GT, ">") X(ge, GE, ">=")
#define COMPARE(name, op, symbol) \
    static Value op_##name(Value module, Value *a) { return ty_compare(a[0], a[1], TY_##op); }
COMPARE_FUNCTIONS(COMPARE)

static Value truth(int result) { return result < 0 ? TY_NULL : ty_from_bool(result); }

static Value op_neg(Value module, Value *a) { return ty_negative(a[0]); }
static Value op_pos(Value module, Value *a) { return ty_positive(a[0]); }
static Value op_abs(Value module, Value *a) { return ty_absolute(a[0]); }
static Value op_inv(Value module, Value *a) { return ty_invert(a[0]); }
static Value op_index(Value module, Value *a) { return ty_number_index(a[0]); }
static Value op_truth(Value module, Value *a) { return truth(ty_is_true(a[0])); }
static Value op_not(Value module, Value *a)
{
    int result = ty_is_true(a[0]);
    return result < 0 ? TY_NULL : ty_from_bool(!result);
}
static Value op_is(Value module, Value *a) { return ty_from_bool(a[0] == a[1]); }
static Value op_is_not(Value module, Value *a) { return ty_from_bool(a[0] != a[1]); }
static Value op_is_none(Value module, Value *a) { return ty_from_bool(a[0] == TY_NONE); }
static Value op_is_not_none(Value module, Value *a) { return ty_from_bool(a[0] != TY_NONE); }
static Value op_contains(Value module, Value *a) { return truth(ty_contains(a[0], a[1])); }
static Value op_getitem(Value module, Value *a) { return ty_get_item(a[0], a[1]); }
static Value op_setitem(Value module, Value *a) { return ty_set_item(a[0], a[1], a[2]) ? TY_NONE : TY_NULL; }
static Value op_delitem(Value module, Value *a) { return ty_delete_item(a[0], a[1]) ? TY_NONE : TY_NULL; }

static Value op_concat(Value module, Value *a)
{
    TyType *type = ty_type_of(a[0]);
    if (type->slots.concat)
        return type->slots.concat(a[0], a[1]);
    if (!ty_is_sequence(a[0]) || !ty_is_sequence(a[1]))
        return ty_raise(&ty_TypeError, "'%T' object can't be concatenated", ty_is_sequence(a[0]) ? a[1] : a[0]);
    return ty_binary(TY_BINARY_ADD, a[0], a[1]);
}

static Value op_iconcat(Value module, Value *a)
{
    TyType *type = ty_type_of(a[0]);
    if (type->slots.inplace_concat)
        return type->slots.inplace_concat(a[0], a[1]);
    if (type->slots.concat)
        return type->slots.concat(a[0], a[1]);
    if (!ty_is_sequence(a[0]) || !ty_is_sequence(a[1]))
        return ty_raise(&ty_TypeError, "'%T' object can't be concatenated", ty_is_sequence(a[0]) ? a[1] : a[0]);
    return ty_inplace(TY_BINARY_ADD, a[0], a[1]);
}

static Value not_iterable(Value container)
{
    if (ty_raised_is(&ty_TypeError)) {
        ty_clear_exception();
        ty_raise(&ty_TypeError, "argument of type '%T' is not iterable", container);
    }
    return TY_NULL;
}

static Value op_countof(Value module, Value *a)
{
    Value iterator = ty_iter(a[0]), item;
    int64_t count = 0;
    if (iterator == TY_NULL)
        return not_iterable(a[0]);
    while ((item = ty_next(iterator)) != TY_NULL) {
        int equal = ty_equal(item, a[1]);
        if (equal < 0)
            return TY_NULL;
        count += equal;
    }
    return ty_raised() ? TY_NULL : ty_from_immediate_int(count);
}

static Value op_indexof(Value module, Value *a)
{
    Value iterator = ty_iter(a[0]), item;
    if (iterator == TY_NULL)
        return not_iterable(a[0]);
    for (int64_t i = 0; (item = ty_next(iterator)) != TY_NULL; i++) {
        int equal = ty_equal(item, a[1]);
        if (equal != 0)
            return equal < 0 ? TY_NULL : ty_from_immediate_int(i);
    }
    return ty_raised() ? TY_NULL : ty_raise(&ty_ValueError, "sequence.index(x): x not in sequence");
}

static Value op_length_hint(Value module, Value *a)
{
    int64_t fallback = 0;
    if (a[1] != TY_NULL && !ty_to_size(a[1], &fallback))
        return TY_NULL;
    int64_t hint = ty_length_hint(a[0], fallback);
    return hint == -1 && ty_raised() ? TY_NULL : ty_int_from_int64(hint);
}

static Value op_call(Value module, const Value *arguments, size_t count, Value keywords)
{
    if (count == 0)
        return ty_raise(&ty_TypeError, "call expected at least 1 argument, got 0");
    return ty_call(arguments[0], arguments + 1, count - 1, keywords);
}

/* Takes as long for any two texts of the same length. */
static bool same_bytes(const uint8_t *a, int64_t a_length, const uint8_t *b, int64_t b_length)
{
    volatile uint8_t difference = a_length != b_length;
    const uint8_t *other = a_length == b_length ? a : b;
    for (int64_t i = 0; i < b_length; i++)
        difference |= other[i] ^ b[i];
    return difference == 0;
}

static Value op_compare_digest(Value module, Value *a)
{
    if (ty_is_str(a[0]) && ty_is_str(a[1])) {
        if (!ty_str_is_ascii(a[0]) || !ty_str_is_ascii(a[1]))
            return ty_raise(&ty_TypeError, "comparing strings with non-ASCII characters is not supported");
        return ty_from_bool(same_bytes(ty_str_data(a[0]), ty_str_length(a[0]), ty_str_data(a[1]), ty_str_length(a[1])));
    }
    if (!ty_has_buffer(a[0]) && !ty_has_buffer(a[1]))
        return ty_raise(&ty_TypeError, "unsupported operand types(s) or combination of types: '%T' and '%T'", a[0], a[1]);
    TyBuffer left, right;
    if (!ty_buffer_get(a[0], &left, TY_BUFFER_SIMPLE))
        return TY_NULL;
    if (!ty_buffer_get(a[1], &right, TY_BUFFER_SIMPLE)) {
        ty_buffer_release(&left);
        return TY_NULL;
    }
    bool same = same_bytes(left.data, left.length, right.data, right.length);
    ty_buffer_release(&left);
    ty_buffer_release(&right);
    return ty_from_bool(same);
}

/* --- itemgetter ----------------------------------------------------------------------------------------------------- */

typedef struct ItemGetter {
    TyObject base;
    Value items; /* tuple */
} ItemGetter;

static void one_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((ItemGetter *)self)->items); }

static bool one_argument(const char *name, size_t count, Value keywords)
{
    if (!ty_no_keywords(name, keywords))
        return false;
    if (count != 1)
        ty_raise(&ty_TypeError, "%s expected 1 argument, got %zu", name, count);
    return count == 1;
}

static Value itemgetter_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("itemgetter", keywords))
        return TY_NULL;
    if (count == 0)
        return ty_raise(&ty_TypeError, "itemgetter expected 1 argument, got 0");
    Value items = ty_tuple_from_array(arguments, count), v = items == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v != TY_NULL)
        ty_store(ty_object(v), &((ItemGetter *)ty_object(v))->items, items);
    return v;
}

static Value itemgetter_call(Value v, const Value *arguments, size_t count, Value keywords)
{
    SELF(ItemGetter);
    if (!one_argument("itemgetter", count, keywords))
        return TY_NULL;
    Value object = arguments[0];
    int64_t wanted = ty_tuple_length(self->items);
    if (wanted == 1) {
        Value key = ty_tuple_item(self->items, 0);
        if (ty_is_exact_tuple(object) && ty_is_immediate_int(key) && (uint64_t)ty_immediate_int(key) < (uint64_t)ty_tuple_length(object))
            return ty_tuple_item(object, ty_immediate_int(key));
        return ty_get_item(object, key);
    }
    Value result = ty_tuple_new(wanted);
    for (int64_t i = 0; result != TY_NULL && i < wanted; i++) {
        Value item = ty_get_item(object, ty_tuple_item(self->items, i));
        if (item == TY_NULL)
            return TY_NULL;
        ty_tuple_set(result, i, item);
    }
    return result;
}

/* name(a, b) of the items of a tuple */
static Value repr_call(Value v, Value items)
{
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, v))
        return ty_str_format("%s(...)", ty_type_of(v)->name);
    TyStrBuilder text = {0};
    bool fine = ty_builder_add_text(&text, ty_type_of(v)->name) && ty_builder_add_char(&text, '(');
    for (int64_t i = 0; fine && i < ty_tuple_length(items); i++)
        fine = (i == 0 || ty_builder_add_text(&text, ", ")) && ty_builder_add_repr(&text, ty_tuple_item(items, i));
    ty_repr_leave(&guard);
    return fine && ty_builder_add_char(&text, ')') ? ty_builder_finish(&text) : TY_NULL;
}

static Value itemgetter_repr(Value v) { return repr_call(v, ((ItemGetter *)ty_object(v))->items); }
static Value itemgetter_reduce(Value v, Value *a) { return ty_tuple_pack(2, ty_from_object(ty_type_of(v)), ((ItemGetter *)ty_object(v))->items); }

static const TyNativeDef itemgetter_methods[] = {TY_METHOD("__reduce__(self, /)", itemgetter_reduce, "What pickle keeps."), {0}};

static Value one_object_signature(Value self) { return ty_str_from_text("(obj, /)"); }
static const TyGetSetDef one_object_getsets[] = {{"__text_signature__", one_object_signature, NULL, NULL}, {0}};

static TyType itemgetter_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(ItemGetter), .trace = one_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "operator.itemgetter",
    .doc = "itemgetter(item, /, *items)\n--\n\nA callable that gets the item, or a tuple of the items, from its argument.",
    .parent = &ty_object_base_type,
    .slots = {.repr = itemgetter_repr, .call = itemgetter_call, .new = itemgetter_new},
    .methods = itemgetter_methods,
    .getsets = one_object_getsets,
};

/* --- attrgetter ----------------------------------------------------------------------------------------------------- */

typedef struct AttrGetter {
    TyObject base;
    Value names; /* tuple of str, as given */
    Value paths; /* tuple: an interned str for a plain name, a tuple of them for a dotted one */
} AttrGetter;

static void two_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((AttrGetter *)self)->names, 2); }

/* The parts between the dots. */
static Value path_of(Value name)
{
    int64_t length = ty_str_length(name), start = 0;
    if (ty_str_find_char(name, '.', 0, length, 1) < 0)
        return ty_intern(name);
    Value parts = ty_list_new(2);
    while (parts != TY_NULL) {
        int64_t dot = ty_str_find_char(name, '.', start, length, 1);
        Value part = ty_str_slice(name, start, dot < 0 ? length : dot);
        part = part == TY_NULL ? TY_NULL : ty_intern(part);
        if (part == TY_NULL || !ty_list_append(parts, part))
            return TY_NULL;
        if (dot < 0)
            break;
        start = dot + 1;
    }
    return parts == TY_NULL ? TY_NULL : ty_list_to_tuple(parts);
}

static Value attrgetter_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("attrgetter", keywords))
        return TY_NULL;
    if (count == 0)
        return ty_raise(&ty_TypeError, "attrgetter expected 1 argument, got 0");
    Value names = ty_tuple_from_array(arguments, count), paths = ty_tuple_new((int64_t)count);
    if (names == TY_NULL || paths == TY_NULL)
        return TY_NULL;
    for (size_t i = 0; i < count; i++) {
        if (!ty_is_str(arguments[i]))
            return ty_raise(&ty_TypeError, "attribute name must be a string");
        Value path = path_of(arguments[i]);
        if (path == TY_NULL)
            return TY_NULL;
        ty_tuple_set(paths, (int64_t)i, path);
    }
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(AttrGetter);
    ty_store(self, &self->names, names);
    ty_store(self, &self->paths, paths);
    return v;
}

static Value follow(Value object, Value path)
{
    if (ty_is_str(path))
        return ty_get_attribute(object, path);
    for (int64_t i = 0; object != TY_NULL && i < ty_tuple_length(path); i++)
        object = ty_get_attribute(object, ty_tuple_item(path, i));
    return object;
}

static Value attrgetter_call(Value v, const Value *arguments, size_t count, Value keywords)
{
    SELF(AttrGetter);
    if (!one_argument("attrgetter", count, keywords))
        return TY_NULL;
    int64_t wanted = ty_tuple_length(self->paths);
    if (wanted == 1)
        return follow(arguments[0], ty_tuple_item(self->paths, 0));
    Value result = ty_tuple_new(wanted);
    for (int64_t i = 0; result != TY_NULL && i < wanted; i++) {
        Value attribute = follow(arguments[0], ty_tuple_item(self->paths, i));
        if (attribute == TY_NULL)
            return TY_NULL;
        ty_tuple_set(result, i, attribute);
    }
    return result;
}

static Value attrgetter_repr(Value v) { return repr_call(v, ((AttrGetter *)ty_object(v))->names); }
static Value attrgetter_reduce(Value v, Value *a) { return ty_tuple_pack(2, ty_from_object(ty_type_of(v)), ((AttrGetter *)ty_object(v))->names); }

static const TyNativeDef attrgetter_methods[] = {TY_METHOD("__reduce__(self, /)", attrgetter_reduce, "What pickle keeps."), {0}};

static TyType attrgetter_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(AttrGetter), .trace = two_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "operator.attrgetter",
    .doc = "attrgetter(attr, /, *attrs)\n--\n\nA callable that gets the attribute, or a tuple of the attributes, of its argument; names may be dotted.",
    .parent = &ty_object_base_type,
    .slots = {.repr = attrgetter_repr, .call = attrgetter_call, .new = attrgetter_new},
    .methods = attrgetter_methods,
    .getsets = one_object_getsets,
};

/* --- methodcaller --------------------------------------------------------------------------------------------------- */

typedef struct MethodCaller {
    TyObject base;
    Value name, arguments /* tuple, keyword values included */, keywords /* tuple of names, or TY_NULL */;
} MethodCaller;

static void three_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((MethodCaller *)self)->name, 3); }

static Value methodcaller_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (count < 1)
        return ty_raise(&ty_TypeError, "methodcaller needs at least one argument, the method name");
    if (!ty_is_str(arguments[0]))
        return ty_raise(&ty_TypeError, "method name must be a string");
    size_t named = keywords == TY_NULL ? 0 : (size_t)ty_tuple_length(keywords);
    Value name = ty_intern(arguments[0]), stored = ty_tuple_from_array(arguments + 1, count - 1 + named);
    Value v = name == TY_NULL || stored == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(MethodCaller);
    ty_store(self, &self->name, name);
    ty_store(self, &self->arguments, stored);
    ty_store(self, &self->keywords, named ? keywords : TY_NULL);
    return v;
}

static Value methodcaller_call(Value v, const Value *arguments, size_t count, Value keywords)
{
    SELF(MethodCaller);
    if (!one_argument("methodcaller", count, keywords))
        return TY_NULL;
    Value *stored = ty_as_tuple(self->arguments)->items;
    size_t total = (size_t)ty_tuple_length(self->arguments);
    if (self->keywords == TY_NULL)
        return ty_call_method(arguments[0], self->name, stored, total);
    Value method = ty_get_attribute(arguments[0], self->name);
    return method == TY_NULL ? TY_NULL : ty_call(method, stored, total - (size_t)ty_tuple_length(self->keywords), self->keywords);
}

static int64_t named_count(MethodCaller *self) { return self->keywords == TY_NULL ? 0 : ty_tuple_length(self->keywords); }

static Value methodcaller_repr(Value v)
{
    SELF(MethodCaller);
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, v))
        return ty_str_format("%s(...)", ty_type_of(v)->name);
    TyStrBuilder text = {0};
    int64_t named = named_count(self), total = ty_tuple_length(self->arguments);
    bool fine = ty_builder_add_text(&text, ty_type_of(v)->name) && ty_builder_add_char(&text, '(') && ty_builder_add_repr(&text, self->name);
    for (int64_t i = 0; fine && i < total; i++) {
        fine = ty_builder_add_text(&text, ", ");
        if (fine && i >= total - named)
            fine = ty_builder_add(&text, ty_tuple_item(self->keywords, i - (total - named))) && ty_builder_add_char(&text, '=');
        fine = fine && ty_builder_add_repr(&text, ty_tuple_item(self->arguments, i));
    }
    ty_repr_leave(&guard);
    return fine && ty_builder_add_char(&text, ')') ? ty_builder_finish(&text) : TY_NULL;
}

static Value methodcaller_reduce(Value v, Value *a)
{
    SELF(MethodCaller);
    int64_t named = named_count(self), positional = ty_tuple_length(self->arguments) - named;
    Value type = ty_from_object(ty_type_of(v)), arguments = ty_tuple_slice(self->arguments, 0, positional);
    if (arguments == TY_NULL)
        return TY_NULL;
    if (named == 0) {
        Value all = ty_binary(TY_BINARY_ADD, ty_tuple_pack(1, self->name), arguments);
        return ty_tuple_pack(2, type, all);
    }
    Value partial = ty_module_function("_functools", "partial"), dict = ty_dict_new();
    if (partial == TY_NULL || dict == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < named; i++)
        if (!ty_dict_set(dict, ty_tuple_item(self->keywords, i), ty_tuple_item(self->arguments, positional + i)))
            return TY_NULL;
    Value bound = ty_call_with(partial, ty_tuple_pack(2, type, self->name), dict);
    return ty_tuple_pack(2, bound, arguments);
}

static const TyNativeDef methodcaller_methods[] = {TY_METHOD("__reduce__(self, /)", methodcaller_reduce, "What pickle keeps."), {0}};

static TyType methodcaller_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(MethodCaller), .trace = three_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "operator.methodcaller",
    .doc = "methodcaller(name, /, *args, **kwargs)\n--\n\nA callable that calls the method of its argument with these arguments.",
    .parent = &ty_object_base_type,
    .slots = {.repr = methodcaller_repr, .call = methodcaller_call, .new = methodcaller_new},
    .methods = methodcaller_methods,
    .getsets = one_object_getsets,
};

/* --- the module ----------------------------------------------------------------------------------------------------- */

static const TyNativeDef functions[] = {
#define BINARY_DEF(name, op, symbol, inplace_name)                                   \
    TY_FUNCTION(#name "(a, b, /)", op_##name, "Same as a " symbol " b."),            \
    TY_FUNCTION(#inplace_name "(a, b, /)", op_##inplace_name, "Same as a " symbol "= b."),
    BINARY_FUNCTIONS(BINARY_DEF)
#define COMPARE_DEF(name, op, symbol) TY_FUNCTION(#name "(a, b, /)", op_##name, "Same as a " symbol " b."),
    COMPARE_FUNCTIONS(COMPARE_DEF)
    TY_FUNCTION("neg(a, /)", op_neg, "Same as -a."),
    TY_FUNCTION("pos(a, /)", op_pos, "Same as +a."),
    TY_FUNCTION("abs(a, /)", op_abs, "Same as abs(a)."),
    TY_FUNCTION("inv(a, /)", op_inv, "Same as ~a."),
    TY_FUNCTION("invert(a, /)", op_inv, "Same as ~a."),
    TY_FUNCTION("index(a, /)", op_index, "Same as a.__index__()."),
    TY_FUNCTION("truth(a, /)", op_truth, "Return True if a is true, False otherwise."),
    TY_FUNCTION("not_(a, /)", op_not, "Same as not a."),
    TY_FUNCTION("is_(a, b, /)", op_is, "Same as a is b."),
    TY_FUNCTION("is_not(a, b, /)", op_is_not, "Same as a is not b."),
    TY_FUNCTION("is_none(a, /)", op_is_none, "Same as a is None."),
    TY_FUNCTION("is_not_none(a, /)", op_is_not_none, "Same as a is not None."),
    TY_FUNCTION("contains(a, b, /)", op_contains, "Same as b in a (note the order)."),
    TY_FUNCTION("getitem(a, b, /)", op_getitem, "Same as a[b]."),
    TY_FUNCTION("setitem(a, b, c, /)", op_setitem, "Same as a[b] = c."),
    TY_FUNCTION("delitem(a, b, /)", op_delitem, "Same as del a[b]."),
    TY_FUNCTION("concat(a, b, /)", op_concat, "Same as a + b, for sequences."),
    TY_FUNCTION("iconcat(a, b, /)", op_iconcat, "Same as a += b, for sequences."),
    TY_FUNCTION("countOf(a, b, /)", op_countof, "How often b occurs in a."),
    TY_FUNCTION("indexOf(a, b, /)", op_indexof, "The first index of b in a."),
    TY_FUNCTION("length_hint(obj, default=0, /)", op_length_hint, "The number of items that obj has, or says it may have; else default."),
    TY_RAW_FUNCTION("call(obj, /, *args, **kwargs)", op_call, "Same as obj(*args, **kwargs)."),
    TY_FUNCTION("_compare_digest(a, b, /)", op_compare_digest, "Whether a == b, in a time that does not tell where they differ."),
    {0},
};

static TyType *const types[] = {&itemgetter_type, &attrgetter_type, &methodcaller_type, NULL};

const TyModuleDef ty_module_operator = {
    .name = "_operator",
    .doc = "Python's operators as functions.",
    .functions = functions,
    .types = types,
};
