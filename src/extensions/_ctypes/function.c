/* Function pointers: arguments, calls, results. */
#include "internal.h"
#include <alloca.h>
#include <dlfcn.h>
#include <errno.h>

_Thread_local int ctypes_errno; /* of calls with use_errno: exchanged with the system's around each */

/* --- arguments ----------------------------------------------------------------------------------------------------------------- */

static void argument_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Argument *)self)->object); }

static Argument *argument_new(char tag, ffi_type *type, Value object)
{
    Argument *a = (Argument *)ty_object(ty_type_allocate(&ctypes_argument_type, 0));
    if (!a)
        return NULL;
    a->tag = tag;
    a->ffi = type;
    ty_store(a, &a->object, object);
    return a;
}

static Value argument_repr(Value self)
{
    Argument *a = (Argument *)ty_object(self);
    const Code *code = ctypes_code((uint32_t)a->tag);
    if (code && (code->is_int || strchr("fd", a->tag))) {
        Value v = code->get(&a->value);
        return v == TY_NULL ? TY_NULL : ty_str_format("<cparam '%c' (%R)>", a->tag, v);
    }
    if (a->tag == 'c') {
        int c = (uint8_t)a->value.b;
        return c >= 32 && c < 127 && c != '\'' && c != '\\' ? ty_str_format("<cparam 'c' ('%c')>", c) : ty_str_format("<cparam 'c' ('\\x%s%x')>", c < 16 ? "0" : "", (unsigned)c);
    }
    if (strchr("zZPV", a->tag))
        return ty_str_format("<cparam '%c' (%p)>", a->tag, a->value.p);
    return ty_str_format("<cparam '%c' at %p>", a->tag, (void *)a);
}

static Value argument_get_object(Value self)
{
    Value v = ((Argument *)ty_object(self))->object;
    return v == TY_NULL ? TY_NONE : v;
}
static const TyGetSetDef argument_getsets[] = {{"_obj", argument_get_object, NULL, "the wrapped object"}, {0}};

TyType ctypes_argument_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Argument), .trace = argument_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW | TY_TYPE_FINAL,
    .name = "_ctypes.CArgObject",
    .parent = &ty_object_base_type,
    .slots = {.repr = argument_repr},
    .getsets = argument_getsets,
};

Argument *ctypes_byref(Value data, int64_t offset)
{
    Argument *a = argument_new('P', &ffi_type_pointer, data);
    if (a)
        a->value.p = ctypes_data(data)->p + offset;
    return a;
}

Argument *ctypes_argument_of(Value data)
{
    Data *d = ctypes_data(data);
    Info *info = ctypes_info_of(data);
    if (!info)
        return ty_raise(&ty_TypeError, "abstract class"), NULL;
    Argument *a = argument_new('P', &ffi_type_pointer, data);
    if (!a)
        return NULL;
    switch (info->kind) {
    case KIND_SIMPLE:
        a->tag = info->code->code;
        a->ffi = info->ffi;
        if (info->swapped)
            return ty_raise(&ty_TypeError, "cannot pass a value in the other byte order"), NULL;
        memcpy(&a->value, d->p, (size_t)info->size);
        return a;
    case KIND_ARRAY: a->value.p = d->p; return a;
    case KIND_POINTER:
    case KIND_FUNCTION: memcpy(&a->value.p, d->p, sizeof(void *)); return a;
    default: {
        a->tag = 'V';
        a->ffi = ctypes_ffi_type(info);
        a->size = d->size;
        Value copy = ty_bytes_new(d->p, (size_t)d->size);
        if (copy == TY_NULL || !a->ffi)
            return NULL;
        a->value.p = (void *)ty_bytes_data(copy);
        ty_store(a, &a->object, copy);
        return a;
    }
    }
}

static Value as_parameter(Value v, bool *failed) { return ty_get_attribute_or_null(v, TY_NAME("_as_parameter_"), failed); }

/* cls.from_param(v) of a class that is not known to be one of ours. */
static Value call_from_param(Value type, Value v) { return ty_call_method_one(type, TY_NAME("from_param"), v); }

