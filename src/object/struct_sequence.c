/* Named tuples of C modules: os.stat_result, time.struct_time and their like.
 *
 * An instance is a tuple whose length is that of the visible fields; the hidden ones lie behind the visible items in the same memory. Each type's dict has
 * n_fields, n_sequence_fields and n_unnamed_fields, from which pickling and copy.replace work. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/native.h"
#include "object/recursion.h"
#include "object/str.h"
#include "object/tuple.h"
#include <stdlib.h>

/* What a type made here keeps: found by its address. Made at start or when a module is, under the list's lock; read without. */
typedef struct StructInfo {
    TyType *type;
    const TyStructDef *def;
    int fields, unnamed;
    const char **names; /* of the named fields, in order */
    TyMemberDef *members;
    struct StructInfo *next;
} StructInfo;

static StructInfo *_Atomic infos;

static const StructInfo *info_of(const TyType *type)
{
    for (; type; type = type->parent)
        for (const StructInfo *info = ty_load_acquire(&infos); info; info = info->next)
            if (info->type == type)
                return info;
    return NULL;
}

/* All fields, hidden ones included. */
static Value *fields_of(Value v) { return ty_as_tuple(v)->items; }

static void struct_trace(TyObject *self, TyMarker *marker)
{
    const StructInfo *info = info_of(ty_object_type(self));
    ty_mark_range(marker, ((TyTuple *)self)->items, (size_t)(info ? info->fields : ((TyTuple *)self)->length));
}

static Value struct_allocate(TyType *type, const StructInfo *info)
{
    TyTuple *tuple = (TyTuple *)ty_allocate(type, sizeof(TyTuple) + (size_t)info->fields * sizeof(Value));
    if (!tuple)
        return TY_NULL;
    tuple->length = info->def->visible;
    return ty_from_object(tuple);
}

Value ty_struct_sequence_new(TyType *type, const Value *all_fields)
{
    const StructInfo *info = info_of(type);
    Value v = struct_allocate(type, info);
    if (v == TY_NULL)
        return TY_NULL;
    for (int i = 0; i < info->fields; i++) {
        if (all_fields[i] == TY_NULL)
            return TY_NULL;
        ty_tuple_set(v, i, all_fields[i]);
    }
    return v;
}

/* Hidden fields that the sequence does not give come from the dict, by name, or are None. */
static bool fill_from_dict(Value v, const StructInfo *info, int64_t given, Value dict)
{
    int64_t used = 0;
    for (int i = (int)given; i < info->fields; i++) {
        const char *name = info->def->fields[i].name;
        Value value = dict == TY_NULL || !name ? TY_NULL : ty_dict_get_text(dict, name);
        if (value == TY_NULL && ty_raised())
            return false;
        used += value != TY_NULL;
        ty_tuple_set(v, i, value == TY_NULL ? TY_NONE : value);
    }
    if (dict != TY_NULL && ty_dict_length(dict) > used) {
        ty_raise(&ty_TypeError, "%s() got duplicate or unexpected field name(s)", info->def->name);
        return false;
    }
    return true;
}

static TySignature new_signature = TY_SIGNATURE("structseq(sequence, dict={})");

static Value struct_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (type->flags & TY_TYPE_NO_NEW)
        return ty_raise(&ty_TypeError, "cannot create '%s' instances", type->name);
    const StructInfo *info = info_of(type);
    Value flat[2];
    if (!ty_parse_arguments(&new_signature, arguments, count, keywords, flat))
        return TY_NULL;
    Value sequence = ty_sequence_fast(flat[0], "constructor requires a sequence");
    if (sequence == TY_NULL)
        return TY_NULL;
    sequence = ty_sequence_tuple(sequence);
    if (sequence == TY_NULL)
        return TY_NULL;
    if (flat[1] != TY_NULL && !ty_is_dict(flat[1]))
        return ty_raise(&ty_TypeError, "%s() takes a dict as second arg, if any", info->def->name);
    int64_t length = ty_tuple_length(sequence), visible = info->def->visible;
    if (length < visible || length > info->fields) {
        const char *bound = visible == info->fields ? "" : length < visible ? "at least " : "at most ";
        return ty_raise(&ty_TypeError, "%s() takes a%s %s%lld-sequence (%lld-sequence given)", info->def->name, visible == info->fields ? "" : "n", bound,
                        (long long)(length < visible ? visible : info->fields), (long long)length);
    }
    Value v = struct_allocate(type, info);
    if (v == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < length; i++)
        ty_tuple_set(v, i, ty_tuple_item(sequence, i));
    return fill_from_dict(v, info, length, flat[1]) ? v : TY_NULL;
}

static Value struct_repr(Value self)
{
    const StructInfo *info = info_of(ty_type_of(self));
    TyStrBuilder text = {0};
    bool fine = ty_builder_add_text(&text, info->def->name) && ty_builder_add_char(&text, '(');
    for (int i = 0; fine && i < info->def->visible; i++) {
        const char *name = i < info->fields - info->unnamed ? info->names[i] : NULL; /* unnamed ones take the names that follow, as in CPython */
        if (!name)
            return ty_raise(&ty_SystemError, "In structseq_repr(), member %d name is NULL for type %s", i, info->def->name);
        fine = (i == 0 || ty_builder_add_text(&text, ", ")) && ty_builder_add_text(&text, name) && ty_builder_add_char(&text, '=') &&
               ty_builder_add_repr(&text, fields_of(self)[i]);
    }
    return fine && ty_builder_add_char(&text, ')') ? ty_builder_finish(&text) : TY_NULL;
}

