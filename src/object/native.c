#include "object/native.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/slots.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include <ctype.h>
#include <sched.h>
#include "base/futex.h"
#include <stdlib.h>

/* --- signatures ------------------------------------------------------------------------------------------------------ */

static const char *skip_default(const char *p)
{
    int depth = 0;
    char quote = 0;
    for (; *p; p++) {
        if (quote) {
            if (*p == '\\' && p[1])
                p++;
            else if (*p == quote)
                quote = 0;
        } else if (*p == '\'' || *p == '"')
            quote = *p;
        else if (strchr("([{", *p))
            depth++;
        else if (*p == ')' || *p == ']' || *p == '}') {
            if (depth-- == 0)
                return p;
        } else if (*p == ',' && depth == 0)
            return p;
    }
    return p;
}

static const char *skip_space(const char *p)
{
    while (*p == ' ')
        p++;
    return p;
}

static bool is_self_name(const char *p, size_t n)
{
    return n > 0 && (p[0] == '$' || (n == 4 && !memcmp(p, "self", 4)) || (n == 4 && !memcmp(p, "type", 4)) || (n == 6 && !memcmp(p, "module", 6)));
}

static void parse_signature(TySignature *s)
{
    const char *p = strchr(s->text, '(');
    s->name = s->text;
    s->name_length = (uint32_t)(p - s->text);
    p = skip_space(p + 1);
    bool first = true, keyword_only = false;
    unsigned n = 0;
    while (*p && *p != ')') {
        if (*p == '/') {
            s->positional_only = s->positional;
            p++;
        } else if (p[0] == '*' && p[1] == '*') {
            s->star_star = true;
            p = skip_default(p);
        } else if (*p == '*') {
            s->star = isalpha((unsigned char)p[1]) || p[1] == '_';
            keyword_only = true;
            p = skip_default(p);
        } else {
            const char *start = p;
            while (*p == '$' || *p == '_' || isalnum((unsigned char)*p))
                p++;
            size_t length = (size_t)(p - start);
            p = skip_space(p);
            bool has_default = false;
            if (*p == ':')
                p = skip_default(p);
            if (*p == '=') {
                has_default = true;
                p = skip_default(p + 1);
            }
            bool is_self = first && is_self_name(start, length) && !(s->no_self && length == 4); /* "self" and "type" are then names like others */
            if (!is_self && n < TY_PARAMETERS_MAX) {
                s->names[n] = ty_intern_utf8(start, length);
                ty_pin(s->names[n]);
                if (keyword_only) {
                    s->required_keyword[s->keyword_only] = !has_default;
                    s->keyword_only++;
                } else {
                    s->positional++;
                    if (!has_default)
                        s->required_positional = s->positional;
                }
                n++;
            }
        }
        first = false;
        p = skip_space(p);
        if (*p == ',')
            p = skip_space(p + 1);
    }
    s->total = (uint8_t)(n + s->star + s->star_star);
}

TySignature *ty_signature_parsed(TySignature *s)
{
    if (TY_LIKELY(ty_load_acquire(&s->state) == 2))
        return s;
    int none = 0;
    if (atomic_compare_exchange_strong_explicit(&s->state, &none, 1, memory_order_acquire, memory_order_acquire)) {
        parse_signature(s);
        if (s->total == s->positional)
            ty_store_relaxed(&s->direct, s->total + 1u);
        ty_store_release(&s->state, 2);
    } else
        while (ty_load_acquire(&s->state) != 2) {
            ty_safepoint();
            sched_yield();
        }
    return s;
}

#define NAME_FORMAT "%.*s"
#define NAME_OF(s) (int)(s)->name_length, (s)->name
#define OWNER_OF(s) (s)->owner ? (s)->owner : "", (s)->owner ? "." : "" /* the type or module that the function is in */

static Value wrong_count(const TySignature *s, size_t count, size_t keywords)
{
    bool plain = s->positional == s->positional_only && s->keyword_only == 0;
    if (plain && s->positional == 0)
        return ty_raise(&ty_TypeError, "%s%s" NAME_FORMAT "() takes no arguments (%zu given)", OWNER_OF(s), NAME_OF(s), count + keywords);
    if (plain && s->positional == 1 && s->required_positional == 1 && !s->star)
        return ty_raise(&ty_TypeError, "%s%s" NAME_FORMAT "() takes exactly one argument (%zu given)", OWNER_OF(s), NAME_OF(s), count + keywords);
    if (plain) {
        const char *bound = s->required_positional == s->positional && !s->star ? "" : count < s->required_positional ? "at least " : "at most ";
        unsigned limit = count < s->required_positional ? s->required_positional : s->positional;
        return ty_raise(&ty_TypeError, NAME_FORMAT " expected %s%u argument%s, got %zu", NAME_OF(s), bound, limit, limit == 1 ? "" : "s", count);
    }
    unsigned all = s->positional + s->keyword_only;
    if (count + keywords > all || s->positional == 0 || count <= s->positional) {
        if (s->positional == 0 && count > 0)
            return ty_raise(&ty_TypeError, NAME_FORMAT "() takes no positional arguments", NAME_OF(s));
        if (count + keywords > all)
            return ty_raise(&ty_TypeError, NAME_FORMAT "() takes %s %u %sargument%s (%zu given)", NAME_OF(s), s->required_positional == all ? "exactly" : "at most", all, keywords == 0 && s->keyword_only == 0 ? "" : keywords == count + keywords ? "keyword " : "", all == 1 ? "" : "s", count + keywords);
    }
    return ty_raise(&ty_TypeError, NAME_FORMAT "() takes %s %u positional argument%s (%zu given)", NAME_OF(s), s->required_positional == s->positional ? "exactly" : "at most", s->positional, s->positional == 1 ? "" : "s", count);
}

static Value missing_argument(const TySignature *s, unsigned i, size_t count)
{
    if (s->positional == s->positional_only && s->keyword_only == 0)
        return wrong_count(s, count, 0);
    if (i < s->positional_only)
        return ty_raise(&ty_TypeError, NAME_FORMAT "() takes %s %u positional argument%s (%zu given)", NAME_OF(s), s->required_positional == s->positional ? "exactly" : "at least", s->required_positional, s->required_positional == 1 ? "" : "s", count);
    return ty_raise(&ty_TypeError, NAME_FORMAT "() missing required argument '%U' (pos %u)", NAME_OF(s), s->names[i], i + 1);
}

