/* _contextvars: Context, ContextVar, Token.
 *
 * What a Context maps is a persistent trie over the variables' numbers, five bits at a level, lowest first. Numbers are unique, so that there
 * are no collisions; a change copies the nodes on its path. A copied Context shares the whole trie. */
#include "modules/_contextvars.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/recursion.h"
#include "object/str.h"
#include "object/tuple.h"

/* --- the trie ------------------------------------------------------------------------------------------------------------ */

#define LEVEL_BITS 5

typedef struct Pair {
    Value var;   /* TY_NULL: `value` is a node of the next level */
    Value value;
} Pair;

typedef struct Node {
    TyObject base;
    uint32_t bitmap; /* which of the 32 places are taken; their pairs stand one after another */
    Pair pairs[];
} Node;

typedef struct ContextVar {
    TyObject base;
    uint64_t number;
    Value name, default_value; /* TY_NULL: no default */
} ContextVar;

static ContextVar *as_var(Value v) { return (ContextVar *)ty_object(v); }
static Node *as_node(Value v) { return (Node *)ty_object(v); }
static int node_count(const Node *node) { return __builtin_popcount(node->bitmap); }

static void node_trace(TyObject *self, TyMarker *marker)
{
    Node *node = (Node *)self;
    ty_mark_range(marker, &node->pairs[0].var, 2 * (size_t)node_count(node));
}
static TyType node_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Node), .item_size = sizeof(Pair), .trace = node_trace},
    .flags = TY_TYPE_NO_NEW | TY_TYPE_FINAL,
    .name = "_contextvars.node",
    .parent = &ty_object_type_,
};

static uint32_t place_bit(uint64_t number, int level) { return 1u << (number >> (LEVEL_BITS * level) & 31); }
static int place_index(const Node *node, uint32_t bit) { return __builtin_popcount(node->bitmap & (bit - 1)); }

static Node *node_new(int count) { return ty_allocate(&node_type, sizeof(Node) + (size_t)count * sizeof(Pair)); }
static void put(Node *node, int i, Value var, Value value)
{
    ty_store(node, &node->pairs[i].var, var);
    ty_store(node, &node->pairs[i].value, value);
}

static Value trie_get(Value root, Value var)
{
    uint64_t number = as_var(var)->number;
    for (int level = 0; root; level++) {
        Node *node = as_node(root);
        uint32_t bit = place_bit(number, level);
        if (!(node->bitmap & bit))
            return TY_NULL;
        Pair *pair = &node->pairs[place_index(node, bit)];
        if (pair->var)
            return pair->var == var ? pair->value : TY_NULL;
        root = pair->value;
    }
    return TY_NULL;
}

/* A node with the two variables, which agree in all lower levels. */
static Value trie_two(int level, Value var, Value value, Value other, Value other_value)
{
    uint32_t bit = place_bit(as_var(var)->number, level), other_bit = place_bit(as_var(other)->number, level);
    Node *node = node_new(bit == other_bit ? 1 : 2);
    if (!node)
        return TY_NULL;
    if (bit == other_bit) {
        Value inner = trie_two(level + 1, var, value, other, other_value);
        if (!inner)
            return TY_NULL;
        put(node, 0, TY_NULL, inner);
    } else {
        put(node, bit > other_bit, var, value);
        put(node, bit < other_bit, other, other_value);
    }
    node->bitmap = bit | other_bit;
    return ty_from_object(node);
}

/* The trie with the variable set; *added tells whether it is new. */
static Value trie_set(Value root, int level, Value var, Value value, bool *added)
{
    uint32_t bit = place_bit(as_var(var)->number, level);
    Node *old = root ? as_node(root) : NULL;
    int count = old ? node_count(old) : 0, at = old ? place_index(old, bit) : 0;
    bool there = old && (old->bitmap & bit);
    *added = !there;
    Pair pair = {var, value};
    if (there) {
        Pair *present = &old->pairs[at];
        if (!present->var)
            pair = (Pair){TY_NULL, trie_set(present->value, level + 1, var, value, added)};
        else if (present->var != var) {
            pair = (Pair){TY_NULL, trie_two(level + 1, var, value, present->var, present->value)};
            *added = true;
        }
        if (!pair.value)
            return TY_NULL;
    }
    Node *node = node_new(count + !there);
    if (!node)
        return TY_NULL;
    for (int i = 0, from = 0; i < count + !there; i++) {
        if (i == at) {
            put(node, i, pair.var, pair.value);
            from += there;
        } else {
            put(node, i, old->pairs[from].var, old->pairs[from].value);
            from++;
        }
    }
    node->bitmap = (old ? old->bitmap : 0) | bit;
    return ty_from_object(node);
}

