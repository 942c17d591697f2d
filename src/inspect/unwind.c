#include "inspect/unwind.h"
#include "modules/asyncio/asyncio.h"
#include "object/bytes.h"
#include "object/code_tables.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"
#include "vm/generator.h"
#include <sched.h>
#include <stdlib.h>

#define T (u->remote.table)

static uint64_t word(TyUnwinder *u, uint64_t address) { return ty_remote_word(&u->remote, address); }

static bool looks_like_object(uint64_t v) { return v != 0 && v >> 48 == 0 && (v & 7) == 0; }

static uint64_t type_of(TyUnwinder *u, uint64_t object) { return looks_like_object(object) ? word(u, object + T.object_type) : 0; }

static uint32_t half(TyUnwinder *u, uint64_t address)
{
    uint32_t v = 0;
    return ty_remote_get(&u->remote, address, &v, sizeof v) ? v : 0;
}

/* Its type is _asyncio.Task, or derives from it. */
static bool is_task(TyUnwinder *u, uint64_t object)
{
    uint64_t type = type_of(u, object);
    for (int depth = 0; type && depth < 100; depth++) {
        if (type == T.type_task)
            return true;
        type = word(u, type + T.type_parent);
    }
    return false;
}

/* --- texts ---------------------------------------------------------------------------------------------------------------------------------- */

/* A str, cut at `most` characters. */
static Value read_text(TyUnwinder *u, uint64_t address, int64_t most)
{
    if (type_of(u, address) != T.type_str)
        return TY_NULL;
    uint32_t kind = half(u, address + T.object_bits) & TY_STR_GROWN;
    int64_t length = (int64_t)word(u, address + T.str_length);
    uint64_t data = address + T.str_data;
    size_t width = kind == TY_STR_GROWN ? 0 : (size_t)1 << kind / TY_STR_KIND_2;
    if (kind == TY_STR_GROWN) {
        uint64_t buffer = word(u, address + T.grown_str_buffer);
        width = half(u, buffer + T.buffer_width);
        data = buffer + T.buffer_data;
    }
    if (length < 0 || (width != 1 && width != 2 && width != 4))
        return TY_NULL;
    length = TY_MIN(length, most);
    uint32_t raw[REMOTE_TEXT_MAX], wide[REMOTE_TEXT_MAX];
    if (length && !ty_remote_get(&u->remote, data, raw, (size_t)length * width))
        return TY_NULL;
    for (int64_t i = 0; i < length; i++) {
        uint32_t c = width == 1 ? ((const uint8_t *)raw)[i] : width == 2 ? ((const uint16_t *)raw)[i] : raw[i];
        wide[i] = c > 0x10FFFF ? 0xFFFD : c;
    }
    return ty_str_from_ucs4(wide, (size_t)length);
}

static Value read_positions(TyUnwinder *u, uint64_t bytes)
{
    int64_t size = type_of(u, bytes) == T.type_bytes ? (int64_t)word(u, bytes + T.bytes_length) : -1;
    if (size < 0 || size > REMOTE_POSITIONS_MAX)
        return TY_NULL;
    Value v = ty_bytes_new(NULL, (size_t)size);
    if (v != TY_NULL && size && !ty_remote_get(&u->remote, bytes + T.bytes_data, ty_as_bytes(v)->data, (size_t)size))
        return TY_NULL;
    return v;
}

enum { CODE_FILENAME, CODE_QUALNAME, CODE_POSITIONS, CODE_FIRST_LINE, CODE_INSTRUCTIONS, CODE_COUNT, CODE_PARTS };

/* What is known of a code object, read once; TY_NULL also if the address holds none. */
static Value code_parts(TyUnwinder *u, uint64_t code)
{
    Value key = ty_int_from_int64((int64_t)code), known = ty_dict_get(u->texts, key);
    if (known != TY_NULL)
        return known;
    if (type_of(u, code) != T.type_code)
        return TY_NULL;
    Value filename = read_text(u, word(u, code + T.code_filename), REMOTE_TEXT_MAX), qualname = read_text(u, word(u, code + T.code_qualname), REMOTE_TEXT_MAX),
          positions = read_positions(u, word(u, code + T.code_positions));
    if (filename == TY_NULL || qualname == TY_NULL || positions == TY_NULL)
        return TY_NULL;
    Value parts = ty_tuple_pack(CODE_PARTS, filename, qualname, positions, ty_int_from_int64(half(u, code + T.code_first_line)),
                                ty_int_from_int64((int64_t)word(u, code + T.code_instructions)), ty_int_from_int64(half(u, code + T.code_count)));
    if (parts == TY_NULL || !ty_dict_set(u->texts, key, parts))
        return TY_NULL;
    return parts;
}

