/* _ctypes: the module. What ctypes calls through function pointers (cast, string_at, …) are C functions here, known by their addresses. */
#include "internal.h"
#include <dlfcn.h>
#include <link.h>

Value ctypes_state(int which)
{
    Value module = ty_module_current("_ctypes");
    return module == TY_NULL ? TY_NULL : ty_field(&ty_module_state(module)[which]);
}

bool ctypes_audit(const char *event, Value a, Value b)
{
    Value sys = ty_interpreter()->audit_hooks == TY_NULL ? TY_NULL : ty_import_module("sys");
    if (sys == TY_NULL)
        return !ty_raised();
    Value arguments[3] = {ty_str_from_text(event), a, b};
    return ty_call_method(sys, TY_NAME("audit"), arguments, b == TY_NULL ? 2 : 3) != TY_NULL;
}

static bool require_data(Value v, const char *text)
{
    if (ctypes_is_data(v))
        return true;
    return ty_raise(&ty_TypeError, "%s must be _ctypes._CData, not %T", text, v), false;
}

static Value module_sizeof(Value module, Value *a)
{
    Info *info = ctypes_info(a[0]);
    if (info)
        return ty_int_from_int64(info->size);
    return ctypes_is_data(a[0]) ? ty_int_from_int64(ctypes_data(a[0])->size) : ty_raise(&ty_TypeError, "this type has no size");
}

static Value module_alignment(Value module, Value *a)
{
    Info *info = ctypes_is_data(a[0]) ? ctypes_info_of(a[0]) : ctypes_info(a[0]);
    return info ? ty_int_from_int64(info->align) : ty_raise(&ty_TypeError, "no alignment info");
}

static Value module_byref(Value module, Value *a)
{
    int64_t offset = 0;
    if (!require_data(a[0], "byref() argument 1") || (a[1] != TY_NULL && !ty_to_size(a[1], &offset)))
        return TY_NULL;
    Argument *argument = ctypes_byref(a[0], offset);
    return argument ? ty_from_object(argument) : TY_NULL;
}

static Value module_addressof(Value module, Value *a)
{
    if (!require_data(a[0], "addressof() argument") || !ctypes_audit("ctypes.addressof", a[0], TY_NULL))
        return TY_NULL;
    return ty_int_from_uint64((uintptr_t)ctypes_data(a[0])->p);
}

static Value module_resize(Value module, Value *a)
{
    int64_t size;
    if (!require_data(a[0], "resize() argument 1") || !ty_to_size(a[1], &size))
        return TY_NULL;
    Data *d = ctypes_data(a[0]);
    Info *info = ctypes_info_of(a[0]);
    if (size < info->size)
        return ty_raise(&ty_ValueError, "minimum size is %lld", (long long)info->size);
    if (d->memory == TY_NULL)
        return ty_raise(&ty_ValueError, "Memory cannot be resized because this object doesn't own it");
    if (size > INT64_MAX - 64)
        return ty_raise_memory_error();
    Value memory = ty_bytes_new(NULL, (size_t)size + 16);
    if (memory == TY_NULL)
        return TY_NULL;
    uint8_t *p = (uint8_t *)(((uintptr_t)ty_bytes_data(memory) + 15) & ~(uintptr_t)15);
    memset(p, 0, (size_t)size);
    memcpy(p, d->p, (size_t)TY_MIN(d->size, size));
    ty_store(d, &d->memory, memory);
    d->p = p;
    d->size = size;
    return TY_NONE;
}

static Value module_buffer_info(Value module, Value *a)
{
    Info *info = ctypes_is_data(a[0]) ? ctypes_info_of(a[0]) : ctypes_info(a[0]);
    if (!info)
        return ty_raise(&ty_TypeError, "not a ctypes type or object");
    Value shape = ty_tuple_new(info->dimensions);
    for (int i = 0; shape != TY_NULL && i < info->dimensions; i++)
        ty_tuple_set(shape, i, ty_int_from_int64(((const int64_t *)ty_bytes_data(info->shape))[i]));
    return ty_tuple_pack(3, info->format == TY_NULL ? TY_NONE : ty_str_from_text((const char *)ty_bytes_data(info->format)), ty_from_immediate_int(info->dimensions), shape);
}

