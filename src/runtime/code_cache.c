#include "runtime/code_cache.h"
#include "base/futex.h"
#include "modules/marshal.h"
#include "object/buffer.h"
#include "object/code.h"
#include "object/exception.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "runtime/config.h"
#include "runtime/frozen.h"
#include <stdlib.h>
#include <string.h>

typedef struct Key { uint64_t first, second, size; } Key; /* a digest; size 0: a free place */

enum { MOST_BYTES = 64 << 20 };              /* of files: what comes after them is not kept */

static TyMutex lock = TY_MUTEX_INIT;         /* may be held at a safepoint */
static Key *keys;                            /* open addressing; under `lock`, like all that follows */
static uint32_t capacity, count;
static size_t bytes;
static Value codes;                          /* a root: array of as many places */

static uint64_t word_at(const uint8_t *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof word);
    return word;
}

/* Four sums over every fourth word, each word by a factor of its sum's, then mixed: files differ by more than all could miss. */
static Key digest(const uint8_t *data, size_t size)
{
    static const uint64_t factors[4] = { 0x9FB21C651E98DF25ull, 0xD6E8FEB86659FD93ull, 0xC2B2AE3D27D4EB4Full, 0x9E3779B97F4A7C15ull };
    uint64_t sums[4] = { size, ~size, 0x243F6A8885A308D3ull, 0x13198A2E03707344ull };
    uint8_t rest[32] = { 0 };
    size_t whole = size & ~(size_t)31;
    memcpy(rest, data + whole, size - whole);
    for (size_t at = 0; at < whole; at += 32)
        for (int i = 0; i < 4; i++) {
            sums[i] = (sums[i] ^ word_at(data + at + 8 * i)) * factors[i];
            sums[i] ^= sums[i] >> 31;
        }
    for (int i = 0; i < 4; i++)
        sums[i] = (sums[i] ^ word_at(rest + 8 * i)) * factors[i];
    uint64_t first = (sums[0] ^ sums[1] >> 17) * factors[2] + sums[2], second = (sums[2] ^ sums[3] >> 19) * factors[1] + sums[0] * factors[3];
    return (Key){ first ^ first >> 29, second ^ second >> 31, size };
}

static uint32_t place_of(const Key *key)
{
    uint32_t at = (uint32_t)(key->first >> 20) & (capacity - 1);
    while (keys[at].size && memcmp(&keys[at], key, sizeof *key))
        at = (at + 1) & (capacity - 1);
    return at;
}

static Value find(const Key *key)
{
    ty_mutex_lock_blocking(&lock);
    Value code = capacity ? ((TyArray *)ty_object(codes))->items[place_of(key)] : TY_NULL;
    ty_mutex_unlock(&lock);
    return code;
}

static bool grow(void)
{
    uint32_t old_capacity = capacity;
    TyArray *fresh = ty_array_new(capacity ? capacity * 2 : 256), *old = codes == TY_NULL ? NULL : (TyArray *)ty_object(codes);
    Key *fresh_keys = fresh ? calloc((size_t)fresh->capacity, sizeof *fresh_keys) : NULL, *old_keys = keys;
    if (!fresh_keys)
        return false;
    if (codes == TY_NULL)
        ty_root_add(&codes, 1);
    keys = fresh_keys;
    capacity = (uint32_t)fresh->capacity;
    for (uint32_t i = 0; i < old_capacity; i++)
        if (old_keys[i].size) {
            uint32_t at = place_of(&old_keys[i]);
            keys[at] = old_keys[i];
            ty_store(fresh, &fresh->items[at], old->items[i]);
        }
    codes = ty_from_object(fresh);
    free(old_keys);
    return true;
}

/* The code that is kept from now on: another's, if that came first. */
static Value keep(const Key *key, Value code)
{
    ty_mutex_lock_blocking(&lock);
    if (bytes + key->size <= MOST_BYTES && ((count + 1) * 2 <= capacity || grow())) {
        uint32_t at = place_of(key);
        TyArray *array = (TyArray *)ty_object(codes);
        if (keys[at].size)
            code = array->items[at];
        else {
            ty_code_share((TyCode *)ty_object(code));
            keys[at] = *key;
            ty_store(array, &array->items[at], code);
            count++;
            bytes += key->size;
        }
    }
    ty_mutex_unlock(&lock);
    return code;
}

static bool same_source(Value code, Value source)
{
    Value filename = ty_field(&((TyCode *)ty_object(code))->filename);
    return source == TY_NONE || (ty_is_str(source) && ty_str_equal(filename, source));
}

/* A file moved to another place says in its code where it was: such code is its importer's alone. */
static Value load(const uint8_t *data, size_t size, Value source)
{
    Key key = digest(data, size);
    Value code = find(&key);
    if (code != TY_NULL && same_source(code, source))
        return code;
    bool known = code != TY_NULL;
    code = ty_marshal_load(data, size);
    if (code == TY_NULL || !ty_is_exact(code, &ty_code_type))
        return code;
    if (same_source(code, source))
        return known ? code : keep(&key, code);
    if (!ty_is_str(source))
        return ty_raise(&ty_TypeError, "_fix_co_filename() argument 2 must be str, not %T", source);
    ty_code_set_filename((TyCode *)ty_object(code), source);
    return code;
}

static Value compile_bytecode(Value self, Value *a)
{
    (void)self;
    Value name = a[1] == TY_NULL ? TY_NONE : a[1], path = a[2] == TY_NULL ? TY_NONE : a[2], source = a[3] == TY_NULL ? TY_NONE : a[3];
    TyBuffer view;
    if (!ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value code = load(view.data, (size_t)view.length, source);
    ty_buffer_release(&view);
    if (code == TY_NULL)
        return TY_NULL;
    if (!ty_is_exact(code, &ty_code_type)) {
        Value message = ty_str_format("Non-code object in %R", path);
        return message == TY_NULL ? TY_NULL : ty_raise_import_error(&ty_ImportError, message, name, path);
    }
    if (ty_config.verbose) {
        Value text = ty_str_format("code object from %R", path), bootstrap = ty_interpreter()->importlib;
        if (text == TY_NULL || ty_call_method_one(bootstrap, TY_NAME("_verbose_message"), text) == TY_NULL)
            return TY_NULL;
    }
    return code;
}

static const TyNativeDef function = TY_FUNCTION("_compile_bytecode(data, name=None, bytecode_path=None, source_path=None)", compile_bytecode,
    "The code that a cached file holds.");

Value ty_code_cache_function(void) { return ty_native_new(&function, TY_NULL, ty_str_from_text("_frozen_importlib_external"), TY_NULL); }
