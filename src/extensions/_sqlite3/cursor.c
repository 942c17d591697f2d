/* sqlite3.Cursor: executing statements and reading their rows. */
#include "internal.h"

static Cursor *as_cursor(Value v) { return (Cursor *)ty_object(v); }
static Connection *connection_of(Cursor *cursor) { return (Connection *)ty_object(cursor->connection); }

static void cursor_trace(TyObject *self, TyMarker *marker)
{
    Cursor *c = (Cursor *)self;
    ty_mark(marker, c->connection);
    ty_mark(marker, c->description);
    ty_mark(marker, c->row_factory);
    ty_mark(marker, c->last_row);
    ty_mark(marker, c->statement);
    ty_mark(marker, c->converters);
    ty_mark(marker, c->rows);
}

static void cursor_destroy(TyObject *self) { sqlite_handle_drop(((Cursor *)self)->handle, HANDLE_ABANDONED); }

/* The statement that it reads from now; NULL: none. The one before is reset. */
static void set_statement(Cursor *cursor, Statement *s)
{
    if (cursor->statement != TY_NULL && cursor->handle->statement)
        sqlite_reset((Statement *)ty_object(cursor->statement));
    ty_store(cursor, &cursor->rows, TY_NULL);
    sqlite_handle_drop(cursor->handle, 0);
    cursor->handle = s ? sqlite_handle_retain(s->handle) : NULL;
    ty_store(cursor, &cursor->statement, s ? ty_from_object(s) : TY_NULL);
}

static Value cursor_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value self = ty_type_allocate(type, 0);
    if (self == TY_NULL)
        return TY_NULL;
    Cursor *c = as_cursor(self);
    ty_store(c, &c->description, TY_NONE);
    ty_store(c, &c->last_row, TY_NONE);
    ty_store(c, &c->row_factory, TY_NONE);
    return self;
}

static bool check_locked(Cursor *c)
{
    if (c->locked)
        sqlite_raise(STATE_ProgrammingError, "Recursive use of cursors not allowed.");
    return !c->locked;
}

static bool cursor_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    Cursor *c = as_cursor(self);
    if (!ty_no_keywords("Cursor", keywords) || !ty_check_positional("Cursor", count, 1, 1))
        return false;
    if (!ty_is_instance_of(arguments[0], &sqlite_connection_type))
        return ty_raise(&ty_TypeError, "Cursor() argument 1 must be sqlite3.Connection, not %T", arguments[0]), false;
    if (!check_locked(c))
        return false;
    if (c->statement != TY_NULL) {
        Connection *old = connection_of(c);
        sqlite_database_lock(old->database);
        set_statement(c, NULL);
        sqlite_database_unlock(old->database);
    }
    ty_store(c, &c->connection, arguments[0]);
    ty_store(c, &c->converters, TY_NULL);
    ty_store(c, &c->description, TY_NONE);
    ty_store(c, &c->last_row, TY_NONE);
    ty_store(c, &c->row_factory, TY_NONE);
    c->array_size = 1;
    c->closed = false;
    c->row_count = -1;
    c->initialized = sqlite_check_thread((Connection *)ty_object(arguments[0]));
    return c->initialized;
}

/* Each use of a cursor is between these two. */
static bool enter(Cursor *c)
{
    if (!c->initialized)
        return sqlite_raise(STATE_ProgrammingError, "Base Cursor.__init__ not called."), false;
    if (c->closed)
        return sqlite_raise(STATE_ProgrammingError, "Cannot operate on a closed cursor."), false;
    if (!sqlite_enter(connection_of(c)))
        return false;
    if (check_locked(c))
        return true;
    sqlite_leave(connection_of(c));
    return false;
}
static void leave(Cursor *c) { sqlite_leave(connection_of(c)); }

/* --- columns -------------------------------------------------------------------------------------------------------------------- */

static Value column_name(Connection *c, const char *name)
{
    size_t size = strlen(name);
    if (c->detect_types & DETECT_NAMES) {
        const char *bracket = strchr(name, '[');
        if (bracket) {
            size = (size_t)(bracket - name);
            if (size && name[size - 1] == ' ')
                size--;
        }
    }
    return ty_str_from_utf8(name, size);
}

