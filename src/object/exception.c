/* The built-in exception types: fields, construction, text, pickling. Raising is in exception_raise.c, groups are in exception_group.c. */
#include "object/exception.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"

#include <errno.h>

/* --- tracing ------------------------------------------------------------------------------------------------------- */

/* The Values after TyException's own, by the size of the instance; attributes follow them. */
static void trace_fields(TyObject *self, TyMarker *marker, size_t count)
{
    TyException *e = (TyException *)self;
    ty_mark(marker, ty_field(&e->args));
    ty_mark(marker, ty_field(&e->traceback));
    ty_mark(marker, ty_field(&e->context));
    ty_mark(marker, ty_field(&e->cause));
    ty_mark_range(marker, (const Value *)(e + 1), count);
    ty_attributes_trace(self, ty_object_type(self), marker);
}
static void trace_plain(TyObject *self, TyMarker *marker) { trace_fields(self, marker, 0); }
static void trace_one(TyObject *self, TyMarker *marker) { trace_fields(self, marker, 1); }
static void trace_two(TyObject *self, TyMarker *marker) { trace_fields(self, marker, 2); }
static void trace_three(TyObject *self, TyMarker *marker) { trace_fields(self, marker, 3); }
static void trace_four(TyObject *self, TyMarker *marker) { trace_fields(self, marker, 4); }
static void trace_nine(TyObject *self, TyMarker *marker) { trace_fields(self, marker, 9); }

/* --- BaseException ---------------------------------------------------------------------------------------------------- */

static Value none_if_null(Value v) { return v ? v : TY_NONE; }
static Value null_if_none(Value v) { return v == TY_NONE ? TY_NULL : v; }

Value ty_exception_new(TyType *type, Value args)
{
    Value self = ty_type_allocate(type, 0);
    if (self && args)
        ty_store(ty_object(self), &ty_as_exception(self)->args, args);
    return self;
}

static Value base_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value args = ty_tuple_from_array(arguments, count);
    return args ? ty_exception_new(type, args) : TY_NULL;
}

static bool set_args(Value self, const Value *arguments, size_t count)
{
    Value args = ty_as_exception(self)->args;
    if (args && (size_t)ty_tuple_length(args) == count && memcmp(ty_as_tuple(args)->items, arguments, count * sizeof(Value)) == 0)
        return true; /* as __new__ left them */
    args = ty_tuple_from_array(arguments, count);
    if (!args)
        return false;
    ty_store(ty_object(self), &ty_as_exception(self)->args, args);
    return true;
}

static bool base_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    return ty_no_keywords(ty_type_short_name(ty_type_of(self)), keywords) && set_args(self, arguments, count);
}

static Value args_of(Value self)
{
    Value args = ty_field(&ty_as_exception(self)->args);
    return args ? args : ty_tuple_empty();
}

static Value base_str(Value self)
{
    Value args = args_of(self);
    switch (ty_tuple_length(args)) {
    case 0: return ty_str_empty();
    case 1: return ty_str(ty_tuple_item(args, 0));
    default: return ty_str(args);
    }
}

static Value base_repr(Value self)
{
    Value args = args_of(self);
    const char *name = ty_type_short_name(ty_type_of(self));
    if (ty_tuple_length(args) == 1)
        return ty_str_format("%s(%R)", name, ty_tuple_item(args, 0));
    return ty_str_format("%s%R", name, args);
}

/* The instance's own attributes as a dict, TY_NULL if it has none: *failed tells of an error. */
static Value own_attributes(Value self, bool *failed)
{
    Value dict = ty_attributes_copy_dict(ty_object(self), ty_type_of(self));
    *failed = !dict;
    return dict && ty_dict_length(dict) ? dict : TY_NULL;
}

static Value reduce_with(Value self, Value args, Value state)
{
    Value type = ty_from_object(ty_type_of(self));
    return state ? ty_tuple_pack(3, type, args, state) : ty_tuple_pack(2, type, args);
}

static Value base_reduce(Value self, Value *a)
{
    bool failed;
    Value state = own_attributes(self, &failed);
    return failed ? TY_NULL : reduce_with(self, args_of(self), state);
}

static Value base_setstate(Value self, Value *a)
{
    if (a[0] == TY_NONE)
        return TY_NONE;
    if (!ty_is_dict(a[0]))
        return ty_raise(&ty_TypeError, "state is not a dictionary");
    int64_t position = 0;
    Value key, value;
    while (ty_dict_next(a[0], &position, &key, &value))
        if (!ty_set_attribute(self, key, value))
            return TY_NULL;
    return TY_NONE;
}

static bool set_traceback(Value self, Value value)
{
    if (!value)
        return ty_raise(&ty_TypeError, "__traceback__ may not be deleted"), false;
    if (value != TY_NONE && !ty_is_exact(value, &ty_traceback_type))
        return ty_raise(&ty_TypeError, "__traceback__ must be a traceback or None"), false;
    ty_store(ty_object(self), &ty_as_exception(self)->traceback, null_if_none(value));
    return true;
}

static Value base_with_traceback(Value self, Value *a) { return set_traceback(self, a[0]) ? self : TY_NULL; }

