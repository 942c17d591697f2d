/* sqlite3.Connection: opening, transactions, settings, copies of whole databases. */
#include "internal.h"
#include <stdio.h>
#include <strings.h>

static Connection *as_connection(Value v) { return (Connection *)ty_object(v); }

static void connection_trace(TyObject *self, TyMarker *marker)
{
    Connection *c = (Connection *)self;
    ty_mark(marker, c->module);
    ty_mark(marker, c->slots);
    ty_mark(marker, c->authorizer);
    ty_mark(marker, c->progress);
    ty_mark(marker, c->trace);
    ty_mark(marker, c->row_factory);
    ty_mark(marker, c->text_factory);
    ty_mark(marker, c->statements);
}

static void connection_destroy(TyObject *self)
{
    Connection *c = (Connection *)self;
    if (!c->database)
        return;
    c->database->connection = NULL;
    sqlite_database_drop(c->database);
}

/* --- opening and closing ------------------------------------------------------------------------------------------------------ */

static const char *const levels[] = {"", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"};

/* NULL with an exception; *none for None. */
static const char *isolation_level(Value v, bool *none)
{
    Value holder;
    *none = v == TY_NONE;
    if (*none)
        return NULL;
    if (!ty_is_str(v))
        return ty_raise(&ty_TypeError, "isolation_level must be str or None"), NULL;
    const char *text = sqlite_text(v, "", "", &holder);
    for (size_t i = 0; text && i < TY_COUNT_OF(levels); i++)
        if (!strcasecmp(text, levels[i]))
            return levels[i];
    if (text)
        ty_raise(&ty_ValueError, "isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'");
    return NULL;
}

static bool autocommit_mode(Value v, int *out)
{
    if (v == TY_TRUE || v == TY_FALSE) {
        *out = v == TY_TRUE ? AUTOCOMMIT_ON : AUTOCOMMIT_OFF;
        return true;
    }
    if (v == ty_from_immediate_int(AUTOCOMMIT_LEGACY)) {
        *out = AUTOCOMMIT_LEGACY;
        return true;
    }
    return ty_raise(&ty_ValueError, "autocommit must be True, False, or sqlite3.LEGACY_TRANSACTION_CONTROL"), false;
}

/* The path in the encoding of the file system: bytes. */
static Value encode_path(Value v)
{
    Value os = ty_import_module("os"), bytes = os == TY_NULL ? TY_NULL : ty_call_method_one(os, TY_NAME("fsencode"), v);
    if (bytes != TY_NULL && strlen((const char *)ty_bytes_data(bytes)) != (size_t)ty_bytes_length(bytes))
        return ty_raise(&ty_ValueError, "embedded null byte");
    return bytes;
}

static sqlite3 *open_database(Value path, bool uri)
{
    sqlite3 *db = NULL;
    const char *text = (const char *)ty_bytes_data(path);
    int code = BLOCKED(sqlite3_open_v2(text, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | (uri ? SQLITE_OPEN_URI : 0), NULL));
    if (code == SQLITE_OK)
        return db;
    if (db)
        sqlite_raise_last(db);
    else
        ty_raise_memory_error();
    sqlite3_close(db);
    return NULL;
}

static bool audit(const char *event, Value argument)
{
    Value sys = ty_import_module("sys");
    return sys != TY_NULL && ty_call_method(sys, TY_NAME("audit"), (Value[]){ty_str_from_text(event), argument}, 2) != TY_NULL;
}

static TySignature connection_signature = TY_SIGNATURE("Connection(database, timeout=5.0, detect_types=0, isolation_level='', check_same_thread=True, factory=ConnectionType, "
                                                       "cached_statements=128, uri=False, *, autocommit=sqlite3.LEGACY_TRANSACTION_CONTROL)");

static Value connection_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return ty_type_allocate(type, 0); }

static bool close_connection(Connection *c)
{
    Database *d = c->database;
    sqlite_database_lock(d);
    bool good = true;
    if (d->callbacks) {
        good = false;
        sqlite_raise(STATE_ProgrammingError, "Cannot close the database in a function that it calls.");
    } else if (d->db) {
        if (c->autocommit == AUTOCOMMIT_OFF && !sqlite3_get_autocommit(d->db))
            good = sqlite_run(c, "ROLLBACK");
        ty_blocking_begin();
        sqlite_database_close(d);
        ty_blocking_end();
        ty_dict_clear(c->statements);
    }
    sqlite_database_unlock(d);
    return good;
}

