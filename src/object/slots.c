#include "object/slots.h"
#include "object/buffer.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/iterator.h"
#include "object/type.h"

/* --- the slots of classes whose special methods are written in Python --------------------------------------------------- */

static Value call_method(Value self, Value name, const Value *arguments, size_t count)
{
    return ty_call_special(self, name, arguments, count);
}

#define PY_UNARY(function, method) \
    static Value function(Value self) { return call_method(self, TY_NAME(method), ty_no_arguments, 0); }

PY_UNARY(py_iter_plain, "__iter__")
PY_UNARY(py_await, "__await__")
PY_UNARY(py_aiter, "__aiter__")
PY_UNARY(py_anext, "__anext__")
PY_UNARY(py_negative, "__neg__")
PY_UNARY(py_positive, "__pos__")
PY_UNARY(py_absolute, "__abs__")
PY_UNARY(py_invert, "__invert__")
PY_UNARY(py_to_int, "__int__")
PY_UNARY(py_to_float, "__float__")
PY_UNARY(py_index, "__index__")

static Value py_repr(Value self)
{
    Value method = ty_type_lookup(ty_type_of(self), TY_NAME("__repr__"));
    if (method == TY_NULL)
        return ty_object_type_.slots.repr(self);
    return call_method(self, TY_NAME("__repr__"), ty_no_arguments, 0);
}

static Value py_str(Value self) { return call_method(self, TY_NAME("__str__"), ty_no_arguments, 0); }

static Value py_iter(Value self)
{
    Value method = ty_type_lookup(ty_type_of(self), TY_NAME("__iter__"));
    if (method == TY_NONE)
        return ty_raise(&ty_TypeError, "'%T' object is not iterable", self);
    if (method != TY_NULL)
        return py_iter_plain(self);
    return ty_sequence_iterator_new(self);
}

static Value py_next(Value self)
{
    Value v = call_method(self, TY_NAME("__next__"), ty_no_arguments, 0);
    return v;
}

static int64_t py_hash(Value self)
{
    Value method = ty_type_lookup(ty_type_of(self), TY_NAME("__hash__"));
    if (method == TY_NONE || method == TY_NULL)
        return ty_hash_unhashable(self);
    Value v = call_method(self, TY_NAME("__hash__"), ty_no_arguments, 0);
    if (v == TY_NULL)
        return -1;
    if (!ty_is_int(v))
        return ty_raise(&ty_TypeError, "__hash__ method should return an integer"), -1;
    int64_t hash;
    if (ty_int_get_int64(v, &hash) != 0)
        hash = ty_int_hash(v);
    return hash == -1 ? -2 : hash;
}

static Value compare_name(int op)
{
    switch (op) {
    case TY_LT: return TY_NAME("__lt__");
    case TY_LE: return TY_NAME("__le__");
    case TY_EQ: return TY_NAME("__eq__");
    case TY_NE: return TY_NAME("__ne__");
    case TY_GT: return TY_NAME("__gt__");
    default: return TY_NAME("__ge__");
    }
}

static Value py_compare(Value self, Value other, int op)
{
    Value method = ty_type_lookup(ty_type_of(self), compare_name(op));
    if (method == TY_NULL)
        return TY_NOT_IMPLEMENTED;
    if (ty_type_of(method)->flags & TY_TYPE_METHOD)
        return ty_call_two(method, self, other);
    method = ty_lookup_special(self, compare_name(op));
    if (method != TY_NULL)
        return ty_call_one(method, other);
    ty_clear_exception(); /* a descriptor that gives nothing counts as no method */
    return TY_NOT_IMPLEMENTED;
}

static bool is_attribute_error(void) { return ty_raised_is(&ty_AttributeError); }

