/* _io: files, buffers and text streams.
 *
 * The classes form the tree that the io module documents; each instance begins with a TyIOBase, behind which `attributes` leaves room for what
 * Python code sets on it. FileIO keeps nothing in memory. Buffered streams and text streams each have a lock of their own, held over a whole
 * operation, system calls and calls into Python included; it belongs to a thread, so that a call from within is noticed (buffered) or
 * nests (text). Layers that are exactly our own types are called directly, others through their Python methods. */
#ifndef TY_MODULES_IO_H
#define TY_MODULES_IO_H

#include "object/buffer.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/native.h"
#include "object/str.h"
#include "base/futex.h"

#define TY_IO_BUFFER_SIZE 131072

typedef struct TyIOBase {
    TyObject base;
    Value attributes;     /* TyAttributes without slots of its own */
} TyIOBase;
#define TY_IO_CLOSED TY_BIT_KIND0 /* header bit: _IOBase.close() was called */

typedef struct TyFileIO {
    TyIOBase io;
    _Atomic int fd;       /* -1: closed */
    bool created, readable, writable, appending, closefd, finalizing;
    _Atomic int8_t seekable; /* -1: not known yet */
    int64_t block_size;
    int64_t known_size;   /* when it was opened; -1: not a regular file */
} TyFileIO;

extern TyType ty_io_base_type, ty_raw_io_base_type, ty_buffered_io_base_type, ty_text_io_base_type;
extern TyType ty_fileio_type, ty_bytesio_type, ty_bytesio_buffer_type, ty_stringio_type, ty_textio_type, ty_newline_decoder_type;
extern TyType ty_buffered_reader_type, ty_buffered_writer_type, ty_buffered_random_type, ty_buffered_pair_type;
extern TyType ty_UnsupportedOperation;

/* --- for the rest of the runtime ------------------------------------------------------------------------------------------ */

/* open(): any argument but `file` may be TY_NULL. */
Value ty_io_open(Value file, const char *mode, int64_t buffering, Value encoding, Value errors, Value newline, bool closefd, Value opener);
/* A standard stream over a descriptor, which stays open when it is closed: sys.stdin and its like. `mode` is "r" or "w"; name as "<stdin>". None if the
 * descriptor is not open. */
Value ty_io_open_std(int fd, const char *mode, const char *name, const char *encoding, const char *errors, bool line_buffering, bool unbuffered);
Value ty_io_open_function(void); /* open(), as builtins has it before the module is made */
/* Writes to a text stream as file.write(text) does, directly where the stream is our own. */
bool ty_io_write_text(Value file, Value text);
bool ty_io_flush(Value file);
Value ty_io_open_code(Value path);

/* --- the transcript of standard output and error ------------------------------------------------------------------------------- */

int64_t ty_io_write(int fd, const void *data, size_t size); /* write(2), noted while a transcript is kept; for a thread that is blocking */
Value ty_io_transcript(Value module, Value *a);

/* --- locks --------------------------------------------------------------------------------------------------------------------- */

typedef struct TyIOLock {
    TyMutex mutex;
    uint32_t depth;           /* of the owner's nested calls */
    TyThread *_Atomic owner;
} TyIOLock;
void ty_io_lock(TyIOLock *lock);                       /* nests */
void ty_io_unlock(TyIOLock *lock);
TY_INLINE bool ty_io_lock_is_mine(TyIOLock *lock) { return ty_load_relaxed(&lock->owner) == ty_thread; }

/* --- shared by its files ------------------------------------------------------------------------------------------------------- */

void ty_io_base_trace(TyObject *self, TyMarker *marker);
Value ty_io_allocate(TyType *type, const Value *arguments, size_t count, Value keywords); /* slots.new of all of them */
Value ty_io_unsupported(const char *what);              /* raises UnsupportedOperation */
int ty_io_is_closed(Value self);                        /* by its `closed` attribute; -1: error */
bool ty_io_check_closed(Value self, const char *message /* NULL: "I/O operation on closed file." */);
bool ty_io_finalize(TyObject *self);                    /* layout.finalize: closes what is still open */
bool ty_io_writable(Value v, TyBuffer *view);            /* the argument of readinto() */
Value ty_io_cannot_pickle(Value self, Value *a);
Value ty_io_repr_named(Value self, const char *extra);
/* A size argument: TY_NULL, None: -1. */
bool ty_io_size(Value v, int64_t *size);
/* An offset that may be any int, as a 64-bit one. */
bool ty_io_offset(Value v, int64_t *offset);
int ty_io_truth_of_method(Value object, Value name);    /* bool(object.name()); -1: error */
/* Runs second() whatever first() gave, and chains their exceptions: flush, then close. */
Value ty_io_flush_then_close(Value flushed, Value target);

/* FileIO without Python in between. Bytes transferred; -1: error, -2: it would block. */
int64_t ty_fileio_read_into(TyFileIO *file, void *data, int64_t size);
int64_t ty_fileio_write_from(TyFileIO *file, const void *data, int64_t size);
int64_t ty_fileio_seek(TyFileIO *file, int64_t offset, int whence); /* the new position; -1: error */
Value ty_fileio_readall(Value self, Value *a);
bool ty_fileio_is_exact(Value v);

Value ty_buffered_new(TyType *type, Value raw, int64_t size);
bool ty_buffered_write_bytes(Value self, const uint8_t *data, int64_t size, int64_t *written); /* self is exactly a buffered writer or random */
int ty_buffered_closed(Value self);                      /* of one that is exactly ours; -1: error */
Value ty_buffered_flush(Value self, Value *a);
Value ty_buffered_read1_upto(Value self, int64_t size);
Value ty_textio_new(Value buffer, Value encoding, Value errors, Value newline, bool line_buffering, bool write_through);

/* Newlines. `seen` collects which kinds occurred. */
enum { TY_SEEN_CR = 1, TY_SEEN_LF = 2, TY_SEEN_CRLF = 4 };
typedef struct TyNewlineState {
    bool translate, pending_cr;
    uint8_t seen;
} TyNewlineState;
Value ty_newlines_decode(TyNewlineState *state, Value text, bool final);
Value ty_newlines_seen(uint8_t seen);                  /* None, a str or a tuple */
/* Where the line that begins at `start` ends (after its newline); -1: not before `end`. ending: what ends lines: TY_NULL for '\n' alone. */
int64_t ty_find_line_end(Value text, int64_t start, int64_t end, Value ending, bool universal);
bool ty_check_newline(Value newline);

/* audit hooks, sys.audit(): defined by runtime/. */
extern bool ty_audit(const char *event, const char *format, ...);

#endif
