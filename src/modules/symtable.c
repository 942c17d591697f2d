/* _symtable: the compiler's scopes, for the module symtable. */
#include "compile/scope.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "syntax/parse.h"

typedef struct Entry {
    TyObject base;
    Value id, name, symbols, varnames, children;
    int32_t type, nested, lineno;
} Entry;

static void entry_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Entry *)self)->id, 5); }

static Value entry_repr(Value self)
{
    Entry *entry = (Entry *)ty_object(self);
    return ty_str_format("<symtable entry %U(%S), line %d>", entry->name, entry->id, (int)entry->lineno);
}

static const TyMemberDef entry_members[] = {
    {"id", TY_MEMBER_VALUE, false, offsetof(Entry, id), NULL}, {"name", TY_MEMBER_VALUE, false, offsetof(Entry, name), NULL},
    {"symbols", TY_MEMBER_VALUE, false, offsetof(Entry, symbols), NULL}, {"varnames", TY_MEMBER_VALUE, false, offsetof(Entry, varnames), NULL},
    {"children", TY_MEMBER_VALUE, false, offsetof(Entry, children), NULL}, {"nested", TY_MEMBER_INT32, false, offsetof(Entry, nested), NULL},
    {"type", TY_MEMBER_INT32, false, offsetof(Entry, type), NULL}, {"lineno", TY_MEMBER_INT32, false, offsetof(Entry, lineno), NULL}, {0},
};

static TyType entry_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Entry), .trace = entry_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW | TY_TYPE_WEAKREFABLE,
    .name = "symtable entry",
    .parent = &ty_object_type_,
    .slots = {.repr = entry_repr},
    .members = entry_members,
};

static bool fill_symbols(Entry *entry, const TyScope *scope)
{
    for (int i = 0; i < scope->symbols.count; i++) {
        TyNameEntry symbol = scope->symbols.entries[i];
        if (symbol.number != TY_NAMES_ABSENT && !ty_dict_set(entry->symbols, symbol.name, ty_from_immediate_int(symbol.number & TY_SYMBOL_SHOWN)))
            return false;
    }
    for (int i = 0; i < scope->parameter_count; i++)
        if (!ty_list_append(entry->varnames, scope->parameters[i]))
            return false;
    return true;
}

static Value entry_of(const TyScope *scope)
{
    if (ty_c_stack_low())
        return ty_raise_recursion_error("");
    Entry *entry = ty_allocate(&entry_type, sizeof *entry);
    if (!entry)
        return TY_NULL;
    entry->type = scope->type;
    entry->nested = scope->nested;
    entry->lineno = scope->place.line;
    ty_store(entry, &entry->name, scope->name);
    ty_store(entry, &entry->id, ty_int_from_uint64((uint64_t)(uintptr_t)entry));
    ty_store(entry, &entry->symbols, ty_dict_new());
    ty_store(entry, &entry->varnames, ty_list_new(0));
    ty_store(entry, &entry->children, ty_list_new(scope->child_count));
    if (entry->id == TY_NULL || entry->symbols == TY_NULL || entry->varnames == TY_NULL || entry->children == TY_NULL || !fill_symbols(entry, scope))
        return TY_NULL;
    for (int i = 0; i < scope->child_count; i++) {
        Value child = entry_of(scope->children[i]);
        if (child == TY_NULL || !ty_list_append(entry->children, child))
            return TY_NULL;
    }
    return ty_from_object(entry);
}

static bool parse_mode(Value text, TyParseMode *mode)
{
    if (ty_is_str(text) && ty_str_equal_text(text, "exec"))
        *mode = TY_PARSE_FILE;
    else if (ty_is_str(text) && ty_str_equal_text(text, "eval"))
        *mode = TY_PARSE_EXPRESSION;
    else if (ty_is_str(text) && ty_str_equal_text(text, "single"))
        *mode = TY_PARSE_INTERACTIVE;
    else {
        ty_raise(&ty_ValueError, "symtable() arg 3 must be 'exec' or 'eval' or 'single'");
        return false;
    }
    return true;
}

