/* Databases: the lock, and what statements and blobs leave behind. */
#include "internal.h"
#include <unistd.h>

static TyMutex list_mutex; /* held for moments, and never while waiting */
static Database *databases;

/* Asked by SQLite, while the thread counts as blocked, how long to wait for another connection's lock. */
static int wait_for_others(void *p, int count)
{
    static const uint8_t delays[] = {1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100}; /* milliseconds */
    enum { PATIENT = 5 }; /* by then a collection costs less than it may save */
    Database *d = p;
    int waited = 0;
    if (count == PATIENT) {
        TyCallback callback;
        ty_callback_begin(&callback);
        sqlite_collect();
        ty_callback_end(&callback);
    }
    for (int i = 0; i < count; i++)
        waited += delays[TY_MIN((size_t)i, sizeof delays - 1)];
    int delay = TY_MIN(delays[TY_MIN((size_t)count, sizeof delays - 1)], d->timeout - waited);
    if (delay <= 0)
        return 0;
    usleep((useconds_t)delay * 1000);
    return 1;
}

Database *sqlite_database_new(sqlite3 *db, double timeout)
{
    Database *d = calloc(1, sizeof *d);
    if (!d)
        return ty_raise_memory_error(), NULL;
    d->db = db;
    d->timeout = timeout > 0 ? (int)TY_MIN(timeout * 1000, 2e9) : 0;
    ty_store_relaxed(&d->references, 1);
    if (d->timeout)
        sqlite3_busy_handler(db, wait_for_others, d);
    ty_mutex_lock(&list_mutex);
    d->following = databases;
    if (databases)
        databases->preceding = d;
    databases = d;
    ty_mutex_unlock(&list_mutex);
    return d;
}

void sqlite_database_lock(Database *d)
{
    if (ty_load_relaxed(&d->owner) == ty_thread) {
        d->depth++;
        return;
    }
    ty_mutex_lock_blocking(&d->mutex);
    ty_store_relaxed(&d->owner, ty_thread);
    d->depth = 1;
}

void sqlite_database_unlock(Database *d)
{
    if (--d->depth)
        return;
    ty_store_relaxed(&d->owner, NULL);
    ty_mutex_unlock(&d->mutex);
}

static void finish(Handle *handle)
{
    sqlite3_finalize(handle->statement);
    sqlite3_blob_close(handle->blob);
    handle->statement = NULL;
    handle->blob = NULL;
}

void sqlite_database_close(Database *d)
{
    sqlite3 *db = d->db;
    d->db = NULL;
    for (Handle *handle = d->handles; handle; handle = handle->next)
        finish(handle);
    sqlite3_close_v2(db);
}

void sqlite_database_drop(Database *d)
{
    if (atomic_fetch_sub_explicit(&d->references, 1, memory_order_acq_rel) != 1)
        return;
    ty_mutex_lock(&list_mutex);
    if (d->preceding)
        d->preceding->following = d->following;
    else
        databases = d->following;
    if (d->following)
        d->following->preceding = d->preceding;
    ty_mutex_unlock(&list_mutex);
    sqlite_database_close(d);
    for (Handle *next, *handle = d->handles; handle; handle = next) {
        next = handle->next;
        free(handle);
    }
    free(d);
}

Handle *sqlite_handle_new(Database *d)
{
    Handle *handle = calloc(1, sizeof *handle);
    if (!handle)
        return ty_raise_memory_error(), NULL;
    handle->database = d;
    handle->next = d->handles;
    d->handles = handle;
    return sqlite_handle_retain(handle);
}

Handle *sqlite_handle_retain(Handle *handle)
{
    atomic_fetch_add_explicit(&handle->database->references, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&handle->references, 1, memory_order_relaxed);
    return handle;
}

void sqlite_handle_drop(Handle *handle, uint32_t mark)
{
    if (!handle)
        return;
    Database *d = handle->database;
    if (mark)
        atomic_fetch_or_explicit(&handle->marks, mark, memory_order_relaxed);
    atomic_fetch_sub_explicit(&handle->references, 1, memory_order_release); /* from here on it may be gone */
    if (mark)
        ty_store_release(&d->garbage, true);
    sqlite_database_drop(d);
}