static Value module_get_errno(Value module, Value *a) { return ctypes_audit("ctypes.get_errno", TY_NULL, TY_NULL) ? ty_from_immediate_int(ctypes_errno) : TY_NULL; }
static Value module_set_errno(Value module, Value *a)
{
    int32_t number;
    if (!ctypes_audit("ctypes.set_errno", a[0], TY_NULL) || !ty_to_int32(a[0], &number))
        return TY_NULL;
    int old = ctypes_errno;
    ctypes_errno = number;
    return ty_from_immediate_int(old);
}

/* --- libraries ---------------------------------------------------------------------------------------------------------------- */

static Value module_dlopen(Value module, Value *a)
{
    int32_t mode = RTLD_NOW;
    Value path = TY_NULL;
    if (a[1] != TY_NULL && !ty_to_int32(a[1], &mode))
        return TY_NULL;
    if (a[0] != TY_NONE) {
        Value os = ty_import_module("os");
        path = os == TY_NULL ? TY_NULL : ty_call_method_one(os, TY_NAME("fsencode"), a[0]);
        if (path == TY_NULL)
            return TY_NULL;
        if (strlen((const char *)ty_bytes_data(path)) != (size_t)ty_bytes_length(path))
            return ty_raise(&ty_ValueError, "embedded null byte");
    }
    if (!ctypes_audit("ctypes.dlopen", a[0], TY_NULL))
        return TY_NULL;
    char error[1024] = "";
    ty_blocking_begin();
    void *handle = dlopen(path == TY_NULL ? NULL : (const char *)ty_bytes_data(path), mode | RTLD_NOW);
    const char *text = handle ? NULL : dlerror();
    if (text)
        snprintf(error, sizeof error, "%s", text);
    ty_blocking_end();
    return handle ? ty_int_from_int64((int64_t)(intptr_t)handle) : ty_raise(&ty_OSError, "%s", *error ? error : "dlopen() error");
}

static bool handle_argument(Value v, void **handle)
{
    int64_t number;
    if (!ty_to_int64(v, &number))
        return false;
    *handle = (void *)number;
    return true;
}

static Value module_dlclose(Value module, Value *a)
{
    void *handle;
    if (!handle_argument(a[0], &handle))
        return TY_NULL;
    const char *error = dlclose(handle) ? dlerror() : NULL;
    return error ? ty_raise(&ty_OSError, "%s", error) : TY_NONE;
}

static Value module_dlsym(Value module, Value *a)
{
    void *handle;
    size_t size;
    if (!handle_argument(a[0], &handle))
        return TY_NULL;
    const char *name = ty_is_str(a[1]) ? ty_to_utf8(a[1], &size) : NULL;
    if (!name)
        return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "dlsym() argument 2 must be str, not %T", a[1]);
    if (!ctypes_audit("ctypes.dlsym/handle", a[0], a[1]))
        return TY_NULL;
    dlerror();
    void *p = dlsym(handle, name);
    const char *error = p ? NULL : dlerror();
    return p ? ty_int_from_uint64((uintptr_t)p) : error ? ty_raise(&ty_OSError, "%s", error) : ty_raise(&ty_OSError, "symbol '%s' not found", name);
}

typedef struct Names { char **items; size_t count; } Names;
static int add_name(struct dl_phdr_info *info, size_t size, void *p)
{
    Names *names = p;
    char **grown = realloc(names->items, (names->count + 1) * sizeof *grown);
    if (!grown)
        return 1;
    names->items = grown;
    names->items[names->count++] = strdup(info->dlpi_name);
    return 0;
}

static Value module_dllist(Value module, Value *a)
{
    Names names = {0};
    dl_iterate_phdr(add_name, &names);
    Value list = ty_list_new(0);
    for (size_t i = 0; i < names.count; i++) {
        if (list != TY_NULL && names.items[i] && !ty_list_append(list, ty_str_decode_fs(names.items[i], strlen(names.items[i]))))
            list = TY_NULL;
        free(names.items[i]);
    }
    free(names.items);
    return list;
}

/* --- the rest ---------------------------------------------------------------------------------------------------------------------- */

static Value module_unpickle(Value module, Value *a)
{
    Value new = ty_get_attribute(a[0], TY_NAME("__new__")), object = new == TY_NULL ? TY_NULL : ty_call_one(new, a[0]);
    Value set = object == TY_NULL ? TY_NULL : ty_get_attribute(object, TY_NAME("__setstate__"));
    return set == TY_NULL || ty_call_with(set, a[1], TY_NULL) == TY_NULL ? TY_NULL : object;
}