/* Hidden fields as a dict. */
static Value hidden_fields(Value self, const StructInfo *info)
{
    Value dict = ty_dict_new();
    for (int i = info->def->visible; dict != TY_NULL && i < info->fields; i++) {
        const char *name = info->def->fields[i].name;
        if (name && !ty_dict_set_text(dict, name, fields_of(self)[i]))
            return TY_NULL;
    }
    return dict;
}

static Value struct_reduce(Value self, Value *a)
{
    const StructInfo *info = info_of(ty_type_of(self));
    Value visible = ty_tuple_from_array(fields_of(self), (size_t)info->def->visible);
    return ty_tuple_pack(2, ty_from_object(ty_type_of(self)), ty_tuple_pack(2, visible, hidden_fields(self, info)));
}

static Value struct_replace(Value self, const Value *arguments, size_t count, Value keywords)
{
    const StructInfo *info = info_of(ty_type_of(self));
    if (count > 0)
        return ty_raise(&ty_TypeError, "__replace__() takes no positional arguments (%zu given)", count);
    if (info->unnamed > 0)
        return ty_raise(&ty_TypeError, "__replace__() is not supported for %s because it has unnamed field(s)", info->def->name);
    Value v = struct_allocate(ty_type_of(self), info);
    if (v == TY_NULL)
        return TY_NULL;
    for (int i = 0; i < info->fields; i++)
        ty_tuple_set(v, i, fields_of(self)[i]);
    Value unexpected = ty_tuple_empty();
    for (int64_t k = 0; keywords != TY_NULL && k < ty_tuple_length(keywords); k++) {
        Value name = ty_tuple_item(keywords, k);
        bool known = false;
        for (int i = 0; i < info->fields && !known; i++) {
            known = ty_str_equal_text(name, info->def->fields[i].name);
            if (known)
                ty_tuple_set(v, i, arguments[k]);
        }
        if (!known) {
            unexpected = ty_binary(TY_BINARY_ADD, unexpected, ty_tuple_pack(1, name));
            if (unexpected == TY_NULL)
                return TY_NULL;
        }
    }
    if (ty_tuple_length(unexpected) > 0) {
        Value names = ty_sequence_list(unexpected);
        return names == TY_NULL ? TY_NULL : ty_raise(&ty_TypeError, "Got unexpected field name(s): %R", names);
    }
    return v;
}

static const TyNativeDef struct_methods[] = {
    TY_METHOD("__reduce__(self, /)", struct_reduce, "What pickle keeps."),
    TY_RAW_METHOD("__replace__(self, /, **changes)", struct_replace, "A copy with new values for some fields."),
    {0},
};

static bool add_int(TyType *type, const char *name, int value) { return ty_dict_set_text(type->dict, name, ty_from_immediate_int(value)); }

TyType *ty_struct_sequence_type(TyType *storage, const TyStructDef *def)
{
    if (storage->flags & TY_TYPE_READY)
        return storage;
    StructInfo *info = calloc(1, sizeof *info);
    int fields = 0;
    while (def->fields[fields].name || def->fields[fields].doc || fields < def->visible)
        fields++;
    TyMemberDef *members = calloc((size_t)fields + 1, sizeof *members);
    const char **names = calloc((size_t)fields + 1, sizeof *names);
    if (!info || !members || !names) {
        free(info);
        free(members);
        free(names);
        ty_raise_memory_error();
        return NULL;
    }
    int named = 0, visible_named = 0;
    for (int i = 0; i < fields; i++)
        if (def->fields[i].name) {
            visible_named += i < def->visible;
            names[named] = def->fields[i].name;
            members[named++] = (TyMemberDef){.name = def->fields[i].name, .kind = TY_MEMBER_VALUE, .offset = (uint32_t)(offsetof(TyTuple, items) + (size_t)i * sizeof(Value)), .doc = def->fields[i].doc};
        }
    *info = (StructInfo){.type = storage, .def = def, .fields = fields, .unnamed = fields - named, .names = names, .members = members};
    *storage = (TyType){
        .base = TY_STATIC_HEADER(ty_type_type),
        .layout = {.size = sizeof(TyTuple), .item_size = sizeof(Value), .trace = struct_trace},
        .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_TUPLE | TY_TYPE_SEQUENCE | TY_TYPE_MATCH_SELF | TY_TYPE_VARIABLE,
        .name = def->name,
        .doc = def->doc,
        .parent = &ty_tuple_type,
        .slots = {.repr = struct_repr, .new = struct_new},
        .methods = struct_methods,
        .members = members,
    };
    info->next = ty_load_relaxed(&infos);
    while (!atomic_compare_exchange_weak_explicit(&infos, &info->next, info, memory_order_release, memory_order_relaxed))
        ;
    if (!ty_type_ready(storage))
        return NULL;
    Value match = ty_tuple_new(visible_named);
    if (match == TY_NULL)
        return NULL;
    for (int i = 0; i < (int)ty_tuple_length(match); i++)
        ty_tuple_set(match, i, ty_intern_text(names[i]));
    bool fine = add_int(storage, "n_fields", fields) && add_int(storage, "n_sequence_fields", def->visible) && add_int(storage, "n_unnamed_fields", info->unnamed) &&
                ty_dict_set_text(storage->dict, "__match_args__", match);
    ty_type_modified(storage);
    return fine ? storage : NULL;
}
