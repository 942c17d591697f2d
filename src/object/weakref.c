#include "object/weakref.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

static TyWeakReference *as_reference(Value v) { return (TyWeakReference *)ty_object(v); }

static void reference_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ty_field(&((TyWeakReference *)self)->callback)); }

Value ty_weak_target(Value reference) { return ty_weak_get(&as_reference(reference)->link); }

/* --- making ----------------------------------------------------------------------------------------------------------- */

typedef struct Search {
    const TyType *type;
    Value found;
} Search;

/* A reference without a callback, of exactly the wanted type, serves everyone. */
static void look(TyObject *reference, void *context)
{
    Search *search = context;
    if (ty_object_type(reference) == search->type && !(ty_object_bits(reference) & TY_WEAK_HAS_CALLBACK))
        search->found = ty_from_object(reference);
}

static Value find_existing(Value referent, const TyType *type)
{
    Search search = {type, TY_NULL};
    if (!ty_heap_contains(ty_object(referent)) || ty_object_bits(ty_object(referent)) & TY_BIT_WEAK)
        ty_weak_each(ty_object(referent), look, &search);
    return search.found;
}

static Value make(TyType *type, Value referent, Value callback)
{
    if (!ty_is_object(referent) || !(ty_type_of(referent)->flags & TY_TYPE_WEAKREFABLE))
        return ty_raise(&ty_TypeError, "cannot create weak reference to '%T' object", referent);
    if (callback == TY_NONE)
        callback = TY_NULL;
    if (!callback && !(type->flags & TY_TYPE_HEAP)) {
        Value existing = find_existing(referent, type);
        if (existing)
            return existing;
    }
    Value made = ty_type_allocate(type, 0);
    if (!made)
        return TY_NULL;
    TyWeakReference *reference = as_reference(made);
    ty_store_relaxed(&reference->hash, -1);
    ty_store(reference, &reference->callback, callback);
    if (callback)
        ty_object_set_bits(&reference->base, TY_WEAK_HAS_CALLBACK);
    return ty_weak_register(ty_object(referent), &reference->base, &reference->link) ? made : TY_NULL;
}

Value ty_weak_reference_new(Value referent, Value callback) { return make(&ty_weak_reference_type, referent, callback); }

Value ty_weak_proxy_new(Value referent, Value callback)
{
    bool callable = ty_type_of(referent)->slots.call != NULL;
    return make(callable ? &ty_weak_callable_proxy_type : &ty_weak_proxy_type, referent, callback);
}

/* --- the end of a referent ------------------------------------------------------------------------------------------------ */

void ty_weak_callbacks(TyObject **references, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        TyWeakReference *reference = (TyWeakReference *)references[i];
        Value callback = ty_field(&reference->callback);
        if (!callback)
            continue;
        ty_object_clear_bits(&reference->base, TY_WEAK_HAS_CALLBACK);
        ty_store(reference, &reference->callback, TY_NULL);
        if (!ty_call_one(callback, ty_from_object(reference))) {
            Value raised = ty_take_exception();
            Value message = ty_str_format("Exception ignored while calling weakref callback %R", callback);
            ty_restore_exception(raised);
            ty_write_unraisable_text(TY_NULL, message);
        }
    }
}

/* --- who refers --------------------------------------------------------------------------------------------------------------- */

static void count_one(TyObject *reference, void *context) { ++*(int64_t *)context; }

int64_t ty_weak_count(Value referent)
{
    int64_t count = 0;
    if (ty_is_object(referent))
        ty_weak_each(ty_object(referent), count_one, &count);
    return count;
}

typedef struct Gathering {
    Value tuple; /* has its room already: nothing may be allocated meanwhile */
    int64_t count;
} Gathering;

static void gather(TyObject *reference, void *context)
{
    Gathering *gathering = context;
    if (gathering->count < ty_tuple_length(gathering->tuple))
        ty_tuple_set(gathering->tuple, gathering->count, ty_from_object(reference));
    gathering->count++;
}