static bool place_keyword(TySignature *s, Value name, Value value, Value *flat, Value *extra)
{
    unsigned named = s->positional + s->keyword_only;
    for (int pass = 0; pass < 2; pass++)
        for (unsigned i = s->positional_only; i < named; i++) {
            if (pass == 0 ? s->names[i] != name : !ty_str_equal(s->names[i], name))
                continue;
            unsigned place = i < s->positional ? i : i + s->star;
            if (flat[place] != TY_NULL)
                return ty_raise(&ty_TypeError, "argument for " NAME_FORMAT "() given by name ('%U') and position (%u)", NAME_OF(s), name, i + 1), false;
            flat[place] = value;
            return true;
        }
    if (s->star_star) {
        if (*extra == TY_NULL && (*extra = ty_dict_new()) == TY_NULL)
            return false;
        return ty_dict_set(*extra, name, value);
    }
    if (s->positional == s->positional_only && s->keyword_only == 0)
        return ty_raise(&ty_TypeError, "%s%s" NAME_FORMAT "() takes no keyword arguments", OWNER_OF(s), NAME_OF(s)), false;
    for (unsigned i = 0; i < s->positional_only; i++)
        if (ty_str_equal(s->names[i], name))
            return ty_raise(&ty_TypeError, NAME_FORMAT "() got some positional-only arguments passed as keyword arguments: '%U'", NAME_OF(s), name), false;
    return ty_raise(&ty_TypeError, NAME_FORMAT "() got an unexpected keyword argument '%U'", NAME_OF(s), name), false;
}

bool ty_parse_arguments(TySignature *signature, const Value *arguments, size_t count, Value keywords, Value *flat)
{
    TySignature *s = ty_signature_parsed(signature);
    size_t keyword_count = keywords == TY_NULL ? 0 : (size_t)ty_tuple_length(keywords);
    unsigned named = s->positional + s->keyword_only;
    if (count > s->positional && !s->star)
        return wrong_count(s, count, keyword_count), false;
    /* Layout of flat: positional parameters, *args, keyword-only ones, **kwargs. */
    for (unsigned i = 0; i < s->total; i++)
        flat[i] = i < s->positional && i < count ? arguments[i] : TY_NULL;
    if (s->star) {
        Value rest = count > s->positional ? ty_tuple_from_array(arguments + s->positional, count - s->positional) : ty_tuple_new(0);
        if (rest == TY_NULL)
            return false;
        flat[s->positional] = rest;
    }
    Value extra = TY_NULL;
    for (size_t i = 0; i < keyword_count; i++)
        if (!place_keyword(s, ty_tuple_item(keywords, (int64_t)i), arguments[count + i], flat, &extra))
            return false;
    for (unsigned i = 0; i < s->required_positional; i++)
        if (flat[i] == TY_NULL)
            return missing_argument(s, i, count), false;
    for (unsigned i = 0; i < s->keyword_only; i++)
        if (s->required_keyword[i] && flat[s->positional + s->star + i] == TY_NULL)
            return ty_raise(&ty_TypeError, NAME_FORMAT "() missing required keyword-only argument: '%U'", NAME_OF(s), s->names[s->positional + i]), false;
    if (s->star_star) {
        if (extra == TY_NULL && (extra = ty_dict_new()) == TY_NULL)
            return false;
        flat[named + s->star] = extra;
    }
    return true;
}

bool ty_no_keywords(const char *name, Value keywords)
{
    if (keywords == TY_NULL || ty_tuple_length(keywords) == 0)
        return true;
    return ty_raise(&ty_TypeError, "%s() takes no keyword arguments", name), false;
}

bool ty_check_positional(const char *name, size_t count, size_t minimum, size_t maximum)
{
    if (count >= minimum && count <= maximum)
        return true;
    size_t limit = count < minimum ? minimum : maximum;
    const char *bound = minimum == maximum ? "" : count < minimum ? "at least " : "at most ";
    return ty_raise(&ty_TypeError, "%s expected %s%zu argument%s, got %zu", name, bound, limit, limit == 1 ? "" : "s", count), false;
}

/* --- calling ------------------------------------------------------------------------------------------------------------ */

/* Parsed signatures by definition and owner: one of each for the process, made when it is first needed. */
static struct {
    TyMutex lock;
    TySignature **slots;
    const void **owners;      /* the type of a method; NULL for functions of modules */
    const TyNativeDef **defs;
    size_t count, mask;
} signatures;

static size_t signature_place(const TyNativeDef *def, const void *owner)
{
    size_t i = ((uintptr_t)def / sizeof *def * 31 + (uintptr_t)owner / 64) & signatures.mask;
    while (signatures.defs[i] && (signatures.defs[i] != def || signatures.owners[i] != owner))
        i = (i + 1) & signatures.mask;
    return i;
}

static bool signatures_grow(void)
{
    size_t old_count = signatures.defs ? signatures.mask + 1 : 0, count = old_count ? old_count * 2 : 256;
    TySignature **old_slots = signatures.slots, **slots = calloc(count, sizeof *slots);
    const void **old_owners = signatures.owners, **owners = calloc(count, sizeof *owners);
    const TyNativeDef **old_defs = signatures.defs, **defs = calloc(count, sizeof *defs);
    if (!slots || !owners || !defs) {
        free(slots);
        free(owners);
        free(defs);
        return false;
    }
    signatures.slots = slots;
    signatures.owners = owners;
    signatures.defs = defs;
    signatures.mask = count - 1;
    for (size_t i = 0; i < old_count; i++)
        if (old_defs[i]) {
            size_t to = signature_place(old_defs[i], old_owners[i]);
            signatures.slots[to] = old_slots[i];
            signatures.owners[to] = old_owners[i];
            signatures.defs[to] = old_defs[i];
        }
    free(old_slots);
    free(old_owners);
    free(old_defs);
    return true;
}

static TySignature *signature_new(const TyNativeDef *def, const char *owner)
{
    TySignature *s = calloc(1, sizeof *s);
    if (s) {
        s->text = def->signature;
        s->no_self = def->binding == TY_NATIVE_FUNCTION || def->binding == TY_NATIVE_STATIC_METHOD;
        s->owner = owner;
    }
    return s;
}

