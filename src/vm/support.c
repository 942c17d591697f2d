/* What instructions do out of line. */
#include "object/bytes.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/module.h"
#include "object/set.h"
#include "object/str.h"
#include "object/template.h"
#include "object/tuple.h"
#include "vm/cache.h"
#include "vm/frame.h"
#include "vm/generator.h"

/* --- names ------------------------------------------------------------------------------------------------------------- */

Value ty_vm_name_error(Value name) { return ty_raise_name_error(&ty_NameError, "name '%U' is not defined", name); }

Value ty_vm_unbound_local(TyFrame *frame, uint32_t reg)
{
    const TyCode *code = frame->code;
    Value name = ty_tuple_item(code->register_names, reg);
    if (reg >= code->local_count + code->cell_count)
        return ty_raise_name_error(&ty_NameError, "cannot access free variable '%U' where it is not associated with a value in enclosing scope", name);
    return ty_raise_name_error(&ty_UnboundLocalError, "cannot access local variable '%U' where it is not associated with a value", name);
}

static Value global_or_builtin(TyFunction *function, Value name)
{
    Value v = ty_dict_get(function->globals, name);
    if (v != TY_NULL || ty_raised())
        return v;
    v = ty_get_item_or_null(function->builtins, name);
    if (v == TY_NULL && !ty_raised() && ty_import_builtin_name(name))
        v = ty_get_item_or_null(function->builtins, name);
    return v != TY_NULL || ty_raised() ? v : ty_vm_name_error(name);
}

Value ty_vm_load_name(TyFrame *frame, Value name)
{
    if (TY_UNLIKELY(frame->locals == TY_NULL))
        return ty_raise(&ty_SystemError, "no locals when loading %R", name);
    if (frame->locals != frame->function->globals) {
        Value v = ty_get_item_or_null(frame->locals, name);
        if (v != TY_NULL || ty_raised())
            return v;
    }
    return global_or_builtin(frame->function, name);
}

Value ty_vm_load_cell_or_mapping(TyFrame *frame, uint32_t reg, Value mapping)
{
    Value v = ty_get_item_or_null(mapping, ty_tuple_item(frame->code->register_names, reg));
    if (v != TY_NULL || ty_raised())
        return v;
    v = ty_field_acquire(&ty_as_cell(frame->registers[reg])->content);
    return v != TY_NULL ? v : ty_vm_unbound_local(frame, reg);
}

Value ty_vm_load_global_or_mapping(TyFrame *frame, Value mapping, Value name)
{
    Value v = ty_get_item_or_null(mapping, name);
    if (v != TY_NULL || ty_raised())
        return v;
    if (ty_is_exact_dict(frame->function->globals))
        return global_or_builtin(frame->function, name);
    v = ty_get_item_or_null(frame->function->globals, name); /* annotations are evaluated with dicts that make up what is missing */
    if (v == TY_NULL && !ty_raised())
        v = ty_get_item_or_null(frame->function->builtins, name);
    return v != TY_NULL || ty_raised() ? v : ty_vm_name_error(name);
}

bool ty_vm_setup_annotations(TyFrame *frame)
{
    if (frame->locals == TY_NULL)
        frame->locals = frame->function->globals;
    Value name = TY_NAME("__annotations__"), there = ty_get_item_or_null(frame->locals, name);
    if (there != TY_NULL || ty_raised())
        return there != TY_NULL;
    Value dict = ty_dict_new();
    return dict != TY_NULL && ty_set_item(frame->locals, name, dict);
}

Value ty_vm_common(uint32_t which)
{
    switch (which) {
    case TY_COMMON_ASSERTION_ERROR: return ty_from_object(&ty_AssertionError);
    case TY_COMMON_NOT_IMPLEMENTED_ERROR: return ty_from_object(&ty_NotImplementedError);
    case TY_COMMON_TUPLE: return ty_from_object(&ty_tuple_type);
    case TY_COMMON_LIST: return ty_from_object(&ty_list_type);
    case TY_COMMON_SET: return ty_from_object(&ty_set_type);
    case TY_COMMON_ALL: return ty_interpreter()->builtin_all;
    default: return ty_interpreter()->builtin_any;
    }
}

/* --- super ----------------------------------------------------------------------------------------------------------------- */

Value ty_vm_super(Value super, Value class, Value self, Value name, uint32_t flags, bool *unbound)
{
    if (unbound)
        *unbound = false;
    if (super == ty_from_object(&ty_super_type))
        return ty_super_lookup(class, self, name, unbound);
    Value arguments[2] = { class, self }; /* `super` is another object here */
    Value made = ty_call(super, arguments, flags & 1 ? 2 : 0, TY_NULL);
    return made == TY_NULL ? TY_NULL : ty_get_attribute(made, name);
}

