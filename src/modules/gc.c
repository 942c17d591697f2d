/* gc: the collector as Python programs see it.
 *
 * Some objects of ours have no counterpart in Python (the array of a list, the table of a dict, …). Here they are transparent: what they
 * hold counts as held by the object they belong to. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/set.h"
#include "object/shape.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "vm/frame.h"

#include <stdlib.h>

enum { DEBUG_STATS = 1, DEBUG_COLLECTABLE = 2, DEBUG_UNCOLLECTABLE = 4, DEBUG_SAVEALL = 32 };
enum { CALLBACKS, GARBAGE, THRESHOLD, THRESHOLD1, THRESHOLD2, DEBUG, FROZEN, COLLECTED, COLLECTIONS, COLLECTIONS1, COLLECTIONS2, STATE_COUNT };

#define FINALIZER_ROUNDS 8 /* collections of one collect(): objects may die only after another's finalizer has run */

static bool is_internal(TyObject *o)
{
    static TyType *const internal[] = {&ty_array_type, &ty_dict_table_type, &ty_set_table_type, &ty_shape_type, &ty_text_buffer_type};
    TyType *type = ty_object_type(o);
    for (size_t i = 0; i < TY_COUNT_OF(internal); i++)
        if (type == internal[i])
            return true;
    return !(type->flags & (TY_TYPE_READY | TY_TYPE_HEAP));
}

/* Whether it holds other objects as far as Python knows: a str may hold a buffer, which is no one's business. */
static bool holds(TyObject *o) { return ty_object_type(o)->layout.trace && ty_object_type(o) != &ty_str_type; }

static bool is_tracked(TyObject *o)
{
    TyType *type = ty_object_type(o);
    if (!ty_heap_contains(o) || !holds(o) || is_internal(o))
        return false;
    Value v = ty_from_object(o);
    if (ty_is_exact(v, &ty_tuple_type))
        return ty_tuple_length(v) > 0;
    if (!(type->flags & TY_TYPE_HEAP))
        return !ty_is_str(v);
    if (type->flags & TY_TYPE_HAS_DICT)
        return true;
    for (; type->flags & TY_TYPE_HEAP; type = type->parent)
        if (type->slot_names && ty_tuple_length(type->slot_names))
            return true;
    return type->layout.trace && !(type->flags & TY_TYPE_STR);
}

/* --- collecting ------------------------------------------------------------------------------------------------------------ */

static bool call_back(Value module, const char *phase, int64_t generation, int64_t collected)
{
    Value callbacks = ty_module_state(module)[CALLBACKS];
    if (!callbacks || ty_list_length(callbacks) == 0)
        return true;
    Value info = ty_dict_new();
    if (!info || !ty_dict_set_text(info, "generation", ty_int_from_int64(generation)) ||
        !ty_dict_set_text(info, "collected", ty_int_from_int64(collected)) || !ty_dict_set_text(info, "uncollectable", ty_int_from_int64(0)))
        return false;
    for (int64_t i = 0; i < ty_list_length(callbacks); i++) {
        Value callback = ty_list_item(callbacks, i);
        if (callback && !ty_call_two(callback, ty_str_from_text(phase), info))
            ty_write_unraisable(callback, NULL);
    }
    return true;
}

static Value gc_collect(Value module, Value *a);

/* Where the C stack begins to matter when Python code calls collect() itself: above the interpreter's C function. What is below is scanned
 * conservatively else, and calls before this one have left there, in places that the frames of this one cover but do not write, what would be kept alive. */
static char *calling_run(void)
{
    const TyRun *run = ty_thread->run;
    const TyFrame *frame = ty_thread->frame;
    if (ty_thread->instrumented || !run || run->low >= run->high || !frame || frame == run->below || (ty_op(*frame->pc) != TY_OP_CALL && ty_op(*frame->pc) != TY_OP_CALL_METHOD))
        return NULL;
    Value callee = frame->registers[ty_op_b(*frame->pc)];
    return ty_is_exact(callee, &ty_native_type) && ((TyNative *)ty_object(callee))->def->function.flat == gc_collect ? (char *)run->high : NULL;
}