/* `owner` a type, or NULL; its name, or the module's (then copied), for error texts. */
static TySignature *signature_of(const TyNativeDef *def, const void *owner, const char *name)
{
    ty_mutex_lock(&signatures.lock);
    TySignature *found = NULL;
    if (signatures.count * 2 < signatures.mask || signatures_grow()) {
        size_t i = signature_place(def, owner);
        if (!signatures.defs[i]) {
            if (name && !owner)
                name = strdup(name);
            if ((signatures.slots[i] = signature_new(def, name))) {
                signatures.defs[i] = def;
                signatures.owners[i] = owner;
                signatures.count++;
            }
        }
        found = signatures.slots[i];
    }
    ty_mutex_unlock(&signatures.lock);
    if (!found)
        ty_raise_memory_error();
    return found;
}

static TySignature *signature_first(TyNativeCode *code)
{
    const void *owner = NULL;
    const char *name = NULL;
    size_t size;
    if (ty_object_type(&code->base) == &ty_native_type) {
        Value module = ((TyNative *)code)->module;
        if (module != TY_NULL && ty_is_str(module) && !ty_str_equal_text(module, "builtins"))
            name = ty_to_utf8(module, &size);
    } else {
        owner = ((TyMethodDescriptor *)code)->owner;
        name = ty_type_short_name(owner);
    }
    TySignature *signature = signature_of(code->def, owner, name);
    if (signature)
        ty_store_release(&code->signature, signature);
    return signature;
}

Value ty_native_invoke(TyNativeCode *code, Value self, const Value *arguments, size_t count, Value keywords)
{
    if (TY_UNLIKELY(ty_c_stack_low()))
        return ty_raise_recursion_error(" while calling a Python object");
    const TyNativeDef *def = code->def;
    if (def->calling == TY_NATIVE_RAW)
        return def->function.raw(self, arguments, count, keywords);
    TySignature *signature = ty_load_acquire(&code->signature);
    if (TY_UNLIKELY(!signature) && !(signature = signature_first(code)))
        return TY_NULL;
    TySignature *s = TY_LIKELY(ty_load_acquire(&signature->state) == 2) ? signature : ty_signature_parsed(signature);
    Value flat[TY_ROOM(s->total + 1u)];
    flat[TY_ROOM(s->total + 1u) - 1] = flat[s->total] = TY_NULL;
    if (TY_LIKELY((keywords == TY_NULL || ty_tuple_length(keywords) == 0) && count >= s->required_positional && count <= s->positional && s->total == s->positional)) {
        for (unsigned i = 0; i < s->total; i++)
            flat[i] = i < count ? arguments[i] : TY_NULL;
        return def->function.flat(self, flat);
    }
    if (!ty_parse_arguments(s, arguments, count, keywords, flat))
        return TY_NULL;
    return def->function.flat(self, flat);
}

static Value native_call(Value callable, const Value *arguments, size_t count, Value keywords)
{
    TyNative *native = (TyNative *)ty_object(callable);
    return ty_native_invoke((TyNativeCode *)native, native->self, arguments, count, keywords);
}

static Value method_descriptor_call(Value callable, const Value *arguments, size_t count, Value keywords)
{
    TyMethodDescriptor *d = (TyMethodDescriptor *)ty_object(callable);
    if (count == 0)
        return ty_raise(&ty_TypeError, "unbound method %s.%U() needs an argument", ty_type_short_name(d->owner), d->name);
    if (!ty_is_instance_of(arguments[0], d->owner))
        return ty_raise(&ty_TypeError, "descriptor '%U' for '%s' objects doesn't apply to a '%T' object", d->name, d->owner->name, arguments[0]);
    return ty_native_invoke((TyNativeCode *)d, arguments[0], arguments + 1, count - 1, keywords);
}

/* --- making --------------------------------------------------------------------------------------------------------------- */

static Value native_make(const TyNativeDef *def, TySignature *signature, Value self, Value module, Value owner)
{
    TyNative *native = ty_allocate(&ty_native_type, sizeof *native);
    if (!native)
        return TY_NULL;
    native->def = def;
    ty_store_relaxed(&native->signature, signature);
    ty_store(native, &native->self, self);
    ty_store(native, &native->module, module);
    ty_store(native, &native->owner, owner);
    return ty_from_object(native);
}

Value ty_native_new(const TyNativeDef *def, Value self, Value module, Value owner)
{
    return native_make(def, NULL, self, module, owner);
}

Value ty_native_bind(Value native, Value self)
{
    TyNative *n = (TyNative *)ty_object(native);
    return native_make(n->def, ty_load_acquire(&n->signature), self, n->module, n->owner);
}

Value ty_native_for_type(const TyNativeDef *def, TyType *type)
{
    if (def->binding == TY_NATIVE_STATIC_METHOD) {
        Value native = ty_native_new(def, TY_NULL, TY_NULL, ty_from_object(type));
        return native == TY_NULL ? TY_NULL : ty_staticmethod_wrap(native);
    }
    TyType *kind = def->binding == TY_NATIVE_CLASS_METHOD ? &ty_class_method_descriptor_type : &ty_method_descriptor_type;
    TyMethodDescriptor *d = ty_allocate(kind, sizeof *d);
    if (!d)
        return TY_NULL;
    d->def = def;
    d->owner = type;
    ty_store(d, &d->name, ty_intern_utf8(def->signature, strcspn(def->signature, "(")));
    return ty_from_object(d);
}

/* T.__new__ of static types, and only of them. */
static Value constructor_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    TyType *owner = ty_as_type(self);
    if (count == 0)
        return ty_raise(&ty_TypeError, "%s.__new__(): not enough arguments", owner->name);
    if (!ty_is_type(arguments[0]))
        return ty_raise(&ty_TypeError, "%s.__new__(X): X is not a type object (%T)", owner->name, arguments[0]);
    TyType *type = ty_as_type(arguments[0]);
    if (!ty_type_is_subtype(type, owner))
        return ty_raise(&ty_TypeError, "%s.__new__(%s): %s is not a subtype of %s", owner->name, type->name, type->name, owner->name);
    TyType *native = type;
    while ((native->flags & TY_TYPE_HEAP) || (native->parent && native->slots.new == native->parent->slots.new))
        native = native->parent;
    if (native->flags & TY_TYPE_NO_NEW)
        return ty_raise(&ty_TypeError, "cannot create '%s' instances", type->name);
    if (native->slots.new != owner->slots.new)
        return ty_raise(&ty_TypeError, "%s.__new__(%s) is not safe, use %s.__new__()", owner->name, type->name, native->name);
    return owner->slots.new(type, arguments + 1, count - 1, keywords);
}

static const TyNativeDef constructor_def = TY_RAW_METHOD("__new__(type, /, *args, **kwargs)", constructor_call, "Create and return a new object.  See help(type) for accurate signature.");

