/* Arrays and pointers. */
#include "internal.h"

static void data_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Data *)self)->memory, 3); }

/* 'c' or 'u' for arrays and pointers of these, else 0. */
static char character_of(const Info *info)
{
    Info *item = info && info->item != TY_NULL ? ctypes_info(info->item) : NULL;
    char code = item && item->kind == KIND_SIMPLE && !ctypes_is_simple_subclass(info->item) ? item->code->code : 0;
    return code == 'c' || code == 'u' ? code : 0;
}

/* Items of a slice: bytes or str of characters, else a list. */
static Value slice_of(Value self, const Info *info, uint8_t *p, int64_t start, int64_t step, int64_t count, Value (*item)(Value, int64_t))
{
    char character = character_of(info);
    if (character == 'c') {
        Value bytes = ty_bytes_new(NULL, (size_t)count);
        for (int64_t i = 0; bytes != TY_NULL && i < count; i++)
            ((uint8_t *)ty_bytes_data(bytes))[i] = p[start + i * step];
        return bytes;
    }
    if (character == 'u') {
        Value wide = ty_bytes_new(NULL, (size_t)(count + 1) * sizeof(wchar_t));
        for (int64_t i = 0; wide != TY_NULL && i < count; i++)
            ((wchar_t *)ty_bytes_data(wide))[i] = ((wchar_t *)p)[start + i * step];
        return wide == TY_NULL ? TY_NULL : ctypes_wide_at((wchar_t *)ty_bytes_data(wide), count);
    }
    Value list = ty_list_new(count);
    for (int64_t i = 0; list != TY_NULL && i < count; i++) {
        Value v = item(self, start + i * step);
        if (v == TY_NULL || !ty_list_append(list, v))
            return TY_NULL;
    }
    return list;
}

/* --- arrays ------------------------------------------------------------------------------------------------------------------- */

static Value array_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return ctypes_data_new(type); }
static int64_t array_length(Value self) { return ctypes_data(self)->length; }

static Value array_item(Value self, int64_t index)
{
    Data *d = ctypes_data(self);
    if (index < 0 || index >= d->length)
        return ty_raise(&ty_IndexError, "invalid index");
    Info *info = ctypes_info_of(self), *item = ctypes_info(info->item);
    return ctypes_get(info->item, self, index, d->p + index * item->size);
}

static bool array_set_item_at(Value self, int64_t index, Value v)
{
    Data *d = ctypes_data(self);
    if (index < 0 || index >= d->length)
        return ty_raise(&ty_IndexError, "invalid index"), false;
    Info *info = ctypes_info_of(self), *item = ctypes_info(info->item);
    return ctypes_set(self, info->item, v, index, d->p + index * item->size);
}

static Value array_get_item(Value self, Value key)
{
    Data *d = ctypes_data(self);
    int64_t index, start, stop, step;
    if (ty_has_index(key)) {
        if (!ty_subscript_index(key, &index))
            return TY_NULL;
        return array_item(self, index < 0 ? index + d->length : index);
    }
    if (!ty_is_slice(key))
        return ty_raise(&ty_TypeError, "indices must be integers");
    if (!ty_slice_unpack(key, &start, &stop, &step))
        return TY_NULL;
    int64_t count = ty_slice_adjust(d->length, &start, &stop, step);
    return slice_of(self, ctypes_info_of(self), d->p, start, step, count, array_item);
}

static bool array_set_item(Value self, Value key, Value v)
{
    Data *d = ctypes_data(self);
    int64_t index, start, stop, step;
    if (v == TY_NULL)
        return ty_raise(&ty_TypeError, "Array does not support item deletion"), false;
    if (ty_has_index(key))
        return ty_subscript_index(key, &index) && array_set_item_at(self, index < 0 ? index + d->length : index, v);
    if (!ty_is_slice(key))
        return ty_raise(&ty_TypeError, "indices must be integer"), false;
    if (!ty_slice_unpack(key, &start, &stop, &step))
        return false;
    int64_t count = ty_slice_adjust(d->length, &start, &stop, step), given = ty_length(v);
    if (given < 0)
        return false;
    if (given != count)
        return ty_raise(&ty_ValueError, "Can only assign sequence of same size"), false;
    for (int64_t i = 0; i < count; i++) {
        Value item = ty_sequence_item(v, i);
        if (item == TY_NULL || !array_set_item_at(self, start + i * step, item))
            return false;
    }
    return true;
}

static bool array_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    for (size_t i = 0; i < count; i++)
        if (!array_set_item_at(self, (int64_t)i, arguments[i]))
            return false;
    return true;
}


