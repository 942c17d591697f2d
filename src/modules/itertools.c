/* itertools. Each iterator is a few Values and numbers; a step reads what it needs into locals first, so that a thread or a callback that steps the same
 * iterator can disturb which items come, not memory. Those that keep arrays of indices step under their own lock, where no Python code runs. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

#define SELF(structure) structure *self = (structure *)ty_object(v)

/* Every structure here has its Values first. */
#define TRACE(count) \
    static void trace_##count(TyObject *self, TyMarker *marker) { ty_mark_range(marker, (Value *)(self + 1), count); }
TRACE(1)
TRACE(2)
TRACE(3)
TRACE(4)

static Value iterator_self(Value self) { return self; }

#define ITERATOR_TYPE(variable, structure, values, next_, new_, methods_, name_, doc_)                \
    static TyType variable = {                                                                       \
        .base = TY_STATIC_HEADER(ty_type_type),                                                      \
        .layout = {.size = sizeof(structure), .trace = trace_##values},                              \
        .flags = TY_TYPE_IMMUTABLE,                                                                  \
        .name = "itertools." name_,                                                                  \
        .doc = doc_,                                                                                 \
        .parent = &ty_object_base_type,                                                              \
        .slots = {.iter = iterator_self, .next = next_, .new = new_},                                \
        .methods = methods_,                                                                         \
    }

/* A subclass with an __init__ of its own may take keywords there. */
static bool refuse_keywords(TyType *type, const char *name, Value keywords)
{
    return type->slots.init != ty_object_base_type.slots.init || ty_no_keywords(name, keywords);
}

static Value call_one(Value function, Value argument) { return ty_call(function, &argument, 1, TY_NULL); }

/* --- accumulate ----------------------------------------------------------------------------------------------------- */

typedef struct Accumulate {
    TyObject base;
    Value iterator, function, total, initial;
} Accumulate;

static TyType accumulate_type;
static TySignature accumulate_signature = TY_SIGNATURE("accumulate(iterable, func=None, *, initial=None)");

static Value accumulate_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[3];
    if (!ty_parse_arguments(&accumulate_signature, arguments, count, keywords, a))
        return TY_NULL;
    Value iterator = ty_iter(a[0]), v = iterator == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Accumulate);
    ty_store(self, &self->iterator, iterator);
    ty_store(self, &self->function, a[1] == TY_NONE ? TY_NULL : a[1]);
    ty_store(self, &self->initial, a[2] == TY_NONE ? TY_NULL : a[2]);
    return v;
}

static Value accumulate_next(Value v)
{
    SELF(Accumulate);
    Value initial = ty_field(&self->initial);
    if (initial != TY_NULL) {
        ty_store(self, &self->initial, TY_NULL);
        ty_store(self, &self->total, initial);
        return initial;
    }
    Value item = ty_next(self->iterator);
    if (item == TY_NULL)
        return TY_NULL;
    Value total = ty_field(&self->total);
    if (total == TY_NULL) {
        total = item;
    } else if (self->function == TY_NULL) {
        total = ty_binary(TY_BINARY_ADD, total, item);
    } else {
        Value both[2] = {total, item};
        total = ty_call(self->function, both, 2, TY_NULL);
    }
    if (total != TY_NULL)
        ty_store(self, &self->total, total);
    return total;
}

ITERATOR_TYPE(accumulate_type, Accumulate, 4, accumulate_next, accumulate_new, NULL, "accumulate",
              "accumulate(iterable, func=None, *, initial=None)\n--\n\nThe running sums of the items, or the running results of a function of two arguments.");

/* --- batched -------------------------------------------------------------------------------------------------------- */

typedef struct Batched {
    TyObject base;
    Value iterator; /* TY_NULL at the end */
    int64_t size;
    bool strict;
} Batched;

static TySignature batched_signature = TY_SIGNATURE("batched(iterable, n, *, strict=False)");

static Value batched_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[3];
    int64_t size;
    if (!ty_parse_arguments(&batched_signature, arguments, count, keywords, a) || !ty_to_size(a[1], &size))
        return TY_NULL;
    int strict = a[2] == TY_NULL ? 0 : ty_is_true(a[2]);
    if (strict < 0)
        return TY_NULL;
    if (size < 1)
        return ty_raise(&ty_ValueError, "n must be at least one");
    Value iterator = ty_iter(a[0]), v = iterator == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Batched);
    ty_store(self, &self->iterator, iterator);
    self->size = size;
    self->strict = strict;
    return v;
}

static Value batched_next(Value v)
{
    SELF(Batched);
    Value iterator = ty_field(&self->iterator);
    if (iterator == TY_NULL)
        return TY_NULL;
    Value list = ty_list_new(TY_MIN(self->size, 1024)), item = TY_NULL;
    if (list == TY_NULL)
        return TY_NULL;
    int64_t taken = 0;
    while (taken < self->size && (item = ty_next(iterator)) != TY_NULL) {
        if (!ty_list_append(list, item))
            return TY_NULL;
        taken++;
    }
    if (taken < self->size) {
        ty_store(self, &self->iterator, TY_NULL);
        if (taken == 0 || ty_raised())
            return TY_NULL;
        if (self->strict)
            return ty_raise(&ty_ValueError, "batched(): incomplete batch");
    }
    return ty_list_to_tuple(list);
}

ITERATOR_TYPE(batched_type, Batched, 1, batched_next, batched_new, NULL, "batched",
              "batched(iterable, n, *, strict=False)\n--\n\nTuples of n items each; the last may be shorter, which is a ValueError with strict=True.");

/* --- chain ---------------------------------------------------------------------------------------------------------- */