Value ty_native_constructor(TyType *type) { return native_make(&constructor_def, NULL, ty_from_object(type), TY_NULL, ty_from_object(type)); }

bool ty_native_is_constructor(Value v, TyType **type)
{
    if (v == TY_NULL || !ty_is_exact(v, &ty_native_type))
        return false;
    TyNative *native = (TyNative *)ty_object(v);
    if (native->def != &constructor_def)
        return false;
    *type = ty_as_type(native->self);
    return true;
}

/* --- docstrings and signatures for help() -------------------------------------------------------------------------------- */

const char *ty_native_doc_text(const char *doc)
{
    const char *end = strstr(doc, "\n--\n\n");
    return end ? end + 5 : doc;
}

Value ty_native_doc_signature(const char *name, const char *doc)
{
    const char *end = strstr(doc, "\n--\n\n");
    size_t length = strlen(name);
    if (!end || strncmp(doc, name, length) || doc[length] != '(')
        return TY_NONE;
    return ty_str_from_utf8(doc + length, (size_t)(end - doc) - length);
}

/* "(self, x, /)" → "($self, x, /)", as inspect wants the bound parameter marked. */
static Value text_signature(const TyNativeDef *def)
{
    const char *open = strchr(def->signature, '(');
    if (def->hidden_signature || strchr(def->signature, '\n') || strchr(def->signature, '['))
        return TY_NONE;
    size_t n = strcspn(open + 1, ",)= ");
    if (is_self_name(open + 1, n) && open[1] != '$')
        return ty_str_format("($%s", open + 1);
    return ty_str_from_text(open);
}

static Value def_doc(const TyNativeDef *def) { return def->doc ? ty_str_from_text(def->doc) : TY_NONE; }
static Value def_name(const TyNativeDef *def) { return ty_intern_utf8(def->signature, strcspn(def->signature, "(")); }

/* --- the types --------------------------------------------------------------------------------------------------------------- */

static void native_trace(TyObject *self, TyMarker *marker)
{
    TyNative *n = (TyNative *)self;
    ty_mark(marker, n->self);
    ty_mark(marker, n->module);
    ty_mark(marker, n->owner);
}

static Value native_repr(Value self)
{
    TyNative *n = (TyNative *)ty_object(self);
    if (n->self == TY_NULL || ty_is_module(n->self))
        return ty_str_format("<built-in function %U>", def_name(n->def));
    return ty_str_format("<built-in method %U of %T object at %p>", def_name(n->def), n->self, (void *)ty_object(n->self));
}

static int64_t native_hash(Value self)
{
    TyNative *n = (TyNative *)ty_object(self);
    int64_t h = (int64_t)(n->self * 31 + (uintptr_t)n->def);
    return h == -1 ? -2 : h;
}

static Value native_compare(Value left, Value right, int op)
{
    if ((op != TY_EQ && op != TY_NE) || !ty_is_exact(right, &ty_native_type))
        return TY_NOT_IMPLEMENTED;
    TyNative *a = (TyNative *)ty_object(left), *b = (TyNative *)ty_object(right);
    return ty_from_bool((a->self == b->self && a->def == b->def) == (op == TY_EQ));
}

static Value native_get_name(Value self) { return def_name(((TyNative *)ty_object(self))->def); }
static Value native_get_doc(Value self) { return def_doc(((TyNative *)ty_object(self))->def); }
static Value native_get_signature(Value self) { return text_signature(((TyNative *)ty_object(self))->def); }
static Value native_get_self(Value self)
{
    Value v = ((TyNative *)ty_object(self))->self;
    return v == TY_NULL ? TY_NONE : v;
}
static Value native_get_module(Value self)
{
    Value v = ((TyNative *)ty_object(self))->module;
    return v == TY_NULL ? TY_NONE : v;
}
static Value native_get_qualname(Value self)
{
    TyNative *n = (TyNative *)ty_object(self);
    Value name = def_name(n->def);
    if (n->owner != TY_NULL)
        return ty_str_format("%U.%U", ty_as_type(n->owner)->qualname_value, name);
    if (n->self == TY_NULL || ty_is_module(n->self))
        return name;
    Value type = ty_is_type(n->self) ? n->self : ty_from_object(ty_type_of(n->self));
    return ty_str_format("%U.%U", ty_as_type(type)->qualname_value, name);
}

static Value native_reduce(Value self, Value *a)
{
    TyNative *n = (TyNative *)ty_object(self);
    Value name = def_name(n->def), place = n->self == TY_NULL && n->def->binding == TY_NATIVE_STATIC_METHOD ? n->owner : n->self;
    if (place == TY_NULL || ty_is_module(place))
        return name;
    return ty_tuple_pack(2, ty_module_function("builtins", "getattr"), ty_tuple_pack(2, place, name));
}

static const TyNativeDef native_methods[] = { TY_METHOD("__reduce__(self, /)", native_reduce, "Helper for pickle."), {0} };
static const TyGetSetDef native_getsets[] = {
    { "__name__", native_get_name, NULL, NULL }, { "__qualname__", native_get_qualname, NULL, NULL }, { "__doc__", native_get_doc, NULL, NULL },
    { "__self__", native_get_self, NULL, NULL }, { "__module__", native_get_module, NULL, NULL }, { "__text_signature__", native_get_signature, NULL, NULL }, {0}
};

TyType ty_native_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "builtin_function_or_method", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_WEAKREFABLE,
    .layout = { .size = sizeof(TyNative), .trace = native_trace },
    .slots = { .repr = native_repr, .hash = native_hash, .compare = native_compare, .call = native_call },
    .methods = native_methods, .getsets = native_getsets,
};

static void descriptor_trace(TyObject *self, TyMarker *marker)
{
    TyMethodDescriptor *d = (TyMethodDescriptor *)self;
    ty_mark(marker, d->name);
    ty_mark_object(marker, &d->owner->base);
}

static Value method_descriptor_repr(Value self)
{
    TyMethodDescriptor *d = (TyMethodDescriptor *)ty_object(self);
    return ty_str_format("<method '%U' of '%s' objects>", d->name, d->owner->name);
}

/* So that every method bound from it needs no search. */
static TySignature *signature_kept(TyMethodDescriptor *d)
{
    TySignature *signature = ty_load_acquire(&d->signature);
    if (signature || d->def->calling == TY_NATIVE_RAW)
        return signature;
    if (!(signature = signature_first((TyNativeCode *)d)))
        ty_clear_exception(); /* the call will try again */
    return signature;
}