static bool no_deletion(Value v, const char *name)
{
    if (v == TY_NULL)
        ty_raise(&ty_AttributeError, "cannot delete attribute '%s'", name);
    return v != TY_NULL;
}

static bool set_raw(Value self, Value v)
{
    Data *d = ctypes_data(self);
    TyBuffer view;
    if (!no_deletion(v, "raw") || !ty_buffer_get(v, &view, TY_BUFFER_SIMPLE))
        return false;
    bool fits = view.length <= d->size;
    if (fits)
        memmove(d->p, view.data, (size_t)view.length);
    ty_buffer_release(&view);
    if (!fits)
        ty_raise(&ty_ValueError, "byte string too long");
    return fits;
}
static Value get_raw(Value self) { return ty_bytes_new(ctypes_data(self)->p, (size_t)ctypes_data(self)->size); }
static Value get_value(Value self) { return ty_bytes_new(ctypes_data(self)->p, strnlen((char *)ctypes_data(self)->p, (size_t)ctypes_data(self)->size)); }
static bool set_value(Value self, Value v)
{
    Data *d = ctypes_data(self);
    if (v == TY_NULL)
        return ty_raise(&ty_TypeError, "can't delete attribute"), false;
    if (!ty_is_bytes(v))
        return ty_raise(&ty_TypeError, "bytes expected instead of %T instance", v), false;
    int64_t length = ty_bytes_length(v);
    if (length > d->size)
        return ty_raise(&ty_ValueError, "byte string too long"), false;
    memcpy(d->p, ty_bytes_data(v), (size_t)TY_MIN(length + 1, d->size));
    return true;
}
static Value get_wide_value(Value self)
{
    Data *d = ctypes_data(self);
    int64_t length = 0, most = d->size / (int64_t)sizeof(wchar_t);
    while (length < most && ((wchar_t *)d->p)[length])
        length++;
    return ctypes_wide_at((wchar_t *)d->p, length);
}
static bool set_wide_value(Value self, Value v)
{
    Data *d = ctypes_data(self);
    int64_t most = d->size / (int64_t)sizeof(wchar_t);
    if (v == TY_NULL)
        return ty_raise(&ty_TypeError, "can't delete attribute"), false;
    if (!ty_is_str(v))
        return ty_raise(&ty_TypeError, "unicode string expected instead of %T instance", v), false;
    int64_t length = ty_str_length(v);
    if (length > most)
        return ty_raise(&ty_ValueError, "string too long"), false;
    for (int64_t i = 0; i < TY_MIN(length + 1, most); i++)
        ((wchar_t *)d->p)[i] = i < length ? (wchar_t)ty_str_at(v, i) : 0;
    return true;
}

/* `value` and `raw` are there for arrays of characters alone. */
static Value array_get_attribute(Value self, Value name)
{
    bool value = ty_str_equal_text(name, "value"), raw = ty_str_equal_text(name, "raw");
    char character = value || raw ? character_of(ctypes_info_of(self)) : 0;
    if (character == 'c')
        return value ? get_value(self) : get_raw(self);
    if (character == 'u' && value)
        return get_wide_value(self);
    return ty_generic_get_attribute(self, name);
}
static bool array_set_attribute(Value self, Value name, Value v)
{
    bool value = ty_str_equal_text(name, "value"), raw = ty_str_equal_text(name, "raw");
    char character = value || raw ? character_of(ctypes_info_of(self)) : 0;
    if (character == 'c')
        return value ? set_value(self, v) : set_raw(self, v);
    if (character == 'u' && value)
        return set_wide_value(self, v);
    return ty_generic_set_attribute(self, name, v);
}

static Value array_class_getitem(Value type, Value *a) { return ty_generic_alias_new(type, a[0]); }

static const TyNativeDef array_methods[] = {
    TY_CLASS_METHOD("__class_getitem__(type, object, /)", array_class_getitem, "See PEP 585"),
    {0},
};

TyType ctypes_array_type = {
    .base = TY_STATIC_HEADER(ctypes_array_meta),
    .layout = {.size = sizeof(Data), .trace = data_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SEQUENCE | TY_TYPE_CUSTOM_GETATTR,
    .name = "_ctypes.Array",
    .doc = "The base class of arrays: a type multiplied by a number is an array type.",
    .parent = &ctypes_data_type,
    .slots = {.new = array_new, .init = array_init, .length = array_length, .get_item = array_get_item, .set_item = array_set_item, .item = array_item,
              .get_attribute = array_get_attribute, .set_attribute = array_set_attribute, .hash = ctypes_hash, .get_buffer = ctypes_get_buffer},
    .methods = array_methods,
};

/* --- pointers -------------------------------------------------------------------------------------------------------------------- */

static Value pointer_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Info *info = ctypes_info(ty_from_object(type));
    if (!info || info->item == TY_NULL)
        return ty_raise(&ty_TypeError, "Cannot create instance: has no _type_");
    return ctypes_data_new(type);
}

