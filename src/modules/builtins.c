/* The module builtins: functions; the types are added from the list of static types that belong to it. */
#include "object/bytes.h"
#include "object/code.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/module.h"
#include "object/range.h"
#include "object/set.h"
#include "object/slice.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include "object/buffer.h"
#include "runtime/interactive.h"
#include "runtime/runtime.h"
#include "syntax/parse.h"
#include "vm/frame.h"
#include "vm/generator.h"
#include <stdlib.h>
#include <unistd.h>

/* --- classes ------------------------------------------------------------------------------------------------------------- */

/* Replaces bases that are no classes by what their __mro_entries__ gives. */
static Value update_bases(Value bases)
{
    Value list = TY_NULL;
    for (int64_t i = 0; i < ty_tuple_length(bases); i++) {
        Value base = ty_tuple_item(bases, i), entries = TY_NULL;
        if (!ty_is_type(base)) {
            bool failed;
            Value hook = ty_get_attribute_or_null(base, TY_NAME("__mro_entries__"), &failed);
            if (failed || (hook != TY_NULL && (entries = ty_call_one(hook, bases)) == TY_NULL))
                return TY_NULL;
            if (entries != TY_NULL && !ty_is_tuple(entries))
                return ty_raise(&ty_TypeError, "__mro_entries__ must return a tuple");
        }
        if (entries != TY_NULL && list == TY_NULL) {
            list = ty_list_from_array(ty_as_tuple(bases)->items, (size_t)i);
            if (list == TY_NULL)
                return TY_NULL;
        }
        if (entries != TY_NULL ? !ty_list_extend(list, entries) : (list != TY_NULL && !ty_list_append(list, base)))
            return TY_NULL;
    }
    return list == TY_NULL ? bases : ty_list_to_tuple(list);
}

static Value run_class_body(Value function, Value namespace)
{
    TyFrame *frame = ty_frame_push_bare(ty_as_function(function));
    if (!frame)
        return TY_NULL;
    frame->locals = namespace;
    return ty_vm_run(frame, false);
}

static Value check_cell(Value cell, Value class, Value name)
{
    if (cell == TY_NULL || !ty_is_exact(cell, &ty_cell_type) || !ty_is_type(class))
        return class;
    Value content = ty_field(&ty_as_cell(cell)->content);
    if (content == TY_NULL)
        return ty_raise(&ty_RuntimeError, "__class__ not set defining %R as %R. Was __classcell__ propagated to type.__new__?", name, class);
    if (content != class)
        return ty_raise(&ty_TypeError, "__class__ set to %R defining %R as %R", content, name, class);
    return class;
}

/* __build_class__(body, name, /, *bases, metaclass=..., **keywords) */
static Value build_class(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (count < 2)
        return ty_raise(&ty_TypeError, "__build_class__: not enough arguments");
    Value body = arguments[0], name = arguments[1];
    if (!ty_is_function(body))
        return ty_raise(&ty_TypeError, "__build_class__: func must be a function");
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "__build_class__: name is not a string");
    Value given = ty_tuple_from_array(arguments + 2, count - 2), bases = given == TY_NULL ? TY_NULL : update_bases(given);
    Value metatype = TY_NULL, options = ty_dict_new();
    if (bases == TY_NULL || options == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++) {
        Value keyword = ty_tuple_item(keywords, i), value = arguments[count + (size_t)i];
        if (ty_str_equal_text(keyword, "metaclass"))
            metatype = value;
        else if (!ty_dict_set(options, keyword, value))
            return TY_NULL;
    }
    bool is_class = true;
    if (metatype == TY_NULL)
        metatype = ty_from_object(ty_tuple_length(bases) ? ty_type_of(ty_tuple_item(bases, 0)) : &ty_type_type);
    else
        is_class = ty_is_type(metatype);
    if (is_class) {
        TyType *winner = ty_class_metatype(ty_as_type(metatype), bases);
        if (!winner)
            return TY_NULL;
        metatype = ty_from_object(winner);
    }
    Value namespace;
    bool failed;
    Value prepare = metatype == ty_from_object(&ty_type_type) ? TY_NULL : ty_get_attribute_or_null(metatype, TY_NAME("__prepare__"), &failed);
    if (prepare == TY_NULL) {
        if (ty_raised())
            return TY_NULL;
        namespace = ty_dict_new();
    } else {
        namespace = ty_call_with(prepare, ty_tuple_pack(2, name, bases), options);
    }
    if (namespace == TY_NULL)
        return TY_NULL;
    if (!ty_is_mapping(namespace))
        return ty_raise(&ty_TypeError, "%s.__prepare__() must return a mapping, not %T", is_class ? ty_as_type(metatype)->name : "<metaclass>", namespace);
    Value cell = run_class_body(body, namespace);
    if (cell == TY_NULL)
        return TY_NULL;
    if (bases != given && (ty_is_exact_dict(namespace) ? !ty_dict_set(namespace, TY_NAME("__orig_bases__"), given) : !ty_set_item(namespace, TY_NAME("__orig_bases__"), given)))
        return TY_NULL;
    Value class = ty_call_with(metatype, ty_tuple_pack(3, name, bases, namespace), options);
    return class == TY_NULL ? TY_NULL : check_cell(cell, class, name);
}

/* --- attributes, types --------------------------------------------------------------------------------------------------------- */

static Value builtin_getattr(Value self, Value *a)
{
    if (!ty_is_str(a[1]))
        return ty_raise(&ty_TypeError, "attribute name must be string, not '%T'", a[1]);
    if (a[2] == TY_NULL)
        return ty_get_attribute(a[0], a[1]);
    bool failed;
    Value v = ty_get_attribute_or_null(a[0], a[1], &failed);
    return v != TY_NULL || failed ? v : a[2];
}

