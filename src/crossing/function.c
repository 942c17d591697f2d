/* Functions that travel by value: their code as it is, what belongs to the function itself, the cells of its closure, and the global variables that its code
 * and the code inside it name. */
#include "crossing/definition.h"
#include "object/code.h"
#include "object/instruction_table.h"
#include "object/int.h"
#include "object/module.h"
#include "object/shape.h"

/* What the content's head holds, and its body. */
enum { HEAD_CODE, HEAD_NAME, HEAD_QUALNAME, HEAD_SIZE };
enum { BODY_MODULE, BODY_DOC, BODY_DEFAULTS, BODY_KWDEFAULTS, BODY_ANNOTATE, BODY_ANNOTATIONS, BODY_TYPE_PARAMS, BODY_ATTRIBUTES, BODY_SIZE };
/* What is remembered of the original. */
enum { SEEN_CODE, SEEN_DEFAULTS, SEEN_KWDEFAULTS, SEEN_ANNOTATE, SEEN_ANNOTATIONS, SEEN_ATTRIBUTES };

/* --- names -------------------------------------------------------------------------------------------------------------- */

static bool add_names(TyCode *code, Value globals, Value all)
{
    if (ty_c_stack_low())
        return ty_raise_recursion_error(""), false;
    for (uint32_t i = 0; i < code->instruction_count;) {
        TyInstruction w = code->instructions[i];
        TyOp op = ty_op(w);
        if (op == TY_OP_LOAD_GLOBAL || op == TY_OP_LOAD_NAME || op == TY_OP_LOAD_GLOBAL_OR_MAPPING)
            if (!ty_dict_set(globals, ty_tuple_item(code->names, ty_ext_x(code->instructions[i + 1])), TY_NONE))
                return false;
        i += ty_op_words[op];
    }
    for (int64_t i = 0; i < ty_tuple_length(code->names); i++)
        if (!ty_dict_set(all, ty_tuple_item(code->names, i), TY_NONE))
            return false;
    for (int64_t i = 0; i < ty_tuple_length(code->consts); i++) {
        Value constant = ty_tuple_item(code->consts, i);
        if (ty_is_exact(constant, &ty_code_type) && !add_names((TyCode *)ty_object(constant), globals, all))
            return false;
    }
    return true;
}

/* Whether all names of "package.a.b" behind the package's own are among those that the code has. */
static int path_is_used(Value path, Value package, Value all)
{
    Value rest = ty_str_slice(path, ty_str_length(package) + 1, ty_str_length(path));
    Value parts = rest == TY_NULL ? TY_NULL : ty_call_method_one(rest, TY_NAME("split"), ty_str_from_text("."));
    int used = parts == TY_NULL ? -1 : 1;
    for (int64_t i = 0; used == 1 && i < ty_list_length(parts); i++)
        used = ty_dict_contains(all, ty_list_item(parts, i));
    return used;
}

/* A package whose submodules the code may name as attributes: those that are imported here will be there. */
static bool add_submodules(Value node, Value module, Value all)
{
    if (ty_dict_get_text(ty_module_dict(module), "__path__") == TY_NULL)
        return true;
    Value name = ty_as_node(node)->fields[0], modules = ty_dict_copy(ty_interpreter()->modules), found = ty_list_new(0), key;
    if (modules == TY_NULL || found == TY_NULL)
        return false;
    int64_t position = 0, length = ty_str_length(name);
    while (ty_dict_next(modules, &position, &key, NULL)) {
        if (!ty_is_exact_str(key) || ty_str_length(key) <= length + 1 || ty_str_at(key, length) != '.' || ty_str_find(key, name, 0, length, 1) != 0)
            continue;
        int used = path_is_used(key, name, all);
        if (used < 0 || (used && !ty_list_append(found, key)))
            return false;
    }
    if (ty_list_length(found) == 0)
        return true;
    Value more = ty_list_to_tuple(found);
    ty_store(ty_object(node), &ty_as_node(node)->fields[1], more);
    return more != TY_NULL;
}

