#include "vm/frame.h"
#include "object/buffer.h"
#include "object/recursion.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/bytes.h"
#include "vm/generator.h"
#include "vm/trace.h"
#include <stdlib.h>
#include <sys/mman.h>

/* --- the thread's Python stack ----------------------------------------------------------------------------------------------- */

bool ty_vm_thread_start(TyThread *thread, size_t stack_size)
{
    for (; stack_size >= 256 * 1024; stack_size /= 2) {
        void *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (stack == MAP_FAILED)
            continue;
        thread->stack_base = thread->stack_top = stack;
        thread->stack_limit = (char *)stack + stack_size;
        return true;
    }
    return false;
}

void ty_vm_thread_end(TyThread *thread)
{
    if (thread->stack_base)
        munmap(thread->stack_base, (size_t)(thread->stack_limit - thread->stack_base));
    thread->stack_base = thread->stack_top = thread->stack_limit = NULL;
    free(thread->lookup_cache);
    thread->lookup_cache = NULL;
}

/* --- marking ---------------------------------------------------------------------------------------------------------------------- */

/* How many registers of the frame may hold live values at its present instruction: those in use before it, and those that it works on. */
static uint32_t live_registers(const TyFrame *frame)
{
    const TyCode *code = frame->code;
    uint32_t variables = code->local_count + code->cell_count + code->free_count, top = variables;
    const TyInstruction *pc = frame->pc;
    if (pc < code->instructions || pc >= code->instructions + code->instruction_count)
        return code->register_count;
    top = TY_MAX(ty_op_live_top(pc, top), ty_code_live_registers(code, ty_frame_instruction(frame)));
    return TY_MIN(top, code->register_count);
}

void ty_frame_trace(TyFrame *frame, TyMarker *marker)
{
    ty_mark_object(marker, &frame->function->base);
    ty_mark_object(marker, &frame->code->base);
    ty_mark(marker, frame->locals);
    ty_mark(marker, frame->frame_object);
    if (frame->kind == TY_FRAME_INIT)
        ty_mark(marker, frame->instance);
    else if (ty_op(*frame->pc) == TY_OP_MAKE_GENERATOR) /* there the generator lies while the frame is left; before that it may hold anything */
        ty_mark_conservative(marker, &frame->instance, &frame->instance + 1);
    if (frame->generator)
        ty_mark_object(marker, (TyObject *)frame->generator);
    ty_mark_conservative(marker, frame->registers, frame->registers + live_registers(frame));
}

void ty_thread_trace(TyThread *thread, TyMarker *marker)
{
    ty_mark(marker, thread->exception);
    ty_mark(marker, thread->handled);
    ty_mark(marker, thread->async_exception);
    ty_mark(marker, thread->interruption);
    ty_mark(marker, thread->context);
    ty_mark(marker, thread->trace_function);
    ty_mark(marker, thread->profile_function);
    ty_mark(marker, thread->storage);
    ty_mark(marker, thread->async_generator_first_iteration);
    ty_mark(marker, thread->async_generator_finalizer);
    ty_mark(marker, thread->running_loop);
    ty_mark(marker, thread->current_task);
    ty_mark(marker, thread->task_list);
    for (TyFrame *frame = thread->frame; frame; frame = frame->previous)
        ty_frame_trace(frame, marker);
    if (thread->lookup_cache) /* its entries keep nothing alive */
        memset(thread->lookup_cache, 0, TY_LOOKUP_CACHE_SIZE * sizeof(TyLookupEntry));
}

/* Whether the interpreter's C frame holds nothing that it needs when the instruction is done: arguments are in registers. */
static bool is_call(const TyFrame *frame)
{
    switch (ty_op(*frame->pc)) {
    case TY_OP_CALL: case TY_OP_CALL_METHOD: case TY_OP_CALL_KW: case TY_OP_CALL_METHOD_KW: case TY_OP_CALL_SPREAD:
        return true;
    default:
        return false;
    }
}

void ty_thread_stack_trace(TyThread *thread, TyMarker *marker)
{
    const char *low = thread->c_stack_scan;
    const TyFrame *frame = thread->frame;
    for (const TyRun *run = thread->run; run; run = run->outer) {
        if (frame && run->low >= low && run->low < run->high && is_call(frame)) {
            ty_mark_conservative(marker, low, run->low);
            low = run->high;
        }
        frame = run->below;
    }
    ty_mark_conservative(marker, low, thread->c_stack_base);
}