/* __getattribute__, and __getattr__ when that raised AttributeError. */
static Value python_get_attribute(Value self, Value name)
{
    TyType *type = ty_type_of(self);
    Value get_attribute = ty_type_lookup(type, TY_NAME("__getattribute__")), hook = ty_type_lookup(type, TY_NAME("__getattr__"));
    Value found;
    if (ty_is_exact(get_attribute, &ty_wrapper_descriptor_type)) {
        Value (*plain)(Value, Value) = (Value (*)(Value, Value))((TyWrapperDescriptor *)ty_object(get_attribute))->function;
        if (hook != TY_NULL && plain == ty_generic_get_attribute) { /* no error is made only to be dropped */
            found = ty_generic_find_attribute(self, name);
            if (found == TY_NULL && !ty_raised() && ty_is_function(hook))
                return ty_call_two(hook, self, name);
            if (found == TY_NULL && !ty_raised())
                ty_raise_attribute_error(self, name);
        } else
            found = plain(self, name);
    } else
        found = call_method(self, TY_NAME("__getattribute__"), &name, 1);
    if (found != TY_NULL || hook == TY_NULL || !is_attribute_error())
        return found;
    ty_clear_exception();
    if (ty_is_function(hook))
        return ty_call_two(hook, self, name);
    TyDescriptorGet get = ty_type_of(hook)->slots.get;
    if (get)
        hook = get(hook, self, ty_from_object(type));
    return hook == TY_NULL ? TY_NULL : ty_call_one(hook, name);
}

/* An AttributeError that Python code raised without saying for what learns it, so that names can be suggested. */
static Value attribute_or_context(Value found, Value self, Value name)
{
    if (found != TY_NULL || !is_attribute_error())
        return found;
    TyAttributeErrorObject *e = (TyAttributeErrorObject *)ty_object(ty_thread->exception);
    if (e->name == TY_NULL && e->obj == TY_NULL) {
        ty_store(e, &e->name, name);
        ty_store(e, &e->obj, self);
    }
    return TY_NULL;
}

Value ty_slot_python_get_attribute(Value self, Value name)
{
    return attribute_or_context(python_get_attribute(self, name), self, name);
}

static bool py_set_attribute(Value self, Value name, Value value)
{
    Value arguments[2] = { name, value };
    Value r = value == TY_NULL ? call_method(self, TY_NAME("__delattr__"), arguments, 1) : call_method(self, TY_NAME("__setattr__"), arguments, 2);
    return r != TY_NULL;
}

Value ty_slot_python_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    Value method = ty_lookup_special(self, TY_NAME("__call__"));
    if (method == TY_NULL)
        return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "'%T' object is not callable", self);
    if (TY_UNLIKELY(ty_c_stack_low()))
        return ty_raise_recursion_error(" while calling a Python object");
    ty_c_stack_clear();
    volatile Value result = ty_call(method, arguments, count, keywords); /* no jump in place of the call: an object that is its own __call__ must use up the stack */
    return result;
}

static Value py_get(Value descriptor, Value object, Value type)
{
    Value arguments[2] = { object == TY_NULL ? TY_NONE : object, type == TY_NULL ? TY_NONE : type };
    Value method = ty_type_lookup(ty_type_of(descriptor), TY_NAME("__get__"));
    if (method == TY_NULL)
        return descriptor;
    return call_method(descriptor, TY_NAME("__get__"), arguments, 2);
}

static bool py_set(Value descriptor, Value object, Value value)
{
    Value arguments[2] = { object, value };
    Value name = value == TY_NULL ? TY_NAME("__delete__") : TY_NAME("__set__");
    Value method = ty_type_lookup(ty_type_of(descriptor), name);
    if (method == TY_NULL)
        return ty_raise(&ty_AttributeError, "%U", name), false;
    return call_method(descriptor, name, arguments, value == TY_NULL ? 1 : 2) != TY_NULL;
}

Value ty_slot_python_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value function = ty_get_attribute(ty_from_object(type), TY_NAME("__new__"));
    if (function == TY_NULL)
        return TY_NULL;
    return ty_call_prepended(function, ty_from_object(type), arguments, count, keywords);
}

bool ty_slot_python_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    Value method = ty_type_lookup(ty_type_of(self), TY_NAME("__init__"));
    if (method == TY_NULL)
        return true;
    Value r;
    if (ty_is_function(method))
        r = ty_call_prepended(method, self, arguments, count, keywords);
    else {
        method = ty_lookup_special(self, TY_NAME("__init__"));
        r = method == TY_NULL ? TY_NULL : ty_call(method, arguments, count, keywords);
    }
    if (r == TY_NULL)
        return false;
    if (r != TY_NONE)
        return ty_raise(&ty_TypeError, "__init__() should return None, not '%T'", r), false;
    return true;
}