static int64_t number(Value tuple, int i)
{
    Value v = ty_tuple_item(tuple, i);
    return ty_is_immediate_int(v) ? ty_immediate_int(v) : 0;
}

static int line_of(Value parts, uint64_t pc)
{
    uint64_t begin = (uint64_t)number(parts, CODE_INSTRUCTIONS), index = (pc - begin) / sizeof(TyInstruction);
    if (pc < begin || index >= (uint64_t)number(parts, CODE_COUNT))
        return -1;
    Value positions = ty_tuple_item(parts, CODE_POSITIONS);
    TyPositionReader reader;
    ty_position_reader_init_bytes(&reader, ty_bytes_data(positions), (size_t)ty_bytes_length(positions), (uint32_t)number(parts, CODE_FIRST_LINE));
    while (ty_position_reader_next(&reader))
        if (index < reader.stop)
            return reader.position.line;
    return -1;
}

/* --- frames ----------------------------------------------------------------------------------------------------------------------------------- */

typedef struct Frame { uint64_t previous, pc, code, generator; } Frame;

static bool read_frame(TyUnwinder *u, uint64_t address, Frame *frame)
{
    frame->previous = word(u, address + T.frame_previous);
    frame->pc = word(u, address + T.frame_pc);
    frame->code = word(u, address + T.frame_code);
    frame->generator = word(u, address + T.frame_generator);
    return frame->code != 0;
}

/* FrameInfo; a frame whose place in its code makes no sense was caught while it changed. */
static Value frame_info(TyUnwinder *u, const Frame *frame)
{
    Value parts = code_parts(u, frame->code);
    if (parts == TY_NULL)
        return TY_NULL;
    int line = line_of(parts, frame->pc);
    Value fields[] = {ty_tuple_item(parts, CODE_FILENAME), ty_int_from_int64(line < 0 ? number(parts, CODE_FIRST_LINE) : line), ty_tuple_item(parts, CODE_QUALNAME)};
    return ty_unwind_record(RECORD_FRAME, fields);
}

static bool is_generator(TyUnwinder *u, uint64_t type)
{
    return type == T.type_coroutine || type == T.type_generator || type == T.type_async_generator;
}

/* The generator behind what a frame awaits, or 0. */
static uint64_t generator_of(TyUnwinder *u, uint64_t object)
{
    uint64_t type = type_of(u, object);
    if (type == T.type_coroutine_wrapper || type == T.type_async_send || type == T.type_async_throw) {
        object = word(u, object + sizeof(TyObject));
        type = type_of(u, object);
    }
    return is_generator(u, type) ? object : 0;
}

/* What a suspended frame, or one that runs another by `await`, waits for. */
static uint64_t awaited(TyUnwinder *u, uint64_t address, const Frame *frame, uint32_t state)
{
    uint64_t instruction = word(u, frame->pc);
    if (ty_op(instruction) != TY_OP_YIELD_FROM || ty_op_b(instruction) >= half(u, frame->code + T.code_registers))
        return 0;
    uint64_t inner = generator_of(u, word(u, address + T.frame_registers + ty_op_b(instruction) * sizeof(Value)));
    if (inner && state == TY_GENERATOR_RUNNING && half(u, inner + T.generator_state) != TY_GENERATOR_RUNNING)
        return 0; /* not begun, or ended: its register has not been emptied */
    return inner;
}

static bool add_chain(TyUnwinder *u, uint64_t coroutine, Value list)
{
    for (int depth = 0; coroutine && depth < REMOTE_FRAMES_MAX; depth++) {
        if (!is_generator(u, type_of(u, coroutine)))
            return depth > 0;
        uint32_t state = half(u, coroutine + T.generator_state);
        uint64_t address = coroutine + T.generator_frame;
        Frame frame;
        if (state == TY_GENERATOR_FINISHED)
            return true;
        if (!read_frame(u, address, &frame))
            return false;
        Value info = frame_info(u, &frame);
        if (info == TY_NULL || !ty_list_append(list, info))
            return false;
        coroutine = state == TY_GENERATOR_CREATED ? 0 : awaited(u, address, &frame, state);
    }
    return true;
}

