/* The type `object`, and the operations that any object has: attributes, text, hash, comparison, truth, isinstance, dir. */
#include "object/object.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/native.h"
#include "object/set.h"
#include "object/shape.h"
#include "object/slots.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

/* --- attributes ---------------------------------------------------------------------------------------------------------- */

/* Looks the attribute up as object.__getattribute__ does; TY_NULL with no exception when there is none. */
static Value generic_find(Value object, TyType *type, Value name)
{
    Value attribute = ty_type_lookup(type, name);
    TyDescriptorGet get = NULL;
    if (attribute != TY_NULL) {
        TyType *kind = ty_type_of(attribute);
        get = kind->slots.get;
        if (get && kind->slots.set)
            return get(attribute, object, ty_from_object(type));
    }
    if ((type->flags & TY_TYPE_HAS_DICT) && ty_is_object(object)) {
        Value own = ty_attributes_get(ty_object(object), type, name);
        if (own != TY_NULL || ty_raised())
            return own;
    }
    return get ? get(attribute, object, ty_from_object(type)) : attribute;
}

static Value attribute_name(Value name)
{
    if (TY_LIKELY(ty_is_str(name)))
        return ty_str_is_interned(name) ? name : ty_intern(name);
    return ty_raise(&ty_TypeError, "attribute name must be string, not '%T'", name);
}

Value ty_generic_get_attribute(Value object, Value name)
{
    name = attribute_name(name);
    if (name == TY_NULL)
        return TY_NULL;
    Value found = generic_find(object, ty_type_of(object), name);
    return found != TY_NULL || ty_raised() ? found : ty_raise_attribute_error(object, name);
}

Value ty_generic_find_attribute(Value object, Value name)
{
    name = attribute_name(name);
    return name == TY_NULL ? TY_NULL : generic_find(object, ty_type_of(object), name);
}

static bool no_such_store(Value object, TyType *type, Value name, bool known)
{
    if (known)
        return ty_raise(&ty_AttributeError, "'%T' object attribute '%U' is read-only", object, name), false;
    if (ty_is_object(object) && (type->flags & TY_TYPE_HAS_DICT))
        return ty_raise_attribute_error(object, name), false;
    Value error = ty_call_one(ty_from_object(&ty_AttributeError),
        ty_str_format("'%T' object has no attribute '%U' and no __dict__ for setting new attributes", object, name));
    if (error == TY_NULL)
        return false;
    TyAttributeErrorObject *e = (TyAttributeErrorObject *)ty_object(error);
    ty_store(e, &e->name, name);
    ty_store(e, &e->obj, object);
    return ty_raise_object(error), false;
}

bool ty_generic_set_attribute(Value object, Value name, Value value)
{
    TyType *type = ty_type_of(object);
    name = attribute_name(name);
    if (name == TY_NULL)
        return false;
    Value attribute = ty_type_lookup(type, name);
    if (attribute != TY_NULL) {
        TyDescriptorSet set = ty_type_of(attribute)->slots.set;
        if (set)
            return set(attribute, object, value);
    }
    if (!ty_is_object(object) || !(type->flags & TY_TYPE_HAS_DICT))
        return no_such_store(object, type, name, attribute != TY_NULL);
    if (value != TY_NULL)
        return ty_attributes_set(ty_object(object), type, name, value);
    int deleted = ty_attributes_delete(ty_object(object), type, name);
    if (deleted == 0)
        ty_raise_attribute_error(object, name);
    return deleted > 0;
}

Value ty_get_attribute(Value object, Value name)
{
    TyType *type = ty_type_of(object);
    if (TY_UNLIKELY(!ty_is_str(name)))
        return attribute_name(name);
    if (TY_UNLIKELY(!type->slots.get_attribute) && !ty_type_ready(type))
        return TY_NULL;
    return type->slots.get_attribute(object, name);
}

Value ty_get_attribute_or_null(Value object, Value name, bool *failed)
{
    TyType *type = ty_type_of(object);
    *failed = false;
    Value found;
    if (type->slots.get_attribute == ty_generic_get_attribute) {
        name = attribute_name(name);
        found = name == TY_NULL ? TY_NULL : generic_find(object, type, name);
        if (found != TY_NULL || !ty_raised())
            return found;
    } else if (type->slots.get_attribute == ty_type_get_attribute) {
        found = ty_type_find_attribute(object, name);
        if (found != TY_NULL || !ty_raised())
            return found;
    } else
        found = type->slots.get_attribute(object, name);
    if (found == TY_NULL && ty_raised_is(&ty_AttributeError))
        ty_clear_exception();
    else
        *failed = found == TY_NULL;
    return found;
}

