/* _sqlite3: what its files share.
 *
 * A Connection has one lock, taken by every method for as long as it uses the database, and again by the same thread when SQLite calls back into Python and that
 * uses the connection; SQLite is opened without a lock of its own. Whoever calls it where that may run long, wait for other connections or call back has declared itself
 * blocked, in BLOCKED(…).
 *
 * Statements and blobs of the library belong to handles, which the Database lists: it lives in native memory as long as anything of it does. What dies in a
 * collection only marks its handle; the connection's next user does the rest (SQLite may not be called by the collector). */
#ifndef TY_EXTENSIONS_SQLITE_INTERNAL_H
#define TY_EXTENSIONS_SQLITE_INTERNAL_H

#include <sqlite3.h>
#include <stdlib.h>

#include "base/futex.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

#define BLOCKED(call)                    \
    ({                                   \
        ty_blocking_begin();             \
        __typeof__(call) result_ = call; \
        ty_blocking_end();               \
        result_;                         \
    })

/* --- the module ------------------------------------------------------------------------------------------------------ */

#define EXCEPTIONS(X) /* name, parent */ \
    X(Warning, &ty_Exception, NONE) X(Error, &ty_Exception, NONE) X(InterfaceError, NULL, ERROR) X(DatabaseError, NULL, ERROR) X(DataError, NULL, DATABASE) \
    X(OperationalError, NULL, DATABASE) X(IntegrityError, NULL, DATABASE) X(InternalError, NULL, DATABASE) X(ProgrammingError, NULL, DATABASE) \
    X(NotSupportedError, NULL, DATABASE)

enum { /* the module's state */
#define EXCEPTION_ENUM(name, parent, base) STATE_##name,
    EXCEPTIONS(EXCEPTION_ENUM)
#undef EXCEPTION_ENUM
    STATE_EXCEPTIONS,
    STATE_ADAPTERS = STATE_EXCEPTIONS, /* dict: (type, protocol) → adapter */
    STATE_CONVERTERS,                  /* dict: upper-case name → converter */
    STATE_ADAPTED,                     /* True once a basic type has an adapter */
    STATE_TRACEBACKS,                  /* True: errors in callbacks are shown */
    STATE_COUNT
};

Value sqlite_state(int which);
Value sqlite_raise(int exception, const char *format, ...);  /* STATE_…Error */
/* Raises the database's last error, unless something is raised already. */
Value sqlite_raise_last(sqlite3 *db);
const char *sqlite_error_name(int code);
Value sqlite_raise_code(int extended_code, const char *message);
Value sqlite_adapt(Value object, Value protocol, Value otherwise); /* otherwise TY_NULL: ProgrammingError */

/* --- databases ---------------------------------------------------------------------------------------------------------- */

enum { HANDLE_ABANDONED = 1 /* its cursor died: reset it */, HANDLE_DEAD = 2 };

typedef struct Database Database;
typedef struct Handle {
    struct Handle *next;
    Database *database;
    sqlite3_stmt *statement;
    sqlite3_blob *blob;
    _Atomic uint32_t references; /* by objects; freed without any, under the lock */
    _Atomic uint32_t marks;
} Handle;

struct Database {
    sqlite3 *db;                /* NULL once closed */
    _Atomic uint32_t references; /* by the connection, and as often as its handles are referred to */
    TyMutex mutex;
    TyThread *_Atomic owner;
    uint32_t depth;             /* how often the owner has taken it */
    uint32_t callbacks;         /* SQLite is calling back: it may not be closed */
    Handle *handles;
    _Atomic bool garbage;       /* some are marked */
    int timeout;                /* milliseconds to wait for others */
    struct Connection *connection; /* NULL: it is gone, or has another database now */
    Database *following, *preceding; /* in the list of all */
};