static bool connection_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    Connection *c = as_connection(self);
    Value a[9];
    double timeout = 5.0;
    int32_t detect_types = 0, cached = 128;
    int check = 1, uri = 0, autocommit = AUTOCOMMIT_LEGACY;
    const char *level = "";
    bool none = false;
    if (!ty_parse_arguments(&connection_signature, arguments, count, keywords, a))
        return false;
    if (count > 1 && !ty_warn(&ty_DeprecationWarning, 1, "Passing more than 1 positional argument to _sqlite3.Connection() is deprecated. Parameters 'timeout', 'detect_types', "
                              "'isolation_level', 'check_same_thread', 'factory', 'cached_statements' and 'uri' will become keyword-only parameters in Python 3.15."))
        return false;
    if ((a[1] != TY_NULL && !ty_to_double(a[1], &timeout)) || (a[2] != TY_NULL && !ty_to_int32(a[2], &detect_types))
        || (a[3] != TY_NULL && !(level = isolation_level(a[3], &none)) && !none) || (a[4] != TY_NULL && (check = ty_is_true(a[4])) < 0)
        || (a[6] != TY_NULL && !ty_to_int32(a[6], &cached)) || (a[7] != TY_NULL && (uri = ty_is_true(a[7])) < 0) || (a[8] != TY_NULL && !autocommit_mode(a[8], &autocommit)))
        return false;
    if (!audit("sqlite3.connect", a[0]))
        return false;
    if (c->database) { /* cursors that have begun to read the old one may go on */
        if (c->database->callbacks)
            return sqlite_raise(STATE_ProgrammingError, "Cannot close the database in a function that it calls."), false;
        c->initialized = false;
        c->database->connection = NULL;
        sqlite_database_drop(c->database);
        c->database = NULL;
    }
    Value path = encode_path(a[0]), statements = ty_dict_new(), module = ty_module_current("_sqlite3");
    TyArray *slots = ty_array_new(4);
    sqlite3 *db = path == TY_NULL || statements == TY_NULL || module == TY_NULL || !slots ? NULL : open_database(path, uri);
    Database *d = db ? sqlite_database_new(db, timeout) : NULL;
    if (!d) {
        sqlite3_close(db);
        return false;
    }
    d->connection = c;
    ty_store(c, &c->module, module);
    ty_store(c, &c->slots, ty_from_object(slots));
    ty_store(c, &c->statements, statements);
    ty_store(c, &c->row_factory, TY_NONE);
    ty_store(c, &c->text_factory, ty_from_object(&ty_str_type));
    ty_store(c, &c->authorizer, TY_NULL);
    ty_store(c, &c->progress, TY_NULL);
    ty_store(c, &c->trace, TY_NULL);
    c->detect_types = detect_types;
    c->isolation_level = none ? NULL : level;
    c->check_thread = check;
    c->statement_limit = cached < 0 ? 0 : (uint32_t)cached;
    c->autocommit = autocommit;
    c->thread = ty_thread->ident;
    c->database = d;
    c->initialized = true;
    bool begun = true;
    if (autocommit == AUTOCOMMIT_OFF) {
        sqlite_database_lock(d);
        begun = sqlite_run(c, "BEGIN");
        sqlite_database_unlock(d);
    }
    return begun && audit("sqlite3.connect/handle", self);
}

static bool connection_finalize(TyObject *self)
{
    Connection *c = (Connection *)self;
    if (!c->initialized || !c->database->db)
        return true;
    Value raised = ty_take_exception();
    if (!ty_warn(&ty_ResourceWarning, 1, "unclosed database in %R", ty_from_object(self)))
        ty_write_unraisable(ty_from_object(self), "Exception ignored while finalizing database connection");
    if (!close_connection(c))
        ty_write_unraisable(ty_from_object(self), "Exception ignored while finalizing database connection");
    ty_restore_exception(raised);
    return true;
}

static Value connection_close(Value self, Value *a)
{
    Connection *c = as_connection(self);
    return sqlite_check_thread(c) && close_connection(c) ? TY_NONE : TY_NULL;
}

