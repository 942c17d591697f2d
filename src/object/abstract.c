/* The generic operations on numbers, containers, iterators and callables: from an operation to the slots that do it. */
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/iterator.h"
#include "object/type.h"
#include <alloca.h>
#include <stdlib.h>

/* --- numbers -------------------------------------------------------------------------------------------------------------- */

static const char *const operator_text[TY_BINARY_COUNT] = {
#define TEXT(name, slot, text, method, reflected, inplace) [TY_BINARY_##name] = text,
    TY_BINARY_OPERATORS(TEXT)
    [TY_BINARY_DIVMOD] = "divmod()"
};

static Value try_binary(TyBinaryOperator op, Value left, Value right)
{
    TyType *l = ty_type_of(left), *r = ty_type_of(right);
    TyBinaryFunction f = l->slots.binary[op], g = r != l ? r->slots.binary[op] : NULL;
    if (g == f)
        g = NULL;
    if (f) {
        if (g && ty_type_is_subtype(r, l)) {
            Value v = g(left, right);
            if (v != TY_NOT_IMPLEMENTED)
                return v;
            g = NULL;
        }
        Value v = f(left, right);
        if (v != TY_NOT_IMPLEMENTED)
            return v;
    }
    return g ? g(left, right) : TY_NOT_IMPLEMENTED;
}

static Value repeat_sequence(Value (*repeat)(Value, int64_t), Value sequence, Value count)
{
    if (!ty_has_index(count))
        return ty_raise(&ty_TypeError, "can't multiply sequence by non-int of type '%T'", count);
    int64_t n;
    Value index = ty_number_index(count);
    if (index == TY_NULL)
        return TY_NULL;
    if (ty_int_get_int64(index, &n) != 0)
        return ty_raise(&ty_OverflowError, "cannot fit '%T' into an index-sized integer", count);
    return repeat(sequence, n);
}

static bool is_native_print(Value v)
{
    return ty_is_exact(v, &ty_native_type) && !strncmp(((TyNative *)ty_object(v))->def->signature, "print(", 6);
}

static Value unsupported(TyBinaryOperator op, Value left, Value right, const char *suffix)
{
    if (op == TY_BINARY_RIGHT_SHIFT && !*suffix && is_native_print(left))
        return ty_raise(&ty_TypeError, "unsupported operand type(s) for >>: '%T' and '%T'. Did you mean \"print(<message>, file=<output_stream>)\"?", left, right);
    if (op == TY_BINARY_POWER && *suffix)
        return ty_raise(&ty_TypeError, "unsupported operand type(s) for **=: '%T' and '%T'", left, right);
    return ty_raise(&ty_TypeError, "unsupported operand type(s) for %s%s: '%T' and '%T'", operator_text[op], suffix, left, right);
}

static Value sequence_binary(TyBinaryOperator op, Value left, Value right)
{
    TyType *l = ty_type_of(left), *r = ty_type_of(right);
    if (op == TY_BINARY_ADD && l->slots.concat)
        return l->slots.concat(left, right);
    if (op == TY_BINARY_MULTIPLY) {
        if (l->slots.repeat)
            return repeat_sequence(l->slots.repeat, left, right);
        if (r->slots.repeat)
            return repeat_sequence(r->slots.repeat, right, left);
    }
    return TY_NOT_IMPLEMENTED;
}

Value ty_binary(TyBinaryOperator op, Value left, Value right)
{
    Value v = try_binary(op, left, right);
    if (TY_LIKELY(v != TY_NOT_IMPLEMENTED))
        return v;
    v = sequence_binary(op, left, right);
    return v != TY_NOT_IMPLEMENTED ? v : unsupported(op, left, right, "");
}

Value ty_inplace(TyBinaryOperator op, Value left, Value right)
{
    TyType *l = ty_type_of(left);
    if (l->slots.inplace[op]) {
        Value v = l->slots.inplace[op](left, right);
        if (v != TY_NOT_IMPLEMENTED)
            return v;
    }
    Value v = try_binary(op, left, right);
    if (v != TY_NOT_IMPLEMENTED)
        return v;
    if (op == TY_BINARY_ADD && l->slots.inplace_concat)
        return l->slots.inplace_concat(left, right);
    if (op == TY_BINARY_MULTIPLY && l->slots.inplace_repeat)
        return repeat_sequence(l->slots.inplace_repeat, left, right);
    v = sequence_binary(op, left, right);
    return v != TY_NOT_IMPLEMENTED ? v : unsupported(op, left, right, "=");
}

