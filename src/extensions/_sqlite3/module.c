/* _sqlite3: the module: exceptions, constants, adapters and converters, connect(). */
#include "internal.h"

#define ERROR_CODES(X) \
    X(ABORT) X(ABORT_ROLLBACK) X(AUTH) X(AUTH_USER) X(BUSY) X(BUSY_RECOVERY) X(BUSY_SNAPSHOT) \
    X(BUSY_TIMEOUT) X(CANTOPEN) X(CANTOPEN_CONVPATH) X(CANTOPEN_DIRTYWAL) X(CANTOPEN_FULLPATH) \
    X(CANTOPEN_ISDIR) X(CANTOPEN_NOTEMPDIR) X(CANTOPEN_SYMLINK) X(CONSTRAINT) X(CONSTRAINT_CHECK) \
    X(CONSTRAINT_COMMITHOOK) X(CONSTRAINT_FOREIGNKEY) X(CONSTRAINT_FUNCTION) X(CONSTRAINT_NOTNULL) \
    X(CONSTRAINT_PINNED) X(CONSTRAINT_PRIMARYKEY) X(CONSTRAINT_ROWID) X(CONSTRAINT_TRIGGER) \
    X(CONSTRAINT_UNIQUE) X(CONSTRAINT_VTAB) X(CORRUPT) X(CORRUPT_INDEX) X(CORRUPT_SEQUENCE) \
    X(CORRUPT_VTAB) X(DONE) X(EMPTY) X(ERROR) X(ERROR_MISSING_COLLSEQ) X(ERROR_RETRY) X(ERROR_SNAPSHOT) \
    X(FORMAT) X(FULL) X(INTERNAL) X(INTERRUPT) X(IOERR) X(IOERR_ACCESS) X(IOERR_AUTH) \
    X(IOERR_BEGIN_ATOMIC) X(IOERR_BLOCKED) X(IOERR_CHECKRESERVEDLOCK) X(IOERR_CLOSE) \
    X(IOERR_COMMIT_ATOMIC) X(IOERR_CONVPATH) X(IOERR_CORRUPTFS) X(IOERR_DATA) X(IOERR_DELETE) \
    X(IOERR_DELETE_NOENT) X(IOERR_DIR_CLOSE) X(IOERR_DIR_FSYNC) X(IOERR_FSTAT) X(IOERR_FSYNC) \
    X(IOERR_GETTEMPPATH) X(IOERR_LOCK) X(IOERR_MMAP) X(IOERR_NOMEM) X(IOERR_RDLOCK) X(IOERR_READ) \
    X(IOERR_ROLLBACK_ATOMIC) X(IOERR_SEEK) X(IOERR_SHMLOCK) X(IOERR_SHMMAP) X(IOERR_SHMOPEN) \
    X(IOERR_SHMSIZE) X(IOERR_SHORT_READ) X(IOERR_TRUNCATE) X(IOERR_UNLOCK) X(IOERR_VNODE) X(IOERR_WRITE) \
    X(LOCKED) X(LOCKED_SHAREDCACHE) X(LOCKED_VTAB) X(MISMATCH) X(MISUSE) X(NOLFS) X(NOMEM) X(NOTADB) \
    X(NOTFOUND) X(NOTICE) X(NOTICE_RECOVER_ROLLBACK) X(NOTICE_RECOVER_WAL) X(OK) X(OK_LOAD_PERMANENTLY) \
    X(OK_SYMLINK) X(PERM) X(PROTOCOL) X(RANGE) X(READONLY) X(READONLY_CANTINIT) X(READONLY_CANTLOCK) \
    X(READONLY_DBMOVED) X(READONLY_DIRECTORY) X(READONLY_RECOVERY) X(READONLY_ROLLBACK) X(ROW) X(SCHEMA) \
    X(TOOBIG) X(WARNING) X(WARNING_AUTOINDEX)
