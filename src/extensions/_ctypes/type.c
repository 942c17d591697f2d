/* The metatypes: what is known of a class of C data, from the attributes that its definition gives. */
#include "internal.h"

static void info_trace(TyObject *self, TyMarker *marker)
{
    Info *info = (Info *)self;
    ty_mark_range(marker, &info->item, 3);
    ty_mark(marker, info->fields);
    ty_mark_range(marker, &info->argtypes, (size_t)(&info->pointer_type - &info->argtypes) + 1);
}
static void info_destroy(TyObject *self) { free(((Info *)self)->elements); }

TyType ctypes_info_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Info), .trace = info_trace, .destroy = info_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW | TY_TYPE_FINAL,
    .name = "_ctypes.CType_Info",
    .parent = &ty_object_base_type,
};

Info *ctypes_info_new(Value type, Kind kind)
{
    Info *info = (Info *)ty_object(ty_type_allocate(&ctypes_info_type, 0));
    if (!info)
        return NULL;
    info->kind = kind;
    info->align = 1;
    info->ffi = &ffi_type_pointer;
    ty_store(ty_object(type), &ty_as_type(type)->module_state, ty_from_object(info));
    return info;
}

Info *ctypes_require(Value type, const char *message)
{
    Info *info = ctypes_info(type);
    if (!info)
        ty_raise(&ty_TypeError, "%s", message);
    return info;
}

const char *ctypes_type_name(Value type) { return ty_is_type(type) ? ty_type_short_name(ty_as_type(type)) : ty_type_short_name(ty_type_of(type)); }

bool ctypes_is_simple_subclass(Value type)
{
    Info *info = ctypes_info(type);
    return info && info->kind == KIND_SIMPLE && ty_as_type(type)->parent != &ctypes_simple_type;
}

static Value bytes_of_text(const char *text) { return ty_bytes_new(text, strlen(text) + 1); }

/* What a class statement gives: calls type's own __init__, and finds the attribute in the mro. TY_NULL without exception if missing. */
static Value attribute(Value type, const char *name)
{
    bool failed;
    return ty_get_attribute_or_null(type, ty_intern_text(name), &failed);
}

/* Of a class whose base has an Info: what is inherited. */
static Info *base_info(Value type)
{
    TyType *parent = ty_as_type(type)->parent;
    return parent ? ctypes_info(ty_from_object(parent)) : NULL;
}

static bool begin_init(Value type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_type_type.slots.init(type, arguments, count, keywords))
        return false;
    if (ctypes_info(type))
        return ty_raise(&ty_SystemError, "StgInfo of '%s' is already initialized.", ctypes_type_name(type)), false;
    return true;
}

/* --- simple types --------------------------------------------------------------------------------------------------------------- */

/* c_int.__ctype_be__: the same with its bytes in the other order. */
static bool add_swapped(Value type, Info *info, const Value *arguments)
{
    static const char sorts[] = "hHiIlLqQfdFD";
    if (!strchr(sorts, info->code->code))
        return true;
    Value name = arguments[0], bases = arguments[1], namespace = ty_dict_copy(arguments[2]);
    if (namespace == TY_NULL)
        return false;
    Value swapped = ty_type_new(ty_type_of(type), name, bases, namespace, TY_NULL, NULL);
    Info *other = swapped == TY_NULL ? NULL : ctypes_info_new(swapped, KIND_SIMPLE);
    if (!other)
        return false;
    char format[3] = {'>', info->code->format, 0};
    other->code = info->code;
    other->size = info->size;
    other->align = info->align;
    other->ffi = info->ffi;
    other->swapped = true;
    ty_store(other, &other->format, bytes_of_text(format));
    return ty_set_attribute(type, TY_NAME("__ctype_le__"), type) && ty_set_attribute(type, TY_NAME("__ctype_be__"), swapped)
        && ty_set_attribute(swapped, TY_NAME("__ctype_be__"), swapped) && ty_set_attribute(swapped, TY_NAME("__ctype_le__"), type);
}