bool ty_vm_load_special(Value object, uint32_t which, Value *target)
{
    Value name = which == TY_SPECIAL_ENTER ? TY_NAME("__enter__") : which == TY_SPECIAL_EXIT ? TY_NAME("__exit__")
        : which == TY_SPECIAL_AENTER ? TY_NAME("__aenter__") : TY_NAME("__aexit__");
    TyType *type = ty_type_of(object);
    Value found = ty_type_lookup(type, name);
    if (found != TY_NULL) {
        TyType *kind = ty_type_of(found);
        target[0] = found;
        target[1] = TY_NULL;
        if (kind->flags & TY_TYPE_METHOD)
            target[1] = object;
        else if (kind->slots.get)
            target[0] = kind->slots.get(found, object, ty_from_object(type));
        return target[0] != TY_NULL;
    }
    bool async = which >= TY_SPECIAL_AENTER;
    bool other = async ? ty_type_lookup(type, TY_NAME("__enter__")) != TY_NULL && ty_type_lookup(type, TY_NAME("__exit__")) != TY_NULL
                       : ty_type_lookup(type, TY_NAME("__aenter__")) != TY_NULL && ty_type_lookup(type, TY_NAME("__aexit__")) != TY_NULL;
    const char *hint = !other ? "" : async ? " but it supports the context manager protocol. Did you mean to use 'with'?"
                                           : " but it supports the asynchronous context manager protocol. Did you mean to use 'async with'?";
    ty_raise(&ty_TypeError, "'%N' object does not support the %scontext manager protocol%s%U%s%s", object, async ? "asynchronous " : "",
        which == TY_SPECIAL_EXIT || which == TY_SPECIAL_AEXIT ? " (missed " : " (missed ", name, " method)", hint);
    return false;
}

Value ty_vm_with_except(Value exit, Value self, Value exception)
{
    Value traceback = ty_as_exception(exception)->traceback;
    Value arguments[4] = { self, ty_from_object(ty_type_of(exception)), exception, traceback == TY_NULL ? TY_NONE : traceback };
    return self != TY_NULL ? ty_call(exit, arguments, 4, TY_NULL) : ty_call(exit, arguments + 1, 3, TY_NULL);
}

/* --- unpacking ---------------------------------------------------------------------------------------------------------------- */

static bool not_enough(int64_t expected, bool at_least, int64_t got)
{
    ty_raise(&ty_ValueError, "not enough values to unpack (expected %s%lld, got %lld)", at_least ? "at least " : "", (long long)expected, (long long)got);
    return false;
}

static Value unpack_iterator(Value v)
{
    Value iterator = ty_iter(v);
    if (iterator == TY_NULL && ty_raised_is(&ty_TypeError) && !ty_type_of(v)->slots.iter && !ty_is_sequence(v)) {
        ty_clear_exception();
        ty_raise(&ty_TypeError, "cannot unpack non-iterable %T object", v);
    }
    return iterator;
}

bool ty_vm_unpack(Value v, Value *registers, uint32_t count)
{
    if (ty_is_exact_list(v) || ty_is_exact_tuple(v)) {
        int64_t n = ty_is_exact_list(v) ? ty_list_length(v) : ty_tuple_length(v);
        if (n > count)
            return ty_raise(&ty_ValueError, "too many values to unpack (expected %u, got %lld)", count, (long long)n), false;
        if (n < count)
            return not_enough(count, false, n);
        if (ty_is_exact_tuple(v)) {
            for (uint32_t i = 0; i < count; i++)
                registers[i] = ty_tuple_item(v, i);
            return true;
        }
    }
    Value iterator = unpack_iterator(v);
    if (iterator == TY_NULL)
        return false;
    Value items = ty_tuple_new(count);
    if (items == TY_NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        Value item = ty_next(iterator);
        if (item == TY_NULL)
            return ty_raised() ? false : not_enough(count, false, i);
        ty_tuple_set(items, i, item);
    }
    if (ty_next(iterator) != TY_NULL) {
        if (ty_is_dict(v))
            ty_raise(&ty_ValueError, "too many values to unpack (expected %u, got %lld)", count, (long long)ty_dict_length(v));
        else
            ty_raise(&ty_ValueError, "too many values to unpack (expected %u)", count);
        return false;
    }
    if (ty_raised())
        return false;
    for (uint32_t i = 0; i < count; i++)
        registers[i] = ty_tuple_item(items, i);
    return true;
}

