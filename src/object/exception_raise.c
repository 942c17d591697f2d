/* Raising: making exceptions, chaining them, taking and restoring them, and what is done with those that nobody handles. */
#include "object/exception.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool ty_is_exception_class(Value v) { return ty_is_type(v) && (ty_as_type(v)->flags & TY_TYPE_EXCEPTION); }

/* --- chaining -------------------------------------------------------------------------------------------------------- */

/* `exception` may stand in the chain of `context` already: there the chain is cut, or it would become a cycle. A cycle that a program made
 * itself is met as well; a second walker at half the speed notices it. */
void ty_exception_set_context(Value exception, Value context)
{
    if (!context || context == exception)
        return;
    Value at = context, slow = context;
    for (bool odd = false;; odd = !odd) {
        Value next = ty_field(&ty_as_exception(at)->context);
        if (!next)
            break;
        if (next == exception) {
            ty_store(ty_object(at), &ty_as_exception(at)->context, TY_NULL);
            break;
        }
        at = next;
        if (odd)
            slow = ty_field(&ty_as_exception(slow)->context);
        if (at == slow)
            break;
    }
    ty_store(ty_object(exception), &ty_as_exception(exception)->context, context);
}

Value ty_raise_object(Value exception)
{
    TyThread *thread = ty_thread;
    ty_exception_set_context(exception, thread->handled);
    thread->exception = exception;
    return TY_NULL;
}

/* --- making ------------------------------------------------------------------------------------------------------------- */

/* An instance as type(*arguments) would give it. */
static Value make(TyType *type, const Value *arguments, size_t count)
{
    if (type->flags & TY_TYPE_HEAP) {
        Value made = ty_call(ty_from_object(type), arguments, count, TY_NULL);
        if (made && !ty_is_exception(made))
            return ty_raise(&ty_TypeError, "calling %R should have returned an instance of BaseException, not %N", ty_from_object(type),
                            ty_from_object(ty_type_of(made)));
        return made;
    }
    Value made = type->slots.new(type, arguments, count, TY_NULL);
    return made && type->slots.init(made, arguments, count, TY_NULL) ? made : TY_NULL;
}

static void fill_reserve(void);
static _Atomic bool reserve_touched;

static Value raise_made(Value made)
{
    if (!made)
        return TY_NULL;
    if (TY_UNLIKELY(ty_load_relaxed(&reserve_touched))) {
        ty_store_relaxed(&reserve_touched, false);
        fill_reserve();
    }
    return ty_raise_object(made);
}

Value ty_raise_value(TyType *type, Value argument) { return raise_made(make(type, &argument, 1)); }
Value ty_raise_none(TyType *type) { return raise_made(make(type, ty_no_arguments, 0)); }

Value ty_raise_va(TyType *type, const char *format, va_list arguments)
{
    Value message = ty_str_format_va(format, arguments);
    return message ? ty_raise_value(type, message) : TY_NULL;
}

Value ty_raise(TyType *type, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ty_raise_va(type, format, arguments);
    va_end(arguments);
    return TY_NULL;
}

Value ty_raise_key_error(Value key)
{
    Value args = ty_tuple_pack(1, key);
    return raise_made(args ? ty_exception_new(&ty_KeyError, args) : TY_NULL);
}

Value ty_raise_stop_iteration(Value value)
{
    bool none = !value || value == TY_NONE;
    return raise_made(make(&ty_StopIteration, &value, none ? 0 : 1));
}

Value ty_raise_recursion_error(const char *where) { return ty_raise(&ty_RecursionError, "maximum recursion depth exceeded%s", where); }

Value ty_raise_errno(TyType *type, int error, Value filename, Value filename2)
{
    char buffer[128];
    const char *text = strerror_r(error, buffer, sizeof buffer);
    Value message = ty_str_decode_fs(text, strlen(text));
    Value arguments[] = {ty_from_immediate_int(error), message, filename, TY_NONE, filename2};
    if (!message)
        return TY_NULL;
    if (!filename)
        arguments[2] = TY_NONE;
    return raise_made(make(type, arguments, filename2 ? 5 : filename ? 3 : 2));
}

Value ty_raise_attribute_error(Value object, Value name)
{
    const char *format = ty_is_type(object) ? "type object '%s' has no attribute '%U'" : "'%s' object has no attribute '%U'";
    const char *type = (ty_is_type(object) ? ty_as_type(object) : ty_type_of(object))->name;
    Value message = ty_str_format(format, type, name);
    Value made = message ? make(&ty_AttributeError, &message, 1) : TY_NULL;
    if (!made)
        return TY_NULL;
    TyAttributeErrorObject *e = (TyAttributeErrorObject *)ty_object(made);
    ty_store(e, &e->name, name);
    ty_store(e, &e->obj, object);
    return ty_raise_object(made);
}

