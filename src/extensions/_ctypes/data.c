/* C data: where its bytes are, what it keeps; simple values, structures and unions; fields. */
#include "internal.h"

static void data_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Data *)self)->memory, 3); }

static Data *allocate(Value type, Info **info)
{
    *info = ctypes_require(type, "abstract class");
    Data *d = *info ? (Data *)ty_object(ty_type_allocate(ty_as_type(type), 0)) : NULL;
    if (!d)
        return NULL;
    (*info)->final = true;
    d->size = (*info)->size;
    d->length = (*info)->length;
    return d;
}

/* Memory of its own, zeroed. */
static bool give_memory(Data *d, int64_t size, int64_t align)
{
    int64_t extra = align > 16 ? align : 0;
    Value memory = ty_bytes_new(NULL, (size_t)(size + extra + 16));
    if (memory == TY_NULL)
        return false;
    uintptr_t p = (uintptr_t)ty_bytes_data(memory), step = align > 16 ? (uintptr_t)align : 16;
    memset((void *)p, 0, (size_t)(size + extra + 16));
    ty_store(d, &d->memory, memory);
    d->p = (uint8_t *)((p + step - 1) / step * step);
    d->size = size;
    return true;
}

Value ctypes_data_new(TyType *type)
{
    Info *info;
    Data *d = allocate(ty_from_object(type), &info);
    return d && give_memory(d, info->size, info->align) ? ty_from_object(d) : TY_NULL;
}

Value ctypes_data_at(Value type, void *p)
{
    Info *info;
    Data *d = allocate(type, &info);
    if (!d)
        return TY_NULL;
    d->p = p;
    return ty_from_object(d);
}

Value ctypes_data_part(Value type, Value owner, int64_t index, void *p)
{
    Value v = ctypes_data_at(type, p);
    if (v != TY_NULL) {
        ctypes_data(v)->index = index;
        ty_store(ty_object(v), &ctypes_data(v)->owner, owner);
    }
    return v;
}

Value ctypes_data_copy(Value type, const void *p)
{
    if (!ctypes_require(type, "abstract class"))
        return TY_NULL;
    Value v = ctypes_data_new(ty_as_type(type));
    if (v != TY_NULL)
        memcpy(ctypes_data(v)->p, p, (size_t)ctypes_data(v)->size);
    return v;
}

static Data *outermost(Value data)
{
    Data *d = ctypes_data(data);
    while (d->owner != TY_NULL)
        d = ctypes_data(d->owner);
    return d;
}

Value ctypes_kept(Value data)
{
    Data *d = outermost(data);
    if (d->objects == TY_NULL) {
        Value fresh = d->length ? ty_dict_new() : TY_NONE;
        if (fresh == TY_NULL)
            return TY_NULL;
        ty_store(d, &d->objects, fresh);
    }
    return d->objects;
}

/* The place in the outermost data: its index, and those of the parts that it is in. */
static Value place_key(Value data, int64_t index)
{
    Value key = ty_str_format("%x", (unsigned)index);
    for (Data *d = ctypes_data(data); key != TY_NULL && d->owner != TY_NULL; d = ctypes_data(d->owner))
        key = ty_str_format("%U:%x", key, (unsigned)d->index);
    return key;
}

bool ctypes_keep(Value data, int64_t index, Value v)
{
    if (v == TY_NONE)
        return true;
    Value kept = ctypes_kept(data);
    if (kept == TY_NULL)
        return false;
    if (!ty_is_exact_dict(kept)) {
        Data *d = outermost(data);
        ty_store(d, &d->objects, v);
        return true;
    }
    Value key = place_key(data, index);
    return key != TY_NULL && ty_dict_set(kept, key, v);
}

Value ctypes_get(Value type, Value owner, int64_t index, void *p)
{
    Info *info = ctypes_info(type);
    if (info && info->kind == KIND_SIMPLE && !ctypes_is_simple_subclass(type))
        return ctypes_read(info, p);
    return ctypes_data_part(type, owner, index, p);
}