static Value instance_or_refuse(Value type, Value v)
{
    bool failed;
    int is = ty_isinstance(v, type);
    if (is)
        return is < 0 ? TY_NULL : v;
    if (ty_is_exact(v, &ctypes_argument_type)) {
        Value object = ((Argument *)ty_object(v))->object;
        Info *info = ctypes_info(type); /* what byref() gives passes for a pointer to the object */
        is = object == TY_NULL ? 0 : ty_isinstance(object, info && info->kind == KIND_POINTER && info->item != TY_NULL ? info->item : type);
        if (is)
            return is < 0 ? TY_NULL : v;
        return ty_raise(&ty_TypeError, "expected %s instance instead of pointer to %T", ctypes_type_name(type), object == TY_NULL ? TY_NONE : object);
    }
    Value inner = as_parameter(v, &failed);
    if (inner != TY_NULL || failed)
        return inner == TY_NULL ? TY_NULL : ctypes_from_param(type, inner);
    return ty_raise(&ty_TypeError, "expected %s instance instead of %T", ctypes_type_name(type), v);
}

static Value pointer_from_param(Value type, Info *info, Value v)
{
    if (v == TY_NONE)
        return TY_NONE;
    if (info->item != TY_NULL && ctypes_is_data(v)) {
        int is = ty_isinstance(v, info->item);
        if (is) {
            Argument *a = is < 0 ? NULL : ctypes_byref(v, 0);
            return a ? ty_from_object(a) : TY_NULL;
        }
        Info *source = ctypes_info_of(v);
        if (source && (source->kind == KIND_POINTER || source->kind == KIND_ARRAY) && source->item != TY_NULL) {
            is = ty_issubclass(source->item, info->item);
            if (is)
                return is < 0 ? TY_NULL : v;
        }
    }
    return instance_or_refuse(type, v);
}

/* For 'z', 'Z' and 'P': what already is an address of that kind. TY_NULL without exception: it is none. */
static Value address_like(Value type, char code, Value v)
{
    if (v == TY_NONE)
        return TY_NONE;
    if (ctypes_is_data(v)) {
        int is = ty_isinstance(v, type);
        if (is)
            return is < 0 ? TY_NULL : v;
        Info *source = ctypes_info_of(v), *item = source && source->item != TY_NULL ? ctypes_info(source->item) : NULL;
        bool array_or_pointer = source && (source->kind == KIND_ARRAY || source->kind == KIND_POINTER);
        char wanted = code == 'z' ? 'c' : 'u';
        if (array_or_pointer && (code == 'P' || (item && item->kind == KIND_SIMPLE && item->code->code == wanted)))
            return v;
        if (code == 'P' && source && (source->kind == KIND_FUNCTION || (source->kind == KIND_SIMPLE && strchr("zZ", source->code->code)))) {
            Argument *a = argument_new(source->kind == KIND_FUNCTION ? 'P' : 'Z', &ffi_type_pointer, v);
            if (a)
                memcpy(&a->value.p, ctypes_data(v)->p, sizeof(void *));
            return a ? ty_from_object(a) : TY_NULL;
        }
    }
    if (ty_is_exact(v, &ctypes_argument_type)) {
        Argument *a = (Argument *)ty_object(v);
        if (code == 'P' ? a->tag == 'P' : a->object != TY_NULL && ctypes_is_data(a->object) && ctypes_info_of(a->object)->kind == KIND_SIMPLE && ctypes_info_of(a->object)->code->code == (code == 'z' ? 'c' : 'u'))
            return v;
    }
    return TY_NULL;
}

static Value simple_from_param(Value type, Info *info, Value v)
{
    char code = info->code->code;
    bool failed;
    int is = ctypes_is_data(v) ? ty_isinstance(v, type) : 0;
    if (is)
        return is < 0 ? TY_NULL : v;
    bool address = code == 'z' || code == 'Z' || code == 'P';
    if (address) {
        Value same = address_like(type, code, v);
        if (same != TY_NULL || ty_raised())
            return same;
    }
    bool text = (code != 'Z' && ty_is_bytes(v)) || (code != 'z' && ty_is_str(v)), number = code == 'P' && ty_is_int(v);
    if (!address || text || number) {
        Argument *a = argument_new(address && text ? (ty_is_bytes(v) ? 'z' : 'Z') : code, info->ffi, v);
        const Code *how = address && text ? ctypes_code((uint32_t)a->tag) : info->code;
        Value kept = a ? how->set(&a->value, v) : TY_NULL;
        if (kept != TY_NULL) {
            if (kept != TY_NONE)
                ty_store(a, &a->object, kept);
            return ty_from_object(a);
        }
        if (!a)
            return TY_NULL;
    }
    Value raised = ty_take_exception(), inner = as_parameter(v, &failed);
    if (inner != TY_NULL || failed)
        return inner == TY_NULL ? TY_NULL : ctypes_from_param(type, inner);
    if (raised == TY_NULL)
        return ty_raise(&ty_TypeError, "'%T' object cannot be interpreted as ctypes.%s", v, code == 'z' ? "c_char_p" : code == 'Z' ? "c_wchar_p" : "c_void_p");
    ty_restore_exception(raised);
    return TY_NULL;
}