/* The trie without the variable, which is in it; TY_NULL if nothing is left, or with an exception. */
static Value trie_delete(Value root, int level, Value var)
{
    Node *old = as_node(root);
    uint32_t bit = place_bit(as_var(var)->number, level);
    int count = node_count(old), at = place_index(old, bit);
    Value inner = TY_NULL;
    if (!old->pairs[at].var) {
        inner = trie_delete(old->pairs[at].value, level + 1, var);
        if (!inner && ty_raised())
            return TY_NULL;
    }
    if (!inner && count == 1)
        return TY_NULL;
    Node *node = node_new(inner ? count : count - 1);
    if (!node)
        return TY_NULL;
    for (int i = 0, to = 0; i < count; i++) {
        if (i != at)
            put(node, to++, old->pairs[i].var, old->pairs[i].value);
        else if (inner)
            put(node, to++, TY_NULL, inner);
    }
    node->bitmap = inner ? old->bitmap : old->bitmap & ~bit;
    return ty_from_object(node);
}

static bool trie_each(Value root, bool (*visit)(Value var, Value value, void *context), void *context)
{
    Node *node = root ? as_node(root) : NULL;
    for (int i = 0; node && i < node_count(node); i++) {
        Pair pair = node->pairs[i];
        if (pair.var ? !visit(pair.var, pair.value, context) : !trie_each(pair.value, visit, context))
            return false;
    }
    return true;
}

/* --- Context ----------------------------------------------------------------------------------------------------------------- */

typedef struct Context {
    TyObject base;
    Value root;
    Value previous;      /* the thread's context before this was entered */
    _Atomic int64_t count;
    _Atomic bool entered;
} Context;

static Context *as_context(Value v) { return (Context *)ty_object(v); }
/* One thread at a time runs in a context and changes it; others may look. */
static Value root_of(Value v) { return ty_field_acquire(&as_context(v)->root); }
static int64_t count_of(Value v) { return ty_load_relaxed(&as_context(v)->count); }
static void context_trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ty_field(&((Context *)self)->root));
    ty_mark(marker, ty_field(&((Context *)self)->previous));
}

static Value context_make(Value root, int64_t count)
{
    Context *made = ty_allocate(&ty_context_type, sizeof *made);
    if (!made)
        return TY_NULL;
    ty_store(made, &made->root, root);
    ty_store_relaxed(&made->count, count);
    return ty_from_object(made);
}

Value ty_context_current(void)
{
    TyThread *thread = ty_thread;
    if (!thread->context) {
        Value made = context_make(TY_NULL, 0);
        if (!made)
            return TY_NULL;
        ty_store_relaxed(&as_context(made)->entered, true);
        thread->context = made;
    }
    return thread->context;
}

Value ty_context_copy_current(void)
{
    Value current = ty_context_current();
    return current ? context_make(root_of(current), count_of(current)) : TY_NULL;
}

bool ty_context_enter(Value context)
{
    bool entered = false;
    if (!atomic_compare_exchange_strong_explicit(&as_context(context)->entered, &entered, true, memory_order_acquire, memory_order_relaxed))
        return ty_raise(&ty_RuntimeError, "cannot enter context: %R is already entered", context), false;
    TyThread *thread = ty_thread;
    ty_store(ty_object(context), &as_context(context)->previous, thread->context);
    thread->context = context;
    thread->context_version++;
    return true;
}

void ty_context_exit(Value context)
{
    TyThread *thread = ty_thread;
    thread->context = ty_field(&as_context(context)->previous);
    thread->context_version++;
    ty_store(ty_object(context), &as_context(context)->previous, TY_NULL);
    ty_store_release(&as_context(context)->entered, false);
}