static TY_NOINLINE uint64_t collect_once(void)
{
    ty_heap_collect_thoroughly(calling_run());
    return ty_heap_statistics().freed_objects;
}

static TY_NOINLINE int64_t collect_rounds(void)
{
    uint64_t freed = 0;
    for (int round = 0; round < FINALIZER_ROUNDS; round++) {
        ty_c_stack_clear();
        freed += collect_once();
        if (!ty_heap_pending())
            break;
        ty_heap_run_pending();
    }
    return (int64_t)freed;
}

static Value gc_collect(Value module, Value *a)
{
    int64_t generation = 2;
    if (a[0] && !ty_to_size(a[0], &generation))
        return TY_NULL;
    if (generation < 0 || generation > 2)
        return ty_raise(&ty_ValueError, "invalid generation");
    if (!call_back(module, "start", generation, 0))
        return TY_NULL;
    int64_t freed = collect_rounds();
    Value *collected = &ty_module_state(module)[COLLECTED];
    int64_t before = 0;
    Value known = ty_field(collected);
    if (known && !ty_to_int64(known, &before))
        return TY_NULL;
    ty_store(ty_object(module), collected, ty_int_from_int64(before + freed));
    Value *times = &ty_module_state(module)[COLLECTIONS + generation];
    if (!ty_to_int64(ty_field(times), &before))
        return TY_NULL;
    ty_store(ty_object(module), times, ty_int_from_int64(before + 1));
    if (!call_back(module, "stop", generation, freed))
        return TY_NULL;
    return ty_int_from_int64(freed);
}

static Value gc_enable(Value module, Value *a)
{
    ty_heap_set_enabled(true);
    return TY_NONE;
}
static Value gc_disable(Value module, Value *a)
{
    ty_heap_set_enabled(false);
    return TY_NONE;
}
static Value gc_isenabled(Value module, Value *a) { return ty_from_bool(ty_heap_enabled()); }

/* --- settings: remembered, and mostly without effect on a collector that has no generations ------------------------------------ */

static Value gc_set_threshold(Value module, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("set_threshold", keywords))
        return TY_NULL;
    if (count < 1 || count > 3)
        return ty_raise(&ty_TypeError, "gc.set_threshold requires 1 to 3 arguments");
    for (size_t i = 0; i < count; i++) {
        int32_t threshold;
        if (!ty_to_int32(arguments[i], &threshold))
            return TY_NULL;
        ty_store(ty_object(module), &ty_module_state(module)[THRESHOLD + i], ty_int_from_int64(threshold));
    }
    return TY_NONE;
}
static Value gc_get_threshold(Value module, Value *a)
{
    Value *state = ty_module_state(module);
    return ty_tuple_pack(3, ty_field(&state[THRESHOLD]), ty_field(&state[THRESHOLD1]), ty_field(&state[THRESHOLD2]));
}
static Value gc_get_count(Value module, Value *a)
{
    int64_t objects = (int64_t)(ty_heap_statistics().allocated_bytes / 64); /* of a typical size */
    return ty_tuple_pack(3, ty_int_from_int64(objects), ty_int_from_int64(0), ty_int_from_int64(0));
}
static Value gc_set_debug(Value module, Value *a)
{
    int32_t flags;
    if (!ty_to_int32(a[0], &flags))
        return TY_NULL;
    ty_store(ty_object(module), &ty_module_state(module)[DEBUG], ty_int_from_int64(flags));
    return TY_NONE;
}
static Value gc_get_debug(Value module, Value *a) { return ty_field(&ty_module_state(module)[DEBUG]); }