static Value array_from_param(Value type, Info *info, Value v)
{
    Info *item = ctypes_info(info->item);
    char code = item->kind == KIND_SIMPLE ? item->code->code : 0;
    bool text = (code == 'c' && ty_is_bytes(v)) || (code == 'u' && ty_is_str(v));
    (void)text;
    return instance_or_refuse(type, v);
}

Value ctypes_from_param(Value type, Value v)
{
    Info *info = ctypes_info(type);
    if (ty_c_stack_low())
        return ty_raise_recursion_error(" while processing _as_parameter_");
    if (!info)
        return ty_is_type(type) && ty_type_is_subtype(ty_as_type(type), &ctypes_data_type) ? ty_raise(&ty_TypeError, "abstract class") : call_from_param(type, v);
    switch (info->kind) {
    case KIND_SIMPLE: return simple_from_param(type, info, v);
    case KIND_POINTER: return pointer_from_param(type, info, v);
    case KIND_ARRAY: return array_from_param(type, info, v);
    default: return instance_or_refuse(type, v);
    }
}

/* An argument ready to be passed: without a type, or what from_param() gave. `position` from 1. */
static Argument *convert(Value v, int position)
{
    bool failed;
    if (ctypes_is_data(v))
        return ctypes_argument_of(v);
    if (ty_is_exact(v, &ctypes_argument_type))
        return (Argument *)ty_object(v);
    Argument *a = NULL;
    if (v == TY_NONE)
        return argument_new('P', &ffi_type_pointer, TY_NULL);
    if (ty_is_int(v)) {
        int64_t number;
        int fits = ty_int_get_int64(v, &number);
        if (fits != 0 || number < INT32_MIN || number > UINT32_MAX)
            return ty_raise(&ty_OverflowError, "int too long to convert"), NULL;
        a = argument_new('i', &ffi_type_sint32, TY_NULL);
        if (a)
            a->value.i = (int32_t)number;
        return a;
    }
    if (ty_is_bytes(v)) {
        a = argument_new('z', &ffi_type_pointer, v);
        if (a)
            a->value.p = (void *)ty_bytes_data(v);
        return a;
    }
    if (ty_is_str(v)) {
        Value bytes = ctypes_wide_bytes(v);
        a = bytes == TY_NULL ? NULL : argument_new('Z', &ffi_type_pointer, bytes);
        if (a)
            a->value.p = (void *)ty_bytes_data(bytes);
        return a;
    }
    Value inner = as_parameter(v, &failed);
    if (inner != TY_NULL) {
        if (ty_c_stack_low())
            return ty_raise_recursion_error(""), NULL;
        return convert(inner, position);
    }
    if (!failed)
        ty_raise(&ty_TypeError, "Don't know how to convert parameter %d", position);
    return NULL;
}

/* argument N: the error, as ArgumentError. */
static void extend_error(int position)
{
    Value raised = ty_take_exception(), type = ctypes_state(STATE_ARGUMENT_ERROR), text = ty_str(raised);
    if (text == TY_NULL || type == TY_NULL)
        return;
    Value name = ty_as_type(ty_from_object(ty_type_of(raised)))->name_value;
    ty_raise(ty_as_type(type), "argument %d: %U: %U", position, name, text);
}

/* --- calls ---------------------------------------------------------------------------------------------------------------------------- */

static Value result_of(Value restype, Value check, void *p, bool python)
{
    if (python && ty_raised())
        return TY_NULL;
    if (restype == TY_NULL)
        return ty_int_from_int64(*(int32_t *)p);
    if (restype == TY_NONE)
        return TY_NONE;
    Info *info = ctypes_info(restype);
    if (!info)
        return ty_call_one(restype, ty_int_from_int64(*(int32_t *)p));
    Value v;
    if (info->kind == KIND_SIMPLE && !ctypes_is_simple_subclass(restype)) {
        v = ctypes_read(info, p);
    } else {
        v = ctypes_data_copy(restype, p);
    }
    return v == TY_NULL || check == TY_NULL || check == TY_NONE ? v : ty_call_one(check, v);
}