static Value describe(Connection *c, sqlite3_stmt *statement, int columns)
{
    Value description = ty_tuple_new(columns);
    for (int i = 0; description != TY_NULL && i < columns; i++) {
        const char *name = sqlite3_column_name(statement, i);
        if (!name)
            return ty_raise_memory_error();
        Value text = column_name(c, name);
        Value column = text == TY_NULL ? TY_NULL : ty_tuple_pack(7, text, TY_NONE, TY_NONE, TY_NONE, TY_NONE, TY_NONE, TY_NONE);
        if (column == TY_NULL)
            return TY_NULL;
        ty_tuple_set(description, i, column);
    }
    return description;
}

static Value converter_of(const char *name, size_t size)
{
    Value converters = sqlite_state(STATE_CONVERTERS), text = ty_str_from_utf8(name, size), key = text == TY_NULL ? TY_NULL : ty_call_method_none(text, TY_NAME("upper"));
    if (key == TY_NULL || converters == TY_NULL)
        return TY_NULL;
    Value converter = ty_dict_get(converters, key);
    return converter == TY_NULL && !ty_raised() ? TY_NONE : converter;
}

/* The converters of the columns, None for those without; TY_NULL without exception when none is looked for. */
static Value find_converters(Connection *c, sqlite3_stmt *statement, int columns)
{
    if (!c->detect_types)
        return TY_NULL;
    Value found = ty_tuple_new(columns);
    for (int i = 0; found != TY_NULL && i < columns; i++) {
        Value converter = TY_NONE;
        if (c->detect_types & DETECT_NAMES) {
            const char *name = sqlite3_column_name(statement, i), *open = name ? strchr(name, '[') : NULL, *close = open ? strchr(open, ']') : NULL;
            if (close)
                converter = converter_of(open + 1, (size_t)(close - open - 1));
        }
        if (converter == TY_NONE && (c->detect_types & DETECT_DECLARED)) {
            const char *declared = sqlite3_column_decltype(statement, i);
            if (declared)
                converter = converter_of(declared, strcspn(declared, " ("));
        }
        if (converter == TY_NULL)
            return TY_NULL;
        ty_tuple_set(found, i, converter);
    }
    return found;
}

static Value raise_undecodable(sqlite3_stmt *statement, int column, const char *text, size_t size)
{
    const char *name = sqlite3_column_name(statement, column);
    Value shown = ty_bytes_new(text, size), replaced = TY_NULL;
    ty_clear_exception();
    if (shown != TY_NULL) {
        Value arguments[2] = {TY_NAME("utf-8"), TY_NAME("replace")};
        replaced = ty_call_method(shown, TY_NAME("decode"), arguments, 2);
    }
    return replaced == TY_NULL ? TY_NULL : sqlite_raise(STATE_OperationalError, "Could not decode to UTF-8 column '%s' with text '%U'", name ? name : "", replaced);
}

static Value column_text(Connection *c, sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    if (!text)
        return ty_raise_memory_error();
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    Value factory = ty_field(&c->text_factory);
    if (TY_LIKELY(factory == ty_from_object(&ty_str_type))) {
        Value v = ty_str_from_utf8(text, size);
        return v != TY_NULL || !ty_raised_is(&ty_UnicodeDecodeError) ? v : raise_undecodable(statement, column, text, size);
    }
    if (factory == ty_from_object(&ty_bytearray_type))
        return ty_bytearray_new(text, size);
    Value bytes = ty_bytes_new(text, size);
    return bytes == TY_NULL || factory == ty_from_object(&ty_bytes_type) ? bytes : ty_call_one(factory, bytes);
}

