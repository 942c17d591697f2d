/* The interpreter: one C function that runs frames, derived from the instruction table. Fast paths are inline here; everything else is called. */
#include "object/dict.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/native.h"
#include "object/range.h"
#include "object/set.h"
#include "object/shape.h"
#include "object/slice.h"
#include "object/slots.h"
#include "object/str.h"
#include "object/template.h"
#include "object/tuple.h"
#include "vm/cache.h"
#include "vm/frame.h"
#include "vm/generator.h"
#include "vm/trace.h"
#include <math.h>

#define A (ty_op_a(word))
#define B (ty_op_b(word))
#define C (ty_op_c(word))
#define RA registers[A]
#define RB registers[B]
#define RC registers[C]
#define IMMEDIATE (ty_op_imm(word))
#define EXT (pc[1])
#define SAVE() (frame->pc = pc)

#define DISPATCH()                          \
    do {                                    \
        word = *pc;                         \
        goto *dispatch[ty_op(word)];        \
    } while (0)
#define NEXT(n)       \
    do {              \
        pc += (n);    \
        DISPATCH();   \
    } while (0)
#define CASE(name) op_##name:
/* Stores a result that is TY_NULL on failure, and goes on. */
#define RESULT(value, n)                    \
    do {                                    \
        Value result_ = (value);            \
        if (TY_UNLIKELY(result_ == TY_NULL)) \
            goto error;                     \
        RA = result_;                       \
        NEXT(n);                            \
    } while (0)
#define CHECK(condition, n)                 \
    do {                                    \
        if (TY_UNLIKELY(!(condition)))      \
            goto error;                     \
        NEXT(n);                            \
    } while (0)

/* Takes over the innermost frame of the thread. */
#define ENTER_FRAME()                                        \
    do {                                                     \
        frame = thread->frame;                               \
        registers = frame->registers;                        \
        constants = ty_as_tuple(frame->code->consts)->items; \
        caches = frame->caches->words;                       \
        pc = frame->pc;                                      \
    } while (0)

#define NAME_OF_EXT() (ty_as_tuple(frame->code->names)->items[ty_ext_x(EXT)])
#define CACHE_OF_EXT() (&caches[ty_ext_y(EXT)])

/* Both numbers as doubles, if one is a float and the other a float or a small int. */
TY_INLINE bool as_doubles(Value a, Value b, double *x, double *y)
{
    if (ty_is_double(a)) {
        *x = ty_double(a);
        if (ty_is_double(b))
            *y = ty_double(b);
        else if (ty_is_immediate_int(b))
            *y = (double)ty_immediate_int(b);
        else
            return false;
        return true;
    }
    if (ty_is_immediate_int(a) && ty_is_double(b)) {
        *x = (double)ty_immediate_int(a);
        *y = ty_double(b);
        return true;
    }
    return false;
}

/* Exact str of which each is the only one with its text: equal if they are the same object. */
TY_INLINE bool are_interned(Value a, Value b)
{
    if (!ty_is_object(a | b))
        return false;
    TyObject *x = ty_object(a), *y = ty_object(b);
    return ty_object_type(x) == &ty_str_type && ty_object_type(y) == &ty_str_type && (ty_object_bits(x) & ty_object_bits(y) & TY_STR_INTERNED);
}

TY_INLINE bool add_small(Value a, Value b, Value *sum)
{
    int64_t r;
    if (__builtin_add_overflow((int64_t)(a << 16), (int64_t)(b << 16), &r))
        return false;
    *sum = (uint64_t)r >> 16 | TY_INT_TAG;
    return true;
}

TY_INLINE bool subtract_small(Value a, Value b, Value *difference)
{
    int64_t r;
    if (__builtin_sub_overflow((int64_t)(a << 16), (int64_t)(b << 16), &r))
        return false;
    *difference = (uint64_t)r >> 16 | TY_INT_TAG;
    return true;
}

TY_INLINE bool multiply_small(Value a, Value b, Value *product)
{
    int64_t r;
    if (__builtin_mul_overflow(ty_immediate_int(a), (int64_t)(b << 16), &r))
        return false;
    *product = (uint64_t)r >> 16 | TY_INT_TAG;
    return true;
}

TY_INLINE int64_t floor_divide_small(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a ^ b) < 0);
}

TY_INLINE int64_t remainder_small(int64_t a, int64_t b)
{
    int64_t r = a % b;
    return r != 0 && (r ^ b) < 0 ? r + b : r;
}

/* replaced: left's register is about to get the sum, so that s = s + x is as good as s += x to a str. */
static TY_NOINLINE Value add(Value left, Value right, bool replaced)
{
    if (ty_is_exact_str(left) && ty_is_exact_str(right))
        return replaced ? ty_str_append(left, right) : ty_str_concat(left, right);
    return ty_binary(TY_BINARY_ADD, left, right);
}

static TY_NOINLINE Value inplace_add(Value left, Value right)
{
    return ty_is_exact_str(left) && ty_is_exact_str(right) ? ty_str_append(left, right) : ty_inplace(TY_BINARY_ADD, left, right);
}

/* Comparisons of what is neither two ints nor two floats. */
static TY_NOINLINE Value compare(Value left, Value right, int op)
{
    if (ty_is_exact_str(left) && ty_is_exact_str(right)) {
        if (op == TY_EQ || op == TY_NE)
            return ty_from_bool(ty_str_equal(left, right) == (op == TY_EQ));
        int order = ty_str_compare(left, right);
        return ty_from_bool(op == TY_LT ? order < 0 : op == TY_LE ? order <= 0 : op == TY_GT ? order > 0 : order >= 0);
    }
    return ty_compare(left, right, op);
}

/* Bounds that are small ints or None, clipped to the length. */
TY_INLINE bool plain_bounds(Value low, Value high, int64_t length, int64_t *start, int64_t *end)
{
    if (ty_is_immediate_int(low)) {
        *start = ty_immediate_int(low);
        if (*start < 0)
            *start = TY_MAX(*start + length, 0);
        *start = TY_MIN(*start, length);
    } else if (low == TY_NONE)
        *start = 0;
    else
        return false;
    if (ty_is_immediate_int(high)) {
        *end = ty_immediate_int(high);
        if (*end < 0)
            *end = TY_MAX(*end + length, 0);
        *end = TY_MIN(*end, length);
    } else if (high == TY_NONE)
        *end = length;
    else
        return false;
    return true;
}

/* operands[0][operands[1]:operands[2]] of a list, str or tuple without a slice object; false: not this way. */
static TY_NOINLINE bool load_slice(const Value *operands, Value *result)
{
    Value container = operands[0];
    int64_t start, end;
    if (!ty_is_object(container))
        return false;
    TyType *type = ty_object_type(ty_object(container));
    if (type == &ty_str_type) {
        if (!plain_bounds(operands[1], operands[2], ty_str_length(container), &start, &end))
            return false;
        *result = ty_str_slice(container, start, end);
    } else if (type == &ty_list_type) {
        if (!plain_bounds(operands[1], operands[2], ty_list_length(container), &start, &end))
            return false;
        *result = ty_list_slice(container, start, end);
    } else if (type == &ty_tuple_type) {
        if (!plain_bounds(operands[1], operands[2], ty_tuple_length(container), &start, &end))
            return false;
        *result = ty_tuple_slice(container, start, end);
    } else
        return false;
    return true;
}

static TY_NOINLINE Value slow_subscript(Value container, Value key) { return ty_get_item(container, key); }

/* Whether a function's frame can be made by copying exactly the positional arguments. */
TY_INLINE bool takes_exactly(const TyCode *code, size_t count)
{
    return count == code->positional_count && (code->flags & (TY_CODE_VARARGS | TY_CODE_VARKEYWORDS)) == 0 && code->keyword_only_count == 0;
}

/* Room for the function's frame, linked as the innermost; variables unbound but for the first `bound`, which the caller writes. */
TY_INLINE TyFrame *push_frame(TyThread *thread, TyFunction *function, uint32_t bound, TyFrameKind kind)
{
    TyCode *code = function->code;
    TyFrame *callee = (TyFrame *)(void *)thread->stack_top;
    char *top = (char *)&callee->registers[code->register_count];
    if (TY_UNLIKELY(top > thread->stack_limit || thread->recursion >= thread->recursion_limit))
        return NULL;
    TyCaches *caches = ty_load_dependent(&function->caches);
    if (TY_UNLIKELY(!caches) && !(caches = ty_function_caches(function, code)))
        return NULL;
    thread->recursion++;
    thread->stack_top = top;
    callee->previous = thread->frame;
    callee->pc = code->instructions + 1; /* after RESUME or BEGIN */
    callee->function = function;
    callee->code = code;
    callee->caches = caches;
    callee->locals = TY_NULL;
    callee->frame_object = TY_NULL;
    callee->generator = NULL;
    callee->kind = kind;
    callee->traced_line = 0;
    uint32_t variables = code->local_count + code->cell_count;
    for (uint32_t i = bound; i < variables; i++)
        callee->registers[i] = TY_NULL;
    if (TY_UNLIKELY(code->free_count != 0)) {
        const Value *cells = ty_as_tuple(function->closure)->items;
        for (uint32_t i = 0; i < code->free_count; i++)
            callee->registers[variables + i] = cells[i];
    }
    thread->frame = callee;
    return callee;
}

TyFrame *ty_frame_push_bare(TyFunction *function)
{
    TyFrame *frame = push_frame(ty_thread, function, 0, TY_FRAME_ENTRY);
    if (!frame)
        ty_raise_recursion_error("");
    return frame;
}

