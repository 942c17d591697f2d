/* The module _imp: what importlib asks of the interpreter. Extension modules written in C for CPython cannot be loaded. */
#include "modules/_thread.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/code.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include "modules/marshal.h"
#include "base/futex.h"
#include "runtime/frozen.h"
#include "runtime/runtime.h"

/* The name as C text if it is a built-in module's, else NULL without an exception. */
const char *ty_builtin_name(Value name)
{
    size_t size;
    const char *text = ty_to_utf8(name, &size);
    if (!text)
        ty_clear_exception();
    return text && strlen(text) == size && ty_module_is_builtin(text) ? text : NULL;
}

static Value imp_is_builtin(Value self, Value *a)
{
    if (!ty_require_str(a[0], "is_builtin", "argument"))
        return TY_NULL;
    return ty_from_immediate_int(ty_builtin_name(a[0]) ? 1 : 0);
}

static Value imp_create_builtin(Value self, Value *a)
{
    Value name = ty_get_attribute(a[0], TY_NAME("name"));
    if (name == TY_NULL || !ty_is_str(name))
        return name == TY_NULL ? TY_NULL : ty_raise(&ty_TypeError, "name must be string, not %T", name);
    const char *text = ty_builtin_name(name);
    return text ? ty_module_current(text) : TY_NONE;
}

static Value imp_exec(Value self, Value *a) { return ty_from_immediate_int(0); } /* built-in modules are filled when they are made */
static const TyFrozen *find_frozen(Value name)
{
    size_t size;
    const char *text = ty_is_str(name) ? ty_to_utf8(name, &size) : NULL;
    if (!text)
        ty_clear_exception();
    return text && strlen(text) == size ? ty_frozen_find(text) : NULL;
}

static Value imp_is_frozen(Value self, Value *a)
{
    return ty_require_str(a[0], "is_frozen", "argument") ? ty_from_bool(find_frozen(a[0]) != NULL) : TY_NULL;
}

static Value imp_find_frozen(Value self, Value *a)
{
    if (!ty_require_str(a[0], "find_frozen", "argument"))
        return TY_NULL;
    const TyFrozen *frozen = find_frozen(a[0]);
    int with_data = frozen && a[1] != TY_NULL ? ty_is_true(a[1]) : 0;
    if (!frozen || with_data < 0)
        return with_data < 0 ? TY_NULL : TY_NONE;
    Value data = with_data ? ty_memoryview_new(ty_bytes_new(ty_frozen_data + frozen->offset, frozen->size)) : TY_NONE;
    return ty_tuple_pack(3, data, ty_from_bool(frozen->package), ty_str_from_text(frozen->original));
}

static Value imp_frozen_names(Value self, Value *a)
{
    Value list = ty_list_new(0);
    for (const TyFrozen *f = ty_frozen_modules; list != TY_NULL && f->name; f++)
        if (!ty_list_append(list, ty_str_from_text(f->name)))
            return TY_NULL;
    return list;
}

static Value imp_extension_suffixes(Value self, Value *a) { return ty_list_new(0); }
static Value imp_override(Value self, Value *a)
{
    return ty_from_immediate_int(0);
}

static Value no_frozen(Value self, Value *a)
{
    Value message = ty_str_format("No such frozen object named %S", a[0]);
    return message == TY_NULL ? TY_NULL : ty_raise_import_error(&ty_ImportError, message, a[0], TY_NONE);
}

static Value imp_is_frozen_package(Value self, Value *a)
{
    const TyFrozen *frozen = find_frozen(a[0]);
    return frozen ? ty_from_bool(frozen->package) : no_frozen(self, a);
}

static Value imp_get_frozen_object(Value self, Value *a)
{
    if (a[1] != TY_NULL && a[1] != TY_NONE) { /* given as marshalled bytes */
        Value bytes = ty_bytes_from_object(a[1]);
        Value code = bytes == TY_NULL ? TY_NULL : ty_marshal_load(ty_bytes_data(bytes), (size_t)ty_bytes_length(bytes));
        if (code != TY_NULL && ty_is_exact(code, &ty_code_type))
            return code;
        ty_clear_exception();
        Value invalid = ty_str_format("Frozen object named %R is invalid", a[0]);
        return invalid == TY_NULL ? TY_NULL : ty_raise_import_error(&ty_ImportError, invalid, a[0], TY_NONE);
    }
    const TyFrozen *frozen = find_frozen(a[0]);
    return frozen ? ty_frozen_code(frozen) : no_frozen(self, a);
}