static Value builtin_hasattr(Value self, Value *a)
{
    if (!ty_is_str(a[1]))
        return ty_raise(&ty_TypeError, "attribute name must be string, not '%T'", a[1]);
    bool failed;
    Value v = ty_get_attribute_or_null(a[0], a[1], &failed);
    return failed ? TY_NULL : ty_from_bool(v != TY_NULL);
}

static Value builtin_setattr(Value self, Value *a)
{
    if (!ty_is_str(a[1]))
        return ty_raise(&ty_TypeError, "attribute name must be string, not '%T'", a[1]);
    return ty_set_attribute(a[0], a[1], a[2]) ? TY_NONE : TY_NULL;
}

static Value builtin_delattr(Value self, Value *a)
{
    if (!ty_is_str(a[1]))
        return ty_raise(&ty_TypeError, "attribute name must be string, not '%T'", a[1]);
    return ty_set_attribute(a[0], a[1], TY_NULL) ? TY_NONE : TY_NULL;
}

static Value builtin_isinstance(Value self, Value *a)
{
    int r = ty_isinstance(a[0], a[1]);
    return r < 0 ? TY_NULL : ty_from_bool(r);
}

static Value builtin_issubclass(Value self, Value *a)
{
    int r = ty_issubclass(a[0], a[1]);
    return r < 0 ? TY_NULL : ty_from_bool(r);
}

static Value builtin_callable(Value self, Value *a) { return ty_from_bool(ty_is_callable(a[0])); }
static Value builtin_id(Value self, Value *a) { return ty_identity(a[0]); }
static Value builtin_hash(Value self, Value *a)
{
    int64_t h = ty_hash(a[0]);
    return h == -1 && ty_raised() ? TY_NULL : ty_int_from_int64(h);
}
static Value builtin_repr(Value self, Value *a) { return ty_repr(a[0]); }
static Value builtin_ascii(Value self, Value *a) { return ty_ascii(a[0]); }
static Value builtin_format(Value self, Value *a)
{
    if (a[1] != TY_NULL && !ty_is_str(a[1]))
        return ty_raise(&ty_TypeError, "format() argument 2 must be str, not %T", a[1]);
    return ty_format(a[0], a[1]);
}

/* The namespace of the caller; that of __main__ where none is in Python. */
static Value current_locals(void)
{
    TyFrame *frame = ty_thread->frame;
    Value locals = frame ? ty_frame_locals_snapshot(frame) : ty_current_globals();
    return locals == TY_NULL && !frame ? ty_raise(&ty_SystemError, "frame does not exist") : locals;
}

static Value builtin_vars(Value self, Value *a)
{
    if (a[0] == TY_NULL)
        return current_locals();
    bool failed;
    Value dict = ty_get_attribute_or_null(a[0], TY_NAME("__dict__"), &failed);
    return dict != TY_NULL || failed ? dict : ty_raise(&ty_TypeError, "vars() argument must have __dict__ attribute");
}

static Value builtin_dir(Value self, Value *a)
{
    if (a[0] != TY_NULL)
        return ty_dir(a[0]);
    Value locals = current_locals();
    Value keys = locals == TY_NULL ? TY_NULL : ty_is_exact_dict(locals) ? ty_dict_keys(locals) : ty_call_method_none(locals, TY_NAME("keys"));
    keys = keys == TY_NULL ? TY_NULL : ty_sequence_list(keys);
    return keys != TY_NULL && ty_list_sort(keys, TY_NULL, false) ? keys : TY_NULL;
}

static Value builtin_globals(Value self, Value *a)
{
    Value globals = ty_current_globals();
    return globals == TY_NULL ? ty_raise(&ty_SystemError, "globals do not exist") : globals;
}

static Value builtin_locals(Value self, Value *a) { return current_locals(); }

/* --- numbers ---------------------------------------------------------------------------------------------------------------------- */

static Value builtin_abs(Value self, Value *a) { return ty_absolute(a[0]); }
static Value builtin_divmod(Value self, Value *a) { return ty_binary(TY_BINARY_DIVMOD, a[0], a[1]); }
static Value builtin_pow(Value self, Value *a) { return ty_power(a[0], a[1], a[2] == TY_NULL ? TY_NONE : a[2]); }

static Value in_base(Value v, int base)
{
    Value i = ty_number_index(v);
    return i == TY_NULL ? TY_NULL : ty_int_to_text(i, base, true);
}
static Value builtin_bin(Value self, Value *a) { return in_base(a[0], 2); }
static Value builtin_oct(Value self, Value *a) { return in_base(a[0], 8); }
static Value builtin_hex(Value self, Value *a) { return in_base(a[0], 16); }

static Value builtin_chr(Value self, Value *a)
{
    Value i = ty_number_index(a[0]);
    if (i == TY_NULL)
        return TY_NULL;
    int64_t c;
    int where = ty_int_get_int64(i, &c);
    if (where != 0 || c < 0 || c > 0x10FFFF)
        return ty_raise(&ty_ValueError, "chr() arg not in range(0x110000)");
    return ty_str_from_char((uint32_t)c);
}

static Value builtin_ord(Value self, Value *a)
{
    int64_t n;
    if (ty_is_str(a[0])) {
        if ((n = ty_str_length(a[0])) == 1)
            return ty_from_immediate_int(ty_str_at(a[0], 0));
    } else if (ty_is_bytes(a[0])) {
        if ((n = ty_bytes_length(a[0])) == 1)
            return ty_from_immediate_int(ty_bytes_data(a[0])[0]);
    } else if (ty_is_instance_of(a[0], &ty_bytearray_type)) {
        TyByteArray *array = (TyByteArray *)ty_object(a[0]);
        if ((n = ty_load_relaxed(&array->length)) == 1)
            return ty_from_immediate_int(ty_bytearray_data(array)[0]);
    } else
        return ty_raise(&ty_TypeError, "ord() expected string of length 1, but %T found", a[0]);
    return ty_raise(&ty_TypeError, "ord() expected a character, but string of length %lld found", (long long)n);
}

