/* Classes made at run time: type.__new__ and what follows from it: metaclass, layout, mro, slots, hooks. */
#include "object/bytes.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/slots.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include "base/unicode.h"
#include <stdlib.h>

#define INLINE_ATTRIBUTES_MIN 2
#define INLINE_ATTRIBUTES_MAX 40

/* --- method resolution order ------------------------------------------------------------------------------------- */

static bool in_tail(Value sequence, int64_t from, Value class)
{
    for (int64_t i = from + 1; i < ty_tuple_length(sequence); i++)
        if (ty_tuple_item(sequence, i) == class)
            return true;
    return false;
}

static Value mro_conflict(Value bases)
{
    Value names = ty_list_new(0);
    for (int64_t i = 0; names != TY_NULL && i < ty_tuple_length(bases); i++)
        if (!ty_list_append(names, ty_as_type(ty_tuple_item(bases, i))->name_value))
            return TY_NULL;
    Value joined = names == TY_NULL ? TY_NULL : ty_str_join(ty_str_from_text(", "), names);
    return joined == TY_NULL ? TY_NULL : ty_raise(&ty_TypeError, "Cannot create a consistent method resolution order (MRO) for bases %U", joined);
}

/* C3 (https://www.python.org/download/releases/2.3/mro/). */
Value ty_mro_compute(TyType *type)
{
    Value bases = type->bases;
    int64_t count = ty_tuple_length(bases);
    for (int64_t i = 0; i < count; i++)
        if (ty_as_type(ty_tuple_item(bases, i))->mro == TY_NULL)
            return ty_raise(&ty_TypeError, "Cannot extend an incomplete type '%s'", ty_as_type(ty_tuple_item(bases, i))->name);
    Value result = ty_list_new(8);
    if (result == TY_NULL || !ty_list_append(result, ty_from_object(type)))
        return TY_NULL;
    if (count == 1) {
        Value mro = ty_as_type(ty_tuple_item(bases, 0))->mro;
        return ty_list_extend(result, mro) ? ty_list_to_tuple(result) : TY_NULL;
    }
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < i; j++)
            if (ty_tuple_item(bases, i) == ty_tuple_item(bases, j))
                return ty_raise(&ty_TypeError, "duplicate base class %U", ty_as_type(ty_tuple_item(bases, i))->name_value);
    Value sequences = ty_tuple_new(count + 1);
    int64_t *at = calloc((size_t)count + 1, sizeof *at);
    if (sequences == TY_NULL || !at) {
        free(at);
        return sequences == TY_NULL ? TY_NULL : ty_raise_memory_error();
    }
    for (int64_t i = 0; i < count; i++)
        ty_tuple_set(sequences, i, ty_as_type(ty_tuple_item(bases, i))->mro);
    ty_tuple_set(sequences, count, bases);
    for (;;) {
        Value candidate = TY_NULL;
        bool left = false;
        for (int64_t i = 0; i <= count && candidate == TY_NULL; i++) {
            Value sequence = ty_tuple_item(sequences, i);
            if (at[i] >= ty_tuple_length(sequence))
                continue;
            left = true;
            candidate = ty_tuple_item(sequence, at[i]);
            for (int64_t j = 0; j <= count; j++)
                if (in_tail(ty_tuple_item(sequences, j), at[j], candidate)) {
                    candidate = TY_NULL;
                    break;
                }
        }
        if (candidate == TY_NULL || !ty_list_append(result, candidate)) {
            free(at);
            return left ? (ty_raised() ? TY_NULL : mro_conflict(bases)) : ty_list_to_tuple(result);
        }
        for (int64_t i = 0; i <= count; i++)
            if (at[i] < ty_tuple_length(ty_tuple_item(sequences, i)) && ty_tuple_item(ty_tuple_item(sequences, i), at[i]) == candidate)
                at[i]++;
    }
}

/* --- subclasses ---------------------------------------------------------------------------------------------------- */

Value ty_type_subclass_list(TyType *type, bool make)
{
    if (type->flags & TY_TYPE_HEAP) {
        Value list = ty_field_acquire(&type->subclasses);
        if (list == TY_NULL && make && (list = ty_list_new(0)) != TY_NULL)
            ty_store_publish(type, &type->subclasses, list);
        return list;
    }
    TyInterpreter *interpreter = ty_thread ? ty_interpreter() : NULL;
    if (!interpreter || interpreter->static_subclasses == TY_NULL)
        return TY_NULL;
    Value key = ty_int_from_int64((int64_t)(uintptr_t)type);
    Value list = ty_dict_get(interpreter->static_subclasses, key);
    if (list == TY_NULL && make && !ty_raised() && (list = ty_list_new(0)) != TY_NULL)
        list = ty_dict_set_default(interpreter->static_subclasses, key, list);
    return list;
}

static bool add_subclass(TyType *base, TyType *type)
{
    Value list = ty_type_subclass_list(base, true);
    if (list == TY_NULL)
        return !ty_raised();
    Value reference = ty_weak_reference_new(ty_from_object(type), TY_NULL);
    if (reference == TY_NULL)
        return false;
    for (int64_t i = 0; i < ty_list_length(list); i++) { /* the place of a dead one serves again */
        Value old = ty_list_item(list, i);
        if (old != TY_NULL && ty_weak_target(old) == TY_NULL)
            return ty_list_set(list, i, reference);
    }
    return ty_list_append(list, reference);
}

