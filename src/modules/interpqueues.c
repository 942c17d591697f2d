/* _interpqueues: queues between interpreters, known by number.
 *
 * A queue is an object of the heap, found without a lock by its id. Its items are parcels in a ring under the queue's own lock: what waits in a queue is alive
 * because the queue is, which its table holds until it is destroyed or the last reference to its number is given up. An item belongs to the interpreter that put it;
 * when that is closed, the item becomes unbound: it is removed, or what gets it is told. */
#include "crossing/crossing.h"
#include "crossing/id_table.h"
#include "crossing/queues.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/runtime.h"

enum { UNBOUND_REMOVE = 1, UNBOUND_ERROR, UNBOUND_REPLACE };
enum { FALLBACK_NONE, FALLBACK_FULL };

/* An item takes two places of the ring: its parcel, and an int of who put it and what is to become of it then. */
#define META(interpreter_id, op) ty_from_immediate_int((interpreter_id) * 4 + (op))
#define META_INTERPRETER(meta) (ty_immediate_int(meta) >> 2)
#define META_OP(meta) (ty_immediate_int(meta) & 3)
#define UNBOUND (-1) /* instead of the interpreter's id */
#define FIRST_ITEMS 8

typedef struct Queue {
    TyIdentified identified;
    int64_t max_size;       /* not positive: no limit */
    uint8_t unbound_op, fallback;
    _Atomic int64_t references;
    TyArray *ring;          /* under the object's lock, as is all that follows */
    int64_t head;
    _Atomic int64_t count;  /* written under the lock */
} Queue;

static TyIdTable queues = { .next_id = 1 };

static void queue_trace(TyObject *self, TyMarker *marker)
{
    TyArray *ring = ((Queue *)self)->ring;
    if (ring)
        ty_mark_object(marker, &ring->base);
}

static TyType queue_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = {.size = sizeof(Queue), .trace = queue_trace}, .flags = TY_TYPE_NO_NEW,
    .name = "_interpqueues._Queue", .parent = &ty_object_base_type,
};

static TyType queue_error_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .flags = TY_TYPE_EXCEPTION, .name = "concurrent.interpreters.QueueError",
    .doc = "Indicates that a queue-related error happened.", .parent = &ty_RuntimeError,
};
static TyType queue_not_found_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .flags = TY_TYPE_EXCEPTION, .name = "concurrent.interpreters.QueueNotFoundError", .parent = &queue_error_type,
};

/* --- arguments ------------------------------------------------------------------------------------------------------------------------- */

static Queue *not_found(int64_t id) { return ty_raise(&queue_not_found_type, "queue %lld not found", (long long)id), NULL; }

static Queue *find_slow(Value v)
{
    int64_t id;
    if (!ty_has_index(v))
        return ty_raise(&ty_TypeError, "queue ID must be an int, got %T", v), NULL;
    Value number = ty_number_index(v);
    if (number == TY_NULL)
        return NULL;
    if (ty_int_sign(number) < 0)
        return ty_raise(&ty_ValueError, "queue ID must be a non-negative int, got %R", v), NULL;
    if (ty_int_get_int64(number, &id) != 0)
        return ty_raise(&ty_OverflowError, "max queue ID is 9223372036854775807, got %R", v), NULL;
    Queue *queue = (Queue *)ty_id_table_find(&queues, id);
    return queue ? queue : not_found(id);
}

TY_INLINE Queue *find(Value v)
{
    if (TY_LIKELY(ty_is_immediate_int(v) && ty_immediate_int(v) >= 0)) {
        Queue *queue = (Queue *)ty_id_table_find(&queues, ty_immediate_int(v));
        if (TY_LIKELY(queue != NULL))
            return queue;
    }
    return find_slow(v);
}

/* A choice among 0 … most, or a negative number (or nothing) for the default. */
static bool read_choice(Value v, const char *what, int least, int most, uint8_t fallback, uint8_t *choice)
{
    int32_t number = -1;
    if (v != TY_NULL && !ty_to_int32(v, &number))
        return false;
    if (number >= 0 && (number < least || number > most)) {
        ty_raise(&ty_ValueError, "unsupported %s %d", what, number);
        return false;
    }
    *choice = number < 0 ? fallback : (uint8_t)number;
    return true;
}

/* QueueEmpty (0) and QueueFull (1) are classes of the library, of each interpreter. */
enum { STATE_QUEUE, STATE_EMPTY, STATE_FULL, STATE_COUNT };