typedef struct Chain {
    TyObject base;
    Value sources; /* iterator of iterables; TY_NULL at the end */
    Value active;  /* the iterator that items come from, or TY_NULL */
} Chain;

static TyType chain_type;

static Value chain_over(TyType *type, Value iterables)
{
    Value sources = ty_iter(iterables), v = sources == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Chain);
    ty_store(self, &self->sources, sources);
    return v;
}

static Value chain_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!refuse_keywords(type, "chain", keywords))
        return TY_NULL;
    Value iterables = ty_tuple_from_array(arguments, count);
    return iterables == TY_NULL ? TY_NULL : chain_over(type, iterables);
}

static Value chain_from_iterable(Value type, Value *a) { return chain_over(ty_as_type(type), a[0]); }

static Value chain_next(Value v)
{
    SELF(Chain);
    for (;;) {
        Value active = ty_field(&self->active);
        if (active == TY_NULL) {
            Value sources = ty_field(&self->sources);
            if (sources == TY_NULL)
                return TY_NULL;
            Value iterable = ty_next(sources);
            active = iterable == TY_NULL ? TY_NULL : ty_iter(iterable);
            if (active == TY_NULL) {
                ty_store(self, &self->sources, TY_NULL);
                return TY_NULL;
            }
            ty_store(self, &self->active, active);
        }
        Value item = ty_next(active);
        if (item != TY_NULL || ty_raised())
            return item;
        ty_store(self, &self->active, TY_NULL);
    }
}

static const TyNativeDef chain_methods[] = {
    TY_CLASS_METHOD("from_iterable(type, iterable, /)", chain_from_iterable, "A chain of the iterables that one iterable gives."),
    TY_CLASS_GETITEM,
    {0},
};

ITERATOR_TYPE(chain_type, Chain, 2, chain_next, chain_new, chain_methods, "chain",
              "chain(*iterables)\n--\n\nThe items of the first iterable, then those of the second, and so on.");

/* --- combinatorics -------------------------------------------------------------------------------------------------- */

/* product, combinations, permutations: a pool of items (or one for each place), and `indices` that say which are next. */
typedef struct Choice {
    TyObject base;
    Value pools;   /* a tuple of items; product: a tuple of tuples */
    Value indices; /* a TyArray of immediate ints */
    Value cycles;  /* permutations: a TyArray of counters */
    int64_t size;  /* of a result */
    bool started, ended;
} Choice;

static TyType product_type, combinations_type, replacement_type, permutations_type;

TY_INLINE int64_t number_at(Value array, int64_t i) { return ty_immediate_int(((TyArray *)ty_object(array))->items[i]); }
TY_INLINE void set_number(Value array, int64_t i, int64_t number)
{
    ty_store(ty_object(array), &((TyArray *)ty_object(array))->items[i], ty_from_immediate_int(number));
}

static Value numbers_new(int64_t count)
{
    TyArray *array = ty_array_new(count);
    if (array)
        for (int64_t i = 0; i < count; i++)
            array->items[i] = ty_from_immediate_int(0);
    return ty_from_object(array);
}

static Value choice_new(TyType *type, Value pools, int64_t size, int64_t index_count)
{
    Value v = ty_type_allocate(type, 0), indices = v == TY_NULL ? TY_NULL : numbers_new(index_count);
    if (indices == TY_NULL)
        return TY_NULL;
    SELF(Choice);
    ty_store(self, &self->pools, pools);
    ty_store(self, &self->indices, indices);
    self->size = size;
    return v;
}

/* The result for the present indices. */
static Value choice_result(Choice *self)
{
    bool of_pools = ty_is_instance_of(ty_from_object(self), &product_type);
    Value result = ty_tuple_new(self->size);
    if (result != TY_NULL)
        for (int64_t i = 0; i < self->size; i++) {
            Value pool = of_pools ? ty_tuple_item(self->pools, i) : self->pools;
            ty_tuple_set(result, i, ty_tuple_item(pool, number_at(self->indices, i)));
        }
    return result;
}

/* One step under the lock: `advance` moves the indices on, or gives false at the end. */
static Value choice_next(Value v, bool (*advance)(Choice *self))
{
    SELF(Choice);
    bool locked = ty_object_lock(&self->base);
    Value result = TY_NULL;
    if (!self->ended && self->started && !advance(self))
        self->ended = true;
    if (!self->ended)
        result = choice_result(self);
    self->started = true;
    ty_object_unlock(&self->base, locked);
    return result;
}

static bool product_advance(Choice *self)
{
    for (int64_t i = self->size - 1; i >= 0; i--) {
        int64_t next = number_at(self->indices, i) + 1;
        if (next < ty_tuple_length(ty_tuple_item(self->pools, i))) {
            set_number(self->indices, i, next);
            return true;
        }
        set_number(self->indices, i, 0);
    }
    return false;
}

static Value product_next(Value v) { return choice_next(v, product_advance); }

static Value product_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    int64_t repeat = 1;
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++) {
        if (!ty_str_equal_text(ty_tuple_item(keywords, i), "repeat"))
            return ty_raise(&ty_TypeError, "product() got an unexpected keyword argument '%U'", ty_tuple_item(keywords, i));
        if (!ty_to_size(arguments[count + i], &repeat))
            return TY_NULL;
    }
    if (repeat < 0)
        return ty_raise(&ty_ValueError, "repeat argument cannot be negative");
    if (count > 0 && repeat > INT64_MAX / 64 / (int64_t)count)
        return ty_raise(&ty_OverflowError, "repeat argument too large");
    int64_t size = repeat * (int64_t)count;
    Value pools = ty_tuple_new(size);
    bool empty = false;
    if (pools == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < (int64_t)count; i++) {
        Value pool = ty_sequence_tuple(arguments[i]);
        if (pool == TY_NULL)
            return TY_NULL;
        empty = empty || (ty_tuple_length(pool) == 0 && repeat > 0);
        for (int64_t k = 0; k < repeat; k++)
            ty_tuple_set(pools, k * (int64_t)count + i, pool);
    }
    Value v = choice_new(type, pools, size, size);
    if (v != TY_NULL)
        ((Choice *)ty_object(v))->ended = empty;
    return v;
}