static bool remove_subclass(TyType *base, TyType *type)
{
    Value list = ty_type_subclass_list(base, false);
    Value kept = list == TY_NULL ? TY_NULL : ty_list_new(0);
    for (int64_t i = 0; kept != TY_NULL && i < ty_list_length(list); i++) {
        Value reference = ty_list_item(list, i);
        Value target = reference == TY_NULL ? TY_NULL : ty_weak_target(reference);
        if (target != TY_NULL && target != ty_from_object(type) && !ty_list_append(kept, reference))
            return false;
    }
    return list == TY_NULL || (kept != TY_NULL && ty_list_clear(list) && ty_list_extend(list, kept));
}

/* --- layout ---------------------------------------------------------------------------------------------------------- */

/* The ancestor that last added fields of its own to instances (attributes apart). */
static TyType *solid_base(TyType *type)
{
    while (type->parent) {
        bool adds = type->flags & TY_TYPE_HEAP ? type->slot_names != TY_NULL && ty_tuple_length(type->slot_names) > 0
                                               : type->layout.size > type->parent->layout.size + (type->flags & TY_TYPE_HAS_DICT && !(type->parent->flags & TY_TYPE_HAS_DICT) ? sizeof(TyAttributes) : 0) ||
                                                     type->layout.item_size != type->parent->layout.item_size ||
                                                     (type->layout.trace != type->parent->layout.trace && !(type->flags & TY_TYPE_EXCEPTION));
        if (adds)
            return type;
        type = type->parent;
    }
    return type;
}

static bool derives_by_parent(const TyType *type, const TyType *ancestor)
{
    while (type && type != ancestor)
        type = type->parent;
    return type != NULL;
}

/* The mro that the metaclass gives: its own mro() may differ. */
static Value class_mro(TyType *type)
{
    TyType *meta = ty_object_type(&type->base);
    if (meta == &ty_type_type)
        return ty_mro_compute(type);
    Value method = ty_type_lookup(meta, TY_NAME("mro"));
    if (method != TY_NULL && ty_is_exact(method, &ty_method_descriptor_type))
        return ty_mro_compute(type);
    Value given = ty_call_method_none(ty_from_object(type), TY_NAME("mro"));
    Value mro = given == TY_NULL ? TY_NULL : ty_sequence_tuple(given);
    for (int64_t i = 0; mro != TY_NULL && i < ty_tuple_length(mro); i++) {
        Value base = ty_tuple_item(mro, i);
        if (!ty_is_type(base))
            return ty_raise(&ty_TypeError, "mro() returned a non-class ('%T')", base);
        if (base != ty_from_object(type) && !derives_by_parent(solid_base(type), solid_base(ty_as_type(base))))
            return ty_raise(&ty_TypeError, "mro() returned base with unsuitable layout ('%s')", ty_as_type(base)->name);
        bool known = base == ty_from_object(type);
        for (int64_t j = 0; !known && j < ty_tuple_length(type->bases); j++)
            known = ty_type_is_subtype(ty_as_type(ty_tuple_item(type->bases, j)), ty_as_type(base));
        if (!known) {
            __atomic_fetch_or(&type->flags, TY_TYPE_UNCACHED, __ATOMIC_RELAXED);
            ty_type_modified(type);
        }
    }
    return mro;
}

static TyType *best_base(Value bases)
{
    TyType *winner = NULL, *base = NULL;
    for (int64_t i = 0; i < ty_tuple_length(bases); i++) {
        Value candidate_value = ty_tuple_item(bases, i);
        if (!ty_is_type(candidate_value))
            return ty_raise(&ty_TypeError, "bases must be types"), NULL;
        TyType *candidate = ty_as_type(candidate_value);
        if (candidate->flags & TY_TYPE_FINAL)
            return ty_raise(&ty_TypeError, "type '%s' is not an acceptable base type", candidate->name), NULL;
        TyType *solid = solid_base(candidate);
        if (!winner || (winner != solid && ty_type_is_subtype(solid, winner))) {
            winner = solid;
            base = candidate;
        } else if (!ty_type_is_subtype(winner, solid))
            return ty_raise(&ty_TypeError, "multiple bases have instance lay-out conflict"), NULL;
    }
    return base;
}

/* Names stored on the first parameter by the functions of a class body: how many attributes its instances are likely to have. */
static uint32_t count_self_attributes(Value namespace)
{
    Value names = ty_dict_new();
    int64_t position = 0;
    Value key, value;
    while (names != TY_NULL && ty_dict_next(namespace, &position, &key, &value)) {
        if (!ty_is_function(value))
            continue;
        TyCode *code = ty_as_function(value)->code;
        if (code->positional_count == 0)
            continue;
        for (uint32_t i = 0; i < code->instruction_count; i++) {
            TyInstruction w = code->instructions[i];
            if (ty_op(w) == TY_OP_STORE_ATTR && ty_op_a(w) == 0)
                ty_dict_set(names, ty_tuple_item(code->names, ty_ext_x(code->instructions[i + 1])), TY_NONE);
            if (ty_op(w) < TY_OP_COUNT)
                i += ty_op_words[ty_op(w)] - 1;
        }
    }
    if (ty_raised())
        ty_clear_exception();
    return names == TY_NULL ? 0 : (uint32_t)ty_dict_length(names);
}

