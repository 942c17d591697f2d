/* The heap: one for the process, traced, non-moving. Nothing counts references.
 *
 * Objects live in size-segregated blocks inside one reserved address range; large ones in blocks of their own. Each thread
 * allocates from its own cache of free cells. A collection stops the world at safepoints, marks in parallel (objects
 * precisely through their type's layout, C stacks and registers conservatively, interior pointers included) and sweeps lazily.
 *
 * What C code must know:
 *  - A Value or TyObject pointer in a C local, argument or register keeps its object alive. One in malloc'ed memory, or in a
 *    static variable, does not: keep it in a heap object or register the place with ty_root_add.
 *  - Every allocation is a safepoint, and so are ty_safepoint() and whatever calls Python. Nothing else is.
 *  - Fresh memory is zeroed. A cell whose `type` word is NULL is free: an object has its type from the moment it is returned.
 *  - Every store of a Value into a heap object goes through ty_store (or ty_store_release where it publishes).
 *  - A thread about to block, or to stay long in code that touches no heap object, brackets that with ty_blocking_begin/end. */
#ifndef TY_HEAP_HEAP_H
#define TY_HEAP_HEAP_H

#include "base/value.h"

typedef struct TyThread TyThread;
typedef struct TyInterpreter TyInterpreter;
typedef struct TyMarker TyMarker;

/* --- the object header: 16 bytes ------------------------------------------------------------------------------- */

struct TyObject {
    _Atomic uint32_t pins; /* references from outside the heap; nonzero means root */
    _Atomic uint32_t bits; /* lock (2), flags (6), shape (24): see below */
    _Atomic(TyType *) type;
};

#define TY_BIT_LOCKED 0x01u     /* the object's own lock is held */
#define TY_BIT_CONTENDED 0x02u  /* someone sleeps on it */
#define TY_BIT_FINALIZED 0x04u  /* its finalizer has run (it never runs again) */
#define TY_BIT_WEAK 0x08u       /* weak references to it may exist: look in the weak table */
#define TY_BIT_KIND0 0x10u      /* four bits whose meaning the type gives */
#define TY_BIT_KIND1 0x20u
#define TY_BIT_KIND2 0x40u
#define TY_BIT_KIND3 0x80u
#define TY_SHAPE_SHIFT 8

TY_INLINE TyType *ty_object_type(const TyObject *o) { return ty_load_relaxed(&o->type); }
TY_INLINE uint32_t ty_object_bits(const TyObject *o) { return ty_load_relaxed(&o->bits); }
TY_INLINE uint32_t ty_object_shape(const TyObject *o) { return ty_load_relaxed(&o->bits) >> TY_SHAPE_SHIFT; }
void ty_object_set_shape(TyObject *o, uint32_t shape);  /* release order: slots written before it are seen */
void ty_object_set_bits(TyObject *o, uint32_t bits);    /* atomically or-s flags in */
void ty_object_clear_bits(TyObject *o, uint32_t bits);

/* --- layouts: what the heap knows of a type ---------------------------------------------------------------------- */

/* TyType starts with a TyObject and this. All of it but `shape` is fixed when the type is made. */
typedef struct TyLayout {
    uint32_t size;        /* bytes of an instance, or of its fixed part */
    uint32_t item_size;   /* bytes of each further item of a variable-sized object, else 0 */
    _Atomic uint32_t shape; /* number of the shape of a fresh instance */
    uint32_t trace_bits;  /* trace only concerns objects with all these header bits: the others of the type hold nothing. 0: concerns all */
    void (*trace)(TyObject *self, TyMarker *marker); /* ty_mark every Value it holds; NULL: holds none. Runs in a collection: no allocation, no lock */
    void (*destroy)(TyObject *self);  /* releases native memory or descriptors of a dead object when it is swept; must not touch other heap objects, allocate or raise */
    bool finalize_by_request; /* only objects given to ty_finalizer_register are finalized: the others cost nothing */
    void (*retire)(TyObject *self); /* runs before the finalizer, whatever a class written in Python has for one; may not call Python; NULL: none. Only with a finalizer */
    bool (*finalize_due)(const TyObject *self); /* asked in a collection: whether the finalizer would do anything; NULL: always. Not inherited by classes written in Python */
    bool (*finalize)(TyObject *self); /* runs once, as ordinary code, after the object became unreachable (it and what it reaches are alive again meanwhile); NULL: none. Implements __del__ */
} TyLayout;

