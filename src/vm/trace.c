#include "vm/trace.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/instruction_table.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "vm/generator.h"
#include "vm/monitor.h"

/* Frames keep in traced_line the line that was told last: 0 while tracing has not seen the frame, -1 for none yet, -2 while nobody wants to be told;
 * in traced_instruction the instruction seen last. */
enum { LINE_UNSEEN = 0, LINE_NONE = -1, LINE_UNTOLD = -2, INSTRUCTION_NONE = -1 };

/* --- on and off ---------------------------------------------------------------------------------------------------------------- */

static bool anything_on(TyThread *thread)
{
    return thread->trace_function != TY_NULL || thread->profile_function != TY_NULL || (thread->interpreter && ty_load_relaxed(&thread->interpreter->monitoring.active));
}

void ty_trace_update(TyThread *thread)
{
    thread->instrumented = !thread->tracing && anything_on(thread);
    if (thread->instrumented)
        ty_poll_request(thread, TY_POLL_TRACE); /* running frames change their dispatch table at the next poll */
}

void ty_trace_hold(TyThread *thread)
{
    thread->tracing++;
    thread->instrumented = false;
}

void ty_trace_release(TyThread *thread)
{
    thread->tracing--;
    thread->instrumented = !thread->tracing && anything_on(thread);
}

static void telling(TyFrame *frame, TyTold told)
{
    ty_thread->told_frame = frame;
    ty_thread->told = told;
}

/* --- calling trace and profile functions --------------------------------------------------------------------------------- */