bool ty_set_attribute(Value object, Value name, Value value)
{
    TyType *type = ty_type_of(object);
    if (!ty_is_str(name))
        return attribute_name(name), false;
    if (!type->slots.set_attribute)
        return ty_raise(&ty_TypeError, "'%T' object has no attributes (%s .%U)", object, value == TY_NULL ? "del" : "assign to", name), false;
    name = attribute_name(name);
    return name != TY_NULL && type->slots.set_attribute(object, name, value);
}

Value ty_lookup_special(Value object, Value name)
{
    TyType *type = ty_type_of(object);
    Value attribute = ty_type_lookup(type, name);
    if (attribute == TY_NULL)
        return TY_NULL;
    TyDescriptorGet get = ty_type_of(attribute)->slots.get;
    return get ? get(attribute, object, ty_from_object(type)) : attribute;
}

/* --- text ------------------------------------------------------------------------------------------------------------------ */

Value ty_repr(Value v)
{
    if (v == TY_NULL)
        return ty_str_from_text("<NULL>");
    if (TY_UNLIKELY(ty_c_stack_low()))
        return ty_raise_recursion_error(" while getting the repr of an object");
    Value text = ty_type_of(v)->slots.repr(v);
    if (text != TY_NULL && !ty_is_str(text))
        return ty_raise(&ty_TypeError, "__repr__ returned non-string (type %T)", text);
    return text;
}

Value ty_str(Value v)
{
    if (v == TY_NULL)
        return ty_str_from_text("<NULL>");
    if (ty_is_exact_str(v))
        return v;
    if (TY_UNLIKELY(ty_c_stack_low()))
        return ty_raise_recursion_error(" while getting the str of an object");
    TyUnaryFunction str = ty_type_of(v)->slots.str;
    if (!str)
        return ty_repr(v);
    Value text = str(v);
    if (text != TY_NULL && !ty_is_str(text))
        return ty_raise(&ty_TypeError, "__str__ returned non-string (type %T)", text);
    return text;
}

Value ty_format(Value v, Value spec)
{
    if (spec == TY_NULL || ty_str_length(spec) == 0) {
        if (ty_is_exact_str(v))
            return v;
        if (ty_is_immediate_int(v))
            return ty_str(v);
    }
    if (spec == TY_NULL)
        spec = ty_str_empty();
    Value method = ty_lookup_special(v, TY_NAME("__format__"));
    if (method == TY_NULL)
        return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "Type %T doesn't define __format__", v);
    Value text = ty_call_one(method, spec);
    if (text != TY_NULL && !ty_is_str(text))
        return ty_raise(&ty_TypeError, "__format__ must return a str, not %T", text);
    return text;
}

/* --- hash, comparison, truth ---------------------------------------------------------------------------------------------------- */

int64_t ty_hash(Value v)
{
    TyHashFunction hash = ty_type_of(v)->slots.hash;
    if (TY_UNLIKELY(ty_c_stack_low())) /* tuples in tuples, slices of slices, … */
        return ty_raise_recursion_error(" while calculating a hash"), -1;
    return hash ? hash(v) : ty_hash_unhashable(v);
}

int64_t ty_hash_unhashable(Value v) { return ty_raise(&ty_TypeError, "unhashable type: '%T'", v), -1; }

int64_t ty_hash_identity(Value v)
{
    int64_t h = (int64_t)((v >> 4) | (v << 60));
    return h == -1 ? -2 : h;
}

Value ty_identity(Value v)
{
    return ty_int_from_uint64(v);
}

static const char *const comparison_text[] = { "<", "<=", "==", "!=", ">", ">=" };
static const int swapped[] = { TY_GT, TY_GE, TY_EQ, TY_NE, TY_LT, TY_LE };