/* --- instances of classes: tracing, allocation ----------------------------------------------------------------------- */

static void trace_added_slots(TyObject *self, const TyType *type, TyMarker *marker)
{
    for (; type && (type->flags & TY_TYPE_HEAP); type = type->parent) {
        if (type->slot_names == TY_NULL)
            continue;
        char *first = type->flags & TY_TYPE_VARIABLE ? (char *)self + ty_heap_object_size(self) - type->tail_slots : (char *)self + type->slots_offset;
        for (int64_t i = 0; i < ty_tuple_length(type->slot_names); i++)
            ty_mark(marker, ty_field((Value *)(void *)first + i));
    }
}

void ty_class_trace_instance(TyObject *self, TyMarker *marker)
{
    TyType *type = ty_object_type(self);
    trace_added_slots(self, type, marker);
    ty_attributes_trace(self, type, marker);
}

static void class_instance_trace(TyObject *self, TyMarker *marker)
{
    const TyType *native = ty_object_type(self);
    while (native->flags & TY_TYPE_HEAP)
        native = native->parent;
    if (native->layout.trace)
        native->layout.trace(self, marker);
    if (!(native->flags & TY_TYPE_TYPE)) /* type's own trace does this for instances of metaclasses */
        ty_class_trace_instance(self, marker);
}

Value ty_type_allocate(TyType *type, size_t item_count)
{
    size_t size = type->layout.size;
    if (type->flags & TY_TYPE_VARIABLE) {
        size += item_count * type->layout.item_size;
        if (type->flags & TY_TYPE_HAS_DICT)
            size = ((size + 7) & ~(size_t)7) + sizeof(TyAttributes) + type->inline_count * sizeof(Value);
        if (type->tail_slots)
            size = ((size + 7) & ~(size_t)7) + type->tail_slots;
    }
    if (TY_UNLIKELY(ty_shape_of_type(type) == 0))
        return TY_NULL;
    return ty_from_object(ty_allocate(type, size));
}

/* --- __slots__ --------------------------------------------------------------------------------------------------------- */

static Value mangle(Value class_name, Value name)
{
    int64_t length = ty_str_length(name), n = ty_str_length(class_name), i = 0;
    if (length < 3 || ty_str_at(name, 0) != '_' || ty_str_at(name, 1) != '_' || (ty_str_at(name, length - 1) == '_' && ty_str_at(name, length - 2) == '_')
        || ty_str_find_char(name, '.', 0, length, 1) >= 0)
        return ty_intern(name);
    while (i < n && ty_str_at(class_name, i) == '_')
        i++;
    if (i == n)
        return ty_intern(name);
    Value mangled = ty_str_format("_%U%U", ty_str_slice(class_name, i, n), name);
    return mangled == TY_NULL ? TY_NULL : ty_intern(mangled);
}

typedef struct SlotPlan {
    bool add_dict, add_weakref, given;
    Value names; /* list of mangled names */
} SlotPlan;

static bool plan_slot(SlotPlan *plan, TyType *base, Value class_name, Value namespace, Value name)
{
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "__slots__ items must be strings, not '%T'", name), false;
    Value is_identifier = ty_call_method_none(name, TY_NAME("isidentifier"));
    if (is_identifier == TY_NULL)
        return false;
    if (is_identifier != TY_TRUE)
        return ty_raise(&ty_TypeError, "__slots__ must be identifiers"), false;
    if (ty_str_equal_text(name, "__dict__")) {
        if (plan->add_dict || (base->flags & TY_TYPE_HAS_DICT))
            return ty_raise(&ty_TypeError, "__dict__ slot disallowed: we already got one"), false;
        plan->add_dict = true;
        return true;
    }
    if (ty_str_equal_text(name, "__weakref__")) {
        if (plan->add_weakref || (base->flags & TY_TYPE_WEAKREFABLE))
            return ty_raise(&ty_TypeError, "__weakref__ slot disallowed: we already got one"), false;
        plan->add_weakref = true;
        return true;
    }
    Value mangled = mangle(class_name, name);
    if (mangled == TY_NULL || !ty_list_append(plan->names, mangled))
        return false;
    if (!ty_str_equal_text(mangled, "__qualname__") && !ty_str_equal_text(mangled, "__classcell__") && !ty_str_equal_text(mangled, "__classdictcell__")) {
        int there = ty_dict_contains(namespace, mangled);
        if (there != 0)
            return there < 0 ? false : (ty_raise(&ty_ValueError, "%R in __slots__ conflicts with class variable", name), false);
    }
    return true;
}