bool ty_vm_unpack_star(Value v, Value *registers, uint32_t before, uint32_t after)
{
    Value iterator = unpack_iterator(v);
    Value list = iterator == TY_NULL ? TY_NULL : ty_sequence_list(iterator);
    if (list == TY_NULL)
        return false;
    int64_t n = ty_list_length(list);
    if (n < (int64_t)before + after)
        return not_enough((int64_t)before + after, true, n);
    Value middle = ty_list_slice(list, before, n - after);
    if (middle == TY_NULL)
        return false;
    for (uint32_t i = 0; i < before; i++)
        registers[i] = ty_list_item(list, i);
    registers[before] = middle;
    for (uint32_t i = 0; i < after; i++)
        registers[before + 1 + i] = ty_list_item(list, n - after + i);
    return true;
}

/* --- building --------------------------------------------------------------------------------------------------------------------- */

Value ty_vm_build_map(const Value *pairs, uint32_t count)
{
    Value dict = ty_dict_new_sized(count);
    for (uint32_t i = 0; dict != TY_NULL && i < count; i++)
        if (!ty_dict_set(dict, pairs[2 * i], pairs[2 * i + 1]))
            return TY_NULL;
    return dict;
}

Value ty_vm_build_set(const Value *items, uint32_t count)
{
    Value set = ty_set_new(TY_NULL);
    for (uint32_t i = 0; set != TY_NULL && i < count; i++)
        if (!ty_set_add(set, items[i]))
            return TY_NULL;
    return set;
}

Value ty_vm_build_string(const Value *items, uint32_t count) { return ty_str_join_array(ty_str_empty(), items, count); }

bool ty_vm_list_extend(Value list, Value iterable)
{
    if (ty_list_extend(list, iterable))
        return true;
    if (ty_raised_is(&ty_TypeError) && !ty_type_of(iterable)->slots.iter && !ty_is_sequence(iterable)) {
        ty_clear_exception();
        ty_raise(&ty_TypeError, "Value after * must be an iterable, not %T", iterable);
    }
    return false;
}

bool ty_vm_dict_update(Value dict, Value mapping)
{
    if (ty_is_dict(mapping))
        return ty_dict_merge(dict, mapping, 1);
    bool failed;
    if (ty_get_attribute_or_null(mapping, TY_NAME("keys"), &failed) == TY_NULL)
        return failed ? false : (ty_raise(&ty_TypeError, "'%T' object is not a mapping", mapping), false);
    return ty_dict_merge(dict, mapping, 1);
}

static Value callee_text(Value callee)
{
    bool failed;
    Value name = ty_get_attribute_or_null(callee, TY_NAME("__qualname__"), &failed);
    if (failed || name == TY_NULL || !ty_is_str(name)) {
        ty_clear_exception();
        return ty_str(callee);
    }
    Value module = ty_get_attribute_or_null(callee, TY_NAME("__module__"), &failed);
    if (failed)
        ty_clear_exception();
    if (module != TY_NULL && ty_is_str(module) && !ty_str_equal_text(module, "builtins"))
        return ty_str_format("%U.%U()", module, name);
    return ty_str_format("%U()", name);
}

bool ty_vm_dict_merge(Value dict, Value mapping, Value callee)
{
    bool failed;
    if (!ty_is_dict(mapping) && ty_get_attribute_or_null(mapping, TY_NAME("keys"), &failed) == TY_NULL) {
        if (failed)
            return false;
        Value text = callee_text(callee);
        if (text != TY_NULL)
            ty_raise(&ty_TypeError, "%U argument after ** must be a mapping, not %T", text, mapping);
        return false;
    }
    if (ty_dict_merge(dict, mapping, 2))
        return true;
    if (ty_raised_is(&ty_KeyError)) {
        Value exception = ty_take_exception();
        Value arguments = ty_as_exception(exception)->args;
        if (ty_tuple_length(arguments) != 1) {
            ty_restore_exception(exception);
            return false;
        }
        Value key = ty_tuple_item(arguments, 0), text = callee_text(callee);
        if (text == TY_NULL)
            return false;
        ty_raise(&ty_TypeError, "%U got multiple values for keyword argument '%S'", text, key);
    }
    return false;
}

Value ty_vm_convert(uint32_t conversion, Value v)
{
    return conversion == 1 ? ty_str(v) : conversion == 2 ? ty_repr(v) : ty_ascii(v);
}

Value ty_vm_interpolation(const Value *parts, uint32_t conversion)
{
    static const char letters[] = "?sra";
    Value letter = conversion == 0 ? TY_NONE : ty_str_from_char((uint32_t)letters[conversion & 3]);
    Value spec = parts[2] == TY_NULL ? ty_str_empty() : parts[2];
    return letter == TY_NULL ? TY_NULL : ty_interpolation_new(parts[0], parts[1], letter, spec);
}