static Value base_add_note(Value self, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "add_note() argument must be str, not %T", a[0]);
    bool failed;
    Value notes = ty_get_attribute_or_null(self, TY_NAME("__notes__"), &failed);
    if (!notes) {
        notes = failed ? TY_NULL : ty_list_new(1);
        if (!notes || !ty_set_attribute(self, TY_NAME("__notes__"), notes))
            return TY_NULL;
    }
    if (!ty_is_list(notes))
        return ty_raise(&ty_TypeError, "Cannot add note: __notes__ is not a list");
    return ty_list_append(notes, a[0]) ? TY_NONE : TY_NULL;
}

static Value get_args(Value self) { return args_of(self); }
static bool set_args_attribute(Value self, Value value)
{
    if (!value)
        return ty_raise(&ty_TypeError, "args may not be deleted"), false;
    Value args = ty_sequence_tuple(value);
    if (args)
        ty_store(ty_object(self), &ty_as_exception(self)->args, args);
    return args != TY_NULL;
}
static Value get_traceback(Value self) { return none_if_null(ty_field(&ty_as_exception(self)->traceback)); }
static Value get_context(Value self) { return none_if_null(ty_field(&ty_as_exception(self)->context)); }
static Value get_cause(Value self) { return none_if_null(ty_field(&ty_as_exception(self)->cause)); }
static bool check_link(Value value, const char *attribute, const char *what)
{
    if (!value)
        ty_raise(&ty_TypeError, "%s may not be deleted", attribute);
    else if (value != TY_NONE && !ty_is_exception(value))
        ty_raise(&ty_TypeError, "exception %s must be None or derive from BaseException", what);
    else
        return true;
    return false;
}
static bool set_context(Value self, Value value)
{
    if (!check_link(value, "__context__", "context"))
        return false;
    ty_store(ty_object(self), &ty_as_exception(self)->context, null_if_none(value));
    return true;
}
static bool set_cause(Value self, Value value)
{
    if (!check_link(value, "__cause__", "cause"))
        return false;
    ty_exception_set_cause(self, null_if_none(value));
    return true;
}
void ty_exception_set_cause(Value self, Value cause)
{
    ty_store(ty_object(self), &ty_as_exception(self)->cause, cause);
    ty_as_exception(self)->suppress_context = true;
}
static Value get_suppress(Value self) { return ty_from_bool(ty_as_exception(self)->suppress_context); }
static bool set_suppress(Value self, Value value)
{
    if (!value)
        return ty_raise(&ty_TypeError, "can't delete numeric/char attribute"), false;
    if (value != TY_TRUE && value != TY_FALSE)
        return ty_raise(&ty_TypeError, "attribute value type must be bool"), false;
    ty_as_exception(self)->suppress_context = value == TY_TRUE;
    return true;
}
static Value get_dict(Value self) { return ty_attributes_dict(ty_object(self), ty_type_of(self)); }
static bool set_dict(Value self, Value value)
{
    if (!value)
        return ty_raise(&ty_TypeError, "cannot delete __dict__"), false;
    if (!ty_is_dict(value))
        return ty_raise(&ty_TypeError, "__dict__ must be set to a dictionary, not a '%T'", value), false;
    return ty_attributes_set_dict(ty_object(self), ty_type_of(self), value);
}

static const TyNativeDef base_methods[] = {
    TY_METHOD("__reduce__(self, /)", base_reduce, "What pickle needs to make the exception again."),
    TY_METHOD("__setstate__(self, state, /)", base_setstate, "Sets the attributes that a pickle brought."),
    TY_METHOD("with_traceback(self, object, /)", base_with_traceback, "Sets __traceback__ and returns the exception."),
    TY_METHOD("add_note(self, object, /)", base_add_note, "Appends a line to be shown below the exception."),
    {0}};
static const TyGetSetDef base_getsets[] = {
    {"__suppress_context__", get_suppress, set_suppress, NULL}, {"__dict__", get_dict, set_dict, NULL}, {"args", get_args, set_args_attribute, NULL},
    {"__traceback__", get_traceback, set_traceback, NULL}, {"__context__", get_context, set_context, NULL}, {"__cause__", get_cause, set_cause, NULL},
    {0}};

/* What every definition below has in common; BaseException's parent is object, whose C name is another. */
#define EXCEPTION(name_, parent_, structure, trace_, doc_)                                                           \
    .base = TY_STATIC_HEADER(ty_type_type), .layout = {.size = sizeof(structure), .trace = trace_},                   \
    .flags = TY_TYPE_EXCEPTION | TY_TYPE_WEAKREFABLE, .attributes_offset = sizeof(structure), .name = name_, .doc = doc_, .parent = &parent_

TyType ty_BaseException = {
    EXCEPTION("BaseException", ty_object_type_, TyException, trace_plain, "What every exception is an instance of."),
    .slots = {.new = base_new, .init = base_init, .str = base_str, .repr = base_repr},
    .methods = base_methods, .getsets = base_getsets,
};

/* --- exceptions that add nothing but their name --------------------------------------------------------------------------- */