static Value generation_statistics(Value collections, Value collected)
{
    Value dict = ty_dict_new();
    if (!dict || !ty_dict_set_text(dict, "collections", collections) || !ty_dict_set_text(dict, "collected", collected) ||
        !ty_dict_set_text(dict, "uncollectable", ty_int_from_int64(0)))
        return TY_NULL;
    return dict;
}
static Value gc_get_stats(Value module, Value *a)
{
    Value list = ty_list_new(3), zero = ty_int_from_int64(0), collected = ty_field(&ty_module_state(module)[COLLECTED]);
    for (int i = 0; list && i < 3; i++) {
        Value dict = generation_statistics(ty_field(&ty_module_state(module)[COLLECTIONS + i]), i == 2 && collected ? collected : zero);
        if (!dict || !ty_list_append(list, dict))
            return TY_NULL;
    }
    return list;
}

/* --- looking at objects ----------------------------------------------------------------------------------------------------------- */

static Value gc_is_tracked(Value module, Value *a) { return ty_from_bool(ty_is_object(a[0]) && is_tracked(ty_object(a[0]))); }
static Value gc_is_finalized(Value module, Value *a)
{
    return ty_from_bool(ty_is_object(a[0]) && ty_heap_contains(ty_object(a[0])) && (ty_object_bits(ty_object(a[0])) & TY_BIT_FINALIZED));
}

/* Results gathered while the world is stopped go into a tuple that was made before; `count` goes on when it is full. */
typedef struct Gathering {
    Value tuple;
    int64_t count;
    Value excluded;
    const Value *targets;
    size_t target_count;
    bool found;
} Gathering;

static void gather(Gathering *gathering, Value v)
{
    if (gathering->tuple && gathering->count < ty_tuple_length(gathering->tuple))
        ty_tuple_set(gathering->tuple, gathering->count, v);
    gathering->count++;
}

/* Runs `walk` with ever more room until all fits; a list of what was found. */
static Value gathered(Gathering *gathering, void (*walk)(Gathering *gathering))
{
    gathering->tuple = TY_NULL;
    for (;;) {
        gathering->count = 0;
        walk(gathering);
        int64_t room = gathering->tuple ? ty_tuple_length(gathering->tuple) : 0;
        if (gathering->tuple && gathering->count <= room)
            return ty_list_from_array(ty_as_tuple(gathering->tuple)->items, (size_t)gathering->count);
        gathering->tuple = ty_tuple_new(gathering->count + gathering->count / 8 + 16);
        if (!gathering->tuple)
            return TY_NULL;
    }
}

/* Without what is dead, nor what died since the collection: the world is stopped from there on. */
static Value gathered_alive(Gathering *gathering, void (*walk)(Gathering *gathering))
{
    ty_world_stop();
    ty_heap_collect();
    Value list = gathered(gathering, walk);
    ty_world_start();
    return list;
}

static bool gather_tracked(TyObject *o, void *context)
{
    Gathering *gathering = context;
    if (is_tracked(o) && ty_from_object(o) != gathering->tuple && ty_heap_interpreter_of(o) == ty_interpreter())
        gather(gathering, ty_from_object(o));
    return true;
}
static void walk_objects(Gathering *gathering) { ty_heap_each(gather_tracked, gathering); }

static Value gc_get_objects(Value module, Value *a)
{
    int64_t generation = -1;
    if (a[0] && a[0] != TY_NONE) {
        if (!ty_to_size(a[0], &generation))
            return TY_NULL;
        if (generation >= 3)
            return ty_raise(&ty_ValueError, "generation parameter must be less than the number of available generations (3)");
        if (generation < 0)
            return ty_raise(&ty_ValueError, "generation parameter cannot be negative");
        if (generation < 2)
            return ty_list_new(0); /* all are in the oldest */
    }
    Gathering gathering = {0};
    return gathered_alive(&gathering, walk_objects);
}

static Value gc_freeze(Value module, Value *a)
{
    Gathering gathering = {0};
    walk_objects(&gathering);
    ty_store(ty_object(module), &ty_module_state(module)[FROZEN], ty_int_from_int64(gathering.count));
    return TY_NONE;
}
static Value gc_unfreeze(Value module, Value *a)
{
    ty_store(ty_object(module), &ty_module_state(module)[FROZEN], ty_int_from_int64(0));
    return TY_NONE;
}
static Value gc_get_freeze_count(Value module, Value *a) { return ty_field(&ty_module_state(module)[FROZEN]); }