static uint8_t *target_of(Value self)
{
    uint8_t *p = *(uint8_t **)ctypes_data(self)->p;
    if (!p)
        ty_raise(&ty_ValueError, "NULL pointer access");
    return p;
}

static Value get_contents(Value self)
{
    uint8_t *p = target_of(self);
    return p ? ctypes_data_part(ctypes_info_of(self)->item, self, 0, p) : TY_NULL;
}

static bool set_contents(Value self, Value v)
{
    Value type = ctypes_info_of(self)->item;
    if (v == TY_NULL)
        return ty_raise(&ty_TypeError, "Pointer does not support item deletion"), false;
    if (!ctypes_is_data(v))
        return ty_raise(&ty_TypeError, "expected %s instead of %T", ctypes_type_name(type), v), false;
    *(void **)ctypes_data(self)->p = ctypes_data(v)->p;
    Value kept = ctypes_keep(self, 1, v) ? ctypes_kept(v) : TY_NULL;
    return kept != TY_NULL && ctypes_keep(self, 0, kept);
}

static bool pointer_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    return ty_no_keywords("POINTER", keywords) && ty_check_positional("POINTER", count, 0, 1) && (count == 0 || set_contents(self, arguments[0]));
}

static Value pointer_item(Value self, int64_t index)
{
    uint8_t *p = target_of(self);
    Value type = ctypes_info_of(self)->item;
    return p ? ctypes_get(type, self, index, p + index * ctypes_info(type)->size) : TY_NULL;
}

static Value pointer_slice(Value self, TySlice *slice)
{
    int64_t start = 0, stop, step = 1;
    if (slice->step != TY_NONE && !ty_slice_index(slice->step, &step))
        return TY_NULL;
    if (step == 0)
        return ty_raise(&ty_ValueError, "slice step cannot be zero");
    if (slice->start != TY_NONE ? !ty_slice_index(slice->start, &start) : step < 0)
        return ty_raised() ? TY_NULL : ty_raise(&ty_ValueError, "slice start is required for step < 0");
    if (slice->stop == TY_NONE)
        return ty_raise(&ty_ValueError, "slice stop is required");
    if (!ty_slice_index(slice->stop, &stop))
        return TY_NULL;
    int64_t count = (step < 0) ? (stop >= start ? 0 : (start - stop - 1) / -step + 1) : (start >= stop ? 0 : (stop - start - 1) / step + 1);
    uint8_t *p = target_of(self);
    return p ? slice_of(self, ctypes_info_of(self), p, start, step, count, pointer_item) : TY_NULL;
}

static Value pointer_get_item(Value self, Value key)
{
    int64_t index;
    if (ty_has_index(key))
        return ty_subscript_index(key, &index) ? pointer_item(self, index) : TY_NULL;
    return ty_is_slice(key) ? pointer_slice(self, (TySlice *)ty_object(key)) : ty_raise(&ty_TypeError, "Pointer indices must be integer");
}

static bool pointer_set_item(Value self, Value key, Value v)
{
    int64_t index;
    if (v == TY_NULL)
        return ty_raise(&ty_TypeError, "Pointer does not support item deletion"), false;
    if (!ty_has_index(key))
        return ty_raise(&ty_TypeError, "Pointer indices must be integer"), false;
    uint8_t *p = ty_subscript_index(key, &index) ? target_of(self) : NULL;
    Value type = ctypes_info_of(self)->item;
    return p && ctypes_set(self, type, v, index, p + index * ctypes_info(type)->size);
}

static int pointer_to_bool(Value self) { return *(void **)ctypes_data(self)->p != NULL; }

static const TyGetSetDef pointer_getsets[] = {{"contents", get_contents, set_contents, "What it points to."}, {0}};

TyType ctypes_pointer_type = {
    .base = TY_STATIC_HEADER(ctypes_pointer_meta),
    .layout = {.size = sizeof(Data), .trace = data_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_ctypes._Pointer",
    .doc = "The base class of pointers.",
    .parent = &ctypes_data_type,
    .slots = {.new = pointer_new, .init = pointer_init, .get_item = pointer_get_item, .item = pointer_item, .set_item = pointer_set_item, .to_bool = pointer_to_bool,
              .hash = ctypes_hash, .get_buffer = ctypes_get_buffer},
    .getsets = pointer_getsets,
};