/* The frames of a task's coroutine and of what it awaits, innermost first. It is read again until no step of the task came between. */
static Value chain_of(TyUnwinder *u, uint64_t task)
{
    Value key = ty_int_from_int64((int64_t)task), known = ty_dict_get(u->chains, key);
    if (known != TY_NULL)
        return known;
    Value list = TY_NULL, fallback = TY_NULL;
    for (int tries = 0; tries < REMOTE_TRIES; tries++) {
        uint32_t steps = half(u, task + T.task_steps);
        if (tries && (steps & 1))
            sched_yield();
        list = ty_list_new(4);
        if (list == TY_NULL)
            return TY_NULL;
        bool fine = add_chain(u, word(u, task + T.task_coroutine), list);
        if (ty_raised())
            return TY_NULL;
        if (fine)
            fallback = list;
        if (fine && half(u, task + T.task_steps) == steps)
            break;
    }
    list = fallback != TY_NULL ? fallback : ty_list_new(0);
    return list != TY_NULL && ty_list_reverse(list) && ty_dict_set(u->chains, key, list) ? list : TY_NULL;
}

#define TO_C UINT64_MAX /* as `last`: the first frame that C code called */

/* From the innermost frame of a thread to `last`, that included, or to the end. False: caught while it changed. */
static bool add_stack(TyUnwinder *u, uint64_t frame_address, uint64_t last, Value list)
{
    for (int depth = 0; frame_address && depth < REMOTE_FRAMES_MAX; depth++) {
        Frame frame;
        if (!read_frame(u, frame_address, &frame))
            return false;
        Value info = frame_info(u, &frame);
        if (info == TY_NULL || !ty_list_append(list, info))
            return false;
        if (frame_address == last || (last == TO_C && half(u, frame_address + T.frame_kind) == TY_FRAME_ENTRY))
            return true;
        frame_address = frame.previous;
    }
    return (last == 0 || last == TO_C) && frame_address == 0;
}

static Value stack_until(TyUnwinder *u, const RemoteThread *thread, uint64_t last)
{
    Value longest = ty_list_new(0);
    for (int tries = 0; longest != TY_NULL && tries < REMOTE_TRIES; tries++) {
        Value list = ty_list_new(8);
        uint64_t frame = word(u, thread->address + T.thread_frame);
        if (list == TY_NULL)
            return TY_NULL;
        bool fine = add_stack(u, frame, last, list);
        if (ty_raised())
            return TY_NULL;
        if (fine && word(u, thread->address + T.thread_frame) == frame)
            return list;
        if (ty_list_length(list) > ty_list_length(longest) && (!last || last == TO_C))
            longest = list;
        sched_yield();
    }
    return longest;
}

Value ty_unwind_stack(TyUnwinder *u, const RemoteThread *thread, bool whole) { return stack_until(u, thread, whole ? 0 : TO_C); }

/* --- threads ------------------------------------------------------------------------------------------------------------------------------------ */

static bool read_thread(TyUnwinder *u, uint64_t address, RemoteThread *thread)
{
    uint64_t next;
    if (!ty_remote_get(&u->remote, address + T.thread_next, &next, sizeof next))
        return false;
    *thread = (RemoteThread){.address = address, .interpreter = word(u, address + T.thread_interpreter), .frame = word(u, address + T.thread_frame),
                             .loop = word(u, address + T.thread_loop), .task = word(u, address + T.thread_task),
                             .native_id = word(u, address + T.thread_native_id), .state = half(u, address + T.thread_state)};
    ty_remote_get(&u->remote, address + T.thread_main, &thread->main, 1);
    ty_remote_get(&u->remote, address + T.thread_daemon, &thread->daemon, 1);
    thread->main = *(uint8_t *)(void *)&thread->main != 0;
    thread->daemon = *(uint8_t *)(void *)&thread->daemon != 0;
    return true;
}