static Value raise_library_error(int which, const char *format, const Queue *queue)
{
    Value module = ty_module_current("_interpqueues");
    if (module == TY_NULL)
        return TY_NULL;
    Value *state = ty_module_state(module);
    if (state[which] == TY_NULL && ty_import_module("concurrent.interpreters._queues") == TY_NULL)
        return TY_NULL;
    TyType *type = state[which] == TY_NULL ? &queue_error_type : ty_as_type(state[which]);
    return ty_raise(type, format, (long long)queue->identified.id);
}

static Value raise_empty(const Queue *queue) { return raise_library_error(STATE_EMPTY, "queue %lld is empty", queue); }
static Value raise_full(const Queue *queue) { return raise_library_error(STATE_FULL, "queue %lld is full", queue); }

/* --- items --------------------------------------------------------------------------------------------------------------------------------- */

static int64_t count_of(const Queue *queue) { return ty_load_relaxed(&((Queue *)queue)->count); }
static bool is_full(const Queue *queue) { return queue->max_size > 0 && count_of(queue) >= queue->max_size; }

TY_INLINE Value *place(const Queue *queue, int64_t index) { return &queue->ring->items[(queue->head + index) * 2 & (queue->ring->capacity - 1)]; }

/* Under the lock, as the next three. */
static bool reserve(Queue *queue)
{
    int64_t count = count_of(queue);
    if (TY_LIKELY(queue->ring && count * 2 < queue->ring->capacity))
        return true;
    TyArray *bigger = ty_array_new(queue->ring ? queue->ring->capacity * 2 : FIRST_ITEMS * 2);
    if (!bigger)
        return false;
    for (int64_t i = 0; i < count; i++) {
        ty_store(bigger, &bigger->items[i * 2], place(queue, i)[0]);
        ty_store(bigger, &bigger->items[i * 2 + 1], place(queue, i)[1]);
    }
    ty_store_pointer(queue, &queue->ring, bigger);
    queue->head = 0;
    return true;
}

static void set_item(Queue *queue, int64_t index, Value parcel, Value meta)
{
    Value *item = place(queue, index);
    ty_store(queue->ring, &item[0], parcel);
    ty_store(queue->ring, &item[1], meta);
}

static void unbind_items(Queue *queue, int64_t interpreter_id)
{
    int64_t count = count_of(queue), kept = 0;
    for (int64_t i = 0; i < count; i++) {
        Value parcel = place(queue, i)[0], meta = place(queue, i)[1];
        if (META_INTERPRETER(meta) == interpreter_id) {
            if (META_OP(meta) == UNBOUND_REMOVE)
                continue;
            parcel = TY_NONE;
            meta = META(UNBOUND, META_OP(meta));
        }
        set_item(queue, kept++, parcel, meta);
    }
    for (int64_t i = kept; i < count; i++)
        set_item(queue, i, TY_NULL, TY_NULL);
    ty_store_relaxed(&queue->count, kept);
}

void ty_queues_interpreter_closed(int64_t id)
{
    if (queues.count == 0)
        return;
    int64_t count;
    TyArray *all = ty_id_table_list(&queues, &count);
    if (!all) {
        ty_clear_exception();
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        Queue *queue = (Queue *)ty_object(all->items[i]);
        if (count_of(queue) == 0)
            continue;
        bool locked = ty_object_lock(&queue->identified.base);
        unbind_items(queue, id);
        ty_object_unlock(&queue->identified.base, locked);
    }
}

static Value queues_put(Value self, Value *a)
{
    Queue *queue = find(a[0]);
    uint8_t op;
    if (!queue || !read_choice(a[2], "unboundop", UNBOUND_REMOVE, UNBOUND_REPLACE, queue->unbound_op, &op))
        return TY_NULL;
    if (is_full(queue))
        return raise_full(queue);
    if (queue->fallback == FALLBACK_NONE && !ty_crossing_shareable(a[1]))
        return ty_raise(&ty_NotShareableError, "%R does not support cross-interpreter data", a[1]);
    Value parcel = ty_crossing_pack(a[1], NULL);
    if (parcel == TY_NULL)
        return TY_NULL;
    bool locked = ty_object_lock(&queue->identified.base), full = is_full(queue), fits = !full && reserve(queue);
    if (TY_LIKELY(fits)) {
        int64_t count = count_of(queue);
        set_item(queue, count, parcel, META(ty_interpreter()->id, op));
        ty_store_relaxed(&queue->count, count + 1);
    }
    ty_object_unlock(&queue->identified.base, locked);
    return TY_LIKELY(fits) ? TY_NONE : full ? raise_full(queue) : TY_NULL;
}