/* --- frame objects ------------------------------------------------------------------------------------------------------------------ */

Value ty_current_globals(void)
{
    TyFrame *frame = ty_thread->frame;
    if (frame)
        return frame->function->globals;
    Value main = ty_interpreter()->main_module; /* C code is called directly from another interpreter */
    return main == TY_NULL ? TY_NULL : ty_module_dict(main);
}

Value ty_current_builtins(void)
{
    TyFrame *frame = ty_thread->frame;
    return frame ? frame->function->builtins : ty_interpreter()->builtins;
}

Value ty_frame_object(TyFrame *frame)
{
    if (frame->frame_object != TY_NULL)
        return frame->frame_object;
    TyFrameObject *object = ty_allocate(&ty_frame_type, sizeof *object);
    if (!object)
        return TY_NULL;
    object->frame = frame;
    object->function = frame->function;
    object->code = frame->code;
    object->trace_lines = true;
    ty_store(object, &object->locals, frame->locals);
    frame->frame_object = ty_from_object(object);
    return frame->frame_object;
}

/* The frame ends. Failing to get memory for the copy loses the variables, nothing else. */
void ty_frame_detach(TyFrame *frame)
{
    TyFrameObject *object = (TyFrameObject *)ty_object(frame->frame_object);
    Value raised = ty_take_exception();
    const TyCode *code = frame->code;
    uint32_t variables = code->local_count + code->cell_count + code->free_count;
    TyArray *copy = ty_array_new(variables ? variables : 1);
    for (uint32_t i = 0; copy && i < variables; i++)
        ty_store(copy, &copy->items[i], frame->registers[i]);
    ty_store(object, &object->registers, ty_from_object(copy));
    object->instruction = (int32_t)ty_frame_instruction(frame);
    if (raised != TY_NULL && ty_code_line(code, (uint32_t)object->instruction) < 0)
        object->instruction = (int32_t)frame->raised_at;
    TyFrame *caller = frame->previous;
    if (caller && !frame->generator)
        ty_store(object, &object->back, ty_frame_object(caller));
    ty_store_pointer(object, &object->frame, NULL);
    frame->frame_object = TY_NULL;
    ty_clear_exception();
    ty_restore_exception(raised);
}

static void frame_trace(TyObject *self, TyMarker *marker)
{
    TyFrameObject *f = (TyFrameObject *)self;
    ty_mark_object(marker, &f->function->base);
    ty_mark_object(marker, &f->code->base);
    ty_mark_range(marker, &f->back, 5);
    if (f->frame && f->frame->generator)
        ty_mark_object(marker, (TyObject *)f->frame->generator);
}

static TyFrameObject *as_frame(Value v) { return (TyFrameObject *)ty_object(v); }

/* A frame of another thread runs on while it is looked into, and may end: all threads wait meanwhile. So do they for that of a generator,
 * which may be resumed anywhere. f->frame is to be read anew after look(). */
static bool look(TyFrameObject *f)
{
    TyFrame *frame = __atomic_load_n(&f->frame, __ATOMIC_ACQUIRE);
    if (TY_LIKELY(!frame || !ty_load_relaxed(&ty_many_threads) ||
                  ((char *)frame >= ty_thread->stack_base && (char *)frame < ty_thread->stack_limit)))
        return false;
    ty_world_stop();
    return true;
}
static void look_away(bool stopped)
{
    if (stopped)
        ty_world_start();
}

static Value *variable_place(TyFrameObject *f, uint32_t i)
{
    if (f->frame)
        return &f->frame->registers[i];
    if (f->registers == TY_NULL)
        return NULL;
    return &((TyArray *)ty_object(f->registers))->items[i];
}

static uint32_t variable_count(const TyCode *code) { return code->local_count + code->cell_count + code->free_count; }

/* The variable's value, seen through its cell; TY_NULL if unbound. */
static Value variable_value(TyFrameObject *f, uint32_t i)
{
    Value *place = variable_place(f, i);
    Value v = place ? *place : TY_NULL;
    uint8_t kind = ty_bytes_data(f->code->register_kinds)[i];
    if (v != TY_NULL && (kind & (TY_REGISTER_CELL | TY_REGISTER_FREE)) && ty_is_exact(v, &ty_cell_type))
        return ty_field_acquire(&ty_as_cell(v)->content);
    return v;
}