static bool simple_init(Value type, const Value *arguments, size_t count, Value keywords)
{
    if (!begin_init(type, arguments, count, keywords))
        return false;
    Value text = attribute(type, "_type_");
    if (text == TY_NULL)
        return ty_clear_exception(), ty_raise(&ty_AttributeError, "class must define a '_type_' attribute"), false;
    if (!ty_is_str(text))
        return ty_raise(&ty_TypeError, "class must define a '_type_' string attribute"), false;
    if (ty_str_length(text) != 1)
        return ty_raise(&ty_ValueError, "class must define a '_type_' attribute which must be a string of length 1"), false;
    const Code *code = ctypes_code(ty_str_at(text, 0));
    if (!code)
        return ty_raise(&ty_AttributeError, "class must define a '_type_' attribute which must be\na single character string containing one of the\nsupported types: "
                                            "'cbBhHiIlLdDFGfuzZqQPOv?g'."), false;
    Info *info = ctypes_info_new(type, KIND_SIMPLE);
    if (!info)
        return false;
    char format[3] = {'<', code->format, 0};
    info->code = code;
    info->size = code->size;
    info->align = code->align;
    info->ffi = code->ffi;
    info->has_pointers = strchr("OzZP", code->code) != NULL;
    ty_store(info, &info->format, bytes_of_text(format));
    return count < 3 || add_swapped(type, info, arguments);
}

/* --- structures and unions -------------------------------------------------------------------------------------------------------- */

/* Each simple value in a structure, in order, as far as functions are called with it by value. */
typedef struct Leaf { int64_t offset; ffi_type *type; } Leaf;
enum { LEAVES_MAX = 64 };

static bool leaves_of(Info *info, int64_t offset, Leaf *leaves, int *count)
{
    if (info->kind == KIND_ARRAY) {
        Info *item = ctypes_info(info->item);
        for (int64_t i = 0; i < info->length; i++)
            if (!leaves_of(item, offset + i * item->size, leaves, count))
                return false;
        return true;
    }
    if (info->kind == KIND_STRUCTURE || info->kind == KIND_UNION) {
        for (int64_t i = 0; info->fields != TY_NULL && i < ty_list_length(info->fields); i++) {
            Field *field = (Field *)ty_object(ty_list_item(info->fields, i));
            if (!leaves_of(ctypes_info(field->type), offset + field->offset, leaves, count))
                return false;
        }
        return true;
    }
    if (*count == LEAVES_MAX)
        return false;
    leaves[(*count)++] = (Leaf){offset, info->ffi};
    return true;
}

/* Do the values follow one another as those of a plain structure do? */
static bool leaves_are_plain(const Leaf *leaves, int count, int64_t size)
{
    int64_t end = 0;
    for (int i = 0; i < count; i++) {
        int64_t align = leaves[i].type->alignment, expected = (end + align - 1) / align * align;
        if (leaves[i].offset != expected)
            return false;
        end = expected + (int64_t)leaves[i].type->size;
    }
    return count > 0 && end <= size;
}

/* What libffi is told of a structure. One with overlapping values is described by eight bytes at a time, which are floating or not: that is what calling conventions look at. */
static bool describe_structure(Info *info)
{
    Leaf leaves[LEAVES_MAX];
    int count = 0;
    bool all = info->size > 0 && leaves_of(info, 0, leaves, &count), plain = all && !info->has_bitfields && leaves_are_plain(leaves, count, info->size);
    int64_t words = (info->size + 7) / 8, needed = plain ? count : TY_MIN(words, (int64_t)LEAVES_MAX);
    ffi_type **elements = calloc((size_t)needed + 1, sizeof *elements);
    if (!elements)
        return ty_raise_memory_error(), false;
    for (int64_t i = 0; i < needed; i++) {
        if (plain) {
            elements[i] = leaves[i].type;
            continue;
        }
        bool floating = all;
        for (int k = 0; k < count; k++)
            if (leaves[k].offset / 8 <= i && (leaves[k].offset + (int64_t)leaves[k].type->size - 1) / 8 >= i && leaves[k].type->type != FFI_TYPE_FLOAT
                && leaves[k].type->type != FFI_TYPE_DOUBLE)
                floating = false;
        int64_t left = info->size - i * 8;
        elements[i] = left >= 8 ? (floating ? &ffi_type_double : &ffi_type_uint64) : left >= 4 ? (floating ? &ffi_type_float : &ffi_type_uint32) : left >= 2 ? &ffi_type_uint16 : &ffi_type_uint8;
    }
    free(info->elements);
    info->elements = elements;
    info->own_ffi = (ffi_type){.size = (size_t)info->size, .alignment = (unsigned short)info->align, .type = FFI_TYPE_STRUCT, .elements = elements};
    info->ffi = &info->own_ffi;
    return true;
}

