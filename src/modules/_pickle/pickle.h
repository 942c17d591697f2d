/* _pickle: object graphs as byte strings, for the pickle module (PEP 307, PEP 3154, PEP 574).
 *
 * A pickle is a program for a machine with a stack and a memo. The pickler walks a graph and writes the program into a buffer of its own, a frame at
 * a time; the unpickler runs it, on bytes that may come from anywhere, so each length is checked before it is believed. Both kinds of object serve
 * one call at a time: a second one, from another thread or from within, raises RuntimeError. */
#ifndef TY_MODULES_PICKLE_H
#define TY_MODULES_PICKLE_H

#include "object/buffer.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

enum { TY_PICKLE_HIGHEST = 5, TY_PICKLE_DEFAULT = 5, TY_PICKLE_BATCH = 1000, TY_PICKLE_FRAME_LEAST = 4, TY_PICKLE_FRAME_TARGET = 64 * 1024 };

/* The instructions, by the protocol that brought them. */
enum {
    OP_MARK = '(', OP_STOP = '.', OP_POP = '0', OP_POP_MARK = '1', OP_DUP = '2', OP_FLOAT = 'F', OP_INT = 'I', OP_BININT = 'J', OP_BININT1 = 'K',
    OP_LONG = 'L', OP_BININT2 = 'M', OP_NONE = 'N', OP_PERSID = 'P', OP_BINPERSID = 'Q', OP_REDUCE = 'R', OP_STRING = 'S', OP_BINSTRING = 'T',
    OP_SHORT_BINSTRING = 'U', OP_UNICODE = 'V', OP_BINUNICODE = 'X', OP_APPEND = 'a', OP_BUILD = 'b', OP_GLOBAL = 'c', OP_DICT = 'd',
    OP_EMPTY_DICT = '}', OP_APPENDS = 'e', OP_GET = 'g', OP_BINGET = 'h', OP_INST = 'i', OP_LONG_BINGET = 'j', OP_LIST = 'l', OP_EMPTY_LIST = ']',
    OP_OBJ = 'o', OP_PUT = 'p', OP_BINPUT = 'q', OP_LONG_BINPUT = 'r', OP_SETITEM = 's', OP_TUPLE = 't', OP_EMPTY_TUPLE = ')', OP_SETITEMS = 'u',
    OP_BINFLOAT = 'G',
    OP_PROTO = 0x80, OP_NEWOBJ, OP_EXT1, OP_EXT2, OP_EXT4, OP_TUPLE1, OP_TUPLE2, OP_TUPLE3, OP_NEWTRUE, OP_NEWFALSE, OP_LONG1, OP_LONG4, /* 2 */
    OP_BINBYTES = 'B', OP_SHORT_BINBYTES = 'C', /* 3 */
    OP_SHORT_BINUNICODE = 0x8C, OP_BINUNICODE8, OP_BINBYTES8, OP_EMPTY_SET, OP_ADDITEMS, OP_FROZENSET, OP_NEWOBJ_EX, OP_STACK_GLOBAL, OP_MEMOIZE,
    OP_FRAME, /* 4 */
    OP_BYTEARRAY8, OP_NEXT_BUFFER, OP_READONLY_BUFFER /* 5 */
};

/* What the module keeps for an interpreter: its exceptions, and what it needs of other modules. */
enum {
    TY_PICKLE_ERROR, TY_PICKLE_PICKLING_ERROR, TY_PICKLE_UNPICKLING_ERROR,
    TY_PICKLE_DISPATCH_TABLE, TY_PICKLE_EXTENSION_REGISTRY, TY_PICKLE_INVERTED_REGISTRY, TY_PICKLE_EXTENSION_CACHE, /* copyreg's */
    TY_PICKLE_NAME_MAPPING, TY_PICKLE_IMPORT_MAPPING, TY_PICKLE_REVERSE_NAME_MAPPING, TY_PICKLE_REVERSE_IMPORT_MAPPING, /* _compat_pickle's */
    TY_PICKLE_CODECS_ENCODE, TY_PICKLE_PARTIAL, TY_PICKLE_GETATTR,
    TY_PICKLE_STATE_COUNT
};
Value *ty_pickle_state(void);               /* NULL with an exception */
TyType *ty_pickle_error(int which);         /* never NULL */
#define TY_PICKLING(...) ty_raise(ty_pickle_error(TY_PICKLE_PICKLING_ERROR), __VA_ARGS__)
#define TY_UNPICKLING(...) ty_raise(ty_pickle_error(TY_PICKLE_UNPICKLING_ERROR), __VA_ARGS__)

extern TyType ty_pickler_type, ty_pickler_memo_type, ty_unpickler_type, ty_unpickler_memo_type, ty_pickle_buffer_type;

/* dumps and dump, loads and load. `file` TY_NULL: gives bytes. Any option may be TY_NULL. */
Value ty_pickle_dump(Value object, Value file, Value protocol, Value fix_imports, Value buffer_callback);
Value ty_pickle_load(Value file, Value data, Value fix_imports, Value encoding, Value errors, Value buffers);

bool ty_pickle_buffer_view(Value picklebuffer, const TyBuffer **view); /* false: ValueError, it was released */

/* An attribute of sys.modules[module], imported if need be; `path` is the dotted name, which stays whole unless `dotted`. */
Value ty_pickle_import(Value module);
/* Both kinds of object have a hook that a subclass overrides or an instance sets ("persistent_id"): the callable, or TY_NULL if there is only ours. */
bool ty_pickle_hook(Value self, Value name, TyNativeFunction ours, Value *hook);

#endif