/* --- transactions -------------------------------------------------------------------------------------------------------------- */

static bool end_transaction(Connection *c, const char *sql)
{
    switch (c->autocommit) {
    case AUTOCOMMIT_LEGACY: return sqlite3_get_autocommit(sqlite_db(c)) || sqlite_run(c, sql);
    case AUTOCOMMIT_OFF: return sqlite_run(c, sql) && sqlite_run(c, "BEGIN");
    default: return true;
    }
}

static Value end_from_python(Value self, const char *sql)
{
    Connection *c = as_connection(self);
    if (!sqlite_enter(c))
        return TY_NULL;
    bool good = end_transaction(c, sql);
    sqlite_leave(c);
    return good ? TY_NONE : TY_NULL;
}
static Value connection_commit(Value self, Value *a) { return end_from_python(self, "COMMIT"); }
static Value connection_rollback(Value self, Value *a) { return end_from_python(self, "ROLLBACK"); }

static Value connection_enter(Value self, Value *a)
{
    if (!sqlite_enter(as_connection(self)))
        return TY_NULL;
    sqlite_leave(as_connection(self));
    return self;
}

static Value connection_exit(Value self, Value *a)
{
    bool commit = a[0] == TY_NONE && a[1] == TY_NONE && a[2] == TY_NONE;
    Value result = ty_call_method_none(self, commit ? TY_NAME("commit") : TY_NAME("rollback"));
    if (result != TY_NULL)
        return TY_FALSE;
    if (commit) { /* a transaction that cannot be committed is not left open */
        Value raised = ty_take_exception();
        if (connection_rollback(self, NULL) == TY_NULL) {
            Value second = ty_take_exception();
            ty_exception_set_context(second, raised);
            raised = second;
        }
        ty_restore_exception(raised);
    }
    return TY_NULL;
}

static Value get_isolation_level(Value self)
{
    Connection *c = as_connection(self);
    if (!sqlite_enter(c))
        return TY_NULL;
    const char *level = c->isolation_level;
    sqlite_leave(c);
    return level ? ty_str_from_text(level) : TY_NONE;
}

static bool set_isolation_level(Value self, Value v)
{
    Connection *c = as_connection(self);
    bool none;
    if (v == TY_NULL)
        return ty_raise(&ty_AttributeError, "cannot delete attribute"), false;
    const char *level = isolation_level(v, &none);
    if (!level && !none)
        return false;
    if (!none) {
        c->isolation_level = level;
        return true;
    }
    if (!sqlite_enter(c))
        return false;
    c->isolation_level = NULL;
    bool good = end_transaction(c, "COMMIT");
    sqlite_leave(c);
    return good;
}

static Value get_autocommit(Value self)
{
    Connection *c = as_connection(self);
    if (!sqlite_enter(c))
        return TY_NULL;
    int mode = c->autocommit;
    sqlite_leave(c);
    return mode == AUTOCOMMIT_LEGACY ? ty_from_immediate_int(mode) : ty_from_bool(mode);
}

static bool set_autocommit(Value self, Value v)
{
    Connection *c = as_connection(self);
    int mode;
    if (!sqlite_check_thread(c))
        return false;
    if (v == TY_NULL)
        return ty_raise(&ty_AttributeError, "cannot delete autocommit attribute"), false;
    if (!sqlite_enter(c))
        return false;
    bool good = autocommit_mode(v, &mode);
    if (good && mode == AUTOCOMMIT_ON)
        good = sqlite3_get_autocommit(sqlite_db(c)) || sqlite_run(c, "COMMIT");
    else if (good && mode == AUTOCOMMIT_OFF)
        good = !sqlite3_get_autocommit(sqlite_db(c)) || sqlite_run(c, "BEGIN");
    if (good)
        c->autocommit = mode;
    sqlite_leave(c);
    return good;
}

static Value get_in_transaction(Value self)
{
    Connection *c = as_connection(self);
    if (!sqlite_enter(c))
        return TY_NULL;
    bool inside = !sqlite3_get_autocommit(sqlite_db(c));
    sqlite_leave(c);
    return ty_from_bool(inside);
}

static Value get_total_changes(Value self)
{
    Connection *c = as_connection(self);
    if (!sqlite_enter(c))
        return TY_NULL;
    int changes = sqlite3_total_changes(sqlite_db(c));
    sqlite_leave(c);
    return ty_from_immediate_int(changes);
}