#define PLAIN_EXCEPTIONS(X)                                                                                             \
    X(Exception, BaseException, "The ancestor of all exceptions that are not about leaving the program.")             \
    X(GeneratorExit, BaseException, "Asks a generator to end.")                                                        \
    X(KeyboardInterrupt, BaseException, "The user interrupted the program.")                                           \
    X(ArithmeticError, Exception, "The ancestor of arithmetic errors.")                                                \
    X(FloatingPointError, ArithmeticError, "A floating-point operation failed.")                                       \
    X(OverflowError, ArithmeticError, "A result is too large to be represented.")                                      \
    X(ZeroDivisionError, ArithmeticError, "Division or modulo by zero.")                                               \
    X(AssertionError, Exception, "An assertion does not hold.")                                                        \
    X(BufferError, Exception, "A buffer could not be had or changed.")                                                 \
    X(EOFError, Exception, "The input ended where more was expected.")                                                 \
    X(LookupError, Exception, "The ancestor of errors of looking something up.")                                       \
    X(IndexError, LookupError, "An index is out of range.")                                                            \
    X(MemoryError, Exception, "There is no memory left.")                                                              \
    X(ReferenceError, Exception, "A weak proxy was used after its object had died.")                                   \
    X(RuntimeError, Exception, "An error that falls in no other category.")                                            \
    X(NotImplementedError, RuntimeError, "A method is still to be implemented.")                                       \
    X(PythonFinalizationError, RuntimeError, "An operation is not possible while the interpreter is closing.")         \
    X(RecursionError, RuntimeError, "Calls are nested too deeply.")                                                    \
    X(StopAsyncIteration, Exception, "An asynchronous iterator has no more items.")                                    \
    X(SystemError, Exception, "An internal error of the runtime.")                                                     \
    X(TypeError, Exception, "An argument is of an inappropriate type.")                                                \
    X(ValueError, Exception, "An argument has the right type but an inappropriate value.")                             \
    X(UnicodeError, ValueError, "An error of encoding, decoding or translating text.")                                 \
    X(Warning, Exception, "The ancestor of warning categories.")                                                       \
    X(BytesWarning, Warning, "A warning about mixing bytes and text.")                                                 \
    X(DeprecationWarning, Warning, "A warning about deprecated features, for developers.")                             \
    X(EncodingWarning, Warning, "A warning about encodings.")                                                          \
    X(FutureWarning, Warning, "A warning about deprecated features, for users.")                                       \
    X(ImportWarning, Warning, "A warning about likely mistakes in imports.")                                           \
    X(PendingDeprecationWarning, Warning, "A warning about features to be deprecated later.")                          \
    X(ResourceWarning, Warning, "A warning about resources that were not released.")                                   \
    X(RuntimeWarning, Warning, "A warning about dubious behaviour at run time.")                                       \
    X(SyntaxWarning, Warning, "A warning about dubious syntax.")                                                       \
    X(UnicodeWarning, Warning, "A warning about text and its encoding.")                                               \
    X(UserWarning, Warning, "A warning from a program's own code.")

#define PLAIN(name, parent, doc) TyType ty_##name = {EXCEPTION(#name, ty_##parent, TyException, trace_plain, doc)};
PLAIN_EXCEPTIONS(PLAIN)

/* A lone argument is shown by its repr: the empty string would show as nothing. */
static Value key_error_str(Value self)
{
    Value args = args_of(self);
    return ty_tuple_length(args) == 1 ? ty_repr(ty_tuple_item(args, 0)) : base_str(self);
}
TyType ty_KeyError = {EXCEPTION("KeyError", ty_LookupError, TyException, trace_plain, "A key is not in a mapping."), .slots = {.str = key_error_str}};

/* --- StopIteration, SystemExit ----------------------------------------------------------------------------------------------- */

static bool stop_iteration_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!base_init(self, arguments, count, keywords))
        return false;
    ty_store(ty_object(self), &((TyStopIteration *)ty_object(self))->value, count ? arguments[0] : TY_NONE);
    return true;
}
static const TyMemberDef stop_iteration_members[] = {
    {"value", TY_MEMBER_VALUE_NONE, true, offsetof(TyStopIteration, value), "what the generator returned"}, {0}};
TyType ty_StopIteration = {
    EXCEPTION("StopIteration", ty_Exception, TyStopIteration, trace_one, "An iterator has no more items."),
    .slots = {.init = stop_iteration_init}, .members = stop_iteration_members};

static bool system_exit_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!base_init(self, arguments, count, keywords))
        return false;
    Value code = count == 0 ? TY_NONE : count == 1 ? arguments[0] : args_of(self);
    ty_store(ty_object(self), &((TySystemExit *)ty_object(self))->code, code);
    return true;
}
static const TyMemberDef system_exit_members[] = {
    {"code", TY_MEMBER_VALUE_NONE, true, offsetof(TySystemExit, code), "the exit status, or a message to be shown"}, {0}};
TyType ty_SystemExit = {
    EXCEPTION("SystemExit", ty_BaseException, TySystemExit, trace_one, "Asks the interpreter to exit."),
    .slots = {.init = system_exit_init}, .members = system_exit_members};

/* --- exceptions with keyword arguments: ImportError, NameError, AttributeError -------------------------------------------------- */

/* Stores the values of keywords that are among `names`; others raise TypeError. */
static bool take_keywords(Value self, const char *function, const Value *values, Value keywords, const char *const *names, Value *const *fields)
{
    for (int64_t i = 0; keywords && i < ty_tuple_length(keywords); i++) {
        Value keyword = ty_tuple_item(keywords, i);
        int at = 0;
        while (names[at] && !ty_str_equal_text(keyword, names[at]))
            at++;
        if (!names[at])
            return ty_raise(&ty_TypeError, "%s() got an unexpected keyword argument '%U'", function, keyword), false;
        ty_store(ty_object(self), fields[at], values[i]);
    }
    return true;
}