static void variable_set(TyFrameObject *f, uint32_t i, Value value)
{
    Value *place = variable_place(f, i);
    if (!place)
        return;
    uint8_t kind = ty_bytes_data(f->code->register_kinds)[i];
    if (*place != TY_NULL && (kind & (TY_REGISTER_CELL | TY_REGISTER_FREE)) && ty_is_exact(*place, &ty_cell_type))
        ty_store_publish(ty_object(*place), &ty_as_cell(*place)->content, value);
    else
        *place = value;
}

static Value variable_name(const TyCode *code, uint32_t i) { return ty_tuple_item(code->register_names, i); }
static bool variable_hidden(TyFrameObject *f, uint32_t i)
{
    return (ty_bytes_data(f->code->register_kinds)[i] & TY_REGISTER_HIDDEN) && variable_value(f, i) == TY_NULL;
}

static Value function_locals_now(TyFrameObject *f)
{
    Value dict = ty_dict_new();
    const uint8_t *kinds = ty_bytes_data(f->code->register_kinds);
    for (int hidden = 0; hidden < 2; hidden++) /* those of a comprehension hide others */
        for (uint32_t i = 0; dict != TY_NULL && i < variable_count(f->code); i++) {
            Value value = !(kinds[i] & TY_REGISTER_HIDDEN) == !hidden ? variable_value(f, i) : TY_NULL;
            if (value != TY_NULL && !ty_dict_set(dict, variable_name(f->code, i), value))
                return TY_NULL;
        }
    return dict;
}

static Value function_locals(TyFrameObject *f)
{
    bool stopped = look(f);
    Value dict = function_locals_now(f);
    look_away(stopped);
    Value extra = ty_field_acquire(&f->extra_locals);
    return dict != TY_NULL && extra != TY_NULL && !ty_dict_merge(dict, extra, 1) ? TY_NULL : dict;
}

/* Of a class body or module: whether it is in a comprehension, whose names are the only ones that registers have. */
static bool in_comprehension(const TyFrame *frame)
{
    for (uint32_t i = 0; i < frame->code->local_count; i++)
        if (frame->registers[i] != TY_NULL)
            return true;
    return false;
}

/* A class body's or module's namespace may hide variables of comprehensions that were inlined into it. */
Value ty_frame_locals_snapshot(TyFrame *frame)
{
    Value object = ty_frame_object(frame);
    if (object == TY_NULL)
        return TY_NULL;
    if (frame->locals == TY_NULL)
        return function_locals(as_frame(object));
    return in_comprehension(frame) ? function_locals(as_frame(object)) : frame->locals;
}

int ty_frame_line(const TyFrame *frame) { return ty_code_line(frame->code, ty_frame_instruction(frame)); }

/* While a call event is told of, the frame is at BEGIN or MAKE_GENERATOR still. */
static uint32_t object_instruction(TyFrameObject *f)
{
    if (!f->frame)
        return (uint32_t)f->instruction;
    const TyInstruction *pc = f->frame->pc;
    bool at_call = f->frame->traced_line == -1 && ty_thread->tracing && (pc == f->code->instructions + 1 || ty_op(pc[-1]) == TY_OP_MAKE_GENERATOR);
    return ty_frame_instruction(f->frame) - at_call;
}

static Value get_line_now(Value self)
{
    TyFrameObject *f = as_frame(self);
    int line = ty_code_line(f->code, object_instruction(f));
    return line < 0 ? TY_NONE : ty_int_from_int64(line);
}

static Value get_back_now(Value self)
{
    TyFrameObject *f = as_frame(self);
    if (!f->frame)
        return f->back == TY_NULL ? TY_NONE : f->back;
    if (f->frame->generator && ty_load_relaxed(&f->frame->generator->state) != TY_GENERATOR_RUNNING)
        return TY_NONE;
    return f->frame->previous ? ty_frame_object(f->frame->previous) : TY_NONE;
}

static Value get_code(Value self) { return ty_from_object(as_frame(self)->code); }
static Value get_globals(Value self) { return as_frame(self)->function->globals; }
static Value get_builtins(Value self) { return as_frame(self)->function->builtins; }
static Value get_lasti_now(Value self) { return ty_int_from_int64((int64_t)object_instruction(as_frame(self)) * 2) /* as in co_lines() */; }
#define LOOKING(name)                   \
    static Value name(Value self)       \
    {                                   \
        bool stopped = look(as_frame(self)); \
        Value v = name##_now(self);     \
        look_away(stopped);             \
        return v;                       \
    }
