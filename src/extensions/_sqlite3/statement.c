/* Statements: compiling, the cache, parameters. */
#include "internal.h"
#include <stdio.h>
#include <strings.h>

static void statement_trace(TyObject *self, TyMarker *marker)
{
    Statement *s = (Statement *)self;
    ty_mark(marker, s->description);
    ty_mark(marker, s->converters);
}

static void statement_destroy(TyObject *self) { sqlite_handle_drop(((Statement *)self)->handle, HANDLE_DEAD); }

TyType sqlite_statement_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Statement), .trace = statement_trace, .destroy = statement_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW | TY_TYPE_FINAL,
    .name = "sqlite3.Statement",
    .parent = &ty_object_base_type,
};

/* Past spaces and comments; NULL if nothing follows them. */
static const char *skip_blank(const char *sql)
{
    for (;;) {
        switch (*sql) {
        case 0: return NULL;
        case ' ':
        case '\t':
        case '\f':
        case '\n':
        case '\r': sql++; break;
        case '-':
            if (sql[1] != '-')
                return sql;
            sql = strchr(sql, '\n');
            if (!sql)
                return NULL;
            break;
        case '/':
            if (sql[1] != '*')
                return sql;
            sql = strstr(sql + 2, "*/");
            if (!sql)
                return NULL;
            sql += 2;
            break;
        default: return sql;
        }
    }
}

bool sqlite_has_more(const char *sql) { return skip_blank(sql) != NULL; }

static bool begins_with(const char *sql, const char *word)
{
    const char *start = skip_blank(sql);
    return start && !strncasecmp(start, word, strlen(word));
}

static bool is_modification(const char *sql)
{
    return begins_with(sql, "insert") || begins_with(sql, "update") || begins_with(sql, "delete") || begins_with(sql, "replace");
}

Statement *sqlite_statement_new(Connection *c, Value sql)
{
    Value holder;
    size_t size;
    const char *text = ty_str_utf8(sql, &size, &holder), *tail;
    if (!text)
        return NULL;
    sqlite3 *db = sqlite_db(c);
    if (size > (size_t)sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, -1))
        return sqlite_raise(STATE_DataError, "query string is too large"), NULL;
    if (strlen(text) != size)
        return sqlite_raise(STATE_ProgrammingError, "the query contains a null character"), NULL;
    Statement *s = (Statement *)ty_object(ty_type_allocate(&sqlite_statement_type, 0));
    Handle *handle = s ? sqlite_handle_new(c->database) : NULL;
    if (!handle)
        return NULL;
    s->handle = handle;
    int code = BLOCKED(sqlite3_prepare_v2(db, text, (int)size + 1, &handle->statement, &tail));
    if (code != SQLITE_OK)
        return sqlite_raise_last(db), NULL;
    if (sqlite_has_more(tail))
        return sqlite_raise(STATE_ProgrammingError, "You can only execute one statement at a time."), NULL;
    s->modifies = is_modification(text);
    s->pragma = begins_with(text, "pragma");
    s->parameter_count = (uint32_t)sqlite3_bind_parameter_count(handle->statement);
    return ty_raised() ? NULL : s; /* by an authorizer, say */
}

Statement *sqlite_statement_get(Connection *c, Value sql)
{
    Value cache = ty_field(&c->statements), there = ty_is_exact_str(sql) ? ty_dict_get(cache, sql) : TY_NULL;
    if (there != TY_NULL) {
        if (ty_dict_length(cache) > 1)
            ty_dict_move_to_end(cache, sql, ty_str_hash(sql), true);
        Statement *s = (Statement *)ty_object(there);
        if (!s->handle->statement || !sqlite3_stmt_busy(s->handle->statement))
            return s;
        return sqlite_statement_new(c, sql); /* another cursor has not come to its end */
    }
    if (ty_raised())
        return NULL;
    Statement *s = sqlite_statement_new(c, sql);
    if (!s || c->statement_limit == 0 || !ty_is_exact_str(sql))
        return s;
    Value key, value;
    if (ty_dict_length(cache) >= c->statement_limit)
        ty_dict_pop_end(cache, false, &key, &value);
    return ty_dict_set(cache, sql, ty_from_object(s)) ? s : NULL;
}

int sqlite_step(sqlite3_stmt *statement) { return statement ? BLOCKED(sqlite3_step(statement)) : SQLITE_DONE; }

void sqlite_reset(Statement *s)
{
    if (s->handle->statement)
        BLOCKED(sqlite3_reset(s->handle->statement));
}