static Value get_row_factory(Value self)
{
    Value v = ty_field(&as_connection(self)->row_factory);
    return v == TY_NULL ? TY_NONE : v;
}
static bool set_row_factory(Value self, Value v)
{
    if (v == TY_NULL)
        return ty_raise(&ty_AttributeError, "cannot delete row_factory attribute"), false;
    ty_store(ty_object(self), &as_connection(self)->row_factory, v);
    return true;
}
static Value get_text_factory(Value self)
{
    Value v = ty_field(&as_connection(self)->text_factory);
    return v == TY_NULL ? TY_NONE : v;
}
static bool set_text_factory(Value self, Value v)
{
    if (v == TY_NULL)
        return ty_raise(&ty_AttributeError, "cannot delete text_factory attribute"), false;
    ty_store(ty_object(self), &as_connection(self)->text_factory, v);
    return true;
}

/* --- statements and cursors -------------------------------------------------------------------------------------------------------- */

static Value connection_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    Connection *c = as_connection(self);
    if (!sqlite_check_thread(c) || !ty_no_keywords("Connection", keywords) || !sqlite_enter(c))
        return TY_NULL;
    Value result = TY_NULL;
    if (count != 1)
        ty_raise(&ty_TypeError, "function takes exactly 1 argument (%zu given)", count);
    else if (!ty_is_str(arguments[0]))
        ty_raise(&ty_TypeError, "argument 1 must be str, not %T", arguments[0]);
    else {
        Statement *s = sqlite_statement_new(c, arguments[0]);
        result = s ? ty_from_object(s) : TY_NULL;
    }
    sqlite_leave(c);
    return result;
}

static Value connection_cursor(Value self, Value *a)
{
    Connection *c = as_connection(self);
    if (!sqlite_enter(c))
        return TY_NULL;
    sqlite_leave(c);
    Value cursor = ty_call_one(a[0] == TY_NULL ? ty_from_object(&sqlite_cursor_type) : a[0], self);
    if (cursor == TY_NULL)
        return TY_NULL;
    if (!ty_is_instance_of(cursor, &sqlite_cursor_type))
        return ty_raise(&ty_TypeError, "factory must return a cursor, not %T", cursor);
    Value factory = ty_field(&c->row_factory);
    if (factory != TY_NONE)
        ty_store(ty_object(cursor), &((Cursor *)ty_object(cursor))->row_factory, factory);
    return cursor;
}

/* self.cursor().method(…) */
static Value through_cursor(Value self, Value method, const Value *a, size_t count)
{
    Value cursor = ty_call_method_none(self, TY_NAME("cursor"));
    return cursor == TY_NULL ? TY_NULL : ty_call_method(cursor, method, a, count);
}
static Value connection_execute(Value self, Value *a) { return through_cursor(self, TY_NAME("execute"), a, a[1] == TY_NULL ? 1 : 2); }
static Value connection_executemany(Value self, Value *a) { return through_cursor(self, TY_NAME("executemany"), a, 2); }
static Value connection_executescript(Value self, Value *a) { return through_cursor(self, TY_NAME("executescript"), a, 1); }

static Value connection_interrupt(Value self, Value *a) /* from any thread, and without the lock */
{
    Connection *c = as_connection(self);
    sqlite3 *db = c->initialized ? c->database->db : NULL;
    if (!c->initialized)
        return sqlite_raise(STATE_ProgrammingError, "Base Connection.__init__ not called.");
    if (!db)
        return sqlite_raise(STATE_ProgrammingError, "Cannot operate on a closed database.");
    sqlite3_interrupt(db);
    return TY_NONE;
}

static Value connection_iterdump(Value self, Value *a)
{
    if (!sqlite_enter(as_connection(self)))
        return TY_NULL;
    sqlite_leave(as_connection(self));
    Value module = ty_import_module("sqlite3.dump"), function = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("_iterdump"));
    Value arguments[2] = {self, a[0] == TY_NULL ? TY_NONE : a[0]}, names = ty_tuple_pack(1, TY_NAME("filter"));
    return function == TY_NULL || names == TY_NULL ? TY_NULL : ty_call(function, arguments, 1, names);
}