static bool plan_slots(SlotPlan *plan, TyType *base, Value class_name, Value namespace)
{
    Value slots = ty_dict_get_str(namespace, TY_NAME("__slots__"));
    if (slots == TY_NULL) {
        plan->add_dict = !(base->flags & TY_TYPE_HAS_DICT);
        plan->add_weakref = true;
        return !ty_raised();
    }
    plan->given = true;
    plan->names = ty_list_new(0);
    Value items = ty_is_str(slots) ? ty_tuple_pack(1, slots) : ty_sequence_tuple(slots);
    if (items == TY_NULL || plan->names == TY_NULL)
        return false;
    if (ty_tuple_length(items) > 0 && (base->flags & TY_TYPE_VARIABLE) && !(base->flags & (TY_TYPE_STR | TY_TYPE_TYPE)))
        return ty_raise(&ty_TypeError, "nonempty __slots__ not supported for subtype of '%s'", base->name), false;
    for (int64_t i = 0; i < ty_tuple_length(items); i++)
        if (!plan_slot(plan, base, class_name, namespace, ty_tuple_item(items, i)))
            return false;
    return ty_list_sort(plan->names, TY_NULL, false);
}

/* --- making a class ------------------------------------------------------------------------------------------------------ */

static TyType *winning_metatype(TyType *metatype, Value bases)
{
    for (int64_t i = 0; i < ty_tuple_length(bases); i++) {
        TyType *candidate = ty_type_of(ty_tuple_item(bases, i));
        if (ty_type_is_subtype(metatype, candidate))
            continue;
        if (!ty_type_is_subtype(candidate, metatype))
            return ty_raise(&ty_TypeError, "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of all its bases"), NULL;
        metatype = candidate;
    }
    return metatype;
}

TyType *ty_class_metatype(TyType *metatype, Value bases) { return winning_metatype(metatype, bases); }

bool ty_class_set_name(TyType *type, Value name)
{
    size_t size;
    Value holder;
    const char *text = ty_str_utf8(name, &size, &holder);
    if (!text)
        return false;
    if (memchr(text, 0, size))
        return ty_raise(&ty_ValueError, "type name must not contain null characters"), false;
    char *copy = strdup(text);
    if (!copy)
        return ty_raise_memory_error(), false;
    /* The old text may still be read by another thread: it stays with the heap until the class dies; renames are rare. */
    __atomic_store_n(&type->name, copy, __ATOMIC_RELEASE);
    ty_store_publish(type, &type->name_value, name);
    return true;
}

/* Fields of instances: the base's, then the named slots, then the attributes. */
static bool lay_out(TyType *type, const SlotPlan *plan, Value namespace, uint32_t expected)
{
    TyType *base = type->parent;
    int64_t slot_count = plan->names == TY_NULL ? 0 : ty_list_length(plan->names);
    type->layout.size = base->layout.size;
    type->layout.item_size = base->layout.item_size;
    type->inline_count = base->inline_count;
    type->inline_frozen = base->inline_frozen;
    type->attributes_offset = base->attributes_offset;
    bool has_dict = (base->flags & TY_TYPE_HAS_DICT) || plan->add_dict;
    type->tail_slots = base->tail_slots;
    if (slot_count > 0 && (base->flags & TY_TYPE_VARIABLE)) { /* of the built-in types of variable size only str allows them (plan_slots) */
        type->tail_slots += (uint32_t)slot_count * sizeof(Value);
        type->slot_names = ty_list_to_tuple(plan->names);
        if (type->slot_names == TY_NULL)
            return false;
    } else if (slot_count > 0) {
        if (base->attributes_offset != 0)
            type->inline_frozen = true;
        type->slots_offset = (type->layout.size + 7) & ~7u;
        type->layout.size = type->slots_offset + (uint32_t)slot_count * sizeof(Value);
        type->slot_names = ty_list_to_tuple(plan->names);
        if (type->slot_names == TY_NULL)
            return false;
    } else if (plan->given) {
        type->slot_names = ty_tuple_new(0);
    }
    if (!has_dict)
        return true;
    type->flags |= TY_TYPE_HAS_DICT;
    uint32_t wanted = TY_MAX(expected, base->inline_count + count_self_attributes(namespace));
    if (type->flags & TY_TYPE_VARIABLE) {
        type->inline_count = 0;
        return true;
    }
    if (type->attributes_offset == 0) {
        type->attributes_offset = (type->layout.size + 7) & ~7u;
        type->inline_count = 0;
    }
    if (type->layout.size > type->attributes_offset + sizeof(TyAttributes) + type->inline_count * sizeof(Value))
        type->inline_frozen = true; /* fields of a C type follow */
    if (!type->inline_frozen) {
        for (int64_t i = 0; i < ty_tuple_length(type->bases); i++)
            wanted = TY_MAX(wanted, ty_as_type(ty_tuple_item(type->bases, i))->inline_count);
        type->inline_count = TY_MAX(type->inline_count, TY_MIN(TY_MAX(wanted, INLINE_ATTRIBUTES_MIN), INLINE_ATTRIBUTES_MAX));
        type->layout.size = type->attributes_offset + (uint32_t)(sizeof(TyAttributes) + type->inline_count * sizeof(Value));
    }
    return true;
}

static bool static_wrap(Value namespace, Value name, TyType *wrapper)
{
    Value function = ty_dict_get_str(namespace, name);
    if (function == TY_NULL || !ty_is_function(function))
        return !ty_raised();
    Value wrapped = ty_call_one(ty_from_object(wrapper), function);
    return wrapped != TY_NULL && ty_dict_set(namespace, name, wrapped);
}