/* --- calls --------------------------------------------------------------------------------------------------------------------------- */

Value ty_vm_call_spread(TyFrame *frame, Value callee, Value arguments, Value keywords)
{
    if (!ty_is_exact_tuple(arguments)) {
        if (!ty_type_of(arguments)->slots.iter && !ty_is_sequence(arguments)) {
            Value text = callee_text(callee);
            return text == TY_NULL ? TY_NULL : ty_raise(&ty_TypeError, "%U argument after * must be an iterable, not %T", text, arguments);
        }
        arguments = ty_sequence_tuple(arguments);
        if (arguments == TY_NULL)
            return TY_NULL;
    }
    if (ty_is_function(callee) && (keywords == TY_NULL || ty_dict_length(keywords) == 0)) {
        TyFrame *pushed = ty_frame_push(ty_as_function(callee), ty_as_tuple(arguments)->items, (size_t)ty_tuple_length(arguments), TY_NULL);
        if (pushed)
            pushed->kind = TY_FRAME_CALL;
        return TY_NULL;
    }
    return ty_call_with(callee, arguments, keywords);
}

/* --- import ------------------------------------------------------------------------------------------------------------------------------ */

Value ty_vm_import_name(TyFrame *frame, Value name, Value from_list, Value level)
{
    Value builtins = frame->function->builtins;
    Value import = ty_is_exact_dict(builtins) ? ty_dict_get_str(builtins, TY_NAME("__import__")) : ty_get_item_or_null(builtins, TY_NAME("__import__"));
    if (import == TY_NULL)
        return ty_raised() ? TY_NULL : ty_raise(&ty_ImportError, "__import__ not found");
    if (import == ty_interpreter()->import_function && import != TY_NULL)
        return ty_import_level(name, frame->function->globals, from_list, level);
    Value arguments[5] = { name, frame->function->globals, frame->locals == TY_NULL ? TY_NONE : frame->locals, from_list, level };
    return ty_call(import, arguments, 5, TY_NULL);
}

static Value import_from_error(Value module, Value name)
{
    bool failed;
    Value module_name = ty_get_attribute_or_null(module, TY_NAME("__name__"), &failed);
    Value spec = ty_get_attribute_or_null(module, TY_NAME("__spec__"), &failed);
    if (ty_raised())
        ty_clear_exception();
    Value shown = module_name != TY_NULL && ty_is_str(module_name) ? module_name : ty_str_from_text("<unknown module name>");
    Value origin = ty_spec_origin(spec);
    if (origin == TY_NULL)
        origin = ty_get_attribute_or_null(module, TY_NAME("__file__"), &failed);
    if (ty_raised())
        ty_clear_exception();
    if (origin != TY_NULL && !ty_is_str(origin))
        origin = TY_NULL;
    int shadows = module_name == TY_NULL ? TY_SHADOWS_NOTHING : ty_module_shadows(shown, origin);
    if (shadows < 0)
        return TY_NULL;
    bool initializing = ty_spec_initializing(spec);
    Value message;
    if (shadows == TY_SHADOWS_STANDARD)
        message = ty_str_format("cannot import name %R from %R (consider renaming %R since it has the same name as the standard library module named %R "
            "and prevents importing that standard library module)", name, shown, origin, shown);
    else if (initializing && shadows == TY_SHADOWS_PERHAPS)
        message = ty_str_format("cannot import name %R from %R (consider renaming %R if it has the same name as a library you intended to import)", name, shown, origin);
    else if (initializing && origin != TY_NULL)
        message = ty_str_format("cannot import name %R from partially initialized module %R (most likely due to a circular import) (%S)", name, shown, origin);
    else if (origin != TY_NULL)
        message = ty_str_format("cannot import name %R from %R (%S)", name, shown, origin);
    else
        message = ty_str_format("cannot import name %R from %R (unknown location)", name, shown);
    if (message == TY_NULL)
        return TY_NULL;
    ty_raise_import_error(&ty_ImportError, message, shown, origin == TY_NULL ? TY_NONE : origin);
    if (ty_raised_is(&ty_ImportError)) {
        TyImportErrorObject *e = (TyImportErrorObject *)ty_object(ty_thread->exception);
        ty_store(e, &e->name_from, name);
    }
    return TY_NULL;
}

Value ty_vm_import_from(Value module, Value name)
{
    bool failed;
    Value v = ty_module_plain_attribute(module, name);
    if (v != TY_NULL)
        return v;
    v = ty_get_attribute_or_null(module, name, &failed);
    if (v != TY_NULL || failed)
        return v;
    /* A submodule that a circular import has put into sys.modules, but not yet into its package. */
    Value package = ty_get_attribute_or_null(module, TY_NAME("__name__"), &failed);
    if (package != TY_NULL && ty_is_str(package)) {
        Value full = ty_str_format("%U.%U", package, name);
        v = full == TY_NULL ? TY_NULL : ty_get_item_or_null(ty_interpreter()->modules, full);
        if (v != TY_NULL)
            return v;
    }
    if (ty_raised())
        ty_clear_exception();
    return import_from_error(module, name);
}