/* --- extensions of SQLite, limits, settings -------------------------------------------------------------------------------------------- */

static Value connection_enable_load_extension(Value self, Value *a)
{
    Connection *c = as_connection(self);
    int enable = ty_is_true(a[0]);
    if (enable < 0 || !audit("sqlite3.enable_load_extension", self) || !sqlite_enter(c))
        return TY_NULL;
    int code = sqlite3_enable_load_extension(sqlite_db(c), enable);
    sqlite_leave(c);
    return code == SQLITE_OK ? TY_NONE : sqlite_raise(STATE_OperationalError, "Error enabling load extension");
}

static Value connection_load_extension(Value self, Value *a)
{
    Connection *c = as_connection(self);
    Value name_holder, entry_holder;
    const char *name = sqlite_text(a[0], "load_extension", "1", &name_holder), *entry = NULL;
    if (!name || (a[1] != TY_NULL && a[1] != TY_NONE && !(entry = sqlite_text(a[1], "load_extension", "'entrypoint'", &entry_holder))))
        return TY_NULL;
    if (!audit("sqlite3.load_extension", self) || !sqlite_enter(c))
        return TY_NULL;
    char *error = NULL;
    int code = BLOCKED(sqlite3_load_extension(sqlite_db(c), name, entry, &error));
    if (code != SQLITE_OK) {
        if (error)
            sqlite_raise(STATE_OperationalError, "%s", error);
        else
            sqlite_raise_last(sqlite_db(c));
    }
    sqlite3_free(error);
    sqlite_leave(c);
    return code == SQLITE_OK ? TY_NONE : TY_NULL;
}

static Value limit(Value self, int32_t category, int32_t value)
{
    Connection *c = as_connection(self);
    if (!sqlite_enter(c))
        return TY_NULL;
    int old = sqlite3_limit(sqlite_db(c), category, value);
    sqlite_leave(c);
    return old < 0 ? sqlite_raise(STATE_ProgrammingError, "'category' is out of bounds") : ty_from_immediate_int(old);
}
static Value connection_getlimit(Value self, Value *a)
{
    int32_t category;
    return ty_to_int32(a[0], &category) ? limit(self, category, -1) : TY_NULL;
}
static Value connection_setlimit(Value self, Value *a)
{
    int32_t category, value;
    return ty_to_int32(a[0], &category) && ty_to_int32(a[1], &value) ? limit(self, category, value) : TY_NULL;
}

static bool is_setting(int op)
{
    static const int all[] = {SQLITE_DBCONFIG_ENABLE_FKEY, SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
        SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, SQLITE_DBCONFIG_ENABLE_QPSG, SQLITE_DBCONFIG_TRIGGER_EQP, SQLITE_DBCONFIG_RESET_DATABASE, SQLITE_DBCONFIG_DEFENSIVE,
        SQLITE_DBCONFIG_WRITABLE_SCHEMA, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_DQS_DDL, SQLITE_DBCONFIG_ENABLE_VIEW,
        SQLITE_DBCONFIG_LEGACY_FILE_FORMAT, SQLITE_DBCONFIG_TRUSTED_SCHEMA};
    for (size_t i = 0; i < TY_COUNT_OF(all); i++)
        if (op == all[i])
            return true;
    ty_raise(&ty_ValueError, "unknown config 'op': %d", op);
    return false;
}

static Value configure(Value self, Value op_value, int enable)
{
    Connection *c = as_connection(self);
    int32_t op;
    int actual = 0;
    if (!ty_to_int32(op_value, &op) || !sqlite_enter(c))
        return TY_NULL;
    Value result = TY_NULL;
    if (is_setting(op)) {
        if (BLOCKED(sqlite3_db_config(sqlite_db(c), op, enable, &actual)) != SQLITE_OK)
            sqlite_raise_last(sqlite_db(c));
        else if (enable >= 0 && actual != enable)
            sqlite_raise(STATE_OperationalError, "Unable to set config");
        else
            result = enable < 0 ? ty_from_bool(actual) : TY_NONE;
    }
    sqlite_leave(c);
    return result;
}
static Value connection_getconfig(Value self, Value *a) { return configure(self, a[0], -1); }
static Value connection_setconfig(Value self, Value *a)
{
    int enable = a[1] == TY_NULL ? 1 : ty_is_true(a[1]);
    return enable < 0 ? TY_NULL : configure(self, a[0], enable);
}