/* Calls the function; the arguments are kept by their Values on the stack. */
static Value call_address(void (*address)(void), int flags, Value *arguments, int count, Value converters, Value restype, Value check)
{
    if (count > ARGUMENTS_MAX)
        return ty_raise(ty_as_type(ctypes_state(STATE_ARGUMENT_ERROR)), "too many arguments (%d), maximum is %d", count, ARGUMENTS_MAX);
    Argument **converted = alloca(((size_t)count + 1) * sizeof *converted);
    ffi_type **types = alloca(((size_t)count + 1) * sizeof *types);
    void **values = alloca(((size_t)count + 1) * sizeof *values);
    int64_t converter_count = converters == TY_NULL ? 0 : ty_tuple_length(converters);
    for (int i = 0; i < count; i++) {
        Value v = arguments[i];
        if (i < converter_count)
            v = ty_call_one(ty_tuple_item(converters, i), v);
        converted[i] = v == TY_NULL ? NULL : convert(v, i + 1);
        if (!converted[i]) {
            extend_error(i + 1);
            return TY_NULL;
        }
        types[i] = converted[i]->ffi;
        values[i] = converted[i]->tag == 'V' ? converted[i]->value.p : (void *)&converted[i]->value;
    }
    Info *info = restype == TY_NULL || restype == TY_NONE ? NULL : ctypes_info(restype);
    ffi_type *result_type = restype == TY_NONE ? &ffi_type_void : info ? ctypes_ffi_type(info) : &ffi_type_sint32;
    if (!result_type)
        return TY_NULL;
    ffi_cif cif;
    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, (unsigned)count, result_type, types) != FFI_OK)
        return ty_raise(&ty_RuntimeError, "ffi_prep_cif failed");
    void *result = alloca(TY_MAX(result_type->size, sizeof(ffi_arg)) + 16);
    memset(result, 0, TY_MAX(result_type->size, sizeof(ffi_arg)));
    bool python = flags & FLAG_PYTHONAPI;
    if (!python)
        ty_blocking_begin();
    if (flags & FLAG_ERRNO) {
        int ours = ctypes_errno;
        ctypes_errno = errno;
        errno = ours;
    }
    ffi_call(&cif, address, result, values);
    if (flags & FLAG_ERRNO) {
        int theirs = errno;
        errno = ctypes_errno;
        ctypes_errno = theirs;
    }
    if (!python)
        ty_blocking_end();
    Value v = result_of(restype, check, result, python);
    /* What C was given stays until here. */
    __asm__ volatile("" : : "r"(converted), "r"(arguments) : "memory");
    return v;
}

static Function *as_function(Value v) { return (Function *)ty_object(v); }
static Value own_or(Value own, Value inherited) { return own != TY_NULL ? own : inherited; }

enum { PARAMETER_IN = 1, PARAMETER_OUT = 2, PARAMETER_LCID = 4 };