static bool import_error_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static const char *const names[] = {"name", "path", "name_from", NULL};
    TyImportErrorObject *e = (TyImportErrorObject *)ty_object(self);
    Value *const fields[] = {&e->name, &e->path, &e->name_from};
    ty_store(e, &e->name, TY_NULL);
    ty_store(e, &e->path, TY_NULL);
    ty_store(e, &e->name_from, TY_NULL);
    if (!set_args(self, arguments, count) || !take_keywords(self, "ImportError", arguments + count, keywords, names, fields))
        return false;
    ty_store(e, &e->msg, count == 1 ? arguments[0] : TY_NULL);
    return true;
}
static Value import_error_str(Value self)
{
    Value msg = ty_field(&((TyImportErrorObject *)ty_object(self))->msg);
    return msg && ty_is_exact_str(msg) ? msg : base_str(self);
}
static bool add_state(Value *state, const char *key, Value value)
{
    if (!value)
        return true;
    if (!*state)
        *state = ty_dict_new();
    return *state && ty_dict_set_text(*state, key, value);
}
static Value import_error_reduce(Value self, Value *a)
{
    TyImportErrorObject *e = (TyImportErrorObject *)ty_object(self);
    bool failed;
    Value state = own_attributes(self, &failed);
    if (failed || !add_state(&state, "name", ty_field(&e->name)) || !add_state(&state, "path", ty_field(&e->path)) ||
        !add_state(&state, "name_from", ty_field(&e->name_from)))
        return TY_NULL;
    return reduce_with(self, args_of(self), state);
}
static const TyNativeDef import_error_methods[] = {
    TY_METHOD("__reduce__(self, /)", import_error_reduce, "What pickle needs to make the exception again."), {0}};
static const TyMemberDef import_error_members[] = {
    {"msg", TY_MEMBER_VALUE_NONE, true, offsetof(TyImportErrorObject, msg), "the message"},
    {"name", TY_MEMBER_VALUE_NONE, true, offsetof(TyImportErrorObject, name), "the module's name"},
    {"path", TY_MEMBER_VALUE_NONE, true, offsetof(TyImportErrorObject, path), "the module's file"},
    {"name_from", TY_MEMBER_VALUE_NONE, true, offsetof(TyImportErrorObject, name_from), "the name that was to be imported from it"},
    {0}};
TyType ty_ImportError = {
    EXCEPTION("ImportError", ty_Exception, TyImportErrorObject, trace_four, "A module, or a name in a module, can't be found or loaded."),
    .slots = {.init = import_error_init, .str = import_error_str}, .methods = import_error_methods, .members = import_error_members};
TyType ty_ModuleNotFoundError = {EXCEPTION("ModuleNotFoundError", ty_ImportError, TyImportErrorObject, trace_four, "There is no such module.")};

static bool name_error_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static const char *const names[] = {"name", NULL};
    TyNameErrorObject *e = (TyNameErrorObject *)ty_object(self);
    Value *const fields[] = {&e->name};
    return set_args(self, arguments, count) && take_keywords(self, "NameError", arguments + count, keywords, names, fields);
}
static const TyMemberDef name_error_members[] = {{"name", TY_MEMBER_VALUE_NONE, true, offsetof(TyNameErrorObject, name), "the name"}, {0}};
TyType ty_NameError = {
    EXCEPTION("NameError", ty_Exception, TyNameErrorObject, trace_one, "A name is not defined."),
    .slots = {.init = name_error_init}, .members = name_error_members};
TyType ty_UnboundLocalError = {
    EXCEPTION("UnboundLocalError", ty_NameError, TyNameErrorObject, trace_one, "A local variable has no value yet.")};

static bool attribute_error_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static const char *const names[] = {"name", "obj", NULL};
    TyAttributeErrorObject *e = (TyAttributeErrorObject *)ty_object(self);
    Value *const fields[] = {&e->name, &e->obj};
    return set_args(self, arguments, count) && take_keywords(self, "AttributeError", arguments + count, keywords, names, fields);
}
/* `obj` stays behind: it may be anything, and pickling it was not asked for. */
static Value attribute_error_getstate(Value self, Value *a)
{
    bool failed;
    Value state = own_attributes(self, &failed);
    if (failed || !add_state(&state, "name", ty_field(&((TyAttributeErrorObject *)ty_object(self))->name)) ||
        !add_state(&state, "args", args_of(self)))
        return TY_NULL;
    return state;
}
static Value attribute_error_reduce(Value self, Value *a)
{
    Value state = attribute_error_getstate(self, a);
    return state ? reduce_with(self, args_of(self), state) : TY_NULL;
}
static const TyNativeDef attribute_error_methods[] = {
    TY_METHOD("__getstate__(self, /)", attribute_error_getstate, "The attributes to be pickled."),
    TY_METHOD("__reduce__(self, /)", attribute_error_reduce, "What pickle needs to make the exception again."),
    {0}};
static const TyMemberDef attribute_error_members[] = {
    {"name", TY_MEMBER_VALUE_NONE, true, offsetof(TyAttributeErrorObject, name), "the attribute's name"},
    {"obj", TY_MEMBER_VALUE_NONE, true, offsetof(TyAttributeErrorObject, obj), "the object"},
    {0}};
TyType ty_AttributeError = {
    EXCEPTION("AttributeError", ty_Exception, TyAttributeErrorObject, trace_two, "An object has no such attribute."),
    .slots = {.init = attribute_error_init}, .methods = attribute_error_methods, .members = attribute_error_members};