/* Names that every module has for itself. */
static bool is_module_own(Value name)
{
    static const char *const own[] = { "__name__", "__builtins__", "__doc__", "__package__", "__spec__", "__loader__", "__cached__" };
    if (ty_str_length(name) < 4 || ty_str_at(name, 0) != '_')
        return false;
    for (size_t i = 0; i < TY_COUNT_OF(own); i++)
        if (ty_str_equal_text(name, own[i]))
            return true;
    return false;
}

/* --- namespaces ----------------------------------------------------------------------------------------------------------------- */

static bool is_main(Value globals)
{
    Value main = ty_dict_get_str(ty_interpreter()->modules, TY_NAME("__main__"));
    return main != TY_NULL && ty_is_module(main) && ty_module_dict(main) == globals;
}

/* A package for globals that belong to no module that others can import. */
static Value private_namespace(Value globals)
{
    TyCrossingState *state = ty_crossing_state(true);
    Value key = ty_int_from_int64((int64_t)globals), known = state ? ty_dict_get(state->namespaces, key) : TY_NULL;
    if (known != TY_NULL)
        return ty_tuple_item(known, 1);
    Value place = TY_NULL, package = state ? ty_package_of(TY_PACKAGE_NAMESPACE, globals, &place) : TY_NULL, start = ty_dict_new();
    TyContent *content = package == TY_NULL || start == TY_NULL ? NULL : ty_allocate(&ty_content_type, sizeof *content);
    if (!content)
        return TY_NULL;
    content->origin = state->id;
    Value name = ty_dict_get_str(globals, TY_NAME("__name__")), builtins = ty_dict_get_str(globals, TY_NAME("__builtins__"));
    if (name != TY_NULL && ty_is_exact_str(name) && !ty_dict_set(start, TY_NAME("__name__"), name))
        return TY_NULL;
    if (builtins != TY_NULL && ty_is_exact_dict(builtins) && ty_dict_length(builtins) == 0 && !ty_dict_set(start, TY_NAME("__builtins__"), ty_dict_new()))
        return TY_NULL;
    ty_store(content, &content->body, start);
    ty_store_release(&ty_as_package(package)->content, ty_from_object(content));
    Value entry = ty_tuple_pack(2, globals, package);
    Value kept = entry == TY_NULL ? TY_NULL : ty_dict_set_default(state->namespaces, key, entry);
    return kept == TY_NULL ? TY_NULL : ty_tuple_item(kept, 1);
}

/* The name of the module that the globals are of, or a package. *sent: what a function uses of them is sent with it. */
static Value namespace_of(Value globals, bool *sent)
{
    *sent = true;
    if (is_main(globals))
        return TY_NAME("__main__");
    Value name = ty_dict_get_str(globals, TY_NAME("__name__"));
    if (name != TY_NULL && ty_is_exact_str(name)) {
        Value module = ty_dict_get_str(ty_interpreter()->modules, name);
        if (module != TY_NULL && ty_is_module(module) && ty_module_dict(module) == globals && ty_crossing_importable(name)) {
            *sent = false;
            return name;
        }
    }
    return ty_raised() ? TY_NULL : private_namespace(globals);
}

static Value namespace_here(Value namespace)
{
    if (!ty_is_str(namespace))
        return ty_crossing_define(namespace);
    Value module = ty_crossing_module_here(namespace);
    if (module == TY_NULL || ty_is_module(module))
        return module == TY_NULL ? TY_NULL : ty_module_dict(module);
    return ty_get_attribute(module, TY_NAME("__dict__"));
}

/* --- variables -------------------------------------------------------------------------------------------------------------------- */

static TyVariable *old_variable(Value before, Value name, Value source)
{
    TyContent *content = before == TY_NULL ? NULL : (TyContent *)ty_object(before);
    for (int64_t i = 0; content && content->variables && i < content->variables->capacity; i++) {
        TyVariable *variable = (TyVariable *)ty_object(content->variables->items[i]);
        if (variable->name == name && variable->source == source && ty_crossing_immutable(variable->template))
            return variable;
    }
    return NULL;
}

