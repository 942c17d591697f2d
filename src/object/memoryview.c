/* memoryview: a window on another object's buffer, of any number of dimensions.
 *
 * All views that come from one memoryview(x) share a Managed, which holds x's buffer. It is given back when no view uses it any more: when the last
 * is released by release() or `with`, or, for exporters that want to know, when the collector finds that none is left. A view's
 * shape, strides and suboffsets lie behind it. */
#include "object/buffer.h"
#include "object/bytes_parts.h"
#include "object/dict.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/slice.h"
#include "object/str.h"
#include "object/str_parts.h"
#include "object/tuple.h"
#include "object/type.h"

#define MAX_DIMENSIONS 64

typedef struct Managed {
    TyObject base;
    TyBuffer buffer;         /* exporter TY_NULL: given back */
    void (*release)(Value self, TyBuffer *view); /* how it is given back, if not as the exporter's type says */
    bool borrowed;           /* memory that is only kept alive: nobody is told */
    _Atomic int64_t users;   /* memoryviews that are not released */
} Managed;

typedef struct View {
    TyObject base;
    Managed *managed;
    TyBuffer view;           /* its exporter stays TY_NULL: the buffer is the Managed's */
    _Atomic int64_t exports; /* buffers got from this view */
    _Atomic int64_t hash;    /* 0: not computed */
    _Atomic bool released;
    bool restricted;         /* _from_flags: new views must not be made of it (its exporter may be asked again) */
    int64_t layout[];        /* shape, strides, suboffsets */
} View;

static View *as_view(Value v) { return (View *)ty_object(v); }

/* --- the managed buffer -------------------------------------------------------------------------------------------------- */

static void managed_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Managed *)self)->buffer.exporter); }

static void give_back(Managed *m)
{
    Value exporter = m->buffer.exporter;
    if (exporter == TY_NULL)
        return;
    if (m->release || m->borrowed) {
        if (m->release)
            m->release(exporter, &m->buffer);
        m->buffer.exporter = TY_NULL;
    } else {
        ty_buffer_release(&m->buffer);
    }
}

static bool managed_finalize(TyObject *self)
{
    give_back((Managed *)self);
    return true;
}

static TyType managed_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Managed), .trace = managed_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE,
    .name = "managedbuffer",
};
/* The same for exporters that must be told when the buffer is given back. */
static TyType finalized_managed_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Managed), .trace = managed_trace, .finalize = managed_finalize},
    .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE,
    .name = "managedbuffer",
};

static Managed *managed_new(Value exporter, int flags)
{
    bool told = ty_type_of(exporter)->slots.release_buffer != NULL;
    Managed *m = ty_allocate(told ? &finalized_managed_type : &managed_type, sizeof(Managed));
    if (!m || !ty_buffer_get(exporter, &m->buffer, flags))
        return NULL;
    return m;
}

/* --- making views --------------------------------------------------------------------------------------------------------------- */

static void view_trace(TyObject *self, TyMarker *marker)
{
    View *v = (View *)self;
    if (v->managed)
        ty_mark_object(marker, &v->managed->base);
}

/* A view like `like`, with room for so many dimensions; shape and strides are copied if they are as many. */
static View *view_new(Managed *managed, const TyBuffer *like, int dimensions)
{
    View *v = ty_allocate(&ty_memoryview_type, sizeof(View) + 3 * (size_t)dimensions * sizeof(int64_t));
    if (!v)
        return NULL;
    v->view = *like;
    v->view.exporter = TY_NULL;
    v->view.internal = NULL;
    v->view.format = like->format ? like->format : "B";
    v->view.dimensions = dimensions;
    v->view.shape = v->layout;
    v->view.strides = v->layout + dimensions;
    v->view.suboffsets = like->suboffsets ? v->layout + 2 * dimensions : NULL;
    if (like->dimensions == dimensions) {
        int64_t step = like->item_size;
        for (int i = dimensions - 1; i >= 0; i--) {
            v->layout[i] = like->shape ? like->shape[i] : like->length / TY_MAX(like->item_size, 1);
            v->view.strides[i] = like->strides ? like->strides[i] : step;
            if (like->suboffsets)
                v->view.suboffsets[i] = like->suboffsets[i];
            step *= v->layout[i];
        }
    }
    ty_store_pointer(v, &v->managed, managed);
    atomic_fetch_add_explicit(&managed->users, 1, memory_order_relaxed);
    return v;
}

static bool usable(View *v)
{
    if (TY_LIKELY(!ty_load_relaxed(&v->released) && v->managed && v->managed->buffer.exporter != TY_NULL))
        return true;
    ty_raise(&ty_ValueError, "operation forbidden on released memoryview object");
    return false;
}

static bool few_dimensions(const TyBuffer *view)
{
    if (view->dimensions <= MAX_DIMENSIONS)
        return true;
    ty_raise(&ty_ValueError, "memoryview: number of dimensions must not exceed %d", MAX_DIMENSIONS);
    return false;
}