static Value builtin_round(Value self, Value *a)
{
    Value method = ty_lookup_special(a[0], TY_NAME("__round__"));
    if (method == TY_NULL)
        return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "type %T doesn't define __round__ method", a[0]);
    return a[1] == TY_NULL || a[1] == TY_NONE ? ty_call_none(method) : ty_call_one(method, a[1]);
}

typedef struct Sum { double total, compensation; } Sum;

static void sum_add(Sum *sum, double x)
{
    double t = sum->total + x;
    sum->compensation += __builtin_fabs(sum->total) >= __builtin_fabs(x) ? (sum->total - t) + x : (x - t) + sum->total;
    sum->total = t;
}

static double sum_value(const Sum *sum)
{
    return sum->compensation != 0.0 && __builtin_isfinite(sum->compensation) ? sum->total + sum->compensation : sum->total;
}

/* Goes on while complex numbers, floats and small ints come, from *v on; *v is then what came instead, or TY_NULL at the end. */
static Value sum_complex(Value total, Value iterator, Value *v)
{
    double real, imaginary;
    ty_to_complex(total, &real, &imaginary);
    Sum r = { real, 0.0 }, i = { imaginary, 0.0 };
    for (; *v != TY_NULL; *v = ty_next(iterator)) {
        if (ty_is_exact(*v, &ty_complex_type)) {
            ty_to_complex(*v, &real, &imaginary);
            sum_add(&r, real);
            sum_add(&i, imaginary);
        } else if (ty_is_double(*v))
            sum_add(&r, ty_double(*v));
        else if (ty_is_immediate_int(*v))
            sum_add(&r, (double)ty_immediate_int(*v));
        else
            break;
    }
    return ty_raised() ? TY_NULL : ty_complex_new(sum_value(&r), sum_value(&i));
}

static Value builtin_sum(Value self, Value *a)
{
    Value total = a[1] == TY_NULL ? ty_from_immediate_int(0) : a[1];
    if (ty_is_str(total))
        return ty_raise(&ty_TypeError, "sum() can't sum strings [use ''.join(seq) instead]");
    if (ty_is_bytes(total))
        return ty_raise(&ty_TypeError, "sum() can't sum bytes [use b''.join(seq) instead]");
    if (ty_is_instance_of(total, &ty_bytearray_type))
        return ty_raise(&ty_TypeError, "sum() can't sum bytearray [use b''.join(seq) instead]");
    Value iterator = ty_iter(a[0]);
    if (iterator == TY_NULL)
        return TY_NULL;
    for (;;) {
        Value v = ty_next(iterator);
        if (v == TY_NULL)
            return ty_raised() ? TY_NULL : total;
        if (ty_is_exact(total, &ty_complex_type)) {
            total = sum_complex(total, iterator, &v);
            if (v == TY_NULL || total == TY_NULL)
                return total;
        }
        if (ty_is_double(total)) { /* floats are summed with a running compensation, as CPython does (Neumaier 1974) */
            Sum sum = { ty_double(total), 0.0 };
            for (;; v = ty_next(iterator)) {
                if (v == TY_NULL)
                    return ty_raised() ? TY_NULL : ty_from_double(sum_value(&sum));
                if (ty_is_double(v))
                    sum_add(&sum, ty_double(v));
                else if (ty_is_immediate_int(v))
                    sum_add(&sum, (double)ty_immediate_int(v));
                else
                    break;
            }
            total = ty_from_double(sum_value(&sum));
        }
        int64_t r;
        if (TY_LIKELY(ty_are_immediate_ints(total, v)) && !__builtin_add_overflow((int64_t)(total << 16), (int64_t)(v << 16), &r))
            total = (uint64_t)r >> 16 | TY_INT_TAG;
        else
            total = ty_binary(TY_BINARY_ADD, total, v);
        if (total == TY_NULL)
            return TY_NULL;
    }
}

/* --- iteration ------------------------------------------------------------------------------------------------------------------------ */

static Value builtin_all(Value self, Value *a)
{
    Value iterator = ty_iter(a[0]), v;
    if (iterator == TY_NULL)
        return TY_NULL;
    while ((v = ty_next(iterator)) != TY_NULL) {
        int truth = ty_is_true(v);
        if (truth <= 0)
            return truth < 0 ? TY_NULL : TY_FALSE;
    }
    return ty_raised() ? TY_NULL : TY_TRUE;
}

static Value builtin_any(Value self, Value *a)
{
    Value iterator = ty_iter(a[0]), v;
    if (iterator == TY_NULL)
        return TY_NULL;
    while ((v = ty_next(iterator)) != TY_NULL) {
        int truth = ty_is_true(v);
        if (truth != 0)
            return truth < 0 ? TY_NULL : TY_TRUE;
    }
    return ty_raised() ? TY_NULL : TY_FALSE;
}

static Value builtin_iter(Value self, Value *a)
{
    if (a[1] == TY_NULL)
        return ty_iter(a[0]);
    if (!ty_is_callable(a[0]))
        return ty_raise(&ty_TypeError, "iter(v, w): v must be callable");
    return ty_callable_iterator_new(a[0], a[1]);
}

static Value builtin_next(Value self, Value *a)
{
    TyUnaryFunction next = ty_type_of(a[0])->slots.next;
    if (!next)
        return ty_raise(&ty_TypeError, "'%T' object is not an iterator", a[0]);
    Value v = next(a[0]);
    if (v != TY_NULL)
        return v;
    if (a[1] == TY_NULL)
        return ty_raised() ? TY_NULL : ty_raise_none(&ty_StopIteration);
    if (ty_raised()) {
        if (!ty_raised_is(&ty_StopIteration))
            return TY_NULL;
        ty_clear_exception();
    }
    return a[1];
}

