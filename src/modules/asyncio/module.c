#include "modules/asyncio/asyncio.h"
#include "object/set.h"
#include "object/shape.h"
#include "object/tuple.h"
#include "object/type.h"

static const struct { const char *module, *name; } names[ASYNCIO_NAMES] = {
    [ASYNCIO_CANCELLED_ERROR] = {"asyncio.exceptions", "CancelledError"},
    [ASYNCIO_INVALID_STATE_ERROR] = {"asyncio.exceptions", "InvalidStateError"},
    [ASYNCIO_FUTURE_REPR] = {"asyncio.base_futures", "_future_repr"},
    [ASYNCIO_TASK_REPR] = {"asyncio.base_tasks", "_task_repr"},
    [ASYNCIO_TASK_GET_STACK] = {"asyncio.base_tasks", "_task_get_stack"},
    [ASYNCIO_TASK_PRINT_STACK] = {"asyncio.base_tasks", "_task_print_stack"},
    [ASYNCIO_IS_COROUTINE] = {"asyncio.coroutines", "iscoroutine"},
    [ASYNCIO_GET_POLICY] = {"asyncio.events", "_get_event_loop_policy"},
    [ASYNCIO_EXTRACT_STACK] = {"traceback", "extract_stack"},
    [ASYNCIO_WEAK_SET] = {"weakref", "WeakSet"},
};

static Value make(AsyncioName which)
{
    if (which < ASYNCIO_NAMES) {
        Value module = ty_import_module(names[which].module);
        return module == TY_NULL ? TY_NULL : ty_get_attribute(module, ty_intern_text(names[which].name));
    }
    if (which == ASYNCIO_EAGER || which == ASYNCIO_COROUTINE_TYPES)
        return ty_set_new(TY_NULL);
    Value weak_set = ty_asyncio_state(ASYNCIO_WEAK_SET);
    return weak_set == TY_NULL ? TY_NULL : ty_call_none(weak_set);
}

Value ty_asyncio_state(AsyncioName which)
{
    Value module = ty_module_current("_asyncio");
    if (module == TY_NULL)
        return TY_NULL;
    Value *place = &ty_module_state(module)[which], v = ty_field_acquire(place);
    if (TY_LIKELY(v != TY_NULL))
        return v;
    Value raised = ty_take_exception();
    v = make(which);
    if (v == TY_NULL)
        return TY_NULL;
    ty_restore_exception(raised);
    Value expected = TY_NULL; /* threads that look at once get the same set */
    return __atomic_compare_exchange_n(place, &expected, v, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ? v : expected;
}

/* A tuple of one name, made once for the process. */
static Value keyword_names(Value keyword)
{
    static _Atomic Value context, message;
    _Atomic Value *place = keyword == TY_NAME("context") ? &context : &message;
    Value v = ty_load_acquire(place);
    if (TY_LIKELY(v != TY_NULL))
        return v;
    v = ty_tuple_pack(1, keyword);
    if (v == TY_NULL)
        return TY_NULL;
    ty_pin(v);
    ty_store_release(place, v);
    return v;
}

Value ty_asyncio_call_keyword(Value object, Value name, const Value *arguments, size_t count, Value keyword)
{
    Value keywords = keyword_names(keyword);
    if (keywords == TY_NULL)
        return TY_NULL;
    TyType *type = ty_type_of(object);
    if (!(type->flags & TY_TYPE_CUSTOM_GETATTR)) {
        Value method = ty_type_lookup_inline(type, name);
        if (method != TY_NULL && ty_type_of(method)->flags & TY_TYPE_METHOD) {
            bool own = (type->flags & TY_TYPE_HAS_DICT) && ty_attributes_get(ty_object(object), type, name) != TY_NULL;
            if (!own && !ty_raised())
                return ty_call_prepended(method, object, arguments, count - 1, keywords);
            ty_clear_exception();
        }
    }
    Value method = ty_get_attribute(object, name);
    return method == TY_NULL ? TY_NULL : ty_call(method, arguments, count - 1, keywords);
}

static TyType *const types[] = {&ty_asyncio_future_type, &ty_asyncio_task_type, NULL};

static bool execute(Value module)
{
    return ty_type_ready(&ty_asyncio_iterator_type) && ty_type_ready(&ty_asyncio_step_type) && ty_type_ready(&ty_asyncio_list_type) &&
           ty_type_ready(&ty_asyncio_plan_type);
}

const TyModuleDef ty_module__asyncio = {
    .name = "_asyncio",
    .doc = "Futures and tasks of asyncio.",
    .functions = ty_asyncio_functions,
    .types = types,
    .execute = execute,
    .state_count = ASYNCIO_STATE_COUNT,
};
