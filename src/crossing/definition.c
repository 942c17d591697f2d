#include "crossing/definition.h"

static _Atomic uint64_t epoch = 1; /* grows whenever a package gets another content: what was looked through in this epoch need not be looked at again */

/* --- the objects ------------------------------------------------------------------------------------------------------- */

static void mark_array(TyMarker *marker, TyArray *array)
{
    if (array)
        ty_mark_object(marker, &array->base);
}

/* Entries of interpreters that are gone hold nothing: the array is walked here, and never as an array of its own. */
static void package_trace(TyObject *self, TyMarker *marker)
{
    TyPackage *package = (TyPackage *)self;
    ty_mark(marker, ty_load_relaxed(&package->content));
    TyArray *entries = ty_load_relaxed(&package->entries);
    if (!entries)
        return;
    ty_mark_object(marker, &entries->base);
    for (int64_t i = 0; i < entries->capacity; i += TY_ENTRY_SIZE)
        if (entries->items[i] != TY_NULL && ty_crossing_alive(ty_immediate_int(entries->items[i])))
            ty_mark_range(marker, &entries->items[i + TY_ENTRY_MADE], 2);
}

TyType ty_package_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = { .size = sizeof(TyPackage), .trace = package_trace },
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW, .name = "crossing_package",
};

/* The store of a package's entries: its Values are marked by the package. */
TyType ty_package_entries_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = { .size = sizeof(TyArray), .item_size = sizeof(Value) },
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW, .name = "crossing_entries",
};

static void content_trace(TyObject *self, TyMarker *marker)
{
    TyContent *content = (TyContent *)self;
    if (ty_crossing_alive(content->origin))
        ty_mark_range(marker, content->seen, TY_COUNT_OF(content->seen));
    Value values[] = { content->head, content->body, content->names, content->namespace };
    ty_mark_range(marker, values, TY_COUNT_OF(values));
    mark_array(marker, content->cells);
    mark_array(marker, content->variables);
    mark_array(marker, content->uses);
}

TyType ty_content_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = { .size = sizeof(TyContent), .trace = content_trace },
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW, .name = "crossing_content",
};

static void variable_trace(TyObject *self, TyMarker *marker)
{
    TyVariable *variable = (TyVariable *)self;
    ty_mark(marker, variable->name);
    ty_mark(marker, variable->template);
    if (ty_crossing_alive(variable->origin))
        ty_mark(marker, variable->source);
}

TyType ty_variable_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = { .size = sizeof(TyVariable), .trace = variable_trace },
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW, .name = "crossing_variable",
};

TyArray *ty_array_of_list(Value list)
{
    TyArray *array = list == TY_NULL ? NULL : ty_array_new(ty_list_length(list));
    for (int64_t i = 0; array && i < array->capacity; i++)
        ty_store(array, &array->items[i], ty_list_item(list, i));
    return array;
}

/* --- entries --------------------------------------------------------------------------------------------------------------- */

static TyArray *entries_new(int64_t count)
{
    TyArray *entries = ty_allocate(&ty_package_entries_type, sizeof(TyArray) + (size_t)count * TY_ENTRY_SIZE * sizeof(Value));
    if (entries)
        entries->capacity = count * TY_ENTRY_SIZE;
    return entries;
}

static Value *entry_in(TyArray *entries, int64_t id)
{
    for (int64_t i = 0; i < entries->capacity; i += TY_ENTRY_SIZE)
        if (ty_field_acquire(&entries->items[i]) == ty_from_immediate_int(id))
            return &entries->items[i];
    return NULL;
}

static Value *entry_of(TyPackage *package, int64_t id) { return entry_in(ty_load_acquire(&package->entries), id); }

static void entry_write(TyArray *entries, Value *entry, int64_t id, Value made)
{
    ty_store(entries, &entry[TY_ENTRY_MADE], made);
    ty_store(entries, &entry[TY_ENTRY_CONTENT], TY_NULL);
    ty_store(entries, &entry[TY_ENTRY_EPOCH], ty_from_immediate_int(0));
    ty_store_publish(entries, &entry[TY_ENTRY_ID], ty_from_immediate_int(id));
}