/* Threads come and go while their list is read: it is read until two readings agree. */
bool ty_unwind_threads(TyUnwinder *u, RemoteThreads *threads)
{
    RemoteThread *before = NULL, *now = NULL;
    size_t before_count = 0, count = 0, capacity = 0;
    for (int tries = 0; tries < REMOTE_TRIES; tries++) {
        bool same = tries > 0, fine = true;
        count = capacity = 0;
        now = NULL;
        for (uint64_t address = word(u, T.threads); address && count < REMOTE_THREADS_MAX; address = word(u, address + T.thread_next)) {
            if (count == capacity) {
                capacity = capacity ? capacity * 2 : 16;
                RemoteThread *more = realloc(now, capacity * sizeof *now);
                if (!more) {
                    free(now);
                    free(before);
                    return ty_raise_memory_error(), false;
                }
                now = more;
            }
            fine = read_thread(u, address, &now[count]);
            if (!fine)
                break;
            same = same && count < before_count && before[count].address == address;
            count++;
        }
        free(before);
        if (fine && count && same && count == before_count)
            break;
        before = now;
        before_count = count;
        now = NULL;
    }
    if (!now) {
        now = before;
        count = before_count;
    }
    *threads = (RemoteThreads){now, count};
    if (count == 0) {
        free(now);
        threads->items = NULL;
        ty_remote_raise(&u->remote, "its threads cannot be read");
        return false;
    }
    for (size_t i = 0; i < count / 2; i++) { /* the newest is first in the list */
        RemoteThread other = now[i];
        now[i] = now[count - 1 - i];
        now[count - 1 - i] = other;
    }
    return true;
}

/* --- tasks ---------------------------------------------------------------------------------------------------------------------------------------- */

static Value task_name(TyUnwinder *u, uint64_t task)
{
    Value name = word(u, task + T.task_name);
    if (ty_is_immediate_int(name))
        return ty_str_format("Task-%lld", (long long)ty_immediate_int(name));
    Value text = read_text(u, name, REMOTE_NAME_MAX);
    return text != TY_NULL || ty_raised() ? text : ty_str_from_text("<unknown>");
}

static Value coro_info(TyUnwinder *u, uint64_t task, Value frames)
{
    Value fields[] = {frames, ty_int_from_int64((int64_t)task)};
    return ty_unwind_record(RECORD_CORO, fields);
}

static bool add_waiter(TyUnwinder *u, uint64_t waiter, Value list, Value addresses)
{
    if (!is_task(u, waiter))
        return true;
    Value frames = chain_of(u, waiter), info = frames == TY_NULL ? TY_NULL : coro_info(u, waiter, frames);
    if (addresses != TY_NULL && !ty_list_append(addresses, ty_int_from_int64((int64_t)waiter)))
        return false;
    return info != TY_NULL && ty_list_append(list, info);
}

static bool add_waiters_of_set(TyUnwinder *u, uint64_t set, Value list, Value addresses)
{
    uint64_t table = word(u, set + T.set_table), mask = word(u, table + T.table_mask);
    if (!table || T.slot_size < 16 || T.slot_size > 256 || mask >= REMOTE_WAITERS_MAX)
        return true;
    for (uint64_t i = 0; i <= mask; i++) {
        uint64_t key = word(u, table + T.table_slots + i * T.slot_size + T.slot_key);
        if (key && key != T.set_removed && !add_waiter(u, key, list, addresses))
            return false;
    }
    return true;
}

static bool add_waiters(TyUnwinder *u, uint64_t task, Value list, Value addresses)
{
    uint64_t by = word(u, task + T.future_awaited_by);
    if (type_of(u, by) == T.type_set)
        return add_waiters_of_set(u, by, list, addresses);
    return !by || add_waiter(u, by, list, addresses);
}

/* TaskInfo. `frames`: of its coroutine if they are known already, else TY_NULL. */
static Value task_info(TyUnwinder *u, uint64_t task, Value frames, Value addresses)
{
    Value name = task_name(u, task), waiters = ty_list_new(1), stacks = ty_list_new(1);
    if (frames == TY_NULL)
        frames = chain_of(u, task);
    if (name == TY_NULL || waiters == TY_NULL || stacks == TY_NULL || frames == TY_NULL || !add_waiters(u, task, waiters, addresses))
        return TY_NULL;
    Value coro = coro_info(u, task, frames);
    if (coro == TY_NULL || !ty_list_append(stacks, coro))
        return TY_NULL;
    Value fields[] = {ty_int_from_int64((int64_t)task), name, stacks, waiters};
    return ty_unwind_record(RECORD_TASK, fields);
}