Value ty_memoryview_from_flags(Value exporter, int flags)
{
    if (ty_is_exact(exporter, &ty_memoryview_type)) {
        View *v = as_view(exporter);
        if (!usable(v))
            return TY_NULL;
        if (v->restricted)
            return ty_raise(&ty_ValueError, "cannot create new view on restricted memoryview");
        View *other = view_new(v->managed, &v->view, v->view.dimensions);
        return other ? ty_from_object(other) : TY_NULL;
    }
    if (!ty_has_buffer(exporter))
        return ty_raise(&ty_TypeError, "memoryview: a bytes-like object is required, not '%T'", exporter);
    Managed *m = managed_new(exporter, flags);
    if (!m)
        return TY_NULL;
    if (!few_dimensions(&m->buffer)) {
        ty_buffer_release(&m->buffer);
        return TY_NULL;
    }
    View *v = view_new(m, &m->buffer, m->buffer.dimensions);
    return v ? ty_from_object(v) : TY_NULL;
}

Value ty_memoryview_new(Value exporter) { return ty_memoryview_from_flags(exporter, TY_BUFFER_FULL & ~TY_BUFFER_WRITABLE); }

Value ty_memoryview_from_memory(void *data, int64_t length, bool read_only, Value owner)
{
    Managed *m = ty_allocate(&managed_type, sizeof(Managed));
    if (!m)
        return TY_NULL;
    ty_buffer_fill(&m->buffer, owner == TY_NULL ? TY_NONE : owner, data, length, read_only, TY_BUFFER_FULL & ~TY_BUFFER_WRITABLE);
    m->borrowed = true;
    View *v = view_new(m, &m->buffer, 1);
    return v ? ty_from_object(v) : TY_NULL;
}

Value ty_memoryview_from_slot(Value exporter, bool (*get)(Value, TyBuffer *, int), void (*give)(Value, TyBuffer *), int flags)
{
    Managed *m = ty_allocate(give ? &finalized_managed_type : &managed_type, sizeof(Managed));
    if (!m || !get(exporter, &m->buffer, flags))
        return TY_NULL;
    m->release = give;
    m->borrowed = !give;
    View *v = view_new(m, &m->buffer, m->buffer.dimensions);
    return v ? ty_from_object(v) : TY_NULL;
}

static Value view_type_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("memoryview(object)");
    Value a[1];
    return ty_parse_arguments(&signature, arguments, count, keywords, a) ? ty_memoryview_new(a[0]) : TY_NULL;
}

static Value from_flags(Value type, Value *a)
{
    int32_t flags;
    if (!ty_to_int32(a[1], &flags))
        return TY_NULL;
    return ty_memoryview_from_flags(a[0], flags);
}

/* --- release ------------------------------------------------------------------------------------------------------------------------ */

static bool release(View *v)
{
    if (ty_load_relaxed(&v->released))
        return true;
    int64_t exports = ty_load_relaxed(&v->exports);
    if (exports > 0) {
        ty_raise(&ty_BufferError, "memoryview has %zd exported buffer%s", exports, exports == 1 ? "" : "s");
        return false;
    }
    if (atomic_exchange_explicit(&v->released, true, memory_order_acq_rel))
        return true;
    if (v->managed && atomic_fetch_sub_explicit(&v->managed->users, 1, memory_order_acq_rel) == 1)
        give_back(v->managed);
    return true;
}

static Value view_release(Value self, Value *a) { return release(as_view(self)) ? TY_NONE : TY_NULL; }
static Value view_enter(Value self, Value *a) { return usable(as_view(self)) ? self : TY_NULL; }
static Value view_exit(Value self, Value *a) { return view_release(self, a); }

/* --- as an exporter ---------------------------------------------------------------------------------------------------------------------- */

static bool refuse(const char *message)
{
    ty_raise(&ty_BufferError, "%s", message);
    return false;
}

static bool view_get_buffer(Value self, TyBuffer *out, int flags)
{
    View *v = as_view(self);
    if (!usable(v))
        return false;
    const TyBuffer *view = &v->view;
    bool c = ty_buffer_is_contiguous(view, 'C'), f = ty_buffer_is_contiguous(view, 'F');
    if ((flags & TY_BUFFER_WRITABLE) && view->read_only)
        return refuse("memoryview: underlying buffer is not writable");
    if ((flags & TY_BUFFER_C_CONTIGUOUS) == TY_BUFFER_C_CONTIGUOUS && !c)
        return refuse("memoryview: underlying buffer is not C-contiguous");
    if ((flags & TY_BUFFER_F_CONTIGUOUS) == TY_BUFFER_F_CONTIGUOUS && !f)
        return refuse("memoryview: underlying buffer is not Fortran contiguous");
    if ((flags & TY_BUFFER_ANY_CONTIGUOUS) == TY_BUFFER_ANY_CONTIGUOUS && !c && !f)
        return refuse("memoryview: underlying buffer is not contiguous");
    if ((flags & TY_BUFFER_INDIRECT) != TY_BUFFER_INDIRECT && view->suboffsets)
        return refuse("memoryview: underlying buffer requires suboffsets");
    if ((flags & TY_BUFFER_STRIDES) != TY_BUFFER_STRIDES && !c)
        return refuse("memoryview: underlying buffer is not C-contiguous");
    *out = *view;
    if (!(flags & TY_BUFFER_FORMAT))
        out->format = NULL;
    if ((flags & TY_BUFFER_STRIDES) != TY_BUFFER_STRIDES)
        out->strides = NULL;
    if (!(flags & TY_BUFFER_ND)) {
        if (flags & TY_BUFFER_FORMAT)
            return refuse("memoryview: cannot cast to unsigned bytes if the format flag is present");
        out->dimensions = 1;
        out->shape = NULL;
    }
    out->exporter = self;
    atomic_fetch_add_explicit(&v->exports, 1, memory_order_relaxed);
    return true;
}

