/* Exceptions: the built-in types and raising. The raised exception is ty_thread->exception; a C function that fails leaves it there and
 * returns its error value. */
#ifndef TY_OBJECT_EXCEPTION_H
#define TY_OBJECT_EXCEPTION_H

#include "object/object.h"

typedef struct TyException {
    TyObject base;
    Value args;                 /* tuple */
    Value notes;                /* unused: __notes__ lives among the attributes */
    Value traceback, context, cause; /* TY_NULL: None */
    bool suppress_context;
} TyException;

/* Types with fields of their own, after those of TyException. TY_NULL reads as None. */
typedef struct TyStopIteration { TyException exception; Value value; } TyStopIteration;
typedef struct TySystemExit { TyException exception; Value code; } TySystemExit;
typedef struct TyImportErrorObject { TyException exception; Value msg, name, path, name_from; } TyImportErrorObject;
typedef struct TyNameErrorObject { TyException exception; Value name; } TyNameErrorObject;
typedef struct TyAttributeErrorObject { TyException exception; Value name, obj; } TyAttributeErrorObject;
typedef struct TySyntaxErrorObject { TyException exception; Value msg, filename, lineno, offset, end_lineno, end_offset, text, print_file_and_line, metadata; } TySyntaxErrorObject;
typedef struct TyOSErrorObject { TyException exception; Value errno_value, strerror, filename, filename2; int64_t written; } TyOSErrorObject;
typedef struct TyUnicodeErrorObject { TyException exception; Value encoding, object, reason; int64_t start, end; } TyUnicodeErrorObject;
typedef struct TyExceptionGroup { TyException exception; Value message, exceptions, text; } TyExceptionGroup; /* exceptions: a tuple; text: repr of what was given for it, if that was neither list nor tuple */

/* Name, parent, C struct: the tree of built-in exceptions, once. The C object of each is ty_<Name>: ty_TypeError. */
#define TY_EXCEPTIONS(X) \
    X(BaseException, object, TyException) \
    X(Exception, BaseException, TyException) \
    X(GeneratorExit, BaseException, TyException) \
    X(KeyboardInterrupt, BaseException, TyException) \
    X(SystemExit, BaseException, TySystemExit) \
    X(BaseExceptionGroup, BaseException, TyExceptionGroup) \
    X(ArithmeticError, Exception, TyException) \
    X(FloatingPointError, ArithmeticError, TyException) \
    X(OverflowError, ArithmeticError, TyException) \
    X(ZeroDivisionError, ArithmeticError, TyException) \
    X(AssertionError, Exception, TyException) \
    X(AttributeError, Exception, TyAttributeErrorObject) \
    X(BufferError, Exception, TyException) \
    X(EOFError, Exception, TyException) \
    X(ImportError, Exception, TyImportErrorObject) \
    X(ModuleNotFoundError, ImportError, TyImportErrorObject) \
    X(LookupError, Exception, TyException) \
    X(IndexError, LookupError, TyException) \
    X(KeyError, LookupError, TyException) \
    X(MemoryError, Exception, TyException) \
    X(NameError, Exception, TyNameErrorObject) \
    X(UnboundLocalError, NameError, TyNameErrorObject) \
    X(OSError, Exception, TyOSErrorObject) \
    X(BlockingIOError, OSError, TyOSErrorObject) \
    X(ChildProcessError, OSError, TyOSErrorObject) \
    X(ConnectionError, OSError, TyOSErrorObject) \
    X(BrokenPipeError, ConnectionError, TyOSErrorObject) \
    X(ConnectionAbortedError, ConnectionError, TyOSErrorObject) \
    X(ConnectionRefusedError, ConnectionError, TyOSErrorObject) \
    X(ConnectionResetError, ConnectionError, TyOSErrorObject) \
    X(FileExistsError, OSError, TyOSErrorObject) \
    X(FileNotFoundError, OSError, TyOSErrorObject) \
    X(InterruptedError, OSError, TyOSErrorObject) \
    X(IsADirectoryError, OSError, TyOSErrorObject) \
    X(NotADirectoryError, OSError, TyOSErrorObject) \
    X(PermissionError, OSError, TyOSErrorObject) \
    X(ProcessLookupError, OSError, TyOSErrorObject) \
    X(TimeoutError, OSError, TyOSErrorObject) \
    X(ReferenceError, Exception, TyException) \
    X(RuntimeError, Exception, TyException) \
    X(NotImplementedError, RuntimeError, TyException) \
    X(PythonFinalizationError, RuntimeError, TyException) \
    X(RecursionError, RuntimeError, TyException) \
    X(StopAsyncIteration, Exception, TyException) \
    X(StopIteration, Exception, TyStopIteration) \
    X(SyntaxError, Exception, TySyntaxErrorObject) \
    X(IndentationError, SyntaxError, TySyntaxErrorObject) \
    X(TabError, IndentationError, TySyntaxErrorObject) \
    X(_IncompleteInputError, SyntaxError, TySyntaxErrorObject) \
    X(SystemError, Exception, TyException) \
    X(TypeError, Exception, TyException) \
    X(ValueError, Exception, TyException) \
    X(UnicodeError, ValueError, TyException) \
    X(UnicodeDecodeError, UnicodeError, TyUnicodeErrorObject) \
    X(UnicodeEncodeError, UnicodeError, TyUnicodeErrorObject) \
    X(UnicodeTranslateError, UnicodeError, TyUnicodeErrorObject) \
    X(Warning, Exception, TyException) \
    X(BytesWarning, Warning, TyException) \
    X(DeprecationWarning, Warning, TyException) \
    X(EncodingWarning, Warning, TyException) \
    X(FutureWarning, Warning, TyException) \
    X(ImportWarning, Warning, TyException) \
    X(PendingDeprecationWarning, Warning, TyException) \
    X(ResourceWarning, Warning, TyException) \
    X(RuntimeWarning, Warning, TyException) \
    X(SyntaxWarning, Warning, TyException) \
    X(UnicodeWarning, Warning, TyException) \
    X(UserWarning, Warning, TyException)