bool sqlite_run(Connection *c, const char *sql)
{
    sqlite3_stmt *statement;
    sqlite3 *db = sqlite_db(c);
    int code = BLOCKED(sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
    if (code == SQLITE_OK) {
        BLOCKED(sqlite3_step(statement));
        code = BLOCKED(sqlite3_finalize(statement));
    }
    if (code != SQLITE_OK)
        return sqlite_raise_last(db), false;
    return !ty_raised();
}

bool sqlite_begin(Connection *c)
{
    char sql[32];
    snprintf(sql, sizeof sql, "BEGIN %s", c->isolation_level);
    return sqlite_run(c, sql);
}

/* --- parameters ------------------------------------------------------------------------------------------------------------- */

static bool needs_no_adapter(Value v)
{
    return !ty_is_object(v) || v == TY_NONE || ty_is_exact(v, &ty_str_type) || ty_is_exact(v, &ty_int_type) || ty_is_exact(v, &ty_bytes_type)
        || ty_is_exact(v, &ty_bytearray_type);
}

static int bind_text(sqlite3_stmt *statement, int position, Value v)
{
    size_t size;
    Value holder;
    const char *text = ty_str_utf8(v, &size, &holder);
    if (!text)
        return -1;
    if (size > INT_MAX)
        return ty_raise(&ty_OverflowError, "string longer than INT_MAX bytes"), -1;
    return sqlite3_bind_text(statement, position, text, (int)size, SQLITE_TRANSIENT);
}

static int bind_buffer(sqlite3_stmt *statement, int position, Value v)
{
    TyBuffer view;
    if (!ty_buffer_get(v, &view, TY_BUFFER_SIMPLE))
        return -1;
    int code = -1;
    if (view.length > INT_MAX)
        ty_raise(&ty_OverflowError, "BLOB longer than INT_MAX bytes");
    else
        code = sqlite3_bind_blob(statement, position, view.length ? (const void *)view.data : "", (int)view.length, SQLITE_TRANSIENT);
    ty_buffer_release(&view);
    return code;
}

static int bind_int(sqlite3_stmt *statement, int position, Value v)
{
    int64_t number;
    if (ty_int_get_int64(v, &number) != 0)
        return ty_raise(&ty_OverflowError, "Python int too large to convert to SQLite INTEGER"), -1;
    return sqlite3_bind_int64(statement, position, number);
}

static bool bind_one(Connection *c, sqlite3_stmt *statement, int position, Value v)
{
    if (!needs_no_adapter(v) || TY_UNLIKELY(ty_field(&ty_module_state(c->module)[STATE_ADAPTED]) == TY_TRUE)) {
        v = sqlite_adapt(v, ty_from_object(&sqlite_protocol_type), v);
        if (v == TY_NULL)
            return false;
    }
    int code;
    if (v == TY_NONE)
        code = sqlite3_bind_null(statement, position);
    else if (ty_is_int(v))
        code = bind_int(statement, position, v);
    else if (ty_is_float(v))
        code = sqlite3_bind_double(statement, position, ty_float_value(v));
    else if (ty_is_str(v))
        code = bind_text(statement, position, v);
    else if (ty_has_buffer(v))
        code = bind_buffer(statement, position, v);
    else
        return sqlite_raise(STATE_ProgrammingError, "Error binding parameter %d: type '%T' is not supported", position, v), false;
    if (TY_UNLIKELY(code != SQLITE_OK))
        return sqlite_raise_last(sqlite_db(c)), false;
    return true;
}

static bool bind_sequence(Connection *c, Statement *s, Value parameters)
{
    sqlite3_stmt *statement = s->handle->statement;
    bool tuple = ty_is_exact_tuple(parameters), list = ty_is_exact_list(parameters);
    int64_t count = tuple ? ty_tuple_length(parameters) : list ? ty_list_length(parameters) : ty_length(parameters);
    if (count < 0)
        return false;
    if (count != s->parameter_count)
        return sqlite_raise(STATE_ProgrammingError, "Incorrect number of bindings supplied. The current statement uses %d, and there are %lld supplied.", (int)s->parameter_count,
                            (long long)count), false;
    for (int i = 0; i < count; i++) {
        const char *name = sqlite3_bind_parameter_name(statement, i + 1);
        if (TY_UNLIKELY(name && name[0] != '?'))
            return sqlite_raise(STATE_ProgrammingError, "Binding %d ('%s') is a named parameter, but you supplied a sequence which requires nameless (qmark) placeholders.", i + 1,
                                name), false;
        Value item = tuple ? ty_tuple_item(parameters, i) : ty_sequence_item(parameters, i);
        if (item == TY_NULL || !bind_one(c, statement, i + 1, item))
            return false;
        if (TY_UNLIKELY(!s->handle->statement)) /* an adapter has closed the connection */
            return sqlite_raise(STATE_ProgrammingError, "Cannot operate on a closed database."), false;
    }
    return true;
}

static bool bind_mapping(Connection *c, Statement *s, Value parameters)
{
    for (int i = 1; i <= (int)s->parameter_count; i++) {
        const char *name = sqlite3_bind_parameter_name(s->handle->statement, i);
        if (!name)
            return sqlite_raise(STATE_ProgrammingError, "Binding %d has no name, but you supplied a dictionary (which has only names).", i), false;
        Value key = ty_str_from_text(name + 1), item = key == TY_NULL ? TY_NULL : ty_get_item(parameters, key);
        if (item == TY_NULL) {
            if (ty_raised_is(&ty_LookupError)) {
                ty_clear_exception();
                sqlite_raise(STATE_ProgrammingError, "You did not supply a value for binding parameter :%U.", key);
            }
            return false;
        }
        if (!s->handle->statement)
            return sqlite_raise(STATE_ProgrammingError, "Cannot operate on a closed database."), false;
        if (!bind_one(c, s->handle->statement, i, item))
            return false;
    }
    return true;
}

bool sqlite_bind(Connection *c, Statement *s, Value parameters)
{
    if (ty_is_tuple(parameters) || ty_is_list(parameters) || (!ty_is_dict(parameters) && ty_is_sequence(parameters)))
        return bind_sequence(c, s, parameters);
    if (ty_is_mapping(parameters))
        return bind_mapping(c, s, parameters);
    return sqlite_raise(STATE_ProgrammingError, "parameters are of unsupported type"), false;
}