Value ty_context_run(Value context, Value callable, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_context_enter(context))
        return TY_NULL;
    Value result = ty_call(callable, arguments, count, keywords);
    ty_context_exit(context);
    return result;
}

static Value context_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (count || (keywords && ty_tuple_length(keywords)))
        return ty_raise(&ty_TypeError, "Context() does not accept any arguments");
    return context_make(TY_NULL, 0);
}

static bool check_key(Value key)
{
    if (!ty_is_exact(key, &ty_context_var_type))
        ty_raise(&ty_TypeError, "a ContextVar key was expected, got %R", key);
    return ty_is_exact(key, &ty_context_var_type);
}

static Value context_run(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (count == 0)
        return ty_raise(&ty_TypeError, "run() missing 1 required positional argument");
    return ty_context_run(self, arguments[0], arguments + 1, count - 1, keywords);
}
static Value context_copy(Value self, Value *a) { return context_make(root_of(self), count_of(self)); }
static Value context_get(Value self, Value *a)
{
    if (!check_key(a[0]))
        return TY_NULL;
    Value found = trie_get(root_of(self), a[0]);
    return found ? found : a[1] ? a[1] : TY_NONE;
}
static Value context_get_item(Value self, Value key)
{
    if (!check_key(key))
        return TY_NULL;
    Value found = trie_get(root_of(self), key);
    return found ? found : ty_raise_key_error(key);
}
static int context_contains(Value self, Value key) { return check_key(key) ? trie_get(root_of(self), key) != TY_NULL : -1; }
static int64_t context_length(Value self) { return count_of(self); }

static bool add_key(Value var, Value value, void *list) { return ty_list_append(*(Value *)list, var); }
static bool add_value(Value var, Value value, void *list) { return ty_list_append(*(Value *)list, value); }
static bool add_item(Value var, Value value, void *list)
{
    Value item = ty_tuple_pack(2, var, value);
    return item && ty_list_append(*(Value *)list, item);
}
static Value iterate(Value self, bool (*add)(Value var, Value value, void *list))
{
    Value list = ty_list_new(count_of(self));
    return list && trie_each(root_of(self), add, &list) ? ty_iter(list) : TY_NULL;
}
static Value context_iter(Value self) { return iterate(self, add_key); }
static Value context_keys(Value self, Value *a) { return iterate(self, add_key); }
static Value context_values(Value self, Value *a) { return iterate(self, add_value); }
static Value context_items(Value self, Value *a) { return iterate(self, add_item); }

static bool same_in(Value var, Value value, void *other)
{
    Value theirs = trie_get(*(Value *)other, var);
    return theirs && ty_equal(value, theirs) > 0;
}
static Value context_compare(Value left, Value right, int op)
{
    if ((op != TY_EQ && op != TY_NE) || !ty_is_exact(right, &ty_context_type))
        return TY_NOT_IMPLEMENTED;
    Value other = root_of(right);
    bool equal = count_of(left) == count_of(right) && trie_each(root_of(left), same_in, &other);
    if (ty_raised())
        return TY_NULL;
    return ty_from_bool(equal == (op == TY_EQ));
}

static const TyNativeDef context_methods[] = {
    TY_RAW_METHOD("run(self, /, callable, *args, **kwargs)", context_run, "Calls callable(*args, **kwargs) in this context and returns its result."),
    TY_METHOD("copy(self, /)", context_copy, "A shallow copy."),
    TY_METHOD("get(self, key, default=None, /)", context_get, "The variable's value in this context, or the default."),
    TY_METHOD("keys(self, /)", context_keys, "The variables that have a value."),
    TY_METHOD("values(self, /)", context_values, "Their values."),
    TY_METHOD("items(self, /)", context_items, "Pairs of variable and value."),
    {0}};
TyType ty_context_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Context), .trace = context_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_WEAKREFABLE,
    .name = "_contextvars.Context",
    .doc = "What context variables are set to: a mapping that code can be run in.",
    .parent = &ty_object_type_,
    .slots = {.new = context_new, .hash = ty_hash_unhashable, .compare = context_compare, .iter = context_iter, .length = context_length,
              .get_item = context_get_item, .contains = context_contains},
    .methods = context_methods,
};