/* What the class body left in the namespace for the class itself. */
static bool take_from_namespace(TyType *type, Value dict)
{
    Value qualname = ty_dict_get_str(dict, TY_NAME("__qualname__"));
    if (qualname != TY_NULL) {
        if (!ty_is_str(qualname))
            return ty_raise(&ty_TypeError, "type __qualname__ must be a str, not %T", qualname), false;
        ty_store(type, &type->qualname_value, qualname);
        if (ty_dict_delete(dict, TY_NAME("__qualname__")) < 0)
            return false;
    }
    if (ty_dict_get_str(dict, TY_NAME("__module__")) == TY_NULL) {
        Value globals = ty_current_globals();
        Value module = globals == TY_NULL ? TY_NULL : ty_dict_get_str(globals, TY_NAME("__name__"));
        if (module != TY_NULL && !ty_dict_set(dict, TY_NAME("__module__"), module))
            return false;
    }
    return static_wrap(dict, TY_NAME("__new__"), &ty_staticmethod_type) && static_wrap(dict, TY_NAME("__init_subclass__"), &ty_classmethod_type)
        && static_wrap(dict, TY_NAME("__class_getitem__"), &ty_classmethod_type);
}

static bool set_class_cell(TyType *type, Value dict, Value name, Value content)
{
    Value cell = ty_dict_get_str(dict, name);
    if (cell == TY_NULL)
        return !ty_raised();
    if (!ty_is_exact(cell, &ty_cell_type))
        return ty_raise(&ty_TypeError, "%U must be a nonlocal cell, not <class '%N'>", name, cell), false;
    ty_store_publish(ty_object(cell), &ty_as_cell(cell)->content, content);
    return ty_dict_delete(dict, name) >= 0;
}

static bool add_slot_members(TyType *type)
{
    for (int64_t i = 0; type->slot_names != TY_NULL && i < ty_tuple_length(type->slot_names); i++) {
        Value name = ty_tuple_item(type->slot_names, i);
        int64_t first = type->flags & TY_TYPE_VARIABLE ? -(int64_t)type->tail_slots : (int64_t)type->slots_offset;
        Value member = ty_slot_member_new(type, name, first + i * (int64_t)sizeof(Value));
        if (member == TY_NULL || !ty_dict_set(type->dict, name, member))
            return false;
    }
    return true;
}

static Value get_instance_dict(Value self)
{
    TyType *type = ty_type_of(self);
    if (!ty_is_object(self) || !(type->flags & TY_TYPE_HAS_DICT))
        return ty_raise_attribute_error(self, TY_NAME("__dict__"));
    return ty_attributes_dict(ty_object(self), type);
}

static bool set_instance_dict(Value self, Value value)
{
    if (!ty_is_object(self) || !(ty_type_of(self)->flags & TY_TYPE_HAS_DICT) || !ty_object_attributes(ty_object(self), ty_type_of(self)))
        return ty_raise(&ty_AttributeError, "This object has no __dict__"), false;
    if (value == TY_NULL)
        return ty_raise(&ty_TypeError, "cannot delete __dict__"), false;
    if (!ty_is_dict(value))
        return ty_raise(&ty_TypeError, "__dict__ must be set to a dictionary, not a '%T'", value), false;
    return ty_attributes_set_dict(ty_object(self), ty_type_of(self), value);
}

/* `__dict__` of the built-in type below a class: modules, classes, functions and exceptions have their own idea of it. */
static Value native_dict_descriptor(Value self)
{
    TyType *type = ty_type_of(self);
    while (type && (type->flags & TY_TYPE_HEAP))
        type = type->parent;
    return type ? ty_type_lookup(type, TY_NAME("__dict__")) : TY_NULL;
}

static Value class_get_dict(Value self)
{
    Value native = native_dict_descriptor(self);
    if (native != TY_NULL && ty_type_of(native)->slots.get)
        return ty_type_of(native)->slots.get(native, self, ty_from_object(ty_type_of(self)));
    return get_instance_dict(self);
}

static bool class_set_dict(Value self, Value value)
{
    Value native = native_dict_descriptor(self);
    if (native != TY_NULL && ty_type_of(native)->slots.set)
        return ty_type_of(native)->slots.set(native, self, value);
    TyType *type = ty_type_of(self);
    if (value == TY_NULL && ty_is_object(self) && (type->flags & TY_TYPE_HAS_DICT) && ty_object_attributes(ty_object(self), type))
        return ty_attributes_set_dict(ty_object(self), type, TY_NULL);
    return set_instance_dict(self, value);
}

static Value get_weakrefs(Value self)
{
    Value list = ty_call_one(ty_module_function("_weakref", "getweakrefs"), self);
    if (list == TY_NULL)
        return TY_NULL;
    return ty_list_length(list) > 0 ? ty_list_item(list, 0) : TY_NONE;
}

const TyGetSetDef ty_dict_getset = { "__dict__", get_instance_dict, set_instance_dict, "dictionary for instance variables" };
static const TyGetSetDef class_dict_getset = { "__dict__", class_get_dict, class_set_dict, "dictionary for instance variables" };
static const TyGetSetDef weakref_getset = { "__weakref__", get_weakrefs, NULL, "list of weak references to the object" };

