/* The table of slots: for each special method that Python code can define, the slot that serves it, how the C slot is called from Python (the
 * wrapper), its signature and its docstring. Derived from it: the wrapper descriptors in static types' dicts, and the slots of classes made in Python.
 *
 * TY_SLOT(method, slot member, wrapper, signature, doc) */
#ifndef TY_OBJECT_SLOTS_H
#define TY_OBJECT_SLOTS_H

#include "object/object.h"

typedef enum TyWrapper {
    TY_WRAP_UNARY, TY_WRAP_BINARY, TY_WRAP_REFLECTED, TY_WRAP_POWER, TY_WRAP_POWER_REFLECTED, TY_WRAP_INPLACE, TY_WRAP_TEST, TY_WRAP_LENGTH, TY_WRAP_HASH,
    TY_WRAP_LT, TY_WRAP_LE, TY_WRAP_EQ, TY_WRAP_NE, TY_WRAP_GT, TY_WRAP_GE,
    TY_WRAP_GET_ATTRIBUTE, TY_WRAP_SET_ATTRIBUTE, TY_WRAP_DELETE_ATTRIBUTE, TY_WRAP_CALL, TY_WRAP_NEXT, TY_WRAP_GET, TY_WRAP_SET, TY_WRAP_DELETE,
    TY_WRAP_INIT, TY_WRAP_GET_ITEM, TY_WRAP_SET_ITEM, TY_WRAP_DELETE_ITEM, TY_WRAP_CONTAINS, TY_WRAP_REPEAT, TY_WRAP_REPEAT_REFLECTED, TY_WRAP_CONCAT,
    TY_WRAP_BUFFER, TY_WRAP_RELEASE_BUFFER, TY_WRAP_DEL, TY_WRAP_GETATTR_HOOK
} TyWrapper;

#define TY_BINARY_SLOTS(X, METHOD, R, I, OP, text) \
    X("__" METHOD "__", binary[OP], TY_WRAP_BINARY, "($self, value, /)", "Return self" text "value.") \
    X("__r" METHOD "__", binary[OP], TY_WRAP_REFLECTED, "($self, value, /)", "Return value" text "self.")