static Value pack_variable(TyPacker *outer, Value name, Value source, Value all)
{
    TyVariable *variable = ty_allocate(&ty_variable_type, sizeof *variable);
    TyPacker packer;
    if (!variable || !ty_packer_start(&packer, outer->outer, NULL)) /* a graph of its own, that belongs to the same definition */
        return TY_NULL;
    packer.package = outer->package;
    packer.uses = outer->uses;
    packer.label = ty_str_format(".globals[%R]", name);
    if (packer.label == TY_NULL)
        return TY_NULL;
    variable->origin = ty_crossing_state(true)->id;
    ty_store(variable, &variable->name, name);
    ty_store(variable, &variable->source, source);
    Value packed = ty_packer_value(&packer, source);
    if (packed != TY_NULL && ty_is_node(packed) && ty_as_node(packed)->kind == TY_NODE_MODULE && !add_submodules(packed, source, all))
        return TY_NULL;
    Value template = ty_packer_finish(&packer, packed);
    outer->uses = packer.uses;
    if (template == TY_NULL)
        return TY_NULL;
    ty_store(variable, &variable->template, template);
    return ty_from_object(variable);
}

static bool pack_variables(TyPacker *p, TyContent *content, TyFunction *function)
{
    Value globals = ty_dict_new(), all = ty_dict_new(), list = ty_list_new(0), name;
    if (globals == TY_NULL || all == TY_NULL || list == TY_NULL || !add_names(function->code, globals, all))
        return false;
    Value before = ty_load_acquire(&ty_as_package(p->package)->content);
    int64_t position = 0;
    while (ty_dict_next(globals, &position, &name, NULL)) {
        if (is_module_own(name))
            continue;
        Value source = ty_dict_get_str(function->globals, name);
        if (source == TY_NULL && ty_raised())
            return false;
        /* A name that is not there yet is remembered too: it may come. */
        TyVariable *variable = source == TY_NULL ? NULL : old_variable(before, name, source);
        Value v = variable ? ty_from_object(variable) : source == TY_NULL ? TY_NULL : pack_variable(p, name, source, all);
        if (source == TY_NULL) {
            TyVariable *absent = ty_allocate(&ty_variable_type, sizeof *absent);
            if (!absent)
                return false;
            absent->origin = content->origin;
            ty_store(absent, &absent->name, name);
            v = ty_from_object(absent);
        }
        if (v == TY_NULL || !ty_list_append(list, v))
            return false;
    }
    TyArray *variables = ty_array_of_list(list);
    if (variables)
        ty_store_pointer(content, &content->variables, variables);
    return variables != NULL;
}

/* Puts a variable where the receiver has not one of its own: none, or what was put there before. */
static bool install(Value globals, Value record, TyVariable *variable)
{
    Value current = ty_dict_get_str(globals, variable->name), there = current == TY_NULL && ty_raised() ? TY_NULL : ty_dict_get_str(record, variable->name);
    if (ty_raised())
        return false;
    if (there != TY_NULL) {
        TyVariable *known = (TyVariable *)ty_object(ty_tuple_item(there, 1));
        if (known == variable || (known->source == variable->source && known->origin == variable->origin && ty_crossing_alive(known->origin)))
            return true;
    }
    if (current != TY_NULL && (there == TY_NULL || ty_tuple_item(there, 0) != current))
        return true;
    Value value = ty_template_open(variable->template), entry = value == TY_NULL ? TY_NULL : ty_tuple_pack(2, value, ty_from_object(variable));
    return entry != TY_NULL && ty_dict_set(globals, variable->name, value) && ty_dict_set(record, variable->name, entry);
}

static bool install_all(Value globals, TyArray *variables)
{
    TyCrossingState *state = ty_crossing_state(true);
    Value key = ty_int_from_int64((int64_t)globals), entry = state ? ty_dict_get(state->installed, key) : TY_NULL;
    if (entry == TY_NULL) {
        Value record = ty_dict_new();
        if (!state || record == TY_NULL || (entry = ty_tuple_pack(2, globals, record)) == TY_NULL)
            return false;
        entry = ty_dict_set_default(state->installed, key, entry);
    }
    for (int64_t i = 0; entry != TY_NULL && i < variables->capacity; i++) {
        TyVariable *variable = (TyVariable *)ty_object(variables->items[i]);
        if (variable->template != TY_NULL && !install(globals, ty_tuple_item(entry, 1), variable))
            return false;
    }
    return entry != TY_NULL;
}

/* --- in the sender ------------------------------------------------------------------------------------------------------------------ */

