/* posix: system calls for the os module. The parts: module.c (the module, processes, constants), files.c (paths and descriptors), stat.c (stat results, scandir),
 * terminal.c, descriptors.c (what else is done with open files), identity.c (users, groups, scheduling), spawn.c (starting processes and waiting for
 * them), names.c (the system's limits and settings). */
#ifndef TY_MODULES_POSIX_H
#define TY_MODULES_POSIX_H

#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include <errno.h>
#include <sys/stat.h>

/* A path argument, as the file system wants it: a NUL-ended text in a heap object that `holder` keeps, or a descriptor where allowed. */
typedef struct TyPath {
    Value object;       /* what the caller gave */
    Value holder;
    const char *text;   /* NULL: a descriptor */
    int fd;
    bool is_bytes;
} TyPath;

/* function: for error texts. allow_fd: an int is taken as a descriptor. allow_none: None is ".". */
bool ty_path(Value v, const char *function, bool allow_fd, bool allow_none, TyPath *path);
Value ty_path_result(const TyPath *like, const char *text, size_t size); /* str or bytes, as the path was given */
Value ty_posix_error(const TyPath *path);                                /* OSError from errno, with the path as filename; path may be NULL */
/* ValueError where a descriptor is given together with what only goes with a path. */
bool ty_path_alone(const TyPath *path, const char *function, int dir_fd, bool follow);
bool ty_dir_fd(Value v, int *fd);                                        /* TY_NULL or None: AT_FDCWD */
Value ty_stat_result(const struct stat *status);
bool ty_posix_stat_start(Value module);
pid_t ty_fork(const char *name); /* fork() with the hooks of register_at_fork and the heap's */

bool ty_posix_uid(Value v, uint32_t *out);
bool ty_posix_gid(Value v, uint32_t *out);
struct sched_param;
bool ty_posix_sched_param(Value v, struct sched_param *out);
struct rusage;
Value ty_resource_usage(const struct rusage *usage); /* a resource.struct_rusage; modules/resource.c */
bool ty_posix_identity_start(Value module);
bool ty_posix_spawn_start(Value module);
bool ty_posix_names_start(Value module);

typedef struct TyPosixConstant { const char *name; int64_t value; } TyPosixConstant; /* tables end with an empty one */
extern const TyPosixConstant ty_posix_identity_constants[], ty_posix_descriptor_constants[], ty_posix_spawn_constants[];
extern const TyNativeDef ty_posix_file_functions[], ty_posix_stat_functions[], ty_posix_terminal_functions[], ty_posix_identity_functions[], ty_posix_descriptor_functions[],
    ty_posix_spawn_functions[], ty_posix_name_functions[];
extern TyType ty_dir_entry_type, ty_scandir_iterator_type;

/* Runs a call that may block, and again while it is interrupted by signals whose handlers raise nothing. */
#define TY_RETRY(result, call)                                    \
    do {                                                          \
        ty_blocking_begin();                                      \
        (result) = (call);                                        \
        ty_blocking_end();                                        \
    } while ((result) < 0 && errno == EINTR && ty_poll_run())

#endif
