/* Importing: the fast path for modules that are there already; everything else is importlib's. */
#include "base/clock.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include "runtime/code_cache.h"
#include "runtime/frozen.h"
#include "runtime/listing.h"
#include "runtime/runtime.h"
#include "syntax/parse.h"
#include "vm/frame.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* "a.b" of `from .b import x` in package "a"; TY_NULL without an exception when importlib has to find out. */
static Value resolve_relative(Value name, Value globals, int64_t level)
{
    if (!ty_is_dict(globals))
        return TY_NULL;
    Value package = ty_dict_get_str(globals, TY_NAME("__package__")), spec = ty_dict_get_str(globals, TY_NAME("__spec__"));
    if (package == TY_NULL || !ty_is_str(package) || ty_str_length(package) == 0 || spec == TY_NULL)
        return TY_NULL;
    int64_t end = ty_str_length(package);
    while (--level > 0) {
        end = ty_str_find_char(package, '.', 0, end, -1);
        if (end < 0)
            return TY_NULL;
    }
    Value base = ty_str_slice(package, 0, end);
    if (base == TY_NULL || ty_str_length(name) == 0)
        return base;
    return ty_str_format("%U.%U", base, name);
}

/* The lines of the program of -c, for tracebacks. */
static void register_command(TyInterpreter *interpreter, Value linecache)
{
    Value remember = ty_get_attribute(linecache, TY_NAME("_register_code"));
    if (remember != TY_NULL)
        ty_call(remember, ty_as_tuple(interpreter->command)->items, 3, TY_NULL);
    ty_clear_exception();
}

static Value find_and_load(TyInterpreter *interpreter, Value name)
{
    Value find = ty_get_attribute(interpreter->importlib, TY_NAME("_find_and_load"));
    Value module = find == TY_NULL ? TY_NULL : ty_call_two(find, name, ty_get_attribute(interpreter->importlib, TY_NAME("_gcd_import")));
    if (module != TY_NULL && TY_UNLIKELY(interpreter->command != TY_NULL) && name == TY_NAME("linecache"))
        register_command(interpreter, module);
    return module;
}

/* -X importtime: what each import took, by itself and with those that it made. */
static Value find_and_load_timed(TyInterpreter *interpreter, Value name)
{
    static _Thread_local int depth;
    static _Thread_local int64_t inner; /* of imports made by the one that is under way */
    static atomic_flag header = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&header))
        fprintf(stderr, "import time: self [us] | cumulative | imported package\n");
    int64_t outer = inner, start = ty_clock_monotonic_ns();
    inner = 0;
    depth++;
    Value module = find_and_load(interpreter, name);
    depth--;
    int64_t took = ty_clock_monotonic_ns() - start;
    size_t size;
    Value holder;
    const char *text = ty_str_utf8(name, &size, &holder);
    fprintf(stderr, "import time: %9lld | %10lld | %*s%s\n", (long long)((took - inner) / 1000), (long long)(took / 1000), depth * 2, "", text ? text : "?");
    inner = outer + took;
    return module;
}

/* Built-in modules need none of importlib. Before there is any, they are made without; their specs follow when somebody asks (ty_import_specs), at the
 * latest with importlib, whose set-up gives one to each built-in module that is there. TY_NULL without an exception: it is for importlib. */
static Value import_early(TyInterpreter *interpreter, Value name)
{
    static const char *const taken_over[] = { "meta_path", "path_hooks", "path", "modules" };
    for (size_t i = 0; i < TY_COUNT_OF(taken_over); i++)
        if (ty_dict_get_text(interpreter->sys, taken_over[i]) != TY_NULL)
            return TY_NULL;
    const char *text = ty_builtin_name(name);
    Value module = text ? ty_module_current(text) : TY_NULL;
    if (module == TY_NULL)
        return TY_NULL;
    Value dict = ty_module_dict(module); /* what is not there is asked for */
    if (ty_dict_delete(dict, TY_NAME("__spec__")) < 0 || ty_dict_delete(dict, TY_NAME("__loader__")) < 0 || !ty_dict_set_text(dict, "__package__", ty_str_empty()))
        return TY_NULL;
    return ty_dict_set(interpreter->modules, ty_intern(name), module) ? module : TY_NULL;
}

bool ty_import_specs(void)
{
    TyOnce *once = &ty_interpreter()->import_once;
    return ty_load_acquire(&once->state) == 0 && ty_import_site();
}