Value ty_raise_name_error(TyType *type, const char *format, Value name)
{
    Value message = ty_str_format(format, name);
    Value made = message ? make(type, &message, 1) : TY_NULL;
    if (!made)
        return TY_NULL;
    if (type == &ty_NameError) /* what may be suggested for a name that does not exist; an unbound local's does */
        ty_store(ty_object(made), &((TyNameErrorObject *)ty_object(made))->name, name);
    return ty_raise_object(made);
}

Value ty_raise_import_error(TyType *type, Value message, Value name, Value path)
{
    Value made = make(type, &message, 1);
    if (!made)
        return TY_NULL;
    TyImportErrorObject *e = (TyImportErrorObject *)ty_object(made);
    ty_store(e, &e->name, name);
    ty_store(e, &e->path, path);
    return ty_raise_object(made);
}

Value ty_raise_from(TyType *type, const char *format, ...)
{
    Value cause = ty_take_exception();
    va_list arguments;
    va_start(arguments, format);
    ty_raise_va(type, format, arguments);
    va_end(arguments);
    Value raised = ty_thread->exception;
    if (cause && raised) {
        ty_exception_set_cause(raised, cause);
        ty_exception_set_context(raised, cause);
    }
    return TY_NULL;
}

/* --- memory is short --------------------------------------------------------------------------------------------------------- */

/* Instances made beforehand; each is used once, and new ones are made when an exception could be made again. When all are gone there is
 * one more, which serves again and again. */
#define RESERVE 16
static TyMutex reserve_lock;
static Value reserve[RESERVE];
static _Atomic int reserve_left;
static struct { TyException exception; Value attributes; } last_resort;

static void fill_reserve(void)
{
    while (ty_load_relaxed(&reserve_left) < RESERVE) {
        Value made = ty_exception_new(&ty_MemoryError, ty_tuple_empty());
        if (!made) {
            ty_clear_exception();
            return;
        }
        ty_mutex_lock(&reserve_lock);
        int left = ty_load_relaxed(&reserve_left);
        if (left < RESERVE) {
            __atomic_store_n(&reserve[left], made, __ATOMIC_RELAXED);
            ty_store_relaxed(&reserve_left, left + 1);
        }
        ty_mutex_unlock(&reserve_lock);
    }
}

bool ty_exceptions_start(void)
{
    ty_root_add(reserve, RESERVE);
    ty_root_add(&last_resort.exception.args, (size_t)(&last_resort.exception.cause - &last_resort.exception.args) + 1);
    ty_root_add(&last_resort.attributes, 1);
    fill_reserve();
    return ty_load_relaxed(&reserve_left) == RESERVE;
}

Value ty_raise_memory_error(void)
{
    Value made = TY_NULL;
    ty_mutex_lock(&reserve_lock);
    int left = ty_load_relaxed(&reserve_left);
    if (left > 0) {
        made = __atomic_load_n(&reserve[left - 1], __ATOMIC_RELAXED);
        ty_store_relaxed(&reserve_left, left - 1);
        ty_store_relaxed(&reserve_touched, true);
    }
    ty_mutex_unlock(&reserve_lock);
    if (!made) {
        TyObject *object = &last_resort.exception.base;
        ty_store_relaxed(&object->bits, ty_load_relaxed(&ty_MemoryError.layout.shape) << TY_SHAPE_SHIFT);
        ty_store_relaxed(&object->type, &ty_MemoryError);
        made = ty_from_object(object);
    }
    return ty_raise_object(made);
}

/* --- asking and clearing ------------------------------------------------------------------------------------------------------- */

bool ty_raised_is(const TyType *type) { return ty_thread->exception && ty_exception_matches(ty_thread->exception, ty_from_object(type)); }

/* Classes are compared by their mro: __subclasscheck__ has no say here. */
bool ty_exception_matches(Value exception, Value class_or_tuple)
{
    if (!exception || !class_or_tuple)
        return false;
    if (ty_is_tuple(class_or_tuple)) {
        for (int64_t i = 0; i < ty_tuple_length(class_or_tuple); i++)
            if (ty_exception_matches(exception, ty_tuple_item(class_or_tuple, i)))
                return true;
        return false;
    }
    TyType *type = ty_is_exception_class(exception) ? ty_as_type(exception) : ty_is_exception(exception) ? ty_type_of(exception) : NULL;
    if (!type || !ty_is_exception_class(class_or_tuple))
        return exception == class_or_tuple;
    return type == ty_as_type(class_or_tuple) || ty_type_is_subtype(type, ty_as_type(class_or_tuple));
}