static Value queues_get(Value self, Value *a)
{
    Queue *queue = find(a[0]);
    if (!queue)
        return TY_NULL;
    Value parcel = TY_NULL, meta = TY_NULL;
    bool locked = ty_object_lock(&queue->identified.base);
    int64_t count = count_of(queue);
    if (count > 0) {
        parcel = place(queue, 0)[0];
        meta = place(queue, 0)[1];
        set_item(queue, 0, TY_NULL, TY_NULL);
        queue->head = (queue->head + 1) & (queue->ring->capacity / 2 - 1);
        ty_store_relaxed(&queue->count, count - 1);
    }
    ty_object_unlock(&queue->identified.base, locked);
    if (parcel == TY_NULL)
        return raise_empty(queue);
    if (META_INTERPRETER(meta) == UNBOUND)
        return ty_tuple_pack(2, TY_NONE, ty_from_immediate_int(META_OP(meta)));
    Value item = ty_crossing_unpack(parcel);
    return item == TY_NULL ? TY_NULL : ty_tuple_pack(2, item, TY_NONE);
}

/* --- life ------------------------------------------------------------------------------------------------------------------------------------ */

static Value queues_create(Value self, Value *a)
{
    int64_t max_size;
    uint8_t op, fallback;
    if (!ty_to_size(a[0], &max_size) || !read_choice(a[1], "unboundop", UNBOUND_REMOVE, UNBOUND_REPLACE, UNBOUND_REPLACE, &op)
        || !read_choice(a[2], "fallback", FALLBACK_NONE, FALLBACK_FULL, FALLBACK_FULL, &fallback))
        return TY_NULL;
    Queue *queue = ty_allocate(&queue_type, sizeof *queue);
    if (!queue)
        return TY_NULL;
    queue->max_size = max_size;
    queue->unbound_op = op;
    queue->fallback = fallback;
    return ty_id_table_add(&queues, &queue->identified, -1) ? ty_int_from_int64(queue->identified.id) : TY_NULL;
}

static void bind(Queue *queue) { atomic_fetch_add_explicit(&queue->references, 1, memory_order_relaxed); }

/* False: it was never bound. */
static bool release(Queue *queue)
{
    int64_t references = ty_load_relaxed(&queue->references);
    do {
        if (references <= 0)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&queue->references, &references, references - 1, memory_order_relaxed, memory_order_relaxed));
    if (references == 1)
        ty_id_table_remove(&queues, queue->identified.id);
    return true;
}

static Value queues_destroy(Value self, Value *a)
{
    Queue *queue = find(a[0]);
    if (!queue)
        return TY_NULL;
    if (!ty_id_table_remove(&queues, queue->identified.id))
        not_found(queue->identified.id);
    return ty_raised() ? TY_NULL : TY_NONE;
}

static Value queues_bind(Value self, Value *a)
{
    Queue *queue = find(a[0]);
    if (!queue)
        return TY_NULL;
    bind(queue);
    return TY_NONE;
}

static Value queues_release(Value self, Value *a)
{
    Queue *queue = find(a[0]);
    if (!queue)
        return TY_NULL;
    return release(queue) ? TY_NONE : ty_raise(&queue_error_type, "queue %lld never bound", (long long)queue->identified.id);
}

static Value queues_list_all(Value self, Value *a)
{
    int64_t count;
    TyArray *all = ty_id_table_list(&queues, &count);
    Value list = all ? ty_list_new(count) : TY_NULL;
    while (list != TY_NULL && count-- > 0) {
        Queue *queue = (Queue *)ty_object(all->items[count]);
        Value entry = ty_tuple_pack(3, ty_int_from_int64(queue->identified.id), ty_from_immediate_int(queue->unbound_op), ty_from_immediate_int(queue->fallback));
        if (entry == TY_NULL || !ty_list_append(list, entry))
            return TY_NULL;
    }
    return list;
}

static Value queues_get_maxsize(Value self, Value *a)
{
    Queue *queue = find(a[0]);
    return queue ? ty_int_from_int64(queue->max_size) : TY_NULL;
}

static Value queues_is_full(Value self, Value *a)
{
    Queue *queue = find(a[0]);
    return queue ? ty_from_bool(is_full(queue)) : TY_NULL;
}

static Value queues_get_count(Value self, Value *a)
{
    Queue *queue = find(a[0]);
    return queue ? ty_int_from_int64(count_of(queue)) : TY_NULL;
}

static Value queues_get_defaults(Value self, Value *a)
{
    Queue *queue = find(a[0]);
    return queue ? ty_tuple_pack(2, ty_from_immediate_int(queue->unbound_op), ty_from_immediate_int(queue->fallback)) : TY_NULL;
}

