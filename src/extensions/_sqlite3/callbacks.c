/* What SQLite calls back: functions, aggregates, window functions, collations, the authorizer, the progress handler and the trace.
 *
 * SQLite keeps no Values: a function is known to it by a Context in native memory, which has its number among the connection's slots; an aggregate's instance by
 * its number plus one in the memory that SQLite gives to each aggregation. Callbacks come while the thread counts as blocked: each runs between begin and end. */
#include "internal.h"
#include <stdio.h>

typedef struct Context {
    Database *database;
    int64_t slot;
} Context;

typedef struct Call {
    TyCallback callback;
    Database *database;
} Call;

/* Inline, as what they bracket must be one C function. */
TY_INLINE void begin(Call *call, Database *database)
{
    call->database = database;
    ty_callback_begin(&call->callback);
    database->callbacks++;
}
TY_INLINE void end(Call *call)
{
    call->database->callbacks--;
    ty_callback_end(&call->callback);
}

/* --- slots ------------------------------------------------------------------------------------------------------------------ */

static TyArray *slots_of(Database *d) { return (TyArray *)ty_object(d->connection->slots); }

/* -1 with MemoryError */
static int64_t slot_take(Connection *c, Value v)
{
    TyArray *slots = (TyArray *)ty_object(c->slots);
    int64_t i = 0;
    while (i < slots->capacity && ty_field(&slots->items[i]) != TY_NULL)
        i++;
    if (i == slots->capacity) {
        TyArray *grown = ty_array_new(i * 2);
        if (!grown)
            return -1;
        for (int64_t k = 0; k < i; k++)
            ty_store(grown, &grown->items[k], ty_field(&slots->items[k]));
        ty_store_publish(c, &c->slots, ty_from_object(grown));
        slots = grown;
    }
    ty_store(slots, &slots->items[i], v);
    return i;
}

static Context *context_new(Connection *c, Value callable)
{
    Context *context = malloc(sizeof *context);
    int64_t slot = context ? slot_take(c, callable) : -1;
    if (slot < 0) {
        free(context);
        ty_raise_memory_error();
        return NULL;
    }
    *context = (Context){c->database, slot};
    return context;
}

/* Called by SQLite when a function is replaced or the database closed, by whichever thread: the connection may be gone. */
static void context_destroy(void *p)
{
    Context *context = p;
    if (!context)
        return;
    if (context->database->connection) {
        TyArray *slots = slots_of(context->database);
        ty_store(slots, &slots->items[context->slot], TY_NULL);
    }
    free(context);
}

/* Whether there is still a connection that knows the functions. */
static bool lives(sqlite3_context *context, Database *d)
{
    if (!d->connection)
        sqlite3_result_error(context, "the connection of this function is gone", -1);
    return d->connection != NULL;
}

static Value callable_of(Context *context) { return ty_field(&slots_of(context->database)->items[context->slot]); }

/* --- values ------------------------------------------------------------------------------------------------------------------- */

/* Of an error in a callback nothing reaches the program but, if asked for, what is shown. */
static void show_or_clear(Value callable)
{
    if (sqlite_state(STATE_TRACEBACKS) == TY_TRUE) {
        Value raised = ty_take_exception(), message = ty_str_format("Exception ignored on sqlite3 callback %R", callable);
        ty_clear_exception();
        ty_restore_exception(raised);
        ty_write_unraisable_text(TY_NULL, message);
    }
    ty_clear_exception();
}

static void fail(sqlite3_context *context, Value callable, const char *message)
{
    if (ty_raised_is(&ty_MemoryError))
        sqlite3_result_error_nomem(context);
    else if (ty_raised_is(&ty_OverflowError))
        sqlite3_result_error_toobig(context);
    else
        sqlite3_result_error(context, message, -1);
    show_or_clear(callable);
}