static void view_release_buffer(Value self, TyBuffer *view)
{
    atomic_fetch_sub_explicit(&as_view(self)->exports, 1, memory_order_release);
}

/* --- finding items ------------------------------------------------------------------------------------------------------------------------ */

/* The item at `index` of one dimension, from the address of that dimension's start; NULL with IndexError. */
static uint8_t *step_into(const TyBuffer *view, uint8_t *at, int dimension, int64_t index)
{
    int64_t count = view->shape[dimension];
    if (index < 0)
        index += count;
    if (index < 0 || index >= count) {
        ty_raise(&ty_IndexError, "index out of bounds on dimension %d", dimension + 1);
        return NULL;
    }
    at += view->strides[dimension] * index;
    if (view->suboffsets && view->suboffsets[dimension] >= 0) {
        memcpy(&at, (const void *)at, sizeof at);
        at += view->suboffsets[dimension];
    }
    return at;
}

/* The item that a key (an int, or a tuple of as many ints as there are dimensions) names. */
static uint8_t *item_address(View *v, Value key)
{
    const TyBuffer *view = &v->view;
    uint8_t *at = view->data;
    if (!ty_is_tuple(key)) {
        int64_t index;
        if (!ty_subscript_index(key, &index) || !usable(v))
            return NULL;
        return step_into(view, at, 0, index);
    }
    int64_t count = ty_tuple_length(key);
    if (count > view->dimensions) {
        ty_raise(&ty_TypeError, "cannot index %d-dimension view with %zd-element tuple", view->dimensions, count);
        return NULL;
    }
    for (int i = 0; i < count && at; i++) {
        int64_t index;
        if (!ty_subscript_index(ty_tuple_item(key, i), &index) || !usable(v))
            return NULL;
        at = step_into(view, at, i, index);
    }
    return at;
}

typedef enum { KEY_INDEX, KEY_SLICE, KEY_MULTI_INDEX, KEY_MULTI_SLICE, KEY_OTHER } KeyKind;

static KeyKind kind_of_key(Value key)
{
    if (ty_is_slice(key))
        return KEY_SLICE;
    if (ty_is_tuple(key)) {
        int64_t count = ty_tuple_length(key), indexes = 0, slices = 0;
        for (int64_t i = 0; i < count; i++) {
            indexes += ty_has_index(ty_tuple_item(key, i));
            slices += ty_is_slice(ty_tuple_item(key, i));
        }
        return indexes == count ? KEY_MULTI_INDEX : slices == count ? KEY_MULTI_SLICE : KEY_OTHER;
    }
    return ty_has_index(key) ? KEY_INDEX : KEY_OTHER;
}

static Value slice_view(View *v, Value key)
{
    int64_t start, stop, step;
    if (v->restricted)
        return ty_raise(&ty_ValueError, "cannot create new view on restricted memoryview");
    View *part = view_new(v->managed, &v->view, v->view.dimensions);
    if (!part)
        return TY_NULL;
    if (!ty_slice_unpack(key, &start, &stop, &step)) { /* may run code that releases the view that is sliced */
        release(part);
        return TY_NULL;
    }
    TyBuffer *view = &part->view;
    int64_t count = ty_slice_adjust(view->shape[0], &start, &stop, step);
    view->data += view->strides[0] * start;
    view->shape[0] = count;
    view->strides[0] *= step;
    view->length = view->item_size;
    for (int i = 0; i < view->dimensions; i++)
        view->length *= view->shape[i];
    return ty_from_object(part);
}

static Value view_get_item(Value self, Value key)
{
    View *v = as_view(self);
    if (!usable(v))
        return TY_NULL;
    KeyKind kind = kind_of_key(key);
    int dimensions = v->view.dimensions;
    if (dimensions == 0) {
        if (ty_is_tuple(key) && ty_tuple_length(key) == 0)
            return ty_buffer_unpack(v->view.format, v->view.data);
        if (key == TY_ELLIPSIS)
            return self;
        return ty_raise(&ty_TypeError, "invalid indexing of 0-dim memory");
    }
    if (kind == KEY_INDEX && dimensions > 1)
        return ty_raise(&ty_NotImplementedError, "multi-dimensional sub-views are not implemented");
    if (kind == KEY_MULTI_INDEX && ty_tuple_length(key) < dimensions)
        return ty_raise(&ty_NotImplementedError, "sub-views are not implemented");
    switch (kind) {
    case KEY_INDEX: case KEY_MULTI_INDEX: {
        uint8_t *at = item_address(v, key);
        return at ? ty_buffer_unpack(v->view.format, at) : TY_NULL;
    }
    case KEY_SLICE: return slice_view(v, key);
    case KEY_MULTI_SLICE: return ty_raise(&ty_NotImplementedError, "multi-dimensional slicing is not implemented");
    default: return ty_raise(&ty_TypeError, "memoryview: invalid slice key");
    }
}