#define OTHER_CONSTANTS(X) \
    X(ALTER_TABLE) X(ANALYZE) X(ATTACH) X(CREATE_INDEX) X(CREATE_TABLE) X(CREATE_TEMP_INDEX) \
    X(CREATE_TEMP_TABLE) X(CREATE_TEMP_TRIGGER) X(CREATE_TEMP_VIEW) X(CREATE_TRIGGER) X(CREATE_VIEW) \
    X(CREATE_VTABLE) X(DBCONFIG_DEFENSIVE) X(DBCONFIG_DQS_DDL) X(DBCONFIG_DQS_DML) \
    X(DBCONFIG_ENABLE_FKEY) X(DBCONFIG_ENABLE_FTS3_TOKENIZER) X(DBCONFIG_ENABLE_LOAD_EXTENSION) \
    X(DBCONFIG_ENABLE_QPSG) X(DBCONFIG_ENABLE_TRIGGER) X(DBCONFIG_ENABLE_VIEW) \
    X(DBCONFIG_LEGACY_ALTER_TABLE) X(DBCONFIG_LEGACY_FILE_FORMAT) X(DBCONFIG_NO_CKPT_ON_CLOSE) \
    X(DBCONFIG_RESET_DATABASE) X(DBCONFIG_TRIGGER_EQP) X(DBCONFIG_TRUSTED_SCHEMA) \
    X(DBCONFIG_WRITABLE_SCHEMA) X(DELETE) X(DENY) X(DETACH) X(DROP_INDEX) X(DROP_TABLE) \
    X(DROP_TEMP_INDEX) X(DROP_TEMP_TABLE) X(DROP_TEMP_TRIGGER) X(DROP_TEMP_VIEW) X(DROP_TRIGGER) \
    X(DROP_VIEW) X(DROP_VTABLE) X(FUNCTION) X(IGNORE) X(INSERT) X(LIMIT_ATTACHED) X(LIMIT_COLUMN) \
    X(LIMIT_COMPOUND_SELECT) X(LIMIT_EXPR_DEPTH) X(LIMIT_FUNCTION_ARG) X(LIMIT_LENGTH) \
    X(LIMIT_LIKE_PATTERN_LENGTH) X(LIMIT_SQL_LENGTH) X(LIMIT_TRIGGER_DEPTH) X(LIMIT_VARIABLE_NUMBER) \
    X(LIMIT_VDBE_OP) X(LIMIT_WORKER_THREADS) X(PRAGMA) X(READ) X(RECURSIVE) X(REINDEX) X(SAVEPOINT) \
    X(SELECT) X(TRANSACTION) X(UPDATE)



const char *sqlite_error_name(int code)
{
    static const struct { const char *name; int code; } table[] = {
#define ENTRY(name) {"SQLITE_" #name, SQLITE_##name},
        ERROR_CODES(ENTRY)
    };
    for (size_t i = 0; i < TY_COUNT_OF(table); i++)
        if (table[i].code == code)
            return table[i].name;
    return "unknown";
}

Value sqlite_state(int which)
{
    Value module = ty_module_current("_sqlite3");
    return module == TY_NULL ? TY_NULL : ty_field(&ty_module_state(module)[which]);
}

static void set_state(Value module, int which, Value v) { ty_store(ty_object(module), &ty_module_state(module)[which], v); }

/* --- adapters and converters -------------------------------------------------------------------------------------------------- */

/* What object.method(argument) gives; TY_NULL without exception if there is no such method, if it gives None, or if it raises TypeError. */
static Value ask(Value object, Value method, Value argument, bool *failed)
{
    Value function = ty_get_attribute_or_null(object, method, failed);
    if (function == TY_NULL)
        return TY_NULL;
    Value result = ty_call_one(function, argument);
    if (result == TY_NULL && ty_raised_is(&ty_TypeError))
        ty_clear_exception();
    else
        *failed = result == TY_NULL;
    return result == TY_NONE ? TY_NULL : result;
}