Value ty_import_full(Value name)
{
    TyInterpreter *interpreter = ty_interpreter();
    Value modules = interpreter->modules, module = ty_is_exact_dict(modules) ? ty_dict_get(modules, name) : ty_get_item_or_null(modules, name);
    if (module == TY_NULL && ty_raised())
        return TY_NULL;
    if (module != TY_NULL && module != TY_NONE) {
        if (!ty_module_initializing(module) || interpreter->importlib == TY_NULL)
            return module;
        /* Another thread imports it, and may put something else in its place. */
        if (ty_call_method_one(interpreter->importlib, TY_NAME("_lock_unlock_module"), name) == TY_NULL)
            return TY_NULL;
        Value now = ty_get_item_or_null(interpreter->modules, name);
        return now != TY_NULL && now != TY_NONE ? now : ty_raised() ? TY_NULL : module;
    }
    if (ty_load_acquire(&interpreter->import_once.state) == 0) {
        module = import_early(interpreter, name);
        if (module != TY_NULL || ty_raised())
            return module;
        if (!ty_import_site())
            return TY_NULL;
        return ty_import_full(name);
    }
    if (interpreter->importlib == TY_NULL) {
        size_t size;
        Value holder;
        const char *text = ty_str_utf8(name, &size, &holder);
        return text ? ty_module_current(text) : TY_NULL;
    }
    if (TY_UNLIKELY(ty_config.import_time))
        return find_and_load_timed(interpreter, name);
    return find_and_load(interpreter, name);
}

/* The frames of importlib between an error and its importer say nothing to the reader: they are taken off the traceback. */
static void trim_traceback(void)
{
    if (!ty_raised() || ty_config.verbose)
        return;
    Value exception = ty_thread->exception;
    bool always = ty_is_instance_of(exception, &ty_ImportError);
    TyObject *owner = ty_object(exception);
    Value *link = &ty_as_exception(exception)->traceback, *outer = NULL;
    bool in_chunk = false;
    TyObject *outer_owner = NULL;
    for (Value tb = *link; tb != TY_NULL && ty_is_exact(tb, &ty_traceback_type);) {
        TyTraceback *t = (TyTraceback *)ty_object(tb);
        TyCode *code = ((TyFrameObject *)ty_object(t->frame))->code;
        bool ours = ty_str_equal_text(code->filename, "<frozen importlib._bootstrap>") || ty_str_equal_text(code->filename, "<frozen importlib._bootstrap_external>");
        if (ours && !in_chunk) {
            outer = link;
            outer_owner = owner;
        }
        in_chunk = ours;
        Value next = t->next;
        if (ours && (always || ty_str_equal_text(code->name, "_call_with_frames_removed")))
            ty_store(outer_owner, outer, next);
        link = &t->next;
        owner = &t->base;
        tb = next;
    }
}

static Value top_package(Value name, Value full, Value module, int64_t level)
{
    int64_t dot = ty_str_find_char(name, '.', 0, ty_str_length(name), 1);
    if (dot < 0)
        return module;
    if (level == 0) {
        Value front = ty_str_slice(name, 0, dot);
        return front == TY_NULL ? TY_NULL : ty_import_full(front);
    }
    int64_t cut = ty_str_length(full) - (ty_str_length(name) - dot);
    Value front = ty_str_slice(full, 0, cut);
    Value found = front == TY_NULL ? TY_NULL : ty_get_item_or_null(ty_interpreter()->modules, front);
    return found != TY_NULL || ty_raised() ? found : ty_raise(&ty_KeyError, "%R not in sys.modules as expected", front);
}

/* Whether importing these names from the module asks nothing of importlib: it is no package, or it has them all. 0: importlib has to look; negative: failed. */
static int names_are_there(Value module, Value from_list)
{
    Value dict = ty_is_exact(module, &ty_module_type) ? ty_module_dict(module) : TY_NULL;
    if (dict == TY_NULL || !ty_is_exact_dict(dict) || (ty_dict_get_str(dict, TY_NAME("__path__")) == TY_NULL && ty_dict_get_str(dict, TY_NAME("__getattr__")) != TY_NULL)) {
        bool failed;
        Value path = ty_get_attribute_or_null(module, TY_NAME("__path__"), &failed);
        return failed ? -1 : path == TY_NULL;
    }
    if (ty_dict_get_str(dict, TY_NAME("__path__")) == TY_NULL)
        return 1;
    for (int64_t i = 0; ty_is_tuple(from_list) && i < ty_tuple_length(from_list); i++) {
        Value name = ty_tuple_item(from_list, i);
        if (!ty_is_str(name) || ty_module_plain_attribute(module, name) == TY_NULL)
            return 0;
    }
    return ty_is_tuple(from_list);
}