TyFrame *ty_frame_push(TyFunction *function, const Value *arguments, size_t count, Value keywords)
{
    TyFrame *frame = push_frame(ty_thread, function, 0, TY_FRAME_ENTRY);
    if (!frame) {
        ty_raise_recursion_error("");
        return NULL;
    }
    if (TY_LIKELY(keywords == TY_NULL && takes_exactly(function->code, count)))
        memcpy(frame->registers, arguments, count * sizeof(Value));
    else {
        /* The frame is linked meanwhile: what *args and **kwargs collect lies in its registers alone. */
        if (!ty_bind_arguments(function, arguments, count, keywords, frame->registers)) {
            ty_frame_pop(frame);
            return NULL;
        }
    }
    return frame;
}

void ty_frame_pop(TyFrame *frame)
{
    TyThread *thread = ty_thread;
    if (frame->frame_object != TY_NULL)
        ty_frame_detach(frame);
    thread->frame = frame->previous;
    if (!frame->generator)
        thread->stack_top = (char *)frame;
    thread->recursion--;
}

/* A Python function whose parameters are not just the arguments: pushes its frame. */
static TY_NOINLINE Value call_function(TyThread *thread, TyFunction *function, const Value *arguments, size_t count)
{
    TyCode *code = function->code;
    Value defaults = ty_field(&function->defaults);
    size_t missing = code->positional_count - count;
    /* Only defaults are missing, and there are enough. */
    if (TY_LIKELY(count < code->positional_count && !(code->flags & (TY_CODE_VARARGS | TY_CODE_VARKEYWORDS)) && code->keyword_only_count == 0 &&
                  defaults != TY_NULL && (size_t)ty_tuple_length(defaults) >= missing)) {
        TyFrame *callee = push_frame(thread, function, code->positional_count, TY_FRAME_CALL);
        if (TY_UNLIKELY(!callee))
            return ty_raise_recursion_error("");
        const Value *rest = ty_as_tuple(defaults)->items + ty_tuple_length(defaults) - missing;
        for (size_t i = 0; i < count; i++)
            callee->registers[i] = arguments[i];
        for (size_t i = 0; i < missing; i++)
            callee->registers[count + i] = rest[i];
        return TY_NULL;
    }
    TyFrame *callee = ty_frame_push(function, arguments, count, TY_NULL);
    if (callee)
        callee->kind = TY_FRAME_CALL;
    return TY_NULL;
}

#define FEW_ARGUMENTS 32

/* Any number of them, keywords too. Apart, since the room for them would stay on the stack, unwritten, as long as a callee of the caller runs. */
static TY_NOINLINE TyFrame *push_copied(TyFunction *function, Value first, const Value *arguments, size_t count, size_t total, Value keywords)
{
    Value all[FEW_ARGUMENTS];
    all[0] = first;
    memcpy(all + 1, arguments, total * sizeof(Value));
    return ty_frame_push(function, all, count + 1, keywords);
}

/* The same with one argument before the others. */
static TyFrame *push_prepended(TyThread *thread, TyFunction *function, Value first, const Value *arguments, size_t count, Value keywords, TyFrameKind kind)
{
    TyFrame *callee;
    if (TY_LIKELY(keywords == TY_NULL && takes_exactly(function->code, count + 1))) {
        callee = push_frame(thread, function, (uint32_t)count + 1, kind);
        if (TY_UNLIKELY(!callee)) {
            ty_raise_recursion_error("");
            return NULL;
        }
        callee->registers[0] = first;
        for (size_t i = 0; i < count; i++)
            callee->registers[i + 1] = arguments[i];
        return callee;
    }
    callee = push_copied(function, first, arguments, count, count + (keywords == TY_NULL ? 0 : (size_t)ty_tuple_length(keywords)), keywords);
    if (callee)
        callee->kind = kind;
    return callee;
}

/* Calls from the interpreter: pushes a frame when the callee is a Python function (true: *pushed), else gives the result. */
static TY_NOINLINE Value call_slow(TyThread *thread, Value callee, const Value *arguments, size_t count, Value keywords, bool *pushed)
{
    TyType *type = ty_type_of(callee);
    *pushed = false;
    if (type == &ty_function_type) {
        TyFrame *frame = ty_frame_push(ty_as_function(callee), arguments, count, keywords);
        if (frame)
            frame->kind = TY_FRAME_CALL;
        *pushed = frame != NULL;
        return TY_NULL;
    }
    if (TY_UNLIKELY(count + (keywords == TY_NULL ? 0 : (size_t)ty_tuple_length(keywords)) >= FEW_ARGUMENTS))
        return ty_call(callee, arguments, count, keywords);
    if (ty_is_bound_method(callee) && ty_is_function(ty_as_bound_method(callee)->function)) {
        TyBoundMethod *method = ty_as_bound_method(callee);
        *pushed = push_prepended(thread, ty_as_function(method->function), method->self, arguments, count, keywords, TY_FRAME_CALL) != NULL;
        return TY_NULL;
    }
    if (type == &ty_type_type) {
        TyType *made = ty_as_type(callee);
        Value init = TY_NULL;
        if (made->slots.new == ty_object_new && made->slots.init == ty_slot_python_init && !(made->flags & TY_TYPE_ABSTRACT))
            init = ty_type_lookup_inline(made, TY_NAME("__init__"));
        if (init != TY_NULL && ty_is_function(init)) {
            Value instance = ty_type_allocate(made, 0);
            TyFrame *frame = instance == TY_NULL ? NULL : push_prepended(thread, ty_as_function(init), instance, arguments, count, keywords, TY_FRAME_INIT);
            if (frame)
                frame->instance = instance;
            *pushed = frame != NULL;
            return TY_NULL;
        }
    } else if (type->slots.call == ty_slot_python_call) {
        Value method = ty_type_lookup_inline(type, TY_NAME("__call__"));
        if (method != TY_NULL && ty_is_function(method)) {
            *pushed = push_prepended(thread, ty_as_function(method), callee, arguments, count, keywords, TY_FRAME_CALL) != NULL;
            return TY_NULL;
        }
    }
    return ty_call(callee, arguments, count, keywords);
}

/* The next pair of the iterator of the FOR_ITER at pc right into the registers of the UNPACK that begins the loop's body: 1, 0 at the end or with an
 * exception, -1 if the body does not begin so. The register between the two is a temporary, dead after the UNPACK. */
static TY_NOINLINE int next_pair(TyFrame *frame, Value iterator, const TyType *type)
{
    const TyInstruction *pc = frame->pc;
    TyInstruction unpack = pc[ty_ext_jump(pc[1])];
    TyCode *code = frame->code;
    uint32_t item = ty_op_a(*pc);
    if (ty_op(unpack) != TY_OP_UNPACK || ty_op_b(unpack) != item || ty_op_c(unpack) != 2 || item < code->local_count + code->cell_count + code->free_count ||
        ty_thread->instrumented || (type == &ty_zip_type && ty_zip_width(iterator) != 2))
        return -1;
    Value pair[2];
    if (!(type == &ty_zip_type ? ty_zip_next_pair : type == &ty_enumerate_type ? ty_enumerate_next_pair : ty_dict_items_next_pair)(iterator, pair))
        return 0;
    Value *target = &frame->registers[ty_op_a(unpack)];
    target[0] = pair[0];
    target[1] = pair[1];
    return 1;
}

/* Where the instruction at pc puts its result. */
TY_INLINE void deliver(TyFrame *frame, Value value)
{
    frame->registers[ty_op_a(*frame->pc)] = value;
    frame->pc += ty_op_words[ty_op(*frame->pc)];
}

/* Where the calling function's C frame lies. What it saved for its caller is at the top, under the frame's address. */
#if defined(__x86_64__)
#define STACK_SAVED_REGISTERS 5 /* rbx, r12 to r15 */
#define STACK_FRAME(run)                                                                                        \
    do {                                                                                                        \
        __asm__ volatile("movq %%rsp, %0" : "=r"((run)->low));                                                  \
        (run)->high = (const char *)__builtin_frame_address(0) - STACK_SAVED_REGISTERS * sizeof(uintptr_t);     \
    } while (0)
#else
#define STACK_FRAME(run) ((run)->low = (run)->high = NULL)
#endif

static Value run_frames(TyFrame *entry, bool throwing, TyRun *run);

Value ty_vm_run(TyFrame *entry, bool throwing)
{
    TyThread *thread = ty_thread;
    TyRun run = {.outer = thread->run, .below = entry->previous};
    Value value = run_frames(entry, throwing, &run);
    thread->run = run.outer;
    return value;
}