static Value builtin_len(Value self, Value *a)
{
    int64_t n = ty_length(a[0]);
    return n < 0 ? TY_NULL : ty_int_from_int64(n);
}

static Value builtin_sorted(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_check_positional("sorted", count, 1, 1))
        return TY_NULL;
    Value list = ty_sequence_list(arguments[0]);
    Value sort = list == TY_NULL ? TY_NULL : ty_get_attribute(list, TY_NAME("sort"));
    return sort != TY_NULL && ty_call(sort, arguments + 1, 0, keywords) != TY_NULL ? list : TY_NULL;
}

static Value extreme(const char *name, int op, const Value *arguments, size_t count, Value keywords)
{
    Value key = TY_NULL, fallback = TY_NULL;
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++) {
        Value keyword = ty_tuple_item(keywords, i), value = arguments[count + (size_t)i];
        if (ty_str_equal_text(keyword, "key"))
            key = value == TY_NONE ? TY_NULL : value;
        else if (ty_str_equal_text(keyword, "default"))
            fallback = value;
        else
            return ty_raise(&ty_TypeError, "%s() got an unexpected keyword argument '%U'", name, keyword);
    }
    if (count == 0)
        return ty_raise(&ty_TypeError, "%s expected at least 1 argument, got 0", name);
    if (count > 1 && fallback != TY_NULL)
        return ty_raise(&ty_TypeError, "Cannot specify a default for %s() with multiple positional arguments", name);
    Value iterator = count == 1 ? ty_iter(arguments[0]) : TY_NULL, best = TY_NULL, best_key = TY_NULL;
    if (count == 1 && iterator == TY_NULL)
        return TY_NULL;
    for (size_t i = 0;; i++) {
        Value v = count == 1 ? ty_next_inline(iterator) : i < count ? arguments[i] : TY_NULL;
        if (v == TY_NULL)
            break;
        Value k = key == TY_NULL ? v : ty_call_one(key, v);
        if (k == TY_NULL)
            return TY_NULL;
        if (best == TY_NULL) {
            best = v;
            best_key = k;
            continue;
        }
        int better;
        if (ty_are_immediate_ints(k, best_key)) {
            better = op == TY_GT ? ty_immediate_int(k) > ty_immediate_int(best_key) : ty_immediate_int(k) < ty_immediate_int(best_key);
        } else if (ty_is_double(k) && ty_is_double(best_key)) {
            better = op == TY_GT ? ty_double(k) > ty_double(best_key) : ty_double(k) < ty_double(best_key);
        } else {
            Value r = ty_compare(k, best_key, op);
            better = r == TY_NULL ? -1 : ty_is_true(r);
        }
        if (better < 0)
            return TY_NULL;
        if (better) {
            best = v;
            best_key = k;
        }
    }
    if (ty_raised())
        return TY_NULL;
    if (best == TY_NULL)
        return fallback != TY_NULL ? fallback : ty_raise(&ty_ValueError, "%s() iterable argument is empty", name);
    return best;
}

static Value builtin_min(Value self, const Value *arguments, size_t count, Value keywords) { return extreme("min", TY_LT, arguments, count, keywords); }
static Value builtin_max(Value self, const Value *arguments, size_t count, Value keywords) { return extreme("max", TY_GT, arguments, count, keywords); }

static Value builtin_aiter(Value self, Value *a)
{
    TyUnaryFunction aiter = ty_type_of(a[0])->slots.aiter;
    if (!aiter)
        return ty_raise(&ty_TypeError, "'%T' object is not an async iterable", a[0]);
    Value iterator = aiter(a[0]);
    if (iterator != TY_NULL && !ty_type_of(iterator)->slots.anext)
        return ty_raise(&ty_TypeError, "aiter() returned not an async iterator of type '%T'", iterator);
    return iterator;
}

static Value builtin_anext(Value self, Value *a)
{
    TyUnaryFunction anext = ty_type_of(a[0])->slots.anext;
    if (!anext)
        return ty_raise(&ty_TypeError, "'%T' object is not an async iterator", a[0]);
    Value awaitable = anext(a[0]);
    if (awaitable == TY_NULL || a[1] == TY_NULL)
        return awaitable;
    return ty_anext_default_new(awaitable, a[1]);
}

/* --- input and output --------------------------------------------------------------------------------------------------------------------- */

static bool write_to(Value file, Value text) { return ty_call_method_one(file, TY_NAME("write"), text) != TY_NULL; }

static Value builtin_print(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature options = TY_SIGNATURE("print(*, sep=' ', end='\\n', file=None, flush=False)");
    Value o[4];
    if (!ty_parse_arguments(&options, arguments + count, 0, keywords, o))
        return TY_NULL;
    Value separator = o[0] == TY_NONE ? TY_NULL : o[0], end = o[1] == TY_NONE ? TY_NULL : o[1], file = o[2];
    if (file == TY_NULL || file == TY_NONE) {
        file = ty_sys_get("stdout");
        if (file == TY_NULL)
            return ty_raise(&ty_RuntimeError, "lost sys.stdout");
        if (file == TY_NONE)
            return TY_NONE;
    }
    if (separator != TY_NULL && !ty_is_str(separator))
        return ty_raise(&ty_TypeError, "sep must be None or a string, not %T", separator);
    if (end != TY_NULL && !ty_is_str(end))
        return ty_raise(&ty_TypeError, "end must be None or a string, not %T", end);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && !write_to(file, separator == TY_NULL ? TY_NAME(" ") : separator))
            return TY_NULL;
        Value text = ty_str(arguments[i]);
        if (text == TY_NULL || !write_to(file, text))
            return TY_NULL;
    }
    if (!write_to(file, end == TY_NULL ? TY_NAME("\n") : end))
        return TY_NULL;
    int flush = o[3] == TY_NULL ? 0 : ty_is_true(o[3]);
    if (flush < 0 || (flush && ty_call_method_none(file, TY_NAME("flush")) == TY_NULL))
        return TY_NULL;
    return TY_NONE;
}

