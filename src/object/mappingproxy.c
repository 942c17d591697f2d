#include "object/mappingproxy.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

TY_INLINE Value mapping_of(Value self) { return ((TyMappingProxy *)ty_object(self))->mapping; }

Value ty_mappingproxy_new(Value mapping)
{
    TyMappingProxy *proxy = (TyMappingProxy *)ty_allocate(&ty_mappingproxy_type, sizeof(TyMappingProxy));
    if (!proxy)
        return TY_NULL;
    ty_store(proxy, &proxy->mapping, mapping);
    return ty_from_object(proxy);
}

static TySignature new_signature = TY_SIGNATURE("mappingproxy(mapping)");

static Value proxy_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value mapping;
    if (!ty_parse_arguments(&new_signature, arguments, count, keywords, &mapping))
        return TY_NULL;
    if (!ty_is_mapping(mapping) || ty_is_list(mapping) || ty_is_tuple(mapping))
        return ty_raise(&ty_TypeError, "mappingproxy() argument must be a mapping, not %T", mapping);
    return ty_mappingproxy_new(mapping);
}

static void proxy_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((TyMappingProxy *)self)->mapping); }

static int64_t proxy_length(Value self) { return ty_length(mapping_of(self)); }
static Value proxy_get_item(Value self, Value key) { return ty_get_item(mapping_of(self), key); }
static int proxy_contains(Value self, Value key)
{
    Value mapping = mapping_of(self);
    return ty_is_exact_dict(mapping) ? ty_dict_contains(mapping, key) : ty_contains(mapping, key);
}
static Value proxy_iter(Value self) { return ty_iter(mapping_of(self)); }
static Value proxy_str(Value self) { return ty_str(mapping_of(self)); }
static Value proxy_repr(Value self) { return ty_str_format("mappingproxy(%R)", mapping_of(self)); }
static int64_t proxy_hash(Value self) { return ty_hash(mapping_of(self)); }
static Value proxy_compare(Value left, Value right, int op) { return ty_compare(mapping_of(left), right, op); }

static Value proxy_or(Value left, Value right)
{
    if (ty_is_exact(left, &ty_mappingproxy_type))
        left = mapping_of(left);
    if (ty_is_exact(right, &ty_mappingproxy_type))
        right = mapping_of(right);
    return ty_binary(TY_BINARY_OR, left, right);
}

static Value proxy_inplace_or(Value left, Value right)
{
    return ty_raise(&ty_TypeError, "'|=' is not supported by mappingproxy; use '|' instead");
}

static Value proxy_method_get(Value self, Value *a)
{
    Value arguments[2] = {a[0], a[1] != TY_NULL ? a[1] : TY_NONE};
    return ty_call_method(mapping_of(self), TY_NAME("get"), arguments, 2);
}
static Value proxy_method_keys(Value self, Value *a) { return ty_call_method_none(mapping_of(self), TY_NAME("keys")); }
static Value proxy_method_values(Value self, Value *a) { return ty_call_method_none(mapping_of(self), TY_NAME("values")); }
static Value proxy_method_items(Value self, Value *a) { return ty_call_method_none(mapping_of(self), TY_NAME("items")); }
static Value proxy_method_copy(Value self, Value *a) { return ty_call_method_none(mapping_of(self), TY_NAME("copy")); }
static Value proxy_method_reversed(Value self, Value *a) { return ty_call_method_none(mapping_of(self), TY_NAME("__reversed__")); }

static const TyNativeDef proxy_methods[] = {
    TY_METHOD("get(self, key, default=None, /)", proxy_method_get, "The value for key if the mapping has it, else default."),
    TY_METHOD("keys(self, /)", proxy_method_keys, "A set-like object that shows the mapping's keys."),
    TY_METHOD("values(self, /)", proxy_method_values, "An object that shows the mapping's values."),
    TY_METHOD("items(self, /)", proxy_method_items, "A set-like object that shows the mapping's items."),
    TY_METHOD("copy(self, /)", proxy_method_copy, "A shallow copy of the mapping."),
    TY_METHOD("__reversed__(self, /)", proxy_method_reversed, "A reverse iterator of the mapping."),
    TY_CLASS_GETITEM,
    {0},
};

TyType ty_mappingproxy_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyMappingProxy), .trace = proxy_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_MAPPING,
    .name = "mappingproxy",
    .doc = "mappingproxy(mapping)\n--\n\nA read-only view of a mapping.",
    .parent = &ty_object_base_type,
    .slots = {
        .repr = proxy_repr,
        .str = proxy_str,
        .hash = proxy_hash,
        .compare = proxy_compare,
        .iter = proxy_iter,
        .new = proxy_new,
        .binary[TY_BINARY_OR] = proxy_or,
        .inplace[TY_BINARY_OR] = proxy_inplace_or,
        .length = proxy_length,
        .get_item = proxy_get_item,
        .contains = proxy_contains,
    },
    .methods = proxy_methods,
};