bool ty_slot_python_finalize(TyObject *self)
{
    const TyLayout *layout = &ty_object_type(self)->layout;
    if (layout->retire)
        layout->retire(self);
    Value method = ty_lookup_special(ty_from_object(self), TY_NAME("__del__"));
    if (method == TY_NULL)
        return !ty_raised();
    if (ty_call_none(method) != TY_NULL)
        return true;
    Value function = ty_is_bound_method(method) ? ty_as_bound_method(method)->function : method; /* not the object, which may well fail to print itself */
    Value raised = ty_take_exception(), message = ty_str_format("Exception ignored while calling deallocator %R", function);
    ty_restore_exception(raised);
    ty_write_unraisable_text(TY_NULL, message);
    return false;
}

static int test_result(Value v, Value self)
{
    if (v == TY_NULL)
        return -1;
    if (v != TY_TRUE && v != TY_FALSE)
        return ty_raise(&ty_TypeError, "__bool__ should return bool, returned %T", v), -1;
    return v == TY_TRUE;
}

static int64_t length_result(Value v)
{
    if (v == TY_NULL)
        return -1;
    Value index = ty_number_index(v);
    if (index == TY_NULL)
        return -1;
    int64_t length;
    int where = ty_int_get_int64(index, &length);
    if (where < 0 || (where == 0 && length < 0))
        return ty_raise(&ty_ValueError, "__len__() should return >= 0"), -1;
    if (where > 0)
        return ty_raise(&ty_OverflowError, "cannot fit '%T' into an index-sized integer", index), -1;
    return length;
}

static int64_t py_length(Value self) { return length_result(call_method(self, TY_NAME("__len__"), ty_no_arguments, 0)); }

static int py_to_bool(Value self)
{
    Value method = ty_type_lookup(ty_type_of(self), TY_NAME("__bool__"));
    if (method == TY_NONE)
        return ty_raise(&ty_TypeError, "'%T' cannot be interpreted as a boolean", self), -1;
    if (method != TY_NULL)
        return test_result(call_method(self, TY_NAME("__bool__"), ty_no_arguments, 0), self);
    if (ty_type_lookup(ty_type_of(self), TY_NAME("__len__")) == TY_NULL)
        return 1;
    int64_t length = py_length(self);
    return length < 0 ? -1 : length > 0;
}

Value ty_slot_python_get_item(Value self, Value key) { return call_method(self, TY_NAME("__getitem__"), &key, 1); }

static bool py_set_item(Value self, Value key, Value value)
{
    Value arguments[2] = { key, value };
    return (value == TY_NULL ? call_method(self, TY_NAME("__delitem__"), arguments, 1) : call_method(self, TY_NAME("__setitem__"), arguments, 2)) != TY_NULL;
}

static int py_contains(Value self, Value item)
{
    Value method = ty_type_lookup(ty_type_of(self), TY_NAME("__contains__"));
    if (method == TY_NONE)
        return ty_raise(&ty_TypeError, "'%T' object is not a container", self), -1;
    if (method == TY_NULL)
        return ty_contains_by_iteration(self, item);
    Value v = call_method(self, TY_NAME("__contains__"), &item, 1);
    return v == TY_NULL ? -1 : ty_is_true(v);
}

/* Whether `other`'s class has its own version of the reflected method, so that it goes first. */
static bool overrides(Value self, Value other, Value name)
{
    Value theirs = ty_type_lookup(ty_type_of(other), name);
    return theirs != TY_NULL && theirs != ty_type_lookup(ty_type_of(self), name);
}

static Value maybe_call(Value self, Value name, Value argument)
{
    Value method = ty_type_lookup(ty_type_of(self), name);
    if (method == TY_NULL || method == TY_NONE)
        return method == TY_NULL ? TY_NOT_IMPLEMENTED : call_method(self, name, &argument, 1);
    return call_method(self, name, &argument, 1);
}