/* Arguments of a call by the function's parameter flags: inputs from the call, outputs made. A list; *outputs: the numbers of results, and which of them are in place. */
static Value build_arguments(Function *f, Value argtypes, const Value *given, size_t count, Value keywords, uint64_t *out, uint64_t *in_out)
{
    Value flags = f->parameter_flags, list = ty_list_new(0);
    int64_t wanted = ty_tuple_length(flags);
    size_t used = 0, named = 0;
    *out = *in_out = 0;
    for (int64_t i = 0; list != TY_NULL && i < wanted; i++) {
        Value item = ty_tuple_item(flags, i), type = ty_tuple_item(argtypes, i), v = TY_NULL;
        int64_t length = ty_tuple_length(item), kind;
        Value name = length > 1 ? ty_tuple_item(item, 1) : TY_NULL, otherwise = length > 2 ? ty_tuple_item(item, 2) : TY_NULL;
        if (!ty_to_int64(ty_tuple_item(item, 0), &kind))
            return TY_NULL;
        kind &= PARAMETER_IN | PARAMETER_OUT | PARAMETER_LCID;
        if (kind == (PARAMETER_IN | PARAMETER_LCID)) {
            v = otherwise != TY_NULL ? otherwise : ty_from_immediate_int(0);
        } else if (kind != PARAMETER_OUT) {
            if (kind & PARAMETER_OUT) {
                *in_out |= 1ull << i;
                *out |= 1ull << i;
            }
            if (used < count) {
                v = given[used++];
            } else {
                for (int64_t k = 0; name != TY_NULL && ty_is_str(name) && keywords != TY_NULL && k < ty_tuple_length(keywords); k++)
                    if (ty_str_equal(ty_tuple_item(keywords, k), name)) {
                        v = given[count + (size_t)k];
                        named++;
                    }
                if (v == TY_NULL)
                    v = otherwise;
            }
            if (v == TY_NULL)
                return name != TY_NULL && ty_is_str(name) ? ty_raise(&ty_TypeError, "required argument '%S' missing", name) : ty_raise(&ty_TypeError, "not enough arguments");
        } else {
            Info *info = ctypes_info(type);
            if (otherwise != TY_NULL) {
                v = otherwise;
            } else if (!info || (info->kind != KIND_POINTER && info->kind != KIND_ARRAY && info->kind != KIND_SIMPLE)) {
                return ty_raise(&ty_TypeError, "%s 'out' parameter must be passed as default value", ctypes_type_name(type));
            } else if (info->kind == KIND_ARRAY) {
                v = ty_call_none(type);
            } else {
                v = info->item == TY_NULL ? ty_raise(&ty_TypeError, "%s 'out' parameter must be passed as default value", ctypes_type_name(type)) : ty_call_none(info->item);
            }
            *out |= 1ull << i;
            if (v == TY_NULL)
                return TY_NULL;
        }
        if (!ty_list_append(list, v))
            return TY_NULL;
    }
    size_t keyword_count = keywords == TY_NULL ? 0 : (size_t)ty_tuple_length(keywords);
    if (used != count || named != keyword_count)
        return ty_raise(&ty_TypeError, "call takes exactly %d arguments (%zu given)", (int)(used + named), count + keyword_count);
    return list;
}

static Value build_result(Value result, Value arguments, uint64_t out, uint64_t in_out)
{
    if (!out)
        return result;
    Value list = ty_list_new(0);
    for (int64_t i = 0; list != TY_NULL && i < ty_list_length(arguments); i++)
        if (out >> i & 1) {
            Value v = ty_list_item(arguments, i);
            if (!(in_out >> i & 1) || ctypes_is_data(v))
                v = ty_call_method_none(v, TY_NAME("__ctypes_from_outparam__"));
            if (v == TY_NULL || !ty_list_append(list, v))
                return TY_NULL;
        }
    return list != TY_NULL && ty_list_length(list) == 1 ? ty_list_item(list, 0) : list == TY_NULL ? TY_NULL : ty_list_to_tuple(list);
}

static Value function_call(Value self, const Value *given, size_t count, Value keywords)
{
    Function *f = as_function(self);
    Info *info = ctypes_info_of(self);
    Value restype = own_or(f->restype, info->restype), argtypes = own_or(f->argtypes, info->argtypes), converters = own_or(f->converters, info->converters);
    Value check = f->restype != TY_NULL ? TY_NULL : info->check;
    void (*address)(void);
    memcpy(&address, f->data.p, sizeof address);
    uint64_t out = 0, in_out = 0;
    Value list = TY_NULL, *arguments = (Value *)given;
    if (f->restype != TY_NULL && f->restype != TY_NONE) {
        bool failed;
        check = ty_get_attribute_or_null(f->restype, TY_NAME("_check_retval_"), &failed);
        if (failed)
            return TY_NULL;
    }
    if (f->parameter_flags != TY_NULL && argtypes != TY_NULL) {
        list = build_arguments(f, argtypes, given, count, keywords, &out, &in_out);
        if (list == TY_NULL)
            return TY_NULL;
        arguments = ty_load_relaxed(&ty_as_list(list)->items)->items;
        count = (size_t)ty_list_length(list);
    } else if (keywords != TY_NULL && ty_tuple_length(keywords)) {
        return ty_raise(&ty_TypeError, "this function takes no keyword arguments");
    }
    if (converters != TY_NULL) {
        int64_t required = ty_tuple_length(converters);
        if ((info->flags & FLAG_CDECL) ? (int64_t)count < required : (int64_t)count != required)
            return ty_raise(&ty_TypeError, "this function takes %s %lld argument%s (%zu given)", (info->flags & FLAG_CDECL) ? "at least" : "exactly", (long long)required,
                            required == 1 ? "" : "s", count);
    }
    Value *copy = alloca((count + 1) * sizeof(Value));
    for (size_t i = 0; i < count; i++)
        copy[i] = arguments[i];
    if (!address)
        return ty_raise(&ty_ValueError, "attempt to call a NULL function pointer");
    Value result = call_address(address, info->flags, copy, (int)count, converters, restype, check);
    if (result != TY_NULL && f->check != TY_NULL) {
        Value tuple = ty_tuple_from_array(copy, count), checked[3] = {result, self, tuple};
        if (tuple == TY_NULL)
            return TY_NULL;
        Value v = ty_call(f->check, checked, 3, TY_NULL);
        /* An errcheck that gives the arguments back lets what they brought out be the result. */
        if (v != tuple || v == TY_NULL)
            return v;
    }
    return result == TY_NULL || list == TY_NULL ? result : build_result(result, list, out, in_out);
}

