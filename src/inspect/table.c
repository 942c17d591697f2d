#include "inspect/table.h"
#include "modules/asyncio/asyncio.h"
#include "object/bytes.h"
#include "object/code.h"
#include "object/set.h"
#include "runtime/runtime.h"
#include "vm/generator.h"
#include <stddef.h>

__attribute__((section(".typhon_inspect"), used)) TyInspectTable ty_inspect_table = {
    .version = TY_INSPECT_VERSION,
    .size = sizeof(TyInspectTable),
    .release = TY_VERSION,
#define OFFSET(name, structure, member) .name = offsetof(structure, member),
    TY_INSPECT_OFFSETS(OFFSET)
#undef OFFSET
};

uint64_t ty_inspect_digest(const TyInspectTable *table)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    const unsigned char *from = (const unsigned char *)&table->bytecode, *to = (const unsigned char *)table->end_of_digest;
    while (from < to)
        hash = (hash ^ *from++) * 0x100000001b3u;
    return hash;
}

static void fill_places(TyInspectTable *t)
{
    TyHeapPlaces heap = ty_heap_places();
    TySetPlaces set = ty_set_places();
    t->threads = (uintptr_t)ty_threads_place();
    t->interpreters = (uintptr_t)ty_interpreters_place();
    t->main_thread = (uintptr_t)&ty_interpreter_main()->main_thread;
    t->heap_statistics = (uintptr_t)heap.statistics;
    t->heap_spaces = (uintptr_t)heap.spaces;
    t->space_interpreter = heap.space_interpreter;
    t->space_next = heap.space_next;
    t->space_bytes = heap.space_bytes;
    t->space_limit = heap.space_limit;
    t->set_table = set.table;
    t->table_mask = set.mask;
    t->table_slots = set.slots;
    t->slot_size = set.slot_size;
    t->slot_key = set.slot_key;
    t->set_removed = set.removed;
    t->type_str = (uintptr_t)&ty_str_type;
    t->type_bytes = (uintptr_t)&ty_bytes_type;
    t->type_code = (uintptr_t)&ty_code_type;
    t->type_set = (uintptr_t)&ty_set_type;
    t->type_task = (uintptr_t)&ty_asyncio_task_type;
    t->type_list = (uintptr_t)&ty_asyncio_list_type;
    t->type_generator = (uintptr_t)&ty_generator_type;
    t->type_coroutine = (uintptr_t)&ty_coroutine_type;
    t->type_async_generator = (uintptr_t)&ty_async_generator_type;
    t->type_coroutine_wrapper = (uintptr_t)&ty_coroutine_wrapper_type;
    t->type_async_send = (uintptr_t)&ty_async_send_type;
    t->type_async_throw = (uintptr_t)&ty_async_throw_type;
    t->type_parent = offsetof(TyType, parent);
}

/* In the child of a fork the table is what it was: nothing moves. */
void ty_inspect_start(void)
{
    TyInspectTable *t = &ty_inspect_table;
    fill_places(t);
    t->bytecode = ty_bytecode_magic();
    t->remote_allowed = !ty_config.no_remote_debug;
    t->digest = ty_inspect_digest(t);
    atomic_thread_fence(memory_order_release);
    memcpy(t->magic, TY_INSPECT_MAGIC, sizeof t->magic);
}