#define TY_SLOT_TABLE(X) \
    X("__repr__", repr, TY_WRAP_UNARY, "($self, /)", "Return repr(self).") \
    X("__hash__", hash, TY_WRAP_HASH, "($self, /)", "Return hash(self).") \
    X("__call__", call, TY_WRAP_CALL, "($self, /, *args, **kwargs)", "Call self as a function.") \
    X("__str__", str, TY_WRAP_UNARY, "($self, /)", "Return str(self).") \
    X("__getattribute__", get_attribute, TY_WRAP_GET_ATTRIBUTE, "($self, name, /)", "Return getattr(self, name).") \
    X("__getattr__", get_attribute, TY_WRAP_GETATTR_HOOK, "", "") \
    X("__setattr__", set_attribute, TY_WRAP_SET_ATTRIBUTE, "($self, name, value, /)", "Implement setattr(self, name, value).") \
    X("__delattr__", set_attribute, TY_WRAP_DELETE_ATTRIBUTE, "($self, name, /)", "Implement delattr(self, name).") \
    X("__lt__", compare, TY_WRAP_LT, "($self, value, /)", "Return self<value.") \
    X("__le__", compare, TY_WRAP_LE, "($self, value, /)", "Return self<=value.") \
    X("__eq__", compare, TY_WRAP_EQ, "($self, value, /)", "Return self==value.") \
    X("__ne__", compare, TY_WRAP_NE, "($self, value, /)", "Return self!=value.") \
    X("__gt__", compare, TY_WRAP_GT, "($self, value, /)", "Return self>value.") \
    X("__ge__", compare, TY_WRAP_GE, "($self, value, /)", "Return self>=value.") \
    X("__iter__", iter, TY_WRAP_UNARY, "($self, /)", "Implement iter(self).") \
    X("__next__", next, TY_WRAP_NEXT, "($self, /)", "Implement next(self).") \
    X("__get__", get, TY_WRAP_GET, "($self, instance, owner=None, /)", "Return an attribute of instance, which is of type owner.") \
    X("__set__", set, TY_WRAP_SET, "($self, instance, value, /)", "Set an attribute of instance to value.") \
    X("__delete__", set, TY_WRAP_DELETE, "($self, instance, /)", "Delete an attribute of instance.") \
    X("__init__", init, TY_WRAP_INIT, "($self, /, *args, **kwargs)", "Initialize self.  See help(type(self)) for accurate signature.") \
    X("__del__", repr, TY_WRAP_DEL, "($self, /)", "Called when the instance is about to be destroyed.") \
    X("__await__", await, TY_WRAP_UNARY, "($self, /)", "Return an iterator to be used in await expression.") \
    X("__aiter__", aiter, TY_WRAP_UNARY, "($self, /)", "Return an awaitable, that resolves in asynchronous iterator.") \
    X("__anext__", anext, TY_WRAP_UNARY, "($self, /)", "Return a value or raise StopAsyncIteration.") \
    TY_BINARY_SLOTS(X, "add", radd, iadd, TY_BINARY_ADD, "+") \
    TY_BINARY_SLOTS(X, "sub", rsub, isub, TY_BINARY_SUBTRACT, "-") \
    TY_BINARY_SLOTS(X, "mul", rmul, imul, TY_BINARY_MULTIPLY, "*") \
    TY_BINARY_SLOTS(X, "mod", rmod, imod, TY_BINARY_REMAINDER, "%") \
    TY_BINARY_SLOTS(X, "divmod", rdivmod, idivmod, TY_BINARY_DIVMOD, ", ") \
    X("__pow__", power, TY_WRAP_POWER, "($self, value, mod=None, /)", "Return pow(self, value, mod).") \
    X("__rpow__", power, TY_WRAP_POWER_REFLECTED, "($self, value, mod=None, /)", "Return pow(value, self, mod).") \
    X("__neg__", negative, TY_WRAP_UNARY, "($self, /)", "-self") \
    X("__pos__", positive, TY_WRAP_UNARY, "($self, /)", "+self") \
    X("__abs__", absolute, TY_WRAP_UNARY, "($self, /)", "abs(self)") \
    X("__bool__", to_bool, TY_WRAP_TEST, "($self, /)", "True if self else False") \
    X("__invert__", invert, TY_WRAP_UNARY, "($self, /)", "~self") \
    TY_BINARY_SLOTS(X, "lshift", rlshift, ilshift, TY_BINARY_LEFT_SHIFT, "<<") \
    TY_BINARY_SLOTS(X, "rshift", rrshift, irshift, TY_BINARY_RIGHT_SHIFT, ">>") \
    TY_BINARY_SLOTS(X, "and", rand, iand, TY_BINARY_AND, "&") \
    TY_BINARY_SLOTS(X, "xor", rxor, ixor, TY_BINARY_XOR, "^") \
    TY_BINARY_SLOTS(X, "or", ror, ior, TY_BINARY_OR, "|") \
    X("__int__", to_int, TY_WRAP_UNARY, "($self, /)", "int(self)") \
    X("__float__", to_float, TY_WRAP_UNARY, "($self, /)", "float(self)") \
    X("__iadd__", inplace[TY_BINARY_ADD], TY_WRAP_INPLACE, "($self, value, /)", "Return self+=value.") \
    X("__isub__", inplace[TY_BINARY_SUBTRACT], TY_WRAP_INPLACE, "($self, value, /)", "Return self-=value.") \
    X("__imul__", inplace[TY_BINARY_MULTIPLY], TY_WRAP_INPLACE, "($self, value, /)", "Return self*=value.") \
    X("__imod__", inplace[TY_BINARY_REMAINDER], TY_WRAP_INPLACE, "($self, value, /)", "Return self%=value.") \
    X("__ipow__", inplace[TY_BINARY_POWER], TY_WRAP_INPLACE, "($self, value, /)", "Return self**=value.") \
    X("__ilshift__", inplace[TY_BINARY_LEFT_SHIFT], TY_WRAP_INPLACE, "($self, value, /)", "Return self<<=value.") \
    X("__irshift__", inplace[TY_BINARY_RIGHT_SHIFT], TY_WRAP_INPLACE, "($self, value, /)", "Return self>>=value.") \
    X("__iand__", inplace[TY_BINARY_AND], TY_WRAP_INPLACE, "($self, value, /)", "Return self&=value.") \
    X("__ixor__", inplace[TY_BINARY_XOR], TY_WRAP_INPLACE, "($self, value, /)", "Return self^=value.") \
    X("__ior__", inplace[TY_BINARY_OR], TY_WRAP_INPLACE, "($self, value, /)", "Return self|=value.") \
    TY_BINARY_SLOTS(X, "floordiv", rfloordiv, ifloordiv, TY_BINARY_FLOOR_DIVIDE, "//") \
    TY_BINARY_SLOTS(X, "truediv", rtruediv, itruediv, TY_BINARY_TRUE_DIVIDE, "/") \
    X("__ifloordiv__", inplace[TY_BINARY_FLOOR_DIVIDE], TY_WRAP_INPLACE, "($self, value, /)", "Return self//=value.") \
    X("__itruediv__", inplace[TY_BINARY_TRUE_DIVIDE], TY_WRAP_INPLACE, "($self, value, /)", "Return self/=value.") \
    X("__index__", index, TY_WRAP_UNARY, "($self, /)", "Return self converted to an integer, if self is suitable for use as an index into a list.") \
    TY_BINARY_SLOTS(X, "matmul", rmatmul, imatmul, TY_BINARY_MATRIX_MULTIPLY, "@") \
    X("__imatmul__", inplace[TY_BINARY_MATRIX_MULTIPLY], TY_WRAP_INPLACE, "($self, value, /)", "Return self@=value.") \
    X("__len__", length, TY_WRAP_LENGTH, "($self, /)", "Return len(self).") \
    X("__getitem__", get_item, TY_WRAP_GET_ITEM, "($self, key, /)", "Return self[key].") \
    X("__setitem__", set_item, TY_WRAP_SET_ITEM, "($self, key, value, /)", "Set self[key] to value.") \
    X("__delitem__", set_item, TY_WRAP_DELETE_ITEM, "($self, key, /)", "Delete self[key].") \
    X("__add__", concat, TY_WRAP_CONCAT, "($self, value, /)", "Return self+value.") \
    X("__mul__", repeat, TY_WRAP_REPEAT, "($self, value, /)", "Return self*value.") \
    X("__rmul__", repeat, TY_WRAP_REPEAT_REFLECTED, "($self, value, /)", "Return value*self.") \
    X("__contains__", contains, TY_WRAP_CONTAINS, "($self, key, /)", "Return bool(key in self).") \
    X("__iadd__", inplace_concat, TY_WRAP_CONCAT, "($self, value, /)", "Implement self+=value.") \
    X("__imul__", inplace_repeat, TY_WRAP_REPEAT, "($self, value, /)", "Implement self*=value.") \
    X("__buffer__", get_buffer, TY_WRAP_BUFFER, "($self, flags, /)", "Return a buffer object that exposes the underlying memory of the object.") \
    X("__release_buffer__", release_buffer, TY_WRAP_RELEASE_BUFFER, "($self, buffer, /)", "Release the buffer object that exposes the underlying memory of the object.")