static Value product_sizeof(Value v, Value *a)
{
    SELF(Choice);
    return ty_int_from_int64((int64_t)sizeof(Choice) + self->size * 8);
}

static const TyNativeDef choice_methods[] = {TY_METHOD("__sizeof__(self, /)", product_sizeof, "The size in memory, in bytes."), {0}};

ITERATOR_TYPE(product_type, Choice, 3, product_next, product_new, choice_methods, "product",
              "product(*iterables, repeat=1)\n--\n\nThe Cartesian product of the iterables, the last one varying fastest.");

static bool combinations_advance(Choice *self)
{
    int64_t n = ty_tuple_length(self->pools), r = self->size, i = r - 1;
    while (i >= 0 && number_at(self->indices, i) == i + n - r)
        i--;
    if (i < 0)
        return false;
    set_number(self->indices, i, number_at(self->indices, i) + 1);
    for (i++; i < r; i++)
        set_number(self->indices, i, number_at(self->indices, i - 1) + 1);
    return true;
}

static Value combinations_next(Value v) { return choice_next(v, combinations_advance); }

static bool replacement_advance(Choice *self)
{
    int64_t n = ty_tuple_length(self->pools), i = self->size - 1;
    while (i >= 0 && number_at(self->indices, i) == n - 1)
        i--;
    if (i < 0)
        return false;
    int64_t next = number_at(self->indices, i) + 1;
    for (; i < self->size; i++)
        set_number(self->indices, i, next);
    return true;
}

static Value replacement_next(Value v) { return choice_next(v, replacement_advance); }

/* The iterable as a tuple and the length of a result; false if one is bad. */
static bool pool_and_size(Value iterable, Value length, Value *pool, int64_t *size)
{
    *pool = ty_sequence_tuple(iterable);
    if (*pool == TY_NULL || !ty_to_size(length, size))
        return false;
    if (*size < 0)
        ty_raise(&ty_ValueError, "r must be non-negative");
    return *size >= 0;
}

static TySignature combinations_signature = TY_SIGNATURE("combinations(iterable, r)");

static Value combinations_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2], pool;
    int64_t size;
    if (!ty_parse_arguments(&combinations_signature, arguments, count, keywords, a) || !pool_and_size(a[0], a[1], &pool, &size))
        return TY_NULL;
    bool ended = size > ty_tuple_length(pool);
    Value v = choice_new(type, pool, size, ended ? 0 : size);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Choice);
    self->ended = ended;
    for (int64_t i = 0; !ended && i < size; i++)
        set_number(self->indices, i, i);
    return v;
}

ITERATOR_TYPE(combinations_type, Choice, 3, combinations_next, combinations_new, choice_methods, "combinations",
              "combinations(iterable, r)\n--\n\nTuples of r items of the iterable, in its order.");

static TySignature replacement_signature = TY_SIGNATURE("combinations_with_replacement(iterable, r)");

static Value replacement_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2], pool;
    int64_t size;
    if (!ty_parse_arguments(&replacement_signature, arguments, count, keywords, a) || !pool_and_size(a[0], a[1], &pool, &size))
        return TY_NULL;
    Value v = choice_new(type, pool, size, size);
    if (v != TY_NULL)
        ((Choice *)ty_object(v))->ended = ty_tuple_length(pool) == 0 && size > 0;
    return v;
}

ITERATOR_TYPE(replacement_type, Choice, 3, replacement_next, replacement_new, choice_methods, "combinations_with_replacement",
              "combinations_with_replacement(iterable, r)\n--\n\nTuples of r items of the iterable, in its order, each as often as need be.");

static bool permutations_advance(Choice *self)
{
    int64_t n = ty_tuple_length(self->pools);
    for (int64_t i = self->size - 1; i >= 0; i--) {
        int64_t left = number_at(self->cycles, i) - 1;
        if (left == 0) { /* rotates indices[i:] by one */
            int64_t first = number_at(self->indices, i);
            for (int64_t j = i; j < n - 1; j++)
                set_number(self->indices, j, number_at(self->indices, j + 1));
            set_number(self->indices, n - 1, first);
            set_number(self->cycles, i, n - i);
        } else {
            int64_t other = n - left, index = number_at(self->indices, i);
            set_number(self->cycles, i, left);
            set_number(self->indices, i, number_at(self->indices, other));
            set_number(self->indices, other, index);
            return true;
        }
    }
    return false;
}

static Value permutations_next(Value v) { return choice_next(v, permutations_advance); }

static TySignature permutations_signature = TY_SIGNATURE("permutations(iterable, r=None)");

static Value permutations_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2];
    if (!ty_parse_arguments(&permutations_signature, arguments, count, keywords, a))
        return TY_NULL;
    Value pool = ty_sequence_tuple(a[0]);
    if (pool == TY_NULL)
        return TY_NULL;
    int64_t n = ty_tuple_length(pool), size = n;
    if (a[1] != TY_NULL && a[1] != TY_NONE) {
        if (!ty_is_int(a[1]))
            return ty_raise(&ty_TypeError, "Expected int as r");
        if (!ty_to_size(a[1], &size))
            return TY_NULL;
    }
    if (size < 0)
        return ty_raise(&ty_ValueError, "r must be non-negative");
    bool ended = size > n;
    Value v = choice_new(type, pool, size, n), cycles = v == TY_NULL ? TY_NULL : numbers_new(ended ? 0 : size);
    if (cycles == TY_NULL)
        return TY_NULL;
    SELF(Choice);
    ty_store(self, &self->cycles, cycles);
    self->ended = ended;
    for (int64_t i = 0; i < n; i++)
        set_number(self->indices, i, i);
    for (int64_t i = 0; !ended && i < size; i++)
        set_number(cycles, i, n - i);
    return v;
}