static Value no_references(Value module, Value *a) { return ty_raise(&ty_NotImplementedError, "objects of this interpreter are not counted by references"); }

static Value module_object_from_pointer(Value module, Value *a)
{
    uint64_t address;
    if (!ty_to_uint64_mask(a[0], &address))
        return TY_NULL;
    TyObject *object = ty_heap_object_at((void *)address);
    return object == (void *)address && object ? ty_from_object(object) : ty_raise(&ty_ValueError, "there is no object at this address");
}

static Value call_with_address(Value module, Value *a)
{
    uint64_t address;
    if (!ty_to_uint64_mask(a[0], &address) || !ty_is_tuple(a[1]))
        return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "call_function() argument 2 must be tuple, not %T", a[1]);
    Value ctypes = ty_import_module("ctypes"), make = ctypes == TY_NULL ? TY_NULL : ty_get_attribute(ctypes, TY_NAME("CFUNCTYPE"));
    Value c_int = make == TY_NULL ? TY_NULL : ty_get_attribute(ctypes, TY_NAME("c_int")), type = c_int == TY_NULL ? TY_NULL : ty_call_one(make, c_int);
    Value function = type == TY_NULL ? TY_NULL : ty_call_one(type, a[0]);
    return function == TY_NULL || !ty_set_attribute(function, TY_NAME("argtypes"), TY_NONE) ? TY_NULL : ty_call_with(function, a[1], TY_NULL);
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("sizeof(module, obj, /)", module_sizeof, "The size in bytes of a C type or instance."),
    TY_FUNCTION("alignment(module, object, /)", module_alignment, "The alignment of a C type or instance."),
    TY_FUNCTION("byref(module, obj, offset=0, /)", module_byref, "A pointer to C data, for use as an argument alone."),
    TY_FUNCTION("addressof(module, obj, /)", module_addressof, "The address of C data."),
    TY_FUNCTION("resize(module, obj, size, /)", module_resize, "Gives C data more memory."),
    TY_FUNCTION("buffer_info(module, object, /)", module_buffer_info, "What the buffer protocol says of a type: format, dimensions, shape."),
    TY_FUNCTION("get_errno(module, /)", module_get_errno, "This thread's copy of errno."),
    TY_FUNCTION("set_errno(module, value, /)", module_set_errno, "Sets this thread's copy of errno; returns what it was."),
    TY_FUNCTION("dlopen(module, name, flag=RTLD_NOW, /)", module_dlopen, "Loads a library."),
    TY_FUNCTION("dlclose(module, handle, /)", module_dlclose, "Closes a library."),
    TY_FUNCTION("dlsym(module, handle, name, /)", module_dlsym, "The address of what a library exports."),
    TY_FUNCTION("dllist(module, /)", module_dllist, "The names of the libraries that are loaded."),
    TY_FUNCTION("_unpickle(module, type, state, /)", module_unpickle, "For pickle."),
    TY_FUNCTION("Py_INCREF(module, object, /)", no_references, "Not there."),
    TY_FUNCTION("Py_DECREF(module, object, /)", no_references, "Not there."),
    TY_FUNCTION("PyObj_FromPtr(module, address, /)", module_object_from_pointer, "The object at an address."),
    TY_FUNCTION("call_function(module, address, arguments, /)", call_with_address, "Calls the function at an address."),
    TY_FUNCTION("call_cdeclfunction(module, address, arguments, /)", call_with_address, "Calls the function at an address."),
    {0},
};

/* Called by ctypes with the thread running: FUNCFLAG_PYTHONAPI. */
static bool check_length(int size)
{
    return size >= -1 || (ty_raise(&ty_SystemError, "negative size of a string"), false);
}
static Value string_at(const char *p, int size) { return check_length(size) ? ctypes_bytes_at(p, size) : TY_NULL; }
static Value wstring_at(const wchar_t *p, int size) { return check_length(size) ? ctypes_wide_at(p, size) : TY_NULL; }
static Value memoryview_at(void *p, int64_t size, int read_only)
{
    if (size < 0)
        return ty_raise(&ty_ValueError, "memoryview_at: size is negative (or overflowed): %lld", (long long)size);
    return ty_memoryview_from_memory(p, size, read_only, TY_NONE);
}