/* --- Token ---------------------------------------------------------------------------------------------------------------------- */

typedef struct Token {
    TyObject base;
    Value var, old_value, context; /* old_value TY_NULL: there was none */
    bool used;
} Token;

static Token *as_token(Value v) { return (Token *)ty_object(v); }
static void token_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Token *)self)->var, 3); }

static Value missing_repr(Value self) { return ty_str_from_text("<Token.MISSING>"); }
static TyType missing_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .flags = TY_TYPE_NO_NEW | TY_TYPE_FINAL,
    .name = "Token.MISSING",
    .parent = &ty_object_type_,
    .slots = {.repr = missing_repr},
};
static TyObject missing = {.type = &missing_type};

static bool reset(ContextVar *var, Value token);
static Value token_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    return ty_raise(&ty_RuntimeError, "Tokens can only be created by ContextVars");
}
static Value token_repr(Value self)
{
    return ty_str_format("<Token%s var=%R at %p>", as_token(self)->used ? " used" : "", as_token(self)->var, (void *)ty_object(self));
}
static Value token_old_value(Value self)
{
    Value old = ty_field(&as_token(self)->old_value);
    return old ? old : ty_from_object(&missing);
}
static Value token_enter(Value self, Value *a) { return self; }
static Value token_exit(Value self, Value *a) { return reset(as_var(as_token(self)->var), self) ? TY_NONE : TY_NULL; }

static const TyNativeDef token_methods[] = {
    TY_CLASS_GETITEM,
    TY_METHOD("__enter__(self, /)", token_enter, "The token itself."),
    TY_METHOD("__exit__(self, type, val, tb, /)", token_exit, "Sets the variable back to what it was before."),
    {0}};
static const TyGetSetDef token_getsets[] = {{"old_value", token_old_value, NULL, "the value before"}, {0}};
static const TyMemberDef token_members[] = {{"var", TY_MEMBER_VALUE, false, offsetof(Token, var), "the variable"}, {0}};
TyType ty_context_token_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Token), .trace = token_trace},
    .flags = TY_TYPE_FINAL,
    .name = "_contextvars.Token",
    .doc = "What ContextVar.set() returns: remembers the value before.",
    .parent = &ty_object_type_,
    .slots = {.new = token_new, .repr = token_repr, .hash = ty_hash_unhashable},
    .methods = token_methods,
    .getsets = token_getsets,
    .members = token_members,
};

/* --- ContextVar -------------------------------------------------------------------------------------------------------------------- */

static void var_trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ((ContextVar *)self)->name);
    ty_mark(marker, ((ContextVar *)self)->default_value);
}

static Value var_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static _Atomic uint64_t numbers;
    if (count != 1 && !(count == 0 && keywords && ty_tuple_length(keywords)))
        return ty_raise(&ty_TypeError, count ? "ContextVar() takes at most 1 positional argument (%zu given)"
                                             : "ContextVar() takes exactly 1 positional argument (%zu given)", count);
    static TySignature signature = TY_SIGNATURE("ContextVar(name, *, default=None)");
    Value a[2];
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return TY_NULL;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "context variable name must be a str");
    if (ty_hash(a[0]) == -1)
        return TY_NULL;
    ContextVar *var = ty_allocate(type, sizeof *var);
    if (!var)
        return TY_NULL;
    var->number = atomic_fetch_add_explicit(&numbers, 1, memory_order_relaxed);
    ty_store(var, &var->name, a[0]);
    ty_store(var, &var->default_value, a[1]);
    return ty_from_object(var);
}

static Value var_repr(Value self)
{
    TyReprGuard guard;
    ContextVar *var = as_var(self);
    if (!var->default_value)
        return ty_str_format("<ContextVar name=%R at %p>", var->name, (void *)var);
    if (!ty_repr_enter(&guard, self))
        return ty_str_from_text("...");
    Value text = ty_str_format("<ContextVar name=%R default=%R at %p>", var->name, var->default_value, (void *)var);
    ty_repr_leave(&guard);
    return text;
}