static Value py_binary(TyBinaryOperator op, TyBinaryFunction slot, Value left, Value right, Value name, Value reflected)
{
    TyType *l = ty_type_of(left), *r = ty_type_of(right);
    bool try_right = l != r && r->slots.binary[op] == slot;
    if (l->slots.binary[op] == slot) {
        if (try_right && ty_type_is_subtype(r, l) && overrides(left, right, reflected)) {
            Value v = maybe_call(right, reflected, left);
            if (v != TY_NOT_IMPLEMENTED)
                return v;
            try_right = false;
        }
        Value v = maybe_call(left, name, right);
        if (v != TY_NOT_IMPLEMENTED || l == r)
            return v;
    }
    return try_right ? maybe_call(right, reflected, left) : TY_NOT_IMPLEMENTED;
}

#define PY_BINARY(NAME, slot, text, method, reflected, inplace_name) \
    static Value py_##slot(Value left, Value right) { return py_binary(TY_BINARY_##NAME, py_##slot, left, right, TY_NAME(method), TY_NAME(reflected)); } \
    static Value py_inplace_##slot(Value left, Value right) { return call_method(left, TY_NAME(inplace_name), &right, 1); }
TY_BINARY_OPERATORS(PY_BINARY)
static Value py_divmod(Value left, Value right) { return py_binary(TY_BINARY_DIVMOD, py_divmod, left, right, TY_NAME("__divmod__"), TY_NAME("__rdivmod__")); }

static Value py_power_ternary(Value base, Value exponent, Value modulus)
{
    if (modulus == TY_NONE)
        return py_binary(TY_BINARY_POWER, py_power, base, exponent, TY_NAME("__pow__"), TY_NAME("__rpow__"));
    /* With a modulus only the classes that define __pow__ (or 3.14's three-argument __rpow__) take part. */
    if (ty_type_lookup(ty_type_of(base), TY_NAME("__pow__")) != TY_NULL && ty_type_of(base)->slots.power == py_power_ternary) {
        Value arguments[2] = { exponent, modulus };
        Value v = call_method(base, TY_NAME("__pow__"), arguments, 2);
        if (v != TY_NOT_IMPLEMENTED)
            return v;
    }
    if (ty_type_lookup(ty_type_of(exponent), TY_NAME("__rpow__")) != TY_NULL && ty_type_of(exponent)->slots.power == py_power_ternary && ty_type_of(exponent) != ty_type_of(base)) {
        Value arguments[2] = { base, modulus };
        return call_method(exponent, TY_NAME("__rpow__"), arguments, 2);
    }
    return TY_NOT_IMPLEMENTED;
}

static bool py_get_buffer(Value self, TyBuffer *view, int flags) { return ty_buffer_from_method(self, view, flags); }
static void py_release_buffer(Value self, TyBuffer *view) { ty_buffer_release_method(self, view); }

/* --- the table ---------------------------------------------------------------------------------------------------------------- */

static void *python_slot(const char *method, size_t offset)
{
#define OFFSET(member) offsetof(TySlots, member)
#define AT(member, function) if (offset == OFFSET(member)) return (void *)(function);
    AT(repr, py_repr) AT(hash, py_hash) AT(call, ty_slot_python_call) AT(str, py_str) AT(get_attribute, ty_slot_python_get_attribute) AT(set_attribute, py_set_attribute)
    AT(compare, py_compare) AT(iter, py_iter) AT(next, py_next) AT(get, py_get) AT(set, py_set) AT(init, ty_slot_python_init) AT(await, py_await) AT(aiter, py_aiter)
    AT(anext, py_anext) AT(power, py_power_ternary) AT(negative, py_negative) AT(positive, py_positive) AT(absolute, py_absolute) AT(to_bool, py_to_bool) AT(invert, py_invert)
    AT(to_int, py_to_int) AT(to_float, py_to_float) AT(index, py_index) AT(length, py_length) AT(get_item, ty_slot_python_get_item) AT(set_item, py_set_item)
    AT(contains, py_contains) AT(get_buffer, py_get_buffer) AT(release_buffer, py_release_buffer)
#define AT_BINARY(NAME, slot, text, m, r, i) AT(binary[TY_BINARY_##NAME], py_##slot) AT(inplace[TY_BINARY_##NAME], py_inplace_##slot)
    TY_BINARY_OPERATORS(AT_BINARY)
    AT(binary[TY_BINARY_DIVMOD], py_divmod)
    (void)method;
    return NULL;
}