TY_INLINE const TyLayout *ty_type_layout(const TyType *type) /* TyType itself is defined above this layer */
{
    return (const TyLayout *)(const void *)((const char *)type + sizeof(TyObject));
}

/* --- allocation -------------------------------------------------------------------------------------------------- */

/* Cells come in classes of size: multiples of 16 bytes up to 256, then four classes to each doubling. A thread carves them from runs of zeroed
 * memory, one run for each class, so that the common allocation is an addition and a comparison. Larger objects, and those whose type
 * has a `destroy` or a `finalize`, take the slow path. */
enum {
    TY_HEAP_FAST_MAX = 8192,
    TY_HEAP_FAST_CLASSES = 37, /* class 0 is empty, 1..16 up to 256 bytes, 17..36 up to 8192 */
};

typedef struct TyHeapRun {
    uintptr_t next;   /* the next free cell */
    uintptr_t limit;  /* the end of the run; in stress mode and under the address sanitizer 0, so that every allocation takes the slow path */
} TyHeapRun;

extern _Thread_local TyHeapRun *ty_heap_runs; /* the calling thread's, by class; see TyHeapCache */

TY_INLINE unsigned ty_heap_class(size_t size)
{
    if (size <= 256)
        return (unsigned)((size + 15) >> 4);
    unsigned exponent = 63u - (unsigned)__builtin_clzll((unsigned long long)size - 1);
    return 17 + (exponent - 8) * 4 + (unsigned)(((size - 1) >> (exponent - 2)) & 3);
}

TY_INLINE size_t ty_heap_cell_size(size_t size) /* the cell that an object of so many bytes gets, up to TY_HEAP_FAST_MAX */
{
    size_t step = size <= 256 ? 16 : (size_t)1 << (61u - (unsigned)__builtin_clzll((unsigned long long)size - 1));
    return (size + step - 1) & ~(step - 1);
}

void *ty_allocate_slow(TyType *type, size_t size);
void *ty_allocate_dirty_slow(TyType *type, size_t size);

/* A zeroed object of `size` bytes (header included) whose header has the type's base shape; NULL with MemoryError raised. */
TY_INLINE void *ty_allocate(TyType *type, size_t size)
{
    const TyLayout *layout = ty_type_layout(type);
    if (TY_LIKELY(size <= TY_HEAP_FAST_MAX && !layout->destroy && (!layout->finalize || layout->finalize_by_request))) {
        TyHeapRun *run = &ty_heap_runs[ty_heap_class(size)];
        uintptr_t cell = run->next, next = cell + ty_heap_cell_size(size);
        if (TY_LIKELY(next <= run->limit)) {
            run->next = next;
            TyObject *object = (TyObject *)cell;
            ty_store_relaxed(&object->bits, ty_load_relaxed(&layout->shape) << TY_SHAPE_SHIFT);
            ty_store_relaxed(&object->type, type);
            return object;
        }
    }
    return ty_allocate_slow(type, size);
}

/* The same for objects whose every word past the header the caller writes before the next safepoint. */
TY_INLINE void *ty_allocate_dirty(TyType *type, size_t size)
{
    return size <= TY_HEAP_FAST_MAX ? ty_allocate(type, size) : ty_allocate_dirty_slow(type, size);
}

/* Tells the collector of native memory (bytes, may be negative) that lives and dies with small heap objects. */
void ty_heap_account(ptrdiff_t native_bytes);

/* Raises the thread's MemoryError without allocating; defined by object/exception.c. */
extern Value ty_raise_memory_error(void);

/* --- marking (only inside trace functions) ------------------------------------------------------------------------ */

void ty_mark_object(TyMarker *marker, TyObject *object); /* object may be static (outside the heap): then nothing happens */
TY_INLINE void ty_mark(TyMarker *marker, Value v)
{
    if (ty_is_object(v) && v != TY_NULL)
        ty_mark_object(marker, ty_object(v));
}
void ty_mark_range(TyMarker *marker, const Value *values, size_t count);
void ty_mark_conservative(TyMarker *marker, const void *low, const void *high); /* any words, dead or alive */

/* --- stores -------------------------------------------------------------------------------------------------------- */

/* The one store of a Value into a field of a heap object `owner`; the write barrier's seam. It releases, because another thread may read the
 * field and look into what it finds: that was filled before. Readers (ty_field) need no more than that the address they follow came from
 * the load, which every processor honours; the thread sanitizer does not know of it and is told of an acquire. */