/* On a terminal, with the readline module's editing. */
static Value input_edited(Value out, Value prompt)
{
    Value text = prompt == TY_NULL ? ty_str_empty() : ty_str(prompt);
    if (text == TY_NULL || ty_call_method_none(out, TY_NAME("flush")) == TY_NULL)
        return TY_NULL;
    size_t size;
    const char *utf8 = ty_to_utf8(text, &size);
    char *line = utf8 ? ty_load_relaxed(&ty_line_reader)(utf8) : NULL;
    if (!line)
        return TY_NULL;
    size_t length = strlen(line);
    Value result = length == 0 ? ty_raise(&ty_EOFError, "EOF when reading a line") : ty_str_decode_fs(line, length - (line[length - 1] == '\n'));
    free(line);
    return result;
}

static Value builtin_input(Value self, Value *a)
{
    Value in = ty_sys_get("stdin"), out = ty_sys_get("stdout"), error = ty_sys_get("stderr");
    if (in == TY_NULL || in == TY_NONE)
        return ty_raise(&ty_RuntimeError, "input(): lost sys.stdin");
    if (out == TY_NULL || out == TY_NONE)
        return ty_raise(&ty_RuntimeError, "input(): lost sys.stdout");
    if (error == TY_NULL || error == TY_NONE)
        return ty_raise(&ty_RuntimeError, "input(): lost sys.stderr");
    if (ty_call_method_none(error, TY_NAME("flush")) == TY_NULL)
        ty_clear_exception();
    if (ty_line_reader_usable() && in == ty_sys_get("__stdin__") && out == ty_sys_get("__stdout__"))
        return input_edited(out, a[0]);
    if (a[0] != TY_NULL) {
        Value text = ty_str(a[0]);
        if (text == TY_NULL || !write_to(out, text))
            return TY_NULL;
    }
    if (ty_call_method_none(out, TY_NAME("flush")) == TY_NULL)
        ty_clear_exception();
    Value line = ty_call_method_none(in, TY_NAME("readline"));
    if (line == TY_NULL)
        return TY_NULL;
    if (!ty_is_str(line))
        return ty_raise(&ty_TypeError, "object.readline() returned non-string");
    int64_t n = ty_str_length(line);
    if (n == 0)
        return ty_raise(&ty_EOFError, "EOF when reading a line");
    return ty_str_at(line, n - 1) == '\n' ? ty_str_slice(line, 0, n - 1) : line;
}

/* --- code -------------------------------------------------------------------------------------------------------------------------------------- */

/* Source given as str, bytes-like or bytearray. The text lives as long as *holder. */
static const char *source_text(Value source, const char *function, const char *what, size_t *size, Value *holder, bool *is_str)
{
    *is_str = ty_is_str(source);
    const char *text;
    if (*is_str) {
        text = ty_str_utf8(source, size, holder);
        if (!text)
            return NULL;
    } else {
        if (!ty_has_buffer(source))
            return ty_raise(&ty_TypeError, "%s() arg 1 must be a %s object", function, what), NULL;
        *holder = ty_bytes_from_object(source);
        if (*holder == TY_NULL)
            return NULL;
        text = (const char *)ty_bytes_data(*holder);
        *size = (size_t)ty_bytes_length(*holder);
    }
    if (memchr(text, 0, *size))
        return ty_raise(&ty_SyntaxError, "source code string cannot contain null bytes"), NULL;
    return text;
}

#define COMPILE_FUTURES 0x1FE0000u
#define COMPILE_ONLY_AST 0x400u
#define COMPILE_OPTIMIZED_AST 0x8000u
#define COMPILE_TOP_LEVEL_AWAIT 0x2000u
#define COMPILE_KNOWN (COMPILE_FUTURES | 0x10 /* nested_scopes of old */ | COMPILE_ONLY_AST | COMPILE_OPTIMIZED_AST | COMPILE_TOP_LEVEL_AWAIT | TY_PARSE_DONT_IMPLY_DEDENT | TY_PARSE_IGNORE_COOKIE | TY_PARSE_TYPE_COMMENTS \
    | TY_PARSE_ALLOW_INCOMPLETE_INPUT | TY_PARSE_BARRY_AS_FLUFL)

static uint32_t inherited_futures(void)
{
    TyFrame *frame = ty_thread->frame;
    return frame ? frame->code->flags & TY_CODE_FUTURE_MASK : 0;
}

static Value filename_of(Value v)
{
    if (ty_is_str(v))
        return v;
    if (ty_is_bytes(v))
        return ty_str_decode_fs((const char *)ty_bytes_data(v), (size_t)ty_bytes_length(v));
    Value method = ty_lookup_special(v, TY_NAME("__fspath__"));
    if (method != TY_NULL && method != TY_NONE) {
        Value path = ty_call_none(method);
        return path == TY_NULL ? TY_NULL : ty_is_str(path) || ty_is_bytes(path) ? filename_of(path)
            : ty_raise(&ty_TypeError, "expected %T.__fspath__() to return str or bytes, not %T", v, path);
    }
    return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", v);
}