/* What is to be kept for it; TY_NULL: failed. */
static Value set_value(Value type, Value v, void *p)
{
    Info *info = ctypes_require(type, "must have storage info");
    if (!info)
        return TY_NULL;
    if (info->kind == KIND_SIMPLE && (!ctypes_is_data(v) || (!ctypes_is_simple_subclass(type) && info->code->code == 'O')))
        return ctypes_write(info, p, v);
    int same = ctypes_is_data(v) ? ty_isinstance(v, type) : 0;
    if (same < 0)
        return TY_NULL;
    if (!ctypes_is_data(v)) {
        if (ty_is_tuple(v)) {
            Value made = ty_call_with(type, v, TY_NULL);
            if (made == TY_NULL) {
                Value raised = ty_take_exception(), text = ty_str(raised);
                return text == TY_NULL ? TY_NULL : ty_raise(&ty_RuntimeError, "(%s) %N: %U", ctypes_type_name(type), raised, text);
            }
            return set_value(type, made, p);
        }
        if (info->kind == KIND_POINTER && v == TY_NONE) {
            *(void **)p = NULL;
            return TY_NONE;
        }
        return ty_raise(&ty_TypeError, "expected %s instance, got %T", ctypes_type_name(type), v);
    }
    if (same) {
        memcpy(p, ctypes_data(v)->p, (size_t)info->size);
        return info->kind == KIND_POINTER || info->has_pointers || info->kind != KIND_SIMPLE ? ctypes_kept(v) : ctypes_kept(v);
    }
    Info *source = ctypes_info_of(v);
    if (info->kind == KIND_POINTER && source && source->kind == KIND_ARRAY) {
        if (source->item != info->item)
            return ty_raise(&ty_TypeError, "incompatible types, %T instance instead of %s instance", v, ctypes_type_name(type));
        *(void **)p = ctypes_data(v)->p;
        Value kept = ctypes_kept(v);
        return kept == TY_NULL ? TY_NULL : ty_tuple_pack(2, kept, v);
    }
    return ty_raise(&ty_TypeError, "incompatible types, %T instance instead of %s instance", v, ctypes_type_name(type));
}

bool ctypes_set(Value target, Value type, Value v, int64_t index, void *p)
{
    Info *info = ctypes_info(type);
    Value kept;
    if (info && info->kind == KIND_SIMPLE && !ctypes_is_simple_subclass(type) && !ctypes_is_data(v))
        kept = ctypes_write(info, p, v);
    else
        kept = set_value(type, v, p);
    return kept != TY_NULL && ctypes_keep(target, index, kept);
}

int64_t ctypes_hash(Value self) { return ty_raise(&ty_TypeError, "unhashable type"), -1; }

/* --- the base of all --------------------------------------------------------------------------------------------------------------- */

bool ctypes_get_buffer(Value self, TyBuffer *view, int flags)
{
    Data *d = ctypes_data(self);
    Info *info = ctypes_info_of(self), *item = info;
    while (item && item->kind == KIND_ARRAY)
        item = ctypes_info(item->item);
    if (!item)
        return ty_raise(&ty_TypeError, "abstract class"), false;
    *view = (TyBuffer){.data = d->p, .length = d->size, .item_size = item->size, .exporter = self};
    view->format = info->format == TY_NULL ? "B" : (const char *)ty_bytes_data(info->format);
    view->dimensions = info->dimensions;
    view->shape = info->dimensions ? (int64_t *)ty_bytes_data(info->shape) : NULL;
    if (info->dimensions > 2)
        return true;
    int64_t step = item->size;
    for (int i = info->dimensions; i-- > 0;) {
        view->inline_shape[i] = step;
        step *= view->shape[i];
    }
    view->strides = info->dimensions ? view->inline_shape : NULL;
    return true;
}

static Value data_reduce(Value self, Value *a)
{
    Data *d = ctypes_data(self);
    Info *info = ctypes_info_of(self);
    if (info && (info->has_pointers || info->kind == KIND_POINTER || info->kind == KIND_FUNCTION))
        return ty_raise(&ty_ValueError, "ctypes objects containing pointers cannot be pickled");
    Value module = ty_module_current("_ctypes"), unpickle = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("_unpickle"));
    bool failed;
    Value dict = ty_get_attribute_or_null(self, TY_NAME("__dict__"), &failed), bytes = ty_bytes_new(d->p, (size_t)d->size);
    if (dict == TY_NULL && !failed)
        dict = ty_dict_new();
    return ty_tuple_pack(2, unpickle, ty_tuple_pack(2, ty_from_object(ty_type_of(self)), ty_tuple_pack(2, dict, bytes)));
}

