/* Another process of the same program, seen through its table. Nothing that is read is trusted: the process goes on while it is read, and may be any
 * program at all. Every address is read by the kernel, which refuses what is not mapped; every count has a bound; every object's type is compared. */
#ifndef TY_INSPECT_REMOTE_H
#define TY_INSPECT_REMOTE_H

#include "inspect/table.h"
#include "object/object.h"
#include <sys/types.h>

enum {
    REMOTE_TASKS_MAX = 1 << 20, REMOTE_THREADS_MAX = 1 << 16, REMOTE_FRAMES_MAX = 1 << 14, REMOTE_TEXT_MAX = 4096, REMOTE_NAME_MAX = 255,
    REMOTE_POSITIONS_MAX = 1 << 22, REMOTE_WAITERS_MAX = 1 << 16, REMOTE_TRIES = 100
};

typedef struct Remote {
    pid_t pid;
    uint64_t table_address;
    TyInspectTable table;
} Remote;

/* Finds the process's table. False: PermissionError, or RuntimeError that says in one line what is in the way. */
bool ty_remote_open(Remote *remote, int64_t pid);
bool ty_remote_get(Remote *remote, uint64_t address, void *into, size_t size); /* false, nothing raised: not readable */
bool ty_remote_put(Remote *remote, uint64_t address, const void *from, size_t size);
bool ty_remote_gone(Remote *remote);      /* the process has ended */
Value ty_remote_raise(Remote *remote, const char *what); /* RuntimeError, or that the process has ended */

TY_INLINE uint64_t ty_remote_word(Remote *remote, uint64_t address) /* 0 if it cannot be read */
{
    uint64_t word = 0;
    return ty_remote_get(remote, address, &word, sizeof word) ? word : 0;
}

#endif