Value ty_power(Value base, Value exponent, Value modulus)
{
    if (modulus == TY_NONE)
        return ty_binary(TY_BINARY_POWER, base, exponent);
    TyType *types[3] = { ty_type_of(base), ty_type_of(exponent), ty_type_of(modulus) };
    if (types[0] != types[1] && ty_type_is_subtype(types[1], types[0])) { /* a subclass's version goes first */
        types[0] = types[1];
        types[1] = ty_type_of(base);
    }
    for (int i = 0; i < 3; i++) {
        TyTernaryFunction power = types[i]->slots.power;
        bool tried = false;
        for (int j = 0; j < i; j++)
            tried |= types[j]->slots.power == power;
        if (!power || tried)
            continue;
        Value v = power(base, exponent, modulus);
        if (v != TY_NOT_IMPLEMENTED)
            return v;
    }
    return ty_raise(&ty_TypeError, "unsupported operand type(s) for ** or pow(): '%T', '%T', '%T'", base, exponent, modulus);
}

#define UNARY(function, slot, sign)                                                                  \
    Value function(Value v)                                                                          \
    {                                                                                                \
        TyUnaryFunction f = ty_type_of(v)->slots.slot;                                               \
        return f ? f(v) : ty_raise(&ty_TypeError, "bad operand type for " sign ": '%T'", v);         \
    }
UNARY(ty_negative, negative, "unary -")
UNARY(ty_positive, positive, "unary +")
UNARY(ty_invert, invert, "unary ~")
UNARY(ty_absolute, absolute, "abs()")

bool ty_has_index(Value v) { return ty_is_immediate_int(v) || ty_type_of(v)->slots.index != NULL; }

Value ty_number_index(Value v)
{
    if (ty_is_int(v))
        return ty_is_exact_int(v) ? v : ty_int_exact(v);
    TyUnaryFunction index = ty_type_of(v)->slots.index;
    if (!index)
        return ty_raise(&ty_TypeError, "'%T' object cannot be interpreted as an integer", v);
    Value i = index(v);
    if (i == TY_NULL || ty_is_exact_int(i))
        return i;
    if (!ty_is_int(i))
        return ty_raise(&ty_TypeError, "__index__ returned non-int (type %T)", i);
    if (!ty_warn(&ty_DeprecationWarning, 1, "%T.__index__() must return an int, not %T.  The ability to return an instance of a strict subclass of int is deprecated, and may not be supported in a future version of Python.", v, i))
        return TY_NULL;
    return i;
}

/* --- containers -------------------------------------------------------------------------------------------------------------- */

int64_t ty_length(Value v)
{
    TyLengthFunction length = ty_type_of(v)->slots.length;
    if (!length)
        return ty_raise(&ty_TypeError, "object of type '%T' has no len()", v), -1;
    return length(v);
}

int64_t ty_length_hint(Value v, int64_t guess)
{
    TyType *type = ty_type_of(v);
    if (type->slots.length) {
        int64_t n = type->slots.length(v);
        if (n >= 0)
            return n;
        if (!ty_raised_is(&ty_TypeError))
            return -1;
        ty_clear_exception();
    }
    Value method = ty_lookup_special(v, TY_NAME("__length_hint__"));
    if (method == TY_NULL)
        return ty_raised() ? -1 : guess;
    Value hint = ty_call_none(method);
    if (hint == TY_NULL) {
        if (!ty_raised_is(&ty_TypeError))
            return -1;
        ty_clear_exception();
        return guess;
    }
    if (hint == TY_NOT_IMPLEMENTED)
        return guess;
    if (!ty_is_int(hint))
        return ty_raise(&ty_TypeError, "__length_hint__ must be an integer, not %T", hint), -1;
    int64_t n;
    if (!ty_to_size(hint, &n))
        return -1;
    if (n < 0)
        return ty_raise(&ty_ValueError, "__length_hint__() should return >= 0"), -1;
    return n;
}

Value ty_get_item(Value container, Value key)
{
    TyBinaryFunction get = ty_type_of(container)->slots.get_item;
    if (get)
        return get(container, key);
    if (ty_is_type(container)) {
        if (container == ty_from_object(&ty_type_type))
            return ty_generic_alias_new(container, key);
        bool failed;
        Value method = ty_get_attribute_or_null(container, TY_NAME("__class_getitem__"), &failed);
        if (failed)
            return TY_NULL;
        if (method != TY_NULL && method != TY_NONE)
            return ty_call_one(method, key);
        return ty_raise(&ty_TypeError, "type '%s' is not subscriptable", ty_type_short_name(ty_as_type(container)));
    }
    return ty_raise(&ty_TypeError, "'%T' object is not subscriptable", container);
}

Value ty_get_item_or_null(Value mapping, Value key)
{
    if (ty_is_exact_dict(mapping))
        return ty_dict_get(mapping, key);
    Value v = ty_get_item(mapping, key);
    if (v == TY_NULL && ty_raised_is(&ty_KeyError))
        ty_clear_exception();
    return v;
}