static Value import_level(Value name, Value globals, Value from_list, int64_t level)
{
    Value full = name;
    TyInterpreter *interpreter = ty_interpreter();
    if (level > 0) {
        full = resolve_relative(name, globals, level);
        if (full == TY_NULL) {
            if (ty_raised())
                return TY_NULL;
            Value arguments[5] = { name, globals, TY_NONE, from_list, ty_int_from_int64(level) };
            Value import = interpreter->importlib == TY_NULL ? TY_NULL : ty_get_attribute(interpreter->importlib, TY_NAME("__import__"));
            return import == TY_NULL ? TY_NULL : ty_call(import, arguments, 5, TY_NULL);
        }
    }
    Value module = ty_import_full(full);
    if (module == TY_NULL)
        return TY_NULL;
    int wanted = from_list == TY_NONE || from_list == TY_NULL ? 0 : ty_is_true(from_list);
    if (wanted < 0)
        return TY_NULL;
    if (!wanted)
        return level == 0 || ty_str_length(name) > 0 ? top_package(name, full, module, level) : module;
    int there = names_are_there(module, from_list);
    if (there || interpreter->importlib == TY_NULL)
        return there < 0 ? TY_NULL : module;
    Value handle = ty_get_attribute(interpreter->importlib, TY_NAME("_handle_fromlist"));
    Value arguments[3] = { module, from_list, ty_get_attribute(interpreter->importlib, TY_NAME("_gcd_import")) };
    return handle == TY_NULL || arguments[2] == TY_NULL ? TY_NULL : ty_call(handle, arguments, 3, TY_NULL);
}

Value ty_import_level(Value name, Value globals, Value from_list, Value level_value)
{
    int64_t level;
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "module name must be a string");
    if (!ty_to_int64(level_value, &level))
        return TY_NULL;
    if (level < 0)
        return ty_raise(&ty_ValueError, "level must be >= 0");
    if (level == 0 && ty_str_length(name) == 0)
        return ty_raise(&ty_ValueError, "Empty module name");
    Value module = import_level(name, globals, from_list, level);
    if (module == TY_NULL)
        trim_traceback();
    return module;
}

Value ty_import_module(const char *name)
{
    Value module_name = ty_str_from_text(name);
    return module_name == TY_NULL ? TY_NULL : ty_import_full(module_name);
}

/* --- starting importlib --------------------------------------------------------------------------------------------------------- */

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = NULL;
    *size = 0;
    size_t capacity = 0, got;
    do {
        if (capacity - *size < 65536) {
            capacity = capacity ? capacity * 2 : 1 << 18;
            char *grown = realloc(text, capacity);
            if (!grown) {
                free(text);
                fclose(file);
                return NULL;
            }
            text = grown;
        }
        got = fread(text + *size, 1, capacity - *size, file);
        *size += got;
    } while (got > 0);
    fclose(file);
    return text;
}

static Value compile_core(const char *file, const char *shown)
{
    char path[4096];
    size_t size;
    snprintf(path, sizeof path, "%s/importlib/%s.py", ty_config.platform_library, file);
    char *source = read_file(path, &size);
    if (!source)
        return ty_raise(&ty_ImportError, "cannot read %s: the standard library is not there", path);
    Value filename = ty_str_from_text(shown);
    Value code = filename == TY_NULL ? TY_NULL : ty_compile_source(source, size, filename, TY_PARSE_FILE, 0, -1, -1, false);
    free(source);
    return code;
}

/* Runs one of importlib's two core files as the module `name`. */
static Value run_core(const char *file, const char *name, const char *shown)
{
    const TyFrozen *frozen = ty_frozen_find(name);
    Value code = frozen ? ty_frozen_code(frozen) : compile_core(file, shown);
    Value module = code == TY_NULL ? TY_NULL : ty_module_new(ty_str_from_text(name));
    if (module == TY_NULL || !ty_dict_set_text(ty_module_dict(module), "__builtins__", ty_interpreter()->builtins_module)
        || (frozen && !ty_dict_set_text(ty_module_dict(module), "__origname__", ty_str_from_text(frozen->original)))
        || ty_eval_code(code, ty_module_dict(module), TY_NULL, TY_NULL) == TY_NULL)
        return TY_NULL;
    return ty_dict_set_text(ty_interpreter()->modules, name, module) ? module : TY_NULL;
}

