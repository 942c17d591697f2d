/* loop.call_soon(…) as asyncio's own event loops do it, without their Python: five calls for each callback otherwise.
 *
 * A plan says where a class of loops keeps what is needed, and that none of its methods is another than the library's. It is tried at each call: the
 * classes' versions, the loop's shape and what the library's module has under the names it would use must be those it was made of; else the loop's own
 * method is called. */
#include "modules/asyncio/asyncio.h"
#include "modules/_contextvars.h"
#include "modules/collections.h"
#include "object/code.h"
#include "object/dict.h"
#include "object/function.h"
#include "object/list.h"
#include "object/module.h"
#include "object/shape.h"
#include "object/tuple.h"
#include "object/type.h"

enum { DEBUG, CLOSED, READY, ATTRIBUTES };
enum { CALLBACK, ARGUMENTS, CANCELLED, LOOP, SOURCE_TRACEBACK, REPR, CONTEXT, SLOTS };

typedef struct Plan {
    TyObject base;
    Value type, handle_type, globals, events, events_dict;
    uint32_t type_version, handle_version, shape;
    uint32_t attributes[ATTRIBUTES];   /* indexes of the shape */
    uint32_t slots[SLOTS];             /* offsets in a handle */
    bool usable;                       /* else: known to be of no use for such a loop */
} Plan;

static void plan_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Plan *)self)->type, 5); }

TyType ty_asyncio_plan_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Plan), .trace = plan_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "_asyncio.plan",
    .parent = &ty_object_base_type,
};

/* The function that the class has under this name is the one that BaseEventLoop's source defines. */
static Value library_method(TyType *type, const char *name, const char *qualified, Value filename)
{
    Value v = ty_type_lookup(type, ty_intern_text(name));
    if (v == TY_NULL || !ty_is_exact(v, &ty_function_type))
        return TY_NULL;
    TyFunction *function = (TyFunction *)ty_object(v);
    TyCode *code = (TyCode *)function->code;
    return ty_str_equal_text(code->qualname, qualified) && (filename == TY_NULL || ty_str_equal(code->filename, filename)) ? v : TY_NULL;
}

static bool find_handle(Plan *plan)
{
    plan->events = ty_dict_get_str(plan->globals, TY_NAME("events"));
    if (plan->events == TY_NULL || !ty_is_exact(plan->events, &ty_module_type))
        return false;
    plan->events_dict = ty_module_dict(plan->events);
    plan->handle_type = ty_dict_get_str(plan->events_dict, TY_NAME("Handle"));
    if (plan->handle_type == TY_NULL || !ty_is_type(plan->handle_type))
        return false;
    static const char *const names[SLOTS] = {"_callback", "_args", "_cancelled", "_loop", "_source_traceback", "_repr", "_context"};
    TyType *handle = ty_as_type(plan->handle_type);
    plan->handle_version = ty_type_version(handle);
    for (int i = 0; i < SLOTS; i++) {
        Value member = ty_type_lookup(handle, ty_intern_text(names[i]));
        if (member == TY_NULL || !ty_slot_member_offset(member, &plan->slots[i]))
            return false;
    }
    return handle->slots.new == ty_object_new && library_method(handle, "__init__", "Handle.__init__", TY_NULL) != TY_NULL;
}

static bool find_attributes(Plan *plan)
{
    static const char *const names[ATTRIBUTES] = {"_debug", "_closed", "_ready"};
    static const char *const hidden[] = {"call_soon", "_call_soon", "_check_closed", "get_debug"}; /* of the instance: they would be called instead */
    TyShape *shape = ty_shape_from_number(plan->shape);
    if (!shape || shape->dictionary)
        return false;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (ty_shape_index(shape, ty_intern_text(hidden[i])) >= 0)
            return false;
    for (int i = 0; i < ATTRIBUTES; i++) {
        int64_t index = ty_shape_index(shape, ty_intern_text(names[i]));
        if (index < 0)
            return false;
        plan->attributes[i] = (uint32_t)index;
    }
    return true;
}

static bool fill(Plan *plan, TyType *type)
{
    if (!(type->flags & TY_TYPE_HEAP) || !(type->flags & TY_TYPE_HAS_DICT) || (type->flags & TY_TYPE_CUSTOM_GETATTR) || type->attributes_offset == 0)
        return false;
    Value method = library_method(type, "call_soon", "BaseEventLoop.call_soon", TY_NULL);
    if (method == TY_NULL)
        return false;
    TyFunction *function = (TyFunction *)ty_object(method);
    Value filename = ((TyCode *)function->code)->filename;
    plan->globals = function->globals;
    return ty_str_equal_text(ty_dict_get_str(plan->globals, TY_NAME("__name__")), "asyncio.base_events") &&
           library_method(type, "_call_soon", "BaseEventLoop._call_soon", filename) != TY_NULL &&
           library_method(type, "_check_closed", "BaseEventLoop._check_closed", filename) != TY_NULL &&
           library_method(type, "get_debug", "BaseEventLoop.get_debug", filename) != TY_NULL && find_handle(plan) && find_attributes(plan);
}