bool ty_set_item(Value container, Value key, Value value)
{
    TyStoreFunction set = ty_type_of(container)->slots.set_item;
    if (!set)
        return ty_raise(&ty_TypeError, "'%T' object does not support item assignment", container), false;
    return set(container, key, value);
}

bool ty_delete_item(Value container, Value key)
{
    TyStoreFunction set = ty_type_of(container)->slots.set_item;
    if (!set)
        return ty_raise(&ty_TypeError, "'%T' object does not support item deletion", container), false;
    return set(container, key, TY_NULL);
}

Value ty_sequence_item(Value sequence, int64_t index)
{
    TyType *type = ty_type_of(sequence);
    if (type->slots.item) {
        if (index < 0 && type->slots.length) {
            int64_t n = type->slots.length(sequence);
            if (n < 0)
                return TY_NULL;
            index += n;
        }
        return type->slots.item(sequence, index);
    }
    if (!type->slots.get_item)
        return ty_raise(&ty_TypeError, "'%T' object does not support indexing", sequence);
    return type->slots.get_item(sequence, ty_int_from_int64(index));
}

int ty_contains_by_iteration(Value container, Value item)
{
    Value iterator = ty_iter(container);
    if (iterator == TY_NULL) {
        if (ty_raised_is(&ty_TypeError)) {
            ty_clear_exception();
            ty_raise(&ty_TypeError, "argument of type '%T' is not a container or iterable", container);
        }
        return -1;
    }
    for (;;) {
        Value v = ty_next(iterator);
        if (v == TY_NULL)
            return ty_raised() ? -1 : 0;
        int equal = ty_compare_bool(v, item, TY_EQ);
        if (equal != 0)
            return equal;
    }
}

int ty_contains(Value container, Value item)
{
    TyContainsFunction contains = ty_type_of(container)->slots.contains;
    return contains ? contains(container, item) : ty_contains_by_iteration(container, item);
}

bool ty_is_sequence(Value v)
{
    if (ty_is_dict(v))
        return false;
    TyType *type = ty_type_of(v);
    return type->slots.item || (type->flags & TY_TYPE_HEAP && type->slots.get_item);
}

bool ty_is_mapping(Value v) { return ty_type_of(v)->slots.get_item != NULL; }

Value ty_iter(Value v)
{
    TyType *type = ty_type_of(v);
    if (type->slots.iter) {
        Value iterator = type->slots.iter(v);
        if (iterator != TY_NULL && !ty_type_of(iterator)->slots.next)
            return ty_raise(&ty_TypeError, "iter() returned non-iterator of type '%T'", iterator);
        return iterator;
    }
    if (ty_is_sequence(v))
        return ty_sequence_iterator_new(v);
    return ty_raise(&ty_TypeError, "'%T' object is not iterable", v);
}

Value ty_identity_iter(Value self) { return self; }
bool ty_is_iterator(Value v) { return ty_type_of(v)->slots.next != NULL; }

Value ty_next(Value iterator)
{
    TyUnaryFunction next = ty_type_of(iterator)->slots.next;
    if (TY_UNLIKELY(!next)) /* the class lost its __next__ */
        return ty_raise(&ty_TypeError, "'%T' object is not an iterator", iterator);
    Value v = next(iterator);
    if (TY_UNLIKELY(v == TY_NULL && ty_raised() && ty_raised_is(&ty_StopIteration)))
        ty_clear_exception();
    return v;
}

Value ty_sequence_list(Value v)
{
    Value list = ty_list_new(0);
    return list != TY_NULL && ty_list_extend(list, v) ? list : TY_NULL;
}

Value ty_sequence_tuple(Value v)
{
    if (ty_is_exact_tuple(v))
        return v;
    if (ty_is_exact_list(v))
        return ty_list_to_tuple(v);
    Value list = ty_sequence_list(v);
    return list == TY_NULL ? TY_NULL : ty_list_to_tuple(list);
}

Value ty_sequence_fast(Value v, const char *message)
{
    if (ty_is_list(v) || ty_is_tuple(v))
        return v;
    Value iterator = ty_iter(v);
    if (iterator == TY_NULL) {
        if (ty_raised_is(&ty_TypeError)) {
            ty_clear_exception();
            ty_raise(&ty_TypeError, "%s", message);
        }
        return TY_NULL;
    }
    return ty_sequence_list(iterator);
}

/* --- calls ---------------------------------------------------------------------------------------------------------------------- */