/* Whether the path, or the nearest folder above it that exists, is a file: only then can it lead into a zip archive. */
static bool leads_into_file(Value path)
{
    Value bytes = ty_is_str(path) ? ty_str_encode_fs(path) : TY_NULL;
    char *text = bytes == TY_NULL ? NULL : strdup((const char *)ty_bytes_data(bytes));
    ty_clear_exception();
    bool file = !text;
    while (text && *text) {
        struct stat status;
        if (stat(text, &status) == 0) {
            file = !S_ISDIR(status.st_mode);
            break;
        }
        char *slash = strrchr(text, '/');
        *(slash ? slash : text) = 0;
    }
    free(text);
    return file;
}

/* What was refused while zipimport itself was being imported is asked again. */
static void forget_refusals(void)
{
    Value cache = ty_sys_get("path_importer_cache"), copy = cache == TY_NULL || !ty_is_dict(cache) ? TY_NULL : ty_dict_copy(cache);
    int64_t position = 0;
    Value key, value;
    while (copy != TY_NULL && ty_dict_next(copy, &position, &key, &value))
        if (value == TY_NONE)
            ty_dict_delete(cache, key);
}

static Value zip_importer(Value self, Value *a)
{
    static _Thread_local bool importing;
    if (importing || !leads_into_file(a[0]))
        return ty_raise(&ty_ImportError, "not a Zip file: %R", a[0]);
    Value zip = ty_dict_get_text(ty_interpreter()->modules, "zipimport");
    if (zip == TY_NULL) {
        importing = true;
        zip = ty_import_module("zipimport");
        importing = false;
        if (zip != TY_NULL)
            forget_refusals();
    }
    Value importer = zip == TY_NULL ? TY_NULL : ty_get_attribute(zip, TY_NAME("zipimporter"));
    return importer == TY_NULL ? TY_NULL : ty_call_one(importer, a[0]);
}

static const TyNativeDef zip_hook = TY_FUNCTION("zipimporter(path, /)", zip_importer, "zipimport.zipimporter, imported when it is first needed.");

static bool set_main_loader(TyInterpreter *interpreter)
{
    Value loader = ty_get_attribute(interpreter->importlib, TY_NAME("BuiltinImporter"));
    return loader != TY_NULL && ty_dict_set_text(ty_module_dict(interpreter->main_module), "__loader__", loader);
}

/* What the import system would have set, had it imported the second of its own modules. */
static bool set_external_spec(Value core, Value external)
{
    Value loader = ty_get_attribute(core, TY_NAME("FrozenImporter")), class = ty_get_attribute(core, TY_NAME("ModuleSpec")), names = ty_tuple_pack(1, TY_NAME("origin"));
    Value arguments[] = { TY_NAME("_frozen_importlib_external"), loader, TY_NAME("frozen") };
    Value spec = loader == TY_NULL || class == TY_NULL || names == TY_NULL ? TY_NULL : ty_call(class, arguments, 2, names);
    return spec != TY_NULL && ty_set_attribute(external, TY_NAME("__spec__"), spec) && ty_set_attribute(external, TY_NAME("__loader__"), loader);
}

static bool start_importlib(TyInterpreter *interpreter)
{
    if (!ty_sys_put_import(interpreter))
        return false;
    Value core = run_core("_bootstrap", "_frozen_importlib", "<frozen importlib._bootstrap>");
    Value imp = core == TY_NULL ? TY_NULL : ty_module_current("_imp");
    if (imp == TY_NULL || !ty_dict_set_text(interpreter->modules, "_imp", imp))
        return false;
    Value install = ty_get_attribute(core, TY_NAME("_install"));
    if (install == TY_NULL || ty_call_two(install, interpreter->sys_module, imp) == TY_NULL)
        return false;
    interpreter->importlib = core;
    Value external = run_core("_bootstrap_external", "_frozen_importlib_external", "<frozen importlib._bootstrap_external>");
    if (external == TY_NULL)
        return false;
    if (!ty_set_attribute(core, TY_NAME("_bootstrap_external"), external) || ty_call_method_one(external, TY_NAME("_install"), core) == TY_NULL
        || !set_external_spec(core, external))
        return false;
    Value compile = ty_code_cache_function();
    if (compile == TY_NULL || !ty_dict_set_text(ty_module_dict(external), "_compile_bytecode", compile))
        return false;
    Value finder = ty_get_attribute(external, TY_NAME("FileFinder"));
    if (finder == TY_NULL || !ty_listing_install(finder))
        return false;
    /* zipimport has to look at paths before the finder of folders does; a folder is refused without importing it. */
    Value hook = ty_native_new(&zip_hook, TY_NULL, TY_NULL, TY_NULL), hooks = ty_sys_get("path_hooks");
    return hook != TY_NULL && hooks != TY_NULL && ty_list_insert(hooks, 0, hook) && set_main_loader(interpreter);
}