#if defined(__SANITIZE_THREAD__)
#define TY_ORDER_DEPENDENT __ATOMIC_ACQUIRE
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TY_ORDER_DEPENDENT __ATOMIC_ACQUIRE
#endif
#endif
#ifndef TY_ORDER_DEPENDENT
#define TY_ORDER_DEPENDENT __ATOMIC_RELAXED
#endif
TY_INLINE void ty_store(void *owner, Value *field, Value value)
{
    (void)owner;
    __atomic_store_n(field, value, __ATOMIC_RELEASE);
}
TY_INLINE void ty_store_publish(void *owner, Value *field, Value value) /* orders earlier writes before it */
{
    (void)owner;
    __atomic_store_n(field, value, __ATOMIC_RELEASE);
}
#define ty_store_pointer(owner, field, pointer) ((void)(owner), __atomic_store_n((field), (pointer), __ATOMIC_RELEASE))
#define ty_load_dependent(place) atomic_load_explicit((place), TY_ORDER_DEPENDENT) /* of an atomic word that is, or holds, an address */
TY_INLINE Value ty_field(const Value *field) { return __atomic_load_n(field, TY_ORDER_DEPENDENT); }
TY_INLINE Value ty_field_acquire(const Value *field) { return __atomic_load_n(field, __ATOMIC_ACQUIRE); }

/* --- roots --------------------------------------------------------------------------------------------------------- */

void ty_root_add(Value *place, size_t count);  /* `count` Values at `place`, anywhere in memory, until removed */
void ty_root_remove(Value *place);
/* A function that marks roots of its own; called with the world stopped at each collection. */
void ty_root_function_add(void (*mark)(void *context, TyMarker *marker), void *context);
void ty_root_function_remove(void (*mark)(void *context, TyMarker *marker), void *context);
void ty_pin(Value v);
void ty_unpin(Value v);

/* --- object locks --------------------------------------------------------------------------------------------------- */

/* Each object's own lock, two bits of its header; sleeping is a futex. Not recursive. Held for short stretches of C that neither
 * call Python nor wait for anything else. While the process has had a single thread only, both are a test of one word. A holder
 * may allocate; a waiter counts as blocked, so that collections go on. */
extern _Atomic bool ty_many_threads; /* becomes true, at a safepoint, when a second thread starts; never false again (ty_many_threads_begin) */
void ty_object_lock_slow(TyObject *o);
void ty_object_unlock_slow(TyObject *o);
TY_INLINE bool ty_object_lock(TyObject *o) /* returns what to hand to unlock */
{
    if (TY_LIKELY(!ty_load_relaxed(&ty_many_threads)))
        return false;
    uint32_t bits = ty_load_relaxed(&o->bits) & ~(TY_BIT_LOCKED | TY_BIT_CONTENDED);
    if (TY_UNLIKELY(!atomic_compare_exchange_weak_explicit(&o->bits, &bits, bits | TY_BIT_LOCKED, memory_order_acquire, memory_order_relaxed)))
        ty_object_lock_slow(o);
    return true;
}
TY_INLINE void ty_object_unlock(TyObject *o, bool locked)
{
    if (TY_UNLIKELY(locked))
        ty_object_unlock_slow(o);
}

/* --- weak references and finalizers ----------------------------------------------------------------------------------- */

/* The heap keeps a table from referent to its weak references (any objects that begin with a TyWeakLink after their header). At a
 * collection, as in CPython, all references to what is unreachable are cleared together, before any finalizer or callback runs; an object that its
 * finalizer brings back has lost its weak references. The callbacks of references that are themselves alive are run by ty_weak_callbacks
 * (defined above) at a later safepoint of a thread of their interpreter. */
#define TY_WEAK_HAS_CALLBACK TY_BIT_KIND0 /* set in a weak reference's header while it has a callback */
typedef struct TyWeakLink { /* the first fields of a weak reference after its header */
    _Atomic(Value) referent;       /* TY_NULL once dead */
    struct TyWeakLink *next;       /* other weak references to the same referent; under the table's lock */
} TyWeakLink;
bool ty_weak_register(TyObject *referent, TyObject *reference, TyWeakLink *link); /* false: MemoryError raised */
void ty_weak_unregister(TyObject *reference, TyWeakLink *link);
Value ty_weak_get(TyWeakLink *link); /* the referent, kept alive by the returned word; TY_NULL when dead */
/* Calls visit for every live weak reference of the referent (under the table's lock; visit must not allocate). */
void ty_weak_each(TyObject *referent, void (*visit)(TyObject *reference, void *context), void *context);
extern void ty_weak_callbacks(TyObject **references, size_t count);   /* object/weakref.c: runs callbacks of references that died */