static Value symtable(Value self, Value *a)
{
    (void)self;
    TyParseOptions options = {0};
    if (!ty_require_str(a[2], "symtable", "argument 3") || !parse_mode(a[2], &options.mode))
        return TY_NULL;
    Value filename = ty_is_bytes(a[1]) ? ty_str_decode_fs((const char *)ty_bytes_data(a[1]), (size_t)ty_bytes_length(a[1])) : a[1];
    if (filename == TY_NULL)
        return TY_NULL;
    if (!ty_is_str(filename))
        return ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", filename);
    options.filename = filename;
    const char *text;
    size_t size;
    Value holder = TY_NULL;
    if (ty_is_str(a[0])) {
        text = ty_str_utf8(a[0], &size, &holder);
        options.flags = TY_PARSE_IGNORE_COOKIE;
    } else {
        holder = ty_bytes_from_object(a[0]);
        if (holder == TY_NULL)
            return ty_raise(&ty_TypeError, "symtable() arg 1 must be a string or bytes object");
        text = (const char *)ty_bytes_data(holder);
        size = (size_t)ty_bytes_length(holder);
    }
    if (!text)
        return TY_NULL;
    if (memchr(text, 0, size))
        return ty_raise(&ty_SyntaxError, "source code string cannot contain null bytes");
    TyAst *tree = ty_parse(text, size, &options);
    if (!tree)
        return TY_NULL;
    uint32_t flags = 0;
    int last_line;
    TySymbolTable *table = ty_future_flags(tree, filename, &flags, &last_line) ? ty_symbol_table_new(tree, filename, flags) : NULL;
    Value entry = table ? entry_of(table->top) : TY_NULL;
    ty_symbol_table_free(table);
    ty_ast_free(tree);
    return entry;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("symtable(source, filename, startstr, /)", symtable, "The scopes of a source text, as the compiler sees them."), {0},
};

static bool execute(Value module)
{
    static const struct { const char *name; int value; } constants[] = {
        {"USE", TY_SYMBOL_USE}, {"DEF_GLOBAL", TY_SYMBOL_GLOBAL}, {"DEF_NONLOCAL", TY_SYMBOL_NONLOCAL}, {"DEF_LOCAL", TY_SYMBOL_LOCAL},
        {"DEF_PARAM", TY_SYMBOL_PARAMETER}, {"DEF_TYPE_PARAM", TY_SYMBOL_TYPE_PARAMETER}, {"DEF_FREE_CLASS", TY_SYMBOL_FREE_CLASS},
        {"DEF_IMPORT", TY_SYMBOL_IMPORT}, {"DEF_BOUND", TY_SYMBOL_LOCAL | TY_SYMBOL_PARAMETER | TY_SYMBOL_IMPORT}, {"DEF_ANNOT", TY_SYMBOL_ANNOTATED},
        {"DEF_COMP_ITER", TY_SYMBOL_ITERATED}, {"DEF_COMP_CELL", TY_SYMBOL_COMPREHENSION_CELL}, {"TYPE_FUNCTION", TY_BLOCK_FUNCTION},
        {"TYPE_CLASS", TY_BLOCK_CLASS}, {"TYPE_MODULE", TY_BLOCK_MODULE}, {"TYPE_ANNOTATION", TY_BLOCK_ANNOTATION},
        {"TYPE_TYPE_ALIAS", TY_BLOCK_TYPE_ALIAS}, {"TYPE_TYPE_PARAMETERS", TY_BLOCK_TYPE_PARAMETERS}, {"TYPE_TYPE_VARIABLE", TY_BLOCK_TYPE_VARIABLE},
        {"LOCAL", TY_SCOPE_LOCAL}, {"GLOBAL_EXPLICIT", TY_SCOPE_GLOBAL_EXPLICIT}, {"GLOBAL_IMPLICIT", TY_SCOPE_GLOBAL_IMPLICIT},
        {"FREE", TY_SCOPE_FREE}, {"CELL", TY_SCOPE_CELL}, {"SCOPE_OFF", TY_SYMBOL_SCOPE_SHIFT}, {"SCOPE_MASK", TY_SYMBOL_SCOPE_MASK},
    };
    for (size_t i = 0; i < TY_COUNT_OF(constants); i++)
        if (!ty_module_add_int(module, constants[i].name, constants[i].value))
            return false;
    return true;
}

static TyType *const types[] = {&entry_type, NULL};

const TyModuleDef ty_module__symtable = {
    .name = "_symtable",
    .doc = "The compiler's symbol tables.",
    .functions = functions,
    .types = types,
    .execute = execute,
};