static Value value_to_python(sqlite3_value *value)
{
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: return ty_int_from_int64(sqlite3_value_int64(value));
    case SQLITE_FLOAT: return ty_from_double(sqlite3_value_double(value));
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_value_text(value);
        return text ? ty_str_from_utf8(text, (size_t)sqlite3_value_bytes(value)) : ty_raise_memory_error();
    }
    case SQLITE_BLOB: {
        const void *blob = sqlite3_value_blob(value);
        return ty_bytes_new(blob ? blob : "", (size_t)sqlite3_value_bytes(value));
    }
    default: return TY_NONE;
    }
}

enum { ARGUMENTS_INLINE = 8 };

/* callable(values...) */
static Value call_with_values(Value callable, int count, sqlite3_value **values)
{
    Value few[ARGUMENTS_INLINE], *arguments = few, tuple = TY_NULL;
    if (count > ARGUMENTS_INLINE) { /* in a heap object, for the C stack is what is scanned */
        tuple = ty_tuple_new(count);
        if (tuple == TY_NULL)
            return TY_NULL;
        arguments = ty_as_tuple(tuple)->items;
    }
    for (int i = 0; i < count; i++) {
        Value v = value_to_python(values[i]);
        if (v == TY_NULL)
            return TY_NULL;
        if (tuple == TY_NULL)
            arguments[i] = v;
        else
            ty_tuple_set(tuple, i, v);
    }
    return ty_call(callable, arguments, (size_t)count, TY_NULL);
}

/* Gives the value to SQLite as the result; false if it is none of its types. */
static bool give_result(sqlite3_context *context, Value v)
{
    int64_t number;
    if (v == TY_NONE) {
        sqlite3_result_null(context);
    } else if (ty_is_int(v)) {
        if (ty_int_get_int64(v, &number) != 0)
            return ty_raise(&ty_OverflowError, "Python int too large to convert to SQLite INTEGER"), false;
        sqlite3_result_int64(context, number);
    } else if (ty_is_float(v)) {
        sqlite3_result_double(context, ty_float_value(v));
    } else if (ty_is_str(v)) {
        size_t size;
        Value holder;
        const char *text = ty_str_utf8(v, &size, &holder);
        if (text && size > INT_MAX)
            return ty_raise(&ty_OverflowError, "string is longer than INT_MAX bytes"), false;
        if (!text)
            return false;
        sqlite3_result_text(context, text, (int)size, SQLITE_TRANSIENT);
    } else if (ty_has_buffer(v)) {
        TyBuffer view;
        if (!ty_buffer_get(v, &view, TY_BUFFER_SIMPLE))
            return false;
        if (view.length > INT_MAX)
            ty_raise(&ty_OverflowError, "BLOB longer than INT_MAX bytes");
        else
            sqlite3_result_blob(context, view.length ? (const void *)view.data : "", (int)view.length, SQLITE_TRANSIENT);
        ty_buffer_release(&view);
        return !ty_raised();
    } else {
        return false;
    }
    return true;
}

/* --- functions ------------------------------------------------------------------------------------------------------------------ */

static void run_function(sqlite3_context *context, int count, sqlite3_value **values)
{
    Context *c = sqlite3_user_data(context);
    Call call;
    if (!lives(context, c->database))
        return;
    begin(&call, c->database);
    Value callable = callable_of(c), result = call_with_values(callable, count, values);
    if (result == TY_NULL || !give_result(context, result))
        fail(context, callable, "user-defined function raised exception");
    end(&call);
}

/* --- aggregates: each aggregation has an instance ---------------------------------------------------------------------------------- */

static Value instance_of(Database *d, int64_t *number) { return ty_field(&slots_of(d)->items[*number - 1]); }

/* instance.method(values…); a failure is told to SQLite. */
static Value call_method(sqlite3_context *context, Value callable, Value instance, const char *name, int count, sqlite3_value **values)
{
    char text[96];
    Value method = ty_get_attribute(instance, ty_intern_text(name));
    if (method == TY_NULL) {
        snprintf(text, sizeof text, "user-defined aggregate's '%s' method %s", name, ty_raised_is(&ty_AttributeError) ? "not defined" : "raised error");
        fail(context, callable, text);
        return TY_NULL;
    }
    Value result = call_with_values(method, count, values);
    if (result == TY_NULL) {
        snprintf(text, sizeof text, "user-defined aggregate's '%s' method raised error", name);
        fail(context, callable, text);
    }
    return result;
}