/* view[slice] = value: both one-dimensional, of one format and length. */
static bool assign_slice(View *v, Value key, Value value)
{
    TyBuffer source;
    Value part = slice_view(v, key);
    if (part != TY_NULL && !usable(v)) {
        release(as_view(part));
        return false;
    }
    if (part == TY_NULL || !ty_buffer_get(value, &source, TY_BUFFER_FULL & ~TY_BUFFER_WRITABLE))
        return false;
    TyBuffer *target = &as_view(part)->view;
    bool done = false;
    const char *format = source.format ? source.format : "B", *wanted = target->format;
    format += *format == '@';
    wanted += *wanted == '@';
    if (source.dimensions != 1 || source.item_size != target->item_size || strcmp(format, wanted) != 0 ||
        source.length != target->length) {
        ty_raise(&ty_ValueError, "memoryview assignment: lvalue and rvalue have different structures");
    } else {
        Value copy = ty_bytes_new(NULL, (size_t)source.length); /* they may overlap */
        done = copy != TY_NULL && ty_buffer_copy_out(&source, ty_as_bytes(copy)->data, 'C') && ty_buffer_copy_in(target, ty_bytes_data(copy));
    }
    ty_buffer_release(&source);
    release(as_view(part));
    return done;
}

static bool view_set_item(Value self, Value key, Value value)
{
    View *v = as_view(self);
    if (!usable(v))
        return false;
    const TyBuffer *view = &v->view;
    if (view->read_only) {
        ty_raise(&ty_TypeError, "cannot modify read-only memory");
        return false;
    }
    if (value == TY_NULL) {
        ty_raise(&ty_TypeError, "cannot delete memory");
        return false;
    }
    KeyKind kind = kind_of_key(key);
    if (view->dimensions == 0) {
        if (key == TY_ELLIPSIS || (ty_is_tuple(key) && ty_tuple_length(key) == 0))
            return ty_buffer_pack(view->format, view->data, value);
        ty_raise(&ty_TypeError, "invalid indexing of 0-dim memory");
        return false;
    }
    if (kind == KEY_INDEX || kind == KEY_MULTI_INDEX) {
        if (kind == KEY_INDEX ? view->dimensions > 1 : ty_tuple_length(key) < view->dimensions) {
            ty_raise(&ty_NotImplementedError, "sub-views are not implemented");
            return false;
        }
        uint8_t *at = item_address(v, key), packed[16];
        if (!at || view->item_size > (int64_t)sizeof packed)
            return at ? ty_buffer_pack(view->format, at, value) : false;
        if (!ty_buffer_pack(view->format, packed, value) || !usable(v)) /* may run Python code that releases the view */
            return false;
        ty_buffer_move(at, packed, (size_t)view->item_size);
        return true;
    }
    if (kind == KEY_SLICE && view->dimensions == 1)
        return assign_slice(v, key, value);
    if (kind == KEY_SLICE || kind == KEY_MULTI_SLICE)
        ty_raise(&ty_NotImplementedError, "memoryview slice assignments are currently restricted to ndim = 1");
    else
        ty_raise(&ty_TypeError, "memoryview: invalid slice key");
    return false;
}

static int64_t view_length(Value self)
{
    View *v = as_view(self);
    if (!usable(v))
        return -1;
    if (v->view.dimensions == 0) {
        ty_raise(&ty_TypeError, "0-dim memory has no length");
        return -1;
    }
    return v->view.shape[0];
}

static Value view_item(Value self, int64_t index)
{
    View *v = as_view(self);
    if (!usable(v))
        return TY_NULL;
    if (v->view.dimensions == 0)
        return ty_raise(&ty_TypeError, "invalid indexing of 0-dim memory");
    if (v->view.dimensions > 1)
        return ty_raise(&ty_NotImplementedError, "multi-dimensional sub-views are not implemented");
    uint8_t *at = index < 0 ? (ty_raise(&ty_IndexError, "index out of bounds on dimension 1"), NULL) : step_into(&v->view, v->view.data, 0, index);
    return at ? ty_buffer_unpack(v->view.format, at) : TY_NULL;
}

/* --- comparing ------------------------------------------------------------------------------------------------------------------------------ */

/* How a view's items become Python values: natively, or through struct for other formats. */
static Value unpack_any(const TyBuffer *view, const uint8_t *at, bool *failed)
{
    const char *format = view->format ? view->format : "B";
    const char *code = format + (*format == '@');
    if (code[0] && !code[1] && strchr("bBhHiIlLqQnNPfdc?e", code[0]))
        return ty_buffer_unpack(format, at);
    Value module = ty_module_current("_struct");
    Value arguments[2] = {module == TY_NULL ? TY_NULL : ty_str_from_text(format), ty_bytes_new(at, (size_t)view->item_size)};
    Value items = arguments[0] == TY_NULL ? TY_NULL : ty_call_method(module, TY_NAME("unpack"), arguments, 2);
    if (items == TY_NULL) {
        ty_clear_exception(); /* a format that struct does not know: such views are unequal */
        *failed = true;
        return TY_NULL;
    }
    return ty_is_tuple(items) && ty_tuple_length(items) == 1 ? ty_tuple_item(items, 0) : items;
}

/* 1 equal, 0 not, -1 error */
static int equal_from(const TyBuffer *a, const uint8_t *x, const TyBuffer *b, const uint8_t *y, int dimension)
{
    if (dimension == a->dimensions) {
        bool failed = false;
        Value p = unpack_any(a, x, &failed), q = failed ? TY_NULL : unpack_any(b, y, &failed);
        if (failed)
            return 0;
        if (p == TY_NULL || q == TY_NULL)
            return -1;
        Value result = ty_compare(p, q, TY_EQ);
        return result == TY_NULL ? -1 : ty_is_true(result);
    }
    for (int64_t i = 0; i < a->shape[dimension]; i++) {
        const uint8_t *s = step_into(a, (uint8_t *)x, dimension, i), *t = step_into(b, (uint8_t *)y, dimension, i);
        int equal = s && t ? equal_from(a, s, b, t, dimension + 1) : -1;
        if (equal <= 0)
            return equal;
    }
    return 1;
}