ITERATOR_TYPE(permutations_type, Choice, 3, permutations_next, permutations_new, choice_methods, "permutations",
              "permutations(iterable, r=None)\n--\n\nTuples of r items of the iterable (all by default), in every order.");

/* --- compress ------------------------------------------------------------------------------------------------------- */

typedef struct TwoValues {
    TyObject base;
    Value first, second;
} TwoValues;

static Value two_values(TyType *type, Value first, Value second)
{
    Value v = first == TY_NULL || second == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(TwoValues);
    ty_store(self, &self->first, first);
    ty_store(self, &self->second, second);
    return v;
}

static TySignature compress_signature = TY_SIGNATURE("compress(data, selectors)");

static Value compress_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2];
    if (!ty_parse_arguments(&compress_signature, arguments, count, keywords, a))
        return TY_NULL;
    Value data = ty_iter(a[0]);
    return data == TY_NULL ? TY_NULL : two_values(type, data, ty_iter(a[1]));
}

static Value compress_next(Value v)
{
    SELF(TwoValues);
    for (;;) {
        Value item = ty_next(self->first);
        Value selector = item == TY_NULL ? TY_NULL : ty_next(self->second);
        if (selector == TY_NULL)
            return TY_NULL;
        int truth = ty_is_true(selector);
        if (truth != 0)
            return truth < 0 ? TY_NULL : item;
    }
}

ITERATOR_TYPE(compress_type, TwoValues, 2, compress_next, compress_new, NULL, "compress",
              "compress(data, selectors)\n--\n\nThe data items whose selector is true.");

/* --- count ---------------------------------------------------------------------------------------------------------- */

typedef struct Count {
    TyObject base;
    Value next, step;      /* when `fast` is false */
    _Atomic int64_t small; /* the next one, steps are 1 */
    _Atomic bool fast;
} Count;

static TySignature count_signature = TY_SIGNATURE("count(start=0, step=1)");

static bool is_number(Value v)
{
    TySlots *slots = &ty_type_of(v)->slots;
    return slots->index || slots->to_int || slots->to_float || ty_is_complex(v);
}

static Value count_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2], one = ty_from_immediate_int(1);
    if (!ty_parse_arguments(&count_signature, arguments, count, keywords, a))
        return TY_NULL;
    Value start = a[0] == TY_NULL ? ty_from_immediate_int(0) : a[0], step = a[1] == TY_NULL ? one : a[1];
    if (!is_number(start) || !is_number(step))
        return ty_raise(&ty_TypeError, "a number is required");
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Count);
    ty_store(self, &self->next, start);
    ty_store(self, &self->step, step);
    if (step == one && ty_is_immediate_int(start)) {
        ty_store_relaxed(&self->small, ty_immediate_int(start));
        ty_store_relaxed(&self->fast, true);
    }
    return v;
}

static Value count_next(Value v)
{
    SELF(Count);
    if (TY_LIKELY(ty_load_relaxed(&self->fast))) {
        int64_t n;
        if (!ty_load_relaxed(&ty_many_threads)) {
            n = ty_load_relaxed(&self->small);
            ty_store_relaxed(&self->small, n + 1);
        } else { /* no number twice */
            n = atomic_fetch_add_explicit(&self->small, 1, memory_order_relaxed);
        }
        return ty_int_from_int64(n);
    }
    for (;;) {
        Value value = ty_field_acquire(&self->next), next = ty_binary(TY_BINARY_ADD, value, self->step);
        if (next == TY_NULL)
            return TY_NULL;
        if (__atomic_compare_exchange_n(&self->next, &value, next, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return value;
    }
}

static Value count_repr(Value v)
{
    SELF(Count);
    if (ty_load_relaxed(&self->fast))
        return ty_str_format("%s(%lld)", ty_type_short_name(ty_type_of(v)), (long long)ty_load_relaxed(&self->small));
    Value next = ty_field_acquire(&self->next);
    if (self->step == ty_from_immediate_int(1))
        return ty_str_format("%s(%R)", ty_type_short_name(ty_type_of(v)), next);
    return ty_str_format("%s(%R, %R)", ty_type_short_name(ty_type_of(v)), next, self->step);
}

static TyType count_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Count), .trace = trace_2},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "itertools.count",
    .doc = "count(start=0, step=1)\n--\n\nstart, start + step, start + 2 * step, … without end.",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = count_next, .new = count_new, .repr = count_repr},
};

/* --- cycle ---------------------------------------------------------------------------------------------------------- */

typedef struct Cycle {
    TyObject base;
    Value iterator; /* TY_NULL once it has ended */
    Value saved;    /* list of its items */
    _Atomic int64_t index;
} Cycle;

static Value cycle_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!refuse_keywords(type, "cycle", keywords) || !ty_check_positional("cycle", count, 1, 1))
        return TY_NULL;
    Value iterator = ty_iter(arguments[0]), saved = iterator == TY_NULL ? TY_NULL : ty_list_new(0);
    Value v = saved == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Cycle);
    ty_store(self, &self->iterator, iterator);
    ty_store(self, &self->saved, saved);
    return v;
}