/* Whether anything was there to be done. */
static bool clean(Database *d)
{
    bool any = false;
    ty_store_relaxed(&d->garbage, false);
    atomic_thread_fence(memory_order_seq_cst);
    for (Handle **link = &d->handles; *link;) {
        Handle *handle = *link;
        uint32_t marks = atomic_exchange_explicit(&handle->marks, 0, memory_order_acquire);
        if (marks & HANDLE_DEAD)
            finish(handle);
        else if (marks)
            sqlite3_reset(handle->statement);
        any = any || marks;
        if (!handle->statement && !handle->blob && ty_load_acquire(&handle->references) == 0) {
            *link = handle->next;
            free(handle);
        } else {
            link = &handle->next;
        }
    }
    return any;
}

bool sqlite_check_thread(Connection *c)
{
    if (!c->initialized)
        return sqlite_raise(STATE_ProgrammingError, "Base Connection.__init__ not called."), false;
    if (c->check_thread && c->thread != ty_thread->ident)
        return sqlite_raise(STATE_ProgrammingError, "SQLite objects created in a thread can only be used in that same thread. The object was created in thread id %llu and this is "
                            "thread id %llu.", (unsigned long long)c->thread, (unsigned long long)ty_thread->ident), false;
    return true;
}

bool sqlite_enter(Connection *c)
{
    if (!sqlite_check_thread(c))
        return false;
    Database *d = c->database;
    sqlite_database_lock(d);
    if (!d->db) {
        sqlite_database_unlock(d);
        return sqlite_raise(STATE_ProgrammingError, "Cannot operate on a closed database."), false;
    }
    if (TY_UNLIKELY(ty_load_relaxed(&d->garbage)))
        clean(d);
    return true;
}

void sqlite_leave(Connection *c) { sqlite_database_unlock(c->database); }

bool sqlite_collect(void)
{
    bool any = false;
    ty_heap_collect();
    ty_mutex_lock(&list_mutex);
    for (Database *d = databases; d; d = d->following) {
        bool mine = ty_load_relaxed(&d->owner) == ty_thread;
        if (!mine && !ty_mutex_try_lock(&d->mutex))
            continue;
        if (d->db && ty_load_relaxed(&d->garbage) && clean(d))
            any = true;
        if (!mine)
            ty_mutex_unlock(&d->mutex);
    }
    ty_mutex_unlock(&list_mutex);
    return any;
}

/* --- errors ------------------------------------------------------------------------------------------------------------- */

Value sqlite_raise(int exception, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Value type = sqlite_state(exception);
    if (type != TY_NULL)
        ty_raise_va(ty_as_type(type), format, arguments);
    va_end(arguments);
    return TY_NULL;
}

static int exception_for(int code)
{
    switch (code & 0xff) {
    case SQLITE_INTERNAL:
    case SQLITE_NOTFOUND: return STATE_InternalError;
    case SQLITE_ERROR:
    case SQLITE_PERM:
    case SQLITE_ABORT:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_EMPTY:
    case SQLITE_SCHEMA: return STATE_OperationalError;
    case SQLITE_TOOBIG: return STATE_DataError;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH: return STATE_IntegrityError;
    case SQLITE_MISUSE:
    case SQLITE_RANGE: return STATE_InterfaceError;
    default: return STATE_DatabaseError;
    }
}

const char *sqlite_error_name(int code); /* module.c */

Value sqlite_raise_code(int code, const char *message)
{
    Value type = sqlite_state(exception_for(code)), text = ty_str_decode_fs(message, strlen(message));
    Value error = type == TY_NULL || text == TY_NULL ? TY_NULL : ty_call_one(type, text);
    if (error == TY_NULL || !ty_set_attribute(error, TY_NAME("sqlite_errorcode"), ty_from_immediate_int(code))
        || !ty_set_attribute(error, TY_NAME("sqlite_errorname"), ty_str_from_text(sqlite_error_name(code))))
        return TY_NULL;
    return ty_raise_object(error);
}

Value sqlite_raise_last(sqlite3 *db)
{
    if (ty_raised())
        return TY_NULL;
    int code = sqlite3_errcode(db);
    if (code == SQLITE_NOMEM)
        return ty_raise_memory_error();
    return sqlite_raise_code(sqlite3_extended_errcode(db), sqlite3_errmsg(db));
}

const char *sqlite_text(Value v, const char *function, const char *argument, Value *holder)
{
    size_t size;
    if (!ty_is_str(v))
        return ty_raise(&ty_TypeError, "%s() argument %s must be str, not %T", function, argument, v), NULL;
    const char *text = ty_str_utf8(v, &size, holder);
    if (text && strlen(text) != size)
        return ty_raise(&ty_ValueError, "embedded null character"), NULL;
    return text;
}