Value ty_compare(Value left, Value right, int op)
{
    if (TY_UNLIKELY(ty_c_stack_low()))
        return ty_raise_recursion_error(" in comparison");
    TyType *l = ty_type_of(left), *r = ty_type_of(right);
    bool tried_right = false;
    Value result;
    if (l != r && r->slots.compare && ty_type_is_subtype(r, l)) {
        tried_right = true;
        result = r->slots.compare(right, left, swapped[op]);
        if (result != TY_NOT_IMPLEMENTED)
            return result;
    }
    if (l->slots.compare) {
        result = l->slots.compare(left, right, op);
        if (result != TY_NOT_IMPLEMENTED)
            return result;
    }
    if (!tried_right && r->slots.compare) {
        result = r->slots.compare(right, left, swapped[op]);
        if (result != TY_NOT_IMPLEMENTED)
            return result;
    }
    if (op == TY_EQ)
        return ty_from_bool(left == right);
    if (op == TY_NE)
        return ty_from_bool(left != right);
    return ty_raise(&ty_TypeError, "'%s' not supported between instances of '%T' and '%T'", comparison_text[op], left, right);
}

TY_INLINE int ordered(int order, int op)
{
    switch (op) {
    case TY_LT: return order < 0;
    case TY_LE: return order <= 0;
    case TY_EQ: return order == 0;
    case TY_NE: return order != 0;
    case TY_GT: return order > 0;
    default: return order >= 0;
    }
}

int ty_compare_bool(Value left, Value right, int op)
{
    if (left == right) {
        if (op == TY_EQ)
            return 1;
        if (op == TY_NE)
            return 0;
    }
    if (ty_are_immediate_ints(left, right))
        return ordered((int64_t)(left << 16) < (int64_t)(right << 16) ? -1 : left != right, op);
    if (ty_is_double(left) && ty_is_double(right)) {
        double x = ty_double(left), y = ty_double(right);
        switch (op) {
        case TY_LT: return x < y;
        case TY_LE: return x <= y;
        case TY_EQ: return x == y;
        case TY_NE: return x != y;
        case TY_GT: return x > y;
        default: return x >= y;
        }
    }
    if (ty_is_exact_str(left) && ty_is_exact_str(right)) {
        if (op == TY_EQ || op == TY_NE)
            return ty_str_equal(left, right) == (op == TY_EQ);
        return ordered(ty_str_compare(left, right), op);
    }
    Value result = ty_compare(left, right, op);
    return result == TY_NULL ? -1 : ty_is_true(result);
}

int ty_is_true_slow(Value v)
{
    if (ty_is_immediate_int(v))
        return ty_immediate_int(v) != 0;
    if (ty_is_double(v))
        return ty_double(v) != 0.0;
    TyType *type = ty_type_of(v);
    if (type->slots.to_bool)
        return type->slots.to_bool(v);
    if (type->slots.length) {
        int64_t length = type->slots.length(v);
        return length < 0 ? -1 : length > 0;
    }
    return 1;
}

int ty_is_callable(Value v) { return ty_type_of(v)->slots.call != NULL; }

/* --- isinstance ---------------------------------------------------------------------------------------------------------------------- */

static Value abstract_bases(Value class)
{
    bool failed;
    Value bases = ty_get_attribute_or_null(class, TY_NAME("__bases__"), &failed);
    return bases != TY_NULL && !ty_is_tuple(bases) ? TY_NULL : bases;
}

static int abstract_issubclass(Value derived, Value class)
{
    for (;;) {
        if (derived == class)
            return 1;
        Value bases = abstract_bases(derived);
        if (bases == TY_NULL)
            return ty_raised() ? -1 : 0;
        int64_t n = ty_tuple_length(bases);
        if (n == 0)
            return 0;
        if (n == 1) {
            derived = ty_tuple_item(bases, 0);
            continue;
        }
        if (ty_c_stack_low())
            return ty_raise_recursion_error(" in __issubclass__"), -1;
        for (int64_t i = 0; i < n; i++) {
            int r = abstract_issubclass(ty_tuple_item(bases, i), class);
            if (r != 0)
                return r;
        }
        return 0;
    }
}

static bool check_class(Value class, const char *message)
{
    if (abstract_bases(class) != TY_NULL)
        return true;
    if (!ty_raised())
        ty_raise(&ty_TypeError, "%s", message);
    return false;
}