static Value column_value(Connection *c, sqlite3_stmt *statement, int column, Value converter)
{
    int type = sqlite3_column_type(statement, column);
    if (type == SQLITE_NULL)
        return TY_NONE;
    if (TY_UNLIKELY(converter != TY_NONE)) {
        const void *blob = sqlite3_column_blob(statement, column);
        if (!blob) /* of no bytes */
            return TY_NONE;
        Value bytes = ty_bytes_new(blob ? blob : "", (size_t)sqlite3_column_bytes(statement, column));
        return bytes == TY_NULL ? TY_NULL : ty_call_one(converter, bytes);
    }
    switch (type) {
    case SQLITE_INTEGER: return ty_int_from_int64(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT: return ty_from_double(sqlite3_column_double(statement, column));
    case SQLITE_TEXT: return column_text(c, statement, column);
    default: {
        const void *blob = sqlite3_column_blob(statement, column);
        if (!blob && sqlite3_errcode(sqlite_db(c)) == SQLITE_NOMEM)
            return ty_raise_memory_error();
        return ty_bytes_new(blob ? blob : "", (size_t)sqlite3_column_bytes(statement, column));
    }
    }
}

/* The row that the statement has reached, as a tuple. */
static Value fetch_row(Cursor *cursor)
{
    Connection *c = connection_of(cursor);
    Handle *handle = cursor->handle;
    int columns = sqlite3_data_count(handle->statement);
    Value row = ty_tuple_new(columns), converters = ty_field(&cursor->converters);
    for (int i = 0; row != TY_NULL && i < columns; i++) {
        Value converter = converters != TY_NULL && i < ty_tuple_length(converters) ? ty_tuple_item(converters, i) : TY_NONE;
        Value v = column_value(c, handle->statement, i, converter);
        if (v == TY_NULL)
            return TY_NULL;
        if (TY_UNLIKELY(!handle->statement))
            return sqlite_raise(STATE_ProgrammingError, "Cannot operate on a closed database.");
        ty_tuple_set(row, i, v);
    }
    return row;
}

/* --- executing ------------------------------------------------------------------------------------------------------------------- */

/* One round of a statement whose parameters are bound. */
static bool execute_once(Cursor *cursor, Connection *c, Statement *s)
{
    sqlite3_stmt *statement = s->handle->statement;
    int code = sqlite_step(statement);
    if (TY_UNLIKELY((code & 0xff) == SQLITE_LOCKED || (code & 0xff) == SQLITE_BUSY) && sqlite_collect()) {
        sqlite_reset(s);
        code = sqlite_step(statement);
    }
    if (TY_UNLIKELY((code != SQLITE_DONE && code != SQLITE_ROW) || ty_raised()))
        return sqlite_raise_last(sqlite_db(c)), false;
    if (cursor->description == TY_NONE) {
        int columns = sqlite3_column_count(statement);
        if (columns > 0) {
            Value description = s->description, converters = s->converters;
            /* What a statement says of its columns changes when it is compiled again, after the schema changed. */
            if (description == TY_NULL || c->detect_types || ty_tuple_length(description) != columns || sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 0) != 0) {
                description = describe(c, statement, columns);
                converters = description == TY_NULL ? TY_NULL : find_converters(c, statement, columns);
                if (ty_raised())
                    return false;
                ty_store(s, &s->description, description);
                ty_store(s, &s->converters, converters);
            }
            ty_store(cursor, &cursor->description, description);
            ty_store(cursor, &cursor->converters, converters);
        }
    }
    if (code == SQLITE_DONE) {
        if (s->modifies)
            cursor->row_count += sqlite3_changes(sqlite_db(c));
        sqlite3_reset(statement); /* takes no time: it has come to its end */
    }
    return true;
}

/* Reads what a pragma has to say. */
static bool read_rows(Cursor *cursor, Connection *c, sqlite3_stmt *statement)
{
    Value rows = ty_list_new(0);
    int code = SQLITE_ROW;
    while (rows != TY_NULL && code == SQLITE_ROW) {
        Value row = fetch_row(cursor);
        if (row == TY_NULL || !ty_list_append(rows, row))
            return false;
        code = sqlite_step(statement);
    }
    if (rows == TY_NULL || code != SQLITE_DONE || ty_raised())
        return sqlite_raise_last(sqlite_db(c)), false;
    cursor->next_row = 0;
    ty_store(cursor, &cursor->rows, rows);
    return true;
}