/* --- making them -------------------------------------------------------------------------------------------------------------------------- */

static void function_trace(TyObject *self, TyMarker *marker)
{
    Function *f = (Function *)self;
    ty_mark_range(marker, &f->data.memory, 3);
    ty_mark_range(marker, &f->callable, (size_t)(&f->name - &f->callable) + 1);
}

bool ctypes_set_argtypes(Value v, Value *argtypes, Value *converters)
{
    if (!ty_is_tuple(v) && !ty_is_list(v) && !ty_is_sequence(v))
        return ty_raise(&ty_TypeError, "_argtypes_ must be a sequence of types"), false;
    *argtypes = ty_sequence_tuple(v);
    if (*argtypes == TY_NULL)
        return false;
    int64_t count = ty_tuple_length(*argtypes);
    if (count > ARGUMENTS_MAX) {
        Value type = ctypes_state(STATE_ARGUMENT_ERROR);
        if (type != TY_NULL)
            ty_raise(ty_as_type(type), "_argtypes_ has too many arguments (%lld), maximum is %d", (long long)count, ARGUMENTS_MAX);
        return false;
    }
    *converters = ty_tuple_new(count);
    for (int64_t i = 0; *converters != TY_NULL && i < count; i++) {
        bool failed;
        Value convert_one = ty_get_attribute_or_null(ty_tuple_item(*argtypes, i), TY_NAME("from_param"), &failed);
        if (convert_one == TY_NULL)
            return failed ? false : (ty_raise(&ty_TypeError, "item %lld in _argtypes_ has no from_param method", (long long)i + 1), false);
        ty_tuple_set(*converters, i, convert_one);
    }
    return *converters != TY_NULL;
}

/* A class's _flags_, _argtypes_ and _restype_. */
bool ctypes_function_prepare(Info *info, Value type)
{
    bool failed;
    int64_t flags;
    Value v = ty_get_attribute_or_null(type, TY_NAME("_flags_"), &failed);
    if (v == TY_NULL || !ty_is_int(v))
        return failed ? false : (ty_raise(&ty_TypeError, "class must define _flags_ which must be an integer"), false);
    if (!ty_to_int64(v, &flags))
        return false;
    info->flags = (uint8_t)flags;
    v = ty_get_attribute_or_null(type, TY_NAME("_argtypes_"), &failed);
    if (v != TY_NULL) {
        Value argtypes, converters;
        if (!ctypes_set_argtypes(v, &argtypes, &converters))
            return false;
        ty_store(info, &info->argtypes, argtypes);
        ty_store(info, &info->converters, converters);
    }
    v = failed ? TY_NULL : ty_get_attribute_or_null(type, TY_NAME("_restype_"), &failed);
    if (v != TY_NULL) {
        if (v != TY_NONE && !ctypes_info(v) && !ty_is_callable(v))
            return ty_raise(&ty_TypeError, "_restype_ must be a type, a callable, or None"), false;
        ty_store(info, &info->restype, v);
        Value check = v == TY_NONE ? TY_NULL : ty_get_attribute_or_null(v, TY_NAME("_check_retval_"), &failed);
        ty_store(info, &info->check, check);
    }
    return !failed;
}