/* What the object holds, looking through internal objects. Those form no cycles but through visible ones; the depth is small. */
typedef struct Looking {
    void (*visit)(Value v, Gathering *gathering);
    Gathering *gathering;
    TyObject *from;
} Looking;

static void look(Value v, void *context)
{
    Looking *looking = context;
    if (!ty_is_object(v)) {
        looking->visit(v, looking->gathering);
        return;
    }
    TyObject *o = ty_object(v);
    if (v == ty_from_object(ty_object_type(looking->from)) && !(ty_object_type(looking->from)->flags & TY_TYPE_HEAP))
        return; /* as in CPython, a static type is not held by its instances */
    if (!is_internal(o)) {
        looking->visit(v, looking->gathering);
        return;
    }
    Looking inner = {looking->visit, looking->gathering, o};
    if (!ty_c_stack_low())
        ty_heap_referents(o, look, &inner);
}
static void look_from(TyObject *o, void (*visit)(Value v, Gathering *gathering), Gathering *gathering)
{
    if (ty_object_type(o)->flags & TY_TYPE_DICT) { /* tracing passes over immediate values */
        int64_t position = 0;
        Value key, value;
        while (ty_dict_next(ty_from_object(o), &position, &key, &value)) {
            visit(key, gathering);
            visit(value, gathering);
        }
        if (!(ty_object_type(o)->flags & TY_TYPE_HEAP))
            return;
    }
    Looking looking = {visit, gathering, o};
    ty_heap_referents(o, look, &looking);
}

static void add_referent(Value v, Gathering *gathering) { gather(gathering, v); }
static void walk_referents(Gathering *gathering)
{
    for (size_t i = 0; i < gathering->target_count; i++)
        if (ty_is_object(gathering->targets[i]) && holds(ty_object(gathering->targets[i])))
            look_from(ty_object(gathering->targets[i]), add_referent, gathering);
}
static Value gc_get_referents(Value module, Value *a)
{
    Gathering gathering = {.targets = ty_as_tuple(a[0])->items, .target_count = (size_t)ty_tuple_length(a[0])};
    return gathered(&gathering, walk_referents);
}

static void compare_referent(Value v, Gathering *gathering)
{
    for (size_t i = 0; i < gathering->target_count && !gathering->found; i++)
        gathering->found = v == gathering->targets[i];
}
static bool gather_referrer(TyObject *o, void *context)
{
    Gathering *gathering = context;
    Value v = ty_from_object(o);
    if (is_internal(o) || !holds(o) || v == gathering->tuple || v == gathering->excluded)
        return true;
    gathering->found = false;
    look_from(o, compare_referent, gathering);
    if (gathering->found)
        gather(gathering, v);
    return true;
}
static void walk_referrers(Gathering *gathering) { ty_heap_each(gather_referrer, gathering); }
static Value gc_get_referrers(Value module, Value *a)
{
    Gathering gathering = {.targets = ty_as_tuple(a[0])->items, .target_count = (size_t)ty_tuple_length(a[0]), .excluded = a[0]};
    return gathered_alive(&gathering, walk_referrers);
}

/* Not in CPython. */
static Value gc_get_pauses(Value module, Value *a)
{
    int reset = a[0] == TY_NULL ? 0 : ty_is_true(a[0]);
    if (reset < 0)
        return TY_NULL;
    TyHeapStatistics statistics = ty_heap_statistics();
    if (reset)
        ty_heap_pauses_reset();
    Value dict = ty_dict_new();
    bool good = dict != TY_NULL && ty_dict_set_text(dict, "count", ty_int_from_uint64(statistics.collections)) &&
                ty_dict_set_text(dict, "last", ty_from_double((double)statistics.last_pause_ns / 1e9)) &&
                ty_dict_set_text(dict, "longest", ty_from_double((double)statistics.longest_pause_ns / 1e9)) &&
                ty_dict_set_text(dict, "total", ty_from_double((double)statistics.total_pause_ns / 1e9));
    return good ? dict : TY_NULL;
}

