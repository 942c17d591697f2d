/* Frozen modules: library modules that every program imports, compiled when the build runs and linked in as marshalled code. Their code objects are
 * made once for the process, when they are first wanted, and shared by all interpreters. The list is tools/freeze's. */
#ifndef TY_RUNTIME_FROZEN_H
#define TY_RUNTIME_FROZEN_H

#include "object/object.h"

typedef struct TyFrozen {
    const char *name;
    const char *original;       /* the name of the file's module, "<" before it for a package's __init__; as __origname__ */
    bool package;
    bool essential;             /* there even when frozen modules are turned off */
    size_t offset, size;        /* of its code in ty_frozen_data */
} TyFrozen;

/* Both made by tools/freeze; empty ones, for the program that freezes, are in frozen.c. */
extern const TyFrozen ty_frozen_modules[];  /* up to one without a name */
extern const uint8_t ty_frozen_data[];

const TyFrozen *ty_frozen_find(const char *name); /* NULL: none, or turned off */
Value ty_frozen_code(const TyFrozen *frozen);
struct TyCode;
void ty_code_share(struct TyCode *code); /* for code that stays: interpreters keep their caches for it, and for the code in it, in a table of theirs */

#endif