static bool run_many(Cursor *cursor, Connection *c, Statement *s, Value iterator)
{
    for (;;) {
        Value parameters = ty_next(iterator);
        if (parameters == TY_NULL)
            return !ty_raised();
        if (!s->handle->statement)
            return sqlite_raise(STATE_ProgrammingError, "Cannot operate on a closed database."), false;
        if (!sqlite_bind(c, s, parameters) || !execute_once(cursor, c, s))
            return false;
    }
}

static bool start(Cursor *cursor, Connection *c, Value sql, bool many, Value iterator, Value parameters)
{
    Statement *s = sqlite_statement_get(c, sql);
    if (!s)
        return false;
    set_statement(cursor, s);
    sqlite3_stmt *statement = s->handle->statement;
    if (many && statement && sqlite3_stmt_readonly(statement))
        return sqlite_raise(STATE_ProgrammingError, "executemany() can only execute DML statements."), false;
    cursor->row_count = s->modifies ? 0 : -1;
    if (c->autocommit == AUTOCOMMIT_LEGACY && c->isolation_level && s->modifies && sqlite3_get_autocommit(sqlite_db(c)) && !sqlite_begin(c))
        return false;
    if (many)
        return run_many(cursor, c, s, iterator);
    if (!sqlite_bind(c, s, parameters) || (statement && !execute_once(cursor, c, s)))
        return false;
    if (s->pragma && statement && sqlite3_stmt_busy(statement) && !read_rows(cursor, c, statement))
        return false;
    Value last = ty_int_from_int64(sqlite3_last_insert_rowid(sqlite_db(c)));
    ty_store(cursor, &cursor->last_row, last);
    return last != TY_NULL;
}

static Value execute(Value self, Value sql, Value parameters, bool many)
{
    Cursor *cursor = as_cursor(self);
    Value iterator = TY_NULL;
    if (!enter(cursor))
        return TY_NULL;
    Connection *c = connection_of(cursor);
    cursor->locked = true;
    bool good = !many || (iterator = ty_is_iterator(parameters) ? parameters : ty_iter(parameters)) != TY_NULL;
    if (good) {
        set_statement(cursor, NULL);
        cursor->row_count = -1;
        ty_store(cursor, &cursor->description, TY_NONE);
        ty_store(cursor, &cursor->converters, TY_NULL);
        good = start(cursor, c, sql, many, iterator, parameters);
    }
    cursor->locked = false;
    if (!good) {
        if (cursor->statement != TY_NULL)
            set_statement(cursor, NULL);
        cursor->row_count = -1;
    } else if (cursor->statement != TY_NULL && cursor->rows == TY_NULL && (!cursor->handle->statement || !sqlite3_stmt_busy(cursor->handle->statement))) {
        set_statement(cursor, NULL);
    }
    leave(cursor);
    return good ? self : TY_NULL;
}

static Value cursor_execute(Value self, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "execute() argument 1 must be str, not %T", a[0]);
    return execute(self, a[0], a[1] == TY_NULL ? ty_tuple_empty() : a[1], false);
}

static Value cursor_executemany(Value self, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "executemany() argument 1 must be str, not %T", a[0]);
    return execute(self, a[0], a[1], true);
}

static bool run_script(Connection *c, const char *sql, size_t size)
{
    sqlite3 *db = sqlite_db(c);
    if (size > (size_t)sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, -1))
        return sqlite_raise(STATE_DataError, "query string is too large"), false;
    if (c->autocommit == AUTOCOMMIT_LEGACY && !sqlite3_get_autocommit(db) && !sqlite_run(c, "COMMIT"))
        return false;
    while (*sql) {
        const char *tail;
        Handle *handle = sqlite_handle_new(c->database); /* a callback may close the connection */
        if (!handle)
            return false;
        int code = BLOCKED(sqlite3_prepare_v2(db, sql, (int)(size + 1), &handle->statement, &tail));
        if (code == SQLITE_OK) {
            do
                code = sqlite_step(handle->statement);
            while (code == SQLITE_ROW);
            code = BLOCKED(sqlite3_finalize(handle->statement));
            handle->statement = NULL;
        }
        sqlite_handle_drop(handle, HANDLE_DEAD);
        if (code != SQLITE_OK || ty_raised())
            return sqlite_raise_last(db), false;
        size -= (size_t)(tail - sql);
        sql = tail;
    }
    return true;
}