static Value cycle_next(Value v)
{
    SELF(Cycle);
    Value iterator = ty_field(&self->iterator), item;
    if (iterator != TY_NULL) {
        item = ty_next(iterator);
        if (item != TY_NULL)
            return ty_list_append(self->saved, item) ? item : TY_NULL;
        if (ty_raised())
            return TY_NULL;
        ty_store(self, &self->iterator, TY_NULL);
    }
    int64_t length = ty_list_length(self->saved), index = ty_load_relaxed(&self->index);
    if (length == 0)
        return TY_NULL;
    if (index >= length)
        index = 0;
    ty_store_relaxed(&self->index, index + 1 >= length ? 0 : index + 1);
    return ty_list_item(self->saved, index);
}

ITERATOR_TYPE(cycle_type, Cycle, 2, cycle_next, cycle_new, NULL, "cycle",
              "cycle(iterable, /)\n--\n\nThe items of the iterable, over and over.");

/* --- predicates: dropwhile, takewhile, filterfalse, starmap --------------------------------------------------------- */

typedef struct Predicate {
    TyObject base;
    Value function, iterator;
    _Atomic bool done; /* dropwhile: dropping has ended; takewhile: taking has */
} Predicate;

static Value predicate_new(TyType *type, const char *name, const Value *arguments, size_t count, Value keywords)
{
    if (!refuse_keywords(type, name, keywords) || !ty_check_positional(name, count, 2, 2))
        return TY_NULL;
    return two_values(type, arguments[0], ty_iter(arguments[1]));
}

#define PREDICATE_NEW(kind)                                                                                            \
    static Value kind##_new(TyType *type, const Value *arguments, size_t count, Value keywords)                        \
    {                                                                                                                  \
        return predicate_new(type, #kind, arguments, count, keywords);                                                 \
    }
PREDICATE_NEW(dropwhile)
PREDICATE_NEW(takewhile)
PREDICATE_NEW(filterfalse)
PREDICATE_NEW(starmap)

static int verdict(Value function, Value item)
{
    Value result = call_one(function, item);
    return result == TY_NULL ? -1 : ty_is_true(result);
}

static Value dropwhile_next(Value v)
{
    SELF(Predicate);
    for (;;) {
        Value item = ty_next(self->iterator);
        if (item == TY_NULL || ty_load_relaxed(&self->done))
            return item;
        int truth = verdict(self->function, item);
        if (truth < 0)
            return TY_NULL;
        if (!truth) {
            ty_store_relaxed(&self->done, true);
            return item;
        }
    }
}

static Value takewhile_next(Value v)
{
    SELF(Predicate);
    Value item = ty_load_relaxed(&self->done) ? TY_NULL : ty_next(self->iterator);
    if (item == TY_NULL)
        return TY_NULL;
    int truth = verdict(self->function, item);
    if (truth == 0)
        ty_store_relaxed(&self->done, true);
    return truth > 0 ? item : TY_NULL;
}

static Value filterfalse_next(Value v)
{
    SELF(Predicate);
    bool own_truth = self->function == TY_NONE || self->function == ty_from_object(&ty_bool_type);
    Value item;
    while ((item = ty_next(self->iterator)) != TY_NULL) {
        int truth = own_truth ? ty_is_true(item) : verdict(self->function, item);
        if (truth <= 0)
            return truth < 0 ? TY_NULL : item;
    }
    return TY_NULL;
}

static Value starmap_next(Value v)
{
    SELF(Predicate);
    Value item = ty_next(self->iterator), arguments = item == TY_NULL ? TY_NULL : ty_sequence_tuple(item);
    if (arguments == TY_NULL)
        return TY_NULL;
    return ty_call(self->function, ty_as_tuple(arguments)->items, (size_t)ty_tuple_length(arguments), TY_NULL);
}

ITERATOR_TYPE(dropwhile_type, Predicate, 2, dropwhile_next, dropwhile_new, NULL, "dropwhile",
              "dropwhile(predicate, iterable, /)\n--\n\nThe items from the first on for which the predicate is false.");
ITERATOR_TYPE(takewhile_type, Predicate, 2, takewhile_next, takewhile_new, NULL, "takewhile",
              "takewhile(predicate, iterable, /)\n--\n\nThe items before the first for which the predicate is false.");
ITERATOR_TYPE(filterfalse_type, Predicate, 2, filterfalse_next, filterfalse_new, NULL, "filterfalse",
              "filterfalse(function, iterable, /)\n--\n\nThe items for which function(item) is false; with None, those that are false themselves.");
ITERATOR_TYPE(starmap_type, Predicate, 2, starmap_next, starmap_new, NULL, "starmap",
              "starmap(function, iterable, /)\n--\n\nfunction(*item) for each item.");

/* --- groupby -------------------------------------------------------------------------------------------------------- */

typedef struct GroupBy {
    TyObject base;
    Value iterator, function;     /* function TY_NULL: the items are their keys */
    Value target_key;             /* of the group given out last; TY_NULL before */
    Value current_key, current;   /* the item that was read last, TY_NULL if it was given out */
    Value group;                  /* the group that may still give items */
} GroupBy;

typedef struct Group {
    TyObject base;
    Value parent, key;
} Group;

static TySignature groupby_signature = TY_SIGNATURE("groupby(iterable, key=None)");

static void groupby_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((GroupBy *)self)->iterator, 6); }

static Value groupby_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2];
    if (!ty_parse_arguments(&groupby_signature, arguments, count, keywords, a))
        return TY_NULL;
    Value iterator = ty_iter(a[0]), v = iterator == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(GroupBy);
    ty_store(self, &self->iterator, iterator);
    ty_store(self, &self->function, a[1] == TY_NONE ? TY_NULL : a[1]);
    return v;
}