static Value data_setstate(Value self, Value *a)
{
    Data *d = ctypes_data(self);
    if (!ty_is_dict(a[0]) || !ty_is_bytes(a[1]))
        return ty_raise(&ty_TypeError, "__setstate__() argument 1 must be dict, argument 2 bytes");
    memmove(d->p, ty_bytes_data(a[1]), (size_t)TY_MIN(d->size, ty_bytes_length(a[1])));
    bool failed;
    Value dict = ty_get_attribute_or_null(self, TY_NAME("__dict__"), &failed);
    return failed || (dict != TY_NULL && !ty_dict_update(dict, a[0])) ? TY_NULL : TY_NONE;
}

static Value data_from_outparam(Value self, Value *a) { return self; }
static Value get_objects(Value self)
{
    Value v = ctypes_data(self)->objects;
    return v == TY_NULL ? TY_NONE : v;
}
static Value get_owner(Value self)
{
    Value v = ctypes_data(self)->owner;
    return v == TY_NULL ? TY_NONE : v;
}
static Value get_needs_free(Value self) { return ty_from_immediate_int(ctypes_data(self)->memory != TY_NULL); }

static const TyNativeDef data_methods[] = {
    TY_METHOD("__ctypes_from_outparam__(self, /)", data_from_outparam, "What a parameter that C filled gives."),
    TY_METHOD("__reduce__(self, /)", data_reduce, "For pickle."),
    TY_METHOD("__setstate__(self, dict, data, /)", data_setstate, "For pickle."),
    {0},
};
static const TyGetSetDef data_getsets[] = {
    {"_objects", get_objects, NULL, "What is kept because C data refers to it."},
    {"_b_base_", get_owner, NULL, "What it is part of."},
    {"_b_needsfree_", get_needs_free, NULL, "Whether the memory is its own."},
    {0},
};

TyType ctypes_data_type = {
    .base = TY_STATIC_HEADER(ctypes_meta_type),
    .layout = {.size = sizeof(Data), .trace = data_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_WEAKREFABLE,
    .name = "_ctypes._CData",
    .parent = &ty_object_base_type,
    .slots = {.hash = ctypes_hash, .get_buffer = ctypes_get_buffer},
    .methods = data_methods,
    .getsets = data_getsets,
};

static Value data_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return ctypes_data_new(type); }

/* --- simple values ------------------------------------------------------------------------------------------------------------------- */

static Value simple_get_value(Value self) { return ctypes_read(ctypes_info_of(self), ctypes_data(self)->p); }
static bool simple_set_value(Value self, Value v)
{
    if (v == TY_NULL)
        return ty_raise(&ty_TypeError, "can't delete attribute"), false;
    Value kept = ctypes_write(ctypes_info_of(self), ctypes_data(self)->p, v);
    return kept != TY_NULL && ctypes_keep(self, 0, kept);
}

static bool simple_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    return ty_no_keywords("__init__", keywords) && ty_check_positional("__init__", count, 0, 1) && (count == 0 || simple_set_value(self, arguments[0]));
}

static int simple_to_bool(Value self)
{
    Data *d = ctypes_data(self);
    for (int64_t i = 0; i < d->size; i++)
        if (d->p[i])
            return 1;
    return 0;
}

static Value simple_repr(Value self)
{
    if (ty_type_of(self)->parent != &ctypes_simple_type)
        return ty_str_format("<%T object at %p>", self, (void *)ty_object(self));
    Value v = simple_get_value(self);
    return v == TY_NULL ? TY_NULL : ty_str_format("%T(%R)", self, v);
}

static Value simple_from_outparam(Value self, Value *a)
{
    return ctypes_is_simple_subclass(ty_from_object(ty_type_of(self))) ? self : simple_get_value(self);
}

static const TyNativeDef simple_methods[] = {
    TY_METHOD("__ctypes_from_outparam__(self, /)", simple_from_outparam, "What a parameter that C filled gives."),
    {0},
};
static const TyGetSetDef simple_getsets[] = {{"value", simple_get_value, simple_set_value, "The value as Python has it."}, {0}};