static bool add_dict_and_weakref(TyType *type, const SlotPlan *plan)
{
    if (plan->add_dict && ty_dict_get_str(type->dict, TY_NAME("__dict__")) == TY_NULL) {
        Value descriptor = ty_getset_new(type, &class_dict_getset);
        if (descriptor == TY_NULL || !ty_dict_set(type->dict, TY_NAME("__dict__"), descriptor))
            return false;
    }
    if (plan->add_weakref && !(type->parent->flags & TY_TYPE_WEAKREFABLE) && ty_dict_get_str(type->dict, TY_NAME("__weakref__")) == TY_NULL) {
        Value descriptor = ty_getset_new(type, &weakref_getset);
        if (descriptor == TY_NULL || !ty_dict_set(type->dict, TY_NAME("__weakref__"), descriptor))
            return false;
    }
    return true;
}

/* Calls __set_name__ of everything in the class that has it. */
static bool set_names(TyType *type)
{
    Value copy = ty_dict_copy(type->dict);
    int64_t position = 0;
    Value key, value;
    while (copy != TY_NULL && ty_dict_next(copy, &position, &key, &value)) {
        if (!ty_is_object(value) || ty_is_function(value))
            continue;
        Value method = ty_lookup_special(value, TY_NAME("__set_name__"));
        if (method == TY_NULL) {
            if (ty_raised())
                return false;
            continue;
        }
        if (ty_call_two(method, ty_from_object(type), key) == TY_NULL) {
            Value exception = ty_take_exception();
            Value note = ty_str_format("Error calling __set_name__ on '%T' instance %R in '%s'", value, key, type->name);
            if (note != TY_NULL)
                ty_call_method_one(exception, TY_NAME("add_note"), note);
            ty_restore_exception(exception);
            return false;
        }
    }
    return copy != TY_NULL;
}

static bool call_init_subclass(TyType *type, Value keyword_names, const Value *keyword_values)
{
    Value self = ty_from_object(type), pair[2] = { self, self };
    bool in_mro = false;
    for (int64_t i = 0; i < ty_tuple_length(type->mro); i++)
        in_mro |= ty_tuple_item(type->mro, i) == self;
    if (!in_mro)
        return ty_raise(&ty_TypeError, "super(type, obj): obj (type %s) is not an instance or subtype of type (%s).", type->name, type->name), false;
    Value after = ty_call(ty_from_object(&ty_super_type), pair, 2, TY_NULL);
    Value hook = after == TY_NULL ? TY_NULL : ty_get_attribute(after, TY_NAME("__init_subclass__"));
    return hook != TY_NULL && ty_call(hook, keyword_values, 0, keyword_names) != TY_NULL;
}

static uint32_t inherited_flags(Value mro)
{
    uint32_t flags = 0;
    for (int64_t i = 1; i < ty_tuple_length(mro); i++)
        flags |= ty_as_type(ty_tuple_item(mro, i))->flags & (TY_TYPE_FAMILY | TY_TYPE_SEQUENCE | TY_TYPE_MAPPING | TY_TYPE_MATCH_SELF | TY_TYPE_VARIABLE | TY_TYPE_WEAKREFABLE);
    if ((flags & TY_TYPE_SEQUENCE) && (flags & TY_TYPE_MAPPING)) /* the first one in the mro decides */
        for (int64_t i = 1; i < ty_tuple_length(mro); i++) {
            uint32_t own = ty_as_type(ty_tuple_item(mro, i))->flags & (TY_TYPE_SEQUENCE | TY_TYPE_MAPPING);
            if (own)
                return (flags & ~(TY_TYPE_SEQUENCE | TY_TYPE_MAPPING)) | own;
        }
    return flags;
}

static TyType *class_allocate(TyType *metatype, Value name, Value bases, TyType *base, Value dict)
{
    Value fresh = ty_type_allocate(metatype, 0);
    if (fresh == TY_NULL)
        return NULL;
    TyType *type = ty_as_type(fresh);
    type->flags = TY_TYPE_HEAP;
    type->parent = base;
    type->interpreter = ty_interpreter();
    ty_store(type, &type->bases, bases);
    ty_store(type, &type->dict, dict);
    ty_store(type, &type->qualname_value, name);
    return ty_class_set_name(type, name) ? type : NULL;
}