LOOKING(get_line)
LOOKING(get_back)
LOOKING(get_lasti)

static Value get_trace(Value self)
{
    Value trace = ty_field(&as_frame(self)->trace);
    return trace == TY_NULL ? TY_NONE : trace;
}
static bool set_trace(Value self, Value value)
{
    ty_store(ty_object(self), &as_frame(self)->trace, value == TY_NONE ? TY_NULL : value);
    return true;
}
static Value get_trace_opcodes(Value self) { return ty_from_bool(as_frame(self)->trace_opcodes); }
static bool set_trace_opcodes(Value self, Value value)
{
    if (value == TY_NULL)
        return ty_raise(&ty_AttributeError, "attribute 'f_trace_opcodes' of 'frame' objects cannot be deleted"), false;
    if (value != TY_TRUE && value != TY_FALSE)
        return ty_raise(&ty_TypeError, "attribute value type must be bool"), false;
    as_frame(self)->trace_opcodes = value == TY_TRUE;
    return true;
}
static Value get_generator_now(Value self)
{
    TyFrameObject *f = as_frame(self);
    return f->frame && f->frame->generator ? ty_from_object(f->frame->generator) : TY_NONE;
}

LOOKING(get_generator)
#undef LOOKING

static bool set_line(Value self, Value value)
{
    return ty_frame_set_line(as_frame(self), value);
}

static Value frame_clear(Value self, Value *a)
{
    TyFrameObject *f = as_frame(self);
    if (f->frame) {
        TyGenerator *generator = f->frame->generator;
        if (!generator || ty_load_relaxed(&generator->state) == TY_GENERATOR_RUNNING)
            return ty_raise(&ty_RuntimeError, "cannot clear an executing frame");
        if (ty_load_relaxed(&generator->state) == TY_GENERATOR_SUSPENDED)
            return ty_raise(&ty_RuntimeError, "cannot clear a suspended frame");
        Value closed = ty_call_method_none(ty_from_object(generator), TY_NAME("close"));
        if (closed == TY_NULL)
            ty_write_unraisable(ty_from_object(generator), NULL);
        return TY_NONE;
    }
    for (uint32_t i = 0; f->registers != TY_NULL && i < variable_count(f->code); i++)
        *variable_place(f, i) = TY_NULL;
    ty_store(f, &f->extra_locals, TY_NULL);
    return TY_NONE;
}

static Value frame_repr(Value self)
{
    TyFrameObject *f = as_frame(self);
    Value line = get_line(self);
    return ty_str_format("<frame at %p, file %R, line %S, code %U>", (void *)(uintptr_t)self, f->code->filename, line, f->code->name);
}

static Value frame_sizeof(Value self, Value *a) { return ty_int_from_int64((int64_t)(sizeof(TyFrameObject) + variable_count(as_frame(self)->code) * sizeof(Value))); }

Value ty_frame_get_locals(Value self)
{
    TyFrameObject *f = as_frame(self);
    return f->locals == TY_NULL || (f->frame && in_comprehension(f->frame)) ? ty_frame_locals_new(self) : f->locals;
}

static const TyNativeDef frame_methods[] = {
    TY_METHOD("clear(self, /)", frame_clear, "Clear all references held by the frame."),
    TY_METHOD("__sizeof__(self, /)", frame_sizeof, "Return the size of the frame in memory, in bytes."),
    {0}
};
static const TyGetSetDef frame_getsets[] = {
    { "f_back", get_back, NULL, "Return the previous frame in the stack, or None." }, { "f_code", get_code, NULL, "Return the code object being executed in this frame." },
    { "f_globals", get_globals, NULL, NULL }, { "f_builtins", get_builtins, NULL, NULL }, { "f_locals", ty_frame_get_locals, NULL, NULL },
    { "f_lasti", get_lasti, NULL, NULL }, { "f_lineno", get_line, set_line, NULL }, { "f_trace", get_trace, set_trace, NULL },
    { "f_trace_opcodes", get_trace_opcodes, set_trace_opcodes, NULL }, { "f_generator", get_generator, NULL, NULL }, {0}
};
static const TyMemberDef frame_members[] = { { "f_trace_lines", TY_MEMBER_BOOL, true, offsetof(TyFrameObject, trace_lines), NULL }, {0} };

