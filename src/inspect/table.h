/* What another process has to know to look into this one: a table in a section of its own of the program, `.typhon_inspect`.
 *
 * It says where in the structures the fields are, and where the roots lie. A reader finds the section in the ELF file that the process runs, adds where that
 * is mapped, and reads the table out of the process: the magic is written last, so a table that has it is complete. The digest is of all that follows it. A reader
 * takes offsets from the table that it has read, never from itself, but what the fields mean is the version's business: it reads no other version than its own.
 *
 * The last part is written by readers: a script that the process is asked to run (sys.remote_exec). */
#ifndef TY_INSPECT_TABLE_H
#define TY_INSPECT_TABLE_H

#include "heap/thread.h"

#define TY_INSPECT_MAGIC "Typhon inspect\n\032"
enum { TY_INSPECT_VERSION = 1, TY_INSPECT_PATH_SIZE = 4096 };

/* name, structure, member */
#define TY_INSPECT_OFFSETS(X) \
    X(object_bits, TyObject, bits) X(object_type, TyObject, type) \
    X(interpreter_id, TyInterpreter, id) X(interpreter_next, TyInterpreter, next) X(interpreter_lists, TyInterpreter, asyncio_lists) \
    X(interpreter_threads, TyInterpreter, thread_count) X(interpreter_finalizing, TyInterpreter, finalizing) \
    X(thread_next, TyThread, next) X(thread_interpreter, TyThread, interpreter) X(thread_state, TyThread, state) X(thread_frame, TyThread, frame) \
    X(thread_native_id, TyThread, native_id) X(thread_main, TyThread, main) X(thread_daemon, TyThread, daemon) X(thread_loop, TyThread, running_loop) \
    X(thread_task, TyThread, current_task) X(thread_poll, TyThread, poll) \
    X(frame_previous, TyFrame, previous) X(frame_pc, TyFrame, pc) X(frame_code, TyFrame, code) X(frame_generator, TyFrame, generator) X(frame_kind, TyFrame, kind) \
    X(frame_registers, TyFrame, registers) \
    X(generator_state, TyGenerator, state) X(generator_frame, TyGenerator, frame) \
    X(code_instructions, TyCode, instructions) X(code_count, TyCode, instruction_count) X(code_registers, TyCode, register_count) \
    X(code_first_line, TyCode, first_line) X(code_positions, TyCode, positions) X(code_filename, TyCode, filename) X(code_qualname, TyCode, qualname) \
    X(str_length, TyStr, length) X(str_data, TyStr, data) X(grown_str_buffer, TyGrownStr, buffer) X(buffer_width, TyTextBuffer, width) \
    X(buffer_data, TyTextBuffer, data) X(bytes_length, TyBytes, length) X(bytes_data, TyBytes, data) \
    X(list_next, TaskList, next_list) X(list_first, TaskList, first) X(list_changes, TaskList, changes) X(list_native_id, TaskList, native_id) \
    X(task_coroutine, Task, coroutine) X(task_name, Task, name) X(task_next, Task, next) X(task_steps, Task, steps) \
    X(future_awaited_by, Future, awaited_by) X(future_state, Future, state) \
    X(statistics_collections, TyHeapStatistics, collections) X(statistics_last_pause, TyHeapStatistics, last_pause_ns) \
    X(statistics_longest_pause, TyHeapStatistics, longest_pause_ns) X(statistics_total_pause, TyHeapStatistics, total_pause_ns)

/* Numbers and addresses that are no member's offset, filled in at the start. */
#define TY_INSPECT_PLACES(X) \
    X(threads)             /* address of the pointer to the first TyThread */ \
    X(interpreters)        /* … to the first TyInterpreter */ \
    X(main_thread)         /* … to the main thread's TyThread */ \
    X(heap_statistics) X(heap_spaces) /* TyHeapStatistics; the pointer to the first space */ \
    X(space_interpreter) X(space_next) X(space_bytes) X(space_limit) /* offsets */ \
    X(set_table) X(table_mask) X(table_slots) X(slot_size) X(slot_key) X(set_removed) /* offsets; what stands for a removed key */ \
    X(type_str) X(type_bytes) X(type_code) X(type_set) X(type_task) X(type_list) /* static types: addresses */ \
    X(type_generator) X(type_coroutine) X(type_async_generator) X(type_coroutine_wrapper) X(type_async_send) X(type_async_throw) \
    X(type_parent)         /* offset of a type's base */

typedef struct TyInspectTable {
    char magic[16];
    uint32_t version, size;
    uint64_t digest;
    uint32_t bytecode;     /* of the instruction set: ty_bytecode_magic */
    uint32_t remote_allowed;
    char release[32];      /* of the program, as text */
#define TY_INSPECT_FIELD(name, structure, member) uint32_t name;
    TY_INSPECT_OFFSETS(TY_INSPECT_FIELD)
#undef TY_INSPECT_FIELD
    _Alignas(8) uint64_t first_place[0];
#define TY_INSPECT_FIELD(name) uint64_t name;
    TY_INSPECT_PLACES(TY_INSPECT_FIELD)
#undef TY_INSPECT_FIELD
    char end_of_digest[0];
    _Atomic uint32_t script_pending; /* 1: `script` is to be run; the process sets it back to 0 when it has taken it */
    char script[TY_INSPECT_PATH_SIZE];
} TyInspectTable;

extern TyInspectTable ty_inspect_table;

uint64_t ty_inspect_digest(const TyInspectTable *table);

#endif