static Value method_descriptor_get(Value self, Value object, Value type)
{
    TyMethodDescriptor *d = (TyMethodDescriptor *)ty_object(self);
    if (object == TY_NULL)
        return self;
    if (!ty_is_instance_of(object, d->owner))
        return ty_raise(&ty_TypeError, "descriptor '%U' for '%s' objects doesn't apply to a '%T' object", d->name, d->owner->name, object);
    return native_make(d->def, signature_kept(d), object, TY_NULL, TY_NULL);
}

static Value class_method_descriptor_get(Value self, Value object, Value type)
{
    TyMethodDescriptor *d = (TyMethodDescriptor *)ty_object(self);
    if (type == TY_NULL)
        type = ty_from_object(ty_type_of(object));
    if (!ty_is_type(type))
        return ty_raise(&ty_TypeError, "descriptor '%U' for type '%s' needs a type, not a '%T' as arg 2", d->name, d->owner->name, type);
    if (!ty_type_is_subtype(ty_as_type(type), d->owner))
        return ty_raise(&ty_TypeError, "descriptor '%U' requires a subtype of '%s' but received '%s'", d->name, d->owner->name, ty_as_type(type)->name);
    return native_make(d->def, signature_kept(d), type, TY_NULL, TY_NULL);
}

static Value class_method_descriptor_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    TyMethodDescriptor *d = (TyMethodDescriptor *)ty_object(self);
    if (count == 0)
        return ty_raise(&ty_TypeError, "descriptor '%U' of '%s' object needs an argument", d->name, d->owner->name);
    Value bound = class_method_descriptor_get(self, TY_NULL, arguments[0]);
    return bound == TY_NULL ? TY_NULL : ty_call(bound, arguments + 1, count - 1, keywords);
}

static Value descriptor_get_name(Value self) { return ((TyMethodDescriptor *)ty_object(self))->name; }
static Value descriptor_get_owner(Value self) { return ty_from_object(((TyMethodDescriptor *)ty_object(self))->owner); }
static Value descriptor_get_doc(Value self) { return def_doc(((TyMethodDescriptor *)ty_object(self))->def); }
static Value descriptor_get_signature(Value self) { return text_signature(((TyMethodDescriptor *)ty_object(self))->def); }
static Value descriptor_get_qualname(Value self)
{
    TyMethodDescriptor *d = (TyMethodDescriptor *)ty_object(self);
    return ty_str_format("%U.%U", d->owner->qualname_value, d->name);
}

static Value descriptor_reduce(Value self, Value *a)
{
    TyMethodDescriptor *d = (TyMethodDescriptor *)ty_object(self);
    return ty_tuple_pack(2, ty_module_function("builtins", "getattr"), ty_tuple_pack(2, ty_from_object(d->owner), d->name));
}

static const TyNativeDef descriptor_methods[] = { TY_METHOD("__reduce__(self, /)", descriptor_reduce, "Helper for pickle."), {0} };
static const TyGetSetDef descriptor_getsets[] = {
    { "__name__", descriptor_get_name, NULL, NULL }, { "__qualname__", descriptor_get_qualname, NULL, NULL }, { "__objclass__", descriptor_get_owner, NULL, NULL },
    { "__doc__", descriptor_get_doc, NULL, NULL }, { "__text_signature__", descriptor_get_signature, NULL, NULL }, {0}
};

TyType ty_method_descriptor_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "method_descriptor", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_METHOD,
    .layout = { .size = sizeof(TyMethodDescriptor), .trace = descriptor_trace },
    .slots = { .repr = method_descriptor_repr, .call = method_descriptor_call, .get = method_descriptor_get },
    .methods = descriptor_methods, .getsets = descriptor_getsets,
};

TyType ty_class_method_descriptor_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "classmethod_descriptor", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .layout = { .size = sizeof(TyMethodDescriptor), .trace = descriptor_trace },
    .slots = { .repr = method_descriptor_repr, .call = class_method_descriptor_call, .get = class_method_descriptor_get },
    .getsets = descriptor_getsets,
};

/* --- wrapper descriptors and method wrappers ------------------------------------------------------------------------------------ */

typedef struct MethodWrapper {
    TyObject base;
    TyWrapperDescriptor *descriptor;
    Value self;
} MethodWrapper;

static void wrapper_trace(TyObject *self, TyMarker *marker) { ty_mark_object(marker, &((TyWrapperDescriptor *)self)->owner->base); }

static Value wrapper_name(const TyWrapperDescriptor *w) { return ty_intern_text(w->entry->method); }

static Value wrapper_repr(Value self)
{
    TyWrapperDescriptor *w = (TyWrapperDescriptor *)ty_object(self);
    return ty_str_format("<slot wrapper '%s' of '%s' objects>", w->entry->method, w->owner->name);
}

static Value wrapper_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    TyWrapperDescriptor *w = (TyWrapperDescriptor *)ty_object(self);
    if (count == 0)
        return ty_raise(&ty_TypeError, "descriptor '%s' of '%s' object needs an argument", w->entry->method, w->owner->name);
    if (!ty_is_instance_of(arguments[0], w->owner))
        return ty_raise(&ty_TypeError, "descriptor '%s' requires a '%s' object but received a '%T'", w->entry->method, w->owner->name, arguments[0]);
    if (TY_UNLIKELY(ty_c_stack_low()))
        return ty_raise_recursion_error(" while calling a Python object");
    return ty_slot_call_wrapper(w->entry, w->function, arguments[0], arguments + 1, count - 1, keywords);
}

static Value wrapper_get(Value self, Value object, Value type)
{
    TyWrapperDescriptor *w = (TyWrapperDescriptor *)ty_object(self);
    if (object == TY_NULL)
        return self;
    if (!ty_is_instance_of(object, w->owner))
        return ty_raise(&ty_TypeError, "descriptor '%s' for '%s' objects doesn't apply to a '%T' object", w->entry->method, w->owner->name, object);
    MethodWrapper *m = ty_allocate(&ty_method_wrapper_type, sizeof *m);
    if (!m)
        return TY_NULL;
    m->descriptor = w;
    ty_store(m, &m->self, object);
    return ty_from_object(m);
}

static Value wrapper_get_name(Value self) { return wrapper_name((TyWrapperDescriptor *)ty_object(self)); }
static Value wrapper_get_owner(Value self) { return ty_from_object(((TyWrapperDescriptor *)ty_object(self))->owner); }
static Value wrapper_get_doc(Value self) { return ty_str_from_text(((TyWrapperDescriptor *)ty_object(self))->entry->doc); }
static Value wrapper_get_signature(Value self) { return ty_str_from_text(((TyWrapperDescriptor *)ty_object(self))->entry->signature); }
static Value wrapper_get_qualname(Value self)
{
    TyWrapperDescriptor *w = (TyWrapperDescriptor *)ty_object(self);
    return ty_str_format("%U.%s", w->owner->qualname_value, w->entry->method);
}