static bool star_names(Value module, Value *names, bool *skip_underscore)
{
    bool failed;
    *skip_underscore = false;
    *names = ty_get_attribute_or_null(module, TY_NAME("__all__"), &failed);
    if (*names != TY_NULL || failed)
        return !failed;
    Value dict = ty_get_attribute_or_null(module, TY_NAME("__dict__"), &failed);
    if (dict == TY_NULL)
        return failed ? false : (ty_raise(&ty_ImportError, "from-import-* object has no __dict__ and no __all__"), false);
    *names = ty_sequence_list(dict);
    *skip_underscore = true;
    return *names != TY_NULL;
}

bool ty_vm_import_star(TyFrame *frame, Value module)
{
    Value names;
    bool skip_underscore;
    if (!star_names(module, &names, &skip_underscore))
        return false;
    Value locals = frame->locals;
    if (locals == TY_NULL)
        locals = frame->locals = frame->function->globals;
    for (int64_t i = 0;; i++) {
        Value name = ty_sequence_item(names, i);
        if (name == TY_NULL) {
            if (!ty_raised_is(&ty_IndexError))
                return false;
            ty_clear_exception();
            return true;
        }
        if (!ty_is_str(name)) {
            Value module_name = ty_get_attribute(module, TY_NAME("__name__"));
            if (module_name != TY_NULL)
                ty_raise(&ty_TypeError, "%s in %U.%s must be str, not %T", skip_underscore ? "Key" : "Item", module_name, skip_underscore ? "__dict__" : "__all__", name);
            return false;
        }
        if (skip_underscore && ty_str_length(name) > 0 && ty_str_at(name, 0) == '_')
            continue;
        Value value = ty_get_attribute(module, name);
        if (value == TY_NULL || !ty_set_item(locals, name, value))
            return false;
    }
}

/* --- exceptions ------------------------------------------------------------------------------------------------------------------------------ */

static bool check_except_class(Value class)
{
    if (ty_is_tuple(class)) {
        for (int64_t i = 0; i < ty_tuple_length(class); i++)
            if (!ty_is_exception_class(ty_tuple_item(class, i)))
                return ty_raise(&ty_TypeError, "catching classes that do not inherit from BaseException is not allowed"), false;
        return true;
    }
    if (!ty_is_exception_class(class))
        return ty_raise(&ty_TypeError, "catching classes that do not inherit from BaseException is not allowed"), false;
    return true;
}

int ty_vm_exception_matches(Value exception, Value class)
{
    if (TY_LIKELY(ty_is_exact(class, &ty_type_type) && (ty_as_type(class)->flags & TY_TYPE_EXCEPTION)))
        return ty_is_instance_of(exception, ty_as_type(class));
    return check_except_class(class) ? ty_exception_matches(exception, class) : -1;
}

static bool check_group_class(Value class)
{
    if (!check_except_class(class))
        return false;
    int64_t n = ty_is_tuple(class) ? ty_tuple_length(class) : 1;
    for (int64_t i = 0; i < n; i++) {
        Value one = ty_is_tuple(class) ? ty_tuple_item(class, i) : class;
        if (ty_type_is_subtype(ty_as_type(one), &ty_BaseExceptionGroup))
            return ty_raise(&ty_TypeError, "catching ExceptionGroup with except* is not allowed. Use except instead."), false;
    }
    return true;
}

bool ty_vm_group_matches(TyFrame *frame, Value *exception, Value class, Value *match)
{
    if (!check_group_class(class))
        return false;
    *match = TY_NONE;
    if (*exception == TY_NONE)
        return true;
    if (ty_exception_matches(*exception, class)) {
        *match = *exception;
        if (!ty_is_instance_of(*exception, &ty_BaseExceptionGroup)) { /* a bare exception comes in a group */
            Value list = ty_tuple_pack(1, *exception);
            *match = list == TY_NULL ? TY_NULL : ty_call_two(ty_from_object(&ty_ExceptionGroup), ty_str_empty(), list);
            if (*match == TY_NULL) {
                if (!ty_raised_is(&ty_TypeError))
                    return false;
                ty_clear_exception();
                *match = ty_call_two(ty_from_object(&ty_BaseExceptionGroup), ty_str_empty(), list);
            }
            if (*match == TY_NULL)
                return false;
            ty_restore_exception(*match); /* its traceback begins at the except* */
            ty_vm_add_traceback(frame, ty_frame_instruction(frame));
            *match = ty_take_exception();
        }
        *exception = TY_NONE;
        return true;
    }
    if (!ty_is_instance_of(*exception, &ty_BaseExceptionGroup))
        return true;
    Value pair = ty_call_method_one(*exception, TY_NAME("split"), class);
    if (pair == TY_NULL)
        return false;
    if (!ty_is_tuple(pair))
        return ty_raise(&ty_TypeError, "%T.split must return a tuple, not %T", *exception, pair), false;
    if (ty_tuple_length(pair) < 2)
        return ty_raise(&ty_TypeError, "%T.split must return a 2-tuple, got tuple of size %lld", *exception, (long long)ty_tuple_length(pair)), false;
    *match = ty_tuple_item(pair, 0);
    *exception = ty_tuple_item(pair, 1);
    return true;
}