static bool class_fill(TyType *type, Value bases, Value dict, uint32_t expected_attributes)
{
    TyType *base = type->parent;
    SlotPlan plan = {0};
    type->flags |= base->flags & (TY_TYPE_FAMILY | TY_TYPE_VARIABLE | TY_TYPE_WEAKREFABLE);
    if (!take_from_namespace(type, dict) || !plan_slots(&plan, base, type->name_value, dict))
        return false;
    if (!set_class_cell(type, dict, TY_NAME("__classcell__"), ty_from_object(type)) || !set_class_cell(type, dict, TY_NAME("__classdictcell__"), dict))
        return false;
    if (plan.given && !plan.add_dict) /* another base may bring a dict or weak references without taking room */
        for (int64_t i = 0; i < ty_tuple_length(bases); i++) {
            if (ty_as_type(ty_tuple_item(bases, i))->flags & TY_TYPE_HAS_DICT && !(base->flags & TY_TYPE_HAS_DICT))
                plan.add_dict = true;
        }
    if (ty_type_is_subtype(base, ty_module_type_object())) /* a module's attributes lie in the dict that it has anyway */
        plan.add_dict = false;
    if (base->flags & TY_TYPE_TYPE) /* and so do a class's */
        plan.add_dict = false;
    if (!lay_out(type, &plan, dict, expected_attributes))
        return false;
    if (plan.add_weakref)
        type->flags |= TY_TYPE_WEAKREFABLE;
    type->layout.trace = class_instance_trace;
    type->layout.destroy = base->layout.destroy;
    type->layout.finalize = base->layout.finalize;
    type->layout.retire = base->layout.retire;
    if (!add_slot_members(type) || !add_dict_and_weakref(type, &plan))
        return false;
    Value doc = ty_dict_get_str(dict, TY_NAME("__doc__"));
    size_t doc_size;
    if (doc == TY_NULL ? !ty_dict_set(dict, TY_NAME("__doc__"), TY_NONE) : ty_is_str(doc) && !ty_to_utf8(doc, &doc_size))
        return false;
    if (ty_dict_get_str(dict, TY_NAME("__eq__")) != TY_NULL && ty_dict_get_str(dict, TY_NAME("__hash__")) == TY_NULL
        && !ty_dict_set(dict, TY_NAME("__hash__"), TY_NONE))
        return false;
    Value mro = class_mro(type);
    if (mro == TY_NULL)
        return false;
    ty_store_publish(type, &type->mro, mro);
    type->flags |= inherited_flags(mro) & ~(plan.given ? TY_TYPE_WEAKREFABLE : 0u);
    ty_slots_update(type);
    type->flags |= TY_TYPE_READY;
    for (int64_t i = 0; i < ty_tuple_length(bases); i++)
        if (!add_subclass(ty_as_type(ty_tuple_item(bases, i)), type))
            return false;
    return ty_shape_of_type(type) != 0;
}

static bool warn_of_odd_keys(Value dict, Value name)
{
    int64_t position = 0;
    Value key, value;
    while (ty_dict_next(dict, &position, &key, &value))
        if (!ty_is_str(key))
            return ty_warn(&ty_RuntimeWarning, 1, "non-string key in the __dict__ of class %U", name);
    return true;
}

Value ty_type_new(TyType *metatype, Value name, Value bases, Value namespace, Value keyword_names, const Value *keyword_values)
{
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "type.__new__() argument 1 must be str, not %T", name);
    if (!ty_is_tuple(bases))
        return ty_raise(&ty_TypeError, "type.__new__() argument 2 must be tuple, not %T", bases);
    if (!ty_is_dict(namespace))
        return ty_raise(&ty_TypeError, "type.__new__() argument 3 must be dict, not %T", namespace);
    for (int64_t i = 0; i < ty_tuple_length(bases); i++)
        if (!ty_is_type(ty_tuple_item(bases, i))) {
            Value entries = ty_lookup_special(ty_tuple_item(bases, i), TY_NAME("__mro_entries__"));
            if (entries != TY_NULL)
                return ty_raise(&ty_TypeError, "type() doesn't support MRO entry resolution; use types.new_class()");
            if (ty_raised())
                return TY_NULL;
        }
    TyType *winner = winning_metatype(metatype, bases);
    if (!winner)
        return TY_NULL;
    if (winner != metatype && winner->slots.new != ty_type_type.slots.new) {
        Value arguments[3 + TY_PARAMETERS_MAX] = { name, bases, namespace };
        size_t keywords = keyword_names == TY_NULL ? 0 : (size_t)ty_tuple_length(keyword_names);
        if (keywords > TY_PARAMETERS_MAX)
            return ty_raise(&ty_TypeError, "too many keyword arguments");
        memcpy(arguments + 3, keyword_values, keywords * sizeof(Value));
        return winner->slots.new(winner, arguments, 3, keyword_names);
    }
    if (ty_tuple_length(bases) == 0)
        bases = ty_tuple_pack(1, ty_from_object(&ty_object_type_));
    TyType *base = bases == TY_NULL ? NULL : best_base(bases);
    Value dict = base ? ty_dict_copy(namespace) : TY_NULL;
    if (dict == TY_NULL || !warn_of_odd_keys(dict, name))
        return TY_NULL;
    if (ty_object_type(ty_object(dict)) != &ty_dict_type) { /* a subclass's copy: the class keeps a plain dict */
        Value plain = ty_dict_new();
        if (plain == TY_NULL || !ty_dict_merge(plain, dict, 1))
            return TY_NULL;
        dict = plain;
    }
    TyType *type = class_allocate(winner, name, bases, base, dict);
    if (!type || !class_fill(type, bases, dict, 0))
        return TY_NULL;
    Value self = ty_from_object(type);
    if (!set_names(type) || !call_init_subclass(type, keyword_names, keyword_values))
        return TY_NULL;
    return self;
}

Value ty_class_restore(TyType *metatype, Value name, Value bases, Value namespace, uint32_t inline_count)
{
    TyType *base = best_base(bases);
    if (!base)
        return TY_NULL;
    TyType *type = class_allocate(metatype, name, bases, base, namespace);
    return type && class_fill(type, bases, namespace, inline_count) ? ty_from_object(type) : TY_NULL;
}