TyType ty_frame_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "frame", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .layout = { .size = sizeof(TyFrameObject), .trace = frame_trace }, .slots = { .repr = frame_repr },
    .methods = frame_methods, .getsets = frame_getsets, .members = frame_members,
};

/* --- f_locals of a function: a mapping that writes through (PEP 667) ------------------------------------------------------------------------ */

typedef struct FrameLocals { TyObject base; Value frame; } FrameLocals;

static TyFrameObject *frame_of(Value self) { return as_frame(((FrameLocals *)ty_object(self))->frame); }
static void locals_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((FrameLocals *)self)->frame); }

Value ty_frame_locals_new(Value frame)
{
    FrameLocals *locals = ty_allocate(&ty_frame_locals_type, sizeof *locals);
    if (!locals)
        return TY_NULL;
    ty_store(locals, &locals->frame, frame);
    return ty_from_object(locals);
}

/* What is no plain str is a name if it has the hash of one and says that it equals it, as with keys of a dict: *key is then the name. This may run
 * Python code, so it comes before the frame is looked at. */
static bool resolve_key(TyFrameObject *f, Value *key)
{
    if (ty_is_exact_str(*key))
        return true;
    int64_t hash = ty_hash(*key);
    if (hash == -1)
        return false;
    for (uint32_t i = 0; i < variable_count(f->code); i++) {
        Value name = variable_name(f->code, i);
        int equal = ty_hash(name) != hash ? 0 : ty_equal(name, *key);
        if (equal < 0)
            return false;
        if (equal) {
            *key = name;
            return true;
        }
    }
    return true;
}

/* Index of the variable of that name that is bound (or, for a store, of any such variable); -1: none. */
static int64_t find_variable(TyFrameObject *f, Value key, bool bound)
{
    if (!ty_is_exact_str(key))
        return -1;
    for (uint32_t i = 0; i < variable_count(f->code); i++)
        if (ty_str_equal(variable_name(f->code, i), key) && (bound ? variable_value(f, i) != TY_NULL : !variable_hidden(f, i)))
            return i;
    return -1;
}

static Value locals_find(Value self, Value key)
{
    TyFrameObject *f = frame_of(self);
    if (!resolve_key(f, &key))
        return TY_NULL;
    bool stopped = look(f);
    int64_t i = find_variable(f, key, true);
    Value found = i >= 0 ? variable_value(f, (uint32_t)i) : TY_NULL;
    look_away(stopped);
    if (found != TY_NULL)
        return found;
    return f->extra_locals == TY_NULL ? TY_NULL : ty_dict_get(f->extra_locals, key);
}

static Value locals_get(Value self, Value key)
{
    Value v = locals_find(self, key);
    return v != TY_NULL || ty_raised() ? v : ty_raise(&ty_KeyError, "local variable '%S' is not defined", key);
}

static bool locals_set(Value self, Value key, Value value)
{
    TyFrameObject *f = frame_of(self);
    if (!resolve_key(f, &key))
        return false;
    bool stopped = look(f);
    int64_t i = find_variable(f, key, false);
    if (i >= 0 && value != TY_NULL)
        variable_set(f, (uint32_t)i, value);
    look_away(stopped);
    if (i >= 0)
        return value != TY_NULL || (ty_raise(&ty_ValueError, "cannot remove local variables from FrameLocalsProxy"), false);
    if (value == TY_NULL) {
        int deleted = f->extra_locals == TY_NULL ? 0 : ty_dict_delete(f->extra_locals, key);
        if (deleted == 0)
            ty_raise_key_error(key);
        return deleted > 0;
    }
    if (f->extra_locals == TY_NULL) {
        Value extra = ty_dict_new();
        if (extra == TY_NULL)
            return false;
        ty_store(f, &f->extra_locals, extra);
    }
    return ty_dict_set(f->extra_locals, key, value);
}