Value ty_take_exception(void)
{
    Value raised = ty_thread->exception;
    ty_thread->exception = TY_NULL;
    return raised;
}
void ty_restore_exception(Value exception) { ty_thread->exception = exception; }
void ty_clear_exception(void) { ty_thread->exception = TY_NULL; }

Value ty_stop_iteration_value(void)
{
    if (!ty_raised_is(&ty_StopIteration))
        return TY_NULL;
    Value value = ty_field(&((TyStopIteration *)ty_object(ty_take_exception()))->value);
    return value ? value : TY_NONE;
}

/* --- warnings --------------------------------------------------------------------------------------------------------------------- */

bool ty_warn(TyType *category, int64_t stack_level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Value message = ty_str_format_va(format, arguments);
    va_end(arguments);
    Value module = message ? ty_module_current("_warnings") : TY_NULL;
    Value warn = module ? ty_get_attribute(module, TY_NAME("warn")) : TY_NULL;
    Value call[] = {message, ty_from_object(category), ty_from_immediate_int(stack_level)};
    return warn && ty_call(warn, call, 3, TY_NULL);
}

/* --- exceptions that nobody handles ------------------------------------------------------------------------------------------------- */

static Value sys_attribute(const char *name)
{
    return ty_interpreter()->sys ? ty_sys_get(name) : TY_NULL;
}

/* Writes to the file, by default sys.stderr; to the descriptor if there is no such object or it fails. */
static void write_error_text(Value file, Value text)
{
    if (!file)
        file = sys_attribute("stderr");
    if (file && file != TY_NONE && ty_call_method_one(file, TY_NAME("write"), text)) {
        if (!ty_call_method_none(file, TY_NAME("flush")))
            ty_clear_exception();
        return;
    }
    ty_clear_exception();
    size_t size;
    Value holder;
    const char *bytes = file == TY_NONE ? NULL : ty_str_utf8(text, &size, &holder);
    if (bytes && write(STDERR_FILENO, bytes, size) < 0)
        return;
    ty_clear_exception();
}

static bool add_traceback(TyStrBuilder *b, Value traceback)
{
    if (!traceback)
        return true;
    ty_builder_add_text(b, "Traceback (most recent call last):\n");
    for (; traceback; traceback = ty_field(&((TyTraceback *)ty_object(traceback))->next)) {
        TyTraceback *entry = (TyTraceback *)ty_object(traceback);
        Value code = ty_get_attribute(entry->frame, TY_NAME("f_code"));
        Value name = code ? ty_get_attribute(code, TY_NAME("co_name")) : TY_NULL;
        Value filename = name ? ty_get_attribute(code, TY_NAME("co_filename")) : TY_NULL;
        Value line = filename ? ty_str_format("  File \"%S\", line %d, in %S\n", filename, ty_traceback_line(entry), name) : TY_NULL;
        if (!line)
            return false;
        ty_builder_add(b, line);
    }
    return true;
}

/* The exception's last line: what CPython prints for it. */
static void add_summary(TyStrBuilder *b, Value exception)
{
    TyType *type = ty_type_of(exception);
    Value module = ty_type_module(type), text;
    if (!module)
        ty_clear_exception();
    else if (ty_is_str(module) && !ty_str_equal_text(module, "builtins") && !ty_str_equal_text(module, "__main__")) {
        ty_builder_add(b, module);
        ty_builder_add_char(b, '.');
    }
    ty_builder_add(b, ty_field(&type->qualname_value));
    text = ty_str(exception);
    if (!text) {
        ty_clear_exception();
        ty_builder_add_text(b, ": <exception str() failed>");
    } else if (ty_str_length(text)) {
        ty_builder_add_text(b, ": ");
        ty_builder_add(b, text);
    }
    ty_builder_add_char(b, '\n');
}

#define CHAIN_SHOWN 100
static void print_plainly(Value file, Value exception, int depth)
{
    TyException *e = ty_as_exception(exception);
    Value before = ty_field(&e->cause), context = ty_field(&e->context);
    const char *link = "\nThe above exception was the direct cause of the following exception:\n\n";
    if (!before && !e->suppress_context) {
        before = context;
        link = "\nDuring handling of the above exception, another exception occurred:\n\n";
    }
    TyStrBuilder b = {0};
    if (before && depth < CHAIN_SHOWN) {
        print_plainly(file, before, depth + 1);
        ty_builder_add_text(&b, link);
    }
    if (!add_traceback(&b, ty_field(&e->traceback)))
        ty_clear_exception();
    add_summary(&b, exception);
    Value text = ty_builder_finish(&b);
    if (text)
        write_error_text(file, text);
    else
        ty_clear_exception();
}