/* What the calling interpreter has for the package from now on. */
static bool entry_add(TyPackage *package, int64_t id, Value made)
{
    bool locked = ty_object_lock(&package->base);
    TyArray *entries = ty_load_relaxed(&package->entries), *target = entries;
    Value *entry = entry_in(entries, id);
    if (!entry) {
        int64_t count = 0;
        for (int64_t i = 0; i < entries->capacity; i += TY_ENTRY_SIZE)
            count += entries->items[i] != TY_NULL && ty_crossing_alive(ty_immediate_int(entries->items[i]));
        target = entries_new(count + 1);
        int64_t used = 0;
        for (int64_t i = 0; target && i < entries->capacity && used < count * TY_ENTRY_SIZE; i += TY_ENTRY_SIZE)
            if (entries->items[i] != TY_NULL && ty_crossing_alive(ty_immediate_int(entries->items[i]))) {
                memcpy(&target->items[used], &entries->items[i], TY_ENTRY_SIZE * sizeof(Value));
                used += TY_ENTRY_SIZE;
            }
        entry = target ? &target->items[used] : NULL;
    }
    if (entry) {
        entry_write(target, entry, id, made);
        ty_store_pointer(package, (TyArray **)&package->entries, target);
    }
    ty_object_unlock(&package->base, locked);
    return entry != NULL;
}

static void entry_finish(TyPackage *package, int64_t id, Value content, uint64_t at)
{
    bool locked = ty_object_lock(&package->base);
    TyArray *entries = ty_load_relaxed(&package->entries);
    Value *entry = entry_in(entries, id);
    if (entry) {
        ty_store(entries, &entry[TY_ENTRY_EPOCH], ty_from_immediate_int((int64_t)at));
        ty_store_publish(entries, &entry[TY_ENTRY_CONTENT], content);
    }
    ty_object_unlock(&package->base, locked);
}

static Value *crossing_place(uint32_t kind, Value made)
{
    switch (kind) {
    case TY_PACKAGE_FUNCTION: return &ty_as_function(made)->crossing;
    case TY_PACKAGE_CLASS: return &ty_as_type(made)->crossing;
    case TY_PACKAGE_CELL: return &ty_as_cell(made)->crossing;
    case TY_PACKAGE_PARAMETER: return ty_type_parameter_crossing(made);
    default: return NULL;
    }
}

/* --- sending ---------------------------------------------------------------------------------------------------------------- */