static size_t rank_of(Value reference, const TyType *const *shared)
{
    size_t rank = 0;
    while (shared[rank] && (shared[rank] != ty_type_of(reference) || ty_object_bits(ty_object(reference)) & TY_WEAK_HAS_CALLBACK))
        rank++;
    return rank;
}

Value ty_weak_list(Value referent)
{
    Gathering gathering;
    do {
        gathering.count = 0;
        gathering.tuple = ty_tuple_new(ty_weak_count(referent));
        if (!gathering.tuple)
            return TY_NULL;
        if (ty_is_object(referent))
            ty_weak_each(ty_object(referent), gather, &gathering);
    } while (gathering.count > ty_tuple_length(gathering.tuple));
    Value list = ty_list_new(gathering.count);
    const TyType *const shared[] = {&ty_weak_reference_type, &ty_weak_proxy_type, &ty_weak_callable_proxy_type, NULL};
    for (size_t rank = 0; list && rank < TY_COUNT_OF(shared); rank++) /* first those that serve everyone, then the others by age */
        for (int64_t i = gathering.count; i-- > 0;) { /* the heap tells of the newest first */
            Value reference = ty_tuple_item(gathering.tuple, i);
            if (rank_of(reference, shared) == rank && !ty_list_append(list, reference))
                return TY_NULL;
        }
    return list;
}

/* --- ref ------------------------------------------------------------------------------------------------------------------------- */

static Value reference_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (type == &ty_weak_reference_type && !ty_no_keywords("ref", keywords))
        return TY_NULL;
    if (!ty_check_positional("__new__", count, 1, 2))
        return TY_NULL;
    return make(type, arguments[0], count > 1 ? arguments[1] : TY_NULL);
}

static bool reference_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    return ty_no_keywords("ref", keywords) && ty_check_positional("__init__", count, 1, 2);
}

static Value reference_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("weakref", keywords) || !ty_check_positional("weakref", count, 0, 0))
        return TY_NULL;
    Value target = ty_weak_target(self);
    return target ? target : TY_NONE;
}

static int64_t reference_hash(Value self)
{
    TyWeakReference *reference = as_reference(self);
    int64_t hash = ty_load_relaxed(&reference->hash);
    if (hash != -1)
        return hash;
    Value target = ty_weak_target(self);
    if (!target) {
        ty_raise(&ty_TypeError, "weak object has gone away");
        return -1;
    }
    hash = ty_hash(target);
    ty_store_relaxed(&reference->hash, hash);
    return hash;
}

static Value reference_compare(Value left, Value right, int op)
{
    if ((op != TY_EQ && op != TY_NE) || !ty_is_weak_reference(left) || !ty_is_weak_reference(right))
        return TY_NOT_IMPLEMENTED;
    Value a = ty_weak_target(left), b = ty_weak_target(right);
    if (!a || !b)
        return ty_from_bool((left == right) == (op == TY_EQ));
    return ty_compare(a, b, op);
}

static Value describe(Value self, const char *kind, bool with_name)
{
    Value target = ty_weak_target(self), name = TY_NULL;
    if (!target)
        return ty_str_format("<%s at %p; dead>", kind, (void *)ty_object(self));
    if (with_name) {
        name = ty_lookup_special(target, TY_NAME("__name__")); /* the type's word for it: not any attribute of the object */
        if (!name && ty_raised())
            return TY_NULL;
    }
    if (name && ty_is_str(name))
        return ty_str_format("<%s at %p; to '%T' at %p (%U)>", kind, (void *)ty_object(self), target, (void *)ty_object(target), name);
    return ty_str_format("<%s at %p; to '%T' at %p>", kind, (void *)ty_object(self), target, (void *)ty_object(target));
}
static Value reference_repr(Value self) { return describe(self, "weakref", true); }

