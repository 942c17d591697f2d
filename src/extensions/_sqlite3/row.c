/* sqlite3.Row: a row whose columns can be had by name. */
#include "internal.h"

typedef struct Row {
    TyObject base;
    Value data, description; /* tuples; description may be None */
} Row;

static Row *as_row(Value v) { return (Row *)ty_object(v); }

static void row_trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ((Row *)self)->data);
    ty_mark(marker, ((Row *)self)->description);
}

static Value row_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("Row", keywords) || !ty_check_positional("Row", count, 2, 2))
        return TY_NULL;
    if (!ty_is_instance_of(arguments[0], &sqlite_cursor_type))
        return ty_raise(&ty_TypeError, "Row() argument 1 must be sqlite3.Cursor, not %T", arguments[0]);
    if (!ty_is_tuple(arguments[1]))
        return ty_raise(&ty_TypeError, "Row() argument 2 must be tuple, not %T", arguments[1]);
    Value self = ty_type_allocate(type, 0);
    if (self == TY_NULL)
        return TY_NULL;
    ty_store(ty_object(self), &as_row(self)->data, arguments[1]);
    ty_store(ty_object(self), &as_row(self)->description, ty_field(&((Cursor *)ty_object(arguments[0]))->description));
    return self;
}

static uint32_t lower(uint32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

/* Letters of ASCII are equal in either case. */
static bool same_name(Value a, Value b)
{
    if (a == b)
        return true;
    if (!ty_is_str(a) || ty_str_length(a) != ty_str_length(b))
        return false;
    for (int64_t i = 0; i < ty_str_length(a); i++)
        if (lower(ty_str_at(a, i)) != lower(ty_str_at(b, i)))
            return false;
    return true;
}

static Value item_by_name(Row *row, Value name)
{
    if (!ty_is_tuple(row->description))
        return ty_raise_value(&ty_IndexError, name);
    int64_t columns = ty_is_tuple(row->description) ? ty_tuple_length(row->description) : 0;
    for (int64_t i = 0; i < columns && i < ty_tuple_length(row->data); i++)
        if (same_name(ty_tuple_item(ty_tuple_item(row->description, i), 0), name))
            return ty_tuple_item(row->data, i);
    return ty_raise(&ty_IndexError, "No item with that key");
}

static Value row_get_item(Value self, Value key)
{
    Row *row = as_row(self);
    if (ty_is_int(key)) {
        int64_t index;
        if (ty_int_get_int64(key, &index) != 0)
            return ty_raise(&ty_IndexError, "cannot fit '%T' into an index-sized integer", key);
        int64_t length = ty_tuple_length(row->data);
        if (index < 0)
            index += length;
        return index >= 0 && index < length ? ty_tuple_item(row->data, index) : ty_raise(&ty_IndexError, "tuple index out of range");
    }
    if (ty_is_str(key))
        return item_by_name(row, key);
    if (ty_str_equal_text(ty_type_of(key)->name_value, "slice"))
        return ty_get_item(row->data, key);
    return ty_raise(&ty_IndexError, "Index must be int or string");
}

static Value row_item(Value self, int64_t index) { return ty_sequence_item(as_row(self)->data, index); }
static int64_t row_length(Value self) { return ty_tuple_length(as_row(self)->data); }
static Value row_iter(Value self) { return ty_iter(as_row(self)->data); }

static int64_t row_hash(Value self)
{
    int64_t description = ty_hash(as_row(self)->description), data = description == -1 ? -1 : ty_hash(as_row(self)->data);
    if (data == -1)
        return -1;
    return (description ^ data) == -1 ? -2 : description ^ data;
}

static Value row_compare(Value left, Value right, int op)
{
    if ((op != TY_EQ && op != TY_NE) || !ty_is_instance_of(right, &sqlite_row_type))
        return TY_NOT_IMPLEMENTED;
    int same = ty_equal(as_row(left)->description, as_row(right)->description);
    if (same > 0)
        same = ty_equal(as_row(left)->data, as_row(right)->data);
    return same < 0 ? TY_NULL : ty_from_bool(same == (op == TY_EQ));
}

static Value row_keys(Value self, Value *a)
{
    Row *row = as_row(self);
    Value list = ty_list_new(0);
    for (int64_t i = 0; list != TY_NULL && ty_is_tuple(row->description) && i < ty_tuple_length(row->description); i++)
        if (!ty_list_append(list, ty_tuple_item(ty_tuple_item(row->description, i), 0)))
            return TY_NULL;
    return list;
}

static const TyNativeDef row_methods[] = {
    TY_METHOD("keys(self, /)", row_keys, "The names of the columns."),
    {0},
};

TyType sqlite_row_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Row), .trace = row_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "sqlite3.Row",
    .parent = &ty_object_base_type,
    .slots = {.new = row_new, .get_item = row_get_item, .item = row_item, .length = row_length, .iter = row_iter, .hash = row_hash, .compare = row_compare},
    .methods = row_methods,
};