int ty_isinstance_plain(Value v, Value class)
{
    if (ty_is_type(class)) {
        if (ty_is_instance_of(v, ty_as_type(class)))
            return 1;
        TyType *type = ty_type_of(v);
        if (!(type->flags & (TY_TYPE_HEAP | TY_TYPE_CUSTOM_GETATTR)))
            return 0;
        bool failed;
        Value claimed = ty_get_attribute_or_null(v, TY_NAME("__class__"), &failed);
        if (failed)
            return -1;
        return claimed != TY_NULL && claimed != ty_from_object(type) && ty_is_type(claimed) && ty_type_is_subtype(ty_as_type(claimed), ty_as_type(class));
    }
    if (!check_class(class, "isinstance() arg 2 must be a type, a tuple of types, or a union"))
        return -1;
    bool failed;
    Value claimed = ty_get_attribute_or_null(v, TY_NAME("__class__"), &failed);
    return failed ? -1 : claimed == TY_NULL ? 0 : abstract_issubclass(claimed, class);
}

int ty_issubclass_plain(Value class, Value ancestor)
{
    if (ty_is_type(class) && ty_is_type(ancestor))
        return ty_type_is_subtype(ty_as_type(class), ty_as_type(ancestor));
    if (!check_class(class, "issubclass() arg 1 must be a class"))
        return -1;
    if (!check_class(ancestor, "issubclass() arg 2 must be a class, a tuple of classes, or a union"))
        return -1;
    return abstract_issubclass(class, ancestor);
}

static int by_hook(Value v, Value class, Value name, int (*plain)(Value, Value))
{
    Value hook = ty_lookup_special(class, name);
    if (hook == TY_NULL)
        return ty_raised() ? -1 : plain(v, class);
    if (ty_c_stack_low())
        return ty_raise_recursion_error(" in __instancecheck__"), -1;
    Value result = ty_call_one(hook, v);
    return result == TY_NULL ? -1 : ty_is_true(result);
}

static int check_against(Value v, Value class, Value hook, int (*plain)(Value, Value))
{
    if (ty_is_exact(class, &ty_type_type))
        return plain(v, class);
    if (ty_is_tuple(class)) {
        if (ty_c_stack_low())
            return ty_raise_recursion_error(" in __instancecheck__"), -1;
        for (int64_t i = 0; i < ty_tuple_length(class); i++) {
            int r = check_against(v, ty_tuple_item(class, i), hook, plain);
            if (r != 0)
                return r;
        }
        return 0;
    }
    return by_hook(v, class, hook, plain);
}

int ty_isinstance(Value v, Value class)
{
    if (ty_from_object(ty_type_of(v)) == class)
        return 1;
    return check_against(v, class, TY_NAME("__instancecheck__"), ty_isinstance_plain);
}

int ty_issubclass(Value class, Value ancestor) { return check_against(class, ancestor, TY_NAME("__subclasscheck__"), ty_issubclass_plain); }

/* --- the type object -------------------------------------------------------------------------------------------------------------------- */

static bool excess(size_t count, Value keywords) { return count > 0 || (keywords != TY_NULL && ty_tuple_length(keywords) > 0); }

static Value abstract_error(TyType *type)
{
    Value methods = ty_get_attribute(ty_from_object(type), TY_NAME("__abstractmethods__"));
    Value sorted = methods == TY_NULL ? TY_NULL : ty_sequence_list(methods);
    if (sorted == TY_NULL || !ty_list_sort(sorted, TY_NULL, false))
        return TY_NULL;
    int64_t n = ty_list_length(sorted);
    Value joined = ty_str_join(ty_str_from_text("', '"), sorted);
    if (joined == TY_NULL)
        return TY_NULL;
    return ty_raise(&ty_TypeError, "Can't instantiate abstract class %s without an implementation for abstract method%s '%U'", type->name, n > 1 ? "s" : "", joined);
}

Value ty_object_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (TY_UNLIKELY(excess(count, keywords))) {
        if (type->slots.new != ty_object_new)
            return ty_raise(&ty_TypeError, "object.__new__() takes exactly one argument (the type to instantiate)");
        if (type->slots.init == ty_object_init)
            return ty_raise(&ty_TypeError, "%s() takes no arguments", ty_type_short_name(type));
    }
    if (TY_UNLIKELY(type->flags & TY_TYPE_ABSTRACT))
        return abstract_error(type);
    return ty_type_allocate(type, 0);
}