/* The traceback module knows about source lines, carets, groups and colours. */
static bool print_with_module(Value file, Value exception)
{
    Value import = ty_interpreter()->import_function;
    Value module = import ? ty_call_one(import, TY_NAME("traceback")) : TY_NULL;
    if (!module)
        return false;
    if (!file)
        return ty_call_method_one(module, TY_NAME("_print_exception_bltin"), exception);
    Value print = ty_get_attribute(module, TY_NAME("print_exception"));
    Value names = print ? ty_tuple_pack(1, TY_NAME("file")) : TY_NULL, arguments[] = {exception, file};
    return names && ty_call(print, arguments, 1, names);
}

void ty_print_exception(Value exception) { ty_print_exception_to(exception, TY_NULL); }

void ty_print_exception_to(Value exception, Value file)
{
    Value raised = ty_take_exception(), handled = ty_thread->handled;
    if ((file ? file : sys_attribute("stderr")) == TY_NONE)
        return;
    ty_thread->handled = TY_NULL;
    if (!print_with_module(file, exception)) {
        ty_clear_exception();
        print_plainly(file, exception, 0);
    }
    ty_thread->handled = handled;
    ty_thread->exception = raised;
}

static TyType unraisable_type;
static Value unraisable_arguments(Value exception, Value message, Value where)
{
    static const TyStructField fields[] = {
        {"exc_type", "Exception type"}, {"exc_value", "Exception value"}, {"exc_traceback", "Exception traceback"},
        {"err_msg", "Error message"}, {"object", "Object causing the exception"}, {0}};
    static const TyStructDef def = {"UnraisableHookArgs", "What sys.unraisablehook() is given.", fields, 5};
    if (!ty_struct_sequence_type(&unraisable_type, &def))
        return TY_NULL;
    Value traceback = ty_field(&ty_as_exception(exception)->traceback);
    Value all[] = {ty_from_object(ty_type_of(exception)), exception, traceback ? traceback : TY_NONE, message ? message : TY_NONE,
                   where ? where : TY_NONE};
    return ty_struct_sequence_new(&unraisable_type, all);
}

void ty_print_unraisable(Value exception, Value message, Value where)
{
    TyStrBuilder b = {0};
    Value intro = message && message != TY_NONE ? message : ty_str_from_text("Exception ignored in");
    Value repr = where && where != TY_NONE ? ty_repr(where) : TY_NULL;
    if (!repr)
        ty_clear_exception();
    if (intro && repr)
        intro = ty_str_format("%U: %U\n", intro, repr);
    else if (intro)
        intro = ty_str_format(where && where != TY_NONE ? "%U: <object repr() failed>\n" : "%U:\n", intro);
    if (intro)
        write_error_text(TY_NULL, intro);
    ty_clear_exception();
    if (exception == TY_NONE)
        return;
    if (!print_with_module(TY_NULL, exception)) {
        ty_clear_exception();
        if (!add_traceback(&b, ty_field(&ty_as_exception(exception)->traceback)))
            ty_clear_exception();
        add_summary(&b, exception);
        Value text = ty_builder_finish(&b);
        if (text)
            write_error_text(TY_NULL, text);
    }
    ty_clear_exception();
}

void ty_write_unraisable_text(Value where, Value text)
{
    Value exception = ty_take_exception();
    if (!exception)
        return;
    Value handled = ty_thread->handled;
    ty_thread->handled = TY_NULL;
    Value arguments = unraisable_arguments(exception, text, where), hook = sys_attribute("unraisablehook");
    if (!arguments || !hook || hook == TY_NONE) {
        ty_clear_exception();
        ty_print_unraisable(exception, text, where);
    } else if (!ty_call_one(hook, arguments)) {
        Value second = ty_take_exception();
        ty_print_unraisable(second, ty_str_from_text("Exception ignored in sys.unraisablehook"), hook);
    }
    ty_clear_exception();
    ty_thread->handled = handled;
}

void ty_write_unraisable(Value where, const char *message)
{
    Value raised = ty_take_exception(), text = message ? ty_str_from_text(message) : TY_NULL;
    ty_thread->exception = raised;
    ty_write_unraisable_text(where, text);
}
