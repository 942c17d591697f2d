/* sys.stdlib_module_names: read off the standard library's folder and the table of built-in modules. */
#include "object/exception.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "runtime/runtime.h"
#include <dirent.h>

static bool add_entry(Value set, const char *name)
{
    size_t n = strlen(name);
    if (name[0] == '.' || strchr(name, '-') || !strcmp(name, "__pycache__") || !strcmp(name, "test"))
        return true;
    if (n > 3 && !strcmp(name + n - 3, ".py"))
        n -= 3;
    else if (strchr(name, '.'))
        return true;
    Value text = ty_str_from_utf8(name, n);
    return text != TY_NULL && ty_set_add(set, text);
}

Value ty_stdlib_module_names(void)
{
    Value set = ty_set_new(TY_NULL);
    DIR *folder = set == TY_NULL ? NULL : opendir(ty_config.platform_library);
    struct dirent *entry;
    bool good = set != TY_NULL;
    while (good && folder && (entry = readdir(folder)))
        good = add_entry(set, entry->d_name);
    if (folder)
        closedir(folder);
    for (size_t i = 0; good && ty_builtin_modules[i]; i++)
        good = add_entry(set, ty_builtin_modules[i]->name);
    for (const TyExtension *e = ty_extension_modules; good && e->module; e++)
        good = add_entry(set, e->module);
    return good ? ty_frozenset_new(set) : TY_NULL;
}