static Value cast(void *p, Value source, Value type)
{
    Info *info = ctypes_info(type);
    bool pointer = info && (info->kind == KIND_POINTER || info->kind == KIND_FUNCTION || (info->kind == KIND_SIMPLE && strchr("sPzUZXO", info->code->code)));
    if (!pointer)
        return ty_raise(&ty_TypeError, "cast() argument 2 must be a pointer type, not %s", ctypes_type_name(type));
    Value result = ty_call_none(type);
    if (result == TY_NULL)
        return TY_NULL;
    Data *d = ctypes_data(result);
    memcpy(d->p, &p, sizeof p);
    /* What the source keeps, the result must keep as well. */
    if (ctypes_is_data(source)) {
        Value kept = ctypes_kept(source);
        if (kept == TY_NULL)
            return TY_NULL;
        ty_store(d, &d->objects, kept);
        if (ty_is_exact_dict(kept)) {
            Value key = ty_identity(source);
            if (key == TY_NULL || !ty_dict_set(kept, key, source))
                return TY_NULL;
        } else {
            ty_store(d, &d->objects, source);
        }
    }
    return result;
}

static bool add_address(Value module, const char *name, void *p) { return ty_module_add(module, name, ty_int_from_uint64((uintptr_t)p)); }

static bool execute(Value module)
{
    static TyType *const in_order[] = {&ctypes_meta_type, &ctypes_simple_meta, &ctypes_structure_meta, &ctypes_union_meta, &ctypes_array_meta, &ctypes_pointer_meta,
        &ctypes_function_meta, &ctypes_info_type, &ctypes_argument_type, &ctypes_thunk_type, &ctypes_data_type};
    static TyType *const shown[] = {&ctypes_simple_type, &ctypes_structure_type, &ctypes_union_type, &ctypes_array_type, &ctypes_pointer_type, &ctypes_function_type,
        &ctypes_field_type};
    for (size_t i = 0; i < TY_COUNT_OF(in_order); i++)
        if (!ty_type_ready(in_order[i]))
            return false;
    for (size_t i = 0; i < TY_COUNT_OF(shown); i++)
        if (!ty_type_ready(shown[i]) || !ty_module_add(module, ty_type_short_name(shown[i]), ty_from_object(shown[i])))
            return false;
    Value error = ty_type_from_name("ctypes.ArgumentError", &ty_Exception, TY_NULL), arrays = ty_dict_new();
    if (error == TY_NULL || arrays == TY_NULL)
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[STATE_ARGUMENT_ERROR], error);
    ty_store(ty_object(module), &ty_module_state(module)[STATE_ARRAYS], arrays);
    return ty_module_add(module, "ArgumentError", error) && ty_module_add_int(module, "FUNCFLAG_CDECL", FLAG_CDECL) && ty_module_add_int(module, "FUNCFLAG_PYTHONAPI", FLAG_PYTHONAPI)
        && ty_module_add_int(module, "FUNCFLAG_USE_ERRNO", FLAG_ERRNO) && ty_module_add_int(module, "FUNCFLAG_USE_LASTERROR", FLAG_LASTERROR)
        && ty_module_add_int(module, "RTLD_LOCAL", RTLD_LOCAL) && ty_module_add_int(module, "RTLD_GLOBAL", RTLD_GLOBAL) && ty_module_add_int(module, "CTYPES_MAX_ARGCOUNT", ARGUMENTS_MAX)
        && ty_module_add_int(module, "SIZEOF_TIME_T", sizeof(time_t)) && ty_module_add_str(module, "__version__", "1.1.0") && add_address(module, "_memmove_addr", memmove)
        && add_address(module, "_memset_addr", memset) && add_address(module, "_string_at_addr", string_at) && add_address(module, "_wstring_at_addr", wstring_at)
        && add_address(module, "_memoryview_at_addr", memoryview_at) && add_address(module, "_cast_addr", cast);
}

const TyModuleDef ty_module__ctypes = {
    .name = "_ctypes",
    .doc = "Create and manipulate C compatible data types in Python.",
    .functions = functions,
    .execute = execute,
    .state_count = STATE_COUNT,
};