bool ty_object_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (TY_LIKELY(!excess(count, keywords)))
        return true;
    TyType *type = ty_type_of(self);
    if (type->slots.init != ty_object_init)
        return ty_raise(&ty_TypeError, "object.__init__() takes exactly one argument (the instance to initialize)"), false;
    if (type->slots.new == ty_object_new)
        return ty_raise(&ty_TypeError, "%s.__init__() takes exactly one argument (the instance to initialize)", ty_type_short_name(type)), false;
    return true;
}

static Value object_repr(Value self)
{
    TyType *type = ty_type_of(self);
    Value module = ty_type_module(type);
    if (module == TY_NULL)
        ty_clear_exception();
    if (module == TY_NULL || !ty_is_str(module) || ty_str_equal_text(module, "builtins"))
        return ty_str_format("<%U object at %p>", type->qualname_value, (void *)(uintptr_t)self);
    return ty_str_format("<%U.%U object at %p>", module, type->qualname_value, (void *)(uintptr_t)self);
}

static Value object_str(Value self)
{
    return ty_repr(self);
}

static Value object_compare(Value left, Value right, int op)
{
    if (op == TY_EQ)
        return left == right ? TY_TRUE : TY_NOT_IMPLEMENTED;
    if (op != TY_NE)
        return TY_NOT_IMPLEMENTED;
    TyCompareFunction compare = ty_type_of(left)->slots.compare;
    if (!compare)
        return TY_NOT_IMPLEMENTED;
    Value equal = compare(left, right, TY_EQ);
    if (equal == TY_NULL || equal == TY_NOT_IMPLEMENTED)
        return equal;
    int truth = ty_is_true(equal);
    return truth < 0 ? TY_NULL : ty_from_bool(!truth);
}

static Value object_get_class(Value self) { return ty_from_object(ty_type_of(self)); }

static bool compatible_layouts(TyType *from, TyType *to)
{
    if (from->layout.size != to->layout.size && !((from->flags & TY_TYPE_HAS_DICT) && (to->flags & TY_TYPE_HAS_DICT) && from->attributes_offset == to->attributes_offset))
        return false;
    if (((from->flags ^ to->flags) & (TY_TYPE_HAS_DICT | TY_TYPE_WEAKREFABLE)) || from->attributes_offset != to->attributes_offset)
        return false;
    const TyType *a = from, *b = to;
    while (a->flags & TY_TYPE_HEAP)
        a = a->parent;
    while (b->flags & TY_TYPE_HEAP)
        b = b->parent;
    if (a != b)
        return false;
    /* Classes that add no slots of their own count as what they derive from: those that do must do it alike, on top of the same. */
    while ((from->flags & TY_TYPE_HEAP) && (from->slot_names == TY_NULL || ty_tuple_length(from->slot_names) == 0))
        from = from->parent;
    while ((to->flags & TY_TYPE_HEAP) && (to->slot_names == TY_NULL || ty_tuple_length(to->slot_names) == 0))
        to = to->parent;
    if (from != to && from->parent != to->parent)
        return false;
    Value left = from->slot_names, right = to->slot_names;
    int64_t n = left == TY_NULL ? 0 : ty_tuple_length(left), m = right == TY_NULL ? 0 : ty_tuple_length(right);
    if (n != m)
        return false;
    for (int64_t i = 0; i < n; i++)
        if (ty_tuple_item(left, i) != ty_tuple_item(right, i))
            return false;
    return true;
}

static bool object_set_class(Value self, Value value)
{
    if (value == TY_NULL)
        return ty_raise(&ty_TypeError, "can't delete __class__ attribute"), false;
    if (!ty_is_type(value))
        return ty_raise(&ty_TypeError, "__class__ must be set to a class, not '%T' object", value), false;
    TyType *from = ty_type_of(self), *to = ty_as_type(value);
    bool modules = ty_type_is_subtype(from, ty_module_type_object()) && ty_type_is_subtype(to, ty_module_type_object());
    if (!modules && (!(from->flags & TY_TYPE_HEAP) || !(to->flags & TY_TYPE_HEAP)))
        return ty_raise(&ty_TypeError, "__class__ assignment only supported for mutable types or ModuleType subclasses"), false;
    if (from == to)
        return true;
    if (!compatible_layouts(from, to))
        return ty_raise(&ty_TypeError, "__class__ assignment: '%s' object layout differs from '%s'", ty_type_short_name(to), ty_type_short_name(from)), false;
    if (to->layout.size > from->layout.size && ty_heap_object_size(ty_object(self)) < to->layout.size) {
        /* More room for attributes than the instance has: they stay in its dict, which needs the first word alone. */
    }
    return ty_attributes_change_type(ty_object(self), from, to);
}