/* --- OSError --------------------------------------------------------------------------------------------------------------------- */

#define OS_SUBCLASSES(X)                                                                                               \
    X(BlockingIOError, OSError, "An operation on a non-blocking object would block.")                                 \
    X(ChildProcessError, OSError, "An operation on a child process failed.")                                           \
    X(ConnectionError, OSError, "The ancestor of errors of connections.")                                              \
    X(BrokenPipeError, ConnectionError, "The other end of a pipe or socket is closed.")                                \
    X(ConnectionAbortedError, ConnectionError, "The peer aborted the connection.")                                     \
    X(ConnectionRefusedError, ConnectionError, "The peer refused the connection.")                                     \
    X(ConnectionResetError, ConnectionError, "The peer reset the connection.")                                         \
    X(FileExistsError, OSError, "The file or directory exists already.")                                               \
    X(FileNotFoundError, OSError, "There is no such file or directory.")                                               \
    X(InterruptedError, OSError, "A signal interrupted a system call.")                                                \
    X(IsADirectoryError, OSError, "A directory stands where a file is needed.")                                        \
    X(NotADirectoryError, OSError, "Something else stands where a directory is needed.")                               \
    X(PermissionError, OSError, "The permissions do not allow it.")                                                    \
    X(ProcessLookupError, OSError, "There is no such process.")                                                        \
    X(TimeoutError, OSError, "The time ran out.")

static TyType *os_error_type(int error)
{
    switch (error) {
    case EAGAIN: case EALREADY: case EINPROGRESS: return &ty_BlockingIOError;
    case EPIPE: case ESHUTDOWN: return &ty_BrokenPipeError;
    case ECHILD: return &ty_ChildProcessError;
    case ECONNABORTED: return &ty_ConnectionAbortedError;
    case ECONNREFUSED: return &ty_ConnectionRefusedError;
    case ECONNRESET: return &ty_ConnectionResetError;
    case EEXIST: return &ty_FileExistsError;
    case ENOENT: return &ty_FileNotFoundError;
    case EISDIR: return &ty_IsADirectoryError;
    case ENOTDIR: return &ty_NotADirectoryError;
    case EINTR: return &ty_InterruptedError;
    case EACCES: case EPERM: return &ty_PermissionError;
    case ESRCH: return &ty_ProcessLookupError;
    case ETIMEDOUT: return &ty_TimeoutError;
    default: return NULL;
    }
}

static Value os_error_new(TyType *type, const Value *arguments, size_t count, Value keywords);
static bool os_error_init(Value self, const Value *arguments, size_t count, Value keywords);

/* A subclass with an __init__ of its own, but no __new__, calls ours from there: only then are the arguments known. */
static bool filled_by_init(TyType *type) { return type->slots.init != os_error_init && type->slots.new == os_error_new; }

/* (errno, strerror, filename, winerror, filename2): the last three are optional, the fourth is ignored here. */
static bool os_error_fill(Value self, const Value *arguments, size_t count)
{
    TyOSErrorObject *e = (TyOSErrorObject *)ty_object(self);
    Value filename = TY_NULL;
    e->written = -1;
    if (count >= 2 && count <= 5) {
        ty_store(e, &e->errno_value, arguments[0]);
        ty_store(e, &e->strerror, arguments[1]);
        filename = count >= 3 ? null_if_none(arguments[2]) : TY_NULL;
    }
    if (filename) {
        if (ty_is_instance_of(self, &ty_BlockingIOError) && ty_has_index(filename)) {
            if (!ty_to_size(filename, &e->written))
                return false;
        } else {
            ty_store(e, &e->filename, filename);
            if (count >= 5)
                ty_store(e, &e->filename2, null_if_none(arguments[4]));
            count = 2; /* args are for (errno, strerror) alone, as they were before filenames came */
        }
    }
    Value args = ty_tuple_from_array(arguments, count);
    if (!args)
        return false;
    ty_store(e, &e->exception.args, args);
    return true;
}

static Value os_error_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    bool later = filled_by_init(type);
    if (!later && !ty_no_keywords(ty_type_short_name(type), keywords))
        return TY_NULL;
    if (type == &ty_OSError && count >= 2 && count <= 5 && ty_is_immediate_int(arguments[0])) {
        int64_t error = ty_immediate_int(arguments[0]);
        TyType *mapped = error >= 0 && error < 4096 ? os_error_type((int)error) : NULL;
        if (mapped)
            type = mapped;
    }
    Value self = ty_exception_new(type, ty_tuple_empty());
    if (self)
        ((TyOSErrorObject *)ty_object(self))->written = -1;
    return self && (later || os_error_fill(self, arguments, count)) ? self : TY_NULL;
}

static bool os_error_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!filled_by_init(ty_type_of(self)))
        return true;
    return ty_no_keywords(ty_type_short_name(ty_type_of(self)), keywords) && os_error_fill(self, arguments, count);
}

static Value os_error_str(Value self)
{
    TyOSErrorObject *e = (TyOSErrorObject *)ty_object(self);
    Value error = none_if_null(ty_field(&e->errno_value)), text = none_if_null(ty_field(&e->strerror));
    Value filename = ty_field(&e->filename), filename2 = ty_field(&e->filename2);
    if (filename && filename2)
        return ty_str_format("[Errno %S] %S: %R -> %R", error, text, filename, filename2);
    if (filename)
        return ty_str_format("[Errno %S] %S: %R", error, text, filename);
    if (ty_field(&e->errno_value) && ty_field(&e->strerror))
        return ty_str_format("[Errno %S] %S", error, text);
    return base_str(self);
}