/* The function's own attributes: a dict, or TY_NULL if there is none. */
static Value attributes_of(Value v)
{
    TyShape *shape = ty_shape_from_number(ty_object_shape(ty_object(v)));
    if (!shape->dictionary && shape->count == 0)
        return TY_NULL;
    return ty_attributes_copy_dict(ty_object(v), &ty_function_type);
}

static bool same_attributes(Value seen, Value v)
{
    TyShape *shape = ty_shape_from_number(ty_object_shape(ty_object(v)));
    if (!shape->dictionary && shape->count == 0)
        return seen == TY_NULL;
    Value now = attributes_of(v), key, value;
    if (now == TY_NULL || seen == TY_NULL || ty_dict_length(now) != ty_dict_length(seen)) {
        ty_clear_exception();
        return now != TY_NULL && seen == TY_NULL && ty_dict_length(now) == 0;
    }
    int64_t position = 0;
    while (ty_dict_next(now, &position, &key, &value))
        if (ty_dict_get(seen, key) != value)
            return false;
    return true;
}

bool ty_function_valid(TyContent *content, Value v)
{
    TyFunction *f = ty_as_function(v);
    if (ty_from_object(f->code) != content->seen[SEEN_CODE] || ty_field(&f->defaults) != content->seen[SEEN_DEFAULTS]
        || ty_field(&f->kwdefaults) != content->seen[SEEN_KWDEFAULTS] || ty_field(&f->annotate) != content->seen[SEEN_ANNOTATE]
        || (content->seen[SEEN_ANNOTATE] == TY_NULL && ty_field(&f->annotations) != content->seen[SEEN_ANNOTATIONS])
        || !same_attributes(content->seen[SEEN_ATTRIBUTES], v))
        return false;
    for (int64_t i = 0; content->variables && i < content->variables->capacity; i++) {
        TyVariable *variable = (TyVariable *)ty_object(content->variables->items[i]);
        if (ty_dict_get_str(f->globals, variable->name) != variable->source) {
            ty_clear_exception();
            return false;
        }
    }
    return true;
}

/* Annotations that can't go are left behind. */
static bool pack_annotate(TyPacker *p, Value annotate, Value *packed)
{
    *packed = TY_NULL;
    if (annotate == TY_NULL || !ty_is_function(annotate))
        return true;
    *packed = ty_crossing_definition(p, annotate);
    if (*packed == TY_NULL && !ty_raised_is(&ty_NotShareableError))
        return false;
    ty_clear_exception();
    return ty_packer_run(p);
}

static bool pack_cells(TyPacker *p, TyContent *content, TyFunction *f)
{
    int64_t count = f->closure == TY_NULL ? 0 : ty_tuple_length(f->closure);
    TyArray *cells = ty_array_new(count);
    if (!cells)
        return false;
    int64_t first = (int64_t)f->code->local_count + f->code->cell_count;
    for (int64_t i = 0; i < count; i++) {
        Value cell = ty_tuple_item(f->closure, i), name = ty_tuple_item(f->code->register_names, first + i);
        Value package = ty_package_of(TY_PACKAGE_CELL, cell, &ty_as_cell(cell)->crossing);
        p->label = ty_str_format(".closure[%R]", name);
        if (package == TY_NULL || p->label == TY_NULL || !ty_package_ensure(p, ty_as_package(package), cell) || !ty_packer_use(p, package))
            return false;
        ty_store(cells, &cells->items[i], package);
    }
    ty_store_pointer(content, &content->cells, cells);
    return true;
}