/* Puts a new object with a finalizer on the heap's list (types with layout.finalize have it called by ty_allocate). */
void ty_finalizer_register(TyObject *object);
/* Runs what is due (finalizers, weak reference callbacks); called at safepoints of ordinary code. */
void ty_heap_run_pending(void);
bool ty_heap_pending(void); /* whether there is something for this thread's interpreter */
/* At exit: runs the finalizers of all objects of the interpreter that still live (files are flushed). alone: no other thread is in the interpreter. */
void ty_heap_finalize_all(TyInterpreter *interpreter, bool alone);

/* --- collection -------------------------------------------------------------------------------------------------------- */

typedef struct TyHeapStatistics {
    uint64_t live_bytes;       /* after the last collection */
    uint64_t allocated_bytes;  /* since the last collection, about */
    uint64_t reserved_bytes, committed_bytes;
    uint64_t collections;
    uint64_t last_pause_ns, longest_pause_ns, total_pause_ns;
    uint64_t freed_objects;    /* by the last collection */
} TyHeapStatistics;

/* Once, before the first thread is attached. stress_interval N > 0: collect at every Nth allocation, and fill freed cells with 0xDD.
 * False: no address space. */
bool ty_heap_start(size_t stress_interval);
void ty_heap_collect(void);                 /* a full collection now, sweep completed; pending work is run by the caller's next ty_heap_run_pending */
/* The same, as a program asks for it: what is kept only to be found faster goes as well. The caller needs nothing that its registers and the C stack below
 * `low` refer to; NULL: it may. */
void ty_heap_collect_thoroughly(char *low);
void ty_heap_collect_above(char *low);      /* a collection like any other, for a caller of that kind */
extern bool ty_caches_forgotten;           /* while such a collection marks */
/* gc.enable/disable: automatic collections. Since all memory depends on them here, "disabled" means that they wait until the heap has
 * grown a good deal. */
void ty_heap_set_enabled(bool enabled);
bool ty_heap_enabled(void);
TyHeapStatistics ty_heap_statistics(void);
void ty_heap_pauses_reset(void); /* longest_pause_ns and total_pause_ns begin anew */
size_t ty_heap_interpreter_bytes(TyInterpreter *interpreter); /* live at the last collection and taken since, about */
void ty_heap_interpreter_set_limit(TyInterpreter *interpreter, size_t bytes); /* beyond it: MemoryError. 0: none */
void ty_heap_interpreter_closed(TyInterpreter *interpreter);  /* drops what is due for it; objects that crossed live on, and count for whoever comes next */
TyInterpreter *ty_heap_interpreter_of(TyObject *object);      /* that the object was made for; NULL if static or of a closed one */
bool ty_heap_contains(const void *address);           /* inside the reserved range */
bool ty_heap_readable(const void *address);           /* inside the part of it that is in use: reading there is safe, whatever it finds */
TyObject *ty_heap_object_at(const void *address);     /* the live object whose cell covers the address, else NULL */
size_t ty_heap_object_size(TyObject *object);         /* bytes of its cell */
/* Calls visit for each live object with the world stopped; visit must not allocate. */
void ty_heap_each(bool (*visit)(TyObject *object, void *context), void *context);
/* Calls visit for each Value that the object holds (its type first), with the world stopped: visit must not allocate. */
void ty_heap_referents(TyObject *object, void (*visit)(Value v, void *context), void *context);

/* Where the heap keeps what is told to those who look in from outside: inspect/table.h. */
typedef struct TyHeapPlaces {
    const TyHeapStatistics *statistics;
    const void *spaces;         /* the pointer to the first of the interpreters' parts; and where in those … */
    uint32_t space_interpreter, space_next, space_bytes, space_limit;
} TyHeapPlaces;
TyHeapPlaces ty_heap_places(void);

/* Around fork(): the first stops the world, the child keeps the calling thread alone. */
void ty_heap_fork_prepare(void);
void ty_heap_fork_parent(void);
void ty_heap_fork_child(void);

#endif
