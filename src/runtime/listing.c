/* What folders hold, for importlib's finders: read once for the process, as long as the folder has not changed since.
 *
 * A folder's time says whether it changed, unless the change came within the same tick of the file system's clock as the reading: what was read of a folder
 * that had just changed is not kept. */
#include "runtime/listing.h"
#include "object/bytes.h"
#include "object/codec.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/list.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

typedef struct Stamp { dev_t device; ino_t node; struct timespec changed; } Stamp;

enum { SETTLED = 2, MOST = 4096 };       /* seconds; folders */

static Value listings;                   /* a root: dict from path to a pair: the stamp as bytes, a tuple of names */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void add_root(void) { ty_root_add(&listings, 1); }

static bool have_listings(void)
{
    pthread_once(&once, add_root);
    if (ty_field_acquire(&listings) != TY_NULL)
        return true;
    Value fresh = ty_dict_new(), none = TY_NULL;
    return fresh != TY_NULL && (__atomic_compare_exchange_n(&listings, &none, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) || none != TY_NULL);
}

static bool stamp_of(Value path, Stamp *stamp)
{
    Value bytes = ty_str_encode_fs(path);
    struct stat status;
    memset(stamp, 0, sizeof *stamp);
    if (bytes == TY_NULL || stat((const char *)ty_bytes_data(bytes), &status) != 0)
        return false;
    *stamp = (Stamp){ status.st_dev, status.st_ino, status.st_mtim };
    return true;
}

static Value known(Value path, const Stamp *stamp)
{
    Value pair = ty_dict_get(ty_field_acquire(&listings), path);
    if (pair == TY_NULL)
        return TY_NULL;
    Value bytes = ty_tuple_item(pair, 0);
    return memcmp(ty_bytes_data(bytes), stamp, sizeof *stamp) == 0 ? ty_tuple_item(pair, 1) : TY_NULL;
}

static void keep(Value path, const Stamp *stamp, Value names)
{
    if (time(NULL) - stamp->changed.tv_sec < SETTLED || ty_dict_length(listings) >= MOST)
        return;
    Value bytes = ty_bytes_new(stamp, sizeof *stamp), pair = bytes == TY_NULL ? TY_NULL : ty_tuple_pack(2, bytes, names);
    if (pair == TY_NULL || !ty_dict_set(listings, path, pair))
        ty_clear_exception();
}

/* A tuple; what cannot be read is empty. */
static Value read_folder(Value path)
{
    Value posix = ty_module_current("posix"), folder = path;
    if (posix != TY_NULL && ty_str_length(path) == 0)
        folder = ty_call_method_none(posix, TY_NAME("getcwd"));
    Value list = posix == TY_NULL || folder == TY_NULL ? TY_NULL : ty_call_method_one(posix, TY_NAME("listdir"), folder);
    if (list != TY_NULL)
        return ty_list_to_tuple(list);
    if (!ty_raised_is(&ty_FileNotFoundError) && !ty_raised_is(&ty_PermissionError) && !ty_raised_is(&ty_NotADirectoryError))
        return TY_NULL;
    ty_clear_exception();
    return ty_tuple_empty();
}

static Value names_in(Value path)
{
    Stamp stamp;
    bool can_keep = ty_is_exact_str(path) && ty_str_length(path) > 0 && ty_str_at(path, 0) == '/' && stamp_of(path, &stamp);
    ty_clear_exception();
    Value names = can_keep ? known(path, &stamp) : TY_NULL;
    if (names != TY_NULL)
        return names;
    names = read_folder(path);
    if (names != TY_NULL && can_keep)
        keep(path, &stamp, names);
    return names;
}

static Value fill_cache(Value self, Value *a)
{
    (void)a;
    if (!have_listings())
        return TY_NULL;
    Value path = ty_get_attribute(self, TY_NAME("path"));
    if (path == TY_NULL || !ty_is_str(path))
        return path == TY_NULL ? TY_NULL : ty_raise(&ty_TypeError, "the path of a FileFinder is a str, not %T", path);
    Value names = names_in(path), set = names == TY_NULL ? TY_NULL : ty_set_new(names);
    return set != TY_NULL && ty_set_attribute(self, TY_NAME("_path_cache"), set) ? TY_NONE : TY_NULL;
}

static const TyNativeDef method = TY_METHOD("_fill_cache(self, /)", fill_cache, "Fill the cache of potential modules and packages for this directory.");

bool ty_listing_install(Value finder)
{
    Value descriptor = ty_is_type(finder) ? ty_native_for_type(&method, ty_as_type(finder)) : TY_NULL;
    return descriptor != TY_NULL && ty_set_attribute(finder, TY_NAME("_fill_cache"), descriptor);
}