static Value object_dir(Value self, Value *a)
{
    bool failed;
    Value dict = TY_NULL, own = ty_get_attribute_or_null(self, TY_NAME("__dict__"), &failed);
    if (failed)
        return TY_NULL;
    dict = own != TY_NULL && ty_is_dict(own) ? ty_dict_copy(own) : ty_dict_new();
    Value class = ty_get_attribute_or_null(self, TY_NAME("__class__"), &failed);
    if (failed || dict == TY_NULL)
        return TY_NULL;
    if (class != TY_NULL && ty_is_type(class) && ty_as_type(class)->mro != TY_NULL) {
        Value mro = ty_as_type(class)->mro;
        for (int64_t i = ty_tuple_length(mro) - 1; i >= 0; i--)
            if (!ty_dict_merge(dict, ty_as_type(ty_tuple_item(mro, i))->dict, 1))
                return TY_NULL;
    }
    return ty_dict_keys(dict);
}

Value ty_dir(Value v)
{
    Value method = ty_lookup_special(v, TY_NAME("__dir__"));
    if (method == TY_NULL)
        return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "object does not provide __dir__");
    Value names = ty_call_none(method);
    Value list = names == TY_NULL ? TY_NULL : ty_sequence_list(names);
    return list != TY_NULL && ty_list_sort(list, TY_NULL, false) ? list : TY_NULL;
}

static Value object_format(Value self, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "__format__() argument must be str, not %T", a[0]);
    if (ty_str_length(a[0]) > 0)
        return ty_raise(&ty_TypeError, "unsupported format string passed to %T.__format__", self);
    return ty_str(self);
}

static Value object_sizeof(Value self, Value *a)
{
    return ty_int_from_int64(ty_is_object(self) && ty_heap_contains(ty_object(self)) ? (int64_t)ty_heap_object_size(ty_object(self)) : ty_type_of(self)->layout.size);
}

static Value object_init_subclass(Value self, const Value *arguments, size_t count, Value keywords)
{
    const TyType *type = ty_as_type(self);
    if (keywords != TY_NULL && ty_tuple_length(keywords) > 0)
        return ty_raise(&ty_TypeError, "%s.__init_subclass__() takes no keyword arguments", ty_type_short_name(type));
    return count > 0 ? ty_raise(&ty_TypeError, "%s.__init_subclass__() takes no arguments (%zu given)", ty_type_short_name(type), count) : TY_NONE;
}
static Value object_subclasshook(Value self, const Value *arguments, size_t count, Value keywords) { return TY_NOT_IMPLEMENTED; }

/* The state that copy and pickle keep: __dict__, and the slots. */
static Value copyreg_function(Value name)
{
    TyInterpreter *interpreter = ty_interpreter();
    Value module = ty_field_acquire(&interpreter->copyreg);
    if (module == TY_NULL) {
        module = ty_import_module("copyreg");
        if (module == TY_NULL)
            return TY_NULL;
        ty_store_publish(NULL, &interpreter->copyreg, module);
    }
    return ty_get_attribute(module, name);
}

static Value state_with_slots(Value self, Value state, Value slot_names)
{
    Value slots = ty_dict_new();
    bool failed;
    for (int64_t i = 0; slots != TY_NULL && i < ty_length(slot_names); i++) {
        Value name = ty_sequence_item(slot_names, i);
        Value value = name == TY_NULL ? TY_NULL : ty_get_attribute_or_null(self, name, &failed);
        if (name == TY_NULL || (value == TY_NULL && failed) || (value != TY_NULL && !ty_dict_set(slots, name, value)))
            return TY_NULL;
    }
    if (slots == TY_NULL)
        return TY_NULL;
    return ty_dict_length(slots) > 0 ? ty_tuple_pack(2, state, slots) : state;
}