/* Calls function(frame, event, argument) with tracing held off and the raised exception set aside. TY_NULL: it raised. */
static Value call_hook(Value function, TyFrame *frame, Value event, Value argument)
{
    TyThread *thread = ty_thread;
    Value raised = ty_take_exception(), object = ty_frame_object(frame);
    if (object == TY_NULL)
        return TY_NULL;
    ty_trace_hold(thread);
    Value arguments[3] = { object, event, argument };
    Value result = ty_call(function, arguments, 3, TY_NULL);
    if (result == TY_NULL) { /* a trace function that fails is taken off */
        if (function == thread->profile_function)
            thread->profile_function = TY_NULL;
        else {
            thread->trace_function = TY_NULL;
            ((TyFrameObject *)ty_object(object))->trace = TY_NULL;
        }
    }
    ty_trace_release(thread);
    if (result != TY_NULL && raised != TY_NULL)
        ty_restore_exception(raised);
    return result;
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

/* --- telling the tools of sys.monitoring ------------------------------------------------------------------------------------------- */

static Value offset_of(uint32_t word) { return ty_from_immediate_int((int64_t)word * 2); } /* as in co_lines() */

/* The frame's monitor if a tool waits for one of the events there, else NULL. Memory that is short costs the events, nothing else. */
static TyCodeMonitor *waiting(TyFrame *frame, uint32_t events)
{
    if (!ty_load_relaxed(&ty_interpreter()->monitoring.active))
        return NULL;
    Value raised = ty_take_exception();
    TyCodeMonitor *monitor = ty_code_monitor(frame->caches, frame->code);
    ty_clear_exception();
    if (raised != TY_NULL)
        ty_restore_exception(raised);
    return monitor && ty_load_relaxed(&monitor->events) & events ? monitor : NULL;
}

/* Events with the code, the offset and `extra`. */
static bool tell_tools(TyFrame *frame, TyEvent event, uint32_t word, Value extra)
{
    TyCodeMonitor *monitor = waiting(frame, 1u << event);
    if (!monitor)
        return true;
    Value arguments[3] = { ty_from_object(frame->code), offset_of(word), extra };
    return ty_monitor_tell(monitor, event, word, arguments);
}

/* The same for one about an exception, which is set aside meanwhile; the thread's afterwards is it or the callback's. */
static bool tell_tools_raised(TyFrame *frame, TyEvent event)
{
    if (!waiting(frame, 1u << event))
        return true;
    Value raised = ty_take_exception();
    if (!tell_tools(frame, event, ty_frame_instruction(frame), raised))
        return false;
    ty_restore_exception(raised);
    return true;
}

/* --- calls and returns --------------------------------------------------------------------------------------------------------------- */

/* The frame of a generator function's call, which only makes the generator, is not told of. */
static bool makes_generator(const TyFrame *frame) { return !frame->generator && frame->code->flags & TY_CODE_ANY_GENERATOR; }

static bool tell_call(TyFrame *frame)
{
    TyThread *thread = ty_thread;
    if (!tell_profile(frame, TY_NAME("call"), TY_NONE))
        return false;
    if (thread->trace_function != TY_NULL) {
        Value local = call_hook(thread->trace_function, frame, TY_NAME("call"), TY_NONE);
        if (local == TY_NULL)
            return false;
        TyFrameObject *object = object_of(frame);
        ty_store(object, &object->trace, local == TY_NONE ? TY_NULL : local);
    }
    return true;
}

bool ty_trace_enter(TyFrame *frame)
{
    if (ty_thread->tracing || makes_generator(frame))
        return true;
    bool starts = !frame->generator || ty_op(frame->pc[-1]) == TY_OP_MAKE_GENERATOR;
    if (starts || frame->traced_line == LINE_UNSEEN)
        frame->traced_line = starts ? LINE_NONE : ty_frame_line(frame);
    frame->traced_instruction = INSTRUCTION_NONE;
    telling(frame, TY_TOLD_CALL);
    uint32_t yields = !starts && ty_op(*frame->pc) != TY_OP_YIELD_FROM; /* meanwhile it stands at the YIELD still */
    frame->pc -= yields;
    bool told = tell_tools(frame, starts ? TY_EVENT_PY_START : TY_EVENT_PY_RESUME, ty_frame_instruction(frame) - starts, TY_NULL) && tell_call(frame);
    frame->pc += yields;
    return told;
}

bool ty_trace_throw(TyFrame *frame)
{
    if (ty_thread->tracing)
        return true;
    frame->traced_instruction = INSTRUCTION_NONE;
    telling(frame, TY_TOLD_CALL);
    return tell_tools_raised(frame, TY_EVENT_PY_THROW) && tell_call(frame);
}

/* Where the line told last begins, for an end that stands on no line: the frame says that it is there while it is told of. */
static const TyInstruction *last_line(TyFrame *frame)
{
    for (uint32_t at = 0; frame->traced_line > 0 && at < frame->code->instruction_count; at += ty_op_words[ty_op(frame->code->instructions[at])])
        if (ty_code_line(frame->code, at) == frame->traced_line)
            return &frame->code->instructions[at];
    return frame->pc;
}

static bool tell_return(TyFrame *frame, TyEvent event, Value value)
{
    if (ty_thread->tracing || makes_generator(frame))
        return true;
    telling(frame, event == TY_EVENT_PY_YIELD ? TY_TOLD_LINE : TY_TOLD_OTHER);
    if (ty_frame_line(frame) < 0)
        frame->pc = last_line(frame);
    return tell_tools(frame, event, ty_frame_instruction(frame), value) && tell_profile(frame, TY_NAME("return"), value) && tell_local(frame, TY_NAME("return"), value);
}

bool ty_trace_return(TyFrame *frame, Value value) { return tell_return(frame, TY_EVENT_PY_RETURN, value); }
bool ty_trace_yield(TyFrame *frame, Value value) { return tell_return(frame, TY_EVENT_PY_YIELD, value); }

/* --- exceptions ------------------------------------------------------------------------------------------------------------------------- */

static bool tell_exception(TyFrame *frame, Value exception)
{
    TyFrameObject *object = object_of(frame);
    if (!object || object->trace == TY_NULL || ty_thread->trace_function == TY_NULL)
        return true;
    Value traceback = ty_as_exception(exception)->traceback;
    Value argument = ty_tuple_pack(3, ty_from_object(ty_type_of(exception)), exception, traceback == TY_NULL ? TY_NONE : traceback);
    return argument != TY_NULL && tell_local(frame, TY_NAME("exception"), argument);
}

void ty_trace_raise(TyFrame *frame)
{
    if (ty_thread->tracing || ty_thread->exception == TY_NULL)
        return;
    frame->traced_instruction = INSTRUCTION_NONE;
    telling(frame, TY_TOLD_OTHER);
    if (!tell_tools_raised(frame, TY_EVENT_RAISE))
        return;
    Value raised = ty_take_exception();
    if (tell_exception(frame, raised))
        ty_restore_exception(raised);
}

void ty_trace_reraise(TyFrame *frame)
{
    if (ty_thread->tracing || ty_thread->exception == TY_NULL)
        return;
    frame->traced_instruction = INSTRUCTION_NONE;
    telling(frame, TY_TOLD_OTHER);
    tell_tools_raised(frame, TY_EVENT_RERAISE);
}

void ty_trace_unwind(TyFrame *frame)
{
    if (ty_thread->tracing || makes_generator(frame))
        return;
    telling(frame, TY_TOLD_OTHER);
    if (ty_frame_line(frame) < 0) /* in a cleanup that stands on no line */
        frame->pc = frame->code->instructions + frame->raised_at;
    if (!tell_tools_raised(frame, TY_EVENT_PY_UNWIND))
        return;
    Value raised = ty_take_exception();
    if (tell_profile(frame, TY_NAME("return"), TY_NONE) && tell_local(frame, TY_NAME("return"), TY_NONE))
        ty_restore_exception(raised);
}

bool ty_trace_handled(TyFrame *frame, Value exception)
{
    if (ty_thread->tracing)
        return true;
    telling(frame, TY_TOLD_OTHER);
    return tell_tools(frame, TY_EVENT_EXCEPTION_HANDLED, ty_frame_instruction(frame), exception);
}

bool ty_trace_stop_iteration(TyFrame *frame, Value value)
{
    TyFrameObject *object = object_of(frame);
    if (ty_thread->tracing || (!waiting(frame, TY_EVENT_BIT(STOP_ITERATION)) && (!object || object->trace == TY_NULL)))
        return true;
    telling(frame, TY_TOLD_CALL);
    Value exception = ty_call(ty_from_object(&ty_StopIteration), &value, value != TY_NONE, TY_NULL);
    if (exception == TY_NULL || !tell_tools(frame, TY_EVENT_STOP_ITERATION, ty_frame_instruction(frame), exception))
        return false;
    return (value == TY_NONE && ty_op(*frame->pc) == TY_OP_FOR_ITER) || tell_exception(frame, exception);
}

/* --- calls of what is not written in Python ------------------------------------------------------------------------------------------------- */

typedef struct Call { /* of the instruction at a frame's pc */
    Value callee, self;       /* self: of a method that is not yet bound, or TY_NULL */
    const Value *arguments;
    size_t count;             /* without those given by name */
    Value keywords, first;    /* first: the first argument, or TY_NULL */
} Call;

/* What the instruction calls; false if it calls nothing. */
static bool read_call(TyFrame *frame, Call *call)
{
    TyInstruction w = *frame->pc;
    Value *registers = frame->registers;
    uint32_t b = ty_op_b(w), total = ty_op_c(w);
    *call = (Call){ .callee = TY_NULL };
    switch (ty_op(w)) {
    case TY_OP_CALL_KW: case TY_OP_CALL_METHOD_KW:
        call->keywords = ty_as_tuple(frame->code->consts)->items[ty_ext_x(frame->pc[1])];
        break;
    case TY_OP_CALL: case TY_OP_CALL_METHOD:
        break;
    case TY_OP_CALL_SPREAD:
        call->callee = registers[b];
        if (ty_is_exact_tuple(registers[b + 1]) && ty_tuple_length(registers[b + 1]) > 0)
            call->first = ty_tuple_item(registers[b + 1], 0);
        return true;
    default:
        return false; /* b need not name a register */
    }
    call->callee = registers[b];
    call->arguments = &registers[b + 1];
    if (ty_op(w) == TY_OP_CALL_METHOD || ty_op(w) == TY_OP_CALL_METHOD_KW) {
        call->self = registers[b + 1];
        if (call->self == TY_NULL)
            call->arguments++;
        else
            total++;
    }
    call->first = total ? call->arguments[0] : TY_NULL;
    call->count = total - (call->keywords == TY_NULL ? 0 : (size_t)ty_tuple_length(call->keywords));
    return true;
}

/* What c_call and its like show: a built-in function or method as it would be if bound. TY_NULL without exception: nothing that they tell of. */
static Value shown_to_profile(const Call *call)
{
    if (ty_is_exact(call->callee, &ty_native_type))
        return call->callee;
    if (ty_is_exact(call->callee, &ty_method_descriptor_type) && call->first != TY_NULL && ty_is_instance_of(call->first, ((TyMethodDescriptor *)ty_object(call->callee))->owner))
        return ty_native_new(((TyMethodDescriptor *)ty_object(call->callee))->def, call->first, TY_NULL, TY_NULL);
    return TY_NULL;
}

/* Of anything but a Python function, so that no frame is pushed. */
static Value run_call(TyFrame *frame, const Call *call)
{
    if (ty_op(*frame->pc) == TY_OP_CALL_SPREAD) {
        TyInstruction w = *frame->pc;
        return ty_vm_call_spread(frame, frame->registers[ty_op_b(w)], frame->registers[ty_op_b(w) + 1], frame->registers[ty_op_b(w) + 2]);
    }
    return ty_call(call->callee, call->arguments, call->count, call->keywords);
}

/* Tells of the outcome, the exception set aside if it failed. */
static bool tell_outcome(TyFrame *frame, uint32_t at, Value *arguments, Value shown, bool failed)
{
    Value raised = failed ? ty_take_exception() : TY_NULL;
    TyCodeMonitor *monitor = waiting(frame, TY_EVENT_BIT(CALL));
    if (monitor && !ty_monitor_tell(monitor, failed ? TY_EVENT_C_RAISE : TY_EVENT_C_RETURN, at, arguments))
        return false;
    if (shown != TY_NULL && !tell_profile(frame, failed ? TY_NAME("c_exception") : TY_NAME("c_return"), shown))
        return false;
    if (failed)
        ty_restore_exception(raised);
    return true;
}

/* Tells of a call, and makes it unless it is one of a Python function, whose frame the interpreter pushes. */
static TyTraceStep trace_call(TyFrame *frame, TyCodeMonitor *monitor, uint32_t at)
{
    Call call;
    if (!read_call(frame, &call))
        return TY_TRACE_RUN;
    telling(frame, TY_TOLD_OTHER);
    Value callee = call.callee, first = call.first;
    if (ty_is_bound_method(callee)) {
        first = ty_as_bound_method(callee)->self;
        callee = ty_as_bound_method(callee)->function;
    }
    Value arguments[4] = { ty_from_object(frame->code), offset_of(at), callee, first != TY_NULL ? first : ty_field(ty_monitoring_value(ty_interpreter(), TY_MONITORING_MISSING)) };
    if (monitor && !ty_monitor_tell(monitor, TY_EVENT_CALL, at, arguments))
        return TY_TRACE_FAILED;
    if (ty_is_function(callee))
        return TY_TRACE_RUN;
    Value shown = ty_thread->profile_function != TY_NULL ? shown_to_profile(&call) : TY_NULL;
    if (ty_raised() || (shown == TY_NULL && !monitor))
        return ty_raised() ? TY_TRACE_FAILED : TY_TRACE_RUN;
    if (shown != TY_NULL && !tell_profile(frame, TY_NAME("c_call"), shown))
        return TY_TRACE_FAILED;
    Value result = run_call(frame, &call);
    if (!tell_outcome(frame, at, arguments, shown, result == TY_NULL) || result == TY_NULL)
        return TY_TRACE_FAILED;
    TyInstruction w = *frame->pc;
    frame->registers[ty_op_a(w)] = result;
    frame->pc += ty_op_words[ty_op(w)];
    return TY_TRACE_DONE;
}

/* --- before each instruction ----------------------------------------------------------------------------------------------------------------- */

/* Which way the conditional jump before this instruction went. Left is into the body of a loop or statement, so that the jumps back of loops, whose
 * conditions stand at their ends, go left. */
static bool tell_branch(TyFrame *frame, TyCodeMonitor *monitor, uint32_t from, uint32_t at)
{
    const TyInstruction *pc = &frame->code->instructions[from];
    const TyFormatInfo *format = ty_op_format(ty_op(*pc));
    if (!format->jump || ty_op(*pc) == TY_OP_JUMP || ty_op(*pc) == TY_OP_JUMP_BACK)
        return true;
    int64_t jump = format->jump == 1 ? ty_op_imm(*pc) : ty_ext_jump(pc[1]);
    bool jumped = (int64_t)at == (int64_t)from + jump;
    if (!jumped && at != from + format->words)
        return true;
    Value arguments[3] = { ty_from_object(frame->code), offset_of(from), offset_of(at) };
    return ty_monitor_tell(monitor, jumped == ty_op_jumps_left(ty_op(*pc)) ? TY_EVENT_BRANCH_LEFT : TY_EVENT_BRANCH_RIGHT, from, arguments);
}

/* A line event is due when the instruction begins a line other than the one told last, or control has jumped back to it. */
static bool tell_line(TyFrame *frame, TyCodeMonitor *monitor, uint32_t at, int line, bool told)
{
    Value arguments[2] = { ty_from_object(frame->code), ty_from_immediate_int(line) };
    if (told && !ty_monitor_tell(monitor, TY_EVENT_LINE, at, arguments))
        return false;
    TyFrameObject *object = object_of(frame);
    return !object || !object->trace_lines || tell_local(frame, TY_NAME("line"), TY_NONE);
}

static bool tell_jump(TyFrame *frame, TyCodeMonitor *monitor, uint32_t at)
{
    Value arguments[3] = { ty_from_object(frame->code), offset_of(at), offset_of(at + (uint32_t)ty_op_imm(*frame->pc)) };
    return ty_monitor_tell(monitor, TY_EVENT_JUMP, at, arguments);
}

static bool tell_instruction(TyFrame *frame, TyCodeMonitor *monitor, uint32_t at)
{
    Value arguments[2] = { ty_from_object(frame->code), offset_of(at) };
    return ty_monitor_tell(monitor, TY_EVENT_INSTRUCTION, at, arguments);
}

/* Whether an instruction of the line told last begins it once more, as each round of a loop does. The conditions of loops stand at their ends, where the
 * first round comes by a jump or from GET_ITER: it is no new beginning; the jump back from there into the body is not either. */
static bool begins_again(const TyCode *code, int32_t last, int32_t at)
{
    if (ty_op_jumps_left(ty_op(code->instructions[at]))) {
        if (last < 0)
            return true;
        TyInstruction w = code->instructions[last];
        return ty_op(w) != TY_OP_GET_ITER && !(ty_op(w) == TY_OP_JUMP && last + ty_op_imm(w) == at);
    }
    return at <= last && !ty_op_jumps_left(ty_op(code->instructions[last]));
}

/* The event of an instruction, for tools that wait for it and a trace function that asked for it. */
static bool tell_every(TyFrame *frame, TyCodeMonitor *monitor, bool told, bool traced)
{
    TyFrameObject *object = object_of(frame);
    traced = traced && object->trace_opcodes;
    if (object)
        object->instructions_told = told || traced;
    return (!told || tell_instruction(frame, monitor, ty_frame_instruction(frame))) && (!traced || tell_local(frame, TY_NAME("opcode"), TY_NONE));
}

/* A debugger that a call started wants to stop at the line of that call, before the next one: it waits for the next instruction. Here the call may be
 * the line's last instruction; so the event is told while the frame still stands there. False with the exception raised. */
static bool tell_begun_within(TyFrame *frame, TyCodeMonitor *monitor, const TyInstruction *before, bool told, bool traced)
{
    TyFrameObject *object = object_of(frame);
    const TyInstruction *now = frame->pc;
    if (!object || object->instructions_told || before == now || !(told || (traced && object->trace_opcodes))
        || ty_code_monitor_line(monitor, ty_frame_instruction(frame)) == ty_code_monitor_line(monitor, (uint32_t)(before - frame->code->instructions)))
        return true;
    frame->pc = before;
    if (!tell_every(frame, monitor, told, traced))
        return false;
    if (frame->pc == before)
        frame->pc = now;
    return true;
}

TyTraceStep ty_trace_instruction(TyFrame *frame, const TyInstruction *before)
{
    TyThread *thread = ty_thread;
    TyFrameObject *object = object_of(frame);
    bool traced = object && object->trace != TY_NULL && thread->trace_function != TY_NULL, active = ty_load_relaxed(&thread->interpreter->monitoring.active);
    if (thread->tracing || makes_generator(frame))
        return TY_TRACE_RUN;
    if (!traced && !active && thread->profile_function == TY_NULL) {
        frame->traced_line = LINE_UNTOLD;
        frame->traced_instruction = (int32_t)ty_frame_instruction(frame);
        return TY_TRACE_RUN;
    }
    TyCodeMonitor *monitor = ty_code_monitor(frame->caches, frame->code);
    if (!monitor)
        return TY_TRACE_FAILED;
    uint32_t events = active ? ty_load_relaxed(&monitor->events) & TY_EVENTS_OF_INSTRUCTIONS : 0;
    uint32_t at = ty_frame_instruction(frame);
    int line = ty_code_monitor_line(monitor, at);
    if (frame->traced_line == LINE_UNSEEN || (frame->traced_line == LINE_UNTOLD && frame->traced_instruction != INSTRUCTION_NONE)) { /* begun in the midst of it */
        bool seen = frame->traced_line == LINE_UNTOLD;
        frame->traced_line = ty_code_monitor_line(monitor, seen ? (uint32_t)frame->traced_instruction : (uint32_t)(before - frame->code->instructions));
        if (!seen)
            frame->traced_instruction = INSTRUCTION_NONE;
        if (object)
            object->instructions_told = false;
    }
    if (object && !object->instructions_told) {
        telling(frame, TY_TOLD_LINE);
        if (!tell_begun_within(frame, monitor, before, events & TY_EVENT_BIT(INSTRUCTION), traced))
            return TY_TRACE_FAILED;
        at = ty_frame_instruction(frame);
        line = ty_code_monitor_line(monitor, at);
    }
    telling(frame, TY_TOLD_LINE);
    int32_t last = frame->traced_instruction;
    if (events & TY_EVENTS_BRANCH && last != INSTRUCTION_NONE && !tell_branch(frame, monitor, (uint32_t)last, at))
        return TY_TRACE_FAILED;
    frame->traced_instruction = (int32_t)at;
    TyOp op = ty_op(*frame->pc);
    if (line >= 0 && op != TY_OP_MAKE_CELL && op != TY_OP_RESUME && (line != frame->traced_line || begins_again(frame->code, last, (int32_t)at))) {
        frame->traced_line = line;
        if ((events & TY_EVENT_BIT(LINE) || traced) && !tell_line(frame, monitor, at, line, events & TY_EVENT_BIT(LINE)))
            return TY_TRACE_FAILED;
        at = ty_frame_instruction(frame);
        frame->traced_instruction = (int32_t)at;
        op = ty_op(*frame->pc);
    }
    if (!tell_every(frame, monitor, events & TY_EVENT_BIT(INSTRUCTION), traced))
        return TY_TRACE_FAILED;
    if (events & TY_EVENT_BIT(JUMP) && (op == TY_OP_JUMP || op == TY_OP_JUMP_BACK) && !tell_jump(frame, monitor, at))
        return TY_TRACE_FAILED;
    if (events & TY_EVENT_BIT(CALL) || thread->profile_function != TY_NULL)
        return trace_call(frame, events & TY_EVENT_BIT(CALL) ? monitor : NULL, at);
    return TY_TRACE_RUN;
}