ffi_type *ctypes_ffi_type(Info *info)
{
    if ((info->kind == KIND_STRUCTURE || info->kind == KIND_UNION) && info->ffi != &info->own_ffi && !describe_structure(info))
        return NULL;
    return info->kind == KIND_ARRAY ? &ffi_type_pointer : info->ffi;
}

static bool add_anonymous(Value type, Field *outer, Value field_type, int64_t offset)
{
    Value names = ty_get_attribute(field_type, TY_NAME("_fields_"));
    Value list = names == TY_NULL ? TY_NULL : ty_sequence_list(names);
    for (int64_t i = 0; list != TY_NULL && i < ty_list_length(list); i++) {
        Value pair = ty_list_item(list, i), name = ty_get_item(pair, ty_from_immediate_int(0)), inner = name == TY_NULL ? TY_NULL : ty_get_attribute(field_type, name);
        if (inner == TY_NULL)
            return false;
        if (!ty_is_exact(inner, &ctypes_field_type))
            return ty_raise(&ty_TypeError, "unexpected type"), false;
        Field *field = (Field *)ty_object(inner);
        if (field->anonymous) {
            if (!add_anonymous(type, outer, field->type, offset + field->offset))
                return false;
            continue;
        }
        Field *copy = (Field *)ty_object(ty_type_allocate(&ctypes_field_type, 0));
        if (!copy)
            return false;
        ty_store(copy, &copy->name, field->name);
        ty_store(copy, &copy->type, field->type);
        copy->offset = field->offset + offset;
        copy->byte_size = field->byte_size;
        copy->bit_offset = field->bit_offset;
        copy->bit_size = field->bit_size;
        copy->is_bitfield = field->is_bitfield;
        copy->index = field->index + outer->index;
        if (!ty_set_attribute(type, name, ty_from_object(copy)))
            return false;
    }
    return list != TY_NULL;
}

static bool make_anonymous(Value type)
{
    Value names = attribute(type, "_anonymous_");
    if (names == TY_NULL)
        return !ty_raised();
    Value list = ty_sequence_fast(names, "_anonymous_ must be a sequence");
    int64_t count = list == TY_NULL ? -1 : ty_length(list);
    for (int64_t i = 0; i < count; i++) {
        Value name = ty_sequence_item(list, i), field = name == TY_NULL ? TY_NULL : ty_get_attribute(type, name);
        if (field == TY_NULL)
            return false;
        if (!ty_is_exact(field, &ctypes_field_type))
            return ty_raise(&ty_AttributeError, "'%U' is specified in _anonymous_ but not in _fields_", name), false;
        Field *f = (Field *)ty_object(field);
        f->anonymous = true;
        if (!add_anonymous(type, f, f->type, f->offset))
            return false;
    }
    return count >= 0;
}