static Value var_get(Value self, Value *a)
{
    Value context = ty_thread->context, found = context ? trie_get(root_of(context), self) : TY_NULL;
    if (found)
        return found;
    if (a[0])
        return a[0];
    return as_var(self)->default_value ? as_var(self)->default_value : ty_raise_value(&ty_LookupError, self);
}

static bool assign(Value self, Value value)
{
    Value context = ty_context_current();
    bool added = false;
    if (!context)
        return false;
    Value root = trie_set(root_of(context), 0, self, value, &added);
    if (!root)
        return false;
    ty_store_publish(ty_object(context), &as_context(context)->root, root);
    ty_store_relaxed(&as_context(context)->count, count_of(context) + added);
    return true;
}

static Value var_set(Value self, Value *a)
{
    Value context = ty_context_current();
    Token *token = context ? ty_allocate(&ty_context_token_type, sizeof *token) : NULL;
    if (!token)
        return TY_NULL;
    ty_store(token, &token->var, self);
    ty_store(token, &token->context, context);
    ty_store(token, &token->old_value, trie_get(root_of(context), self));
    return assign(self, a[0]) ? ty_from_object(token) : TY_NULL;
}

static bool reset(ContextVar *var, Value token_value)
{
    Token *token = as_token(token_value);
    Value self = ty_from_object(var);
    if (token->used)
        return ty_raise(&ty_RuntimeError, "%R has already been used once", token_value), false;
    if (token->var != self)
        return ty_raise(&ty_ValueError, "%R was created by a different ContextVar", token_value), false;
    if (token->context != ty_context_current())
        return ty_raise(&ty_ValueError, "%R was created in a different Context", token_value), false;
    token->used = true;
    Context *context = as_context(token->context);
    if (token->old_value)
        return assign(self, token->old_value);
    if (!trie_get(context->root, self))
        return true;
    Value root = trie_delete(context->root, 0, self);
    if (!root && ty_raised())
        return false;
    ty_store_publish(context, &context->root, root);
    ty_store_relaxed(&context->count, ty_load_relaxed(&context->count) - 1);
    return true;
}

static Value var_reset(Value self, Value *a)
{
    if (!ty_is_exact(a[0], &ty_context_token_type))
        return ty_raise(&ty_TypeError, "expected an instance of Token, got %R", a[0]);
    return reset(as_var(self), a[0]) ? TY_NONE : TY_NULL;
}

static const TyNativeDef var_methods[] = {
    TY_CLASS_GETITEM,
    TY_METHOD("get(self, default=None, /)", var_get, "The value in the current context, else the given default, else the variable's; else LookupError."),
    TY_METHOD("set(self, value, /)", var_set, "Sets the value in the current context; returns a token to undo that with."),
    TY_METHOD("reset(self, token, /)", var_reset, "Sets the value back to what it was before the set() that returned the token."),
    {0}};
static const TyMemberDef var_members[] = {{"name", TY_MEMBER_VALUE, false, offsetof(ContextVar, name), "the name"}, {0}};
TyType ty_context_var_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(ContextVar), .trace = var_trace},
    .flags = TY_TYPE_FINAL,
    .name = "_contextvars.ContextVar",
    .doc = "A variable that may have another value in each context.",
    .parent = &ty_object_type_,
    .slots = {.new = var_new, .repr = var_repr, .hash = ty_hash_identity},
    .methods = var_methods,
    .members = var_members,
};

/* --- the module ------------------------------------------------------------------------------------------------------------------------ */

static Value contextvars_copy_context(Value module, Value *a) { return ty_context_copy_current(); }

static const TyNativeDef contextvars_functions[] = {
    TY_FUNCTION("copy_context()", contextvars_copy_context, "A copy of the current context."), {0}};
static TyType *const contextvars_types[] = {&ty_context_type, &ty_context_var_type, &ty_context_token_type, NULL};

static bool contextvars_execute(Value module)
{
    return ty_type_ready(&missing_type) && ty_dict_set_text(ty_context_token_type.dict, "MISSING", ty_from_object(&missing));
}

const TyModuleDef ty_module__contextvars = {
    .name = "_contextvars",
    .doc = "Context variables.",
    .functions = contextvars_functions,
    .types = contextvars_types,
    .execute = contextvars_execute,
};