TyType ctypes_simple_type = {
    .base = TY_STATIC_HEADER(ctypes_simple_meta),
    .layout = {.size = sizeof(Data), .trace = data_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_ctypes._SimpleCData",
    .doc = "A simple C value.",
    .parent = &ctypes_data_type,
    .slots = {.new = data_new, .init = simple_init, .to_bool = simple_to_bool, .repr = simple_repr, .hash = ctypes_hash, .get_buffer = ctypes_get_buffer},
    .methods = simple_methods,
    .getsets = simple_getsets,
};

/* --- structures and unions -------------------------------------------------------------------------------------------------------------- */

/* Sets fields by position, base classes' first; returns how many, or -1. */
static int64_t init_fields(Value self, TyType *type, const Value *arguments, size_t count, Value keywords, int64_t index)
{
    if (type->parent && ctypes_info(ty_from_object(type->parent))) {
        index = init_fields(self, type->parent, arguments, count, keywords, index);
        if (index < 0 || index == (int64_t)count)
            return index;
    }
    Value fields = ty_dict_get_text(type->dict, "_fields_");
    int64_t length = fields == TY_NULL ? 0 : ty_length(fields);
    for (int64_t i = 0; i < length && index < (int64_t)count; i++, index++) {
        Value pair = ty_sequence_item(fields, i), name = pair == TY_NULL ? TY_NULL : ty_get_item(pair, ty_from_immediate_int(0));
        if (name == TY_NULL)
            return -1;
        int there = keywords == TY_NULL ? 0 : ty_contains(keywords, name);
        if (there > 0)
            ty_raise(&ty_TypeError, "duplicate values for field %R", name);
        if (there || !ty_set_attribute(self, name, arguments[index]))
            return -1;
    }
    return ty_raised() ? -1 : index;
}

static bool structure_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (count) {
        int64_t used = init_fields(self, ty_type_of(self), arguments, count, keywords, 0);
        if (used < 0)
            return false;
        if (used < (int64_t)count)
            return ty_raise(&ty_TypeError, "too many initializers"), false;
    }
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++)
        if (!ty_set_attribute(self, ty_tuple_item(keywords, i), arguments[count + (size_t)i]))
            return false;
    return true;
}

#define AGGREGATE(variable, name_, meta, doc_)                                                                              \
    TyType variable = {                                                                                                     \
        .base = TY_STATIC_HEADER(meta),                                                                                     \
        .layout = {.size = sizeof(Data), .trace = data_trace},                                                              \
        .flags = TY_TYPE_IMMUTABLE,                                                                                         \
        .name = "_ctypes." name_,                                                                                           \
        .doc = doc_,                                                                                                        \
        .parent = &ctypes_data_type,                                                                                        \
        .slots = {.new = data_new, .init = structure_init, .hash = ctypes_hash, .get_buffer = ctypes_get_buffer},     \
    };
AGGREGATE(ctypes_structure_type, "Structure", ctypes_structure_meta, "Structure base class")
AGGREGATE(ctypes_union_type, "Union", ctypes_union_meta, "Union base class")

/* --- fields ------------------------------------------------------------------------------------------------------------------------------- */

static void field_trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ((Field *)self)->name);
    ty_mark(marker, ((Field *)self)->type);
}

static TySignature field_signature = TY_SIGNATURE("CField(*, name, type, byte_size, byte_offset, index, _internal_use, bit_size=None, bit_offset=None)");

static Value field_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[8];
    if (!ty_parse_arguments(&field_signature, arguments, count, keywords, a))
        return TY_NULL;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "CField() argument 'name' must be str, not %T", a[0]);
    Info *info = ctypes_info(a[1]);
    int internal = ty_is_true(a[5]);
    if (internal < 0)
        return TY_NULL;
    if (!internal)
        return ty_raise(&ty_TypeError, "CField is not intended to be used directly; use it via Structure or Union instead");
    if (!info)
        return ty_raise(&ty_TypeError, "type of field %R must be a C type", a[0]);
    Field *f = (Field *)ty_object(ty_type_allocate(type, 0));
    if (!f || !ty_to_size(a[2], &f->byte_size) || !ty_to_size(a[3], &f->offset) || !ty_to_size(a[4], &f->index))
        return TY_NULL;
    if (f->byte_size != info->size)
        return ty_raise(&ty_ValueError, "byte_size does not match type size");
    ty_store(f, &f->name, ty_intern(a[0]));
    ty_store(f, &f->type, a[1]);
    if (a[6] != TY_NULL && a[6] != TY_NONE) {
        if (info->kind != KIND_SIMPLE || !(info->code->is_int || info->code->code == '?' || info->code->code == 'c'))
            return ty_raise(&ty_TypeError, "bit fields not allowed for type %s", ctypes_type_name(a[1]));
        if (info->code->code == 'c')
            return ty_raise(&ty_TypeError, "bit fields not allowed for type %s", ctypes_type_name(a[1]));
        if (!ty_to_int32(a[6], &f->bit_size) || !ty_to_int32(a[7], &f->bit_offset))
            return TY_NULL;
        if (f->bit_size <= 0)
            return ty_raise(&ty_ValueError, "number of bits invalid for bit field %R", a[0]);
        if (f->bit_offset < 0 || f->bit_offset + f->bit_size > info->size * 8)
            return ty_raise(&ty_ValueError, "bit field %R overflows its type (%d + %d > %lld)", a[0], f->bit_offset, f->bit_size, (long long)info->size * 8);
        f->is_bitfield = true;
    }
    return ty_from_object(f);
}