static Value builtin_compile(Value self, Value *a)
{
    int64_t flags = 0, optimize = -1, feature_version = -1;
    bool inherit = true;
    Value filename = filename_of(a[1]);
    if (filename == TY_NULL || !ty_require_str(a[2], "compile", "argument 'mode'"))
        return TY_NULL;
    if ((a[3] != TY_NULL && !ty_to_int64(a[3], &flags)) || (a[4] != TY_NULL && !ty_to_bool(a[4], &inherit)) || (a[5] != TY_NULL && !ty_to_int64(a[5], &optimize))
        || (a[7] != TY_NULL && !ty_to_int64(a[7], &feature_version)))
        return TY_NULL;
    inherit = a[4] == TY_NULL || !inherit;
    if (flags & ~(int64_t)COMPILE_KNOWN)
        return ty_raise(&ty_ValueError, "compile(): unrecognised flags");
    if (optimize < -1 || optimize > 2)
        return ty_raise(&ty_ValueError, "compile(): invalid optimize value");
    if (inherit)
        flags |= inherited_futures();
    static const char *const modes[] = { "exec", "eval", "single", "func_type" };
    int mode = -1;
    for (int i = 0; i < 4; i++)
        if (ty_str_equal_text(a[2], modes[i]))
            mode = i;
    bool only_ast = flags & COMPILE_ONLY_AST;
    if (mode < 0)
        return ty_raise(&ty_ValueError, only_ast ? "compile() mode must be 'exec', 'eval', 'single' or 'func_type'" : "compile() mode must be 'exec', 'eval' or 'single'");
    if (mode == 3 && !only_ast)
        return ty_raise(&ty_ValueError, "compile() mode 'func_type' requires flag PyCF_ONLY_AST");
    return ty_compile_value(a[0], filename, mode, (uint32_t)flags, (int)optimize, (int)feature_version);
}

/* compile() of a str, bytes or tree. */
Value ty_compile_value(Value source, Value filename, int mode, uint32_t flags, int optimize, int feature_version)
{
    if (ty_ast_is_node(source))
        return ty_ast_compile(source, filename, mode, flags, optimize);
    size_t size;
    Value holder;
    bool is_str;
    const char *text = source_text(source, "compile", "string, bytes or AST", &size, &holder, &is_str);
    return text ? ty_compile_source(text, size, filename, mode, flags, optimize, feature_version, is_str) : TY_NULL;
}

static bool namespaces(const char *function, Value *globals, Value *locals)
{
    if (*locals == TY_NONE)
        *locals = TY_NULL;
    if (*globals == TY_NONE || *globals == TY_NULL) {
        *globals = ty_current_globals();
        if (*globals == TY_NULL)
            return ty_raise(&ty_SystemError, "globals and locals cannot be NULL"), false;
        if (*locals == TY_NULL && (*locals = current_locals()) == TY_NULL)
            return false;
    } else if (!ty_is_dict(*globals)) {
        if (!strcmp(function, "eval") && ty_is_mapping(*globals))
            return ty_raise(&ty_TypeError, "globals must be a real dict; try eval(code, {}, mapping)"), false;
        return !strcmp(function, "eval") ? (ty_raise(&ty_TypeError, "globals must be a dict"), false)
                                         : (ty_raise(&ty_TypeError, "exec() globals must be a dict, not %T", *globals), false);
    }
    if (*locals == TY_NULL)
        *locals = *globals;
    else if (!ty_is_mapping(*locals))
        return !strcmp(function, "eval") ? (ty_raise(&ty_TypeError, "locals must be a mapping"), false)
                                         : (ty_raise(&ty_TypeError, "locals must be a mapping or None, not %T", *locals), false);
    if (ty_dict_get_str(*globals, TY_NAME("__builtins__")) == TY_NULL)
        return !ty_raised() && ty_dict_set(*globals, TY_NAME("__builtins__"), ty_current_builtins());
    return true;
}

static Value builtin_eval(Value self, Value *a)
{
    Value globals = a[1] == TY_NULL ? TY_NONE : a[1], locals = a[2] == TY_NULL ? TY_NONE : a[2];
    if (!namespaces("eval", &globals, &locals))
        return TY_NULL;
    if (ty_is_exact(a[0], &ty_code_type)) {
        if (((TyCode *)ty_object(a[0]))->free_count)
            return ty_raise(&ty_TypeError, "code object passed to eval() may not contain free variables");
        return ty_eval_code(a[0], globals, locals, TY_NULL);
    }
    size_t size;
    Value holder;
    bool is_str;
    const char *text = source_text(a[0], "eval", "string, bytes or code", &size, &holder, &is_str);
    if (!text)
        return TY_NULL;
    while (size && (*text == ' ' || *text == '\t'))
        text++, size--;
    Value code = ty_compile_source(text, size, TY_NAME("<string>"), TY_PARSE_EXPRESSION, inherited_futures(), -1, -1, is_str);
    return code == TY_NULL ? TY_NULL : ty_eval_code(code, globals, locals, TY_NULL);
}

static Value exec_code(Value code_value, Value globals, Value locals, Value closure)
{
    TyCode *code = (TyCode *)ty_object(code_value);
    if (closure == TY_NONE)
        closure = TY_NULL;
    if (code->free_count == 0) {
        if (closure != TY_NULL)
            return ty_raise(&ty_TypeError, "cannot use a closure with this code object");
    } else {
        bool fits = closure != TY_NULL && ty_is_exact_tuple(closure) && ty_tuple_length(closure) == code->free_count;
        for (int64_t i = 0; fits && i < ty_tuple_length(closure); i++)
            fits = ty_is_exact(ty_tuple_item(closure, i), &ty_cell_type);
        if (!fits)
            return ty_raise(&ty_TypeError, "code object requires a closure of exactly length %u", code->free_count);
    }
    return ty_eval_code(code_value, globals, locals, closure);
}