static Value wrapper_reduce(Value self, Value *a)
{
    TyWrapperDescriptor *w = (TyWrapperDescriptor *)ty_object(self);
    return ty_tuple_pack(2, ty_module_function("builtins", "getattr"), ty_tuple_pack(2, ty_from_object(w->owner), wrapper_name(w)));
}

static const TyNativeDef wrapper_methods[] = { TY_METHOD("__reduce__(self, /)", wrapper_reduce, "Helper for pickle."), {0} };
static const TyGetSetDef wrapper_getsets[] = {
    { "__name__", wrapper_get_name, NULL, NULL }, { "__qualname__", wrapper_get_qualname, NULL, NULL }, { "__objclass__", wrapper_get_owner, NULL, NULL },
    { "__doc__", wrapper_get_doc, NULL, NULL }, { "__text_signature__", wrapper_get_signature, NULL, NULL }, {0}
};

TyType ty_wrapper_descriptor_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "wrapper_descriptor", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_METHOD,
    .layout = { .size = sizeof(TyWrapperDescriptor), .trace = wrapper_trace },
    .slots = { .repr = wrapper_repr, .call = wrapper_call, .get = wrapper_get },
    .methods = wrapper_methods, .getsets = wrapper_getsets,
};

static void method_wrapper_trace(TyObject *self, TyMarker *marker)
{
    MethodWrapper *m = (MethodWrapper *)self;
    ty_mark_object(marker, &m->descriptor->base);
    ty_mark(marker, m->self);
}

static Value method_wrapper_repr(Value self)
{
    MethodWrapper *m = (MethodWrapper *)ty_object(self);
    return ty_str_format("<method-wrapper '%s' of %T object at %p>", m->descriptor->entry->method, m->self, (void *)(uintptr_t)m->self);
}

static Value method_wrapper_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    MethodWrapper *m = (MethodWrapper *)ty_object(self);
    return ty_slot_call_wrapper(m->descriptor->entry, m->descriptor->function, m->self, arguments, count, keywords);
}

static Value method_wrapper_compare(Value left, Value right, int op)
{
    if ((op != TY_EQ && op != TY_NE) || !ty_is_exact(right, &ty_method_wrapper_type))
        return TY_NOT_IMPLEMENTED;
    MethodWrapper *a = (MethodWrapper *)ty_object(left), *b = (MethodWrapper *)ty_object(right);
    return ty_from_bool((a->descriptor == b->descriptor && a->self == b->self) == (op == TY_EQ));
}

static int64_t method_wrapper_hash(Value self)
{
    MethodWrapper *m = (MethodWrapper *)ty_object(self);
    int64_t h = (int64_t)(m->self * 31 + (uintptr_t)m->descriptor);
    return h == -1 ? -2 : h;
}

static Value method_wrapper_descriptor(Value self) { return ty_from_object(((MethodWrapper *)ty_object(self))->descriptor); }
static Value method_wrapper_get_name(Value self) { return wrapper_get_name(method_wrapper_descriptor(self)); }
static Value method_wrapper_get_qualname(Value self) { return wrapper_get_qualname(method_wrapper_descriptor(self)); }
static Value method_wrapper_get_doc(Value self) { return wrapper_get_doc(method_wrapper_descriptor(self)); }
static Value method_wrapper_get_signature(Value self) { return wrapper_get_signature(method_wrapper_descriptor(self)); }
static Value method_wrapper_get_owner(Value self) { return wrapper_get_owner(method_wrapper_descriptor(self)); }
static Value method_wrapper_get_self(Value self) { return ((MethodWrapper *)ty_object(self))->self; }
static Value method_wrapper_reduce(Value self, Value *a)
{
    return ty_tuple_pack(2, ty_module_function("builtins", "getattr"), ty_tuple_pack(2, method_wrapper_get_self(self), method_wrapper_get_name(self)));
}

static const TyNativeDef method_wrapper_methods[] = { TY_METHOD("__reduce__(self, /)", method_wrapper_reduce, "Helper for pickle."), {0} };
static const TyGetSetDef method_wrapper_getsets[] = {
    { "__name__", method_wrapper_get_name, NULL, NULL }, { "__qualname__", method_wrapper_get_qualname, NULL, NULL }, { "__objclass__", method_wrapper_get_owner, NULL, NULL },
    { "__self__", method_wrapper_get_self, NULL, NULL }, { "__doc__", method_wrapper_get_doc, NULL, NULL }, { "__text_signature__", method_wrapper_get_signature, NULL, NULL }, {0}
};

TyType ty_method_wrapper_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "method-wrapper", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .layout = { .size = sizeof(MethodWrapper), .trace = method_wrapper_trace },
    .slots = { .repr = method_wrapper_repr, .call = method_wrapper_call, .compare = method_wrapper_compare, .hash = method_wrapper_hash },
    .methods = method_wrapper_methods, .getsets = method_wrapper_getsets,
};

/* --- get-sets and members ------------------------------------------------------------------------------------------------------------ */

typedef struct GetSet { TyObject base; TyType *owner; const TyGetSetDef *def; } GetSet;

bool ty_type_has_plain_dict(TyType *type)
{
    Value descriptor = type->flags & TY_TYPE_HAS_DICT ? ty_type_lookup(type, TY_NAME("__dict__")) : TY_NULL;
    return descriptor != TY_NULL && ty_is_exact(descriptor, &ty_getset_type) && ((GetSet *)ty_object(descriptor))->def == &ty_dict_getset;
}
typedef struct Member { /* of a static type (def), or a slot of a class (name, offset) */
    TyObject base;
    TyType *owner;
    const TyMemberDef *def;
    Value name;
    int64_t offset;
} Member;

static void owned_trace(TyObject *self, TyMarker *marker) { ty_mark_object(marker, &((GetSet *)self)->owner->base); }

Value ty_getset_new(TyType *type, const TyGetSetDef *def)
{
    GetSet *g = ty_allocate(&ty_getset_type, sizeof *g);
    if (!g)
        return TY_NULL;
    g->owner = type;
    g->def = def;
    return ty_from_object(g);
}