/* Lays the fields out: the library does it, in ctypes/_layout.py. */
static bool set_fields(Value type, Value fields, bool is_structure)
{
    Info *info = ctypes_require(type, "ctypes state is not initialized"), *base = base_info(type);
    if (!info)
        return false;
    if (info->final || info->given)
        return ty_raise(&ty_AttributeError, "_fields_ is final"), false;
    Value layout_module = ty_import_module("ctypes._layout"), get = layout_module == TY_NULL ? TY_NULL : ty_get_attribute(layout_module, TY_NAME("get_layout"));
    Value arguments[4] = {type, fields, ty_from_bool(is_structure), base ? ty_from_object(ty_as_type(type)->parent) : TY_NONE};
    Value layout = get == TY_NULL ? TY_NULL : ty_call(get, arguments, 4, TY_NULL);
    Value list = layout == TY_NULL ? TY_NULL : ty_get_attribute(layout, TY_NAME("fields")), size = list == TY_NULL ? TY_NULL : ty_get_attribute(layout, TY_NAME("size"));
    Value align = size == TY_NULL ? TY_NULL : ty_get_attribute(layout, TY_NAME("align")), format = align == TY_NULL ? TY_NULL : ty_get_attribute(layout, TY_NAME("format_spec"));
    Value all = format == TY_NULL ? TY_NULL : ty_list_new(0);
    if (all == TY_NULL || !ty_to_size(size, &info->size) || !ty_to_size(align, &info->align))
        return false;
    if (base && base->fields != TY_NULL && !ty_list_extend(all, base->fields))
        return false;
    info->has_pointers = base && base->has_pointers;
    Value own = ty_sequence_fast(list, "fields must be a sequence");
    int64_t count = own == TY_NULL ? -1 : ty_length(own);
    int64_t before = base ? base->length : 0;
    for (int64_t i = 0; i < count; i++) {
        Value v = ty_sequence_item(own, i);
        if (v == TY_NULL || !ty_is_exact(v, &ctypes_field_type))
            return v == TY_NULL ? false : (ty_raise(&ty_TypeError, "fields must be of type CField, got %T", v), false);
        Field *field = (Field *)ty_object(v);
        Info *inner = ctypes_info(field->type);
        if (inner == info)
            return ty_raise(&ty_AttributeError, "Structure or union cannot contain itself"), false;
        field->index += before;
        inner->final = true;
        info->has_pointers |= inner->has_pointers;
        info->has_bitfields |= field->is_bitfield || inner->has_bitfields;
        info->has_unions |= inner->kind == KIND_UNION || inner->has_unions;
        if (!ty_list_append(all, v) || !ty_set_attribute(type, field->name, v))
            return false;
    }
    if (count < 0)
        return false;
    size_t format_size;
    const char *text = ty_to_utf8(format, &format_size);
    if (!text)
        return false;
    info->length = before + count;
    info->given = true;
    ty_store(info, &info->fields, all);
    ty_store(info, &info->format, bytes_of_text(text));
    if (base)
        base->final = true;
    return make_anonymous(type);
}

static bool structure_init_common(Value type, const Value *arguments, size_t count, Value keywords, bool is_structure)
{
    if (!begin_init(type, arguments, count, keywords))
        return false;
    Value dict = ty_as_type(type)->dict;
    bool failed;
    Value abstract = ty_dict_get_text(dict, "_abstract_");
    if (abstract != TY_NULL || ty_raised())
        return !ty_raised();
    Info *base = base_info(type), *info = ctypes_info_new(type, is_structure ? KIND_STRUCTURE : KIND_UNION);
    if (!info)
        return false;
    ty_store(info, &info->format, bytes_of_text("B"));
    Value fields = ty_dict_get_text(dict, "_fields_");
    if (fields != TY_NULL)
        return ty_set_attribute(type, TY_NAME("_fields_"), fields);
    (void)failed;
    if (base) {
        info->size = base->size;
        info->align = base->align;
        info->length = base->length;
        info->has_pointers = base->has_pointers;
        info->has_bitfields = base->has_bitfields;
        info->has_unions = base->has_unions;
        ty_store(info, &info->format, base->format);
        base->final = true; /* its own may still be given */
        ty_store(info, &info->fields, base->fields);
    }
    return true;
}
static bool structure_init(Value type, const Value *a, size_t n, Value k) { return structure_init_common(type, a, n, k, true); }
static bool union_init(Value type, const Value *a, size_t n, Value k) { return structure_init_common(type, a, n, k, false); }

static bool structure_set_attribute(Value type, Value name, Value v)
{
    bool fields = v != TY_NULL && ty_str_equal_text(name, "_fields_");
    Info *info = fields ? ctypes_info(type) : NULL;
    if (info && (info->final || info->given))
        return ty_raise(&ty_AttributeError, "_fields_ is final"), false;
    if (!ty_type_type.slots.set_attribute(type, name, v) || !fields)
        return !ty_raised();
    return set_fields(type, v, ctypes_info(type) && ctypes_info(type)->kind == KIND_STRUCTURE);
}

/* --- arrays ---------------------------------------------------------------------------------------------------------------------------- */

static bool set_shape(Info *info, Info *item)
{
    int dimensions = item->kind == KIND_ARRAY ? item->dimensions + 1 : 1;
    Value shape = ty_bytes_new(NULL, (size_t)dimensions * sizeof(int64_t));
    if (shape == TY_NULL)
        return false;
    int64_t *numbers = (int64_t *)ty_bytes_data(shape);
    numbers[0] = info->length;
    if (dimensions > 1)
        memcpy(numbers + 1, ty_bytes_data(item->shape), (size_t)(dimensions - 1) * sizeof(int64_t));
    info->dimensions = dimensions;
    ty_store(info, &info->shape, shape);
    ty_store(info, &info->format, item->format);
    return true;
}