typedef struct Addresses { uint64_t *items; size_t count, capacity; } Addresses;

static bool push(Addresses *a, uint64_t address)
{
    if (a->count == a->capacity) {
        size_t capacity = a->capacity ? a->capacity * 2 : 64;
        uint64_t *items = realloc(a->items, capacity * sizeof *items);
        if (!items)
            return ty_raise_memory_error(), false;
        a->items = items;
        a->capacity = capacity;
    }
    a->items[a->count++] = address;
    return true;
}

/* The tasks of one thread's list, newest first, as they were at one moment if the process leaves one. */
static bool read_list(TyUnwinder *u, uint64_t list, Addresses *tasks)
{
    for (int tries = 0; tries < REMOTE_TRIES; tries++) {
        uint64_t changes = word(u, list + T.list_changes), task = word(u, list + T.list_first);
        if (tries && task == 0 && tasks->count)
            continue; /* emptied for a moment */
        tasks->count = 0;
        while (looks_like_object(task) && tasks->count < REMOTE_TASKS_MAX) {
            if (!push(tasks, task))
                return false;
            task = word(u, task + T.task_next);
        }
        if (!(changes & 1) && tasks->count < REMOTE_TASKS_MAX && word(u, list + T.list_changes) == changes)
            break;
        sched_yield();
    }
    return true;
}

static Value infos_of_list(TyUnwinder *u, uint64_t list)
{
    Addresses tasks = {0};
    Value infos = ty_list_new(0);
    bool fine = infos != TY_NULL && read_list(u, list, &tasks);
    for (size_t i = tasks.count; fine && i-- > 0;) {
        uint64_t task = tasks.items[i];
        uint8_t state = FUTURE_FINISHED;
        if (!is_task(u, task) || (half(u, task + T.object_bits) & TY_BIT_FINALIZED) ||
            !ty_remote_get(&u->remote, task + T.future_state, &state, 1) || state != FUTURE_PENDING)
            continue;
        Value info = task_info(u, task, TY_NULL, TY_NULL);
        fine = info != TY_NULL && ty_list_append(infos, info);
    }
    free(tasks.items);
    return fine ? infos : TY_NULL;
}

Value ty_unwind_tasks(TyUnwinder *u, uint64_t interpreter, Value lists)
{
    uint64_t list = word(u, interpreter + T.interpreter_lists);
    for (int n = 0; n < REMOTE_THREADS_MAX && type_of(u, list) == T.type_list; n++) {
        Value infos = infos_of_list(u, list);
        Value pair = infos == TY_NULL ? TY_NULL : ty_tuple_pack(2, ty_int_from_int64((int64_t)word(u, list + T.list_native_id)), infos);
        if (pair == TY_NULL || !ty_list_append(lists, pair))
            return TY_NULL;
        list = word(u, list + T.list_next);
    }
    return TY_NONE;
}

Value ty_unwind_running(TyUnwinder *u, const RemoteThread *thread)
{
    Value infos = ty_list_new(1), addresses = ty_list_new(1), seen = ty_set_new(TY_NULL);
    if (infos == TY_NULL || addresses == TY_NULL || seen == TY_NULL)
        return TY_NULL;
    uint64_t task = word(u, thread->address + T.thread_task);
    if (!is_task(u, task))
        return infos;
    uint64_t coroutine = word(u, task + T.task_coroutine);
    Value frames = is_generator(u, type_of(u, coroutine)) ? stack_until(u, thread, coroutine + T.generator_frame) : TY_NULL;
    if (ty_raised())
        return TY_NULL;
    if (frames != TY_NULL && ty_list_length(frames) == 0)
        frames = TY_NULL;
    if (!ty_list_append(addresses, ty_int_from_int64((int64_t)task)))
        return TY_NULL;
    for (int64_t i = 0; i < ty_list_length(addresses) && i < REMOTE_TASKS_MAX; i++) {
        Value address = ty_list_item(addresses, i);
        int known = ty_set_contains(seen, address);
        if (known)
            continue;
        Value info = ty_set_add(seen, address) ? task_info(u, (uint64_t)ty_immediate_int(address), i == 0 ? frames : TY_NULL, addresses) : TY_NULL;
        if (info == TY_NULL || !ty_list_append(infos, info))
            return TY_NULL;
    }
    return infos;
}