static bool check_owner(TyType *owner, const char *name, Value object)
{
    if (ty_is_instance_of(object, owner))
        return true;
    return ty_raise(&ty_TypeError, "descriptor '%s' for '%s' objects doesn't apply to a '%T' object", name, owner->name, object), false;
}

static Value getset_get(Value self, Value object, Value type)
{
    GetSet *g = (GetSet *)ty_object(self);
    if (object == TY_NULL)
        return self;
    if (!check_owner(g->owner, g->def->name, object))
        return TY_NULL;
    if (!g->def->get)
        return ty_raise(&ty_AttributeError, "attribute '%s' of '%s' objects is not readable", g->def->name, g->owner->name);
    return g->def->get(object);
}

static bool getset_set(Value self, Value object, Value value)
{
    GetSet *g = (GetSet *)ty_object(self);
    if (!check_owner(g->owner, g->def->name, object))
        return false;
    if (!g->def->set)
        return ty_raise(&ty_AttributeError, "attribute '%s' of '%s' objects is not writable", g->def->name, g->owner->name), false;
    return g->def->set(object, value);
}

static Value getset_repr(Value self)
{
    GetSet *g = (GetSet *)ty_object(self);
    return ty_str_format("<attribute '%s' of '%s' objects>", g->def->name, g->owner->name);
}

static Value getset_get_name(Value self) { return ty_intern_text(((GetSet *)ty_object(self))->def->name); }
static Value getset_get_doc(Value self)
{
    const char *doc = ((GetSet *)ty_object(self))->def->doc;
    return doc ? ty_str_from_text(doc) : TY_NONE;
}
static Value owned_get_owner(Value self) { return ty_from_object(((GetSet *)ty_object(self))->owner); }
static Value getset_get_qualname(Value self) { return ty_str_format("%U.%U", ((GetSet *)ty_object(self))->owner->qualname_value, getset_get_name(self)); }
static const TyGetSetDef getset_getsets[] = {
    { "__name__", getset_get_name, NULL, NULL }, { "__qualname__", getset_get_qualname, NULL, NULL }, { "__objclass__", owned_get_owner, NULL, NULL }, { "__doc__", getset_get_doc, NULL, NULL }, {0}
};

TyType ty_getset_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "getset_descriptor", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .layout = { .size = sizeof(GetSet), .trace = owned_trace },
    .slots = { .repr = getset_repr, .get = getset_get, .set = getset_set }, .getsets = getset_getsets,
};

Value ty_member_new(TyType *type, const TyMemberDef *def)
{
    Member *m = ty_allocate(&ty_member_type, sizeof *m);
    if (!m)
        return TY_NULL;
    m->owner = type;
    m->def = def;
    m->offset = def->offset;
    ty_store(m, &m->name, ty_intern_text(def->name));
    return ty_from_object(m);
}

Value ty_slot_member_new(TyType *type, Value name, int64_t offset)
{
    Member *m = ty_allocate(&ty_member_type, sizeof *m);
    if (!m)
        return TY_NULL;
    m->owner = type;
    m->offset = offset;
    ty_store(m, &m->name, name);
    return ty_from_object(m);
}

bool ty_slot_member_offset(Value descriptor, uint32_t *offset)
{
    if (!ty_is_exact(descriptor, &ty_member_type))
        return false;
    Member *m = (Member *)ty_object(descriptor);
    if (m->def || m->offset <= 0 || m->offset > 0xFFFF)
        return false;
    *offset = (uint32_t)m->offset;
    return true;
}

static void member_trace(TyObject *self, TyMarker *marker)
{
    owned_trace(self, marker);
    ty_mark(marker, ((Member *)self)->name);
}

static bool member_check(Member *m, Value object)
{
    if (ty_is_instance_of(object, m->owner))
        return true;
    return ty_raise(&ty_TypeError, "descriptor '%U' for '%s' objects doesn't apply to a '%T' object", m->name, m->owner->name, object), false;
}

/* Slots of instances of variable size are counted from their end. */
static void *member_place(Member *m, TyObject *object)
{
    return (char *)object + m->offset + (m->offset < 0 ? (int64_t)ty_heap_object_size(object) : 0);
}

static Value member_get(Value self, Value object, Value type)
{
    Member *m = (Member *)ty_object(self);
    if (object == TY_NULL)
        return self;
    if (!member_check(m, object))
        return TY_NULL;
    void *place = member_place(m, ty_object(object));
    switch (m->def ? m->def->kind : TY_MEMBER_VALUE) {
    case TY_MEMBER_VALUE: {
        Value v = ty_field(place);
        return v != TY_NULL ? v : ty_raise_attribute_error(object, m->name);
    }
    case TY_MEMBER_VALUE_NONE: {
        Value v = ty_field(place);
        return v != TY_NULL ? v : TY_NONE;
    }
    case TY_MEMBER_BOOL: return ty_from_bool(*(bool *)place);
    case TY_MEMBER_INT32: return ty_int_from_int64(*(int32_t *)place);
    case TY_MEMBER_UINT32: return ty_int_from_int64(*(uint32_t *)place);
    case TY_MEMBER_INT64: case TY_MEMBER_SIZE: return ty_int_from_int64(*(int64_t *)place);
    default: return ty_from_double(*(double *)place);
    }
}

static bool member_set(Value self, Value object, Value value)
{
    Member *m = (Member *)ty_object(self);
    if (!member_check(m, object))
        return false;
    void *place = member_place(m, ty_object(object));
    if (m->def && !m->def->writable)
        return ty_raise(&ty_AttributeError, "readonly attribute"), false;
    if (value == TY_NULL && (!m->def || m->def->kind <= TY_MEMBER_VALUE_NONE)) {
        if (ty_field(place) == TY_NULL && !(m->def && m->def->kind == TY_MEMBER_VALUE_NONE))
            return ty_raise_attribute_error(object, m->name), false;
    } else if (value == TY_NULL)
        return ty_raise(&ty_TypeError, "can't delete numeric/char attribute"), false;
    int64_t i;
    switch (m->def ? m->def->kind : TY_MEMBER_VALUE) {
    case TY_MEMBER_VALUE: case TY_MEMBER_VALUE_NONE:
        ty_store(ty_object(object), place, value);
        return true;
    case TY_MEMBER_BOOL:
        if (value != TY_TRUE && value != TY_FALSE)
            return ty_raise(&ty_TypeError, "attribute value type must be bool"), false;
        *(bool *)place = value == TY_TRUE;
        return true;
    case TY_MEMBER_DOUBLE: return ty_to_double(value, place);
    case TY_MEMBER_INT32: return ty_to_int32(value, place);
    default:
        if (!ty_to_int64(value, &i))
            return false;
        if (m->def->kind == TY_MEMBER_UINT32)
            *(uint32_t *)place = (uint32_t)i;
        else
            *(int64_t *)place = i;
        return true;
    }
}