bool ty_import_start(void) { return ty_once(&ty_interpreter()->import_once, start_importlib); }

static bool import_site(void) { return ty_config.no_site || ty_import_module("site") != TY_NULL; }

/* --- what `site` found out ----------------------------------------------------------------------------------------------------- */

/* The main interpreter's sys.path after site, a tuple. Others begin with that path and need not run site themselves: what else it does is to put a few
 * names into builtins, which follow when they are asked for. TY_NULL: site ran somebody's code, which each interpreter has to run. */
static Value site_path;

static bool starts_with(Value text, const char *prefix)
{
    size_t size, length = strlen(prefix);
    const char *chars = ty_to_utf8(text, &size);
    if (!chars)
        ty_clear_exception();
    return chars && size > length && !memcmp(chars, prefix, length) && chars[length] == '/';
}

static bool only_library_modules(void)
{
    Value modules = ty_interpreter()->modules, name, module;
    for (int64_t position = 0; ty_dict_next(modules, &position, &name, &module);) {
        if (!ty_is_str(name) || ty_str_equal_text(name, "sitecustomize") || ty_str_equal_text(name, "usercustomize") || !ty_is_module(module))
            return false;
        Value file = ty_dict_get_text(ty_module_dict(module), "__file__");
        if (file != TY_NULL && (!ty_is_str(file) || !(starts_with(file, ty_config.platform_library) || (ty_config.own_library && starts_with(file, ty_config.own_library)))))
            return false;
    }
    return true;
}

void ty_import_remember_site(void)
{
    Value path = ty_sys_get("path"), prefix = ty_sys_get("prefix"), base = ty_sys_get("base_prefix");
    if (ty_config.no_site || path == TY_NULL || !ty_is_list(path) || prefix == TY_NULL || base == TY_NULL || !ty_str_equal(prefix, base) || !only_library_modules())
        return;
    Value tuple = ty_list_to_tuple(path);
    ty_clear_exception();
    for (int64_t i = 0; tuple != TY_NULL && i < ty_tuple_length(tuple); i++)
        if (!ty_is_exact_str(ty_tuple_item(tuple, i)))
            return;
    ty_root_add(&site_path, 1);
    site_path = tuple;
}

/* The program's folder comes first. */
static bool inherit_site(void)
{
    Value path = ty_sequence_list(site_path), first = ty_interpreter_main()->script_folder;
    return path != TY_NULL && (first == TY_NULL || ty_list_insert(path, 0, first)) && ty_dict_set_text(ty_interpreter()->sys, "path", path);
}

bool ty_import_builtin_name(Value name)
{
    static const char *const names[] = { "exit", "quit", "copyright", "credits", "license", "help" };
    TyInterpreter *interpreter = ty_interpreter();
    bool asked = false;
    if (interpreter == ty_interpreter_main() || ty_config.no_site)
        return false;
    for (size_t i = 0; i < TY_COUNT_OF(names); i++)
        asked |= ty_str_equal_text(name, names[i]);
    if (!asked || ty_dict_get_text(interpreter->modules, "site") != TY_NULL)
        return false;
    return ty_import_module("site") != TY_NULL;
}

/* The program's folder is there from the first moment, but site makes it absolute, which the program's own is not. */
static bool restore_path_first(void)
{
    Value path = ty_sys_get("path"), first = ty_interpreter_main()->script_folder;
    return first == TY_NULL || ty_interpreter() == ty_interpreter_main() || path == TY_NULL || !ty_is_list(path) || ty_list_length(path) == 0 || ty_list_set(path, 0, first);
}

static bool start_with_site(TyInterpreter *interpreter)
{
    if (!start_importlib(interpreter))
        return false;
    return site_path != TY_NULL ? inherit_site() : import_site() && restore_path_first();
}

bool ty_import_site(void)
{
    TyOnce *once = &ty_interpreter()->import_once;
    return ty_once_done(once) ? import_site() : ty_once(once, start_with_site);
}