Value sqlite_adapt(Value object, Value protocol, Value otherwise)
{
    bool failed = false;
    Value adapters = sqlite_state(STATE_ADAPTERS), key = adapters == TY_NULL ? TY_NULL : ty_tuple_pack(2, ty_from_object(ty_type_of(object)), protocol);
    Value adapter = key == TY_NULL ? TY_NULL : ty_dict_get(adapters, key);
    if (adapter != TY_NULL || ty_raised())
        return adapter == TY_NULL ? TY_NULL : ty_call_one(adapter, object);
    Value result = ask(protocol, TY_NAME("__adapt__"), object, &failed);
    if (result == TY_NULL && !failed)
        result = ask(object, TY_NAME("__conform__"), protocol, &failed);
    if (result != TY_NULL || failed)
        return result;
    return otherwise != TY_NULL ? otherwise : sqlite_raise(STATE_ProgrammingError, "can't adapt");
}

static Value module_adapt(Value module, Value *a)
{
    return sqlite_adapt(a[0], a[1] == TY_NULL ? ty_from_object(&sqlite_protocol_type) : a[1], a[2]);
}

static Value module_register_adapter(Value module, Value *a)
{
    static TyType *const basic[] = {&ty_int_type, &ty_float_type, &ty_str_type, &ty_bytearray_type, &ty_bytes_type, &ty_none_type};
    for (size_t i = 0; i < TY_COUNT_OF(basic); i++)
        if (a[0] == ty_from_object(basic[i]))
            set_state(module, STATE_ADAPTED, TY_TRUE);
    Value key = ty_tuple_pack(2, a[0], ty_from_object(&sqlite_protocol_type));
    return key != TY_NULL && ty_dict_set(sqlite_state(STATE_ADAPTERS), key, a[1]) ? TY_NONE : TY_NULL;
}

static Value module_register_converter(Value module, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "register_converter() argument 1 must be str, not %T", a[0]);
    Value name = ty_call_method_none(a[0], TY_NAME("upper"));
    return name != TY_NULL && ty_dict_set(sqlite_state(STATE_CONVERTERS), name, a[1]) ? TY_NONE : TY_NULL;
}

static Value module_enable_callback_tracebacks(Value module, Value *a)
{
    int32_t enable;
    if (!ty_to_int32(a[0], &enable))
        return TY_NULL;
    set_state(module, STATE_TRACEBACKS, ty_from_bool(enable != 0));
    return TY_NONE;
}

static Value module_complete_statement(Value module, Value *a)
{
    Value holder;
    const char *text = sqlite_text(a[0], "complete_statement", "'statement'", &holder);
    return text ? ty_from_bool(sqlite3_complete(text)) : TY_NULL;
}

/* --- connect ----------------------------------------------------------------------------------------------------------------------- */

static Value module_connect(Value module, const Value *arguments, size_t count, Value keywords)
{
    if (count > 1 && count <= 8
        && !ty_warn(&ty_DeprecationWarning, 1, "Passing more than 1 positional argument to sqlite3.connect() is deprecated. Parameters 'timeout', 'detect_types', "
                    "'isolation_level', 'check_same_thread', 'factory', 'cached_statements' and 'uri' will become keyword-only parameters in Python 3.15."))
        return TY_NULL;
    Value factory = count > 5 ? arguments[5] : ty_from_object(&sqlite_connection_type);
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++)
        if (ty_str_equal_text(ty_tuple_item(keywords, i), "factory"))
            factory = arguments[count + (size_t)i];
    return ty_call(factory, arguments, count, keywords);
}