static bool check_parameter_flags(Value flags, Value argtypes)
{
    if (flags == TY_NONE)
        return true;
    if (!ty_is_tuple(flags))
        return ty_raise(&ty_TypeError, "paramflags must be a tuple or None"), false;
    if (argtypes != TY_NULL && ty_tuple_length(flags) != ty_tuple_length(argtypes))
        return ty_raise(&ty_ValueError, "paramflags must have the same length as argtypes"), false;
    if (ty_tuple_length(flags) > 64)
        return ty_raise(&ty_ValueError, "too many paramflags"), false;
    for (int64_t i = 0; i < ty_tuple_length(flags); i++) {
        Value item = ty_tuple_item(flags, i);
        int64_t kind, length = ty_is_tuple(item) ? ty_tuple_length(item) : 0;
        if (length < 1 || length > 3 || !ty_is_int(ty_tuple_item(item, 0)) || (length > 1 && ty_tuple_item(item, 1) != TY_NONE && !ty_is_str(ty_tuple_item(item, 1))))
            return ty_raise(&ty_TypeError, "paramflags must be a sequence of (int [,string [,value]]) tuples"), false;
        if (!ty_to_int64(ty_tuple_item(item, 0), &kind))
            return false;
        Value type = argtypes == TY_NULL ? TY_NULL : ty_tuple_item(argtypes, i);
        Info *info = type == TY_NULL ? NULL : ctypes_info(type);
        switch (kind & 7) {
        case 0:
        case PARAMETER_IN:
        case PARAMETER_IN | PARAMETER_LCID:
        case PARAMETER_IN | PARAMETER_OUT: break;
        case PARAMETER_OUT:
            if (info && (info->kind == KIND_SIMPLE ? strchr("zZP", info->code->code) == NULL : info->kind != KIND_POINTER && info->kind != KIND_ARRAY))
                return ty_raise(&ty_TypeError, "'out' parameter %lld must be a pointer type, not %s", (long long)i + 1, ctypes_type_name(type)), false;
            break;
        default: return ty_raise(&ty_TypeError, "paramflag value %lld not supported", (long long)kind), false;
        }
    }
    return true;
}

static void *find_symbol(Value pair)
{
    int64_t handle;
    Value name = ty_tuple_item(pair, 0), dll = ty_tuple_item(pair, 1), number = ty_get_attribute(dll, TY_NAME("_handle"));
    size_t size;
    const char *text;
    if (number == TY_NULL)
        return NULL;
    if (!ty_is_int(number))
        return ty_raise(&ty_TypeError, "the _handle attribute of the second argument must be an integer"), NULL;
    if (!ty_to_int64(number, &handle) || !ctypes_audit("ctypes.dlsym", dll, name))
        return NULL;
    if (ty_is_str(name))
        text = ty_to_utf8(name, &size);
    else if (ty_is_bytes(name))
        text = (const char *)ty_bytes_data(name);
    else
        return ty_raise(&ty_TypeError, "function name must be string, bytes object or integer"), NULL;
    if (!text)
        return NULL;
    dlerror();
    void *p = dlsym((void *)handle, text);
    if (!p) {
        const char *error = dlerror();
        if (error)
            ty_raise(&ty_AttributeError, "%s", error);
        else
            ty_raise(&ty_AttributeError, "function '%s' not found", text);
    }
    return p;
}

static Function *function_with(TyType *type, void *address)
{
    Value v = ctypes_data_new(type);
    if (v == TY_NULL)
        return NULL;
    memcpy(ctypes_data(v)->p, &address, sizeof address);
    return as_function(v);
}

static Value function_from_dll(TyType *type, const Value *arguments, size_t count)
{
    Info *info = ctypes_info(ty_from_object(type));
    if (ty_tuple_length(arguments[0]) != 2)
        return ty_raise(&ty_TypeError, "argument 1 must be a sequence of length 2, not %lld", (long long)ty_tuple_length(arguments[0]));
    void *address = find_symbol(arguments[0]);
    if (!address || (count > 1 && !check_parameter_flags(arguments[1], info->argtypes)))
        return TY_NULL;
    Function *f = function_with(type, address);
    if (!f)
        return TY_NULL;
    if (count > 1 && arguments[1] != TY_NONE)
        ty_store(f, &f->parameter_flags, arguments[1]);
    ty_store(f, &f->callable, arguments[0]);
    return ctypes_keep(ty_from_object(f), 0, ty_tuple_item(arguments[0], 1)) ? ty_from_object(f) : TY_NULL;
}