static bool array_init(Value type, const Value *arguments, size_t count, Value keywords)
{
    if (!begin_init(type, arguments, count, keywords))
        return false;
    Value length_value = attribute(type, "_length_");
    if (length_value == TY_NULL)
        return ty_clear_exception(), ty_raise(&ty_AttributeError, "class must define a '_length_' attribute"), false;
    int64_t length;
    if (!ty_is_int(length_value))
        return ty_raise(&ty_TypeError, "The '_length_' attribute must be an integer"), false;
    int fits = ty_int_get_int64(length_value, &length);
    if (fits < 0 || (fits == 0 && length < 0))
        return ty_raise(&ty_ValueError, "The '_length_' attribute must not be negative"), false;
    if (fits > 0)
        return ty_raise(&ty_OverflowError, "The '_length_' attribute is too large"), false;
    Value item_type = attribute(type, "_type_");
    if (item_type == TY_NULL)
        return ty_clear_exception(), ty_raise(&ty_AttributeError, "class must define a '_type_' attribute"), false;
    Info *item = ctypes_require(item_type, "_type_ must have storage info");
    if (!item)
        return false;
    if (item->size && length > INT64_MAX / item->size)
        return ty_raise(&ty_OverflowError, "array too large"), false;
    Info *info = ctypes_info_new(type, KIND_ARRAY);
    if (!info)
        return false;
    info->length = length;
    info->size = length * item->size;
    info->align = item->align;
    info->has_pointers = item->has_pointers || item->kind == KIND_POINTER;
    item->final = true;
    ty_store(info, &info->item, item_type);
    return set_shape(info, item);
}

Value ctypes_array_of(Value type, int64_t length)
{
    Value cache = ctypes_state(STATE_ARRAYS), key = cache == TY_NULL ? TY_NULL : ty_tuple_pack(2, type, ty_int_from_int64(length));
    Value there = key == TY_NULL ? TY_NULL : ty_dict_get(cache, key);
    if (there != TY_NULL || ty_raised())
        return there;
    Value name = ty_str_format("%s_Array_%lld", ctypes_type_name(type), (long long)length), namespace = ty_dict_new();
    Value bases = ty_tuple_pack(1, ty_from_object(&ctypes_array_type));
    if (name == TY_NULL || namespace == TY_NULL || bases == TY_NULL || !ty_dict_set_text(namespace, "_length_", ty_int_from_int64(length))
        || !ty_dict_set_text(namespace, "_type_", type))
        return TY_NULL;
    Value arguments[3] = {name, bases, namespace}, made = ty_call(ty_from_object(&ctypes_array_meta), arguments, 3, TY_NULL);
    return made == TY_NULL ? TY_NULL : ty_dict_set_default(cache, key, made);
}

static Value type_multiply(Value left, Value right)
{
    Value type = ty_is_type(left) ? left : right, number = ty_is_type(left) ? right : left;
    int64_t length;
    if (!ty_is_type(type) || !ty_is_instance_of(type, &ctypes_meta_type))
        return TY_NOT_IMPLEMENTED;
    if (!ty_has_index(number))
        return ty_raise(&ty_TypeError, "can't multiply sequence by non-int of type '%T'", number);
    if (!ty_to_size(number, &length))
        return TY_NULL;
    if (length < 0)
        return ty_raise(&ty_ValueError, "Array length must be >= 0, not %lld", (long long)length);
    return ctypes_array_of(type, length);
}

/* --- pointers ----------------------------------------------------------------------------------------------------------------------------- */