static bool is_bytes_format(const TyBuffer *view)
{
    const char *format = view->format ? view->format : "B";
    format += *format == '@';
    return (*format == 'B' || *format == 'b' || *format == 'c') && !format[1];
}

/* Of two contiguous views of one length; with many threads they are copied first, as others may write meanwhile. */
static int equal_bytes(const TyBuffer *a, const TyBuffer *b)
{
    if (!ty_load_relaxed(&ty_many_threads))
        return memcmp(a->data, b->data, (size_t)a->length) == 0;
    Value x = ty_bytes_new(NULL, (size_t)a->length), y = x == TY_NULL ? TY_NULL : ty_bytes_new(NULL, (size_t)b->length);
    if (y == TY_NULL || !ty_buffer_copy_out(a, ty_as_bytes(x)->data, 'C') || !ty_buffer_copy_out(b, ty_as_bytes(y)->data, 'C'))
        return -1;
    return memcmp(ty_bytes_data(x), ty_bytes_data(y), (size_t)a->length) == 0;
}

static int equal_views(const TyBuffer *a, const TyBuffer *b)
{
    if (a->dimensions != b->dimensions)
        return 0;
    for (int i = 0; i < a->dimensions; i++)
        if (a->shape[i] != b->shape[i])
            return 0;
    if (is_bytes_format(a) && a->item_size == b->item_size && ty_buffer_is_contiguous(a, 'C') && ty_buffer_is_contiguous(b, 'C') &&
        strcmp(a->format ? a->format : "B", b->format ? b->format : "B") == 0)
        return equal_bytes(a, b);
    return equal_from(a, a->data, b, b->data, 0);
}

static Value view_compare(Value left, Value right, int op)
{
    View *v = as_view(left);
    if (op != TY_EQ && op != TY_NE)
        return TY_NOT_IMPLEMENTED;
    int equal;
    if (ty_load_relaxed(&v->released) || v->managed->buffer.exporter == TY_NULL) {
        equal = left == right;
    } else if (ty_is_exact(right, &ty_memoryview_type)) {
        View *w = as_view(right);
        equal = ty_load_relaxed(&w->released) || w->managed->buffer.exporter == TY_NULL ? left == right : equal_views(&v->view, &w->view);
    } else {
        TyBuffer other;
        if (!ty_has_buffer(right))
            return TY_NOT_IMPLEMENTED;
        if (!ty_buffer_get(right, &other, TY_BUFFER_FULL & ~TY_BUFFER_WRITABLE)) {
            ty_clear_exception();
            return TY_NOT_IMPLEMENTED;
        }
        equal = equal_views(&v->view, &other);
        ty_buffer_release(&other);
    }
    return equal < 0 ? TY_NULL : ty_from_bool(equal == (op == TY_EQ));
}

static int64_t view_hash(Value self)
{
    View *v = as_view(self);
    int64_t hash = ty_load_relaxed(&v->hash);
    if (hash)
        return hash;
    if (!usable(v))
        return -1;
    if (!v->view.read_only) {
        ty_raise(&ty_ValueError, "cannot hash writable memoryview object");
        return -1;
    }
    if (!is_bytes_format(&v->view)) {
        ty_raise(&ty_ValueError, "memoryview: hashing is restricted to formats 'B', 'b' or 'c'");
        return -1;
    }
    Value exporter = ty_buffer_owner(v->managed->buffer.exporter);
    atomic_fetch_add_explicit(&v->exports, 1, memory_order_relaxed); /* against being released by a __hash__ */
    int64_t of_exporter = ty_hash(exporter);
    atomic_fetch_sub_explicit(&v->exports, 1, memory_order_release);
    if (of_exporter == -1)
        return -1;
    Value copy = ty_bytes_new(NULL, (size_t)v->view.length);
    if (copy == TY_NULL || !ty_buffer_copy_out(&v->view, ty_as_bytes(copy)->data, 'C'))
        return -1;
    hash = ty_hash_bytes(ty_bytes_data(copy), (size_t)v->view.length);
    ty_store_relaxed(&v->hash, hash);
    return hash;
}

static Value view_repr(Value self)
{
    return ty_str_format(ty_load_relaxed(&as_view(self)->released) ? "<released memory at %p>" : "<memory at %p>", (void *)ty_object(self));
}

/* --- methods --------------------------------------------------------------------------------------------------------------------------------- */

static Value to_bytes(View *v, char order)
{
    Value bytes = ty_bytes_new(NULL, (size_t)v->view.length);
    return bytes != TY_NULL && ty_buffer_copy_out(&v->view, ty_as_bytes(bytes)->data, order) ? bytes : TY_NULL;
}

static Value view_tobytes(Value self, Value *a)
{
    char order = 'C';
    if (!usable(as_view(self)))
        return TY_NULL;
    if (a[0] != TY_NULL && a[0] != TY_NONE) {
        if (!ty_is_str(a[0]))
            return ty_raise(&ty_TypeError, "tobytes() argument 'order' must be str or None, not %T", a[0]);
        uint32_t c = ty_str_length(a[0]) == 1 ? ty_str_at(a[0], 0) : 0;
        if (c != 'C' && c != 'F' && c != 'A')
            return ty_raise(&ty_ValueError, "order must be 'C', 'F' or 'A'");
        order = (char)c;
    }
    return to_bytes(as_view(self), order);
}