typedef struct TySlotEntry {
    const char *method;
    uint16_t offset;          /* in TySlots, bytes */
    uint8_t wrapper;
    const char *signature, *doc;
    void *python;             /* the slot function of classes that define the method in Python */
} TySlotEntry;

extern const TySlotEntry ty_slot_entries[];
extern const size_t ty_slot_entry_count;

typedef struct TyWrapperDescriptor { /* int.__add__ */
    TyObject base;
    TyType *owner;
    const TySlotEntry *entry;
    void *function;           /* the owner's C slot */
} TyWrapperDescriptor;

TY_INLINE void **ty_slot_place(TyType *type, const TySlotEntry *entry) { return (void **)((char *)&type->slots + entry->offset); }

/* Adds wrapper descriptors for the slots that the static type itself fills to its dict. */
bool ty_slots_add_wrappers(TyType *type);
/* Sets all slots of a heap type from its dict and its bases; again after a special method was set or deleted. */
void ty_slots_update(TyType *type);
bool ty_slot_is_special_name(Value name);
Value ty_slot_call_wrapper(const TySlotEntry *entry, void *function, Value self, const Value *arguments, size_t count, Value keywords);
/* The slots of Python-defined classes that other files compare with. */
Value ty_slot_python_get_item(Value self, Value key);
Value ty_slot_python_get_attribute(Value self, Value name);
Value ty_slot_python_new(TyType *type, const Value *arguments, size_t count, Value keywords);
bool ty_slot_python_init(Value self, const Value *arguments, size_t count, Value keywords);
Value ty_slot_python_call(Value self, const Value *arguments, size_t count, Value keywords);
bool ty_slot_python_finalize(TyObject *self);

#endif