const TySlotEntry ty_slot_entries[] = {
#define ENTRY(method, member, wrapper, signature, doc) { method, offsetof(TySlots, member), wrapper, signature, doc, NULL },
    TY_SLOT_TABLE(ENTRY)
#undef ENTRY
};
const size_t ty_slot_entry_count = TY_COUNT_OF(ty_slot_entries);

static Value entry_name(size_t i) /* interned once */
{
    static _Atomic Value names[TY_COUNT_OF(ty_slot_entries)];
    Value name = ty_load_acquire(&names[i]);
    if (TY_UNLIKELY(name == TY_NULL)) {
        name = ty_intern_text(ty_slot_entries[i].method);
        ty_store_release(&names[i], name);
    }
    return name;
}

bool ty_slot_is_special_name(Value name)
{
    int64_t length = ty_str_length(name);
    return length > 4 && ty_str_at(name, 0) == '_' && ty_str_at(name, 1) == '_' && ty_str_at(name, length - 1) == '_';
}

static Value wrapper_new(TyType *owner, const TySlotEntry *entry, void *function)
{
    TyWrapperDescriptor *wrapper = ty_allocate(&ty_wrapper_descriptor_type, sizeof *wrapper);
    if (!wrapper)
        return TY_NULL;
    wrapper->owner = owner;
    wrapper->entry = entry;
    wrapper->function = function;
    return ty_from_object(wrapper);
}

bool ty_slots_add_wrappers(TyType *type)
{
    for (size_t i = 0; i < ty_slot_entry_count; i++) {
        const TySlotEntry *entry = &ty_slot_entries[i];
        void *function = *ty_slot_place(type, entry);
        if (!function || entry->wrapper == TY_WRAP_DEL || entry->wrapper == TY_WRAP_GETATTR_HOOK)
            continue;
        if (function == (void *)ty_hash_unhashable) {
            if (!ty_dict_set(type->dict, entry_name(i), TY_NONE))
                return false;
            continue;
        }
        if (ty_dict_get_str(type->dict, entry_name(i)) != TY_NULL)
            continue;
        Value wrapper = wrapper_new(type, entry, function);
        if (wrapper == TY_NULL || !ty_dict_set(type->dict, entry_name(i), wrapper))
            return false;
    }
    /* A binary power slot without the ternary one still has __pow__. */
    return true;
}

/* Which entry has that name first; a few names stand for two slots. By the address of the interned str, filled when the first type is made ready. */
enum { PLACES = 256 };
static struct { Value name; uint16_t entry; } places[PLACES];
static uint16_t first_of_name[TY_COUNT_OF(ty_slot_entries)];
static void *python_slots[TY_COUNT_OF(ty_slot_entries)]; /* python_slot of each entry */

/* The slot function for one entry, given what the class has under its method's name. */
static void *slot_for(TyType *type, size_t i, Value found)
{
    const TySlotEntry *entry = &ty_slot_entries[i];
    if (ty_is_exact(found, &ty_wrapper_descriptor_type)) {
        TyWrapperDescriptor *wrapper = (TyWrapperDescriptor *)ty_object(found);
        if (wrapper->entry->offset == entry->offset && wrapper->entry->wrapper == entry->wrapper && ty_type_is_subtype(type, wrapper->owner))
            return wrapper->function;
        if (wrapper->entry->offset != entry->offset && strcmp(wrapper->entry->method, entry->method) == 0 && ty_type_is_subtype(type, wrapper->owner))
            return NULL; /* a sequence's __add__ fills `concat`, not the number slot, and the other way round */
    }
    if (found == TY_NONE && entry->wrapper == TY_WRAP_HASH)
        return (void *)ty_hash_unhashable;
    return python_slots[i];
}

static size_t place_of(Value name)
{
    size_t at = (size_t)((uint64_t)name * 0x9E3779B97F4A7C15ull >> 56);
    while (places[at].name != TY_NULL && places[at].name != name)
        at = (at + 1) % PLACES;
    return at;
}

static void fill_places(void)
{
    _Static_assert(TY_COUNT_OF(ty_slot_entries) < PLACES / 2, "the table of names is too small");
    for (size_t i = 0; i < ty_slot_entry_count; i++) {
        size_t at = place_of(entry_name(i));
        if (places[at].name == TY_NULL) {
            places[at].entry = (uint16_t)i;
            places[at].name = entry_name(i);
        }
        first_of_name[i] = places[at].entry;
        python_slots[i] = python_slot(ty_slot_entries[i].method, ty_slot_entries[i].offset);
    }
}