static Value default_state(Value self, bool required)
{
    TyType *type = ty_type_of(self);
    if (required && (type->layout.item_size != 0 || (!(type->flags & TY_TYPE_HEAP) && type->layout.size > sizeof(TyObject) && !(type->flags & TY_TYPE_HAS_DICT))))
        return ty_raise(&ty_TypeError, "cannot pickle '%T' object", self);
    const TyType *native = type;
    while (native->flags & TY_TYPE_HEAP)
        native = native->parent;
    if (required && native != &ty_object_type_ && native->layout.size > sizeof(TyObject) && !ty_type_is_subtype(native, &ty_BaseException))
        return ty_raise(&ty_TypeError, "cannot pickle %R object", ty_from_object(type));
    Value state = TY_NONE;
    if (ty_is_object(self) && (type->flags & TY_TYPE_HAS_DICT)) {
        Value dict = ty_attributes_copy_dict(ty_object(self), type);
        if (dict == TY_NULL)
            return TY_NULL;
        if (ty_dict_length(dict) > 0)
            state = dict;
        bool failed; /* an ordinary instance keeps its shape: a copy of its attributes serves */
        Value seen = state == TY_NONE || ty_type_has_plain_dict(type) ? TY_NULL : ty_get_attribute_or_null(self, TY_NAME("__dict__"), &failed);
        if (seen != TY_NULL)
            state = seen;
    } else {
        bool failed;
        Value dict = ty_get_attribute_or_null(self, TY_NAME("__dict__"), &failed);
        if (failed)
            return TY_NULL;
        if (dict != TY_NULL)
            state = dict;
    }
    Value function = copyreg_function(TY_NAME("_slotnames"));
    Value names = function == TY_NULL ? TY_NULL : ty_call_one(function, ty_from_object(type));
    if (names == TY_NULL)
        return TY_NULL;
    return names == TY_NONE || ty_length(names) == 0 ? state : state_with_slots(self, state, names);
}

static Value object_getstate(Value self, Value *a) { return default_state(self, false); }

static Value get_state(Value self, bool required)
{
    Value method = ty_get_attribute(self, TY_NAME("__getstate__"));
    if (method == TY_NULL)
        return TY_NULL;
    if (ty_is_exact(method, &ty_native_type) && ((TyNative *)ty_object(method))->def->function.flat == object_getstate)
        return default_state(self, required);
    return ty_call_none(method);
}

static bool new_arguments(Value self, Value *arguments, Value *keywords)
{
    *arguments = *keywords = TY_NULL;
    Value method = ty_lookup_special(self, TY_NAME("__getnewargs_ex__"));
    if (method != TY_NULL) {
        Value pair = ty_call_none(method);
        if (pair == TY_NULL)
            return false;
        if (!ty_is_tuple(pair))
            return ty_raise(&ty_TypeError, "__getnewargs_ex__ should return a tuple, not '%T'", pair), false;
        if (ty_tuple_length(pair) != 2)
            return ty_raise(&ty_ValueError, "__getnewargs_ex__ should return a tuple of length 2, not %lld", (long long)ty_tuple_length(pair)), false;
        *arguments = ty_tuple_item(pair, 0);
        *keywords = ty_tuple_item(pair, 1);
        if (!ty_is_tuple(*arguments))
            return ty_raise(&ty_TypeError, "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '%T'", *arguments), false;
        if (!ty_is_dict(*keywords))
            return ty_raise(&ty_TypeError, "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '%T'", *keywords), false;
        return true;
    }
    if (ty_raised())
        return false;
    method = ty_lookup_special(self, TY_NAME("__getnewargs__"));
    if (method == TY_NULL)
        return !ty_raised();
    *arguments = ty_call_none(method);
    if (*arguments != TY_NULL && !ty_is_tuple(*arguments))
        return ty_raise(&ty_TypeError, "__getnewargs__ should return a tuple, not '%T'", *arguments), false;
    return *arguments != TY_NULL;
}

