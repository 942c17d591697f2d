/* Calls: a function, its arguments and its keywords go together.
 *
 * Most calls need no parcel: their arguments cross as they are, and the function is built into the language, has a name that the receiver knows it by, or is a
 * definition that its package stands for. Then nothing at all is allocated for them. */
#include "crossing/internal.h"
#include "object/function.h"

enum { WAY_ITSELF, WAY_NAME, WAY_PACKAGE, WAY_PARCEL };
enum { PART_FUNCTION, PART_ARGUMENTS, PART_KEYWORDS, PART_COUNT };

static bool values_immutable(Value dict)
{
    Value key, value;
    int64_t position = 0;
    while (ty_dict_next(dict, &position, &key, &value))
        if (!ty_is_exact_str(key) || !ty_crossing_immutable(value))
            return false;
    return true;
}

/* False may mean an exception. */
static bool send_function(TyCrossingCall *call, Value function)
{
    call->function = function;
    call->way = WAY_ITSELF;
    if (ty_crossing_immutable(function))
        return true;
    bool definition = ty_is_function(function), native = ty_is_exact(function, &ty_native_type);
    if (!definition && !(native && ((TyNative *)ty_object(function))->self != TY_NULL && ty_is_module(((TyNative *)ty_object(function))->self)))
        return false;
    call->way = WAY_NAME;
    if (ty_crossing_find_name(function, &call->function, &call->name))
        return true;
    if (native || ty_raised())
        return false;
    TyPacker packer;
    call->way = WAY_PACKAGE;
    return ty_packer_start(&packer, NULL, "func") && (call->function = ty_crossing_package(&packer, function)) != TY_NULL;
}

/* The parts have names of their own in errors: one packer serves them all, one after the other, so that what they share stays shared. */
static bool send_parcel(TyCrossingCall *call, const Value *values)
{
    static const char *const names[PART_COUNT] = { "func", "args", "kwargs" };
    TyPacker packer;
    TyArray *parts = ty_array_new(PART_COUNT);
    if (!parts || !ty_packer_start(&packer, NULL, NULL))
        return false;
    for (int i = 0; i < PART_COUNT; i++) {
        if (values[i] == TY_NULL)
            continue;
        packer.root = names[i];
        Value packed = ty_packer_value(&packer, values[i]);
        if (packed == TY_NULL || !ty_packer_run(&packer))
            return false;
        ty_store(parts, &parts->items[i], packed);
    }
    call->way = WAY_PARCEL;
    call->function = ty_packer_finish(&packer, ty_from_object(parts));
    return call->function != TY_NULL;
}

bool ty_crossing_send_call(TyCrossingCall *call, Value function, Value arguments, Value keywords)
{
    if (arguments == TY_NULL && (arguments = ty_tuple_empty()) == TY_NULL)
        return false;
    if (keywords != TY_NULL && ty_dict_length(keywords) == 0)
        keywords = TY_NULL;
    *call = (TyCrossingCall){ .arguments = arguments, .keywords = keywords };
    if (ty_crossing_immutable(arguments) && (keywords == TY_NULL || values_immutable(keywords))) {
        if (send_function(call, function))
            return true;
        if (ty_raised())
            return false;
    }
    return send_parcel(call, (Value[PART_COUNT]){ function, arguments, keywords });
}

static bool receive_parcel(TyCrossingCall *call)
{
    Value opened = ty_crossing_unpack(call->function);
    if (opened == TY_NULL)
        return false;
    TyArray *parts = (TyArray *)ty_object(opened);
    if (!ty_crossing_resolve(parts, PART_COUNT))
        return false;
    call->function = parts->items[PART_FUNCTION];
    call->arguments = parts->items[PART_ARGUMENTS];
    call->keywords = parts->items[PART_KEYWORDS];
    return true;
}

bool ty_crossing_receive_call(TyCrossingCall *call)
{
    switch (call->way) {
    case WAY_NAME: call->function = ty_crossing_named_here(call->function, call->name); break;
    case WAY_PACKAGE: call->function = ty_crossing_define(call->function); break;
    case WAY_PARCEL: return receive_parcel(call);
    }
    return call->function != TY_NULL;
}