static Value exception_from(Value v, const char *message)
{
    if (ty_is_exception_class(v)) {
        Value made = ty_call_none(v);
        if (made != TY_NULL && !ty_is_exception(made))
            return ty_raise(&ty_TypeError, "calling %R should have returned an instance of BaseException, not %R", v, ty_from_object(ty_type_of(made)));
        return made;
    }
    return ty_is_exception(v) ? v : ty_raise(&ty_TypeError, "%s", message);
}

bool ty_vm_raise(uint32_t count, Value value, Value cause)
{
    if (count == 0) {
        Value handled = ty_thread->handled;
        if (handled == TY_NULL)
            return ty_raise(&ty_RuntimeError, "No active exception to reraise"), false;
        ty_restore_exception(handled);
        return false;
    }
    Value exception = exception_from(value, "exceptions must derive from BaseException");
    if (exception == TY_NULL)
        return false;
    if (count == 2) {
        Value fixed = cause == TY_NONE ? TY_NULL : exception_from(cause, "exception causes must derive from BaseException");
        if (fixed == TY_NULL && cause != TY_NONE)
            return false;
        TyException *e = ty_as_exception(exception);
        ty_store(e, &e->cause, fixed);
        e->suppress_context = true;
    }
    ty_raise_object(exception);
    return false;
}

/* --- asynchronous iteration -------------------------------------------------------------------------------------------------------------------- */

static bool is_iterable_coroutine(Value v)
{
    return ty_is_exact(v, &ty_generator_type) && (((TyGenerator *)ty_object(v))->frame.code->flags & TY_CODE_ITERABLE_COROUTINE);
}

Value ty_awaitable_iterator(Value v)
{
    if (ty_is_exact(v, &ty_coroutine_type) || is_iterable_coroutine(v))
        return v;
    TyUnaryFunction await = ty_type_of(v)->slots.await;
    if (!await)
        return ty_raise(&ty_TypeError, "'%T' object can't be awaited", v);
    Value iterator = await(v);
    if (iterator == TY_NULL)
        return TY_NULL;
    if (ty_is_exact(iterator, &ty_coroutine_type) || is_iterable_coroutine(iterator))
        return ty_raise(&ty_TypeError, "__await__() returned a coroutine");
    if (!ty_is_iterator(iterator))
        return ty_raise(&ty_TypeError, "__await__() returned non-iterator of type '%T'", iterator);
    return iterator;
}

Value ty_vm_get_awaitable(Value v, uint32_t where)
{
    Value iterator = ty_awaitable_iterator(v);
    if (iterator == TY_NULL && where != 0 && ty_raised_is(&ty_TypeError) && !ty_type_of(v)->slots.await) {
        ty_clear_exception();
        return ty_raise(&ty_TypeError, "'async with' received an object from %s that does not implement __await__: %T", where == 1 ? "__aenter__" : "__aexit__", v);
    }
    if (iterator != TY_NULL && ty_is_exact(iterator, &ty_coroutine_type)) {
        TyGenerator *g = (TyGenerator *)ty_object(iterator);
        if (ty_load_relaxed(&g->state) == TY_GENERATOR_SUSPENDED && ty_op(*g->frame.pc) == TY_OP_YIELD_FROM)
            return ty_raise(&ty_RuntimeError, "coroutine is being awaited already");
    }
    return iterator;
}

Value ty_vm_get_aiter(Value v)
{
    TyUnaryFunction aiter = ty_type_of(v)->slots.aiter;
    if (!aiter)
        return ty_raise(&ty_TypeError, "'async for' requires an object with __aiter__ method, got %T", v);
    Value iterator = aiter(v);
    if (iterator != TY_NULL && !ty_type_of(iterator)->slots.anext)
        return ty_raise(&ty_TypeError, "'async for' received an object from __aiter__ that does not implement __anext__: %T", iterator);
    return iterator;
}