static bool set_pointed(Value type, Info *info, Value to)
{
    Info *target = ty_is_type(to) ? ctypes_info(to) : NULL;
    if (!ty_is_type(to))
        return ty_raise(&ty_TypeError, "_type_ must be a type"), false;
    if (!target)
        return ty_raise(&ty_TypeError, "_type_ must have storage info"), false;
    ty_store(info, &info->item, to);
    if (target->pointer_type == TY_NULL)
        ty_store(target, &target->pointer_type, type);
    char text[512];
    int n = snprintf(text, sizeof text, "&");
    if (target->kind == KIND_ARRAY) {
        const int64_t *shape = (const int64_t *)ty_bytes_data(target->shape);
        for (int i = 0; i < target->dimensions && n < 400; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s%lld", i ? "," : "(", (long long)shape[i]);
        n += snprintf(text + n, sizeof text - (size_t)n, ")");
    }
    Value format = ty_str_format("%s%s", text, target->format == TY_NULL ? "B" : (const char *)ty_bytes_data(target->format));
    size_t size;
    const char *utf8 = format == TY_NULL ? NULL : ty_to_utf8(format, &size);
    if (!utf8)
        return false;
    ty_store(info, &info->format, bytes_of_text(utf8));
    return true;
}

static bool pointer_init(Value type, const Value *arguments, size_t count, Value keywords)
{
    if (!begin_init(type, arguments, count, keywords))
        return false;
    Info *info = ctypes_info_new(type, KIND_POINTER);
    if (!info)
        return false;
    info->size = sizeof(void *);
    info->align = _Alignof(void *);
    info->length = 1;
    info->has_pointers = true;
    Value to = ty_dict_get_text(ty_as_type(type)->dict, "_type_");
    return !ty_raised() && (to == TY_NULL || set_pointed(type, info, to));
}

static Value pointer_set_type(Value type, Value *a)
{
    Info *info = ctypes_require(type, "abstract class");
    if (!info || !set_pointed(type, info, a[0]) || !ty_set_attribute(type, TY_NAME("_type_"), a[0]))
        return TY_NULL;
    return TY_NONE;
}

/* --- functions -------------------------------------------------------------------------------------------------------------------------------- */

static bool function_init(Value type, const Value *arguments, size_t count, Value keywords)
{
    if (!begin_init(type, arguments, count, keywords))
        return false;
    Info *info = ctypes_info_new(type, KIND_FUNCTION);
    if (!info)
        return false;
    info->size = sizeof(void *);
    info->align = _Alignof(void *);
    info->has_pointers = true;
    ty_store(info, &info->format, bytes_of_text("X{}"));
    return ctypes_function_prepare(info, type);
}

/* --- methods of all -------------------------------------------------------------------------------------------------------------------------------- */

static Value type_from_address(Value type, Value *a)
{
    uint64_t address;
    if (!ty_is_int(a[0]))
        return ty_raise(&ty_TypeError, "integer expected");
    if (!ty_to_uint64_mask(a[0], &address) || !ctypes_audit("ctypes.cdata", a[0], TY_NULL) || !ctypes_require(type, "abstract class"))
        return TY_NULL;
    return ctypes_data_at(type, (void *)address);
}

static bool check_room(int64_t length, int64_t offset, Info *info)
{
    if (offset < 0)
        return ty_raise(&ty_ValueError, "offset cannot be negative"), false;
    if (info->size > length - offset)
        return ty_raise(&ty_ValueError, "Buffer size too small (%lld instead of at least %lld bytes)", (long long)length, (long long)(info->size + offset)), false;
    return true;
}

static Value type_from_buffer(Value type, Value *a)
{
    Info *info = ctypes_require(type, "abstract class");
    int64_t offset = 0;
    if (!info || (a[1] != TY_NULL && !ty_to_size(a[1], &offset)))
        return TY_NULL;
    Value view = ty_memoryview_new(a[0]), data;
    TyBuffer buffer;
    if (view == TY_NULL || !ty_buffer_get(view, &buffer, TY_BUFFER_FULL_RO))
        return TY_NULL;
    if (buffer.read_only)
        data = ty_raise(&ty_TypeError, "underlying buffer is not writable");
    else if (!ty_buffer_is_contiguous(&buffer, 'C'))
        data = ty_raise(&ty_TypeError, "underlying buffer is not C contiguous");
    else
        data = check_room(buffer.length, offset, info) ? ctypes_data_at(type, buffer.data + offset) : TY_NULL;
    ty_buffer_release(&buffer);
    /* The view stays open as long as the data lives. */
    return data != TY_NULL && ctypes_keep(data, -1, view) ? data : TY_NULL;
}

static Value type_from_buffer_copy(Value type, Value *a)
{
    Info *info = ctypes_require(type, "abstract class");
    int64_t offset = 0;
    TyBuffer buffer;
    if (!info || (a[1] != TY_NULL && !ty_to_size(a[1], &offset)) || !ty_buffer_get(a[0], &buffer, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value data = check_room(buffer.length, offset, info) ? ctypes_data_copy(type, buffer.data + offset) : TY_NULL;
    ty_buffer_release(&buffer);
    return data;
}

#include <dlfcn.h>

static Value type_in_dll(Value type, Value *a)
{
    int64_t handle;
    size_t size;
    Value number = ty_get_attribute(a[0], TY_NAME("_handle"));
    if (number == TY_NULL)
        return TY_NULL;
    if (!ty_is_int(number))
        return ty_raise(&ty_TypeError, "the _handle attribute of the second argument must be an integer");
    const char *name = ty_to_int64(number, &handle) && ty_is_str(a[1]) ? ty_to_utf8(a[1], &size) : NULL;
    if (!name)
        return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "in_dll() argument 2 must be str, not %T", a[1]);
    dlerror();
    void *p = dlsym((void *)handle, name);
    const char *error = p ? NULL : dlerror();
    if (!p)
        return error ? ty_raise(&ty_ValueError, "%s", error) : ty_raise(&ty_ValueError, "symbol '%s' not found", name);
    return ctypes_require(type, "abstract class") ? ctypes_data_at(type, p) : TY_NULL;
}

static Value type_from_param(Value type, Value *a) { return ctypes_from_param(type, a[0]); }

static Value get_pointer_type(Value type)
{
    Info *info = ctypes_require(type, "must have storage info");
    if (!info)
        return TY_NULL;
    return info->pointer_type != TY_NULL ? info->pointer_type : ty_raise(&ty_AttributeError, "type %R has no attribute '__pointer_type__'", type);
}
static bool set_pointer_type(Value type, Value v)
{
    Info *info = ctypes_require(type, "must have storage info");
    if (info)
        ty_store(info, &info->pointer_type, v);
    return info != NULL;
}

#define TYPE_METHODS                                                                                                                                   \
    TY_METHOD("from_address(self, value, /)", type_from_address, "C data at an address."),                                                             \
    TY_METHOD("from_buffer(self, obj, offset=0, /)", type_from_buffer, "C data in the memory of a writable buffer."),                                   \
    TY_METHOD("from_buffer_copy(self, buffer, offset=0, /)", type_from_buffer_copy, "C data with a copy of a buffer's bytes."),                         \
    TY_METHOD("in_dll(self, dll, name, /)", type_in_dll, "C data that a library exports."),                                                            \
    TY_METHOD("from_param(self, value, /)", type_from_param, "The value as an argument for C.")

static const TyNativeDef type_methods[] = {TYPE_METHODS, {0}};
static const TyNativeDef pointer_type_methods[] = {TYPE_METHODS, TY_METHOD("set_type(self, type, /)", pointer_set_type, "Says what a pointer type points to."), {0}};
static const TyGetSetDef type_getsets[] = {{"__pointer_type__", get_pointer_type, set_pointer_type, "The type of pointers to it."}, {0}};

TyType ctypes_meta_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyType)},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_ctypes.CType_Type",
    .parent = &ty_type_type,
    .slots = {.binary = {[TY_BINARY_MULTIPLY] = type_multiply}},
    .getsets = type_getsets,
};

#define META(variable, name_, init_, set_, methods_)                              \
    TyType variable = {                                                           \
        .base = TY_STATIC_HEADER(ty_type_type),                                   \
        .layout = {.size = sizeof(TyType)},                                       \
        .flags = TY_TYPE_IMMUTABLE,                                               \
        .name = "_ctypes." name_,                                                 \
        .parent = &ctypes_meta_type,                                              \
        .slots = {.init = init_, .set_attribute = set_},                          \
        .methods = methods_,                                                      \
    };
META(ctypes_simple_meta, "PyCSimpleType", simple_init, NULL, type_methods)
META(ctypes_structure_meta, "PyCStructType", structure_init, structure_set_attribute, type_methods)
META(ctypes_union_meta, "UnionType", union_init, structure_set_attribute, type_methods)
META(ctypes_array_meta, "PyCArrayType", array_init, NULL, type_methods)
META(ctypes_pointer_meta, "PyCPointerType", pointer_init, NULL, pointer_type_methods)
META(ctypes_function_meta, "PyCFuncPtrType", function_init, NULL, type_methods)