typedef struct Connection {
    TyObject base;
    Database *database;         /* NULL: not initialized */
    Value module;
    Value slots;                /* TyArray: functions and aggregates that SQLite knows by their number */
    Value authorizer, progress, trace; /* or TY_NULL */
    Value row_factory, text_factory;
    Value statements;           /* dict: text → Statement; the longest unused first */
    uint32_t statement_limit;
    int autocommit;
    int detect_types;
    const char *isolation_level; /* NULL: None */
    bool check_thread;
    bool initialized;
    uint64_t thread;
} Connection;

typedef struct Statement {
    TyObject base;
    Handle *handle;             /* its statement is NULL for a text that does nothing */
    bool modifies;              /* INSERT, UPDATE, DELETE, REPLACE */
    bool pragma;                /* rows are read at once: some pragmas keep what other statements do uncommitted until they come to their end, and few are read to it */
    uint32_t parameter_count;
    Value description, converters; /* kept for the next time; or TY_NULL */
} Statement;

typedef struct Cursor {
    TyObject base;
    Value connection, description, row_factory, last_row, statement, converters; /* statement, converters: or TY_NULL */
    Value rows;                 /* of a pragma, a list; or TY_NULL */
    int64_t next_row;           /* in `rows` */
    Handle *handle;             /* the statement's */
    int64_t row_count;
    uint32_t array_size;
    bool initialized, closed, locked;
} Cursor;

extern TyType sqlite_connection_type, sqlite_cursor_type, sqlite_row_type, sqlite_blob_type, sqlite_statement_type, sqlite_protocol_type;

enum { AUTOCOMMIT_OFF = 0, AUTOCOMMIT_ON = 1, AUTOCOMMIT_LEGACY = -1, DETECT_DECLARED = 1, DETECT_NAMES = 2 };

/* Each use of a connection is between these two. The first raises ProgrammingError for a wrong thread, or one that is closed. */
bool sqlite_enter(Connection *c);
void sqlite_leave(Connection *c);
bool sqlite_check_thread(Connection *c);
TY_INLINE sqlite3 *sqlite_db(Connection *c) { return c->database->db; }

Database *sqlite_database_new(sqlite3 *db, double timeout); /* owns it then */
void sqlite_database_lock(Database *database);
void sqlite_database_unlock(Database *database);
void sqlite_database_close(Database *database); /* all that was open in it too; under the lock */
void sqlite_database_drop(Database *database);
Handle *sqlite_handle_new(Database *database); /* with one reference; NULL with MemoryError */
Handle *sqlite_handle_retain(Handle *handle);
void sqlite_handle_drop(Handle *handle, uint32_t mark); /* gives a reference back; by the collector too */

/* A C string of a str; ValueError for one with NUL characters. */
const char *sqlite_text(Value v, const char *function, const char *argument, Value *holder);

/* --- statements ------------------------------------------------------------------------------------------------------------- */

Statement *sqlite_statement_new(Connection *c, Value sql);
Statement *sqlite_statement_get(Connection *c, Value sql); /* from the cache */
int sqlite_step(sqlite3_stmt *statement);
void sqlite_reset(Statement *statement);
bool sqlite_bind(Connection *c, Statement *statement, Value parameters);
bool sqlite_has_more(const char *sql); /* is there more than space and comments? */
bool sqlite_run(Connection *c, const char *sql); /* one statement without results */
bool sqlite_begin(Connection *c);
/* For SQLITE_BUSY and SQLITE_LOCKED: what keeps a lock may be a cursor that nobody has any more. Collects; whether there was any, of any database. */
bool sqlite_collect(void);

/* --- what SQLite calls ---------------------------------------------------------------------------------------------------------- */

Value sqlite_create_function(Value self, Value *a);
Value sqlite_create_aggregate(Value self, Value *a);
Value sqlite_create_window_function(Value self, Value *a);
Value sqlite_create_collation(Value self, Value *a);
Value sqlite_set_authorizer(Value self, Value *a);
Value sqlite_set_progress_handler(Value self, Value *a);
Value sqlite_set_trace_callback(Value self, Value *a);

Value sqlite_backup(Value self, Value *a);
Value sqlite_blob_open(Value self, Value *a);

#endif