static Value reduce_new(Value self)
{
    TyType *type = ty_type_of(self);
    if (!type->slots.new)
        return ty_raise(&ty_TypeError, "cannot pickle '%T' object", self);
    Value arguments, keywords;
    if (!new_arguments(self, &arguments, &keywords))
        return TY_NULL;
    bool has_arguments = arguments != TY_NULL;
    Value function, call;
    if (keywords == TY_NULL || ty_dict_length(keywords) == 0) {
        function = copyreg_function(TY_NAME("__newobj__"));
        int64_t n = has_arguments ? ty_tuple_length(arguments) : 0;
        call = ty_tuple_new(n + 1);
        if (call == TY_NULL)
            return TY_NULL;
        ty_tuple_set(call, 0, ty_from_object(type));
        for (int64_t i = 0; i < n; i++)
            ty_tuple_set(call, i + 1, ty_tuple_item(arguments, i));
    } else {
        function = copyreg_function(TY_NAME("__newobj_ex__"));
        call = ty_tuple_pack(3, ty_from_object(type), arguments, keywords);
    }
    Value state = get_state(self, !has_arguments && !ty_is_instance_of(self, &ty_list_type) && !ty_is_instance_of(self, &ty_dict_type));
    if (state == TY_NULL || function == TY_NULL)
        return TY_NULL;
    Value list_items = TY_NONE, dict_items = TY_NONE;
    if (ty_is_list(self))
        list_items = ty_iter(self);
    if (ty_is_dict(self)) {
        Value items = ty_call_method_none(self, TY_NAME("items"));
        dict_items = items == TY_NULL ? TY_NULL : ty_iter(items);
    }
    return ty_tuple_pack(5, function, call, state, list_items, dict_items);
}

static Value reduce_by_protocol(Value self, int64_t protocol)
{
    if (protocol >= 2)
        return reduce_new(self);
    Value function = copyreg_function(TY_NAME("_reduce_ex"));
    return function == TY_NULL ? TY_NULL : ty_call_two(function, self, ty_int_from_int64(protocol));
}

static Value object_reduce(Value self, Value *a) { return reduce_by_protocol(self, 0); }

static Value object_reduce_ex(Value self, Value *a)
{
    int64_t protocol;
    if (!ty_to_int64(a[0], &protocol))
        return TY_NULL;
    Value own = ty_type_lookup(ty_type_of(self), TY_NAME("__reduce__"));
    if (own != TY_NULL && own != ty_dict_get_str(ty_object_type_.dict, TY_NAME("__reduce__"))) {
        Value method = ty_get_attribute(self, TY_NAME("__reduce__"));
        return method == TY_NULL ? TY_NULL : ty_call_none(method);
    }
    return reduce_by_protocol(self, protocol);
}

static const TyNativeDef object_methods[] = {
    TY_METHOD("__reduce_ex__(self, protocol, /)", object_reduce_ex, "Helper for pickle."),
    TY_METHOD("__reduce__(self, /)", object_reduce, "Helper for pickle."),
    TY_METHOD("__getstate__(self, /)", object_getstate, "Helper for pickle."),
    TY_RAW_CLASS_METHOD("__subclasshook__(type, object, /)", object_subclasshook, "Abstract classes can override this to customize issubclass()."),
    TY_RAW_CLASS_METHOD("__init_subclass__(type, /)", object_init_subclass, "This method is called when a class is subclassed."),
    TY_METHOD("__format__(self, format_spec, /)", object_format, "Default object formatter."),
    TY_METHOD("__sizeof__(self, /)", object_sizeof, "Size of object in memory, in bytes."),
    TY_METHOD("__dir__(self, /)", object_dir, "Default dir() implementation."),
    {0}
};

static const TyGetSetDef object_getsets[] = { { "__class__", object_get_class, object_set_class, "the object's class" }, {0} };

TyType ty_object_type_ = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "object", .layout = { .size = sizeof(TyObject) },
    .doc = "object()\n--\n\nThe base class of the class hierarchy.\n\nWhen called, it accepts no arguments and returns a new featureless\ninstance that has no instance attributes and cannot be given any.\n",
    .slots = { .repr = object_repr, .str = object_str, .hash = ty_hash_identity, .compare = object_compare, .get_attribute = ty_generic_get_attribute,
               .set_attribute = ty_generic_set_attribute, .new = ty_object_new, .init = ty_object_init },
    .methods = object_methods, .getsets = object_getsets,
};