static void step(sqlite3_context *context, int count, sqlite3_value **values, const char *name)
{
    Context *c = sqlite3_user_data(context);
    Call call;
    if (!lives(context, c->database))
        return;
    begin(&call, c->database);
    Value callable = callable_of(c);
    int64_t *number = sqlite3_aggregate_context(context, sizeof *number);
    if (number && *number == 0) {
        Value instance = ty_call_none(callable);
        if (instance == TY_NULL)
            fail(context, callable, "user-defined aggregate's '__init__' method raised error");
        else if ((*number = slot_take(c->database->connection, instance) + 1) == 0)
            fail(context, callable, "out of memory");
    }
    if (!number)
        sqlite3_result_error_nomem(context);
    else if (*number)
        call_method(context, callable, instance_of(c->database, number), name, count, values);
    end(&call);
}

static void run_step(sqlite3_context *context, int count, sqlite3_value **values) { step(context, count, values, "step"); }
static void run_inverse(sqlite3_context *context, int count, sqlite3_value **values) { step(context, count, values, "inverse"); }

static void run_value(sqlite3_context *context)
{
    Context *c = sqlite3_user_data(context);
    Call call;
    if (!lives(context, c->database))
        return;
    begin(&call, c->database);
    Value callable = callable_of(c);
    int64_t *number = sqlite3_aggregate_context(context, 0);
    if (number && *number) {
        Value result = call_method(context, callable, instance_of(c->database, number), "value", 0, NULL);
        if (result != TY_NULL && !give_result(context, result))
            fail(context, callable, "user-defined aggregate's 'value' method raised error");
    }
    end(&call);
}

static void run_finalize(sqlite3_context *context)
{
    Context *c = sqlite3_user_data(context);
    Call call;
    if (!lives(context, c->database))
        return;
    begin(&call, c->database);
    Value callable = callable_of(c);
    int64_t *number = sqlite3_aggregate_context(context, 0); /* nothing: there were no rows */
    if (number && *number) {
        Value instance = instance_of(c->database, number), raised = ty_take_exception();
        TyArray *slots = slots_of(c->database);
        ty_store(slots, &slots->items[*number - 1], TY_NULL);
        Value result = call_method(context, callable, instance, "finalize", 0, NULL);
        if (result != TY_NULL && !give_result(context, result))
            fail(context, callable, "user-defined aggregate's 'finalize' method raised error");
        ty_restore_exception(raised);
    }
    end(&call);
}

/* --- the others ---------------------------------------------------------------------------------------------------------------------- */

static int run_collation(void *p, int left_size, const void *left, int right_size, const void *right)
{
    Context *c = p;
    Call call;
    if (!c->database->connection)
        return 0;
    begin(&call, c->database);
    int result = 0;
    if (!ty_raised()) {
        Value callable = callable_of(c), a = ty_str_from_utf8(left, (size_t)left_size), b = a == TY_NULL ? TY_NULL : ty_str_from_utf8(right, (size_t)right_size);
        Value order = b == TY_NULL ? TY_NULL : ty_call_two(callable, a, b);
        if (order != TY_NULL && ty_is_int(order))
            result = ty_int_sign(order);
        else if (order != TY_NULL)
            ty_raise(&ty_TypeError, "an integer is required");
        if (ty_raised())
            show_or_clear(callable);
    }
    end(&call);
    return result;
}

static Value text_or_none(const char *text) { return text ? ty_str_from_utf8(text, strlen(text)) : TY_NONE; }