/* Reads the next item and its key; false at the end or on failure. */
static bool groupby_step(GroupBy *self)
{
    Value item = ty_next(self->iterator);
    Value key = item == TY_NULL || self->function == TY_NULL ? item : call_one(self->function, item);
    if (key == TY_NULL)
        return false;
    ty_store(self, &self->current, item);
    ty_store(self, &self->current_key, key);
    return true;
}

static TyType group_type;

static Value groupby_next(Value v)
{
    SELF(GroupBy);
    ty_store(self, &self->group, TY_NULL);
    for (;;) { /* skips the rest of the last group */
        Value target = ty_field(&self->target_key), key = ty_field(&self->current_key);
        if (key != TY_NULL) {
            if (target == TY_NULL)
                break;
            int equal = ty_compare_bool(target, key, TY_EQ);
            if (equal < 0)
                return TY_NULL;
            if (!equal)
                break;
        }
        if (!groupby_step(self))
            return TY_NULL;
    }
    Value key = ty_field(&self->current_key);
    ty_store(self, &self->target_key, key);
    Group *group = (Group *)ty_allocate(&group_type, sizeof(Group));
    if (!group)
        return TY_NULL;
    ty_store(group, &group->parent, v);
    ty_store(group, &group->key, key);
    ty_store(self, &self->group, ty_from_object(group));
    return ty_tuple_pack(2, key, ty_from_object(group));
}

static Value group_next(Value v)
{
    SELF(Group);
    GroupBy *parent = (GroupBy *)ty_object(self->parent);
    if (ty_field(&parent->group) != v)
        return TY_NULL;
    if (ty_field(&parent->current) == TY_NULL && !groupby_step(parent))
        return TY_NULL;
    Value key = ty_field(&parent->current_key);
    int equal = key == TY_NULL ? 0 : ty_compare_bool(self->key, key, TY_EQ);
    if (equal <= 0)
        return TY_NULL;
    Value item = ty_field(&parent->current);
    ty_store(parent, &parent->current, TY_NULL);
    return item;
}

static TyType groupby_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(GroupBy), .trace = groupby_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "itertools.groupby",
    .doc = "groupby(iterable, key=None)\n--\n\nPairs of a key and an iterator over the consecutive items that have it.",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = groupby_next, .new = groupby_new},
};

static TySignature group_signature = TY_SIGNATURE("_grouper(parent, tgtkey, /)");

static Value group_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2];
    if (!ty_parse_arguments(&group_signature, arguments, count, keywords, a))
        return TY_NULL;
    if (!ty_is_instance_of(a[0], &groupby_type))
        return ty_raise(&ty_TypeError, "_grouper() argument 1 must be itertools.groupby, not %T", a[0]);
    Value v = two_values(type, a[0], a[1]);
    if (v != TY_NULL)
        ty_store(ty_object(a[0]), &((GroupBy *)ty_object(a[0]))->group, v);
    return v;
}

static TyType group_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Group), .trace = trace_2},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "itertools._grouper",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = group_next, .new = group_new},
};

/* --- islice --------------------------------------------------------------------------------------------------------- */

typedef struct Slice {
    TyObject base;
    Value iterator; /* TY_NULL at the end */
    _Atomic int64_t next, position;
    int64_t stop /* -1: none */, step;
} Slice;

static bool slice_bound(Value v, int64_t *out, const char *message)
{
    if (v == TY_NONE)
        return true;
    int64_t bound = -1;
    Value index = ty_has_index(v) ? ty_number_index(v) : TY_NULL;
    if (index != TY_NULL && ty_int_get_int64(index, &bound) == 0 && bound >= 0) {
        *out = bound;
        return true;
    }
    if (ty_raised())
        ty_clear_exception();
    ty_raise(&ty_ValueError, "%s", message);
    return false;
}

static Value islice_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!refuse_keywords(type, "islice", keywords) || !ty_check_positional("islice", count, 2, 4))
        return TY_NULL;
    int64_t start = 0, stop = -1, step = 1;
    if (count == 2) {
        if (!slice_bound(arguments[1], &stop, "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize."))
            return TY_NULL;
    } else if (!slice_bound(arguments[1], &start, "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.") ||
               !slice_bound(arguments[2], &stop, "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.")) {
        return TY_NULL;
    }
    if (count == 4 && !slice_bound(arguments[3], &step, "Step for islice() must be a positive integer or None."))
        return TY_NULL;
    if (step < 1)
        return ty_raise(&ty_ValueError, "Step for islice() must be a positive integer or None.");
    Value iterator = ty_iter(arguments[0]), v = iterator == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Slice);
    ty_store(self, &self->iterator, iterator);
    ty_store_relaxed(&self->next, start);
    self->stop = stop;
    self->step = step;
    return v;
}

static Value islice_next(Value v)
{
    SELF(Slice);
    Value iterator = ty_field(&self->iterator), item = TY_NULL;
    if (iterator == TY_NULL)
        return TY_NULL;
    int64_t wanted = ty_load_relaxed(&self->next), position = ty_load_relaxed(&self->position), next;
    if (self->stop >= 0 && wanted >= self->stop) { /* what lies before the stop is consumed all the same */
        while (position < self->stop && ty_next(iterator) != TY_NULL)
            ty_store_relaxed(&self->position, ++position);
        ty_store(self, &self->iterator, TY_NULL);
        return TY_NULL;
    }
    do {
        item = ty_next(iterator);
        if (item == TY_NULL) {
            ty_store(self, &self->iterator, TY_NULL);
            return TY_NULL;
        }
    } while (position++ < wanted);
    ty_store_relaxed(&self->position, position);
    if (__builtin_add_overflow(wanted, self->step, &next) || (self->stop >= 0 && next > self->stop))
        next = self->stop >= 0 ? self->stop : INT64_MAX;
    ty_store_relaxed(&self->next, next);
    return item;
}