static Value text_of_spec(Value spec, Value attribute)
{
    Value text = ty_get_attribute(spec, attribute);
    if (text == TY_NULL || !ty_is_str(text))
        return text == TY_NULL ? TY_NULL : ty_raise(&ty_TypeError, "create_dynamic() argument must be str, not %T", text);
    return ty_str_find_char(text, 0, 0, ty_str_length(text), 1) >= 0 ? ty_raise(&ty_ValueError, "embedded null character") : text;
}

static Value imp_create_dynamic(Value self, Value *a)
{
    Value name = text_of_spec(a[0], TY_NAME("name"));
    if (name == TY_NULL || text_of_spec(a[0], TY_NAME("origin")) == TY_NULL)
        return TY_NULL;
    Value message = name == TY_NULL ? TY_NULL : ty_str_format("cannot load %S: extension modules in machine code are not supported", name);
    return message == TY_NULL ? TY_NULL : ty_raise_import_error(&ty_ImportError, message, name, TY_NONE);
}

static Value imp_source_hash(Value self, Value *a)
{
    int64_t key;
    if (!ty_to_int64(a[0], &key))
        return TY_NULL;
    Value bytes = ty_bytes_from_object(a[1]);
    if (bytes == TY_NULL)
        return TY_NULL;
    /* FNV-1a, keyed: the hash is only ever compared with what this runtime wrote. */
    uint64_t hash = 0xcbf29ce484222325ull ^ (uint64_t)key;
    for (int64_t i = 0; i < ty_bytes_length(bytes); i++)
        hash = (hash ^ ty_bytes_data(bytes)[i]) * 0x100000001b3ull;
    return ty_bytes_new(&hash, sizeof hash);
}

static Value imp_fix_co_filename(Value self, Value *a)
{
    if (!ty_is_exact(a[0], &ty_code_type) || !ty_is_str(a[1]))
        return ty_raise(&ty_TypeError, "_fix_co_filename() wants a code object and a str");
    if (!ty_str_equal(((TyCode *)ty_object(a[0]))->filename, a[1]))
        ty_code_set_filename((TyCode *)ty_object(a[0]), a[1]);
    return TY_NONE;
}

void ty_import_lock_take(void)
{
    TyImportLock *lock = &ty_interpreter()->import_lock;
    if (ty_load_relaxed(&lock->owner) != ty_thread) {
        ty_mutex_lock_blocking(&lock->mutex);
        ty_store_relaxed(&lock->owner, ty_thread);
    }
    lock->depth++;
}

void ty_import_lock_give(bool in_child)
{
    TyImportLock *lock = &ty_interpreter()->import_lock;
    if (--lock->depth)
        return;
    ty_store_relaxed(&lock->owner, NULL);
    if (!in_child) /* where it is free, as all that was taken before the fork */
        ty_mutex_unlock(&lock->mutex);
}

/* Whose lock it is, a module's; TY_NULL: nobody's. */
static Value module_lock_owner(Value reference)
{
    Value lock = ty_call_none(reference);
    Value owner = lock == TY_NULL || lock == TY_NONE ? TY_NULL : ty_get_attribute(lock, TY_NAME("owner"));
    ty_clear_exception();
    return owner == TY_NONE ? TY_NULL : owner;
}

static bool is_half_imported(Value module)
{
    bool failed;
    Value spec = ty_get_attribute_or_null(module, TY_NAME("__spec__"), &failed);
    bool initializing = spec != TY_NULL && ty_spec_initializing(spec);
    ty_clear_exception();
    return initializing;
}