static int run_authorizer(void *p, int action, const char *first, const char *second, const char *database, const char *inner)
{
    Database *d = p;
    Call call;
    if (!d->connection)
        return 0;
    begin(&call, d);
    int answer = SQLITE_DENY;
    if (!ty_raised()) {
        Value callable = ty_field(&d->connection->authorizer);
        Value arguments[5] = {ty_from_immediate_int(action), text_or_none(first), text_or_none(second), text_or_none(database), text_or_none(inner)};
        bool good = arguments[1] != TY_NULL && arguments[2] != TY_NULL && arguments[3] != TY_NULL && arguments[4] != TY_NULL;
        Value result = good ? ty_call(callable, arguments, 5, TY_NULL) : TY_NULL;
        int32_t number;
        if (result != TY_NULL && ty_is_int(result) && ty_to_int32(result, &number))
            answer = number;
        if (ty_raised())
            show_or_clear(callable);
    }
    end(&call);
    return answer;
}

static int run_progress(void *p)
{
    Database *d = p;
    Call call;
    if (!d->connection)
        return 0;
    begin(&call, d);
    int stop = 1;
    if (!ty_raised()) {
        Value callable = ty_field(&d->connection->progress), result = ty_call_none(callable);
        stop = result == TY_NULL ? -1 : ty_is_true(result);
        if (stop < 0)
            show_or_clear(callable);
    }
    end(&call);
    return stop;
}

static int run_trace(unsigned type, void *p, void *statement, void *text)
{
    Database *d = p;
    Call call;
    if (!d->connection)
        return 0;
    begin(&call, d);
    if (!ty_raised()) {
        Value callable = ty_field(&d->connection->trace), sql;
        char *expanded = sqlite3_expanded_sql(statement);
        if (expanded) {
            sql = ty_str_decode_fs(expanded, strlen(expanded));
            sqlite3_free(expanded);
        } else {
            sqlite_raise(STATE_DataError, "Expanded SQL string exceeds the maximum string length");
            show_or_clear(callable);
            sql = ty_str_from_utf8(text, strlen(text));
        }
        if (sql == TY_NULL || ty_call_one(callable, sql) == TY_NULL)
            show_or_clear(callable);
    }
    end(&call);
    return 0;
}

/* --- setting them ------------------------------------------------------------------------------------------------------------------------ */

static bool check_count(Connection *c, const char *name, int count)
{
    int limit = sqlite3_limit(sqlite_db(c), SQLITE_LIMIT_FUNCTION_ARG, -1);
    if (count >= -1 && count <= limit)
        return true;
    sqlite_raise(STATE_ProgrammingError, "'%s' must be between -1 and %d, not %d", name, limit, count);
    return false;
}

enum { KIND_FUNCTION, KIND_AGGREGATE, KIND_WINDOW };

static int define(sqlite3 *db, int kind, const char *name, int count, int flags, Context *context)
{
    void (*destroy)(void *) = context_destroy;
    int text = SQLITE_UTF8 | flags;
    switch (context ? kind : -1 - kind) {
    case KIND_FUNCTION: return BLOCKED(sqlite3_create_function_v2(db, name, count, text, context, run_function, NULL, NULL, destroy));
    case KIND_AGGREGATE: return BLOCKED(sqlite3_create_function_v2(db, name, count, text, context, NULL, run_step, run_finalize, destroy));
    case KIND_WINDOW: return BLOCKED(sqlite3_create_window_function(db, name, count, text, context, run_step, run_finalize, run_value, run_inverse, destroy));
    case -1 - KIND_WINDOW: return BLOCKED(sqlite3_create_window_function(db, name, count, text, NULL, NULL, NULL, NULL, NULL, NULL));
    default: return BLOCKED(sqlite3_create_function_v2(db, name, count, text, NULL, NULL, NULL, NULL, NULL));
    }
}

static Value create(Value self, Value *a, int kind, const char *function, const char *name_argument, const char *count_argument, const char *error, int flags)
{
    Connection *c = (Connection *)ty_object(self);
    Value holder;
    const char *name = sqlite_text(a[0], function, name_argument, &holder);
    int32_t count;
    if (!name || !ty_to_int32(a[1], &count) || !sqlite_enter(c))
        return TY_NULL;
    Value result = TY_NULL;
    if (check_count(c, count_argument, count)) {
        Context *context = a[2] == TY_NONE ? NULL : context_new(c, a[2]);
        int code = context || a[2] == TY_NONE ? define(sqlite_db(c), kind, name, count, flags, context) : SQLITE_NOMEM;
        if (code == SQLITE_OK)
            result = TY_NONE;
        else if (!ty_raised() && error)
            sqlite_raise(STATE_OperationalError, "%s", error);
        else
            sqlite_raise_last(sqlite_db(c));
    }
    sqlite_leave(c);
    return result;
}