static Value os_error_reduce(Value self, Value *a)
{
    TyOSErrorObject *e = (TyOSErrorObject *)ty_object(self);
    Value args = args_of(self), filename = ty_field(&e->filename), filename2 = ty_field(&e->filename2);
    if (ty_tuple_length(args) == 2 && filename) {
        Value error = ty_tuple_item(args, 0), text = ty_tuple_item(args, 1);
        args = filename2 ? ty_tuple_pack(5, error, text, filename, TY_NONE, filename2) : ty_tuple_pack(3, error, text, filename);
        if (!args)
            return TY_NULL;
    }
    bool failed;
    Value state = own_attributes(self, &failed);
    return failed ? TY_NULL : reduce_with(self, args, state);
}

static Value get_written(Value self)
{
    int64_t written = ((TyOSErrorObject *)ty_object(self))->written;
    return written < 0 ? ty_raise(&ty_AttributeError, "characters_written") : ty_int_from_int64(written);
}
static bool set_written(Value self, Value value)
{
    TyOSErrorObject *e = (TyOSErrorObject *)ty_object(self);
    if (value)
        return ty_to_size(value, &e->written);
    if (e->written < 0)
        return ty_raise(&ty_AttributeError, "characters_written"), false;
    e->written = -1;
    return true;
}

static const TyNativeDef os_error_methods[] = {
    TY_METHOD("__reduce__(self, /)", os_error_reduce, "What pickle needs to make the exception again."), {0}};
static const TyGetSetDef os_error_getsets[] = {{"characters_written", get_written, set_written, NULL}, {0}};
static const TyMemberDef os_error_members[] = {
    {"errno", TY_MEMBER_VALUE_NONE, true, offsetof(TyOSErrorObject, errno_value), "the system's number of the error"},
    {"strerror", TY_MEMBER_VALUE_NONE, true, offsetof(TyOSErrorObject, strerror), "the system's text for it"},
    {"filename", TY_MEMBER_VALUE_NONE, true, offsetof(TyOSErrorObject, filename), "the file's name"},
    {"filename2", TY_MEMBER_VALUE_NONE, true, offsetof(TyOSErrorObject, filename2), "the second file's name"},
    {0}};
TyType ty_OSError = {
    EXCEPTION("OSError", ty_Exception, TyOSErrorObject, trace_four, "The operating system reported an error."),
    .slots = {.new = os_error_new, .init = os_error_init, .str = os_error_str},
    .methods = os_error_methods, .getsets = os_error_getsets, .members = os_error_members};
#define OS_SUBCLASS(name, parent, doc) TyType ty_##name = {EXCEPTION(#name, ty_##parent, TyOSErrorObject, trace_four, doc)};
OS_SUBCLASSES(OS_SUBCLASS)

/* --- SyntaxError ------------------------------------------------------------------------------------------------------------------- */

/* (filename, lineno, offset, text[, end_lineno, end_offset[, metadata]]) */
static bool syntax_error_details(TySyntaxErrorObject *e, Value details)
{
    Value items = ty_sequence_tuple(details);
    if (!items)
        return false;
    int64_t count = ty_tuple_length(items);
    if (count < 4)
        return ty_raise(&ty_TypeError, "function takes at least 4 arguments (%lld given)", (long long)count), false;
    if (count > 7)
        return ty_raise(&ty_TypeError, "function takes at most 7 arguments (%lld given)", (long long)count), false;
    Value *const fields[] = {&e->filename, &e->lineno, &e->offset, &e->text, &e->end_lineno, &e->end_offset, &e->metadata};
    for (int64_t i = 0; i < 7; i++)
        ty_store(e, fields[i], i < count ? ty_tuple_item(items, i) : TY_NULL);
    if (e->end_lineno && !e->end_offset)
        return ty_raise(&ty_TypeError, "end_offset must be provided when end_lineno is provided"), false;
    return true;
}

static bool syntax_error_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    TySyntaxErrorObject *e = (TySyntaxErrorObject *)ty_object(self);
    if (!base_init(self, arguments, count, keywords))
        return false;
    if (count >= 1)
        ty_store(e, &e->msg, arguments[0]);
    return count != 2 || syntax_error_details(e, arguments[1]);
}

static Value syntax_error_str(Value self)
{
    TySyntaxErrorObject *e = (TySyntaxErrorObject *)ty_object(self);
    Value msg = none_if_null(ty_field(&e->msg)), filename = ty_field(&e->filename), line = ty_field(&e->lineno);
    int64_t number = 0;
    bool has_line = line && (ty_is_immediate_int(line) || ty_is_exact(line, &ty_int_type));
    if (has_line && !ty_to_int64(line, &number)) {
        ty_clear_exception();
        number = -1;
    }
    if (filename && ty_is_str(filename)) {
        int64_t length = ty_str_length(filename), slash = ty_str_find_char(filename, '/', 0, length, -1);
        filename = ty_str_slice(filename, slash + 1, length);
        if (!filename)
            return TY_NULL;
    } else {
        filename = TY_NULL;
    }
    if (filename && has_line)
        return ty_str_format("%S (%U, line %lld)", msg, filename, (long long)number);
    if (filename)
        return ty_str_format("%S (%U)", msg, filename);
    if (has_line)
        return ty_str_format("%S (line %lld)", msg, (long long)number);
    return ty_str(msg);
}