static Value builtin_exec(Value self, Value *a)
{
    Value globals = a[1] == TY_NULL ? TY_NONE : a[1], locals = a[2] == TY_NULL ? TY_NONE : a[2], closure = a[3] == TY_NULL ? TY_NONE : a[3];
    if (!namespaces("exec", &globals, &locals))
        return TY_NULL;
    if (ty_is_exact(a[0], &ty_code_type))
        return exec_code(a[0], globals, locals, closure) == TY_NULL ? TY_NULL : TY_NONE;
    if (closure != TY_NONE)
        return ty_raise(&ty_TypeError, "closure can only be used when source is a code object");
    size_t size;
    Value holder;
    bool is_str;
    const char *text = source_text(a[0], "exec", "string, bytes or code", &size, &holder, &is_str);
    if (!text)
        return TY_NULL;
    Value code = ty_compile_source(text, size, TY_NAME("<string>"), TY_PARSE_FILE, inherited_futures(), -1, -1, is_str);
    return code == TY_NULL || ty_eval_code(code, globals, locals, TY_NULL) == TY_NULL ? TY_NULL : TY_NONE;
}

static Value builtin_import(Value self, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "module name must be a string");
    return ty_import_level(a[0], a[1] == TY_NULL ? TY_NONE : a[1], a[3] == TY_NULL ? ty_tuple_new(0) : a[3], a[4] == TY_NULL ? ty_from_immediate_int(0) : a[4]);
}

static Value builtin_breakpoint(Value self, const Value *arguments, size_t count, Value keywords)
{
    Value hook = ty_sys_get("breakpointhook");
    return hook == TY_NULL ? ty_raise(&ty_RuntimeError, "lost sys.breakpointhook") : ty_call(hook, arguments, count, keywords);
}

static const TyNativeDef functions[] = {
    { .signature = "__build_class__(func, name, /, *bases, [metaclass], **kwds)", .doc = "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\nInternal helper function used by the class statement.", .function.raw = build_class, .calling = TY_NATIVE_RAW, .binding = TY_NATIVE_FUNCTION },
    TY_FUNCTION("__import__(name, globals=None, locals=None, fromlist=(), level=0)", builtin_import, "Import a module.\n\nBecause this function is meant for use by the Python interpreter and not\nfor general use, it is better to use importlib.import_module() to\nprogrammatically import a module."),
    TY_FUNCTION("abs(x, /)", builtin_abs, "Return the absolute value of the argument."),
    TY_FUNCTION("aiter(async_iterable, /)", builtin_aiter, "Return an AsyncIterator for an AsyncIterable object."),
    TY_FUNCTION("all(iterable, /)", builtin_all, "Return True if bool(x) is True for all values x in the iterable.\n\nIf the iterable is empty, return True."),
    TY_FUNCTION("anext(async_iterator, default=<unrepresentable>, /)", builtin_anext, "Return the next item from the async iterator.\n\nIf default is given and the async iterator is exhausted,\nit is returned instead of raising StopAsyncIteration."),
    TY_FUNCTION("any(iterable, /)", builtin_any, "Return True if bool(x) is True for any x in the iterable.\n\nIf the iterable is empty, return False."),
    TY_FUNCTION("ascii(obj, /)", builtin_ascii, "Return an ASCII-only representation of an object."),
    TY_FUNCTION("bin(number, /)", builtin_bin, "Return the binary representation of an integer.\n\n   >>> bin(2796202)\n   '0b1010101010101010101010'"),
    TY_RAW_FUNCTION("breakpoint(*args, **kws)", builtin_breakpoint, "Call sys.breakpointhook(*args, **kws)."),
    TY_FUNCTION("callable(obj, /)", builtin_callable, "Return whether the object is callable (i.e., some kind of function).\n\nNote that classes are callable, as are instances of classes with a\n__call__() method."),
    TY_FUNCTION("chr(i, /)", builtin_chr, "Return a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff."),
    TY_FUNCTION("compile(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, module=None, _feature_version=-1)", builtin_compile, "Compile source into a code object that can be executed by exec() or eval()."),
    TY_FUNCTION("delattr(obj, name, /)", builtin_delattr, "Deletes the named attribute from the given object.\n\ndelattr(x, 'y') is equivalent to ``del x.y``"),
    { .signature = "dir(object=<unrepresentable>, /)", .doc = "dir([object]) -> list of strings", .function.flat = builtin_dir, .calling = TY_NATIVE_FLAT, .binding = TY_NATIVE_FUNCTION, .hidden_signature = true },
    TY_FUNCTION("divmod(x, y, /)", builtin_divmod, "Return the tuple (x//y, x%y).  Invariant: div*y + mod == x."),
    TY_FUNCTION("eval(source, /, globals=None, locals=None)", builtin_eval, "Evaluate the given source in the context of globals and locals."),
    TY_FUNCTION("exec(source, /, globals=None, locals=None, *, closure=None)", builtin_exec, "Execute the given source in the context of globals and locals."),
    TY_FUNCTION("format(value, format_spec='', /)", builtin_format, "Return type(value).__format__(value, format_spec)"),
    { .signature = "getattr(object, name, default=<unrepresentable>, /)", .doc = "getattr(object, name[, default]) -> value\n\nGet a named attribute from an object; getattr(x, 'y') is equivalent to x.y.", .function.flat = builtin_getattr, .calling = TY_NATIVE_FLAT, .binding = TY_NATIVE_FUNCTION, .hidden_signature = true },
    TY_FUNCTION("globals()", builtin_globals, "Return the dictionary containing the current scope's global variables."),
    TY_FUNCTION("hasattr(obj, name, /)", builtin_hasattr, "Return whether the object has an attribute with the given name.\n\nThis is done by calling getattr(obj, name) and catching AttributeError."),
    TY_FUNCTION("hash(obj, /)", builtin_hash, "Return the hash value for the given object."),
    TY_FUNCTION("hex(number, /)", builtin_hex, "Return the hexadecimal representation of an integer.\n\n   >>> hex(12648430)\n   '0xc0ffee'"),
    TY_FUNCTION("id(obj, /)", builtin_id, "Return the identity of an object."),
    TY_FUNCTION("input(prompt='', /)", builtin_input, "Read a string from standard input.  The trailing newline is stripped."),
    TY_FUNCTION("isinstance(obj, class_or_tuple, /)", builtin_isinstance, "Return whether an object is an instance of a class or of a subclass thereof."),
    TY_FUNCTION("issubclass(cls, class_or_tuple, /)", builtin_issubclass, "Return whether 'cls' is derived from another class or is the same class."),
    { .signature = "iter(object, sentinel=<unrepresentable>, /)", .doc = "iter(iterable) -> iterator\niter(callable, sentinel) -> iterator", .function.flat = builtin_iter, .calling = TY_NATIVE_FLAT, .binding = TY_NATIVE_FUNCTION, .hidden_signature = true },
    TY_FUNCTION("len(obj, /)", builtin_len, "Return the number of items in a container."),
    TY_FUNCTION("locals()", builtin_locals, "Return a dictionary containing the current scope's local variables."),
    { .signature = "max(*args, *[, default=obj, key=func])", .doc = "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value", .function.raw = builtin_max, .calling = TY_NATIVE_RAW, .binding = TY_NATIVE_FUNCTION },
    { .signature = "min(*args, *[, default=obj, key=func])", .doc = "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value", .function.raw = builtin_min, .calling = TY_NATIVE_RAW, .binding = TY_NATIVE_FUNCTION },
    { .signature = "next(iterator, default=<unrepresentable>, /)", .doc = "next(iterator[, default])\n\nReturn the next item from the iterator.", .function.flat = builtin_next, .calling = TY_NATIVE_FLAT, .binding = TY_NATIVE_FUNCTION, .hidden_signature = true },
    TY_FUNCTION("oct(number, /)", builtin_oct, "Return the octal representation of an integer.\n\n   >>> oct(342391)\n   '0o1234567'"),
    TY_FUNCTION("ord(character, /)", builtin_ord, "Return the ordinal value of a character."),
    TY_FUNCTION("pow(base, exp, mod=None)", builtin_pow, "Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments."),
    TY_RAW_FUNCTION("print(*args, sep=' ', end='\\n', file=None, flush=False)", builtin_print, "Prints the values to a stream, or to sys.stdout by default."),
    TY_FUNCTION("repr(obj, /)", builtin_repr, "Return the canonical string representation of the object."),
    TY_FUNCTION("round(number, ndigits=None)", builtin_round, "Round a number to a given precision in decimal digits."),
    TY_FUNCTION("setattr(obj, name, value, /)", builtin_setattr, "Sets the named attribute on the given object to the specified value."),
    TY_RAW_FUNCTION("sorted(iterable, /, *, key=None, reverse=False)", builtin_sorted, "Return a new list containing all items from the iterable in ascending order."),
    TY_FUNCTION("sum(iterable, /, start=0)", builtin_sum, "Return the sum of a 'start' value (default: 0) plus an iterable of numbers"),
    { .signature = "vars(object=<unrepresentable>, /)", .doc = "vars([object]) -> dictionary", .function.flat = builtin_vars, .calling = TY_NATIVE_FLAT, .binding = TY_NATIVE_FUNCTION, .hidden_signature = true },
    {0}
};