Value ty_vm_get_anext(Value v)
{
    TyUnaryFunction anext = ty_type_of(v)->slots.anext;
    if (!anext)
        return ty_raise(&ty_TypeError, "'async for' requires an iterator with __anext__ method, got %T", v);
    Value awaitable = anext(v);
    if (awaitable == TY_NULL || ty_is_exact(v, &ty_async_generator_type))
        return awaitable;
    Value iterator = ty_awaitable_iterator(awaitable);
    if (iterator == TY_NULL)
        return ty_raise_from(&ty_TypeError, "'async for' received an invalid object from __anext__: %T", awaitable);
    return iterator;
}

Value ty_vm_yield_from_iter(TyFrame *frame, Value v)
{
    if (ty_is_exact(v, &ty_generator_type))
        return v;
    if (ty_is_exact(v, &ty_coroutine_type)) {
        if (!(frame->code->flags & (TY_CODE_COROUTINE | TY_CODE_ITERABLE_COROUTINE)))
            return ty_raise(&ty_TypeError, "cannot 'yield from' a coroutine object in a non-coroutine generator");
        return v;
    }
    return ty_iter(v);
}

/* --- patterns -------------------------------------------------------------------------------------------------------------------------------------- */

Value ty_vm_match_keys(Value subject, Value keys)
{
    int64_t n = ty_tuple_length(keys);
    Value values = ty_tuple_new(n), seen = ty_set_new(TY_NULL), missing = TY_NULL, get = TY_NULL;
    if (values == TY_NULL || seen == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < n; i++) {
        Value key = ty_tuple_item(keys, i);
        int duplicate = ty_set_contains(seen, key);
        if (duplicate != 0)
            return duplicate < 0 ? TY_NULL : ty_raise(&ty_ValueError, "mapping pattern checks duplicate key (%R)", key);
        if (!ty_set_add(seen, key))
            return TY_NULL;
        Value value;
        if (ty_is_exact_dict(subject)) {
            value = ty_dict_get(subject, key);
            if (value == TY_NULL)
                return ty_raised() ? TY_NULL : TY_NONE;
        } else {
            if (get == TY_NULL && ((get = ty_get_attribute(subject, TY_NAME("get"))) == TY_NULL || (missing = ty_type_allocate(&ty_object_type_, 0)) == TY_NULL))
                return TY_NULL;
            value = ty_call_two(get, key, missing);
            if (value == TY_NULL)
                return TY_NULL;
            if (value == missing)
                return TY_NONE;
        }
        ty_tuple_set(values, i, value);
    }
    return values;
}

/* The subject's attribute; TY_NULL without exception if it has none. */
static Value match_attribute(Value subject, Value class, Value name, Value seen)
{
    int duplicate = ty_set_contains(seen, name);
    if (duplicate != 0)
        return duplicate < 0 ? TY_NULL : ty_raise(&ty_TypeError, "%s() got multiple sub-patterns for attribute %R", ty_as_type(class)->name, name);
    if (!ty_set_add(seen, name))
        return TY_NULL;
    bool failed;
    return ty_get_attribute_or_null(subject, name, &failed);
}

static bool match_positional(Value subject, Value class, uint32_t count, Value seen, Value list, bool *matched)
{
    bool failed;
    *matched = true;
    Value names = ty_get_attribute_or_null(class, TY_NAME("__match_args__"), &failed);
    bool match_self = false;
    if (failed)
        return false;
    if (names == TY_NULL) {
        match_self = ty_as_type(class)->flags & TY_TYPE_MATCH_SELF;
        names = ty_tuple_new(0);
    } else if (!ty_is_exact_tuple(names))
        return ty_raise(&ty_TypeError, "%s.__match_args__ must be a tuple (got %T)", ty_as_type(class)->name, names), false;
    int64_t allowed = match_self ? 1 : ty_tuple_length(names);
    if (allowed < count)
        return ty_raise(&ty_TypeError, "%s() accepts %lld positional sub-pattern%s (%u given)", ty_as_type(class)->name, (long long)allowed, allowed == 1 ? "" : "s", count), false;
    if (match_self)
        return ty_list_append(list, subject);
    for (uint32_t i = 0; i < count; i++) {
        Value name = ty_tuple_item(names, i);
        if (!ty_is_exact_str(name))
            return ty_raise(&ty_TypeError, "__match_args__ elements must be strings (got %T)", name), false;
        Value v = match_attribute(subject, class, name, seen);
        if (v == TY_NULL) {
            *matched = false;
            return !ty_raised();
        }
        if (!ty_list_append(list, v))
            return false;
    }
    return true;
}