static Value view_hex(Value self, Value *a)
{
    View *v = as_view(self);
    if (!usable(v))
        return TY_NULL;
    atomic_fetch_add_explicit(&v->exports, 1, memory_order_relaxed); /* against being released by the separator's len() */
    Value result = TY_NULL, bytes;
    if (ty_buffer_is_contiguous(&v->view, 'C') && !ty_load_relaxed(&ty_many_threads))
        result = ty_bytes_hex(v->view.data, v->view.length, a[0], a[1]);
    else if ((bytes = to_bytes(v, 'C')) != TY_NULL)
        result = ty_bytes_hex(ty_bytes_data(bytes), ty_bytes_length(bytes), a[0], a[1]);
    atomic_fetch_sub_explicit(&v->exports, 1, memory_order_release);
    return result;
}

static Value list_from(const TyBuffer *view, uint8_t *at, int dimension)
{
    if (dimension == view->dimensions)
        return ty_buffer_unpack(view->format, at);
    Value list = ty_list_new(view->shape[dimension]);
    for (int64_t i = 0; list != TY_NULL && i < view->shape[dimension]; i++) {
        uint8_t *item = step_into(view, at, dimension, i);
        Value value = item ? list_from(view, item, dimension + 1) : TY_NULL;
        if (value == TY_NULL || !ty_list_append(list, value))
            return TY_NULL;
    }
    return list;
}

static Value view_tolist(Value self, Value *a)
{
    View *v = as_view(self);
    return usable(v) ? list_from(&v->view, v->view.data, 0) : TY_NULL;
}

/* The formats that cast() can give, with '@' before them or not. */
static const struct { const char *text; uint8_t size; } native_formats[] = {
    {"@c", 1}, {"@b", 1}, {"@B", 1}, {"@h", sizeof(short)}, {"@H", sizeof(short)}, {"@i", sizeof(int)}, {"@I", sizeof(int)},
    {"@l", sizeof(long)}, {"@L", sizeof(long)}, {"@q", 8}, {"@Q", 8}, {"@n", sizeof(size_t)}, {"@N", sizeof(size_t)},
    {"@f", sizeof(float)}, {"@d", sizeof(double)}, {"@e", 2}, {"@?", 1}, {"@P", sizeof(void *)},
};

static const char *native_format(const char *format, size_t length, int64_t *size)
{
    bool at = length > 0 && format[0] == '@';
    if (length != 1 + (size_t)at)
        return NULL;
    for (size_t i = 0; i < TY_COUNT_OF(native_formats); i++)
        if (native_formats[i].text[1] == format[at]) {
            *size = native_formats[i].size;
            return native_formats[i].text + !at;
        }
    return NULL;
}

/* Gives a one-dimensional view of bytes the format; false with the error. */
static bool cast_items(View *v, const char *format, int64_t size)
{
    int64_t old_size;
    const char *from = native_format(v->view.format, strlen(v->view.format), &old_size), *to = format + (*format == '@');
    from = from ? from + (*from == '@') : "?"; /* whatever it is, it can be seen as bytes */
    if (!strchr("bBc", *from) && !strchr("bBc", *to)) {
        ty_raise(&ty_TypeError, "memoryview: cannot cast between two non-byte formats");
        return false;
    }
    if (v->view.length % size) {
        ty_raise(&ty_TypeError, "memoryview: length is not a multiple of itemsize");
        return false;
    }
    v->view.format = format;
    v->view.item_size = size;
    v->view.shape[0] = v->view.length / size;
    v->view.strides[0] = size;
    return true;
}

static bool cast_shape(View *v, Value shape, int dimensions)
{
    int64_t total = v->view.item_size;
    for (int i = 0; i < dimensions; i++) {
        Value n = ty_is_list(shape) ? ty_list_item(shape, i) : ty_tuple_item(shape, i);
        int64_t count;
        if (n == TY_NULL || !ty_is_int(n)) {
            ty_raise(&ty_TypeError, "memoryview.cast(): elements of shape must be integers");
            return false;
        }
        if (ty_int_get_int64(n, &count) != 0 || count <= 0) {
            ty_raise(&ty_ValueError, "memoryview.cast(): elements of shape must be integers > 0");
            return false;
        }
        if (count > INT64_MAX / total) {
            ty_raise(&ty_ValueError, "memoryview.cast(): product(shape) > SSIZE_MAX");
            return false;
        }
        v->view.shape[i] = count;
        total *= count;
    }
    if (total != v->view.length) {
        ty_raise(&ty_TypeError, "memoryview: product(shape) * itemsize != buffer size");
        return false;
    }
    int64_t step = v->view.item_size;
    for (int i = dimensions - 1; i >= 0; i--) {
        v->view.strides[i] = step;
        step *= v->view.shape[i];
    }
    return true;
}

