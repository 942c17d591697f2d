/* Callbacks: machine code that calls Python. It may be called by a thread that Python has not seen: that one becomes a thread of the interpreter for as long
 * as the call lasts. */
#include "internal.h"
#include <errno.h>

typedef struct Thunk {
    TyObject base;
    ffi_closure *closure;
    ffi_cif cif;
    ffi_type **types;       /* malloc'ed */
    Value callable, argtypes, restype;
    int flags;
    TyInterpreter *interpreter;
} Thunk;

static void thunk_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Thunk *)self)->callable, 3); }
static void thunk_destroy(TyObject *self)
{
    Thunk *t = (Thunk *)self;
    if (t->closure)
        ffi_closure_free(t->closure);
    free(t->types);
}

TyType ctypes_thunk_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Thunk), .trace = thunk_trace, .destroy = thunk_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW | TY_TYPE_FINAL,
    .name = "_ctypes.CThunkObject",
    .parent = &ty_object_base_type,
};

static Value argument_value(Value type, void *p)
{
    Info *info = ctypes_info(type);
    if (!info)
        return ty_raise(&ty_TypeError, "cannot build parameter");
    if (info->kind == KIND_SIMPLE && !ctypes_is_simple_subclass(type))
        return ctypes_read(info, p);
    return ctypes_data_copy(type, p);
}

static void report(const char *what, Value callable)
{
    Value raised = ty_take_exception(), message = ty_str_format("Exception ignored %s ctypes callback function %R", what, callable);
    ty_clear_exception();
    ty_restore_exception(raised);
    ty_write_unraisable_text(TY_NULL, message);
}

static void run(Thunk *t, void *result, void **values)
{
    int64_t count = ty_tuple_length(t->argtypes);
    Value arguments = ty_list_new(count);
    for (int64_t i = 0; arguments != TY_NULL && i < count; i++) {
        Value v = argument_value(ty_tuple_item(t->argtypes, i), values[i]);
        if (v == TY_NULL || !ty_list_append(arguments, v))
            arguments = TY_NULL;
    }
    Value v = TY_NULL;
    if (arguments == TY_NULL) {
        report("while creating argument for", t->callable);
        return;
    }
    bool exchange = t->flags & FLAG_ERRNO;
    int system = errno;
    if (exchange) {
        errno = ctypes_errno;
        ctypes_errno = system;
    }
    v = ty_call_with(t->callable, ty_list_to_tuple(arguments), TY_NULL);
    if (exchange) {
        system = errno;
        errno = ctypes_errno;
        ctypes_errno = system;
    }
    if (v == TY_NULL) {
        report("while calling", t->callable);
        return;
    }
    Info *info = t->restype == TY_NONE || t->restype == TY_NULL ? NULL : ctypes_info(t->restype);
    if (!info)
        return;
    union { ffi_arg wide; uint8_t bytes[32]; } buffer = {0};
    Value kept = ctypes_write(info, &buffer, v);
    if (kept == TY_NULL) {
        report("while converting result of", t->callable);
        return;
    }
    if (kept != TY_NONE && info->code && strchr("zZ", info->code->code)) {
        /* Nothing keeps what the pointer points to. */
        if (!ty_warn(&ty_RuntimeWarning, 1, "memory leak in callback function."))
            report("while converting result of", t->callable);
        else
            ty_pin(kept);
    }
    /* libffi takes small integers as whole words. */
    if (info->code && info->code->is_int && info->size < (int64_t)sizeof(ffi_arg)) {
        ffi_arg word = buffer.wide;
        if (info->code->is_signed) {
            int shift = 64 - (int)info->size * 8;
            word = (ffi_arg)((int64_t)(word << shift) >> shift);
        }
        *(ffi_arg *)result = word;
    } else {
        memcpy(result, &buffer, (size_t)TY_MAX(info->size, info->code && info->size < 8 ? 4 : info->size));
    }
}

static void run_known(Thunk *t, void *result, void **values)
{
    TyCallback callback;
    ty_callback_begin(&callback);
    Value raised = ty_take_exception();
    run(t, result, values);
    ty_restore_exception(raised);
    ty_callback_end(&callback);
}

static void run_foreign(Thunk *t, void *result, void **values)
{
    TyThread *thread = ty_thread_attach(t->interpreter);
    if (!thread)
        return;
    thread->daemon = true;
    if (ty_thread_begin(thread)) {
        run(t, result, values);
        ty_clear_exception();
        ty_heap_run_pending();
    }
    ty_thread_end(thread);
    ty_thread_detach();
}

static void entry(ffi_cif *cif, void *result, void **values, void *p)
{
    Thunk *t = p;
    if (result && cif->rtype != &ffi_type_void)
        memset(result, 0, TY_MAX(cif->rtype->size, sizeof(ffi_arg)));
    if (ty_thread)
        run_known(t, result, values);
    else
        run_foreign(t, result, values);
}

Value ctypes_callback_new(Value callable, Info *info, void **address)
{
    int64_t count = ty_tuple_length(info->argtypes);
    Value restype = info->restype == TY_NULL ? TY_NONE : info->restype;
    Info *result = restype == TY_NONE ? NULL : ctypes_info(restype);
    if (restype != TY_NONE && (!result || result->kind != KIND_SIMPLE || result->swapped))
        return ty_raise(&ty_TypeError, "invalid result type for callback function");
    Thunk *t = (Thunk *)ty_object(ty_type_allocate(&ctypes_thunk_type, 0));
    if (!t)
        return TY_NULL;
    t->types = calloc((size_t)count + 1, sizeof *t->types);
    t->closure = ffi_closure_alloc(sizeof(ffi_closure), address);
    if (!t->types || !t->closure)
        return ty_raise_memory_error();
    for (int64_t i = 0; i < count; i++) {
        Info *argument = ctypes_require(ty_tuple_item(info->argtypes, i), "invalid argument type for callback function");
        t->types[i] = argument ? ctypes_ffi_type(argument) : NULL;
        if (!t->types[i])
            return TY_NULL;
    }
    ty_store(t, &t->callable, callable);
    ty_store(t, &t->argtypes, info->argtypes);
    ty_store(t, &t->restype, restype);
    t->flags = info->flags;
    t->interpreter = ty_interpreter();
    ffi_type *result_type = result ? ctypes_ffi_type(result) : &ffi_type_void;
    if (ffi_prep_cif(&t->cif, FFI_DEFAULT_ABI, (unsigned)count, result_type, t->types) != FFI_OK
        || ffi_prep_closure_loc(t->closure, &t->cif, entry, t, *address) != FFI_OK)
        return ty_raise(&ty_RuntimeError, "the callback cannot be made");
    return ty_from_object(t);
}