/* --- whole databases --------------------------------------------------------------------------------------------------------------------- */

static Value connection_serialize(Value self, Value *a)
{
    Connection *c = as_connection(self);
    Value holder, result;
    const char *name = a[0] == TY_NULL ? "main" : sqlite_text(a[0], "serialize", "'name'", &holder);
    if (!name || !sqlite_enter(c))
        return TY_NULL;
    sqlite3_int64 size;
    uint8_t *data = BLOCKED(sqlite3_serialize(sqlite_db(c), name, &size, SQLITE_SERIALIZE_NOCOPY)), *copy = NULL;
    if (!data)
        data = copy = BLOCKED(sqlite3_serialize(sqlite_db(c), name, &size, 0));
    result = data ? ty_bytes_new(data, (size_t)size) : sqlite_raise(STATE_OperationalError, "unable to serialize '%s'", name);
    sqlite3_free(copy);
    sqlite_leave(c);
    return result;
}

static Value connection_deserialize(Value self, Value *a)
{
    Connection *c = as_connection(self);
    Value holder;
    TyBuffer view;
    const char *name = a[1] == TY_NULL ? "main" : sqlite_text(a[1], "deserialize", "'name'", &holder);
    Value source = name && ty_is_str(a[0]) ? ty_str_encode_utf8(a[0], NULL) : a[0];
    if (!name || source == TY_NULL || !ty_buffer_get(source, &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    if (!sqlite_enter(c)) {
        ty_buffer_release(&view);
        return TY_NULL;
    }
    uint8_t *data = sqlite3_malloc64((sqlite3_uint64)view.length);
    int code = SQLITE_NOMEM;
    if (data) {
        memcpy(data, view.data, (size_t)view.length);
        code = BLOCKED(sqlite3_deserialize(sqlite_db(c), name, data, view.length, view.length, SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE));
        if (code != SQLITE_OK)
            sqlite_raise_last(sqlite_db(c));
    } else {
        ty_raise_memory_error();
    }
    sqlite_leave(c);
    ty_buffer_release(&view);
    return code == SQLITE_OK ? TY_NONE : TY_NULL;
}

static bool run_backup(sqlite3_backup *backup, sqlite3 *target, int pages, Value progress, double sleep)
{
    int code;
    do {
        code = BLOCKED(sqlite3_backup_step(backup, pages));
        if (progress != TY_NONE) {
            Value arguments[3] = {ty_from_immediate_int(code), ty_from_immediate_int(sqlite3_backup_remaining(backup)), ty_from_immediate_int(sqlite3_backup_pagecount(backup))};
            if (ty_call(progress, arguments, 3, TY_NULL) == TY_NULL)
                break;
        }
        if ((code == SQLITE_BUSY || code == SQLITE_LOCKED) && !sqlite_collect()) {
            BLOCKED(sqlite3_sleep((int)(sleep * 1000)));
            if (!ty_poll_run())
                break;
        }
    } while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED);
    code = BLOCKED(sqlite3_backup_finish(backup));
    if (code != SQLITE_OK && !ty_raised())
        sqlite_raise_last(target);
    return code == SQLITE_OK && !ty_raised();
}

Value sqlite_backup(Value self, Value *a)
{
    Connection *c = as_connection(self), *target;
    int32_t pages = -1;
    Value progress = a[2] == TY_NULL ? TY_NONE : a[2], holder;
    double sleep = 0.25;
    if (!ty_is_instance_of(a[0], &sqlite_connection_type))
        return a[0] == TY_NONE ? ty_raise(&ty_TypeError, "backup() argument 'target' must be sqlite3.Connection, not None")
                               : ty_raise(&ty_TypeError, "backup() argument 'target' must be sqlite3.Connection, not %T", a[0]);
    if (a[1] != TY_NULL && !ty_to_int32(a[1], &pages))
        return TY_NULL;
    const char *name = a[3] == TY_NULL ? "main" : sqlite_text(a[3], "backup", "'name'", &holder);
    if (!name || (a[4] != TY_NULL && !ty_to_double(a[4], &sleep)))
        return TY_NULL;
    if (a[0] == self)
        return ty_raise(&ty_ValueError, "target cannot be the same connection instance");
    target = as_connection(a[0]);
    if (progress != TY_NONE && !ty_is_callable(progress))
        return ty_raise(&ty_TypeError, "progress argument must be a callable");
    /* Two backups in opposite directions take the locks in one order. */
    Connection *first = c < target ? c : target, *second = c < target ? target : c;
    if (!sqlite_check_thread(c) || !sqlite_check_thread(target) || !sqlite_enter(first))
        return TY_NULL;
    bool good = sqlite_enter(second);
    if (good) {
        sqlite3 *to = sqlite_db(target);
        sqlite3_backup *backup = BLOCKED(sqlite3_backup_init(to, "main", sqlite_db(c), name));
        c->database->callbacks++; /* neither may be closed meanwhile */
        target->database->callbacks++;
        good = backup && run_backup(backup, to, pages == 0 ? -1 : pages, progress, sleep);
        if (!backup)
            sqlite_raise_last(to);
        c->database->callbacks--;
        target->database->callbacks--;
        sqlite_leave(second);
    }
    sqlite_leave(first);
    return good ? TY_NONE : TY_NULL;
}

/* --- methods whose parameters may still be named ------------------------------------------------------------------------------------------- */

#define PARSED(function, total, named, implementation, signature_, names, verb, plural)                                                                  \
    static TySignature function##_signature = TY_SIGNATURE(signature_);                                                                                   \
    static Value function(Value self, const Value *arguments, size_t count, Value keywords)                                                              \
    {                                                                                                                                                    \
        Value a[total];                                                                                                                                  \
        if (!ty_parse_arguments(&function##_signature, arguments, count, keywords, a))                                                                   \
            return TY_NULL;                                                                                                                              \
        if (count < named                                                                                                                                \
            && !ty_warn(&ty_DeprecationWarning, 1, "Passing keyword argument" plural " " names " to _sqlite3.Connection." verb "() is deprecated. Parameter" plural " " names   \
                        " will become positional-only in Python 3.15."))                                                                                  \
            return TY_NULL;                                                                                                                              \
        return implementation(self, a);                                                                                                                  \
    }

PARSED(connection_create_function, 4, 3, sqlite_create_function, "create_function(name, narg, func, *, deterministic=False)", "'name', 'narg' and 'func'", "create_function", "s")
PARSED(connection_create_aggregate, 3, 3, sqlite_create_aggregate, "create_aggregate(name, n_arg, aggregate_class)", "'name', 'n_arg' and 'aggregate_class'", "create_aggregate", "s")
PARSED(connection_set_authorizer, 1, 1, sqlite_set_authorizer, "set_authorizer(authorizer_callback)", "'authorizer_callback'", "set_authorizer", "")
PARSED(connection_set_progress_handler, 2, 1, sqlite_set_progress_handler, "set_progress_handler(progress_handler, n)", "'progress_handler'", "set_progress_handler", "")
PARSED(connection_set_trace_callback, 1, 1, sqlite_set_trace_callback, "set_trace_callback(trace_callback)", "'trace_callback'", "set_trace_callback", "")

static const TyNativeDef connection_methods[] = {
    TY_METHOD("cursor(self, /, factory=<unrepresentable>)", connection_cursor, "A new cursor."),
    TY_METHOD("execute(self, sql, parameters=(), /)", connection_execute, "Executes a statement with a new cursor, which it returns."),
    TY_METHOD("executemany(self, sql, parameters, /)", connection_executemany, "Executes a statement again and again with a new cursor, which it returns."),
    TY_METHOD("executescript(self, sql_script, /)", connection_executescript, "Executes several statements with a new cursor, which it returns."),
    TY_METHOD("commit(self, /)", connection_commit, "Commits the transaction, if one is open."),
    TY_METHOD("rollback(self, /)", connection_rollback, "Rolls the transaction back, if one is open."),
    TY_METHOD("close(self, /)", connection_close, "Closes the connection; what was not committed is lost, unless autocommit is on."),
    TY_METHOD("interrupt(self, /)", connection_interrupt, "Ends what the database is doing for other threads, with an error there."),
    TY_METHOD("iterdump(self, /, *, filter=None)", connection_iterdump, "An iterator over SQL text that makes the database anew."),
    TY_RAW_METHOD("create_function(self, /, name, narg, func, *, deterministic=False)", connection_create_function, "Makes a function that SQL can call."),
    TY_RAW_METHOD("create_aggregate(self, /, name, n_arg, aggregate_class)", connection_create_aggregate, "Makes an aggregate function that SQL can call."),
    TY_METHOD("create_window_function(self, name, num_params, aggregate_class, /)", sqlite_create_window_function, "Makes an aggregate window function; None removes it."),
    TY_METHOD("create_collation(self, name, callback, /)", sqlite_create_collation, "Makes an order of texts; None removes it."),
    TY_RAW_METHOD("set_authorizer(self, /, authorizer_callback)", connection_set_authorizer, "Sets what is asked whether a statement may do what it wants to."),
    TY_RAW_METHOD("set_progress_handler(self, /, progress_handler, n)", connection_set_progress_handler, "Sets what is called at every n instructions of SQLite's machine; truth ends the statement."),
    TY_RAW_METHOD("set_trace_callback(self, /, trace_callback)", connection_set_trace_callback, "Sets what is called with each statement's text."),
    TY_METHOD("backup(self, /, target, *, pages=-1, progress=None, name='main', sleep=0.25)", sqlite_backup, "Copies the database into another one."),
    TY_METHOD("blobopen(self, table, column, rowid, /, *, readonly=False, name='main')", sqlite_blob_open, "Opens one cell as a blob."),
    TY_METHOD("serialize(self, /, *, name='main')", connection_serialize, "The database as bytes, as they would be in a file."),
    TY_METHOD("deserialize(self, data, /, *, name='main')", connection_deserialize, "Replaces the database by one that serialize() has given."),
    TY_METHOD("enable_load_extension(self, enable, /)", connection_enable_load_extension, "Whether extensions of SQLite may be loaded."),
    TY_METHOD("load_extension(self, name, /, *, entrypoint=None)", connection_load_extension, "Loads an extension of SQLite."),
    TY_METHOD("getlimit(self, category, /)", connection_getlimit, "A limit: SQLITE_LIMIT_…"),
    TY_METHOD("setlimit(self, category, limit, /)", connection_setlimit, "Sets a limit; returns what it was."),
    TY_METHOD("getconfig(self, op, /)", connection_getconfig, "A setting: SQLITE_DBCONFIG_…"),
    TY_METHOD("setconfig(self, op, enable=True, /)", connection_setconfig, "Changes a setting."),
    TY_METHOD("__enter__(self, /)", connection_enter, "The connection."),
    TY_METHOD("__exit__(self, type, value, traceback, /)", connection_exit, "Commits; after an error, rolls back."),
    {0},
};

#define EXCEPTION_GETTER(name, parent, base) \
    static Value get_##name(Value self) { return sqlite_state(STATE_##name); }
EXCEPTIONS(EXCEPTION_GETTER)

static Value get_text_signature(Value self) { return ty_str_from_text("(sql, /)"); } /* of calling one */

static const TyGetSetDef connection_getsets[] = {
    {"__text_signature__", get_text_signature, NULL, NULL},
    {"isolation_level", get_isolation_level, set_isolation_level, "How transactions are begun before statements that modify; None: they are not."},
    {"autocommit", get_autocommit, set_autocommit, "Whether there is always a transaction (False), never one that was not asked for (True), or as isolation_level says."},
    {"in_transaction", get_in_transaction, NULL, "Whether a transaction is open."},
    {"total_changes", get_total_changes, NULL, "How many rows were changed since the connection was opened."},
    {"row_factory", get_row_factory, set_row_factory, "The row_factory of new cursors."},
    {"text_factory", get_text_factory, set_text_factory, "What makes text of bytes; str: they are decoded."},
#define EXCEPTION_ROW(name, parent, base) {#name, get_##name, NULL, NULL},
    EXCEPTIONS(EXCEPTION_ROW)
    {0},
};

TyType sqlite_connection_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Connection), .trace = connection_trace, .destroy = connection_destroy, .finalize = connection_finalize},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "sqlite3.Connection",
    .doc = "SQLite database connection object.",
    .parent = &ty_object_base_type,
    .slots = {.new = connection_new, .init = connection_init, .call = connection_call},
    .methods = connection_methods,
    .getsets = connection_getsets,
};