static Value function_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Info *info = ctypes_require(ty_from_object(type), "abstract class");
    if (!info || !ty_no_keywords("CFuncPtr", keywords))
        return TY_NULL;
    if (count == 0)
        return ctypes_data_new(type);
    if (count <= 2 && ty_is_tuple(arguments[0]))
        return function_from_dll(type, arguments, count);
    if (count != 1)
        return ty_raise(&ty_TypeError, "argument must be callable or integer function address");
    uint64_t address;
    if (ty_is_int(arguments[0])) {
        Function *f = ty_to_uint64_mask(arguments[0], &address) ? function_with(type, (void *)address) : NULL;
        return f ? ty_from_object(f) : TY_NULL;
    }
    if (!ty_is_callable(arguments[0]))
        return ty_raise(&ty_TypeError, "argument must be callable or integer function address");
    if (info->argtypes == TY_NULL)
        return ty_raise(&ty_TypeError, "cannot construct instance of this class: no argtypes");
    void *code;
    Value thunk = ctypes_callback_new(arguments[0], info, &code);
    Function *f = thunk == TY_NULL ? NULL : function_with(type, code);
    if (!f)
        return TY_NULL;
    ty_store(f, &f->callable, arguments[0]);
    ty_store(f, &f->thunk, thunk);
    return ctypes_keep(ty_from_object(f), 0, thunk) ? ty_from_object(f) : TY_NULL;
}

static int function_to_bool(Value self) { return *(void **)ctypes_data(self)->p != NULL; }
static Value function_repr(Value self) { return ty_str_format("<%T object at %p>", self, (void *)ty_object(self)); }

static Value get_restype(Value self)
{
    Value v = own_or(as_function(self)->restype, ctypes_info_of(self)->restype);
    return v == TY_NULL ? TY_NONE : v;
}
static bool set_restype(Value self, Value v)
{
    if (v != TY_NULL && v != TY_NONE && !ctypes_info(v) && !ty_is_callable(v))
        return ty_raise(&ty_TypeError, "restype must be a type, a callable, or None"), false;
    ty_store(ty_object(self), &as_function(self)->restype, v);
    return true;
}
static Value get_argtypes(Value self)
{
    Value v = own_or(as_function(self)->argtypes, ctypes_info_of(self)->argtypes);
    return v == TY_NULL ? TY_NONE : v;
}
static bool set_argtypes(Value self, Value v)
{
    Function *f = as_function(self);
    Value argtypes = TY_NULL, converters = TY_NULL;
    if (v != TY_NULL && v != TY_NONE && !ctypes_set_argtypes(v, &argtypes, &converters))
        return false;
    if (argtypes != TY_NULL && f->parameter_flags != TY_NULL && !check_parameter_flags(f->parameter_flags, argtypes))
        return false;
    ty_store(f, &f->converters, converters);
    ty_store(f, &f->argtypes, argtypes);
    return true;
}
static Value get_errcheck(Value self)
{
    Value v = as_function(self)->check;
    return v == TY_NULL ? TY_NONE : v;
}
static bool set_errcheck(Value self, Value v)
{
    if (v != TY_NULL && v != TY_NONE && !ty_is_callable(v))
        return ty_raise(&ty_TypeError, "the errcheck attribute must be callable"), false;
    ty_store(ty_object(self), &as_function(self)->check, v == TY_NONE ? TY_NULL : v);
    return true;
}

static const TyGetSetDef function_getsets[] = {
    {"restype", get_restype, set_restype, "specify the result type"},
    {"argtypes", get_argtypes, set_argtypes, "specify the argument types"},
    {"errcheck", get_errcheck, set_errcheck, "a function to check for errors"},
    {0},
};

TyType ctypes_function_type = {
    .base = TY_STATIC_HEADER(ctypes_function_meta),
    .layout = {.size = sizeof(Function), .trace = function_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_ctypes.CFuncPtr",
    .doc = "Function Pointer",
    .parent = &ctypes_data_type,
    .slots = {.new = function_new, .call = function_call, .to_bool = function_to_bool, .repr = function_repr, .hash = ctypes_hash, .get_buffer = ctypes_get_buffer},
    .getsets = function_getsets,
};