static int64_t locals_length(Value self)
{
    Value dict = function_locals(frame_of(self));
    return dict == TY_NULL ? -1 : ty_dict_length(dict);
}
static int locals_contains(Value self, Value key)
{
    Value v = locals_find(self, key);
    return v != TY_NULL ? 1 : ty_raised() ? -1 : 0;
}
static Value locals_dict(Value self) { return function_locals(frame_of(self)); }
static Value locals_iter(Value self)
{
    Value dict = locals_dict(self), keys = dict == TY_NULL ? TY_NULL : ty_dict_keys(dict);
    return keys == TY_NULL ? TY_NULL : ty_iter(keys);
}
static Value locals_keys(Value self, Value *a)
{
    Value dict = locals_dict(self);
    return dict == TY_NULL ? TY_NULL : ty_dict_keys(dict);
}
static Value locals_values(Value self, Value *a)
{
    Value dict = locals_dict(self);
    return dict == TY_NULL ? TY_NULL : ty_dict_values(dict);
}
static Value locals_items(Value self, Value *a)
{
    Value dict = locals_dict(self);
    return dict == TY_NULL ? TY_NULL : ty_dict_items(dict);
}
static Value locals_copy(Value self, Value *a) { return locals_dict(self); }
static Value locals_reversed(Value self, Value *a)
{
    Value keys = locals_keys(self, a);
    return keys == TY_NULL || !ty_list_reverse(keys) ? TY_NULL : keys;
}
static Value locals_get_method(Value self, Value *a)
{
    Value v = locals_find(self, a[0]);
    return v != TY_NULL || ty_raised() ? v : a[1] == TY_NULL ? TY_NONE : a[1];
}
static Value locals_setdefault(Value self, Value *a)
{
    Value v = locals_find(self, a[0]);
    if (v != TY_NULL || ty_raised())
        return v;
    v = a[1] == TY_NULL ? TY_NONE : a[1];
    return locals_set(self, a[0], v) ? v : TY_NULL;
}
static Value locals_pop(Value self, Value *a)
{
    TyFrameObject *f = frame_of(self);
    if (!resolve_key(f, &a[0]))
        return TY_NULL;
    if (find_variable(f, a[0], false) >= 0)
        return ty_raise(&ty_ValueError, "cannot remove local variables from FrameLocalsProxy");
    Value v = f->extra_locals == TY_NULL ? TY_NULL : ty_dict_pop(f->extra_locals, a[0]);
    if (v != TY_NULL || ty_raised())
        return v;
    return a[1] != TY_NULL ? a[1] : ty_raise_key_error(a[0]);
}
static bool locals_merge(Value self, Value other)
{
    Value dict = ty_dict_new(), key, value;
    int64_t position = 0;
    if (dict == TY_NULL || !ty_dict_update(dict, other))
        return false;
    while (ty_dict_next(dict, &position, &key, &value))
        if (!locals_set(self, key, value))
            return false;
    return true;
}
static Value locals_update(Value self, Value *a)
{
    if (!ty_is_dict(a[0]) && !ty_is_exact(a[0], &ty_frame_locals_type))
        return ty_raise(&ty_TypeError, "update() argument must be dict or another FrameLocalsProxy");
    return locals_merge(self, a[0]) ? TY_NONE : TY_NULL;
}
static Value locals_or(Value left, Value right)
{
    if (ty_is_exact(left, &ty_frame_locals_type))
        left = locals_dict(left);
    if (left != TY_NULL && ty_is_exact(right, &ty_frame_locals_type))
        right = locals_dict(right);
    return left == TY_NULL || right == TY_NULL ? TY_NULL : ty_binary(TY_BINARY_OR, left, right);
}
static Value locals_ior(Value left, Value right)
{
    if (!ty_is_dict(right) && !ty_is_exact(right, &ty_frame_locals_type))
        return TY_NOT_IMPLEMENTED;
    return locals_merge(left, right) ? left : TY_NULL;
}
static Value locals_repr(Value self)
{
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, ((FrameLocals *)ty_object(self))->frame))
        return ty_str_from_text("{...}");
    Value dict = locals_dict(self), text = dict == TY_NULL ? TY_NULL : ty_repr(dict);
    ty_repr_leave(&guard);
    return text;
}
static Value locals_compare(Value left, Value right, int op)
{
    if (op != TY_EQ && op != TY_NE)
        return TY_NOT_IMPLEMENTED;
    if (ty_is_exact(right, &ty_frame_locals_type)) {
        bool same = frame_of(left) == frame_of(right);
        return ty_from_bool(same == (op == TY_EQ));
    }
    if (!ty_is_dict(right))
        return TY_NOT_IMPLEMENTED;
    Value dict = locals_dict(left);
    return dict == TY_NULL ? TY_NULL : ty_compare(dict, right, op);
}
static Value locals_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (count != 1 || !ty_is_exact(arguments[0], &ty_frame_type))
        return count != 1 ? ty_raise(&ty_TypeError, "FrameLocalsProxy expected 1 argument, got %zu", count) : ty_raise(&ty_TypeError, "expect frame, not %T", arguments[0]);
    return ty_frame_locals_new(arguments[0]);
}