static Plan *plan_for(Value loop, TyType *type)
{
    TyInterpreter *interpreter = ty_interpreter();
    Plan *plan = (Plan *)ty_object(ty_field(&interpreter->asyncio_plan));
    uint32_t shape = ty_object_shape(ty_object(loop)), version = ty_load_acquire(&type->version);
    if (TY_LIKELY(plan && ty_as_type(plan->type) == type && plan->shape == shape && plan->type_version == version && version))
        return plan;
    Plan fresh = {.type = ty_from_object(type), .shape = shape, .type_version = ty_type_version(type)};
    fresh.usable = fill(&fresh, type);
    plan = ty_allocate(&ty_asyncio_plan_type, sizeof *plan);
    if (!plan) {
        ty_clear_exception();
        return NULL;
    }
    memcpy((char *)plan + sizeof(TyObject), (char *)&fresh + sizeof(TyObject), sizeof fresh - sizeof(TyObject));
    ty_store_publish(plan, &interpreter->asyncio_plan, ty_from_object(plan));
    return plan;
}

static Value attribute(Value loop, TyType *type, uint32_t index)
{
    uint32_t offset = ty_attribute_offset(type, index);
    if (TY_LIKELY(offset))
        return ty_field((Value *)(void *)((char *)ty_object(loop) + offset));
    TyAttributes *attributes = ty_object_attributes(ty_object(loop), type);
    Value spill = ty_field_acquire(&attributes->spill);
    TyArray *array = (TyArray *)ty_object(spill);
    index -= type->inline_count;
    return ty_is_exact(spill, &ty_array_type) && index < array->capacity ? ty_field(&array->items[index]) : TY_NULL;
}

/* The plan, if it holds for this loop as it is: not in debug mode. */
static Plan *applicable(Value loop)
{
    if (TY_UNLIKELY(!ty_is_object(loop)))
        return NULL;
    TyType *type = ty_type_of(loop);
    Plan *plan = plan_for(loop, type);
    if (!plan || !plan->usable || attribute(loop, type, plan->attributes[DEBUG]) != TY_FALSE)
        return NULL;
    return plan;
}

bool ty_asyncio_not_debugging(Value loop) { return applicable(loop) != NULL; }

static bool slow(Value loop, Value function, Value argument, Value context)
{
    Value a[4];
    size_t count = 0;
    a[count++] = function;
    if (argument != TY_NULL)
        a[count++] = argument;
    if (context == TY_NULL)
        return ty_call_method(loop, TY_NAME("call_soon"), a, count) != TY_NULL;
    a[count++] = context;
    return ty_asyncio_call_keyword(loop, TY_NAME("call_soon"), a, count, TY_NAME("context")) != TY_NULL;
}

bool ty_asyncio_call_soon(Value loop, Value function, Value argument, Value context)
{
    Plan *plan = applicable(loop);
    if (!plan)
        return slow(loop, function, argument, context);
    TyType *type = ty_type_of(loop), *handle_type = ty_as_type(plan->handle_type);
    Value ready = attribute(loop, type, plan->attributes[READY]);
    if (attribute(loop, type, plan->attributes[CLOSED]) != TY_FALSE || ready == TY_NULL || ty_load_acquire(&handle_type->version) != plan->handle_version ||
        ty_dict_get_str(plan->globals, TY_NAME("events")) != plan->events || ty_dict_get_str(plan->events_dict, TY_NAME("Handle")) != plan->handle_type)
        return slow(loop, function, argument, context);
    if (context == TY_NULL || context == TY_NONE)
        context = ty_context_copy_current();
    Value arguments = argument == TY_NULL ? ty_tuple_empty() : ty_tuple_pack(1, argument);
    Value handle = context == TY_NULL || arguments == TY_NULL ? TY_NULL : ty_type_allocate(handle_type, 0);
    if (handle == TY_NULL)
        return false;
    const Value values[SLOTS] = {function, arguments, TY_FALSE, loop, TY_NONE, TY_NONE, context};
    for (int i = 0; i < SLOTS; i++)
        ty_store(ty_object(handle), (Value *)(void *)((char *)ty_object(handle) + plan->slots[i]), values[i]);
    return ty_is_plain_deque(ready) ? ty_deque_append(ready, handle) : ty_call_method_one(ready, TY_NAME("append"), handle) != TY_NULL;
}