static const TyNativeDef reference_methods[] = {TY_CLASS_GETITEM, {0}};
static const TyMemberDef reference_members[] = {
    {"__callback__", TY_MEMBER_VALUE_NONE, false, offsetof(TyWeakReference, callback), "what is called when the referent has died"}, {0}};

TyType ty_weak_reference_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyWeakReference), .trace = reference_trace},
    .name = "weakref.ReferenceType",
    .parent = &ty_object_type_,
    .slots = {.new = reference_new, .init = reference_init, .call = reference_call, .hash = reference_hash, .compare = reference_compare,
              .repr = reference_repr},
    .methods = reference_methods,
    .members = reference_members,
};

/* --- proxies: each operation is that of the referent --------------------------------------------------------------------------------- */

static bool is_proxy(Value v)
{
    TyType *type = ty_type_of(v);
    return type == &ty_weak_proxy_type || type == &ty_weak_callable_proxy_type;
}

/* The referent of a proxy, any other value itself; TY_NULL with ReferenceError for a dead proxy. */
static Value unwrap(Value v)
{
    if (!is_proxy(v))
        return v;
    Value target = ty_weak_target(v);
    return target ? target : ty_raise(&ty_ReferenceError, "weakly-referenced object no longer exists");
}

#define PROXY_UNARY(name, operation)                       \
    static Value proxy_##name(Value self)                  \
    {                                                      \
        Value target = unwrap(self);                       \
        return target ? operation(target) : TY_NULL;       \
    }
PROXY_UNARY(str, ty_str)
PROXY_UNARY(iter, ty_iter)
PROXY_UNARY(negative, ty_negative)
PROXY_UNARY(positive, ty_positive)
PROXY_UNARY(absolute, ty_absolute)
PROXY_UNARY(invert, ty_invert)
PROXY_UNARY(to_int, ty_number_int)
PROXY_UNARY(to_float, ty_number_float)
PROXY_UNARY(index, ty_number_index)