Value ty_package_of(TyPackageKind kind, Value v, Value *place)
{
    Value there = ty_field_acquire(place);
    if (there != TY_NULL)
        return there;
    TyCrossingState *state = ty_crossing_state(true);
    TyArray *entries = state ? entries_new(1) : NULL;
    TyPackage *package = entries ? ty_allocate(&ty_package_type, sizeof *package) : NULL;
    if (!package)
        return TY_NULL;
    package->kind = kind;
    package->origin = state->id;
    entry_write(entries, entries->items, state->id, v);
    ty_store_pointer(package, (TyArray **)&package->entries, entries);
    Value none = TY_NULL;
    if (!__atomic_compare_exchange_n(place, &none, ty_from_object(package), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return none;
    return ty_from_object(package);
}

Value ty_package_original(TyPackage *package)
{
    Value *entry = ty_crossing_alive(package->origin) ? entry_of(package, package->origin) : NULL;
    return entry ? ty_field(&entry[TY_ENTRY_MADE]) : TY_NULL;
}

bool ty_packer_use(TyPacker *p, Value package)
{
    if (p->package == TY_NULL || p->package == package)
        return true;
    if (p->uses == TY_NULL && (p->uses = ty_list_new(0)) == TY_NULL)
        return false;
    for (int64_t i = 0; i < ty_list_length(p->uses); i++)
        if (ty_list_item(p->uses, i) == package)
            return true;
    return ty_list_append(p->uses, package);
}

Value ty_packer_part(TyPacker *p, Value label, Value v)
{
    p->label = label;
    if (label == TY_NULL)
        return TY_NULL;
    Value packed = ty_packer_value(p, v);
    return packed != TY_NULL && ty_packer_run(p) ? packed : TY_NULL;
}

static bool in_progress(TyPacker *p, Value package)
{
    for (; p; p = p->outer)
        if (p->package == package)
            return true;
    return false;
}

bool ty_package_valid(TyPacker *p, TyPackage *package, TyVisited *visited)
{
    Value self = ty_from_object(package);
    for (int i = 0; i < visited->count; i++)
        if (visited->packages[i] == self)
            return true;
    if (visited->count == (int)TY_COUNT_OF(visited->packages) || ty_c_stack_low())
        return false;
    visited->packages[visited->count++] = self;
    Value content_value = ty_load_acquire(&package->content);
    if (content_value == TY_NULL)
        return in_progress(p, self);
    TyContent *content = (TyContent *)ty_object(content_value);
    TyCrossingState *state = ty_crossing_state(false);
    if (state && package->origin == state->id) {
        Value original = ty_package_original(package);
        bool valid = true;
        switch (package->kind) {
        case TY_PACKAGE_FUNCTION: valid = ty_function_valid(content, original); break;
        case TY_PACKAGE_CLASS: valid = ty_class_valid(content, original); break;
        case TY_PACKAGE_CELL: valid = content->seen[0] == ty_field(&ty_as_cell(original)->content); break;
        default: break;
        }
        if (!valid)
            return false;
    }
    for (int64_t i = 0; content->uses && i < content->uses->capacity; i++)
        if (!ty_package_valid(p, ty_as_package(content->uses->items[i]), visited))
            return false;
    return true;
}

static bool cell_pack(TyPacker *p, TyContent *content, Value v)
{
    Value held = ty_field_acquire(&ty_as_cell(v)->content);
    ty_store(content, &content->seen[0], held);
    if (held == TY_NULL)
        return true;
    Value packed = ty_packer_finish(p, ty_packer_value(p, held));
    ty_store(content, &content->body, packed);
    return packed != TY_NULL;
}

bool ty_package_ensure(TyPacker *outer, TyPackage *package, Value v)
{
    Value self = ty_from_object(package);
    TyCrossingState *state = ty_crossing_state(true);
    if (!state)
        return false;
    Value before = ty_load_acquire(&package->content);
    if (package->origin != state->id) {
        if (before != TY_NULL)
            return true;
        return ty_raise(&ty_RuntimeError, "a definition of another interpreter was never sent"), false;
    }
    if (package->kind == TY_PACKAGE_NAMESPACE || in_progress(outer, self))
        return true;
    TyVisited visited = { .count = 0 };
    if (before != TY_NULL && ty_package_valid(outer, package, &visited))
        return true;
    TyPacker packer;
    if (!ty_packer_start(&packer, outer, NULL))
        return false;
    packer.package = self;
    packer.label = ty_str_empty();
    TyContent *content = ty_allocate(&ty_content_type, sizeof *content);
    if (!content)
        return false;
    content->origin = state->id;
    bool packed = false;
    switch (package->kind) {
    case TY_PACKAGE_FUNCTION: packed = ty_function_pack(&packer, content, v); break;
    case TY_PACKAGE_CLASS: packed = ty_class_pack(&packer, content, v); break;
    case TY_PACKAGE_CELL: packed = cell_pack(&packer, content, v); break;
    case TY_PACKAGE_PARAMETER: packed = ty_parameter_pack(&packer, content, v); break;
    default: break;
    }
    if (!packed)
        return false;
    if (packer.uses != TY_NULL) {
        TyArray *uses = ty_array_of_list(packer.uses);
        if (!uses)
            return false;
        ty_store_pointer(content, &content->uses, uses);
    }
    ty_store_release(&package->content, ty_from_object(content));
    if (before != TY_NULL)
        atomic_fetch_add_explicit(&epoch, 1, memory_order_acq_rel);
    return true;
}

Value ty_crossing_package(TyPacker *p, Value v)
{
    uint32_t kind = ty_is_type(v) ? TY_PACKAGE_CLASS : ty_is_function(v) ? TY_PACKAGE_FUNCTION : TY_PACKAGE_PARAMETER;
    Value package = ty_package_of(kind, v, crossing_place(kind, v));
    return package != TY_NULL && ty_package_ensure(p, ty_as_package(package), v) ? package : TY_NULL;
}

Value ty_crossing_definition(TyPacker *p, Value v)
{
    Value package = ty_crossing_package(p, v);
    if (package == TY_NULL || !ty_packer_use(p, package))
        return TY_NULL;
    return ty_packer_add(p, v, ty_node_new(TY_NODE_DEFINITION, package, TY_NULL, TY_NULL, TY_NULL));
}

/* --- receiving ------------------------------------------------------------------------------------------------------------------ */

/* Templates are shared: each receiver takes a copy of the nodes and of what they hold. */
Value ty_template_open(Value template)
{
    if (ty_crossing_immutable(template))
        return template;
    TyPacker packer;
    if (!ty_packer_start(&packer, NULL, NULL))
        return TY_NULL;
    packer.copying = true;
    if (!ty_is_exact(template, &ty_parcel_type)) {
        Value copy = ty_packer_value(&packer, template);
        return copy != TY_NULL && ty_packer_run(&packer) ? copy : TY_NULL;
    }
    TyParcel *parcel = (TyParcel *)ty_object(template), *copy = ty_allocate(&ty_parcel_type, sizeof *copy);
    TyArray *steps = copy ? ty_array_new(parcel->count) : NULL;
    if (!steps)
        return TY_NULL;
    for (int64_t i = 0; i < parcel->count; i++) {
        Value node = ty_packer_value(&packer, parcel->steps->items[i]);
        if (node == TY_NULL || !ty_packer_run(&packer))
            return TY_NULL;
        ty_store(steps, &steps->items[i], node);
    }
    Value root = ty_packer_value(&packer, parcel->root);
    if (root == TY_NULL || !ty_packer_run(&packer))
        return TY_NULL;
    copy->count = parcel->count;
    ty_store(copy, &copy->root, root);
    ty_store_pointer(copy, &copy->steps, steps);
    return ty_crossing_unpack(ty_from_object(copy));
}

TyArray *ty_template_fields(Value template, int64_t count)
{
    Value opened = ty_template_open(template);
    if (opened == TY_NULL)
        return NULL;
    TyArray *fields = (TyArray *)ty_object(opened);
    for (int64_t i = 0; i < count; i++)
        if (fields->items[i] != TY_NULL && ty_is_node(fields->items[i])) {
            Value made = ty_as_node(fields->items[i])->made;
            if (made == TY_NULL)
                return ty_raise(&ty_RuntimeError, "a part of a definition from another interpreter is needed before it is made"), NULL;
            ty_store(fields, &fields->items[i], made);
        }
    return fields;
}

static Value namespace_new(TyPackage *package)
{
    TyContent *content = (TyContent *)ty_object(ty_load_acquire(&package->content));
    return ty_template_open(content->body);
}

/* --- importing beforehand ------------------------------------------------------------------------------------------------------ */

/* An import waits for the locks of modules, and whoever holds one of those may be about to define something: so modules are imported before the lock of
 * definitions is taken, not under it. Failures show again where the module is needed. */
static void import_one(Value name)
{
    if (ty_is_exact_str(name) && ty_dict_get_str(ty_interpreter()->modules, name) == TY_NULL && ty_crossing_module_here(name) == TY_NULL)
        ty_clear_exception();
}

static void import_for_template(Value template)
{
    if (template == TY_NULL || !ty_is_exact(template, &ty_parcel_type))
        return;
    TyParcel *parcel = (TyParcel *)ty_object(template);
    for (int64_t i = 0; i < parcel->count; i++) {
        TyNode *node = ty_as_node(parcel->steps->items[i]);
        if (node->kind != TY_NODE_NAME && node->kind != TY_NODE_MODULE)
            continue;
        import_one(node->fields[0]);
        for (int64_t j = 0; node->kind == TY_NODE_MODULE && node->fields[1] != TY_NULL && j < ty_tuple_length(node->fields[1]); j++)
            import_one(ty_tuple_item(node->fields[1], j));
    }
}

static void import_for(TyPackage *package, TyCrossingState *state, TyVisited *visited)
{
    Value self = ty_from_object(package), content_value = ty_load_acquire(&package->content);
    for (int i = 0; i < visited->count; i++)
        if (visited->packages[i] == self)
            return;
    if (content_value == TY_NULL || package->origin == state->id || visited->count == (int)TY_COUNT_OF(visited->packages) || ty_c_stack_low())
        return;
    visited->packages[visited->count++] = self;
    TyContent *content = (TyContent *)ty_object(content_value);
    Value *entry = entry_of(package, state->id);
    if (!entry || ty_field(&entry[TY_ENTRY_CONTENT]) != content_value) {
        if (content->namespace != TY_NULL)
            import_one(content->namespace);
        import_for_template(content->head);
        import_for_template(content->body);
        for (int64_t i = 0; content->variables && i < content->variables->capacity; i++)
            import_for_template(((TyVariable *)ty_object(content->variables->items[i]))->template);
    }
    for (int64_t i = 0; content->uses && i < content->uses->capacity; i++)
        import_for(ty_as_package(content->uses->items[i]), state, visited);
}

/* The receivers' own lock: threads of one interpreter define one after the other, and one of them may come back to it. */
static bool lock_definitions(TyCrossingState *state)
{
    if (ty_load_relaxed(&state->owner) == ty_thread) {
        state->nesting++;
        return true;
    }
    ty_mutex_lock_blocking(&state->lock);
    ty_store_relaxed(&state->owner, ty_thread);
    state->nesting = 1;
    return true;
}

static void unlock_definitions(TyCrossingState *state)
{
    if (--state->nesting == 0) {
        ty_store_relaxed(&state->owner, NULL);
        ty_mutex_unlock(&state->lock);
    }
}

Value ty_package_shell(TyPackage *package)
{
    TyCrossingState *state = ty_crossing_state(true);
    if (!state)
        return TY_NULL;
    Value *entry = entry_of(package, state->id);
    if (entry)
        return ty_field(&entry[TY_ENTRY_MADE]);
    Value content_value = ty_load_acquire(&package->content);
    if (content_value == TY_NULL)
        return ty_raise(&ty_RuntimeError, "a definition of another interpreter was not sent as a whole");
    TyContent *content = (TyContent *)ty_object(content_value);
    Value made = TY_NULL;
    switch (package->kind) {
    case TY_PACKAGE_FUNCTION: made = ty_function_shell(content); break;
    case TY_PACKAGE_CLASS: made = ty_class_shell(content); break;
    case TY_PACKAGE_CELL: made = ty_cell_new(TY_NULL); break;
    case TY_PACKAGE_NAMESPACE: made = namespace_new(package); break;
    case TY_PACKAGE_PARAMETER: made = ty_parameter_shell(content); break;
    }
    if (made == TY_NULL)
        return TY_NULL;
    entry = entry_of(package, state->id); /* making it may have come across itself */
    if (entry)
        return ty_field(&entry[TY_ENTRY_MADE]);
    Value *place = crossing_place(package->kind, made);
    if (place)
        ty_store_publish(ty_object(made), place, ty_from_object(package));
    return entry_add(package, state->id, made) ? made : TY_NULL;
}

static bool apply(TyPackage *package, TyContent *content, TyContent *before, Value made)
{
    switch (package->kind) {
    case TY_PACKAGE_FUNCTION: return ty_function_apply(content, made, !before);
    case TY_PACKAGE_CLASS: return ty_class_apply(content, before, made);
    case TY_PACKAGE_CELL: {
        Value held = content->body == TY_NULL ? TY_NULL : ty_template_open(content->body);
        if (held == TY_NULL && content->body != TY_NULL)
            return false;
        if (held != TY_NULL && ty_is_node(held))
            held = ty_as_node(held)->made;
        ty_store_publish(ty_object(made), &ty_as_cell(made)->content, held);
        return true;
    }
    case TY_PACKAGE_PARAMETER: return ty_parameter_apply(content, made);
    default: return true;
    }
}

static Value define_locked(TyPackage *package, TyCrossingState *state, uint64_t now)
{
    if (ty_c_stack_low())
        return ty_raise_recursion_error(" while receiving a definition from another interpreter");
    Value made = ty_package_shell(package);
    if (made == TY_NULL)
        return TY_NULL;
    Value content_value = ty_load_acquire(&package->content), *entry = entry_of(package, state->id);
    TyContent *content = (TyContent *)ty_object(content_value);
    Value before = ty_field(&entry[TY_ENTRY_CONTENT]);
    if (before == content_value && ty_field(&entry[TY_ENTRY_EPOCH]) == ty_from_immediate_int((int64_t)now))
        return made;
    entry_finish(package, state->id, content_value, now); /* before the parts, which may come back to it */
    bool done = before == content_value || apply(package, content, before == TY_NULL ? NULL : (TyContent *)ty_object(before), made);
    for (int64_t i = 0; done && content->uses && i < content->uses->capacity; i++) {
        TyPackage *used = ty_as_package(content->uses->items[i]);
        done = used->origin == state->id || define_locked(used, state, now) != TY_NULL;
    }
    if (!done)
        entry_finish(package, state->id, TY_NULL, 0); /* the next time again */
    return done ? made : TY_NULL;
}

Value ty_crossing_define(Value v)
{
    TyPackage *package = ty_as_package(v);
    TyCrossingState *state = ty_crossing_state(true);
    if (!state)
        return TY_NULL;
    Value *entry = entry_of(package, state->id);
    uint64_t now = ty_load_acquire(&epoch);
    if (entry && package->origin == state->id)
        return ty_field(&entry[TY_ENTRY_MADE]);
    if (entry && ty_load_relaxed(&state->owner) == NULL && ty_field_acquire(&entry[TY_ENTRY_CONTENT]) == ty_load_acquire(&package->content)
        && ty_field(&entry[TY_ENTRY_EPOCH]) == ty_from_immediate_int((int64_t)now))
        return ty_field(&entry[TY_ENTRY_MADE]);
    if (ty_load_relaxed(&state->owner) != ty_thread) {
        TyVisited visited = { .count = 0 };
        import_for(package, state, &visited);
    }
    lock_definitions(state);
    Value made = define_locked(package, state, now);
    unlock_definitions(state);
    return made;
}