static Value cursor_executescript(Value self, Value *a)
{
    Cursor *cursor = as_cursor(self);
    Value holder;
    size_t size;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "executescript() argument must be str, not %T", a[0]);
    const char *sql = ty_str_utf8(a[0], &size, &holder);
    if (sql && strlen(sql) != size)
        return ty_raise(&ty_ValueError, "embedded null character");
    if (!sql || !enter(cursor))
        return TY_NULL;
    bool good = run_script(connection_of(cursor), sql, size);
    leave(cursor);
    return good ? self : TY_NULL;
}

/* --- rows --------------------------------------------------------------------------------------------------------------------------- */

static Value give_row(Cursor *cursor, Value row)
{
    Value factory = ty_field(&cursor->row_factory);
    return factory == TY_NONE ? row : ty_call_two(factory, ty_from_object(cursor), row);
}

static Value next_row(Cursor *cursor)
{
    if (cursor->statement == TY_NULL)
        return TY_NULL;
    if (cursor->rows != TY_NULL) {
        Value row = ty_list_item(cursor->rows, cursor->next_row++);
        if (row != TY_NULL)
            return give_row(cursor, row);
        set_statement(cursor, NULL);
        return TY_NULL;
    }
    sqlite3 *db = cursor->handle->database->db; /* the connection may have been initialized anew */
    Statement *s = (Statement *)ty_object(cursor->statement);
    sqlite3_stmt *statement = s->handle->statement;
    if (!statement || sqlite3_data_count(statement) == 0) {
        set_statement(cursor, NULL);
        return TY_NULL;
    }
    cursor->locked = true;
    Value row = fetch_row(cursor);
    cursor->locked = false;
    if (row == TY_NULL)
        return TY_NULL;
    int code = sqlite_step(statement);
    if (code == SQLITE_DONE) {
        if (s->modifies)
            cursor->row_count = sqlite3_changes(db);
        set_statement(cursor, NULL);
    } else if (code != SQLITE_ROW || ty_raised()) {
        sqlite_raise_last(db);
        set_statement(cursor, NULL);
        return TY_NULL;
    }
    return give_row(cursor, row);
}

static Value cursor_next(Value self)
{
    Cursor *cursor = as_cursor(self);
    if (!enter(cursor))
        return TY_NULL;
    Value row = next_row(cursor);
    leave(cursor);
    return row;
}

static Value cursor_iter(Value self) { return self; }

static Value cursor_fetchone(Value self, Value *a)
{
    Value row = cursor_next(self);
    return row != TY_NULL || ty_raised() ? row : TY_NONE;
}

static Value fetch(Value self, int64_t limit)
{
    Cursor *cursor = as_cursor(self);
    Value list = ty_list_new(0);
    if (list == TY_NULL || !enter(cursor))
        return TY_NULL;
    bool good = true;
    for (int64_t i = 0; good && (limit < 0 || i < limit); i++) {
        if (TY_UNLIKELY(!cursor->handle))
            break;
        Value row = next_row(cursor);
        if (row == TY_NULL)
            break;
        good = ty_list_append(list, row);
    }
    leave(cursor);
    return ty_raised() || !good ? TY_NULL : list;
}

static Value cursor_fetchall(Value self, Value *a) { return fetch(self, -1); }

/* A count of rows. `to`: of what, for the error's text. */
static bool to_count(Value v, const char *error, uint32_t *out)
{
    int64_t number;
    Value index = ty_number_index(v);
    if (index == TY_NULL)
        return false;
    int fits = ty_int_get_int64(index, &number);
    if (fits < 0 || (fits == 0 && number < 0))
        return ty_raise(&ty_ValueError, "Cannot convert negative int"), false;
    if (fits > 0 || number > UINT32_MAX)
        return ty_raise(&ty_OverflowError, "%s", error), false;
    *out = (uint32_t)number;
    return true;
}