ITERATOR_TYPE(islice_type, Slice, 1, islice_next, islice_new, NULL, "islice",
              "islice(iterable, stop) --> islice object\nislice(iterable, start, stop[, step]) --> islice object\n\nThe items that a slice would select.");

/* --- pairwise ------------------------------------------------------------------------------------------------------- */

typedef struct Pairwise {
    TyObject base;
    Value iterator; /* TY_NULL at the end */
    Value old;
} Pairwise;

static Value pairwise_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!refuse_keywords(type, "pairwise", keywords) || !ty_check_positional("pairwise", count, 1, 1))
        return TY_NULL;
    Value iterator = ty_iter(arguments[0]), v = iterator == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Pairwise);
    ty_store(self, &self->iterator, iterator);
    return v;
}

static Value pairwise_next(Value v)
{
    SELF(Pairwise);
    Value iterator = ty_field(&self->iterator), old = ty_field(&self->old);
    if (iterator == TY_NULL)
        return TY_NULL;
    if (old == TY_NULL) {
        old = ty_next(iterator);
        if (old == TY_NULL) {
            ty_store(self, &self->iterator, TY_NULL);
            return TY_NULL;
        }
        ty_store(self, &self->old, old);
        iterator = ty_field(&self->iterator); /* stepping may have stepped this one too */
        if (iterator == TY_NULL) {
            ty_store(self, &self->old, TY_NULL);
            return TY_NULL;
        }
    }
    Value item = ty_next(iterator);
    if (item == TY_NULL) {
        ty_store(self, &self->iterator, TY_NULL);
        ty_store(self, &self->old, TY_NULL);
        return TY_NULL;
    }
    Value pair = ty_tuple_pack(2, old, item);
    ty_store(self, &self->old, item);
    return pair;
}

ITERATOR_TYPE(pairwise_type, Pairwise, 2, pairwise_next, pairwise_new, NULL, "pairwise",
              "pairwise(iterable, /)\n--\n\nOverlapping pairs of neighbouring items.");

/* --- repeat --------------------------------------------------------------------------------------------------------- */

typedef struct Repeat {
    TyObject base;
    Value object;
    _Atomic int64_t left; /* -1: without end */
} Repeat;

static TySignature repeat_signature = TY_SIGNATURE("repeat(object, times=None)");

static Value repeat_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2];
    int64_t times = -1;
    if (!ty_parse_arguments(&repeat_signature, arguments, count, keywords, a) || (a[1] != TY_NULL && !ty_to_size(a[1], &times)))
        return TY_NULL;
    if (a[1] != TY_NULL && times < 0)
        times = 0;
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Repeat);
    ty_store(self, &self->object, a[0]);
    ty_store_relaxed(&self->left, times);
    return v;
}

static Value repeat_next(Value v)
{
    SELF(Repeat);
    int64_t left = ty_load_relaxed(&self->left);
    if (left == 0)
        return TY_NULL;
    if (left > 0)
        ty_store_relaxed(&self->left, left - 1);
    return self->object;
}

static Value repeat_repr(Value v)
{
    SELF(Repeat);
    int64_t left = ty_load_relaxed(&self->left);
    const char *name = ty_type_short_name(ty_type_of(v));
    return left < 0 ? ty_str_format("%s(%R)", name, self->object) : ty_str_format("%s(%R, %lld)", name, self->object, (long long)left);
}

static Value repeat_hint(Value v, Value *a)
{
    SELF(Repeat);
    int64_t left = ty_load_relaxed(&self->left);
    return left < 0 ? ty_raise(&ty_TypeError, "len() of unsized object") : ty_int_from_int64(left);
}

static const TyNativeDef repeat_methods[] = {TY_METHOD("__length_hint__(self, /)", repeat_hint, "How many items are still to come."), {0}};

static TyType repeat_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Repeat), .trace = trace_1},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "itertools.repeat",
    .doc = "repeat(object [,times]) -> create an iterator which returns the object\n\nThe same object, as many times as said, or without end.",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = repeat_next, .new = repeat_new, .repr = repeat_repr},
    .methods = repeat_methods,
};

/* --- tee ------------------------------------------------------------------------------------------------------------ */

/* The branches of a tee walk one chain of items, each with its place in it. Whoever comes to the end of the chain first reads on from the source; what all branches
 * have passed is garbage. */
typedef struct TeeLink {
    TyObject base;
    Value source;   /* the iterator: needed to read on */
    Value item;     /* TY_NULL: not read yet */
    Value next;     /* the next link, once the item was read */
    _Atomic bool reading;
} TeeLink;

typedef struct Tee {
    TyObject base;
    Value link;
} Tee;

static TyType tee_type, tee_link_type;

static Value link_new(Value source)
{
    TeeLink *link = (TeeLink *)ty_allocate(&tee_link_type, sizeof(TeeLink));
    if (link)
        ty_store(link, &link->source, source);
    return ty_from_object(link);
}

static Value tee_with(TyType *type, Value link)
{
    Value v = link == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v != TY_NULL)
        ty_store(ty_object(v), &((Tee *)ty_object(v))->link, link);
    return v;
}

static Value tee_over(TyType *type, Value iterable)
{
    Value iterator = ty_iter(iterable);
    if (iterator == TY_NULL)
        return TY_NULL;
    if (ty_is_instance_of(iterator, &tee_type))
        return tee_with(type, ty_field_acquire(&((Tee *)ty_object(iterator))->link));
    return tee_with(type, link_new(iterator));
}