#define PROXY_BINARY(NAME, name, text, method, reflected, inplace)                        \
    static Value proxy_##name(Value left, Value right)                                    \
    {                                                                                     \
        Value a = unwrap(left), b = a ? unwrap(right) : TY_NULL;                          \
        return b ? ty_binary(TY_BINARY_##NAME, a, b) : TY_NULL;                           \
    }                                                                                     \
    static Value proxy_inplace_##name(Value left, Value right)                            \
    {                                                                                     \
        Value a = unwrap(left), b = a ? unwrap(right) : TY_NULL;                          \
        return b ? ty_inplace(TY_BINARY_##NAME, a, b) : TY_NULL;                          \
    }
TY_BINARY_OPERATORS(PROXY_BINARY)

static Value proxy_divmod(Value left, Value right)
{
    Value a = unwrap(left), b = a ? unwrap(right) : TY_NULL;
    return b ? ty_binary(TY_BINARY_DIVMOD, a, b) : TY_NULL;
}
static Value proxy_power_modulus(Value base, Value exponent, Value modulus)
{
    Value a = unwrap(base), b = a ? unwrap(exponent) : TY_NULL, c = b ? unwrap(modulus) : TY_NULL;
    return c ? ty_power(a, b, c) : TY_NULL;
}
static Value proxy_compare(Value left, Value right, int op)
{
    Value a = unwrap(left), b = a ? unwrap(right) : TY_NULL;
    return b ? ty_compare(a, b, op) : TY_NULL;
}
static Value proxy_next(Value self)
{
    Value target = unwrap(self);
    if (!target)
        return TY_NULL;
    if (!ty_is_iterator(target))
        return ty_raise(&ty_TypeError, "Weakref proxy referenced a non-iterator '%T' object", target);
    return ty_next(target);
}
static Value proxy_get_attribute(Value self, Value name)
{
    Value target = unwrap(self);
    return target ? ty_get_attribute(target, name) : TY_NULL;
}
static bool proxy_set_attribute(Value self, Value name, Value value)
{
    Value target = unwrap(self);
    return target && ty_set_attribute(target, name, value);
}
static int proxy_to_bool(Value self)
{
    Value target = unwrap(self);
    return target ? ty_is_true(target) : -1;
}
static int64_t proxy_length(Value self)
{
    Value target = unwrap(self);
    return target ? ty_length(target) : -1;
}
static Value proxy_get_item(Value self, Value key)
{
    Value target = unwrap(self), k = target ? unwrap(key) : TY_NULL;
    return k ? ty_get_item(target, k) : TY_NULL;
}
static bool proxy_set_item(Value self, Value key, Value value)
{
    Value target = unwrap(self);
    if (!target)
        return false;
    return value ? ty_set_item(target, key, value) : ty_delete_item(target, key);
}
static int proxy_contains(Value self, Value item)
{
    Value target = unwrap(self);
    return target ? ty_contains(target, item) : -1;
}
static Value proxy_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    Value target = unwrap(self);
    return target ? ty_call(target, arguments, count, keywords) : TY_NULL;
}
static Value proxy_repr(Value self) { return describe(self, "weakproxy", false); }

static Value proxy_bytes(Value self, Value *a)
{
    Value target = unwrap(self);
    return target ? ty_call_method_none(target, TY_NAME("__bytes__")) : TY_NULL;
}
static Value proxy_reversed(Value self, Value *a)
{
    Value target = unwrap(self);
    return target ? ty_call_method_none(target, TY_NAME("__reversed__")) : TY_NULL;
}
static const TyNativeDef proxy_methods[] = {
    TY_METHOD("__bytes__(self, /)", proxy_bytes, "bytes() of the referent."),
    TY_METHOD("__reversed__(self, /)", proxy_reversed, "reversed() of the referent."),
    {0}};

#define PROXY_BINARY_SLOT(NAME, name, text, method, reflected, inplace) [TY_BINARY_##NAME] = proxy_##name,
#define PROXY_INPLACE_SLOT(NAME, name, text, method, reflected, inplace) [TY_BINARY_##NAME] = proxy_inplace_##name,
#define PROXY_TYPE(name_, call_)                                                                                               \
    {                                                                                                                          \
        .base = TY_STATIC_HEADER(ty_type_type),                                                                                \
        .layout = {.size = sizeof(TyWeakReference), .trace = reference_trace},                                                 \
        .flags = TY_TYPE_NO_NEW | TY_TYPE_FINAL,                                                                               \
        .name = name_,                                                                                                         \
        .parent = &ty_object_type_,                                                                                            \
        .slots = {.repr = proxy_repr, .str = proxy_str, .hash = ty_hash_unhashable, .compare = proxy_compare,                  \
                  .get_attribute = proxy_get_attribute, .set_attribute = proxy_set_attribute, .call = call_, .iter = proxy_iter, \
                  .next = proxy_next, .binary = {TY_BINARY_OPERATORS(PROXY_BINARY_SLOT)[TY_BINARY_DIVMOD] = proxy_divmod},     \
                  .inplace = {TY_BINARY_OPERATORS(PROXY_INPLACE_SLOT)}, .power = proxy_power_modulus,                          \
                  .negative = proxy_negative, .positive = proxy_positive, .absolute = proxy_absolute, .invert = proxy_invert,  \
                  .to_int = proxy_to_int, .to_float = proxy_to_float, .index = proxy_index, .to_bool = proxy_to_bool,          \
                  .length = proxy_length, .get_item = proxy_get_item, .set_item = proxy_set_item, .contains = proxy_contains}, \
        .methods = proxy_methods,                                                                                              \
    }
TyType ty_weak_proxy_type = PROXY_TYPE("weakref.ProxyType", NULL);
TyType ty_weak_callable_proxy_type = PROXY_TYPE("weakref.CallableProxyType", proxy_call);