/* Static types whose name has no module are those of builtins, but for the ones that only `types` names. */
static bool add_named_types(Value module)
{
    static TyType *const public_types[] = {
        &ty_bool_type, &ty_memoryview_type, &ty_bytearray_type, &ty_bytes_type, &ty_classmethod_type, &ty_complex_type, &ty_dict_type, &ty_enumerate_type, &ty_filter_type, &ty_float_type,
        &ty_frozenset_type, &ty_property_type, &ty_int_type, &ty_list_type, &ty_map_type, &ty_object_type_, &ty_range_type, &ty_reversed_type, &ty_set_type, &ty_slice_type,
        &ty_staticmethod_type, &ty_str_type, &ty_super_type, &ty_tuple_type, &ty_type_type, &ty_zip_type
    };
    for (size_t i = 0; i < TY_COUNT_OF(public_types); i++)
        if (!ty_dict_set(ty_module_dict(module), public_types[i]->name_value, ty_from_object(public_types[i])))
            return false;
#define ADD_EXCEPTION(name, parent, structure) if (!ty_module_add(module, #name, ty_from_object(&ty_##name))) return false;
    TY_EXCEPTIONS(ADD_EXCEPTION)
#undef ADD_EXCEPTION
    return ty_module_add(module, "ExceptionGroup", ty_from_object(&ty_ExceptionGroup)) && ty_module_add(module, "EnvironmentError", ty_from_object(&ty_OSError))
        && ty_module_add(module, "IOError", ty_from_object(&ty_OSError));
}

static bool execute(Value module)
{
    ty_interpreter()->builtin_all = ty_dict_get_text(ty_module_dict(module), "all");
    ty_interpreter()->builtin_any = ty_dict_get_text(ty_module_dict(module), "any");
    return ty_module_add(module, "None", TY_NONE) && ty_module_add(module, "Ellipsis", TY_ELLIPSIS) && ty_module_add(module, "NotImplemented", TY_NOT_IMPLEMENTED)
        && ty_module_add(module, "False", TY_FALSE) && ty_module_add(module, "True", TY_TRUE) && ty_module_add(module, "__debug__", ty_from_bool(ty_config.optimize == 0))
        && add_named_types(module);
}

const TyModuleDef ty_module_builtins = {
    .name = "builtins",
    .doc = "Built-in functions, types, exceptions, and other objects.\n\nThis module provides direct access to all 'built-in'\nidentifiers of Python; for example, builtins.len is\nthe full name for the built-in function len().\n\nThis module is not normally accessed explicitly by most\napplications, but can be useful in modules that provide\nobjects with the same name as a builtin and in which the\nbuilt-in of that name is also needed.",
    .functions = functions,
    .execute = execute,
};