static Value tee_next(Value v)
{
    SELF(Tee);
    TeeLink *link = (TeeLink *)ty_object(ty_field_acquire(&self->link));
    Value next = ty_field_acquire(&link->next);
    if (next == TY_NULL) {
        if (atomic_exchange_explicit(&link->reading, true, memory_order_acquire))
            return ty_raise(&ty_RuntimeError, "cannot re-enter the tee iterator");
        next = ty_field_acquire(&link->next);
        if (next == TY_NULL) {
            Value item = ty_next(link->source);
            next = item == TY_NULL ? TY_NULL : link_new(link->source);
            if (next != TY_NULL) {
                ty_store(link, &link->item, item);
                ty_store_publish(link, &link->next, next);
            }
        }
        ty_store_release(&link->reading, false);
        if (next == TY_NULL)
            return TY_NULL;
    }
    ty_store_publish(self, &self->link, next);
    return ty_field(&link->item);
}

static Value tee_copy(Value v, Value *a) { return tee_with(&tee_type, ty_field_acquire(&((Tee *)ty_object(v))->link)); }

static Value tee_type_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!refuse_keywords(type, "_tee", keywords) || !ty_check_positional("_tee", count, 1, 1))
        return TY_NULL;
    return tee_over(type, arguments[0]);
}

static const TyNativeDef tee_methods[] = {TY_METHOD("__copy__(self, /)", tee_copy, "An independent iterator at the same place."), {0}};

static TyType tee_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Tee), .trace = trace_1},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_WEAKREFABLE,
    .name = "itertools._tee",
    .doc = "_tee(iterable, /)\n--\n\nAn iterator that can be copied.",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = tee_next, .new = tee_type_new},
    .methods = tee_methods,
};

static TyType tee_link_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TeeLink), .trace = trace_3},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "itertools._tee_dataobject",
    .parent = &ty_object_base_type,
};

static Value tee(Value module, Value *a)
{
    int64_t count = 2;
    if (a[1] != TY_NULL && !ty_to_size(a[1], &count))
        return TY_NULL;
    if (count < 0)
        return ty_raise(&ty_ValueError, "n must be >= 0");
    Value result = ty_tuple_new(count);
    if (result == TY_NULL || count == 0)
        return result;
    Value first = tee_over(&tee_type, a[0]);
    for (int64_t i = 0; first != TY_NULL && i < count; i++) {
        Value branch = i == 0 ? first : tee_copy(first, NULL);
        if (branch == TY_NULL)
            return TY_NULL;
        ty_tuple_set(result, i, branch);
    }
    return first == TY_NULL ? TY_NULL : result;
}

/* --- zip_longest ---------------------------------------------------------------------------------------------------- */

typedef struct ZipLongest {
    TyObject base;
    Value iterators; /* a TyArray; TY_NULL in it: ended */
    Value fill;
    _Atomic int64_t active;
} ZipLongest;

static Value zip_longest_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value fill = TY_NONE;
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++) {
        if (!ty_str_equal_text(ty_tuple_item(keywords, i), "fillvalue"))
            return ty_raise(&ty_TypeError, "zip_longest() got an unexpected keyword argument");
        fill = arguments[count + i];
    }
    TyArray *iterators = ty_array_new((int64_t)count);
    if (!iterators)
        return TY_NULL;
    for (size_t i = 0; i < count; i++) {
        Value iterator = ty_iter(arguments[i]);
        if (iterator == TY_NULL)
            return TY_NULL;
        ty_store(iterators, &iterators->items[i], iterator);
    }
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(ZipLongest);
    ty_store(self, &self->iterators, ty_from_object(iterators));
    ty_store(self, &self->fill, fill);
    ty_store_relaxed(&self->active, (int64_t)count);
    return v;
}

static Value zip_longest_next(Value v)
{
    SELF(ZipLongest);
    TyArray *iterators = (TyArray *)ty_object(self->iterators);
    if (ty_load_relaxed(&self->active) <= 0)
        return TY_NULL;
    Value result = ty_tuple_new(iterators->capacity);
    if (result == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < iterators->capacity; i++) {
        Value iterator = ty_field(&iterators->items[i]), item = iterator == TY_NULL ? self->fill : ty_next(iterator);
        if (item == TY_NULL) {
            if (ty_raised()) {
                ty_store_relaxed(&self->active, 0);
                return TY_NULL;
            }
            ty_store(iterators, &iterators->items[i], TY_NULL);
            if (atomic_fetch_sub_explicit(&self->active, 1, memory_order_relaxed) <= 1)
                return TY_NULL;
            item = self->fill;
        }
        ty_tuple_set(result, i, item);
    }
    return result;
}

ITERATOR_TYPE(zip_longest_type, ZipLongest, 2, zip_longest_next, zip_longest_new, NULL, "zip_longest",
              "zip_longest(*iterables, fillvalue=None)\n--\n\nTuples of one item from each iterable, until the longest ends; fillvalue stands for what is missing.");

/* --- the module ----------------------------------------------------------------------------------------------------- */

static const TyNativeDef functions[] = {
    TY_FUNCTION("tee(iterable, n=2, /)", tee, "A tuple of n independent iterators over the items of one."),
    {0},
};

static TyType *const types[] = {
    &accumulate_type, &batched_type,  &chain_type,     &combinations_type, &replacement_type, &compress_type,  &count_type,
    &cycle_type,      &dropwhile_type, &filterfalse_type, &groupby_type,   &group_type,       &islice_type,    &pairwise_type,
    &permutations_type, &product_type, &repeat_type,   &starmap_type,      &takewhile_type,   &tee_type,       &tee_link_type,
    &zip_longest_type, NULL,
};

const TyModuleDef ty_module_itertools = {
    .name = "itertools",
    .doc = "Iterators made of iterators.",
    .functions = functions,
    .types = types,
};