/* --- the module --------------------------------------------------------------------------------------------------------------------- */

static const TyNativeDef gc_functions[] = {
    TY_FUNCTION("collect(generation=2)", gc_collect,
                "Collects all unreachable objects now and runs their finalizers; returns how many objects were freed. Generations make no difference."),
    TY_FUNCTION("enable()", gc_enable, "Lets collections happen by themselves."),
    TY_FUNCTION("disable()", gc_disable, "Puts collections off until memory demands one."),
    TY_FUNCTION("isenabled()", gc_isenabled, "Whether collections happen by themselves."),
    TY_RAW_FUNCTION("set_threshold(threshold0, [threshold1, [threshold2]])", gc_set_threshold, "Remembers the thresholds."),
    TY_FUNCTION("get_threshold()", gc_get_threshold, "The thresholds, as set."),
    TY_FUNCTION("get_count()", gc_get_count, "About how many objects were made since the last collection, then two zeros."),
    TY_FUNCTION("set_debug(flags, /)", gc_set_debug, "Sets the debugging flags."),
    TY_FUNCTION("get_debug()", gc_get_debug, "The debugging flags."),
    TY_FUNCTION("get_stats()", gc_get_stats, "A dict for each generation: how many collections there were, and what they found."),
    TY_FUNCTION("get_pauses(reset=False)", gc_get_pauses,
                "How often the process has stood still for a collection, and for how many seconds: the last time, at most, and in all. reset: the longest and the sum begin anew."),
    TY_FUNCTION("get_objects(generation=None)", gc_get_objects, "A list of the interpreter's container objects."),
    TY_FUNCTION("get_referents(*objs)", gc_get_referents, "A list of what the objects refer to."),
    TY_FUNCTION("get_referrers(*objs)", gc_get_referrers, "A list of the objects that refer to any of the given ones."),
    TY_FUNCTION("is_tracked(obj, /)", gc_is_tracked, "Whether the object may hold references to others."),
    TY_FUNCTION("is_finalized(obj, /)", gc_is_finalized, "Whether the object's finalizer has run."),
    TY_FUNCTION("freeze()", gc_freeze, "Counts the present objects as permanent."),
    TY_FUNCTION("unfreeze()", gc_unfreeze, "Undoes freeze()."),
    TY_FUNCTION("get_freeze_count()", gc_get_freeze_count, "How many objects freeze() counted."),
    {0}};

static bool gc_execute(Value module)
{
    Value *state = ty_module_state(module), callbacks = ty_list_new(0), garbage = ty_list_new(0);
    if (!callbacks || !garbage)
        return false;
    static const int numbers[] = {[THRESHOLD] = 2000, [THRESHOLD1] = 10, [THRESHOLD2] = 10, [STATE_COUNT - 1] = 0};
    for (int i = THRESHOLD; i < STATE_COUNT; i++)
        ty_store(ty_object(module), &state[i], ty_int_from_int64(numbers[i]));
    ty_store(ty_object(module), &state[CALLBACKS], callbacks);
    ty_store(ty_object(module), &state[GARBAGE], garbage);
    return ty_module_add(module, "callbacks", callbacks) && ty_module_add(module, "garbage", garbage) &&
           ty_module_add_int(module, "DEBUG_STATS", DEBUG_STATS) && ty_module_add_int(module, "DEBUG_COLLECTABLE", DEBUG_COLLECTABLE) &&
           ty_module_add_int(module, "DEBUG_UNCOLLECTABLE", DEBUG_UNCOLLECTABLE) && ty_module_add_int(module, "DEBUG_SAVEALL", DEBUG_SAVEALL) &&
           ty_module_add_int(module, "DEBUG_LEAK", DEBUG_COLLECTABLE | DEBUG_UNCOLLECTABLE | DEBUG_SAVEALL);
}

const TyModuleDef ty_module_gc = {
    .name = "gc",
    .doc = "The garbage collector: running it, switching it, and looking at the objects that it knows.",
    .functions = gc_functions,
    .execute = gc_execute,
    .state_count = STATE_COUNT,
};