static Value view_cast(Value self, Value *a)
{
    View *v = as_view(self);
    if (!usable(v))
        return TY_NULL;
    if (v->restricted)
        return ty_raise(&ty_ValueError, "cannot create new view on restricted memoryview");
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "cast() argument 'format' must be str, not %T", a[0]);
    if (!ty_buffer_is_contiguous(&v->view, 'C'))
        return ty_raise(&ty_TypeError, "memoryview: casts are restricted to C-contiguous views");
    bool shaped = a[1] != TY_NULL && a[1] != TY_NONE;
    for (int i = 0; (shaped || v->view.dimensions != 1) && i < v->view.dimensions; i++)
        if (v->view.shape[i] == 0 || v->view.strides[i] == 0)
            return ty_raise(&ty_TypeError, "memoryview: cannot cast view with zeros in shape or strides");
    int64_t dimensions = 1, size;
    if (shaped) {
        if (!ty_is_list(a[1]) && !ty_is_tuple(a[1]))
            return ty_raise(&ty_TypeError, "shape must be a list or a tuple");
        dimensions = ty_is_list(a[1]) ? ty_list_length(a[1]) : ty_tuple_length(a[1]);
        if (dimensions > MAX_DIMENSIONS)
            return ty_raise(&ty_ValueError, "memoryview: number of dimensions must not exceed %d", MAX_DIMENSIONS);
        if (v->view.dimensions != 1 && dimensions != 1)
            return ty_raise(&ty_TypeError, "memoryview: cast must be 1D -> ND or ND -> 1D");
    }
    const char *format = ty_str_is_ascii(a[0]) ? native_format((const char *)ty_str_data(a[0]), (size_t)ty_str_length(a[0]), &size) : NULL;
    if (!format)
        return ty_raise(&ty_ValueError, "memoryview: destination format must be a native single character format prefixed with an optional '@'");
    /* Through one dimension of items to the shape. */
    TyBuffer flat = v->view;
    flat.suboffsets = NULL;
    View *result = view_new(v->managed, &flat, (int)TY_MAX(dimensions, 1));
    if (!result)
        return TY_NULL;
    result->view.dimensions = 1;
    if (!cast_items(result, format, size) || (shaped && !cast_shape(result, a[1], (int)dimensions))) {
        release(result);
        return TY_NULL;
    }
    result->view.dimensions = (int)dimensions;
    return ty_from_object(result);
}

static Value view_toreadonly(Value self, Value *a)
{
    View *v = as_view(self);
    if (!usable(v))
        return TY_NULL;
    if (v->restricted)
        return ty_raise(&ty_ValueError, "cannot create new view on restricted memoryview");
    View *other = view_new(v->managed, &v->view, v->view.dimensions);
    if (!other)
        return TY_NULL;
    other->view.read_only = true;
    return ty_from_object(other);
}

static bool one_dimension(View *v)
{
    if (!usable(v))
        return false;
    if (v->view.dimensions == 1)
        return true;
    if (v->view.dimensions == 0)
        ty_raise(&ty_TypeError, "invalid lookup on 0-dim memory");
    else
        ty_raise(&ty_NotImplementedError, "multi-dimensional lookup is not implemented");
    return false;
}

static Value view_index(Value self, Value *a)
{
    View *v = as_view(self);
    int64_t start = 0, stop = INT64_MAX;
    if ((a[1] != TY_NULL && !ty_slice_index(a[1], &start)) || (a[2] != TY_NULL && !ty_slice_index(a[2], &stop)) || !one_dimension(v))
        return TY_NULL;
    int64_t length = v->view.shape[0];
    if (start < 0)
        start = TY_MAX(start + length, 0);
    if (stop < 0)
        stop = TY_MAX(stop + length, 0);
    stop = TY_MIN(stop, length);
    for (int64_t i = start; i < stop; i++) {
        Value item = view_item(self, i);
        int equal = item == TY_NULL ? -1 : ty_equal(item, a[0]);
        if (equal < 0)
            return TY_NULL;
        if (equal)
            return ty_int_from_int64(i);
    }
    return ty_raise(&ty_ValueError, "memoryview.index(x): x not found");
}

static Value view_count(Value self, Value *a)
{
    Value iterator = ty_iter(self), item;
    int64_t count = 0;
    if (iterator == TY_NULL)
        return TY_NULL;
    while ((item = ty_next(iterator)) != TY_NULL) {
        int equal = ty_equal(item, a[0]);
        if (equal < 0)
            return TY_NULL;
        count += equal;
    }
    return ty_raised() ? TY_NULL : ty_int_from_int64(count);
}

static const TyNativeDef view_methods[] = {
    TY_METHOD("release(self, /)", view_release, "Gives the buffer back; the view is of no use any more."),
    TY_METHOD("tobytes(self, /, order='C')", view_tobytes, "A copy as bytes, in C order, in Fortran order ('F'), or in the view's own of these ('A')."),
    TY_METHOD("hex(self, /, sep=<unrepresentable>, bytes_per_sep=1)", view_hex,
              "Two hexadecimal digits for each byte, with sep between groups of bytes_per_sep,\ncounted from the right, or from the left if it is negative."),
    TY_METHOD("tolist(self, /)", view_tolist, "The items as a list, of lists if there are several dimensions."),
    TY_METHOD("cast(self, /, format, shape=<unrepresentable>)", view_cast, "A view of the same memory with another format or shape."),
    TY_METHOD("toreadonly(self, /)", view_toreadonly, "A read-only view of the same memory."),
    TY_CLASS_METHOD("_from_flags(type, /, object, flags)", from_flags, "A view made with just these flags of the buffer protocol."),
    TY_METHOD("count(self, value, /)", view_count, "How many items are equal to the value."),
    TY_METHOD("index(self, value, start=0, stop=sys.maxsize, /)", view_index, "The first place of the value; ValueError if there is none."),
    TY_METHOD("__enter__(self, /)", view_enter, ""),
    TY_METHOD("__exit__(self, /, *exc_info)", view_exit, "Release the underlying buffer exposed by the memoryview object."),
    TY_CLASS_GETITEM,
    {0},
};