#define SYNTAX_MEMBER(name, field, doc) {name, TY_MEMBER_VALUE_NONE, true, offsetof(TySyntaxErrorObject, field), doc}
static const TyMemberDef syntax_error_members[] = {
    SYNTAX_MEMBER("msg", msg, "the message"),
    SYNTAX_MEMBER("filename", filename, "the source file"),
    SYNTAX_MEMBER("lineno", lineno, "the line, from 1"),
    SYNTAX_MEMBER("offset", offset, "the column, from 1"),
    SYNTAX_MEMBER("text", text, "the line's text"),
    SYNTAX_MEMBER("end_lineno", end_lineno, "the last line"),
    SYNTAX_MEMBER("end_offset", end_offset, "the column after the last character"),
    SYNTAX_MEMBER("print_file_and_line", print_file_and_line, NULL),
    SYNTAX_MEMBER("_metadata", metadata, NULL),
    {0}};
TyType ty_SyntaxError = {
    EXCEPTION("SyntaxError", ty_Exception, TySyntaxErrorObject, trace_nine, "The source text is not valid Python."),
    .slots = {.init = syntax_error_init, .str = syntax_error_str}, .members = syntax_error_members};
TyType ty_IndentationError = {EXCEPTION("IndentationError", ty_SyntaxError, TySyntaxErrorObject, trace_nine, "The indentation is wrong.")};
TyType ty_TabError = {EXCEPTION("TabError", ty_IndentationError, TySyntaxErrorObject, trace_nine, "Tabs and spaces are mixed.")};
TyType ty__IncompleteInputError = {
    EXCEPTION("_IncompleteInputError", ty_SyntaxError, TySyntaxErrorObject, trace_nine, "The source text could go on.")};

/* --- UnicodeError's children ---------------------------------------------------------------------------------------------------------- */

static TyUnicodeErrorObject *as_unicode_error(Value self) { return (TyUnicodeErrorObject *)ty_object(self); }

static bool check_count(size_t count, size_t wanted)
{
    if (count != wanted)
        ty_raise(&ty_TypeError, "function takes exactly %zu arguments (%zu given)", wanted, count);
    return count == wanted;
}
static bool check_str(Value v, int number)
{
    if (!ty_is_str(v))
        ty_raise(&ty_TypeError, "argument %d must be str, not %T", number, v);
    return ty_is_str(v);
}

/* From `first` on the arguments are object, start, end, reason; encoding, if there is one, is argument 0. */
static bool unicode_error_fill(Value self, const Value *arguments, size_t first, Value object)
{
    TyUnicodeErrorObject *e = as_unicode_error(self);
    int64_t start, end;
    if (!ty_to_size(arguments[first + 1], &start) || !ty_to_size(arguments[first + 2], &end) || !check_str(arguments[first + 3], (int)first + 4))
        return false;
    if (first)
        ty_store(e, &e->encoding, arguments[0]);
    ty_store(e, &e->object, object);
    ty_store(e, &e->reason, arguments[first + 3]);
    e->start = start;
    e->end = end;
    return true;
}

static bool decode_error_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!base_init(self, arguments, count, keywords) || !check_count(count, 5) || !check_str(arguments[0], 1))
        return false;
    Value object = arguments[1];
    if (!ty_is_bytes(object)) { /* kept as bytes: what it was may change */
        TyBuffer view;
        if (!ty_buffer_get(object, &view, TY_BUFFER_SIMPLE))
            return false;
        object = ty_bytes_new(view.data, (size_t)view.length);
        ty_buffer_release(&view);
        if (!object)
            return false;
    }
    return unicode_error_fill(self, arguments, 1, object);
}
static bool encode_error_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    return base_init(self, arguments, count, keywords) && check_count(count, 5) && check_str(arguments[0], 1) && check_str(arguments[1], 2) &&
           unicode_error_fill(self, arguments, 1, arguments[1]);
}
static bool translate_error_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    return base_init(self, arguments, count, keywords) && check_count(count, 4) && check_str(arguments[0], 1) &&
           unicode_error_fill(self, arguments, 0, arguments[0]);
}