static TY_NOINLINE Value run_frames(TyFrame *entry, bool throwing, TyRun *run)
{
    static const void *const plain_dispatch[TY_OP_COUNT] = {
#define LABEL(name, format, meaning) &&op_##name,
        TY_INSTRUCTIONS(LABEL)
#undef LABEL
    };
    static const void *const traced_dispatch[TY_OP_COUNT] = {
#define LABEL(name, format, meaning) &&traced,
        TY_INSTRUCTIONS(LABEL)
#undef LABEL
    };

    TyThread *const thread = ty_thread;
    TyFrame *frame;
    Value *registers;
    const Value *constants;
    _Atomic uint64_t *caches;
    const TyInstruction *pc;
    TyInstruction word;
    const void *const *dispatch = thread->instrumented ? traced_dispatch : plain_dispatch;
    Value value; /* what flows between the shared tails below */
    const Value none = TY_NONE, *returned;

    STACK_FRAME(run);
    thread->run = run;

    if (TY_UNLIKELY(ty_c_stack_low())) {
        ty_raise_recursion_error("");
        ENTER_FRAME();
        entry->kind = TY_FRAME_ENTRY;
        goto error_leave;
    }
    entry->kind = TY_FRAME_ENTRY;
    ENTER_FRAME();
    if (throwing) {
        if (TY_UNLIKELY(thread->instrumented) && !ty_trace_throw(frame))
            goto error_again;
        goto error;
    }
    goto start_frame;

/* A frame begins: from its first instruction, or where a generator was left. */
start_frame:
    if (TY_UNLIKELY(ty_load_relaxed(&thread->poll))) {
        SAVE();
        if (!ty_vm_poll())
            goto error;
    }
    dispatch = thread->instrumented ? traced_dispatch : plain_dispatch;
    if (TY_UNLIKELY(thread->instrumented)) {
        SAVE();
        if (!ty_trace_enter(frame))
            goto error;
    }
    DISPATCH();

traced:
    if (TY_UNLIKELY(!thread->instrumented)) {
        frame->traced_line = 0;
        dispatch = plain_dispatch;
        DISPATCH();
    } else {
        const TyInstruction *before = frame->pc;
        SAVE();
        TyTraceStep step = ty_trace_instruction(frame, before);
        if (step == TY_TRACE_FAILED)
            goto error;
        pc = frame->pc;
        if (step == TY_TRACE_DONE)
            DISPATCH();
        word = *pc;
        goto *plain_dispatch[ty_op(word)];
    }

    CASE(BEGIN) NEXT(1);
    CASE(RESUME) NEXT(1);
    CASE(NOP) NEXT(1);
    CASE(MOVE) RA = RB; NEXT(1);
    CASE(LOAD_CONST) RA = constants[IMMEDIATE]; NEXT(1);
    CASE(LOAD_INT) RA = ty_from_immediate_int(IMMEDIATE); NEXT(1);
    CASE(LOAD_NULL) RA = TY_NULL; NEXT(1);
    CASE(CHECK_BOUND)
        if (TY_LIKELY(RA != TY_NULL))
            NEXT(1);
        SAVE();
        ty_vm_unbound_local(frame, A);
        goto error;

    /* --- cells --- */
    CASE(MAKE_CELL) SAVE(); RESULT(ty_cell_new(RA), 1);
    CASE(LOAD_CELL)
        value = ty_field_acquire(&ty_as_cell(RB)->content);
        if (TY_UNLIKELY(value == TY_NULL)) {
            SAVE();
            ty_vm_unbound_local(frame, B);
            goto error;
        }
        RA = value;
        NEXT(1);
    CASE(STORE_CELL) ty_store_publish(ty_object(RA), &ty_as_cell(RA)->content, RB); NEXT(1);
    CASE(DELETE_CELL)
        if (ty_field(&ty_as_cell(RA)->content) == TY_NULL) {
            SAVE();
            ty_vm_unbound_local(frame, A);
            goto error;
        }
        ty_store_publish(ty_object(RA), &ty_as_cell(RA)->content, TY_NULL);
        NEXT(1);
    CASE(LOAD_CELL_OR_MAPPING) SAVE(); RESULT(ty_vm_load_cell_or_mapping(frame, B, RC), 1);

    /* --- names --- */
    /* A function made of a module's code has no namespace of its own: it works in its globals. */
#define NAMESPACE() if (TY_UNLIKELY(frame->locals == TY_NULL)) frame->locals = frame->function->globals
    CASE(LOAD_NAME)
        if (frame->locals == frame->function->globals) /* a module: the same, and cached */
            goto op_LOAD_GLOBAL;
        NAMESPACE();
        SAVE(); RESULT(ty_vm_load_name(frame, NAME_OF_EXT()), 2);
    CASE(STORE_NAME) {
        SAVE();
        NAMESPACE();
        Value locals = frame->locals;
        CHECK(ty_is_exact_dict(locals) ? ty_dict_set(locals, NAME_OF_EXT(), RA) : ty_set_item(locals, NAME_OF_EXT(), RA), 2);
    }
    CASE(DELETE_NAME) {
        SAVE();
        Value name = NAME_OF_EXT();
        NAMESPACE();
        if (!ty_delete_item(frame->locals, name)) {
            if (ty_raised_is(&ty_KeyError)) {
                ty_clear_exception();
                ty_vm_name_error(name);
            }
            goto error;
        }
        NEXT(2);
    }
    CASE(LOAD_GLOBAL) {
        _Atomic uint64_t *cache = CACHE_OF_EXT();
        uint64_t c = ty_load_dependent(cache);
        TyFunction *function = frame->function;
        if (TY_LIKELY(ty_cache_is_slot(c))) {
            value = ty_dict_cached(function->globals, (uint32_t)(c >> 32), (uint32_t)c);
            if (TY_LIKELY(value != TY_NULL)) {
                RA = value;
                NEXT(2);
            }
        } else if (c != 0) {
            TyCacheEntry *entry_ = ty_cache_entry(c);
            if (TY_LIKELY(ty_dict_version_is(function->globals, entry_->version))) {
                value = ty_dict_cached(function->builtins, entry_->second_version, entry_->offset);
                if (TY_LIKELY(value != TY_NULL)) {
                    RA = value;
                    NEXT(2);
                }
            }
        }
        SAVE();
        value = ty_cache_load_global(cache, function->globals, function->builtins, NAME_OF_EXT());
        if (TY_UNLIKELY(value == TY_NULL)) {
            if (!ty_raised())
                ty_vm_name_error(NAME_OF_EXT());
            goto error;
        }
        RA = value;
        NEXT(2);
    }
    CASE(STORE_GLOBAL) {
        _Atomic uint64_t *cache = CACHE_OF_EXT();
        uint64_t c = ty_load_dependent(cache);
        if (TY_LIKELY(c != 0 && ty_dict_set_cached(frame->function->globals, (uint32_t)(c >> 32), (uint32_t)c, RA)))
            NEXT(2);
        SAVE();
        CHECK(ty_cache_store_global(cache, frame->function->globals, NAME_OF_EXT(), RA), 2);
    }
    CASE(DELETE_GLOBAL) {
        SAVE();
        int deleted = ty_dict_delete(frame->function->globals, NAME_OF_EXT());
        if (deleted == 0)
            ty_vm_name_error(NAME_OF_EXT());
        CHECK(deleted > 0, 2);
    }
    CASE(LOAD_GLOBAL_OR_MAPPING) SAVE(); RESULT(ty_vm_load_global_or_mapping(frame, RB, NAME_OF_EXT()), 2);
    CASE(LOAD_LOCALS)
        SAVE();
        NAMESPACE();
        RA = frame->locals;
        NEXT(1);
    CASE(LOAD_BUILD_CLASS)
        SAVE();
        value = ty_get_item_or_null(frame->function->builtins, TY_NAME("__build_class__"));
        if (value == TY_NULL && !ty_raised())
            ty_raise(&ty_NameError, "__build_class__ not found");
        RESULT(value, 1);
    CASE(LOAD_COMMON) SAVE(); RESULT(ty_vm_common((uint32_t)IMMEDIATE), 1);
    CASE(SETUP_ANNOTATIONS) SAVE(); CHECK(ty_vm_setup_annotations(frame), 1);

    /* --- attributes --- */
    CASE(LOAD_ATTR) {
        _Atomic uint64_t *cache = CACHE_OF_EXT();
        Value object = RB;
        uint64_t c = ty_load_dependent(cache);
        if (TY_LIKELY(ty_is_object(object))) {
            uint32_t shape = ty_load_acquire(&ty_object(object)->bits) >> TY_SHAPE_SHIFT;
            if (TY_LIKELY(ty_cache_slot_shape(c) == shape)) {
                value = ty_field((Value *)((char *)ty_object(object) + ty_cache_slot_offset(c)));
                if (TY_LIKELY(value != TY_NULL)) {
                    RA = value;
                    NEXT(2);
                }
            } else if (c != 0 && !ty_cache_is_slot(c)) {
                for (TyCacheEntry *e = ty_cache_entry(c); e; e = e->next) {
                    if (e->shape != shape)
                        continue;
                    if (e->kind == TY_CACHE_SLOT) {
                        value = ty_field((Value *)((char *)ty_object(object) + e->offset));
                        if (value == TY_NULL)
                            break;
                        RA = value;
                        NEXT(2);
                    }
                    if (e->kind == TY_CACHE_MODULE) {
                        if (e->object != object || (value = ty_dict_cached(e->value, e->version, e->offset)) == TY_NULL)
                            break;
                        RA = value;
                        NEXT(2);
                    }
                    if (e->kind == TY_CACHE_CLASS) {
                        if (e->object != object || ty_load_acquire(&ty_as_type(object)->version) != e->version)
                            continue;
                        if (TY_UNLIKELY(e->offset)) {
                            SAVE();
                            RESULT(ty_bound_method_new(e->value, object), 2);
                        }
                        RA = e->value;
                        NEXT(2);
                    }
                    if (ty_load_acquire(&ty_object_type(ty_object(object))->version) != e->version)
                        continue;
                    if (e->kind == TY_CACHE_VALUE) {
                        RA = e->value;
                        NEXT(2);
                    }
                    if (e->kind == TY_CACHE_METHOD) {
                        SAVE();
                        RESULT(ty_bound_method_new(e->value, object), 2);
                    }
                    if (e->kind == TY_CACHE_DESCRIPTOR) {
                        SAVE();
                        RESULT(ty_type_of(e->value)->slots.get(e->value, object, ty_from_object(ty_type_of(object))), 2);
                    }
                    if (e->kind == TY_CACHE_CLASS_METHOD) {
                        SAVE();
                        RESULT(ty_bound_method_new(e->value, ty_from_object(ty_type_of(object))), 2);
                    }
                    if (e->kind == TY_CACHE_GETTER) {
                        TyFunction *getter = ty_as_function(e->value);
                        if (!takes_exactly(getter->code, 1))
                            break;
                        SAVE();
                        TyFrame *callee = push_frame(thread, getter, 1, TY_FRAME_CALL);
                        if (!callee)
                            goto recursion;
                        callee->registers[0] = object;
                        ENTER_FRAME();
                        goto start_frame;
                    }
                }
            }
        }
        SAVE();
        RESULT(ty_cache_load_attribute(cache, object, NAME_OF_EXT()), 2);
    }
    CASE(LOAD_METHOD) {
        _Atomic uint64_t *cache = CACHE_OF_EXT();
        Value object = RB;
        uint64_t c = ty_load_dependent(cache);
        if (TY_LIKELY(ty_is_object(object) && c != 0 && !ty_cache_is_slot(c))) {
            uint32_t shape = ty_load_acquire(&ty_object(object)->bits) >> TY_SHAPE_SHIFT;
            for (TyCacheEntry *e = ty_cache_entry(c); e; e = e->next) {
                if (e->shape != shape)
                    continue;
                if (e->kind == TY_CACHE_METHOD) {
                    if (ty_load_acquire(&ty_object_type(ty_object(object))->version) != e->version)
                        continue;
                    registers[A] = e->value;
                    registers[A + 1] = object;
                    NEXT(2);
                }
                if (e->kind == TY_CACHE_MODULE) {
                    if (e->object != object || (value = ty_dict_cached(e->value, e->version, e->offset)) == TY_NULL)
                        break;
                    registers[A] = value;
                    registers[A + 1] = TY_NULL;
                    NEXT(2);
                }
                if (e->kind == TY_CACHE_CLASS) {
                    if (e->object != object || ty_load_acquire(&ty_as_type(object)->version) != e->version)
                        continue;
                    registers[A] = e->value;
                    registers[A + 1] = e->offset ? object : TY_NULL;
                    NEXT(2);
                }
                if ((e->kind == TY_CACHE_VALUE || e->kind == TY_CACHE_CLASS_METHOD) && ty_load_acquire(&ty_object_type(ty_object(object))->version) == e->version) {
                    registers[A + 1] = e->kind == TY_CACHE_VALUE ? TY_NULL : ty_from_object(ty_object_type(ty_object(object)));
                    registers[A] = e->value;
                    NEXT(2);
                }
                break;
            }
        }
        SAVE();
        Value target[2];
        if (TY_UNLIKELY(!ty_cache_load_method(cache, object, NAME_OF_EXT(), target)))
            goto error;
        registers[A] = target[0];
        registers[A + 1] = target[1];
        NEXT(2);
    }
    CASE(STORE_ATTR) {
        _Atomic uint64_t *cache = CACHE_OF_EXT();
        Value object = RA;
        uint64_t c = ty_load_dependent(cache);
        if (TY_LIKELY(ty_is_object(object) && c != 0)) {
            TyObject *o = ty_object(object);
            bool locked = ty_object_lock(o);
            uint32_t bits = ty_load_relaxed(&o->bits), shape = bits >> TY_SHAPE_SHIFT;
            if (TY_LIKELY(ty_cache_slot_shape(c) == shape)) {
                ty_store(o, (Value *)((char *)o + ty_cache_slot_offset(c)), RB);
                ty_object_unlock(o, locked);
                NEXT(2);
            }
            if (!ty_cache_is_slot(c))
                for (TyCacheEntry *e = ty_cache_entry(c); e; e = e->next) {
                    if (e->shape != shape)
                        continue;
                    if (e->kind == TY_CACHE_TRANSITION) {
                        ty_store(o, (Value *)((char *)o + e->offset), RB);
                        if (locked)
                            ty_object_set_shape(o, e->next_shape);
                        else
                            ty_store_release(&o->bits, (bits & ((1u << TY_SHAPE_SHIFT) - 1)) | e->next_shape << TY_SHAPE_SHIFT);
                        ty_object_unlock(o, locked);
                        NEXT(2);
                    }
                    if (e->kind == TY_CACHE_SLOT) {
                        ty_store(o, (Value *)((char *)o + e->offset), RB);
                        ty_object_unlock(o, locked);
                        NEXT(2);
                    }
                    break;
                }
            ty_object_unlock(o, locked);
        }
        SAVE();
        CHECK(ty_cache_store_attribute(cache, object, NAME_OF_EXT(), RB), 2);
    }
    CASE(DELETE_ATTR) SAVE(); CHECK(ty_set_attribute(RA, NAME_OF_EXT(), TY_NULL), 2);
    CASE(LOAD_SUPER_ATTR) SAVE(); RESULT(ty_vm_super(registers[B], registers[B + 1], registers[B + 2], NAME_OF_EXT(), C, NULL), 2);
    CASE(LOAD_SUPER_METHOD) {
        SAVE();
        bool unbound;
        Value self = registers[B + 2];
        value = ty_vm_super(registers[B], registers[B + 1], self, NAME_OF_EXT(), C, &unbound);
        if (value == TY_NULL)
            goto error;
        registers[A] = value;
        registers[A + 1] = unbound ? self : TY_NULL;
        NEXT(2);
    }
    CASE(LOAD_SPECIAL) {
        SAVE();
        Value target[2];
        if (!ty_vm_load_special(RB, C, target))
            goto error;
        registers[A] = target[0];
        registers[A + 1] = target[1];
        NEXT(1);
    }

    /* --- items --- */
    CASE(LOAD_ITEM) {
        Value container = RB, key = RC;
        if (TY_LIKELY(ty_is_object(container))) {
            TyType *type = ty_object_type(ty_object(container));
            if (type == &ty_list_type) {
                if (ty_is_immediate_int(key)) {
                    int64_t i = ty_immediate_int(key);
                    if (i < 0)
                        i += ty_list_length(container);
                    value = ty_list_item(container, i);
                    if (TY_LIKELY(value != TY_NULL)) {
                        RA = value;
                        NEXT(1);
                    }
                }
            } else if (type == &ty_dict_type) {
                SAVE();
                value = ty_dict_get(container, key);
                if (TY_UNLIKELY(value == TY_NULL)) {
                    if (!ty_raised())
                        ty_raise_key_error(key);
                    goto error;
                }
                RA = value;
                NEXT(1);
            } else if (type == &ty_tuple_type) {
                if (ty_is_immediate_int(key)) {
                    int64_t i = ty_immediate_int(key), n = ty_tuple_length(container);
                    if (i < 0)
                        i += n;
                    if (TY_LIKELY((uint64_t)i < (uint64_t)n)) {
                        RA = ty_tuple_item(container, i);
                        NEXT(1);
                    }
                }
            } else if (type == &ty_str_type) {
                if (ty_is_immediate_int(key)) {
                    int64_t i = ty_immediate_int(key), n = ty_str_length(container);
                    if (i < 0)
                        i += n;
                    if (TY_LIKELY((uint64_t)i < (uint64_t)n)) {
                        SAVE();
                        RESULT(ty_str_from_char(ty_str_at(container, i)), 1);
                    }
                }
            } else if (type->slots.get_item == ty_slot_python_get_item) {
                Value method = ty_type_lookup_inline(type, TY_NAME("__getitem__"));
                if (ty_is_function(method) && takes_exactly(ty_as_function(method)->code, 2)) {
                    SAVE();
                    TyFrame *callee = push_frame(thread, ty_as_function(method), 2, TY_FRAME_CALL);
                    if (!callee)
                        goto recursion;
                    callee->registers[0] = container;
                    callee->registers[1] = key;
                    ENTER_FRAME();
                    goto start_frame;
                }
            }
        }
        SAVE();
        RESULT(slow_subscript(container, key), 1);
    }
    CASE(STORE_ITEM) {
        Value container = RA, key = RB;
        SAVE();
        if (TY_LIKELY(ty_is_object(container))) {
            TyType *type = ty_object_type(ty_object(container));
            if (type == &ty_list_type && ty_is_immediate_int(key)) {
                int64_t i = ty_immediate_int(key);
                TyList *list = ty_as_list(container);
                if (i < 0)
                    i += ty_list_length(container);
                if (TY_LIKELY(!ty_load_relaxed(&ty_many_threads) && (uint64_t)i < (uint64_t)ty_load_relaxed(&list->length))) {
                    TyArray *items = ty_load_relaxed(&list->items);
                    ty_store(items, &items->items[i], RC);
                    NEXT(1);
                }
            } else if (type == &ty_dict_type)
                CHECK(ty_dict_set(container, key, RC), 1);
        }
        CHECK(ty_set_item(container, key, RC), 1);
    }
    CASE(DELETE_ITEM) SAVE(); CHECK(ty_delete_item(RA, RB), 1);
    CASE(LOAD_ITEM_INT) {
        Value container = RB;
        int64_t i = ty_op_c_int(word);
        if (TY_LIKELY(ty_is_exact_tuple(container))) {
            int64_t n = ty_tuple_length(container), at = i < 0 ? i + n : i;
            if (TY_LIKELY((uint64_t)at < (uint64_t)n)) {
                RA = ty_tuple_item(container, at);
                NEXT(1);
            }
        } else if (ty_is_exact_list(container)) {
            value = ty_list_item(container, i < 0 ? i + ty_list_length(container) : i);
            if (TY_LIKELY(value != TY_NULL)) {
                RA = value;
                NEXT(1);
            }
        }
        SAVE();
        RESULT(ty_get_item(container, ty_from_immediate_int(i)), 1);
    }
    CASE(LOAD_SLICE) {
        SAVE();
        if (load_slice(&registers[B], &value))
            RESULT(value, 1);
        Value slice = ty_slice_new(registers[B + 1], registers[B + 2], TY_NONE);
        if (slice == TY_NULL)
            goto error;
        RESULT(ty_get_item(registers[B], slice), 1);
    }
    CASE(STORE_SLICE) {
        SAVE();
        int64_t start, end;
        if (ty_is_exact_list(registers[A]) && plain_bounds(registers[A + 1], registers[A + 2], ty_list_length(registers[A]), &start, &end))
            CHECK(ty_list_assign_slice(registers[A], start, TY_MAX(start, end), RB), 1);
        Value slice = ty_slice_new(registers[A + 1], registers[A + 2], TY_NONE);
        if (slice == TY_NULL)
            goto error;
        CHECK(ty_set_item(registers[A], slice, RB), 1);
    }
    CASE(BUILD_SLICE) SAVE(); RESULT(ty_slice_new(registers[B], registers[B + 1], C == 3 ? registers[B + 2] : TY_NONE), 1);

    /* --- arithmetic --- */
#define FAST_INTS(fast) \
    if (TY_LIKELY(ty_are_immediate_ints(left, right)) && TY_LIKELY(fast(left, right, &value))) { RA = value; NEXT(1); }
#define FAST_DOUBLES(expression) \
    { double x, y; if (TY_LIKELY(as_doubles(left, right, &x, &y))) { RA = ty_from_double(expression); NEXT(1); } }
#define ARITHMETIC(NAME, OPERATOR, FAST) \
    CASE(NAME) { Value left = RB, right = RC; FAST SAVE(); RESULT(ty_binary(TY_BINARY_##OPERATOR, left, right), 1); } \
    CASE(INPLACE_##NAME) { Value left = RB, right = RC; FAST SAVE(); RESULT(ty_inplace(TY_BINARY_##OPERATOR, left, right), 1); }

    CASE(ADD) {
        Value left = RB, right = RC;
        FAST_INTS(add_small)
        FAST_DOUBLES(x + y)
        SAVE();
        RESULT(add(left, right, A == B), 1);
    }
    CASE(INPLACE_ADD) {
        Value left = RB, right = RC;
        FAST_INTS(add_small)
        FAST_DOUBLES(x + y)
        SAVE();
        RESULT(inplace_add(left, right), 1);
    }
    ARITHMETIC(SUBTRACT, SUBTRACT, FAST_INTS(subtract_small) FAST_DOUBLES(x - y))
    ARITHMETIC(MULTIPLY, MULTIPLY, FAST_INTS(multiply_small) FAST_DOUBLES(x * y))
#define FAST_TRUE_DIVIDE \
    { double x, y; \
      if (as_doubles(left, right, &x, &y) ? y != 0.0 : ty_are_immediate_ints(left, right) && right != ty_from_immediate_int(0) \
          && (x = (double)ty_immediate_int(left), y = (double)ty_immediate_int(right), true)) { RA = ty_from_double(x / y); NEXT(1); } }
    ARITHMETIC(TRUE_DIVIDE, TRUE_DIVIDE, FAST_TRUE_DIVIDE)
#define FAST_NONZERO(function) \
    if (TY_LIKELY(ty_are_immediate_ints(left, right) && right != ty_from_immediate_int(0))) { \
        int64_t r = function(ty_immediate_int(left), ty_immediate_int(right)); \
        if (TY_LIKELY(ty_fits_immediate(r))) { RA = ty_from_immediate_int(r); NEXT(1); } }
    ARITHMETIC(FLOOR_DIVIDE, FLOOR_DIVIDE, FAST_NONZERO(floor_divide_small))
    ARITHMETIC(REMAINDER, REMAINDER, FAST_NONZERO(remainder_small))
    ARITHMETIC(POWER, POWER, )
    ARITHMETIC(MATRIX_MULTIPLY, MATRIX_MULTIPLY, )
#define FAST_LEFT_SHIFT \
    if (TY_LIKELY(ty_are_immediate_ints(left, right))) { \
        int64_t i = ty_immediate_int(left), n = ty_immediate_int(right); \
        if ((uint64_t)n < 48 && ty_fits_immediate((int64_t)((uint64_t)i << n)) && (int64_t)((uint64_t)i << n) >> n == i) { RA = ty_from_immediate_int((int64_t)((uint64_t)i << n)); NEXT(1); } }
    ARITHMETIC(LEFT_SHIFT, LEFT_SHIFT, FAST_LEFT_SHIFT)
#define FAST_RIGHT_SHIFT \
    if (TY_LIKELY(ty_are_immediate_ints(left, right) && ty_immediate_int(right) >= 0)) { \
        int64_t n = ty_immediate_int(right); RA = ty_from_immediate_int(ty_immediate_int(left) >> (n > 63 ? 63 : n)); NEXT(1); }
    ARITHMETIC(RIGHT_SHIFT, RIGHT_SHIFT, FAST_RIGHT_SHIFT)
#define FAST_BITS(operator) \
    if (TY_LIKELY(ty_are_immediate_ints(left, right))) { RA = (left operator right) | TY_INT_TAG; NEXT(1); }
    ARITHMETIC(AND, AND, FAST_BITS(&))
    ARITHMETIC(OR, OR, FAST_BITS(|))
    ARITHMETIC(XOR, XOR, FAST_BITS(^))

#define SMALL_OPERAND ty_from_immediate_int(ty_op_c_int(word))
#define ARITHMETIC_INT(NAME, OPERATOR, function, FAST) \
    CASE(NAME) { Value left = RB, right = SMALL_OPERAND; FAST SAVE(); RESULT(function(TY_BINARY_##OPERATOR, left, right), 1); }
#define FAST_LEFT_INT(fast) if (TY_LIKELY(ty_is_immediate_int(left)) && TY_LIKELY(fast(left, right, &value))) { RA = value; NEXT(1); }
#define FAST_LEFT_DOUBLE(expression) if (ty_is_double(left)) { double x = ty_double(left), y = (double)ty_op_c_int(word); RA = ty_from_double(expression); NEXT(1); }
    ARITHMETIC_INT(ADD_INT, ADD, ty_binary, FAST_LEFT_INT(add_small) FAST_LEFT_DOUBLE(x + y))
    ARITHMETIC_INT(SUBTRACT_INT, SUBTRACT, ty_binary, FAST_LEFT_INT(subtract_small) FAST_LEFT_DOUBLE(x - y))
    ARITHMETIC_INT(MULTIPLY_INT, MULTIPLY, ty_binary, FAST_LEFT_INT(multiply_small) FAST_LEFT_DOUBLE(x * y))
    ARITHMETIC_INT(FLOOR_DIVIDE_INT, FLOOR_DIVIDE, ty_binary, FAST_NONZERO(floor_divide_small))
    ARITHMETIC_INT(REMAINDER_INT, REMAINDER, ty_binary, FAST_NONZERO(remainder_small))
    ARITHMETIC_INT(LEFT_SHIFT_INT, LEFT_SHIFT, ty_binary, FAST_LEFT_SHIFT)
    ARITHMETIC_INT(RIGHT_SHIFT_INT, RIGHT_SHIFT, ty_binary, FAST_RIGHT_SHIFT)
    ARITHMETIC_INT(AND_INT, AND, ty_binary, FAST_BITS(&))
    ARITHMETIC_INT(INPLACE_ADD_INT, ADD, ty_inplace, FAST_LEFT_INT(add_small) FAST_LEFT_DOUBLE(x + y))
    ARITHMETIC_INT(INPLACE_SUBTRACT_INT, SUBTRACT, ty_inplace, FAST_LEFT_INT(subtract_small) FAST_LEFT_DOUBLE(x - y))

    CASE(NEGATIVE) {
        Value v = RB;
        if (TY_LIKELY(ty_is_immediate_int(v) && ty_immediate_int(v) != TY_INT_IMMEDIATE_MIN)) {
            RA = ty_from_immediate_int(-ty_immediate_int(v));
            NEXT(1);
        }
        if (ty_is_double(v)) {
            RA = ty_from_double(-ty_double(v));
            NEXT(1);
        }
        SAVE();
        RESULT(ty_negative(v), 1);
    }
    CASE(POSITIVE) SAVE(); RESULT(ty_positive(RB), 1);
    CASE(INVERT)
        if (TY_LIKELY(ty_is_immediate_int(RB))) {
            RA = ty_from_immediate_int(~ty_immediate_int(RB));
            NEXT(1);
        }
        SAVE();
        RESULT(ty_invert(RB), 1);
    CASE(NOT) {
        SAVE();
        int truth = ty_is_true(RB);
        if (truth < 0)
            goto error;
        RA = ty_from_bool(!truth);
        NEXT(1);
    }
    CASE(TO_BOOL) {
        SAVE();
        int truth = ty_is_true(RB);
        if (truth < 0)
            goto error;
        RA = ty_from_bool(truth);
        NEXT(1);
    }

    /* --- comparisons --- */
#define COMPARED(operator, OP, left, right, yes) \
    if (TY_LIKELY(ty_are_immediate_ints(left, right))) yes((int64_t)(left << 16) operator (int64_t)(right << 16)) \
    { double x, y; if (as_doubles(left, right, &x, &y)) yes(x operator y) }
#define YES_STORE(condition) { RA = ty_from_bool(condition); NEXT(1); }
#define COMPARISON(NAME, operator, OP) \
    CASE(NAME) { Value left = RB, right = RC; COMPARED(operator, OP, left, right, YES_STORE) SAVE(); RESULT(compare(left, right, OP), 1); }
    COMPARISON(LESS, <, TY_LT)
    COMPARISON(LESS_EQUAL, <=, TY_LE)
#define EQUALITY(NAME, operator, OP) \
    CASE(NAME) { Value left = RB, right = RC; COMPARED(operator, OP, left, right, YES_STORE) \
        if (are_interned(left, right)) YES_STORE(left operator right) \
        SAVE(); RESULT(compare(left, right, OP), 1); }
    EQUALITY(EQUAL, ==, TY_EQ)
    EQUALITY(NOT_EQUAL, !=, TY_NE)
    COMPARISON(GREATER, >, TY_GT)
    COMPARISON(GREATER_EQUAL, >=, TY_GE)
    CASE(IS) RA = ty_from_bool(RB == RC); NEXT(1);
    CASE(IS_NOT) RA = ty_from_bool(RB != RC); NEXT(1);
    CASE(CONTAINS) {
        SAVE();
        int there = ty_contains(RC, RB);
        if (there < 0)
            goto error;
        RA = ty_from_bool(there);
        NEXT(1);
    }
    CASE(NOT_CONTAINS) {
        SAVE();
        int there = ty_contains(RC, RB);
        if (there < 0)
            goto error;
        RA = ty_from_bool(!there);
        NEXT(1);
    }

    /* --- jumps --- */
    CASE(JUMP) NEXT(IMMEDIATE);
#define SAFEPOINT()                                                               \
    do {                                                                          \
        if (TY_UNLIKELY(ty_load_relaxed(&thread->poll))) {                        \
            SAVE();                                                               \
            if (!ty_vm_poll())                                                    \
                goto error;                                                       \
            dispatch = thread->instrumented ? traced_dispatch : plain_dispatch;   \
        }                                                                         \
    } while (0)
    CASE(JUMP_BACK) SAFEPOINT(); NEXT(IMMEDIATE);
    CASE(LOOP_IF_TRUE) SAFEPOINT(); /* fall through */
    CASE(JUMP_IF_TRUE) {
        Value v = RA;
        if (v == TY_TRUE)
            NEXT(IMMEDIATE);
        if (v == TY_FALSE || v == TY_NONE)
            NEXT(1);
        SAVE();
        int truth = ty_is_true_slow(v);
        if (TY_UNLIKELY(truth < 0))
            goto error;
        NEXT(truth ? IMMEDIATE : 1);
    }
    CASE(LOOP_IF_FALSE) SAFEPOINT(); /* fall through */
    CASE(JUMP_IF_FALSE) {
        Value v = RA;
        if (v == TY_TRUE)
            NEXT(1);
        if (v == TY_FALSE || v == TY_NONE)
            NEXT(IMMEDIATE);
        SAVE();
        int truth = ty_is_true_slow(v);
        if (TY_UNLIKELY(truth < 0))
            goto error;
        NEXT(truth ? 1 : IMMEDIATE);
    }
    CASE(JUMP_IF_NONE) NEXT(RA == TY_NONE ? IMMEDIATE : 1);
    CASE(JUMP_IF_NOT_NONE) NEXT(RA != TY_NONE ? IMMEDIATE : 1);
#define YES_JUMP(condition) { NEXT((condition) == (bool)C ? ty_ext_jump(EXT) : 2); }
#define JUMP_COMPARISON(NAME, operator, OP) \
    CASE(LOOP_IF_##NAME) SAFEPOINT(); /* fall through */ \
    CASE(JUMP_IF_##NAME) { Value left = RA, right = RB; COMPARED(operator, OP, left, right, YES_JUMP) SAVE(); value = compare(left, right, OP); goto jump_on_value; } \
    JUMP_COMPARISON_INT(NAME, operator, OP)
#define JUMP_COMPARISON_INT(NAME, operator, OP) \
    CASE(LOOP_IF_##NAME##_INT) SAFEPOINT(); /* fall through */ \
    CASE(JUMP_IF_##NAME##_INT) { Value left = RA, right = ty_from_immediate_int(ty_op_b_int(word)); COMPARED(operator, OP, left, right, YES_JUMP) SAVE(); value = compare(left, right, OP); goto jump_on_value; }
    JUMP_COMPARISON(LESS, <, TY_LT)
    JUMP_COMPARISON(LESS_EQUAL, <=, TY_LE)
#define JUMP_EQUALITY(NAME, operator, OP) \
    CASE(LOOP_IF_##NAME) SAFEPOINT(); /* fall through */ \
    CASE(JUMP_IF_##NAME) { Value left = RA, right = RB; COMPARED(operator, OP, left, right, YES_JUMP) \
        if (are_interned(left, right)) YES_JUMP(left operator right) \
        SAVE(); value = compare(left, right, OP); goto jump_on_value; } \
    JUMP_COMPARISON_INT(NAME, operator, OP)
    JUMP_EQUALITY(EQUAL, ==, TY_EQ)
    JUMP_EQUALITY(NOT_EQUAL, !=, TY_NE)
    JUMP_COMPARISON(GREATER, >, TY_GT)
    JUMP_COMPARISON(GREATER_EQUAL, >=, TY_GE)
jump_on_value: {
        int truth = value == TY_NULL ? -1 : ty_is_true(value);
        if (TY_UNLIKELY(truth < 0))
            goto error;
        YES_JUMP((bool)truth)
    }
    CASE(JUMP_IF_IS) YES_JUMP(RA == RB)
    CASE(JUMP_IF_CONTAINS) {
        SAVE();
        int there = ty_contains(RB, RA);
        if (TY_UNLIKELY(there < 0))
            goto error;
        YES_JUMP((bool)there)
    }

    /* --- iteration --- */
    CASE(GET_ITER) SAVE(); RESULT(ty_iter(RB), 1);
    CASE(FOR_ITER) {
        SAFEPOINT();
        Value iterator = RB;
        TyType *type = ty_type_of(iterator); /* a debugger may have put anything there */
        if (type == &ty_range_iterator_type) {
            int64_t i;
            if (!ty_range_iterator_next((TyRangeIterator *)ty_object(iterator), &i))
                NEXT(2);
            RA = TY_LIKELY(ty_fits_immediate(i)) ? ty_from_immediate_int(i) : (SAVE(), ty_int_from_int64_slow(i));
            NEXT(ty_ext_jump(EXT));
        }
        if (type == &ty_list_iterator_type) {
            TySequenceIterator *it = (TySequenceIterator *)ty_object(iterator);
            Value list = ty_field_acquire(&it->sequence);
            if (list == TY_NULL)
                NEXT(2);
            int64_t i = ty_load_relaxed(&it->index);
            value = ty_list_item(list, i);
            if (TY_UNLIKELY(value == TY_NULL)) {
                ty_store(it, &it->sequence, TY_NULL);
                NEXT(2);
            }
            ty_store_relaxed(&it->index, i + 1);
            RA = value;
            NEXT(ty_ext_jump(EXT));
        }
        if (type == &ty_generator_type) {
            SAVE();
            TyGenerator *generator = (TyGenerator *)ty_object(iterator);
            bool finished;
            if (!ty_generator_enter(generator, TY_FRAME_RESUME, &finished)) {
                if (!finished)
                    goto error;
                NEXT(2);
            }
            value = TY_NONE;
            goto resume_generator;
        }
        SAVE();
        if (type == &ty_enumerate_type || type == &ty_zip_type || type == &ty_dict_item_iterator_type) {
            int got = next_pair(frame, iterator, type);
            if (got > 0) {
                pc += ty_ext_jump(EXT) + 1;
                DISPATCH();
            }
            value = TY_NULL;
            if (got == 0)
                goto iteration_ended;
        }
        value = TY_LIKELY(type->slots.next != NULL) ? type->slots.next(iterator) : ty_next(iterator);
        if (TY_UNLIKELY(value == TY_NULL)) {
iteration_ended:
            if (ty_raised()) {
                if (!ty_raised_is(&ty_StopIteration))
                    goto error;
                if (TY_UNLIKELY(thread->instrumented)) {
                    ty_trace_raise(frame);
                    if (!ty_raised_is(&ty_StopIteration))
                        goto error_again;
                }
                ty_clear_exception();
            }
            NEXT(2);
        }
        RA = value;
        NEXT(ty_ext_jump(EXT));
    }
    CASE(UNPACK) {
        Value v = RB;
        uint32_t n = C;
        if (TY_LIKELY(ty_is_exact_tuple(v) && ty_tuple_length(v) == n)) {
            const Value *items = ty_as_tuple(v)->items;
            for (uint32_t i = 0; i < n; i++)
                registers[A + i] = items[i];
            NEXT(1);
        }
        SAVE();
        CHECK(ty_vm_unpack(v, &registers[A], n), 1);
    }
    CASE(UNPACK_STAR) SAVE(); CHECK(ty_vm_unpack_star(RB, &registers[A], ty_ext_x(EXT), ty_ext_y(EXT)), 2);

    /* --- building --- */
    CASE(BUILD_TUPLE) SAVE(); RESULT(ty_tuple_from_array(&registers[B], C), 1);
    CASE(BUILD_LIST) SAVE(); RESULT(ty_list_from_array(&registers[B], C), 1);
    CASE(BUILD_SET) SAVE(); RESULT(ty_vm_build_set(&registers[B], C), 1);
    CASE(BUILD_MAP) SAVE(); RESULT(ty_vm_build_map(&registers[B], C), 1);
    CASE(BUILD_STRING) SAVE(); RESULT(ty_vm_build_string(&registers[B], C), 1);
/* What the compiler knows of a register and the verifier does not: bytecode that was not written by it must not do harm. */
#define EXPECT(v, type_)                                                           \
    do {                                                                           \
        Value expected_ = (v);                                                     \
        if (TY_UNLIKELY(expected_ == TY_NULL || !ty_is_exact(expected_, &(type_)))) \
            goto misused;                                                          \
    } while (0)
    CASE(LIST_APPEND) SAVE(); EXPECT(RA, ty_list_type); CHECK(ty_list_append(RA, RB), 1);
    CASE(LIST_EXTEND) SAVE(); EXPECT(RA, ty_list_type); CHECK(ty_vm_list_extend(RA, RB), 1);
    CASE(LIST_TO_TUPLE) SAVE(); EXPECT(RB, ty_list_type); RESULT(ty_list_to_tuple(RB), 1);
    CASE(SET_ADD)
        SAVE();
        if (TY_UNLIKELY(!ty_is_exact(RA, &ty_set_type))) { /* only __conditional_annotations__ can be something else */
            ty_raise(&ty_TypeError, "'%T' object is no set of annotations", RA);
            goto error;
        }
        CHECK(ty_set_add(RA, RB), 1);
    CASE(SET_UPDATE) SAVE(); EXPECT(RA, ty_set_type); CHECK(ty_set_update(RA, RB), 1);
    CASE(MAP_ADD) SAVE(); EXPECT(RA, ty_dict_type); CHECK(ty_dict_set(RA, RB, RC), 1);
    CASE(DICT_UPDATE) SAVE(); EXPECT(RA, ty_dict_type); CHECK(ty_vm_dict_update(RA, RB), 1);
    CASE(DICT_MERGE) SAVE(); EXPECT(RA, ty_dict_type); CHECK(ty_vm_dict_merge(RA, RB, RC), 1);
    CASE(FORMAT_SIMPLE)
        if (ty_is_exact_str(RB)) {
            RA = RB;
            NEXT(1);
        }
        SAVE();
        RESULT(ty_is_immediate_int(RB) ? ty_int_to_text(RB, 10, false) : ty_format(RB, TY_NULL), 1);
    CASE(FORMAT_WITH_SPEC) SAVE(); RESULT(ty_format(RB, RC), 1);
    CASE(CONVERT) SAVE(); RESULT(ty_vm_convert(C, RB), 1);
    CASE(BUILD_INTERPOLATION) SAVE(); RESULT(ty_vm_interpolation(&registers[B], C), 1);
    CASE(BUILD_TEMPLATE) SAVE(); EXPECT(RB, ty_tuple_type); EXPECT(RC, ty_tuple_type); RESULT(ty_template_new(RB, RC), 1);

    /* --- calls --- */
/* RESULT of C code that may have switched tracing on. */
#define CALLED(value, n)                                      \
    do {                                                      \
        Value result_ = (value);                              \
        if (TY_UNLIKELY(result_ == TY_NULL))                  \
            goto error;                                       \
        RA = result_;                                         \
        if (TY_UNLIKELY(thread->instrumented))                \
            dispatch = traced_dispatch;                       \
        NEXT(n);                                              \
    } while (0)
    CASE(CALL) {
        Value callee = RB;
        const Value *arguments = &registers[B + 1];
        uint32_t count = C;
        SAVE();
        if (ty_is_function(callee)) {
            TyFunction *function = ty_as_function(callee);
            if (TY_LIKELY(takes_exactly(function->code, count))) {
                TyFrame *callee_frame = push_frame(thread, function, count, TY_FRAME_CALL);
                if (TY_UNLIKELY(!callee_frame))
                    goto recursion;
                for (uint32_t i = 0; i < count; i++)
                    callee_frame->registers[i] = arguments[i];
                ENTER_FRAME();
                goto start_frame;
            }
            value = call_function(thread, function, arguments, count);
            goto called;
        } else if (ty_is_exact(callee, &ty_native_type)) {
            TyNative *native = (TyNative *)ty_object(callee);
            if (TY_LIKELY(ty_native_takes(ty_load_acquire(&native->signature), count)))
                CALLED(native->def->function.flat(native->self, &registers[B + 1]), 1);
            CALLED(ty_native_invoke((TyNativeCode *)native, native->self, arguments, count, TY_NULL), 1);
        }
        bool pushed;
        value = call_slow(thread, callee, arguments, count, TY_NULL, &pushed);
        goto called;
    }
    CASE(CALL_METHOD) {
        Value callee = RB, self = registers[B + 1];
        const Value *arguments = &registers[B + 1];
        uint32_t count = C + 1;
        SAVE();
        if (self == TY_NULL) {
            arguments++;
            count--;
        }
        if (ty_is_function(callee)) {
            TyFunction *function = ty_as_function(callee);
            if (TY_LIKELY(takes_exactly(function->code, count))) {
                TyFrame *callee_frame = push_frame(thread, function, count, TY_FRAME_CALL);
                if (TY_UNLIKELY(!callee_frame))
                    goto recursion;
                for (uint32_t i = 0; i < count; i++)
                    callee_frame->registers[i] = arguments[i];
                ENTER_FRAME();
                goto start_frame;
            }
            value = call_function(thread, function, arguments, count);
            goto called;
        } else if (self != TY_NULL && ty_is_exact(callee, &ty_method_descriptor_type)) {
            TyMethodDescriptor *d = (TyMethodDescriptor *)ty_object(callee);
            if (TY_LIKELY(ty_native_takes(ty_load_acquire(&d->signature), count - 1))) /* LOAD_METHOD has seen that self is of the type */
                CALLED(d->def->function.flat(self, &registers[B + 2]), 1);
            CALLED(ty_native_invoke((TyNativeCode *)d, self, arguments + 1, count - 1, TY_NULL), 1);
        } else if (ty_is_exact(callee, &ty_native_type)) {
            TyNative *native = (TyNative *)ty_object(callee);
            if (TY_LIKELY(ty_native_takes(ty_load_acquire(&native->signature), count)))
                CALLED(native->def->function.flat(native->self, (Value *)arguments), 1);
            CALLED(ty_native_invoke((TyNativeCode *)native, native->self, arguments, count, TY_NULL), 1);
        }
        bool pushed;
        value = call_slow(thread, callee, arguments, count, TY_NULL, &pushed);
        goto called;
    }
    CASE(CALL_KW) {
        SAVE();
        Value names = constants[ty_ext_x(EXT)];
        bool pushed;
        value = call_slow(thread, RB, &registers[B + 1], C - (size_t)ty_tuple_length(names), names, &pushed);
        goto called;
    }
    CASE(CALL_METHOD_KW) {
        SAVE();
        Value names = constants[ty_ext_x(EXT)];
        bool pushed, bound = registers[B + 1] != TY_NULL;
        value = call_slow(thread, RB, &registers[B + 2 - bound], C + bound - (size_t)ty_tuple_length(names), names, &pushed);
        goto called;
    }
    CASE(CALL_SPREAD) {
        SAVE();
        value = ty_vm_call_spread(frame, registers[B], registers[B + 1], registers[B + 2]);
        goto called;
    }
called: /* the result in `value`, or a new frame as the innermost */
    if (thread->frame != frame) {
        ENTER_FRAME();
        goto start_frame;
    }
    if (TY_UNLIKELY(value == TY_NULL))
        goto error;
    RA = value;
    if (TY_UNLIKELY(thread->instrumented)) /* what was called may have switched tracing on */
        dispatch = traced_dispatch;
    NEXT(ty_op_words[ty_op(word)]);

recursion:
    ty_raise_recursion_error("");
    goto error;
misused:
    ty_raise(&ty_SystemError, "malformed bytecode: %s on a register that holds something else", ty_op_names[ty_op(word)]);
    goto error;

    CASE(INTRINSIC) SAVE(); RESULT(ty_vm_intrinsic(frame, C, RB), 1);
    CASE(INTRINSIC_TWO) SAVE(); RESULT(ty_vm_intrinsic_two(frame, ty_ext_x(EXT), RB, RC), 2);
    CASE(MAKE_FUNCTION) SAVE(); RESULT(ty_function_new((TyCode *)ty_object(constants[IMMEDIATE]), frame->function->globals), 1);
    CASE(SET_FUNCTION) {
        SAVE();
        EXPECT(RA, ty_function_type);
        if (C == TY_FUNCTION_DEFAULTS || C == TY_FUNCTION_CLOSURE)
            EXPECT(RB, ty_tuple_type);
        TyFunction *function = ty_as_function(RA);
        Value v = RB;
        switch (C) {
        case TY_FUNCTION_DEFAULTS: ty_store(function, &function->defaults, v); break;
        case TY_FUNCTION_KWDEFAULTS: ty_store(function, &function->kwdefaults, v); break;
        case TY_FUNCTION_ANNOTATIONS: ty_store(function, &function->annotations, v); break;
        case TY_FUNCTION_CLOSURE: ty_store(function, &function->closure, v); break;
        default: ty_store(function, &function->annotate, v); break;
        }
        NEXT(1);
    }

    CASE(RETURN_NONE)
        returned = &none;
        goto do_return;
    CASE(RETURN)
        returned = &RA;
do_return: /* the place of the value, not the value: this C frame is scanned, and would keep the last one alive */
    SAVE();
    if (TY_UNLIKELY(thread->instrumented) && !ty_trace_return(frame, *returned))
        goto error_leave;
    {
        TyFrame *caller = frame->previous;
        TyFrameKind kind = frame->kind;
        if (TY_UNLIKELY(frame->frame_object != TY_NULL))
            ty_frame_detach(frame);
        if (TY_UNLIKELY(frame->generator != NULL)) {
            Value result = *returned;
            ty_generator_leave(frame->generator, TY_GENERATOR_FINISHED);
            if (kind == TY_FRAME_RESUME) { /* the caller's FOR_ITER or YIELD_FROM has reached the end */
                if (TY_UNLIKELY(thread->instrumented) && !ty_trace_stop_iteration(caller, result)) {
                    ENTER_FRAME();
                    goto error;
                }
                TyInstruction w = *caller->pc;
                if (ty_op(w) == TY_OP_FOR_ITER)
                    caller->pc += 2;
                else {
                    caller->registers[ty_op_a(w)] = result;
                    caller->pc += 1;
                }
                goto resume_caller;
            }
            return result;
        }
        thread->frame = caller;
        thread->stack_top = (char *)frame;
        thread->recursion--;
        if (TY_LIKELY(kind == TY_FRAME_CALL)) {
            TyInstruction w = *caller->pc;
            frame = caller;
            registers = frame->registers;
            constants = ty_as_tuple(frame->code->consts)->items;
            caches = frame->caches->words;
            registers[ty_op_a(w)] = *returned;
            pc = frame->pc + ty_op_words[ty_op(w)];
            DISPATCH();
        }
        if (kind == TY_FRAME_ENTRY)
            return *returned;
        if (kind == TY_FRAME_INIT) {
            if (TY_UNLIKELY(*returned != TY_NONE)) {
                ty_raise(&ty_TypeError, "__init__() should return None, not '%T'", *returned);
                ENTER_FRAME();
                goto error;
            }
            returned = &frame->instance;
        }
        if (kind == TY_FRAME_STORE)
            caller->pc += ty_op_words[ty_op(*caller->pc)];
        else
            deliver(caller, *returned);
    }
resume_caller:
    ENTER_FRAME();
    DISPATCH();

    /* --- generators --- */
    CASE(MAKE_GENERATOR) {
        SAVE();
        frame->instance = ty_generator_new(frame);
        if (frame->instance == TY_NULL)
            goto error;
        returned = &frame->instance;
        goto do_return;
    }
resume_generator: /* entered as the innermost frame; `value` is sent */
    ENTER_FRAME();
    word = *pc;
    if (ty_op(word) == TY_OP_YIELD) {
        RA = value;
        pc += 1;
    } else if (ty_op(word) == TY_OP_YIELD_FROM)
        RC = value;
    else
        pc += 1; /* MAKE_GENERATOR: runs for the first time */
    goto start_frame;

    CASE(YIELD)
        value = RB;
do_yield:
    SAVE();
    if (TY_UNLIKELY(thread->instrumented)) {
        if (!ty_trace_yield(frame, value))
            goto error;
        if (pc != frame->pc) { /* f_lineno = … */
            pc = frame->pc;
            DISPATCH();
        }
    }
    {
        TyFrame *caller = frame->previous;
        TyFrameKind kind = frame->kind;
        ty_generator_leave(frame->generator, TY_GENERATOR_SUSPENDED);
        if (kind != TY_FRAME_RESUME)
            return value;
        TyInstruction w = *caller->pc;
        if (ty_op(w) == TY_OP_FOR_ITER) {
            caller->registers[ty_op_a(w)] = value;
            caller->pc += ty_ext_jump(caller->pc[1]);
            goto resume_caller;
        }
        ENTER_FRAME(); /* a YIELD_FROM: its frame yields the value in turn */
        word = *pc;
        goto do_yield;
    }
    CASE(YIELD_FROM) {
        SAVE();
        Value iterator = RB;
        if (ty_is_generator_kind(iterator)) {
            TyGenerator *generator = (TyGenerator *)ty_object(iterator);
            if (ty_load_relaxed(&generator->state) == TY_GENERATOR_SUSPENDED || RC == TY_NONE) {
                bool finished;
                if (!ty_generator_enter(generator, TY_FRAME_RESUME, &finished)) {
                    if (!finished)
                        goto error;
                    RA = TY_NONE;
                    NEXT(1);
                }
                value = RC;
                goto resume_generator;
            }
        }
        bool returned;
        value = ty_iterator_send(iterator, RC, &returned);
        if (value == TY_NULL)
            goto error;
        if (!returned)
            goto do_yield;
        if (TY_UNLIKELY(thread->instrumented) && !ty_trace_stop_iteration(frame, value))
            goto error;
        RA = value;
        NEXT(1);
    }
    CASE(GET_YIELD_FROM_ITER) SAVE(); RESULT(ty_vm_yield_from_iter(frame, RB), 1);
    CASE(GET_AWAITABLE) SAVE(); RESULT(ty_vm_get_awaitable(RB, C), 1);
    CASE(GET_AITER) SAVE(); RESULT(ty_vm_get_aiter(RB), 1);
    CASE(GET_ANEXT) SAVE(); RESULT(ty_vm_get_anext(RB), 1);
    CASE(ASYNC_GENERATOR_WRAP) SAVE(); RESULT(ty_async_wrap(RB), 1);
    CASE(END_ASYNC_FOR)
        if (ty_is_instance_of(RA, &ty_StopAsyncIteration)) {
            RA = TY_NULL;
            NEXT(1);
        }
        SAVE();
        ty_restore_exception(RA);
        goto error_again;

    /* --- exceptions --- */
    CASE(PUSH_HANDLED) {
        Value exception = RA;
        if (frame->generator) {
            registers[A + 1] = frame->generator->own_handled;
            ty_store(frame->generator, &frame->generator->own_handled, exception);
        } else
            registers[A + 1] = thread->handled;
        thread->handled = exception;
        NEXT(1);
    }
    CASE(POP_HANDLED) {
        Value before = registers[A + 1];
        if (frame->generator) {
            ty_store(frame->generator, &frame->generator->own_handled, before);
            thread->handled = before != TY_NULL ? before : frame->generator->caller_handled;
        } else
            thread->handled = before;
        registers[A] = registers[A + 1] = TY_NULL;
        NEXT(1);
    }
    CASE(EXCEPTION_MATCHES) {
        SAVE();
        int matches = ty_vm_exception_matches(RB, RC);
        if (matches < 0)
            goto error;
        RA = ty_from_bool(matches);
        NEXT(1);
    }
    CASE(JUMP_UNLESS_EXCEPTION) {
        SAVE();
        int matches = ty_vm_exception_matches(RA, RB);
        if (matches < 0)
            goto error;
        NEXT(matches ? 2 : ty_ext_jump(EXT));
    }
    CASE(GROUP_MATCHES) {
        SAVE();
        Value match;
        if (!ty_vm_group_matches(frame, &RB, RC, &match))
            goto error;
        RA = match;
        NEXT(1);
    }
    CASE(RAISE)
        SAVE();
        ty_vm_raise(C, C > 0 ? RA : TY_NULL, C > 1 ? RB : TY_NULL);
        frame->raised_at = ty_frame_instruction(frame);
        if (C == 0 && thread->exception == thread->handled)
            goto error_again; /* raised once more by a bare `raise`: its traceback stays as it is */
        goto error;
    CASE(RERAISE)
        SAVE();
        if (IMMEDIATE)
            frame->raised_at = ty_frame_instruction(frame);
        ty_restore_exception(RA);
        goto error_again;
    CASE(WITH_EXCEPT) SAVE(); RESULT(ty_vm_with_except(registers[B], registers[B + 1], RC), 1);

    /* --- import, patterns --- */
    CASE(IMPORT_NAME) SAVE(); RESULT(ty_vm_import_name(frame, NAME_OF_EXT(), registers[B + 1], registers[B]), 2);
    CASE(IMPORT_FROM) SAVE(); RESULT(ty_vm_import_from(RB, NAME_OF_EXT()), 2);
    CASE(GET_LEN) {
        SAVE();
        int64_t n = ty_length(RB);
        if (n < 0)
            goto error;
        RA = ty_int_from_int64(n);
        NEXT(1);
    }
    CASE(MATCH_MAPPING) RA = ty_from_bool(ty_type_of(RB)->flags & TY_TYPE_MAPPING); NEXT(1);
    CASE(MATCH_SEQUENCE) RA = ty_from_bool(ty_type_of(RB)->flags & TY_TYPE_SEQUENCE); NEXT(1);
    CASE(MATCH_KEYS) SAVE(); RESULT(ty_vm_match_keys(RB, RC), 1);
    CASE(MATCH_CLASS) SAVE(); RESULT(ty_vm_match_class(RB, registers[C], ty_ext_x(EXT), registers[C + 1]), 2);

/* An exception is raised in the thread; frame->pc is the instruction. */
error:
    frame->raised_at = ty_frame_instruction(frame);
    ty_vm_add_traceback(frame, ty_frame_instruction(frame));
    if (TY_UNLIKELY(thread->instrumented))
        ty_trace_raise(frame);
    goto handle;
error_again: /* the same without a traceback entry for this frame: it has one */
    if (TY_UNLIKELY(thread->instrumented))
        ty_trace_reraise(frame);
handle: {
        const TyHandler *handler = ty_code_handler(frame->code, ty_frame_instruction(frame));
        if (handler) {
            registers[handler->target_register] = ty_take_exception();
            pc = frame->code->instructions + handler->target;
            frame->pc = pc;
            if (TY_UNLIKELY(thread->instrumented) && !ty_trace_handled(frame, registers[handler->target_register]))
                goto error_again;
            DISPATCH();
        }
    }
error_leave: {
        if (TY_UNLIKELY(thread->instrumented))
            ty_trace_unwind(frame);
        TyFrame *leaving = frame;
        TyFrameKind kind = leaving->kind;
        if (leaving->generator) {
            if (leaving->frame_object != TY_NULL)
                ty_frame_detach(leaving);
            ty_generator_leave(leaving->generator, TY_GENERATOR_FINISHED);
        } else
            ty_frame_pop(leaving);
        if (kind == TY_FRAME_ENTRY)
            return TY_NULL;
        ENTER_FRAME();
        word = *pc;
        goto error;
    }
}

Value ty_function_call(Value callable, const Value *arguments, size_t count, Value keywords)
{
    TyFrame *frame = ty_frame_push(ty_as_function(callable), arguments, count, keywords);
    return frame ? ty_vm_run(frame, false) : TY_NULL;
}