static const TyNativeDef functions[] = {
    TY_RAW_FUNCTION("connect(module, /, database, timeout=5.0, detect_types=0, isolation_level='', check_same_thread=True, factory=ConnectionType, cached_statements=128, uri=False, *, "
                    "autocommit=sqlite3.LEGACY_TRANSACTION_CONTROL)", module_connect, "Opens a connection to the database in the file; \":memory:\" is one in memory alone."),
    TY_FUNCTION("adapt(module, obj, proto=PrepareProtocolType, alt=<unrepresentable>, /)", module_adapt, "The object as one that the protocol stands for."),
    TY_FUNCTION("register_adapter(module, type, adapter, /)", module_register_adapter, "Registers what makes values that SQLite knows out of objects of the type."),
    TY_FUNCTION("register_converter(module, typename, converter, /)", module_register_converter, "Registers what makes objects out of the bytes in columns declared with that name."),
    TY_FUNCTION("enable_callback_tracebacks(module, enable, /)", module_enable_callback_tracebacks, "Whether errors in functions that SQLite calls are shown."),
    TY_FUNCTION("complete_statement(module, /, statement)", module_complete_statement, "Whether the text ends with a complete statement."),
    {0},
};

static TySignature protocol_signature = TY_SIGNATURE("PrepareProtocol(*args, **kwargs)");
static bool protocol_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    Value a[2];
    return ty_parse_arguments(&protocol_signature, arguments, count, keywords, a);
}
static Value protocol_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return ty_type_allocate(type, 0); }

TyType sqlite_protocol_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyObject)},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "sqlite3.PrepareProtocol",
    .doc = "The protocol of objects that SQLite can store.",
    .parent = &ty_object_base_type,
    .slots = {.new = protocol_new, .init = protocol_init},
};

static bool add_exceptions(Value module)
{
    static const struct { const char *name; TyType *parent; int base; } table[] = {
#define NONE -1
#define ERROR STATE_Error
#define DATABASE STATE_DatabaseError
#define ENTRY_OF(name, parent, base) {"sqlite3." #name, parent, base},
        EXCEPTIONS(ENTRY_OF)
    };
    for (int i = 0; i < STATE_EXCEPTIONS; i++) {
        TyType *parent = table[i].parent ? table[i].parent : ty_as_type(ty_module_state(module)[table[i].base]);
        Value type = ty_type_from_name(table[i].name, parent, TY_NULL);
        if (type == TY_NULL || !ty_module_add(module, table[i].name + strlen("sqlite3."), type))
            return false;
        set_state(module, i, type);
    }
    return true;
}

static bool add_constants(Value module)
{
    static const struct { const char *name; int value; } table[] = {
        ERROR_CODES(ENTRY) OTHER_CONSTANTS(ENTRY)
        {"PARSE_DECLTYPES", DETECT_DECLARED}, {"PARSE_COLNAMES", DETECT_NAMES}, {"LEGACY_TRANSACTION_CONTROL", AUTOCOMMIT_LEGACY},
    };
    for (size_t i = 0; i < TY_COUNT_OF(table); i++)
        if (!ty_module_add_int(module, table[i].name, table[i].value))
            return false;
    static const int levels[] = {0, 3, 1}; /* what DB-API 2 calls SQLite's ways of threading */
    return ty_module_add_int(module, "threadsafety", levels[sqlite3_threadsafe()]) && ty_module_add_str(module, "sqlite_version", sqlite3_libversion());
}

static bool execute(Value module)
{
    Value adapters = ty_dict_new(), converters = ty_dict_new();
    if (adapters == TY_NULL || converters == TY_NULL || sqlite3_initialize() != SQLITE_OK)
        return false;
    set_state(module, STATE_ADAPTERS, adapters);
    set_state(module, STATE_CONVERTERS, converters);
    return ty_type_ready(&sqlite_statement_type) && ty_module_add(module, "adapters", adapters) && ty_module_add(module, "converters", converters) && add_exceptions(module)
        && add_constants(module);
}

static TyType *const types[] = {&sqlite_connection_type, &sqlite_cursor_type, &sqlite_row_type, &sqlite_blob_type, &sqlite_protocol_type, NULL};

const TyModuleDef ty_module__sqlite3 = {
    .name = "_sqlite3",
    .functions = functions,
    .types = types,
    .execute = execute,
    .state_count = STATE_COUNT,
};