/* What the class has under the name of each entry: the namespaces hold fewer special names than there are entries. */
static void find_methods(TyType *type, Value *found)
{
    if (places[place_of(entry_name(0))].name == TY_NULL)
        fill_places(); /* the first types are made before there is a second thread */
    for (int64_t i = 0; type->mro != TY_NULL && i < ty_tuple_length(type->mro); i++) {
        Value dict = ty_as_type(ty_tuple_item(type->mro, i))->dict, name, method;
        for (int64_t position = 0; ty_dict_next(dict, &position, &name, &method);) {
            if (!ty_is_exact_str(name) || !ty_slot_is_special_name(name))
                continue;
            size_t at = place_of(ty_str_is_interned(name) ? name : ty_intern(name));
            if (places[at].name != TY_NULL && found[places[at].entry] == TY_NULL)
                found[places[at].entry] = method;
        }
    }
}

void ty_slots_update(TyType *type)
{
    Value methods[TY_COUNT_OF(ty_slot_entries)] = {0};
    find_methods(type, methods);
    TySlots fresh = {0};
    TySlots *target = &fresh;
    bool hook = false;
    for (size_t i = 0; i < ty_slot_entry_count; i++) {
        const TySlotEntry *entry = &ty_slot_entries[i];
        Value found = methods[first_of_name[i]];
        if (entry->wrapper == TY_WRAP_DEL) {
            if (found != TY_NULL)
                type->layout.finalize = ty_slot_python_finalize;
            continue;
        }
        if (found == TY_NULL)
            continue;
        if (entry->wrapper == TY_WRAP_GETATTR_HOOK) {
            hook = true;
            continue;
        }
        void **place = (void **)((char *)target + entry->offset);
        void *function = slot_for(type, i, found);
        if (!function)
            continue;
        void *python = python_slots[i];
        /* Several methods share a slot (the six comparisons, __add__ and __radd__): one C function serves only if all agree on it. */
        if (*place && *place != function)
            function = python;
        /* … and nothing written in Python beats it. */
        *place = *place == python && python ? python : function;
    }
    if (hook)
        target->get_attribute = ty_slot_python_get_attribute;
    if (target->power == py_power_ternary)
        target->binary[TY_BINARY_POWER] = py_power;
    Value constructor = ty_type_lookup(type, TY_NAME("__new__"));
    TyType *owner;
    if (ty_native_is_constructor(constructor, &owner))
        target->new = owner->slots.new;
    else
        target->new = constructor == TY_NULL ? NULL : ty_slot_python_new;
    /* Slots without a method of their own come with the layout. */
    for (TyType *base = type->parent; base; base = base->parent) {
        if (base->flags & TY_TYPE_HEAP)
            continue;
        if (!target->item && target->get_item == base->slots.get_item)
            target->item = base->slots.item;
        if (!target->power && target->binary[TY_BINARY_POWER] == NULL) {
            target->power = base->slots.power;
            target->binary[TY_BINARY_POWER] = base->slots.binary[TY_BINARY_POWER];
        }
        if (target->power == base->slots.power && target->power)
            target->binary[TY_BINARY_POWER] = base->slots.binary[TY_BINARY_POWER];
        if (!target->get_buffer) {
            target->get_buffer = base->slots.get_buffer;
            target->release_buffer = base->slots.release_buffer;
        }
        break;
    }
    void **to = (void **)&type->slots, **from = (void **)target;
    uint32_t custom = target->get_attribute != ty_generic_get_attribute ? TY_TYPE_CUSTOM_GETATTR : 0;
    if (memcmp(to, from, sizeof(TySlots)) == 0 && (type->flags & TY_TYPE_CUSTOM_GETATTR) == custom)
        return;
    ty_world_stop(); /* slots and flags are plain words for whoever uses them */
    memcpy(to, from, sizeof(TySlots));
    type->flags = (type->flags & ~TY_TYPE_CUSTOM_GETATTR) | custom;
    ty_world_start();
}

/* --- wrappers: calling a C slot from Python ------------------------------------------------------------------------------------ */