/* A class for C modules: name with its module, one base. */
Value ty_type_from_name(const char *dotted, TyType *base, Value namespace)
{
    const char *dot = strrchr(dotted, '.');
    Value dict = namespace == TY_NULL ? ty_dict_new() : namespace;
    if (dict == TY_NULL || (dot && ty_dict_get_text(dict, "__module__") == TY_NULL && !ty_dict_set(dict, TY_NAME("__module__"), ty_intern_utf8(dotted, (size_t)(dot - dotted)))))
        return TY_NULL;
    return ty_type_new(&ty_type_type, ty_str_from_text(dot ? dot + 1 : dotted), ty_tuple_pack(1, ty_from_object(base)), dict, TY_NULL, NULL);
}

/* --- __bases__ ---------------------------------------------------------------------------------------------------------------- */

/* What a change of bases did to one class's mro: (class, new, old), so that it can be taken back. */
static bool remember_mro(Value changes, TyType *type, Value fresh, Value old)
{
    Value change = ty_tuple_pack(3, ty_from_object(type), fresh, old == TY_NULL ? TY_NONE : old);
    return change != TY_NULL && ty_list_append(changes, change);
}

static void recompute(TyType *type, void *context)
{
    Value changes = *(Value *)context;
    if (changes == TY_NULL)
        return;
    Value old = type->mro, fresh = class_mro(type);
    if (fresh == TY_NULL || (type->mro == old && !remember_mro(changes, type, fresh, old))) {
        *(Value *)context = TY_NULL;
        return;
    }
    if (type->mro != old) /* the metaclass's mro() has changed the bases itself: that stands */
        return;
    ty_store_publish(type, &type->mro, fresh);
    ty_type_modified(type);
    ty_slots_update(type);
    ty_type_each_subclass(type, recompute, context);
}

static void take_back(Value changes)
{
    for (int64_t i = ty_list_length(changes) - 1; i >= 0; i--) {
        Value change = ty_list_item(changes, i);
        TyType *type = ty_as_type(ty_tuple_item(change, 0));
        if (type->mro != ty_tuple_item(change, 1))
            continue;
        ty_store_publish(type, &type->mro, ty_tuple_item(change, 2) == TY_NONE ? TY_NULL : ty_tuple_item(change, 2));
        ty_type_modified(type);
        ty_slots_update(type);
    }
}

bool ty_class_set_bases(Value self, Value bases)
{
    TyType *type = ty_as_type(self);
    if (type->flags & TY_TYPE_IMMUTABLE)
        return ty_raise(&ty_TypeError, "cannot set '__bases__' attribute of immutable type '%s'", type->name), false;
    if (bases == TY_NULL)
        return ty_raise(&ty_TypeError, "cannot delete '__bases__' attribute of immutable type '%s'", type->name), false;
    if (!ty_is_tuple(bases))
        return ty_raise(&ty_TypeError, "can only assign tuple to %s.__bases__, not %T", type->name, bases), false;
    if (ty_tuple_length(bases) == 0)
        return ty_raise(&ty_TypeError, "can only assign non-empty tuple to %s.__bases__, not ()", type->name), false;
    for (int64_t i = 0; i < ty_tuple_length(bases); i++) {
        Value base = ty_tuple_item(bases, i);
        if (!ty_is_type(base))
            return ty_raise(&ty_TypeError, "%s.__bases__ must be tuple of classes, not '%T'", type->name, base), false;
        /* The mro may lag behind when a metaclass's mro() sets bases; the parent does not. */
        if (ty_type_is_subtype(ty_as_type(base), type) || derives_by_parent(ty_as_type(base), type))
            return ty_raise(&ty_TypeError, "a __bases__ item causes an inheritance cycle"), false;
    }
    TyType *best = best_base(bases);
    if (!best)
        return false;
    if (solid_base(best) != solid_base(type->parent) || (best->flags & TY_TYPE_HAS_DICT && !(type->flags & TY_TYPE_HAS_DICT)))
        return ty_raise(&ty_TypeError, "__bases__ assignment: '%s' object layout differs from '%s'", best->name, type->parent->name), false;
    Value old_bases = type->bases, changes = ty_list_new(0), going = changes;
    TyType *old_parent = type->parent;
    ty_store_publish(type, &type->bases, bases);
    type->parent = best;
    recompute(type, &going);
    if (going == TY_NULL) {
        Value exception = ty_take_exception();
        if (changes != TY_NULL)
            take_back(changes);
        if (type->bases == bases && type->parent == best) {
            ty_store_publish(type, &type->bases, old_bases);
            type->parent = old_parent;
            ty_slots_update(type);
        }
        ty_restore_exception(exception);
        return false;
    }
    if (type->bases == bases) { /* otherwise an mro() has set others, and that has entered the class there */
        for (int64_t i = 0; i < ty_tuple_length(old_bases); i++)
            if (!remove_subclass(ty_as_type(ty_tuple_item(old_bases, i)), type))
                return false;
        for (int64_t i = 0; i < ty_tuple_length(bases); i++)
            if (!add_subclass(ty_as_type(ty_tuple_item(bases, i)), type))
                return false;
    }
    ty_type_modified(type);
    ty_caches_flush();
    return true;
}