bool ty_function_pack(TyPacker *p, TyContent *content, Value v)
{
    TyFunction *f = ty_as_function(v);
    Value seen[] = { ty_from_object(f->code), ty_field(&f->defaults), ty_field(&f->kwdefaults), ty_field(&f->annotate), ty_field(&f->annotations), attributes_of(v) };
    for (size_t i = 0; i < TY_COUNT_OF(seen); i++)
        ty_store(content, &content->seen[i], seen[i]);
    bool sent;
    Value namespace = namespace_of(f->globals, &sent);
    TyArray *body = ty_array_new(BODY_SIZE);
    if (namespace == TY_NULL || !body)
        return false;
    ty_store(content, &content->namespace, namespace);
    Value head = ty_tuple_pack(HEAD_SIZE, ty_from_object(f->code), f->name, f->qualname);
    if (head == TY_NULL || !pack_cells(p, content, f))
        return false;
    ty_store(content, &content->head, head);
    static const char *const labels[BODY_SIZE] = { ".__module__", ".__doc__", ".__defaults__", ".__kwdefaults__", "", ".__annotations__", ".__type_params__", "" };
    Value fields[BODY_SIZE] = { f->module, f->doc, seen[SEEN_DEFAULTS], seen[SEEN_KWDEFAULTS], TY_NULL, seen[SEEN_ANNOTATE] == TY_NULL ? seen[SEEN_ANNOTATIONS] : TY_NULL,
                                f->type_params, seen[SEEN_ATTRIBUTES] };
    for (int i = 0; i < BODY_SIZE; i++) {
        Value packed = TY_NULL;
        if (i == BODY_ANNOTATE ? !pack_annotate(p, seen[SEEN_ANNOTATE], &packed)
                               : fields[i] != TY_NULL && (packed = ty_packer_part(p, ty_str_from_text(labels[i]), fields[i])) == TY_NULL)
            return false;
        ty_store(body, &body->items[i], packed);
    }
    Value template = ty_packer_finish(p, ty_from_object(body));
    ty_store(content, &content->body, template);
    return template != TY_NULL && (!sent || pack_variables(p, content, f));
}

/* --- in the receiver -------------------------------------------------------------------------------------------------------------------- */

static Value closure_of(TyContent *content)
{
    Value closure = ty_tuple_new(content->cells->capacity);
    for (int64_t i = 0; closure != TY_NULL && i < content->cells->capacity; i++) {
        Value cell = ty_package_shell(ty_as_package(content->cells->items[i]));
        if (cell == TY_NULL)
            return TY_NULL;
        ty_tuple_set(closure, i, cell);
    }
    return closure;
}

Value ty_function_shell(TyContent *content)
{
    Value globals = namespace_here(content->namespace);
    Value made = globals == TY_NULL ? TY_NULL : ty_function_new((TyCode *)ty_object(ty_tuple_item(content->head, HEAD_CODE)), globals);
    if (made == TY_NULL)
        return TY_NULL;
    TyFunction *f = ty_as_function(made);
    ty_store(f, &f->name, ty_tuple_item(content->head, HEAD_NAME));
    ty_store(f, &f->qualname, ty_tuple_item(content->head, HEAD_QUALNAME));
    if (content->cells->capacity == 0)
        return made;
    Value closure = closure_of(content);
    ty_store(f, &f->closure, closure);
    return closure == TY_NULL ? TY_NULL : made;
}

bool ty_function_apply(TyContent *content, Value made, bool fresh)
{
    TyFunction *f = ty_as_function(made);
    Value code = ty_tuple_item(content->head, HEAD_CODE);
    if (!fresh && ty_from_object(f->code) != code && !ty_set_attribute(made, TY_NAME("__code__"), code))
        return false;
    TyArray *fields = ty_template_fields(content->body, BODY_SIZE);
    if (!fields)
        return false;
    struct { Value *place; int field; } places[] = {
        { &f->module, BODY_MODULE }, { &f->doc, BODY_DOC }, { &f->defaults, BODY_DEFAULTS }, { &f->kwdefaults, BODY_KWDEFAULTS },
        { &f->annotate, BODY_ANNOTATE }, { &f->annotations, BODY_ANNOTATIONS }, { &f->type_params, BODY_TYPE_PARAMS },
    };
    for (size_t i = 0; i < TY_COUNT_OF(places); i++)
        ty_store_publish(f, places[i].place, fields->items[places[i].field]);
    Value attributes = fields->items[BODY_ATTRIBUTES], key, value;
    int64_t position = 0;
    while (attributes != TY_NULL && ty_dict_next(attributes, &position, &key, &value)) {
        if (!ty_is_exact_str(key))
            continue;
        if (!ty_attributes_set(ty_object(made), &ty_function_type, ty_intern(key), value))
            return false;
    }
    return !content->variables || install_all(f->globals, content->variables);
}