#define TY_EXCEPTION_DECLARE(name, parent, structure) extern TyType ty_##name;
TY_EXCEPTIONS(TY_EXCEPTION_DECLARE)
#undef TY_EXCEPTION_DECLARE
/* ExceptionGroup has two bases and is made at start-up. */
extern TyType ty_ExceptionGroup;

TY_INLINE bool ty_is_exception(Value v) { return ty_is_object(v) && (ty_object_type(ty_object(v))->flags & TY_TYPE_EXCEPTION); }
TY_INLINE TyException *ty_as_exception(Value v) { return (TyException *)ty_object(v); }
bool ty_is_exception_class(Value v);
Value ty_exception_new(TyType *type, Value args);         /* an instance with these args (a tuple) and nothing else: no __init__ */
void ty_exception_set_cause(Value exception, Value cause); /* TY_NULL: None. Suppresses the context */
void ty_exception_set_context(Value exception, Value context); /* breaks the chain where it would become a cycle */
bool ty_exceptions_start(void);                           /* after the types are ready: the reserve for when memory is short */

/* except*: the part of an exception that matches, and the rest; TY_NULL where there is none. A plain exception is wrapped in a group. */
bool ty_exception_group_match(Value exception, Value class_or_tuple, Value *match, Value *rest);
/* What is to be raised after the except* clauses of `original`, given the exceptions that they raised or left over; TY_NONE: nothing, TY_NULL: error. */
Value ty_exception_group_reraise(Value original, Value list);

/* Raising. All return TY_NULL. Formats: %s C text (UTF-8), %.Ns at most N bytes, %c, %d %i %u %x, %ld, %lld, %zd, %zu, %p, %%, and
 * %R repr of a Value, %S str of a Value, %U a Value that is a str, %A ascii of a Value, %T short type name of a Value, %N full type name (with module). */
Value ty_raise(TyType *type, const char *format, ...);
Value ty_raise_va(TyType *type, const char *format, va_list arguments);
Value ty_raise_value(TyType *type, Value argument);       /* type(argument) */
Value ty_raise_object(Value exception);                   /* an exception instance; sets __context__ from what is being handled */
Value ty_raise_none(TyType *type);                        /* no arguments */
Value ty_raise_key_error(Value key);
Value ty_raise_stop_iteration(Value value);
Value ty_raise_memory_error(void);                        /* allocates nothing */
Value ty_raise_recursion_error(const char *where);        /* "maximum recursion depth exceeded" + where ("" or " while calling a Python object") */
Value ty_raise_errno(TyType *type, int error, Value filename, Value filename2); /* OSError and its subclass by errno; filenames may be TY_NULL */
Value ty_raise_attribute_error(Value object, Value name); /* "'x' object has no attribute 'y'" */
Value ty_raise_name_error(TyType *type, const char *format, Value name);
Value ty_raise_import_error(TyType *type, Value message, Value name, Value path);
bool ty_warn(TyType *category, int64_t stack_level, const char *format, ...); /* false: the warning became an exception; calls _warnings */
bool ty_warn_explicit(TyType *category, Value message, Value filename, int line); /* modules/_warnings.c */

/* Asking and clearing. */
TY_INLINE bool ty_raised(void) { return ty_thread->exception != TY_NULL; }
bool ty_raised_is(const TyType *type);                    /* the raised exception is an instance of type */
bool ty_exception_matches(Value exception, Value class_or_tuple);
Value ty_take_exception(void);                            /* the raised exception, no longer raised; TY_NULL if none */
void ty_restore_exception(Value exception);               /* raises it as it is: no context, no traceback entry. TY_NULL: nothing is raised */
void ty_clear_exception(void);
/* Raises `type(message)` with the exception raised now as its __cause__ and __context__. */
Value ty_raise_from(TyType *type, const char *format, ...);
void ty_write_unraisable(Value where, const char *message); /* sys.unraisablehook with the raised exception, which is cleared */
void ty_write_unraisable_text(Value where, Value message); /* the same, either may be TY_NULL */
void ty_print_unraisable(Value exception, Value message, Value where); /* what sys.__unraisablehook__ does with its argument's fields */
Value ty_stop_iteration_value(void);                      /* takes a raised StopIteration: its value; TY_NULL with the exception kept if it is another */
void ty_print_exception(Value exception);                 /* sys.excepthook's job, in C, to sys.stderr */
void ty_print_exception_to(Value exception, Value file);

/* Tracebacks. */
typedef struct TyTraceback {
    TyObject base;
    Value next;               /* TyTraceback or TY_NULL */
    Value frame;              /* frame object */
    int32_t instruction;      /* tb_lasti, in words */
    int32_t line;             /* -1: from the instruction, when asked for */
} TyTraceback;
extern TyType ty_traceback_type;
bool ty_traceback_add(Value exception, Value frame, int32_t instruction, int32_t line); /* in front of what it has */
int ty_traceback_line(TyTraceback *traceback);
Value ty_traceback_new(Value next, Value frame, int32_t instruction, int32_t line);

#endif