Value sqlite_create_function(Value self, Value *a)
{
    int deterministic = a[3] == TY_NULL ? 0 : ty_is_true(a[3]);
    if (deterministic < 0)
        return TY_NULL;
    return create(self, a, KIND_FUNCTION, "create_function", "'name'", "narg", "Error creating function", deterministic ? SQLITE_DETERMINISTIC : 0);
}

Value sqlite_create_aggregate(Value self, Value *a)
{
    return create(self, a, KIND_AGGREGATE, "create_aggregate", "'name'", "n_arg", "Error creating aggregate", 0);
}

Value sqlite_create_window_function(Value self, Value *a)
{
    return create(self, a, KIND_WINDOW, "create_window_function", "1", "num_params", NULL, 0);
}

Value sqlite_create_collation(Value self, Value *a)
{
    Connection *c = (Connection *)ty_object(self);
    Value holder;
    const char *name = sqlite_text(a[0], "create_collation", "1", &holder);
    if (!name || !sqlite_enter(c))
        return TY_NULL;
    Value result = TY_NULL;
    if (a[1] != TY_NONE && !ty_is_callable(a[1])) {
        ty_raise(&ty_TypeError, "parameter must be callable");
    } else {
        Context *context = a[1] == TY_NONE ? NULL : context_new(c, a[1]);
        if (context || a[1] == TY_NONE) {
            int code = BLOCKED(sqlite3_create_collation_v2(sqlite_db(c), name, SQLITE_UTF8, context, context ? run_collation : NULL, context ? context_destroy : NULL));
            if (code == SQLITE_OK) {
                result = TY_NONE;
            } else {
                context_destroy(context); /* here alone SQLite does not do it */
                sqlite_raise_last(sqlite_db(c));
            }
        }
    }
    sqlite_leave(c);
    return result;
}

Value sqlite_set_authorizer(Value self, Value *a)
{
    Connection *c = (Connection *)ty_object(self);
    if (!sqlite_enter(c))
        return TY_NULL;
    bool on = a[0] != TY_NONE;
    ty_store(c, &c->authorizer, on ? a[0] : TY_NULL);
    int code = BLOCKED(sqlite3_set_authorizer(sqlite_db(c), on ? run_authorizer : NULL, on ? c->database : NULL));
    if (code != SQLITE_OK)
        sqlite_raise(STATE_OperationalError, "Error setting authorizer callback");
    sqlite_leave(c);
    return code == SQLITE_OK ? TY_NONE : TY_NULL;
}

Value sqlite_set_progress_handler(Value self, Value *a)
{
    Connection *c = (Connection *)ty_object(self);
    int32_t count;
    if (!ty_to_int32(a[1], &count) || !sqlite_enter(c))
        return TY_NULL;
    bool on = a[0] != TY_NONE;
    ty_store(c, &c->progress, on ? a[0] : TY_NULL);
    sqlite3_progress_handler(sqlite_db(c), on ? count : 0, on ? run_progress : NULL, on ? c->database : NULL);
    sqlite_leave(c);
    return TY_NONE;
}

Value sqlite_set_trace_callback(Value self, Value *a)
{
    Connection *c = (Connection *)ty_object(self);
    if (!sqlite_enter(c))
        return TY_NULL;
    bool on = a[0] != TY_NONE;
    ty_store(c, &c->trace, on ? a[0] : TY_NULL);
    sqlite3_trace_v2(sqlite_db(c), on ? SQLITE_TRACE_STMT : 0, on ? run_trace : NULL, on ? c->database : NULL);
    sqlite_leave(c);
    return TY_NONE;
}