static Value wrapped_compare(void *function, Value self, Value other, int op) { return ((TyCompareFunction)function)(self, other, op); }

static bool index_argument(Value v, int64_t *out)
{
    return ty_to_size(v, out);
}

/* object.__setattr__(cls, …) on a type would slip past the type's own rule. */
static bool check_set_attribute(Value self, void *function, const char *what)
{
    TyType *type = ty_type_of(self);
    while (type && (type->flags & TY_TYPE_HEAP))
        type = type->parent;
    if (type && (void *)type->slots.set_attribute != function && (void *)type->slots.set_attribute != NULL && (type->flags & TY_TYPE_TYPE))
        return ty_raise(&ty_TypeError, "can't apply this %s to %s object", what, ty_type_short_name(type)), false;
    return true;
}

Value ty_slot_call_wrapper(const TySlotEntry *entry, void *function, Value self, const Value *a, size_t count, Value keywords)
{
    static const int8_t arity[] = {
        [TY_WRAP_UNARY] = 0, [TY_WRAP_BINARY] = 1, [TY_WRAP_REFLECTED] = 1, [TY_WRAP_POWER] = -2, [TY_WRAP_POWER_REFLECTED] = -2, [TY_WRAP_INPLACE] = 1, [TY_WRAP_TEST] = 0,
        [TY_WRAP_LENGTH] = 0, [TY_WRAP_HASH] = 0, [TY_WRAP_LT] = 1, [TY_WRAP_LE] = 1, [TY_WRAP_EQ] = 1, [TY_WRAP_NE] = 1, [TY_WRAP_GT] = 1, [TY_WRAP_GE] = 1,
        [TY_WRAP_GET_ATTRIBUTE] = 1, [TY_WRAP_SET_ATTRIBUTE] = 2, [TY_WRAP_DELETE_ATTRIBUTE] = 1, [TY_WRAP_CALL] = -1, [TY_WRAP_NEXT] = 0, [TY_WRAP_GET] = -2, [TY_WRAP_SET] = 2,
        [TY_WRAP_DELETE] = 1, [TY_WRAP_INIT] = -1, [TY_WRAP_GET_ITEM] = 1, [TY_WRAP_SET_ITEM] = 2, [TY_WRAP_DELETE_ITEM] = 1, [TY_WRAP_CONTAINS] = 1, [TY_WRAP_REPEAT] = 1,
        [TY_WRAP_REPEAT_REFLECTED] = 1, [TY_WRAP_CONCAT] = 1, [TY_WRAP_BUFFER] = 1, [TY_WRAP_RELEASE_BUFFER] = 1, [TY_WRAP_DEL] = 0
    };
    int expected = arity[entry->wrapper];
    if (expected != -1 && keywords != TY_NULL && ty_tuple_length(keywords) != 0)
        return ty_raise(&ty_TypeError, "wrapper %s() takes no keyword arguments", entry->method);
    if (expected >= 0 && count != (size_t)expected)
        return ty_raise(&ty_TypeError, "expected %d argument%s, got %zu", expected, expected == 1 ? "" : "s", count);
    if (expected == -2 && (count < 1 || count > 2) && entry->wrapper != TY_WRAP_GET)
        return ty_raise(&ty_TypeError, "expected 1 or 2 arguments, got %zu", count);
    if (expected == -2 && (count < 1 || count > 2))
        return ty_raise(&ty_TypeError, "expected at %s %d argument%s, got %zu", count < 1 ? "least" : "most", count < 1 ? 1 : 2, count < 1 ? "" : "s", count);
    int64_t n;
    int test;
    Value v;
    switch ((TyWrapper)entry->wrapper) {
    case TY_WRAP_UNARY: return ((TyUnaryFunction)function)(self);
    case TY_WRAP_BINARY: return ((TyBinaryFunction)function)(self, a[0]);
    case TY_WRAP_REFLECTED: return ((TyBinaryFunction)function)(a[0], self);
    case TY_WRAP_INPLACE: return ((TyBinaryFunction)function)(self, a[0]);
    case TY_WRAP_POWER: return ((TyTernaryFunction)function)(self, a[0], count > 1 ? a[1] : TY_NONE);
    case TY_WRAP_POWER_REFLECTED: return ((TyTernaryFunction)function)(a[0], self, count > 1 ? a[1] : TY_NONE);
    case TY_WRAP_TEST:
        test = ((TyTestFunction)function)(self);
        return test < 0 ? TY_NULL : ty_from_bool(test);
    case TY_WRAP_LENGTH:
        n = ((TyLengthFunction)function)(self);
        return n < 0 ? TY_NULL : ty_int_from_int64(n);
    case TY_WRAP_HASH:
        n = ((TyHashFunction)function)(self);
        return n == -1 && ty_raised() ? TY_NULL : ty_int_from_int64(n);
    case TY_WRAP_LT: case TY_WRAP_LE: case TY_WRAP_EQ: case TY_WRAP_NE: case TY_WRAP_GT: case TY_WRAP_GE:
        return wrapped_compare(function, self, a[0], entry->wrapper - TY_WRAP_LT);
    case TY_WRAP_GET_ATTRIBUTE: return ((Value (*)(Value, Value))function)(self, a[0]);
    case TY_WRAP_SET_ATTRIBUTE:
        return check_set_attribute(self, function, "__setattr__") && ((bool (*)(Value, Value, Value))function)(self, a[0], a[1]) ? TY_NONE : TY_NULL;
    case TY_WRAP_DELETE_ATTRIBUTE:
        return check_set_attribute(self, function, "__delattr__") && ((bool (*)(Value, Value, Value))function)(self, a[0], TY_NULL) ? TY_NONE : TY_NULL;
    case TY_WRAP_CALL: return ((TyCallFunction)function)(self, a, count, keywords);
    case TY_WRAP_NEXT:
        v = ((TyUnaryFunction)function)(self);
        return v != TY_NULL || ty_raised() ? v : ty_raise_none(&ty_StopIteration);
    case TY_WRAP_GET: {
        Value object = a[0] == TY_NONE ? TY_NULL : a[0], type = count < 2 || a[1] == TY_NONE ? TY_NULL : a[1];
        if (object == TY_NULL && type == TY_NULL)
            return ty_raise(&ty_TypeError, "__get__(None, None) is invalid");
        return ((TyDescriptorGet)function)(self, object, type);
    }
    case TY_WRAP_SET: return ((TyDescriptorSet)function)(self, a[0], a[1]) ? TY_NONE : TY_NULL;
    case TY_WRAP_DELETE: return ((TyDescriptorSet)function)(self, a[0], TY_NULL) ? TY_NONE : TY_NULL;
    case TY_WRAP_INIT: return ((TyInitFunction)function)(self, a, count, keywords) ? TY_NONE : TY_NULL;
    case TY_WRAP_GET_ITEM: return ((TyBinaryFunction)function)(self, a[0]);
    case TY_WRAP_SET_ITEM: return ((TyStoreFunction)function)(self, a[0], a[1]) ? TY_NONE : TY_NULL;
    case TY_WRAP_DELETE_ITEM: return ((TyStoreFunction)function)(self, a[0], TY_NULL) ? TY_NONE : TY_NULL;
    case TY_WRAP_CONTAINS:
        test = ((TyContainsFunction)function)(self, a[0]);
        return test < 0 ? TY_NULL : ty_from_bool(test);
    case TY_WRAP_CONCAT: return ((TyBinaryFunction)function)(self, a[0]);
    case TY_WRAP_REPEAT: case TY_WRAP_REPEAT_REFLECTED:
        return index_argument(a[0], &n) ? ((Value (*)(Value, int64_t))function)(self, n) : TY_NULL;
    case TY_WRAP_BUFFER: {
        int32_t flags;
        if (!ty_to_int32(a[0], &flags))
            return TY_NULL;
        const TyType *type = ty_type_of(self);
        while (type && (void *)type->slots.get_buffer != function) /* the base that the slot is of */
            type = type->parent;
        return ty_memoryview_from_slot(self, (bool (*)(Value, TyBuffer *, int))function, type ? type->slots.release_buffer : NULL, flags);
    }
    case TY_WRAP_RELEASE_BUFFER: return ty_memoryview_release_for(self, a[0]) ? TY_NONE : TY_NULL;
    case TY_WRAP_DEL: case TY_WRAP_GETATTR_HOOK: break;
    }
    return ty_raise(&ty_SystemError, "bad slot wrapper");
}