static Value cursor_fetchmany(Value self, Value *a)
{
    uint32_t count = as_cursor(self)->array_size;
    if (a[0] != TY_NULL && !to_count(a[0], "Python int too large for C uint32_t", &count))
        return TY_NULL;
    return fetch(self, count);
}

static Value get_array_size(Value self) { return ty_from_immediate_int(as_cursor(self)->array_size); }
static bool set_array_size(Value self, Value v)
{
    if (v == TY_NULL)
        return ty_raise(&ty_AttributeError, "arraysize attribute cannot be deleted"), false;
    return to_count(v, "Python int too large to convert to C uint32_t", &as_cursor(self)->array_size);
}

static Value get_row_factory(Value self) { return ty_field(&as_cursor(self)->row_factory); }
static bool set_row_factory(Value self, Value v)
{
    if (v == TY_NULL)
        return ty_raise(&ty_AttributeError, "cannot delete row_factory attribute"), false;
    ty_store(ty_object(self), &as_cursor(self)->row_factory, v);
    return true;
}

static Value cursor_setinputsizes(Value self, Value *a) { return TY_NONE; }
static Value cursor_setoutputsize(Value self, Value *a) { return TY_NONE; }

static Value cursor_close(Value self, Value *a)
{
    Cursor *cursor = as_cursor(self);
    if (!cursor->initialized)
        return sqlite_raise(STATE_ProgrammingError, "Base Cursor.__init__ not called.");
    if (!check_locked(cursor) || !sqlite_enter(connection_of(cursor)))
        return TY_NULL;
    set_statement(cursor, NULL);
    cursor->closed = true;
    leave(cursor);
    return TY_NONE;
}

static const TyNativeDef cursor_methods[] = {
    TY_METHOD("execute(self, sql, parameters=(), /)", cursor_execute, "Executes one statement."),
    TY_METHOD("executemany(self, sql, seq_of_parameters, /)", cursor_executemany, "Executes a statement again and again, with each of the parameters."),
    TY_METHOD("executescript(self, sql_script, /)", cursor_executescript, "Executes several statements."),
    TY_METHOD("fetchone(self, /)", cursor_fetchone, "The next row, or None."),
    TY_METHOD("fetchmany(self, /, size=1)", cursor_fetchmany, "A list of the next rows: by default arraysize of them."),
    TY_METHOD("fetchall(self, /)", cursor_fetchall, "A list of all rows that are left."),
    TY_METHOD("close(self, /)", cursor_close, "Closes the cursor."),
    TY_METHOD("setinputsizes(self, sizes, /)", cursor_setinputsizes, "Does nothing; DB-API asks for it."),
    TY_METHOD("setoutputsize(self, size, column=None, /)", cursor_setoutputsize, "Does nothing; DB-API asks for it."),
    {0},
};

static const TyGetSetDef cursor_getsets[] = {
    {"arraysize", get_array_size, set_array_size, "How many rows fetchmany() gets."},
    {"row_factory", get_row_factory, set_row_factory, "What makes rows of the cursor and a tuple; None: the tuple."},
    {0},
};

static const TyMemberDef cursor_members[] = {
    {"connection", TY_MEMBER_VALUE_NONE, false, offsetof(Cursor, connection), NULL},
    {"description", TY_MEMBER_VALUE_NONE, false, offsetof(Cursor, description), NULL},
    {"lastrowid", TY_MEMBER_VALUE_NONE, false, offsetof(Cursor, last_row), NULL},
    {"rowcount", TY_MEMBER_INT64, false, offsetof(Cursor, row_count), NULL},
    {0},
};

TyType sqlite_cursor_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Cursor), .trace = cursor_trace, .destroy = cursor_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_WEAKREFABLE,
    .name = "sqlite3.Cursor",
    .doc = "SQLite database cursor class.",
    .parent = &ty_object_base_type,
    .slots = {.new = cursor_new, .init = cursor_init, .iter = cursor_iter, .next = cursor_next},
    .methods = cursor_methods,
    .getsets = cursor_getsets,
    .members = cursor_members,
};