static const TyNativeDef locals_methods[] = {
    TY_METHOD("keys(self, /)", locals_keys, NULL), TY_METHOD("values(self, /)", locals_values, NULL), TY_METHOD("items(self, /)", locals_items, NULL),
    TY_METHOD("copy(self, /)", locals_copy, NULL), TY_METHOD("__reversed__(self, /)", locals_reversed, NULL), TY_METHOD("update(self, other, /)", locals_update, NULL),
    TY_METHOD("get(self, key, default=None, /)", locals_get_method, NULL), TY_METHOD("setdefault(self, key, default=None, /)", locals_setdefault, NULL),
    TY_METHOD("pop(self, key, default=None, /)", locals_pop, NULL), {0}
};

TyType ty_frame_locals_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "FrameLocalsProxy", .flags = TY_TYPE_FINAL | TY_TYPE_MAPPING,
    .layout = { .size = sizeof(FrameLocals), .trace = locals_trace },
    .slots = { .repr = locals_repr, .get_item = locals_get, .set_item = locals_set, .length = locals_length, .contains = locals_contains, .iter = locals_iter, .new = locals_new,
               .compare = locals_compare, .hash = ty_hash_unhashable, .binary = { [TY_BINARY_OR] = locals_or }, .inplace = { [TY_BINARY_OR] = locals_ior } },
    .methods = locals_methods,
};

/* --- super() without arguments ----------------------------------------------------------------------------------------------------------------- */

bool ty_super_from_frame(Value *type, Value *object)
{
    TyFrame *frame = ty_thread->frame;
    if (!frame)
        return ty_raise(&ty_RuntimeError, "super(): no current frame"), false;
    TyCode *code = frame->code;
    if (code->positional_count == 0 && !(code->flags & TY_CODE_VARARGS))
        return ty_raise(&ty_RuntimeError, "super(): no arguments"), false;
    Value first = frame->registers[0];
    if (first != TY_NULL && (ty_bytes_data(code->register_kinds)[0] & TY_REGISTER_CELL) && ty_is_exact(first, &ty_cell_type))
        first = ty_field(&ty_as_cell(first)->content);
    if (first == TY_NULL)
        return ty_raise(&ty_RuntimeError, "super(): arg[0] deleted"), false;
    uint32_t base = code->local_count + code->cell_count;
    for (uint32_t i = 0; i < code->free_count; i++) {
        if (!ty_str_equal_text(variable_name(code, base + i), "__class__"))
            continue;
        Value cell = frame->registers[base + i];
        if (!ty_is_exact(cell, &ty_cell_type))
            return ty_raise(&ty_RuntimeError, "super(): bad __class__ cell"), false;
        Value class = ty_field(&ty_as_cell(cell)->content);
        if (class == TY_NULL)
            return ty_raise(&ty_RuntimeError, "super(): empty __class__ cell"), false;
        *type = class;
        *object = first;
        return true;
    }
    return ty_raise(&ty_RuntimeError, "super(): __class__ cell not found"), false;
}

/* --- tracebacks --------------------------------------------------------------------------------------------------------------------------------- */

bool ty_vm_add_traceback(TyFrame *frame, uint32_t instruction)
{
    Value exception = ty_take_exception();
    if (exception == TY_NULL) {
        ty_raise(&ty_SystemError, "a function failed without setting an exception");
        exception = ty_take_exception();
    }
    Value object = ty_frame_object(frame);
    Value entry = object == TY_NULL ? TY_NULL : ty_traceback_new(ty_field(&ty_as_exception(exception)->traceback), object, (int32_t)instruction, -1);
    if (entry != TY_NULL)
        ty_store(ty_object(exception), &ty_as_exception(exception)->traceback, entry);
    else
        ty_clear_exception(); /* short of memory: the exception goes on without the entry */
    ty_restore_exception(exception);
    return true;
}

char *ty_deletion_boundary(Value container)
{
    const TyRun *run = ty_thread->run;
    const TyFrame *frame = ty_thread->frame;
    if (ty_thread->instrumented || !run || run->low >= run->high || !frame || frame == run->below || ty_op(*frame->pc) != TY_OP_DELETE_ITEM)
        return NULL;
    return frame->registers[ty_op_a(*frame->pc)] == container ? (char *)run->high : NULL;
}