/* Other threads were in the middle of imports, and are no more: nobody waits for their locks, and what they had not finished is imported anew. */
void ty_import_after_fork(void)
{
    TyInterpreter *interpreter = ty_interpreter();
    Value bootstrap = ty_dict_get_text(interpreter->modules, "_frozen_importlib");
    Value locks = bootstrap == TY_NULL ? TY_NULL : ty_get_attribute(bootstrap, TY_NAME("_module_locks"));
    Value names = locks == TY_NULL ? TY_NULL : ty_dict_keys(locks), self = ty_int_from_uint64(ty_thread->ident);
    for (int64_t i = 0; names != TY_NULL && i < ty_list_length(names); i++) {
        Value name = ty_list_item(names, i), reference = ty_dict_get(locks, name);
        Value owner = reference == TY_NULL ? TY_NULL : module_lock_owner(reference);
        if (owner != TY_NULL && ty_equal(owner, self) == 1)
            continue;
        Value module = owner == TY_NULL ? TY_NULL : ty_dict_get(interpreter->modules, name);
        if (module != TY_NULL && is_half_imported(module))
            ty_dict_delete(interpreter->modules, name);
        ty_dict_delete(locks, name);
    }
    ty_clear_exception();
}

static Value imp_acquire_lock(Value self, Value *a)
{
    ty_import_lock_take();
    return TY_NONE;
}

static Value imp_release_lock(Value self, Value *a)
{
    if (ty_load_relaxed(&ty_interpreter()->import_lock.owner) != ty_thread)
        return ty_raise(&ty_RuntimeError, "not holding the import lock");
    ty_import_lock_give(false);
    return TY_NONE;
}

static Value imp_lock_held(Value self, Value *a) { return ty_from_bool(ty_load_relaxed(&ty_interpreter()->import_lock.owner) != NULL); }

static const TyNativeDef functions[] = {
    TY_FUNCTION("extension_suffixes()", imp_extension_suffixes, "Returns the list of file suffixes used to identify extension modules."),
    TY_FUNCTION("lock_held()", imp_lock_held, "Return True if the import lock is currently held, else False."),
    TY_FUNCTION("acquire_lock()", imp_acquire_lock, "Acquires the interpreter's import lock for the current thread."),
    TY_FUNCTION("release_lock()", imp_release_lock, "Release the interpreter's import lock."),
    TY_FUNCTION("find_frozen(name, /, *, withdata=False)", imp_find_frozen, "Return info about the corresponding frozen module (if there is one) or None."),
    TY_FUNCTION("get_frozen_object(name, data=None, /)", imp_get_frozen_object, "Create a code object for a frozen module."),
    TY_FUNCTION("is_frozen_package(name, /)", imp_is_frozen_package, "Returns True if the module name is of a frozen package."),
    TY_FUNCTION("init_frozen(name, /)", no_frozen, "Initializes a frozen module."),
    TY_FUNCTION("create_builtin(spec, /)", imp_create_builtin, "Create an extension module."),
    TY_FUNCTION("exec_builtin(mod, /)", imp_exec, "Initialize a built-in module."),
    TY_FUNCTION("create_dynamic(spec, file=None, /)", imp_create_dynamic, "Create an extension module."),
    TY_FUNCTION("exec_dynamic(mod, /)", imp_exec, "Initialize an extension module."),
    TY_FUNCTION("is_builtin(name, /)", imp_is_builtin, "Returns True if the module name corresponds to a built-in module."),
    TY_FUNCTION("is_frozen(name, /)", imp_is_frozen, "Returns True if the module name corresponds to a frozen module."),
    TY_FUNCTION("_frozen_module_names()", imp_frozen_names, "Returns the list of available frozen modules."),
    TY_FUNCTION("_override_frozen_modules_for_tests(override, /)", imp_override, "There are no frozen modules to override."),
    TY_FUNCTION("_override_multi_interp_extensions_check(override, /)", imp_override, "There are no extension modules to check."),
    TY_FUNCTION("_fix_co_filename(code, path, /)", imp_fix_co_filename, "Changes code.co_filename to specify the passed-in file path."),
    TY_FUNCTION("source_hash(key, source)", imp_source_hash, "The hash of a source file, as hash-based cached files hold it."),
    {0}
};

static bool execute(Value module)
{
    return ty_module_add_str(module, "check_hash_based_pycs", ty_config.check_hash_pycs ? ty_config.check_hash_pycs : "default")
        && ty_module_add_int(module, "pyc_magic_number_token", ty_bytecode_magic());
}

const TyModuleDef ty_module__imp = { .name = "_imp", .doc = "(Extremely) low-level import machinery bits as used by importlib.", .functions = functions, .execute = execute };
