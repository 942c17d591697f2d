#include "vm/trace.h"
#include "object/int.h"
#include "object/native.h"
#include "object/interpreter.h"
#include "object/str.h"
#include "object/tuple.h"
#include "vm/generator.h"

/* --- calling trace and profile functions --------------------------------------------------------------------------------- */

/* Calls function(frame, event, argument) with tracing held off and the raised exception set aside. TY_NULL: it raised. */
static Value call_hook(Value function, TyFrame *frame, Value event, Value argument)
{
    TyThread *thread = ty_thread;
    Value raised = ty_take_exception(), object = ty_frame_object(frame);
    if (object == TY_NULL)
        return TY_NULL;
    thread->tracing = true;
    ty_trace_update(thread);
    Value arguments[3] = { object, event, argument };
    Value result = ty_call(function, arguments, 3, TY_NULL);
    thread->tracing = false;
    if (result == TY_NULL) { /* a trace function that fails is taken off */
        if (function == thread->profile_function)
            thread->profile_function = TY_NULL;
        else {
            thread->trace_function = TY_NULL;
            ((TyFrameObject *)ty_object(object))->trace = TY_NULL;
        }
        ty_trace_update(thread);
        return TY_NULL;
    }
    ty_trace_update(thread);
    if (raised != TY_NULL)
        ty_restore_exception(raised);
    return result;
}

void ty_trace_update(TyThread *thread)
{
    thread->instrumented = !thread->tracing && (thread->trace_function != TY_NULL || thread->profile_function != TY_NULL);
    if (thread->instrumented)
        ty_poll_request(thread, TY_POLL_TRACE); /* running frames change their dispatch table at the next poll */
}

static TyFrameObject *object_of(TyFrame *frame) { return frame->frame_object == TY_NULL ? NULL : (TyFrameObject *)ty_object(frame->frame_object); }

/* Tells the frame's own trace function; what it returns becomes the frame's trace function. */
static bool tell_local(TyFrame *frame, Value event, Value argument)
{
    TyFrameObject *object = object_of(frame);
    if (!object || object->trace == TY_NULL || ty_thread->trace_function == TY_NULL)
        return true;
    Value result = call_hook(object->trace, frame, event, argument);
    if (result == TY_NULL)
        return false;
    if (result != TY_NONE)
        ty_store(object, &object->trace, result);
    return true;
}

static bool tell_profile(TyFrame *frame, Value event, Value argument)
{
    Value function = ty_thread->profile_function;
    return function == TY_NULL || call_hook(function, frame, event, argument) != TY_NULL;
}

bool ty_trace_enter(TyFrame *frame)
{
    TyThread *thread = ty_thread;
    if (thread->tracing)
        return true;
    frame->traced_line = 0;
    if (thread->trace_function != TY_NULL) {
        Value local = call_hook(thread->trace_function, frame, TY_NAME("call"), TY_NONE);
        if (local == TY_NULL)
            return false;
        TyFrameObject *object = object_of(frame);
        ty_store(object, &object->trace, local == TY_NONE ? TY_NULL : local);
    }
    return tell_profile(frame, TY_NAME("call"), TY_NONE);
}

/* A line event is due when the instruction begins a line other than the one told last, or control has jumped back to it. */
bool ty_trace_instruction(TyFrame *frame)
{
    TyThread *thread = ty_thread;
    TyFrameObject *object = object_of(frame);
    if (thread->tracing || thread->trace_function == TY_NULL || !object || object->trace == TY_NULL)
        return true;
    uint32_t at = ty_frame_instruction(frame);
    int line = ty_code_line(frame->code, at);
    TyOp op = ty_op(*frame->pc);
    bool jumped_back = frame->traced_line != 0 && at < frame->traced_instruction;
    frame->traced_instruction = at;
    if (line > 0 && op != TY_OP_MAKE_GENERATOR && op != TY_OP_MAKE_CELL && ((uint32_t)line != frame->traced_line || jumped_back)) {
        frame->traced_line = (uint32_t)line;
        if (object->trace_lines && !tell_local(frame, TY_NAME("line"), TY_NONE))
            return false;
        frame->traced_instruction = ty_frame_instruction(frame);
    }
    if (object->trace_opcodes)
        return tell_local(frame, TY_NAME("opcode"), TY_NONE);
    return true;
}

bool ty_trace_return(TyFrame *frame, Value value)
{
    if (ty_thread->tracing)
        return true;
    return tell_local(frame, TY_NAME("return"), value) && tell_profile(frame, TY_NAME("return"), value);
}

bool ty_trace_yield(TyFrame *frame, Value value) { return ty_trace_return(frame, value); }

void ty_trace_exception(TyFrame *frame)
{
    TyThread *thread = ty_thread;
    TyFrameObject *object = object_of(frame);
    if (thread->tracing || !object || object->trace == TY_NULL || thread->exception == TY_NULL)
        return;
    Value exception = thread->exception, traceback = ty_as_exception(exception)->traceback;
    Value argument = ty_tuple_pack(3, ty_from_object(ty_type_of(exception)), exception, traceback == TY_NULL ? TY_NONE : traceback);
    if (argument != TY_NULL)
        tell_local(frame, TY_NAME("exception"), argument);
}

void ty_trace_unwind(TyFrame *frame)
{
    Value raised = ty_thread->exception;
    if (ty_thread->tracing)
        return;
    if (tell_local(frame, TY_NAME("return"), TY_NONE) && tell_profile(frame, TY_NAME("return"), TY_NONE) && ty_thread->exception == TY_NULL)
        ty_restore_exception(raised);
}

/* --- f_lineno = … --------------------------------------------------------------------------------------------------------------- */

/* Registers above the variables hold loop iterators, `with` exits and handled exceptions: a jump may not enter or leave a region that has any. Which
 * those are cannot be told from the instructions alone, so that jumps are confined to places covered by the same handlers. */
static bool same_region(const TyCode *code, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < code->handler_count; i++) {
        const TyHandler *h = &code->handlers[i];
        if ((from >= h->start && from < h->end) != (to >= h->start && to < h->end))
            return false;
    }
    return true;
}

bool ty_frame_set_line(TyFrameObject *object, Value line_value)
{
    int64_t line;
    if (line_value == TY_NULL)
        return ty_raise(&ty_AttributeError, "cannot delete attribute"), false;
    if (!ty_is_int(line_value))
        return ty_raise(&ty_ValueError, "lineno must be an integer"), false;
    TyFrame *frame = object->frame;
    if (!frame || !ty_thread->tracing || object->trace == TY_NULL)
        return ty_raise(&ty_ValueError, "f_lineno can only be set by a trace function"), false;
    if (!ty_to_int64(line_value, &line))
        return false;
    TyCode *code = object->code;
    if (line < code->first_line)
        return ty_raise(&ty_ValueError, "line %lld comes before the current code block", (long long)line), false;
    uint32_t from = ty_frame_instruction(frame);
    int64_t best = -1, best_line = INT64_MAX;
    for (uint32_t i = 0; i < code->instruction_count; i += ty_op_words[ty_op(code->instructions[i])]) {
        int at = ty_code_line(code, i);
        if (at >= line && at < best_line && same_region(code, from, i)) {
            best = i;
            best_line = at;
        }
    }
    if (best < 0)
        return ty_raise(&ty_ValueError, "line %lld comes after the current code block", (long long)line), false;
    if (best_line != line)
        return ty_raise(&ty_ValueError, "can't jump into or out of a block"), false;
    frame->pc = code->instructions + best;
    frame->traced_line = (uint32_t)line;
    return true;
}