static Value member_repr(Value self)
{
    Member *m = (Member *)ty_object(self);
    return ty_str_format("<member '%U' of '%s' objects>", m->name, m->owner->name);
}

static Value member_get_name(Value self) { return ((Member *)ty_object(self))->name; }
static Value member_get_doc(Value self)
{
    Member *m = (Member *)ty_object(self);
    return m->def && m->def->doc ? ty_str_from_text(m->def->doc) : TY_NONE;
}
static Value member_get_qualname(Value self) { return ty_str_format("%U.%U", ((Member *)ty_object(self))->owner->qualname_value, member_get_name(self)); }
static Value member_reduce(Value self, Value *a)
{
    Member *m = (Member *)ty_object(self);
    return ty_tuple_pack(2, ty_module_function("builtins", "getattr"), ty_tuple_pack(2, ty_from_object(m->owner), m->name));
}
static const TyNativeDef member_methods[] = { TY_METHOD("__reduce__(self, /)", member_reduce, "Helper for pickle."), {0} };
static const TyGetSetDef member_getsets[] = {
    { "__name__", member_get_name, NULL, NULL }, { "__qualname__", member_get_qualname, NULL, NULL }, { "__objclass__", owned_get_owner, NULL, NULL }, { "__doc__", member_get_doc, NULL, NULL }, {0}
};

TyType ty_member_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "member_descriptor", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .layout = { .size = sizeof(Member), .trace = member_trace },
    .slots = { .repr = member_repr, .get = member_get, .set = member_set }, .methods = member_methods, .getsets = member_getsets,
};

/* --- arguments to C ------------------------------------------------------------------------------------------------------------------------- */

static bool to_int(Value v, Value *out)
{
    *out = ty_is_int(v) ? v : ty_number_index(v);
    return *out != TY_NULL;
}

bool ty_to_int64(Value v, int64_t *out)
{
    if (TY_LIKELY(ty_is_immediate_int(v))) {
        *out = ty_immediate_int(v);
        return true;
    }
    Value i;
    if (!to_int(v, &i))
        return false;
    if (ty_int_get_int64(i, out) != 0)
        return ty_raise(&ty_OverflowError, "Python int too large to convert to C long"), false;
    return true;
}

bool ty_to_size(Value v, int64_t *out)
{
    if (TY_LIKELY(ty_is_immediate_int(v))) {
        *out = ty_immediate_int(v);
        return true;
    }
    Value i;
    if (!to_int(v, &i))
        return false;
    if (ty_int_get_int64(i, out) != 0)
        return ty_raise(&ty_OverflowError, "Python int too large to convert to C ssize_t"), false;
    return true;
}

bool ty_to_index(Value v, int64_t *out)
{
    if (TY_LIKELY(ty_is_immediate_int(v))) {
        *out = ty_immediate_int(v);
        return true;
    }
    if (!ty_has_index(v))
        return ty_raise(&ty_TypeError, "slice indices must be integers or None or have an __index__ method"), false;
    Value i;
    if (!to_int(v, &i))
        return false;
    int where = ty_int_get_int64(i, out);
    if (where != 0)
        *out = where > 0 ? INT64_MAX : INT64_MIN;
    return true;
}

bool ty_to_int32(Value v, int32_t *out)
{
    int64_t wide;
    Value i;
    if (!to_int(v, &i))
        return false;
    if (ty_int_get_int64(i, &wide) != 0)
        return ty_raise(&ty_OverflowError, "Python int too large to convert to C int"), false;
    if (wide > INT32_MAX || wide < INT32_MIN)
        return ty_raise(&ty_OverflowError, wide > 0 ? "signed integer is greater than maximum" : "signed integer is less than minimum"), false;
    *out = (int32_t)wide;
    return true;
}

bool ty_to_uint64(Value v, uint64_t *out)
{
    Value i;
    if (!to_int(v, &i))
        return false;
    if (ty_int_sign(i) < 0)
        return ty_raise(&ty_OverflowError, "can't convert negative value to unsigned int"), false;
    if (ty_int_bit_length(i) > 64)
        return ty_raise(&ty_OverflowError, "Python int too large to convert to C unsigned long"), false;
    return ty_to_uint64_mask(i, out);
}

bool ty_to_uint64_mask(Value v, uint64_t *out)
{
    Value i;
    if (!to_int(v, &i))
        return false;
    if (ty_is_immediate_int(i)) {
        *out = (uint64_t)ty_immediate_int(i);
        return true;
    }
    int64_t narrow;
    if (ty_int_get_int64(i, &narrow) == 0) {
        *out = (uint64_t)narrow;
        return true;
    }
    TyInt *big = (TyInt *)ty_object(i);
    uint64_t low = big->limbs[0];
    *out = big->size < 0 ? -low : low;
    return true;
}

bool ty_to_double(Value v, double *out)
{
    if (TY_LIKELY(ty_is_double(v))) {
        *out = ty_double(v);
        return true;
    }
    if (ty_is_immediate_int(v)) {
        *out = (double)ty_immediate_int(v);
        return true;
    }
    if (ty_is_float(v)) {
        *out = ty_float_value(v);
        return true;
    }
    TyType *type = ty_type_of(v);
    if (!type->slots.to_float && !type->slots.index)
        return ty_raise(&ty_TypeError, "must be real number, not %T", v), false;
    Value f = ty_number_float(v);
    if (f == TY_NULL)
        return false;
    *out = ty_float_value(f);
    return true;
}

bool ty_to_bool(Value v, bool *out)
{
    int truth = ty_is_true(v);
    *out = truth > 0;
    return truth >= 0;
}

const char *ty_to_utf8(Value v, size_t *size)
{
    if (!ty_is_str(v))
        return ty_raise(&ty_TypeError, "a str is needed, not '%T'", v), NULL;
    Value holder;
    const char *text = ty_str_utf8(v, size, &holder);
    return text; /* points into a heap object: the conservative scan keeps it while the caller has the pointer */
}

bool ty_require_str(Value v, const char *function, const char *argument)
{
    if (ty_is_str(v))
        return true;
    return ty_raise(&ty_TypeError, "%s() %s must be str, not %T", function, argument, v), false;
}