Value ty_call(Value callable, const Value *arguments, size_t count, Value keywords)
{
    TyCallFunction call = ty_type_of(callable)->slots.call;
    if (TY_UNLIKELY(!call))
        return ty_raise(&ty_TypeError, "'%T' object is not callable", callable);
    if (TY_UNLIKELY(ty_c_stack_low()))
        return ty_raise_recursion_error(" while calling a Python object");
    return call(callable, arguments, count, keywords);
}

const Value ty_no_arguments[1];

Value ty_call_none(Value callable) { return ty_call(callable, ty_no_arguments, 0, TY_NULL); }
Value ty_call_one(Value callable, Value argument) { return argument == TY_NULL || callable == TY_NULL ? TY_NULL : ty_call(callable, &argument, 1, TY_NULL); }

Value ty_call_two(Value callable, Value first, Value second)
{
    Value arguments[2] = { first, second };
    return first == TY_NULL || second == TY_NULL || callable == TY_NULL ? TY_NULL : ty_call(callable, arguments, 2, TY_NULL);
}

#define STACK_ARGUMENTS 64

Value ty_call_prepended(Value callable, Value first, const Value *arguments, size_t count, Value keywords)
{
    size_t total = count + (keywords == TY_NULL ? 0 : (size_t)ty_tuple_length(keywords));
    if (total < STACK_ARGUMENTS) {
        Value all[TY_ROOM(total + 1)];
        all[TY_ROOM(total + 1) - 1] = TY_NULL;
        all[0] = first;
        if (total)
            memcpy(all + 1, arguments, total * sizeof(Value));
        return ty_call(callable, all, count + 1, keywords);
    }
    Value holder = ty_tuple_new((int64_t)total + 1);
    if (holder == TY_NULL)
        return TY_NULL;
    ty_tuple_set(holder, 0, first);
    for (size_t i = 0; i < total; i++)
        ty_tuple_set(holder, (int64_t)i + 1, arguments[i]);
    return ty_call(callable, ty_as_tuple(holder)->items, count + 1, keywords);
}

Value ty_call_with(Value callable, Value arguments, Value keywords)
{
    if (keywords == TY_NULL || ty_dict_length(keywords) == 0)
        return ty_call(callable, ty_as_tuple(arguments)->items, (size_t)ty_tuple_length(arguments), TY_NULL);
    int64_t count = ty_tuple_length(arguments), n = ty_dict_length(keywords), position = 0, i = 0;
    Value all = ty_tuple_new(count + n), names = ty_tuple_new(n), key, value;
    if (all == TY_NULL || names == TY_NULL)
        return TY_NULL;
    for (; i < count; i++)
        ty_tuple_set(all, i, ty_tuple_item(arguments, i));
    for (i = 0; i < n && ty_dict_next(keywords, &position, &key, &value); i++) {
        if (!ty_is_str(key))
            return ty_raise(&ty_TypeError, "keywords must be strings");
        ty_tuple_set(names, i, key);
        ty_tuple_set(all, count + i, value);
    }
    if (i < n) { /* it shrank meanwhile */
        names = ty_tuple_slice(names, 0, i);
        if (names == TY_NULL)
            return TY_NULL;
    }
    return ty_call(callable, ty_as_tuple(all)->items, (size_t)count, names);
}

Value ty_call_special(Value object, Value name, const Value *arguments, size_t count)
{
    TyType *type = ty_type_of(object);
    Value attribute = ty_type_lookup(type, name);
    if (attribute == TY_NULL)
        return ty_raise_attribute_error(object, name);
    TyType *kind = ty_type_of(attribute);
    if (kind->flags & TY_TYPE_METHOD)
        return ty_call_prepended(attribute, object, arguments, count, TY_NULL);
    if (kind->slots.get) {
        attribute = kind->slots.get(attribute, object, ty_from_object(type));
        if (attribute == TY_NULL)
            return TY_NULL;
    }
    return ty_call(attribute, arguments, count, TY_NULL);
}

Value ty_call_method(Value object, Value name, const Value *arguments, size_t count)
{
    TyType *type = ty_type_of(object);
    if (!(type->flags & (TY_TYPE_CUSTOM_GETATTR | TY_TYPE_HAS_DICT))) {
        Value attribute = ty_type_lookup(type, name);
        if (attribute != TY_NULL && ty_type_of(attribute)->flags & TY_TYPE_METHOD)
            return ty_call_prepended(attribute, object, arguments, count, TY_NULL);
    }
    Value method = ty_get_attribute(object, name);
    return method == TY_NULL ? TY_NULL : ty_call(method, arguments, count, TY_NULL);
}

Value ty_call_method_none(Value object, Value name) { return ty_call_method(object, name, ty_no_arguments, 0); }
Value ty_call_method_one(Value object, Value name, Value argument) { return argument == TY_NULL ? TY_NULL : ty_call_method(object, name, &argument, 1); }
