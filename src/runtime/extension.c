/* Loading extensions (object/native.h): dlopen of a file beside the program, once for the process, never unloaded. The dynamic linker resolves
 * what the file needs of the runtime from the program itself, which exports its functions. */
#include "object/bytes.h"
#include "object/exception.h"
#include "object/native.h"
#include "object/str.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The path of the file: in the folder "extensions" beside the program or, for a program in a build's folder, where the build leaves it; if it is nowhere, where it
 * should be. The caller frees it. */
static char *find_file(const char *file)
{
    static const char *const folders[] = { "/extensions", "/src/extensions", "/../src/extensions", "/../../src/extensions" };
    char *program = realpath("/proc/self/exe", NULL), *slash = program ? strrchr(program, '/') : NULL, *found = NULL;
    if (slash)
        *slash = 0;
    for (size_t i = 0; i < TY_COUNT_OF(folders); i++) {
        char *path;
        if (asprintf(&path, "%s%s/%s.so", slash ? program : "", folders[i], file) < 0)
            break;
        bool there = access(path, F_OK) == 0;
        if (found && !there) {
            free(path);
            continue;
        }
        free(found);
        found = path;
        if (there)
            break;
    }
    free(program);
    return found;
}

static Value raise_missing(const char *module, const char *path, const char *reason)
{
    Value name = ty_str_from_text(module), file = name == TY_NULL ? TY_NULL : ty_str_decode_fs(path, strlen(path));
    Value message = file == TY_NULL ? TY_NULL : ty_str_format("cannot load the module %U from '%U': %s", name, file, reason);
    return message == TY_NULL ? TY_NULL : ty_raise_import_error(&ty_ImportError, message, name, file);
}

const TyModuleDef *ty_extension_load(const TyExtension *extension)
{
    char symbol[128], reason[1024] = "";
    snprintf(symbol, sizeof symbol, "ty_module_%s", extension->module);
    char *path = find_file(extension->file);
    if (!path)
        return ty_raise_memory_error(), NULL;
    ty_blocking_begin(); /* dlopen locks, and counts how often a file was opened */
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const TyModuleDef *def = library ? dlsym(library, symbol) : NULL;
    if (!def) {
        const char *error = dlerror();
        snprintf(reason, sizeof reason, "%s", error ? error : "no such symbol");
    }
    ty_blocking_end();
    if (!def)
        raise_missing(extension->module, path, reason);
    free(path);
    return def;
}