/* --- crossing ---------------------------------------------------------------------------------------------------------------------------------- */

/* A Queue on its way: a reference to the queue, given up when what it became has taken one of its own, or when nobody received it. */
typedef struct Passage {
    TyObject base;
    Queue *queue;
    _Atomic bool ended;
} Passage;

static void passage_trace(TyObject *self, TyMarker *marker) { ty_mark_object(marker, &((Passage *)self)->queue->identified.base); }

static bool passage_end(TyObject *self)
{
    Passage *passage = (Passage *)self;
    if (!atomic_exchange_explicit(&passage->ended, true, memory_order_relaxed))
        release(passage->queue);
    return true;
}

static TyType passage_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = {.size = sizeof(Passage), .trace = passage_trace, .finalize = passage_end}, .flags = TY_TYPE_NO_NEW,
    .name = "_interpqueues._Passage", .parent = &ty_object_base_type,
};

static Value queue_pack(Value v)
{
    Value id = ty_get_attribute(v, TY_NAME("_id"));
    Queue *queue = id == TY_NULL ? NULL : find(id);
    Passage *passage = queue ? ty_allocate(&passage_type, sizeof *passage) : NULL;
    if (!passage)
        return TY_NULL;
    ty_store_pointer(passage, &passage->queue, queue);
    bind(queue);
    return ty_from_object(passage);
}

static Value queue_unpack(Value packed)
{
    Passage *passage = (Passage *)ty_object(packed);
    Value module = ty_import_module("concurrent.interpreters._queues");
    Value class = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("Queue"));
    Value queue = class == TY_NULL ? TY_NULL : ty_call_one(class, ty_int_from_int64(passage->queue->identified.id));
    if (queue != TY_NULL)
        passage_end(&passage->base);
    return queue;
}

static Value queues_register_types(Value module, Value *a)
{
    static const char *const names[] = {"queuetype", "emptyerror", "fullerror"};
    for (int i = 0; i < STATE_COUNT; i++)
        if (!ty_is_type(a[i]))
            return ty_raise(&ty_TypeError, "expected a type for '%s'", names[i]);
    for (int i = 0; i < STATE_COUNT; i++)
        ty_store(ty_object(module), &ty_module_state(module)[i], a[i]);
    return ty_crossing_register(ty_as_type(a[0]), queue_pack, queue_unpack) ? TY_NONE : TY_NULL;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("create(maxsize, unboundop=-1, fallback=-1)", queues_create, "Makes a queue and returns its id. Items that were put by an interpreter that is closed later are treated as unboundop says."),
    TY_FUNCTION("destroy(qid)", queues_destroy, "Ends the queue: from then on there is none of this id."),
    TY_FUNCTION("list_all()", queues_list_all, "A list of all queues, newest first: id, unboundop and fallback of each."),
    TY_FUNCTION("put(qid, obj, unboundop=-1)", queues_put, "Adds an item. QueueFull if there is no room."),
    TY_FUNCTION("get(qid)", queues_get, "Takes the oldest item: a pair of it and None, or of None and the unboundop if its interpreter is gone. QueueEmpty if there is none."),
    TY_FUNCTION("bind(qid)", queues_bind, "Takes a reference to the queue."),
    TY_FUNCTION("release(qid)", queues_release, "Gives up a reference to the queue. With the last one the queue ends."),
    TY_FUNCTION("get_maxsize(qid)", queues_get_maxsize, "How many items the queue may hold; not positive: any number."),
    TY_FUNCTION("is_full(qid)", queues_is_full, "Whether the queue has as many items as it may hold."),
    TY_FUNCTION("get_count(qid)", queues_get_count, "How many items the queue has now."),
    TY_FUNCTION("get_queue_defaults(qid)", queues_get_defaults, "The unboundop and fallback that the queue was made with."),
    TY_FUNCTION("_register_heap_types(queuetype, emptyerror, fullerror)", queues_register_types, "Tells of the library's classes."),
    {0},
};

static TyType *const types[] = {&queue_error_type, &queue_not_found_type, NULL};

static bool execute(Value module) { return ty_type_ready(&queue_type) && ty_type_ready(&passage_type); }

const TyModuleDef ty_module_interpqueues = {
    .name = "_interpqueues",
    .doc = "Queues between interpreters, known by number. The module concurrent.interpreters is made for people.",
    .functions = functions,
    .types = types,
    .execute = execute,
    .state_count = STATE_COUNT,
};