/* --- attributes ------------------------------------------------------------------------------------------------------------------------------ */

static Value tuple_of(const int64_t *numbers, int count)
{
    Value tuple = ty_tuple_new(count);
    for (int i = 0; tuple != TY_NULL && i < count; i++)
        ty_tuple_set(tuple, i, ty_int_from_int64(numbers[i]));
    return tuple;
}

/* The attribute `name`, or the error that the view is released. */
#define ATTRIBUTE(name, expression)               \
    static Value get_##name(Value self)           \
    {                                             \
        View *v = as_view(self);                  \
        const TyBuffer *b = &v->view;             \
        (void)b;                                  \
        return usable(v) ? (expression) : TY_NULL; \
    }
ATTRIBUTE(obj, ty_buffer_owner(v->managed->buffer.exporter))
ATTRIBUTE(nbytes, ty_int_from_int64(b->length))
ATTRIBUTE(readonly, ty_from_bool(b->read_only))
ATTRIBUTE(itemsize, ty_int_from_int64(b->item_size))
ATTRIBUTE(format, ty_str_from_text(b->format))
ATTRIBUTE(ndim, ty_int_from_int64(b->dimensions))
ATTRIBUTE(shape, tuple_of(b->shape, b->dimensions))
ATTRIBUTE(strides, tuple_of(b->strides, b->dimensions))
ATTRIBUTE(suboffsets, tuple_of(b->suboffsets, b->suboffsets ? b->dimensions : 0))
ATTRIBUTE(c_contiguous, ty_from_bool(ty_buffer_is_contiguous(b, 'C')))
ATTRIBUTE(f_contiguous, ty_from_bool(ty_buffer_is_contiguous(b, 'F')))
ATTRIBUTE(contiguous, ty_from_bool(ty_buffer_is_contiguous(b, 'A')))

static const TyGetSetDef view_getsets[] = {
    {"obj", get_obj, NULL, "The object whose memory it is."},
    {"nbytes", get_nbytes, NULL, "How many bytes tobytes() would give."},
    {"readonly", get_readonly, NULL, "Whether the memory can't be changed through the view."},
    {"itemsize", get_itemsize, NULL, "The size of an item in bytes."},
    {"format", get_format, NULL, "The format of the items, as in the struct module."},
    {"ndim", get_ndim, NULL, "The number of dimensions."},
    {"shape", get_shape, NULL, "The number of items in each dimension."},
    {"strides", get_strides, NULL, "The distance in bytes between items of each dimension."},
    {"suboffsets", get_suboffsets, NULL, "For arrays of pointers, as PIL has them."},
    {"c_contiguous", get_c_contiguous, NULL, "Whether the items lie one after another in C order."},
    {"f_contiguous", get_f_contiguous, NULL, "Whether the items lie one after another in Fortran order."},
    {"contiguous", get_contiguous, NULL, "Whether the items lie one after another."},
    {0},
};

/* --- the iterator ------------------------------------------------------------------------------------------------------------------------------- */

extern TyType ty_memory_iterator_type;

static Value view_iter(Value self)
{
    View *v = as_view(self);
    if (!usable(v))
        return TY_NULL;
    if (v->view.dimensions == 0)
        return ty_raise(&ty_TypeError, "invalid indexing of 0-dim memory");
    if (v->view.dimensions > 1)
        return ty_raise(&ty_NotImplementedError, "multi-dimensional sub-views are not implemented");
    TySequenceIterator *iterator = ty_allocate(&ty_memory_iterator_type, sizeof(TySequenceIterator));
    if (!iterator)
        return TY_NULL;
    ty_store(iterator, &iterator->sequence, self);
    return ty_from_object(iterator);
}

static Value iterator_next(Value self)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    Value sequence = ty_field(&iterator->sequence);
    if (sequence == TY_NULL || !usable(as_view(sequence)))
        return TY_NULL;
    int64_t index = ty_load_relaxed(&iterator->index);
    if (index >= as_view(sequence)->view.shape[0]) {
        ty_store(iterator, &iterator->sequence, TY_NULL);
        return TY_NULL;
    }
    ty_store_relaxed(&iterator->index, index + 1);
    return view_item(sequence, index);
}

static Value iterator_self(Value self) { return self; }

TyType ty_memory_iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TySequenceIterator), .trace = ty_sequence_iterator_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE,
    .name = "memory_iterator",
    .slots = {.iter = iterator_self, .next = iterator_next},
};

TyType ty_memoryview_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(View), .trace = view_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_SEQUENCE | TY_TYPE_WEAKREFABLE | TY_TYPE_IMMUTABLE,
    .name = "memoryview",
    .doc = "memoryview(object)\n\nA view of the memory of an object that has a buffer.",
    .slots = {
        .repr = view_repr, .hash = view_hash, .compare = view_compare, .iter = view_iter, .new = view_type_new,
        .length = view_length, .get_item = view_get_item, .set_item = view_set_item, .item = view_item,
        .get_buffer = view_get_buffer, .release_buffer = view_release_buffer,
    },
    .methods = view_methods,
    .getsets = view_getsets,
};