/* The word that the bits are in, in the processor's order. */
static uint64_t load_word(const Info *info, const uint8_t *p)
{
    uint64_t word = 0;
    for (int64_t i = 0; i < info->size; i++)
        word |= (uint64_t)p[info->swapped ? info->size - 1 - i : i] << (8 * i);
    return word;
}
static void store_word(const Info *info, uint8_t *p, uint64_t word)
{
    for (int64_t i = 0; i < info->size; i++)
        p[info->swapped ? info->size - 1 - i : i] = (uint8_t)(word >> (8 * i));
}

static Value get_bits(Field *f, const Info *info, const uint8_t *p)
{
    uint64_t bits = load_word(info, p) >> f->bit_offset;
    int rest = 64 - f->bit_size;
    if (info->code->code == '?')
        return ty_from_bool((bits << rest) != 0);
    return info->code->is_signed ? ty_int_from_int64((int64_t)(bits << rest) >> rest) : ty_int_from_uint64(bits << rest >> rest);
}

static bool set_bits(Field *f, const Info *info, uint8_t *p, Value v)
{
    uint64_t bits, mask = (f->bit_size == 64 ? ~0ull : (1ull << f->bit_size) - 1) << f->bit_offset;
    if (info->code->code == '?') {
        int truth = ty_is_true(v);
        if (truth < 0)
            return false;
        bits = (uint64_t)truth;
    } else {
        if (ctypes_is_data(v) && ctypes_info_of(v)->kind == KIND_SIMPLE && (v = simple_get_value(v)) == TY_NULL)
            return false;
        if ((v = ty_number_index(v)) == TY_NULL || !ty_to_uint64_mask(v, &bits))
            return false;
    }
    store_word(info, p, (load_word(info, p) & ~mask) | (bits << f->bit_offset & mask));
    return true;
}

static bool check_instance(Value instance)
{
    if (ctypes_is_data(instance))
        return true;
    return ty_raise(&ty_TypeError, "not a ctype instance"), false;
}

/* Arrays of characters are read as text. */
static const Code *character_of(const Info *info)
{
    Info *item = info->kind == KIND_ARRAY ? ctypes_info(info->item) : NULL;
    return item && item->kind == KIND_SIMPLE && !ctypes_is_simple_subclass(info->item) && (item->code->code == 'c' || item->code->code == 'u') ? item->code : NULL;
}

static Value field_get(Value self, Value instance, Value owner)
{
    Field *f = (Field *)ty_object(self);
    if (instance == TY_NULL || instance == TY_NONE)
        return self;
    if (!check_instance(instance))
        return TY_NULL;
    Info *info = ctypes_info(f->type);
    uint8_t *p = ctypes_data(instance)->p + f->offset;
    if (f->is_bitfield)
        return get_bits(f, info, p);
    const Code *character = character_of(info);
    if (character && character->code == 'c')
        return ty_bytes_new(p, strnlen((const char *)p, (size_t)info->size));
    if (character) {
        int64_t length = 0;
        while (length < info->length && ((wchar_t *)p)[length])
            length++;
        return ctypes_wide_at((wchar_t *)p, length);
    }
    return ctypes_get(f->type, instance, f->index, p);
}