/* The one bad character, or -1: there are more of them, or the positions are outside. */
static int64_t bad_item(TyUnicodeErrorObject *e, int64_t length)
{
    if (e->start < 0 || e->start >= length || e->end != e->start + 1)
        return -1;
    return ty_is_bytes(e->object) ? ty_bytes_data(e->object)[e->start] : ty_str_at(e->object, e->start);
}
/* The encoding and the reason as text, and then, for that may run Python, whether the object is still of the right type. */
static bool describe(TyUnicodeErrorObject *e, bool bytes, Value *encoding, Value *reason)
{
    if (encoding && (*encoding = e->encoding ? ty_str(e->encoding) : ty_str_empty()) == TY_NULL)
        return false;
    *reason = e->reason ? ty_str(e->reason) : ty_str_empty();
    if (*reason == TY_NULL)
        return false;
    if (!e->object)
        ty_raise(&ty_TypeError, "UnicodeError 'object' attribute is not set");
    else if (!(bytes ? ty_is_bytes(e->object) : ty_is_str(e->object)))
        ty_raise(&ty_TypeError, "UnicodeError 'object' attribute must be a %s", bytes ? "bytes" : "string");
    return !ty_raised();
}
static Value decode_error_str(Value self)
{
    TyUnicodeErrorObject *e = as_unicode_error(self);
    Value encoding, reason;
    if (!e->object)
        return ty_str_empty();
    if (!describe(e, true, &encoding, &reason))
        return TY_NULL;
    int64_t bad = bad_item(e, ty_bytes_length(e->object));
    if (bad >= 0)
        return ty_str_format("'%U' codec can't decode byte 0x%02x in position %lld: %U", encoding, (int)bad, (long long)e->start, reason);
    return ty_str_format("'%U' codec can't decode bytes in position %lld-%lld: %U", encoding, (long long)e->start, (long long)e->end - 1, reason);
}
static Value character_text(int64_t c)
{
    static const char digits[] = "0123456789abcdef";
    char text[12] = "\\";
    int width = c <= 0xFF ? 2 : c <= 0xFFFF ? 4 : 8;
    text[1] = width == 2 ? 'x' : width == 4 ? 'u' : 'U';
    for (int i = 0; i < width; i++)
        text[2 + i] = digits[c >> (4 * (width - 1 - i)) & 15];
    return ty_str_from_text(text);
}
static Value encode_error_str(Value self)
{
    TyUnicodeErrorObject *e = as_unicode_error(self);
    Value encoding, reason;
    if (!e->object)
        return ty_str_empty();
    if (!describe(e, false, &encoding, &reason))
        return TY_NULL;
    int64_t bad = bad_item(e, ty_str_length(e->object));
    if (bad >= 0)
        return ty_str_format("'%U' codec can't encode character '%U' in position %lld: %U", encoding, character_text(bad), (long long)e->start,
                             reason);
    return ty_str_format("'%U' codec can't encode characters in position %lld-%lld: %U", encoding, (long long)e->start, (long long)e->end - 1,
                         reason);
}
static Value translate_error_str(Value self)
{
    TyUnicodeErrorObject *e = as_unicode_error(self);
    Value reason;
    if (!e->object)
        return ty_str_empty();
    if (!describe(e, false, NULL, &reason))
        return TY_NULL;
    int64_t bad = bad_item(e, ty_str_length(e->object));
    if (bad >= 0)
        return ty_str_format("can't translate character '%U' in position %lld: %U", character_text(bad), (long long)e->start, reason);
    return ty_str_format("can't translate characters in position %lld-%lld: %U", (long long)e->start, (long long)e->end - 1, reason);
}

/* Whatever is set later: handlers of errors look at it again before they use it. */
static bool set_any(Value self, Value *field, Value value)
{
    ty_store(ty_object(self), field, value);
    return true;
}
static Value get_encoding(Value self) { return none_if_null(as_unicode_error(self)->encoding); }
static bool set_encoding(Value self, Value v) { return set_any(self, &as_unicode_error(self)->encoding, v); }
static Value get_object(Value self) { return none_if_null(as_unicode_error(self)->object); }
static bool set_object(Value self, Value v) { return set_any(self, &as_unicode_error(self)->object, v); }
static Value get_reason(Value self) { return none_if_null(as_unicode_error(self)->reason); }
static bool set_reason(Value self, Value v) { return set_any(self, &as_unicode_error(self)->reason, v); }
static Value get_start(Value self) { return ty_int_from_int64(as_unicode_error(self)->start); }
static Value get_end(Value self) { return ty_int_from_int64(as_unicode_error(self)->end); }
static bool set_position(int64_t *place, Value v)
{
    if (!v)
        return ty_raise(&ty_TypeError, "can't delete numeric/char attribute"), false;
    if (!ty_has_index(v))
        return ty_raise(&ty_TypeError, "an integer is required"), false;
    return ty_to_size(v, place);
}
static bool set_start(Value self, Value v) { return set_position(&as_unicode_error(self)->start, v); }
static bool set_end(Value self, Value v) { return set_position(&as_unicode_error(self)->end, v); }

#define UNICODE_GETSETS(set_object)                                                                                            \
    {{"encoding", get_encoding, set_encoding, "the codec's name"}, {"object", get_object, set_object, "what was to be converted"}, \
     {"start", get_start, set_start, "where the bad part starts"}, {"end", get_end, set_end, "where it ends"},                  \
     {"reason", get_reason, set_reason, "what is wrong with it"}, {0}}
static const TyGetSetDef decode_getsets[] = UNICODE_GETSETS(set_object), encode_getsets[] = UNICODE_GETSETS(set_object);

TyType ty_UnicodeDecodeError = {
    EXCEPTION("UnicodeDecodeError", ty_UnicodeError, TyUnicodeErrorObject, trace_three, "Bytes are not valid in an encoding."),
    .slots = {.init = decode_error_init, .str = decode_error_str}, .getsets = decode_getsets};
TyType ty_UnicodeEncodeError = {
    EXCEPTION("UnicodeEncodeError", ty_UnicodeError, TyUnicodeErrorObject, trace_three, "Text can't be expressed in an encoding."),
    .slots = {.init = encode_error_init, .str = encode_error_str}, .getsets = encode_getsets};
TyType ty_UnicodeTranslateError = {
    EXCEPTION("UnicodeTranslateError", ty_UnicodeError, TyUnicodeErrorObject, trace_three, "Text can't be translated."),
    .slots = {.init = translate_error_init, .str = translate_error_str}, .getsets = encode_getsets};