Value ty_vm_match_class(Value subject, Value class, uint32_t positional, Value names)
{
    if (!ty_is_type(class))
        return ty_raise(&ty_TypeError, "called match pattern must be a class");
    int is_instance = ty_isinstance(subject, class);
    if (is_instance <= 0)
        return is_instance < 0 ? TY_NULL : TY_NONE;
    Value seen = ty_set_new(TY_NULL), list = ty_list_new(0);
    if (seen == TY_NULL || list == TY_NULL)
        return TY_NULL;
    bool matched = true;
    if (positional && !match_positional(subject, class, positional, seen, list, &matched))
        return TY_NULL;
    for (int64_t i = 0; matched && i < ty_tuple_length(names); i++) {
        Value v = match_attribute(subject, class, ty_tuple_item(names, i), seen);
        if (v == TY_NULL)
            return ty_raised() ? TY_NULL : TY_NONE;
        if (!ty_list_append(list, v))
            return TY_NULL;
    }
    return matched ? ty_list_to_tuple(list) : TY_NONE;
}

/* --- intrinsics ---------------------------------------------------------------------------------------------------------------------------------------- */

static Value print_value(Value v)
{
    Value hook = ty_sys_get("displayhook");
    if (hook == TY_NULL)
        return ty_raised() ? TY_NULL : ty_raise(&ty_RuntimeError, "lost sys.displayhook");
    return ty_call_one(hook, v) == TY_NULL ? TY_NULL : TY_NONE;
}

/* PEP 479: StopIteration that leaves a generator is a RuntimeError. */
static Value stop_iteration_error(TyFrame *frame, Value exception)
{
    const char *message = NULL;
    uint32_t flags = frame->code->flags;
    if (ty_is_instance_of(exception, &ty_StopIteration))
        message = flags & TY_CODE_ASYNC_GENERATOR ? "async generator raised StopIteration" : flags & TY_CODE_COROUTINE ? "coroutine raised StopIteration" : "generator raised StopIteration";
    else if ((flags & TY_CODE_ASYNC_GENERATOR) && ty_is_instance_of(exception, &ty_StopAsyncIteration))
        message = "async generator raised StopAsyncIteration";
    if (!message)
        return exception;
    Value text = ty_str_from_text(message);
    Value error = text == TY_NULL ? TY_NULL : ty_call_one(ty_from_object(&ty_RuntimeError), text);
    if (error == TY_NULL)
        return TY_NULL;
    TyException *e = ty_as_exception(error);
    ty_store(e, &e->cause, exception);
    ty_store(e, &e->context, exception);
    e->suppress_context = true;
    return error;
}

Value ty_vm_intrinsic(TyFrame *frame, uint32_t which, Value operand)
{
    switch (which) {
    case TY_INTRINSIC_PRINT: return print_value(operand);
    case TY_INTRINSIC_IMPORT_STAR: return ty_vm_import_star(frame, operand) ? TY_NONE : TY_NULL;
    case TY_INTRINSIC_STOP_ITERATION: return stop_iteration_error(frame, operand);
    case TY_INTRINSIC_TYPEVAR: return ty_typevar_new(operand, TY_NULL, TY_NULL);
    case TY_INTRINSIC_PARAMSPEC: return ty_paramspec_new(operand);
    case TY_INTRINSIC_TYPEVARTUPLE: return ty_typevartuple_new(operand);
    case TY_INTRINSIC_SUBSCRIPT_GENERIC: return ty_subscript_generic(operand);
    case TY_INTRINSIC_TYPEALIAS: return ty_typealias_new(ty_tuple_item(operand, 0), ty_tuple_item(operand, 1), ty_tuple_item(operand, 2));
    }
    return ty_raise(&ty_SystemError, "unknown intrinsic %u", which);
}

Value ty_vm_intrinsic_two(TyFrame *frame, uint32_t which, Value first, Value second)
{
    switch (which) {
    case TY_INTRINSIC_TWO_RERAISE_STAR: return ty_exception_group_reraise(first, second);
    case TY_INTRINSIC_TWO_TYPEVAR_BOUND: return ty_typevar_new(first, second, TY_NULL);
    case TY_INTRINSIC_TWO_TYPEVAR_CONSTRAINTS: return ty_typevar_new(first, TY_NULL, second);
    case TY_INTRINSIC_TWO_SET_TYPE_PARAMS:
        ty_store(ty_object(first), &ty_as_function(first)->type_params, second);
        return first;
    case TY_INTRINSIC_TWO_SET_TYPEPARAM_DEFAULT: return ty_type_parameter_set_default(first, second);
    }
    return ty_raise(&ty_SystemError, "unknown intrinsic %u", which);
}