static bool set_characters(const Info *info, const Code *character, uint8_t *p, Value v)
{
    if (character->code == 'c') {
        if (!ty_is_bytes(v))
            return ty_raise(&ty_TypeError, "expected bytes, %T found", v), false;
        int64_t length = (int64_t)strlen((const char *)ty_bytes_data(v));
        if (length > info->length)
            return ty_raise(&ty_ValueError, "bytes too long (%lld, maximum length %lld)", (long long)length, (long long)info->length), false;
        memcpy(p, ty_bytes_data(v), (size_t)TY_MIN(length + 1, info->length));
        return true;
    }
    if (!ty_is_str(v))
        return ty_raise(&ty_TypeError, "unicode string expected instead of %T instance", v), false;
    int64_t length = ty_str_length(v);
    if (length > info->length)
        return ty_raise(&ty_ValueError, "string too long (%lld, maximum length %lld)", (long long)length, (long long)info->length), false;
    for (int64_t i = 0; i < TY_MIN(length + 1, info->length); i++)
        ((wchar_t *)p)[i] = i < length ? (wchar_t)ty_str_at(v, i) : 0;
    return true;
}

static bool field_set(Value self, Value instance, Value v)
{
    Field *f = (Field *)ty_object(self);
    if (!check_instance(instance))
        return false;
    if (v == TY_NULL)
        return ty_raise(&ty_TypeError, "can't delete attribute"), false;
    Info *info = ctypes_info(f->type);
    uint8_t *p = ctypes_data(instance)->p + f->offset;
    if (f->is_bitfield)
        return set_bits(f, info, p, v);
    const Code *character = character_of(info);
    if (character && !ctypes_is_data(v))
        return set_characters(info, character, p, v);
    return ctypes_set(instance, f->type, v, f->index, p);
}

static Value field_repr(Value self)
{
    Field *f = (Field *)ty_object(self);
    const char *type = ctypes_type_name(f->type);
    if (f->is_bitfield)
        return ty_str_format("<%N %R type=%s, ofs=%lld, bit_size=%d, bit_offset=%d>", self, f->name, type, (long long)f->offset, f->bit_size, f->bit_offset);
    return ty_str_format("<%N %R type=%s, ofs=%lld, size=%lld>", self, f->name, type, (long long)f->offset, (long long)f->byte_size);
}

static Value field_get_size(Value self)
{
    Field *f = (Field *)ty_object(self);
    return ty_int_from_int64(f->is_bitfield ? (int64_t)f->bit_size << 16 | f->bit_offset : f->byte_size);
}
static Value field_get_bit_size(Value self)
{
    Field *f = (Field *)ty_object(self);
    return f->is_bitfield ? ty_from_immediate_int(f->bit_size) : ty_int_multiply(ty_int_from_int64(f->byte_size), ty_from_immediate_int(8));
}
static Value field_get_bit_offset(Value self) { return ty_from_immediate_int(((Field *)ty_object(self))->bit_offset); }
static Value field_get_is_bitfield(Value self) { return ty_from_bool(((Field *)ty_object(self))->is_bitfield); }
static Value field_get_is_anonymous(Value self) { return ty_from_bool(((Field *)ty_object(self))->anonymous); }

static const TyGetSetDef field_getsets[] = {
    {"size", field_get_size, NULL, "The size in bytes; of a bit field, the offset in bits and, above 16 bits, the number of bits."},
    {"bit_size", field_get_bit_size, NULL, "The number of bits."},
    {"bit_offset", field_get_bit_offset, NULL, "The lowest bit."},
    {"is_bitfield", field_get_is_bitfield, NULL, "Whether it is a bit field."},
    {"is_anonymous", field_get_is_anonymous, NULL, "Whether its fields are those of the whole."},
    {0},
};
static const TyMemberDef field_members[] = {
    {"name", TY_MEMBER_VALUE, false, offsetof(Field, name), "The name."},
    {"type", TY_MEMBER_VALUE, false, offsetof(Field, type), "The type."},
    {"offset", TY_MEMBER_INT64, false, offsetof(Field, offset), "The offset in bytes."},
    {"byte_offset", TY_MEMBER_INT64, false, offsetof(Field, offset), "The offset in bytes."},
    {"byte_size", TY_MEMBER_INT64, false, offsetof(Field, byte_size), "The size of the type in bytes."},
    {0},
};

TyType ctypes_field_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Field), .trace = field_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "ctypes.CField",
    .doc = "Structure/Union member",
    .parent = &ty_object_base_type,
    .slots = {.new = field_new, .get = field_get, .set = field_set, .repr = field_repr},
    .getsets = field_getsets,
    .members = field_members,
};
