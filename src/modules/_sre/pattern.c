/* Pattern, Match, the scanner and the module. */
#include "base/unicode.h"
#include "modules/_sre/sre.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/mappingproxy.h"
#include "object/str.h"
#include "object/str_parts.h"
#include "object/tuple.h"
#include "object/type.h"
#include <stdlib.h>

typedef struct Pattern {
    TyObject base;
    Value pattern;            /* str, bytes, or None */
    Value group_index;        /* dict from name to number */
    Value index_group;        /* tuple of names or None */
    TyProgram *program;       /* freed with the pattern */
    int64_t flags;
    uint32_t groups;
    int8_t is_bytes;          /* -1: takes both */
} Pattern;

typedef struct Match {
    TyObject base;
    Value string, pattern;
    _Atomic(Value) regs;      /* the tuple of spans, once asked for */
    int64_t pos, endpos, last_index;
    uint32_t groups;          /* with group 0 */
    int64_t marks[];          /* start and end of each; -1: not set */
} Match;

typedef struct Scanner {
    TyObject base;
    Value pattern, string;
    Value hold;               /* a memoryview that keeps the string from being resized, or TY_NULL */
    int64_t start, end, pos;
    bool must_advance, done;
} Scanner;

typedef struct Template {
    TyObject base;
    Value parts;              /* tuple: literal, group, literal, …, literal */
} Template;

static Pattern *as_pattern(Value v) { return (Pattern *)ty_object(v); }
static Match *as_match(Value v) { return (Match *)ty_object(v); }
static Scanner *as_scanner(Value v) { return (Scanner *)ty_object(v); }

/* --- what is searched ----------------------------------------------------------------------------------------------------- */

typedef struct Subject {
    Value string;
    const void *text;
    int width;
    int64_t length;
    TyBuffer view;
    bool held, is_bytes;
} Subject;

static bool open_subject(Subject *s, Value string)
{
    s->string = string;
    s->held = false;
    if (ty_is_str(string)) {
        s->text = ty_str_data(string);
        s->width = ty_str_width(string);
        s->length = ty_str_length(string);
        s->is_bytes = false;
        return true;
    }
    s->width = 1;
    s->is_bytes = true;
    if (ty_is_bytes(string)) {
        s->text = ty_bytes_data(string);
        s->length = ty_bytes_length(string);
        return true;
    }
    if (!ty_has_buffer(string) || !ty_buffer_get(string, &s->view, TY_BUFFER_SIMPLE)) {
        ty_clear_exception();
        ty_raise(&ty_TypeError, "expected string or bytes-like object, got '%T'", string);
        return false;
    }
    s->held = true;
    s->text = s->view.data;
    s->length = s->view.length;
    return true;
}

static void close_subject(Subject *s)
{
    if (s->held)
        ty_buffer_release(&s->view);
}

static bool open_for(Pattern *p, Subject *s, Value string)
{
    if (!open_subject(s, string))
        return false;
    if (p->is_bytes < 0 || p->is_bytes == s->is_bytes)
        return true;
    close_subject(s);
    ty_raise(&ty_TypeError, s->is_bytes ? "cannot use a string pattern on a bytes-like object" : "cannot use a bytes pattern on a string-like object");
    return false;
}

static Value slice(const Subject *s, int64_t start, int64_t end)
{
    start = TY_MIN(start, s->length);
    end = TY_MIN(TY_MAX(end, start), s->length);
    if (!s->is_bytes)
        return ty_str_slice(s->string, start, end);
    if (start == 0 && end == s->length && ty_is_exact(s->string, &ty_bytes_type))
        return s->string;
    return ty_bytes_new(end > start ? (const uint8_t *)s->text + start : (const uint8_t *)"", (size_t)(end - start));
}

/* A search about to begin: everything that the methods share. */
typedef struct Search {
    Pattern *pattern;
    Subject subject;
    TySreState state;
    int64_t pos;
} Search;

static bool begin(Search *search, Value self, Value string, int64_t pos, int64_t endpos)
{
    Pattern *p = as_pattern(self);
    search->pattern = p;
    if (!open_for(p, &search->subject, string))
        return false;
    if (!ty_sre_state_start(&search->state, p->program)) {
        close_subject(&search->subject);
        return false;
    }
    int64_t length = search->subject.length;
    search->pos = TY_MIN(TY_MAX(pos, 0), length);
    search->state.text = search->subject.text;
    search->state.width = search->subject.width;
    search->state.start = search->pos;
    search->state.end = TY_MIN(TY_MAX(endpos, 0), length);
    return true;
}

static void finish(Search *search)
{
    ty_sre_state_end(&search->state);
    close_subject(&search->subject);
}

/* a[0], a[1]: pos and endpos, if given. */
static bool positions(Value *a, int64_t *pos, int64_t *endpos)
{
    *pos = 0;
    *endpos = INT64_MAX;
    return (a[0] == TY_NULL || ty_to_size(a[0], pos)) && (a[1] == TY_NULL || ty_to_size(a[1], endpos));
}

/* --- matches ------------------------------------------------------------------------------------------------------------------ */

static void match_trace(TyObject *self, TyMarker *marker)
{
    Match *m = (Match *)self;
    ty_mark(marker, m->string);
    ty_mark(marker, m->pattern);
    ty_mark(marker, ty_load_relaxed(&m->regs));
}

static Value new_match(Search *search, Value pattern)
{
    const TySreState *s = &search->state;
    uint32_t groups = search->pattern->groups + 1;
    Match *m = ty_allocate(&ty_match_type, sizeof(Match) + 2 * (size_t)groups * sizeof(int64_t));
    if (!m)
        return TY_NULL;
    ty_store(m, &m->string, search->subject.string);
    ty_store(m, &m->pattern, pattern);
    m->pos = search->pos;
    m->endpos = s->end;
    m->last_index = s->last_index;
    m->groups = groups;
    m->marks[0] = s->match_start;
    m->marks[1] = s->match_end;
    for (uint32_t g = 1; g < groups; g++) {
        int64_t from = s->marks[2 * g - 2], to = s->marks[2 * g - 1];
        bool set = from >= 0 && to >= from;
        m->marks[2 * g] = set ? from : -1;
        m->marks[2 * g + 1] = set ? to : -1;
    }
    return ty_from_object(m);
}

static Value result_of(Search *search, Value pattern, int status)
{
    Value result = status > 0 ? new_match(search, pattern) : status == 0 ? TY_NONE : TY_NULL;
    finish(search);
    return result;
}

/* The number of the group that v names; -1 with IndexError. */
static int64_t group_number(Match *m, Value v)
{
    int64_t number = -1;
    if (ty_is_immediate_int(v) || ty_has_index(v)) {
        Value index = ty_number_index(v);
        if (index == TY_NULL)
            return -1;
        if (ty_int_get_int64(index, &number) != 0)
            number = -1;
    } else {
        Value found = ty_dict_get(as_pattern(m->pattern)->group_index, v);
        if (found == TY_NULL && ty_raised())
            ty_clear_exception();
        if (found != TY_NULL && ty_is_int(found) && ty_int_get_int64(found, &number) != 0)
            number = -1;
    }
    if (number < 0 || number >= (int64_t)m->groups) {
        ty_raise(&ty_IndexError, "no such group");
        return -1;
    }
    return number;
}

static Value group_text(Match *m, int64_t number, Value missing)
{
    Subject s;
    if (m->marks[2 * number] < 0)
        return missing;
    if (ty_is_exact_str(m->string))
        return ty_str_slice(m->string, m->marks[2 * number], m->marks[2 * number + 1]);
    if (!open_subject(&s, m->string))
        return TY_NULL;
    Value text = slice(&s, m->marks[2 * number], m->marks[2 * number + 1]);
    close_subject(&s);
    return text;
}

static Value match_group(Value self, const Value *arguments, size_t count, Value keywords)
{
    Match *m = as_match(self);
    if (!ty_no_keywords("group", keywords))
        return TY_NULL;
    if (count == 0)
        return group_text(m, 0, TY_NONE);
    if (count == 1) {
        int64_t number = group_number(m, arguments[0]);
        return number < 0 ? TY_NULL : group_text(m, number, TY_NONE);
    }
    Value tuple = ty_tuple_new((int64_t)count);
    for (size_t i = 0; tuple != TY_NULL && i < count; i++) {
        int64_t number = group_number(m, arguments[i]);
        Value text = number < 0 ? TY_NULL : group_text(m, number, TY_NONE);
        if (text == TY_NULL)
            return TY_NULL;
        ty_tuple_set(tuple, (int64_t)i, text);
    }
    return tuple;
}

static Value match_get_item(Value self, Value key)
{
    int64_t number = group_number(as_match(self), key);
    return number < 0 ? TY_NULL : group_text(as_match(self), number, TY_NONE);
}

static Value match_groups(Value self, Value *a)
{
    Match *m = as_match(self);
    Value tuple = ty_tuple_new(m->groups - 1);
    for (uint32_t g = 1; tuple != TY_NULL && g < m->groups; g++) {
        Value text = group_text(m, g, a[0] == TY_NULL ? TY_NONE : a[0]);
        if (text == TY_NULL)
            return TY_NULL;
        ty_tuple_set(tuple, g - 1, text);
    }
    return tuple;
}

static Value match_groupdict(Value self, Value *a)
{
    Match *m = as_match(self);
    Value result = ty_dict_new(), key, number;
    int64_t position = 0;
    while (result != TY_NULL && ty_dict_next(as_pattern(m->pattern)->group_index, &position, &key, &number)) {
        int64_t g = group_number(m, number);
        Value text = g < 0 ? TY_NULL : group_text(m, g, a[0] == TY_NULL ? TY_NONE : a[0]);
        if (text == TY_NULL || !ty_dict_set(result, key, text))
            return TY_NULL;
    }
    return result;
}

static int64_t optional_group(Match *m, Value v) { return v == TY_NULL ? 0 : group_number(m, v); }

static Value match_start(Value self, Value *a)
{
    int64_t g = optional_group(as_match(self), a[0]);
    return g < 0 ? TY_NULL : ty_int_from_int64(as_match(self)->marks[2 * g]);
}

static Value match_end(Value self, Value *a)
{
    int64_t g = optional_group(as_match(self), a[0]);
    return g < 0 ? TY_NULL : ty_int_from_int64(as_match(self)->marks[2 * g + 1]);
}

static Value span(Match *m, int64_t g) { return ty_tuple_pack(2, ty_int_from_int64(m->marks[2 * g]), ty_int_from_int64(m->marks[2 * g + 1])); }

static Value match_span(Value self, Value *a)
{
    int64_t g = optional_group(as_match(self), a[0]);
    return g < 0 ? TY_NULL : span(as_match(self), g);
}

static Value get_regs(Value self)
{
    Match *m = as_match(self);
    Value regs = ty_load_acquire(&m->regs);
    if (regs != TY_NULL)
        return regs;
    regs = ty_tuple_new(m->groups);
    for (uint32_t g = 0; regs != TY_NULL && g < m->groups; g++) {
        Value pair = span(m, g);
        if (pair == TY_NULL)
            return TY_NULL;
        ty_tuple_set(regs, g, pair);
    }
    if (regs != TY_NULL)
        ty_store_release(&m->regs, regs);
    return regs;
}

static Value get_last_index(Value self) { return as_match(self)->last_index < 0 ? TY_NONE : ty_int_from_int64(as_match(self)->last_index); }

static Value get_last_group(Value self)
{
    Match *m = as_match(self);
    Value names = as_pattern(m->pattern)->index_group;
    return m->last_index >= 0 && m->last_index < ty_tuple_length(names) ? ty_tuple_item(names, m->last_index) : TY_NONE;
}

static Value match_repr(Value self)
{
    Match *m = as_match(self);
    Value text = group_text(m, 0, TY_NONE), repr = text == TY_NULL ? TY_NULL : ty_repr(text);
    if (repr == TY_NULL)
        return TY_NULL;
    if (ty_str_length(repr) > 50)
        repr = ty_str_slice(repr, 0, 50);
    return ty_str_format("<re.Match object; span=(%zd, %zd), match=%U>", m->marks[0], m->marks[1], repr);
}

static Value same(Value self, Value *a) { return self; }

/* --- templates ------------------------------------------------------------------------------------------------------------------- */

static void template_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Template *)self)->parts); }

TyType ty_sre_template_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Template), .trace = template_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE,
    .name = "_sre.SRE_Template",
};

static Value sre_template(Value module, Value *a)
{
    Value parts = ty_is_list(a[1]) ? ty_list_to_tuple(a[1]) : TY_NULL;
    if (parts == TY_NULL)
        return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "template() argument 2 must be list, not %T", a[1]);
    int64_t count = ty_tuple_length(parts);
    bool good = count % 2 == 1;
    for (int64_t i = 1; i < count && good; i += 2) {
        int64_t g;
        Value number = ty_tuple_item(parts, i);
        good = ty_is_int(number) && ty_int_get_int64(number, &g) == 0 && g >= 0;
    }
    if (!good)
        return ty_raise(&ty_TypeError, "invalid template");
    Template *t = ty_allocate(&ty_sre_template_type, sizeof(Template));
    if (!t)
        return TY_NULL;
    ty_store(t, &t->parts, parts);
    return ty_from_object(t);
}

static Value compile_template(Value pattern, Value text)
{
    Value module = ty_import_module("re");
    return module == TY_NULL ? TY_NULL : ty_call_method(module, TY_NAME("_compile_template"), (Value[]){pattern, text}, 2);
}

/* Adds what the template makes of the match to a list. */
static bool expand_into(Value list, Value template, Match *m)
{
    Value parts = ((Template *)ty_object(template))->parts;
    for (int64_t i = 0; i < ty_tuple_length(parts); i++) {
        Value part = ty_tuple_item(parts, i);
        if (i & 1) {
            int64_t g;
            if (ty_int_get_int64(part, &g) != 0 || g >= (int64_t)m->groups) {
                ty_raise(&ty_IndexError, "no such group");
                return false;
            }
            part = group_text(m, g, TY_NONE);
            if (part == TY_NULL)
                return false;
        }
        if (part != TY_NONE && !(ty_is_str(part) && ty_str_length(part) == 0) && !ty_list_append(list, part))
            return false;
    }
    return true;
}

static Value join(Value list, bool is_bytes)
{
    if (!is_bytes)
        return ty_str_join(ty_str_empty(), list);
    return ty_call_method_one(ty_bytes_new("", 0), TY_NAME("join"), list);
}

static Value match_expand(Value self, Value *a)
{
    Match *m = as_match(self);
    Value template = compile_template(m->pattern, a[0]), list = ty_list_new(0);
    if (template == TY_NULL || list == TY_NULL)
        return TY_NULL;
    if (!ty_is_exact(template, &ty_sre_template_type))
        return template;
    if (!expand_into(list, template, m))
        return TY_NULL;
    return join(list, !ty_is_str(m->string));
}

/* --- the type of matches ------------------------------------------------------------------------------------------------------------ */

static const TyNativeDef match_methods[] = {
    TY_RAW_METHOD("group(self, /, *args)", match_group, "group([group1, ...]) -> str or tuple.\n\nThe text of a group, by number or name, or a tuple of several; of the whole match by default."),
    TY_METHOD("start(self, group=0, /)", match_start, "Where the group begins; -1 if it took no part."),
    TY_METHOD("end(self, group=0, /)", match_end, "Where the group ends; -1 if it took no part."),
    TY_METHOD("span(self, group=0, /)", match_span, "(start, end) of the group."),
    TY_METHOD("groups(self, /, default=None)", match_groups, "A tuple of all groups; default stands for those that took no part."),
    TY_METHOD("groupdict(self, /, default=None)", match_groupdict, "A dict of the named groups; default stands for those that took no part."),
    TY_METHOD("expand(self, /, template)", match_expand, "The text that sub() would put in the match's place."),
    TY_METHOD("__copy__(self, /)", same, NULL),
    TY_METHOD("__deepcopy__(self, memo, /)", same, NULL),
    TY_CLASS_GETITEM,
    {0},
};

static const TyMemberDef match_members[] = {
    {"string", TY_MEMBER_VALUE, false, offsetof(Match, string), "The string that was searched."},
    {"re", TY_MEMBER_VALUE, false, offsetof(Match, pattern), "The pattern."},
    {"pos", TY_MEMBER_INT64, false, offsetof(Match, pos), "Where the search began."},
    {"endpos", TY_MEMBER_INT64, false, offsetof(Match, endpos), "Where it would have ended."},
    {0},
};

static const TyGetSetDef match_getsets[] = {
    {"lastindex", get_last_index, NULL, "The number of the last group that closed."},
    {"lastgroup", get_last_group, NULL, "The name of the last group that closed."},
    {"regs", get_regs, NULL, "The spans of all groups."},
    {0},
};

TyType ty_match_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Match), .trace = match_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE,
    .name = "re.Match",
    .doc = "What re.match() and re.search() return: where a pattern matched, and its groups.",
    .slots = {.repr = match_repr, .get_item = match_get_item},
    .methods = match_methods,
    .members = match_members,
    .getsets = match_getsets,
};

/* --- patterns ------------------------------------------------------------------------------------------------------------------------------ */

static void pattern_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Pattern *)self)->pattern, 3); }
static void pattern_destroy(TyObject *self) { ty_sre_free(((Pattern *)self)->program); }

typedef enum { MATCH, FULL_MATCH, SEARCH } Way;

static Value look(Value self, Value *a, Way way)
{
    Search search;
    int64_t pos, endpos;
    if (!positions(a + 1, &pos, &endpos) || !begin(&search, self, a[0], pos, endpos))
        return TY_NULL;
    search.state.whole = way == FULL_MATCH;
    return result_of(&search, self, way == SEARCH ? ty_sre_search(&search.state) : ty_sre_match(&search.state));
}

static Value pattern_match(Value self, Value *a) { return look(self, a, MATCH); }
static Value pattern_fullmatch(Value self, Value *a) { return look(self, a, FULL_MATCH); }
static Value pattern_search(Value self, Value *a) { return look(self, a, SEARCH); }

/* The next match goes on from the end of this one, and may be empty there only if this one was not. */
static void advance(TySreState *s)
{
    s->must_advance = s->match_end == s->match_start;
    s->start = s->match_end;
}

static Value group_or_empty(Search *search, uint32_t g)
{
    const TySreState *s = &search->state;
    int64_t from = g ? s->marks[2 * g - 2] : s->match_start, to = g ? s->marks[2 * g - 1] : s->match_end;
    bool set = from >= 0 && to >= from;
    return slice(&search->subject, set ? from : 0, set ? to : 0);
}

static Value found_item(Search *search)
{
    uint32_t groups = search->pattern->groups;
    if (groups <= 1)
        return group_or_empty(search, groups);
    Value tuple = ty_tuple_new(groups);
    for (uint32_t g = 1; tuple != TY_NULL && g <= groups; g++) {
        Value text = group_or_empty(search, g);
        if (text == TY_NULL)
            return TY_NULL;
        ty_tuple_set(tuple, g - 1, text);
    }
    return tuple;
}

static Value pattern_findall(Value self, Value *a)
{
    Search search;
    int64_t pos, endpos;
    if (!positions(a + 1, &pos, &endpos) || !begin(&search, self, a[0], pos, endpos))
        return TY_NULL;
    Value list = ty_list_new(0);
    int status = list == TY_NULL ? -1 : 1;
    while (status > 0 && (status = ty_sre_search(&search.state)) > 0) {
        Value item = found_item(&search);
        if (item == TY_NULL || !ty_list_append(list, item))
            status = -1;
        advance(&search.state);
    }
    finish(&search);
    return status < 0 ? TY_NULL : list;
}

static bool split_at_match(Search *search, Value list, int64_t from)
{
    const TySreState *s = &search->state;
    Value piece = slice(&search->subject, from, s->match_start);
    if (piece == TY_NULL || !ty_list_append(list, piece))
        return false;
    for (uint32_t g = 1; g <= search->pattern->groups; g++) {
        bool set = s->marks[2 * g - 2] >= 0 && s->marks[2 * g - 1] >= s->marks[2 * g - 2];
        piece = set ? slice(&search->subject, s->marks[2 * g - 2], s->marks[2 * g - 1]) : TY_NONE;
        if (piece == TY_NULL || !ty_list_append(list, piece))
            return false;
    }
    return true;
}

static Value pattern_split(Value self, Value *a)
{
    Search search;
    int64_t limit = 0, from = 0, count = 0;
    if ((a[1] != TY_NULL && !ty_to_size(a[1], &limit)) || !begin(&search, self, a[0], 0, INT64_MAX))
        return TY_NULL;
    Value list = ty_list_new(0);
    int status = list == TY_NULL ? -1 : 1;
    while (status > 0 && (limit == 0 || count < limit) && (status = ty_sre_search(&search.state)) > 0) {
        if (!split_at_match(&search, list, from))
            status = -1;
        from = search.state.match_end;
        count++;
        advance(&search.state);
    }
    if (status >= 0) {
        Value rest = slice(&search.subject, from, search.subject.length);
        if (rest == TY_NULL || !ty_list_append(list, rest))
            status = -1;
    }
    finish(&search);
    return status < 0 ? TY_NULL : list;
}

/* What is put in a match's place: a literal, a template, or what a function returns. */
typedef struct Replacement {
    Value literal, template, function;
} Replacement;

static bool has_backslash(Value text)
{
    Subject s;
    if (!open_subject(&s, text)) {
        ty_clear_exception();
        return true;
    }
    bool found = ty_find_char(s.text, s.length, '\\', s.width) >= 0;
    close_subject(&s);
    return found;
}

static bool replacement_of(Value self, Value given, Replacement *r)
{
    *r = (Replacement){TY_NULL, TY_NULL, TY_NULL};
    int callable = ty_is_callable(given);
    if (callable) {
        r->function = given;
        return callable > 0;
    }
    if (!has_backslash(given)) {
        r->literal = given;
        return true;
    }
    Value template = compile_template(self, given);
    if (template == TY_NULL)
        return false;
    if (!ty_is_exact(template, &ty_sre_template_type)) {
        r->literal = template;
        return true;
    }
    Value parts = ((Template *)ty_object(template))->parts;
    if (ty_tuple_length(parts) == 1)
        r->literal = ty_tuple_item(parts, 0);
    else
        r->template = template;
    return true;
}

static bool is_empty(Value text) { return (ty_is_str(text) && ty_str_length(text) == 0) || (ty_is_bytes(text) && ty_bytes_length(text) == 0); }

static bool replace_match(Search *search, Value self, const Replacement *r, Value list)
{
    if (r->literal != TY_NULL)
        return is_empty(r->literal) || ty_list_append(list, r->literal);
    Value match = new_match(search, self);
    if (match == TY_NULL)
        return false;
    if (r->template != TY_NULL)
        return expand_into(list, r->template, as_match(match));
    Value text = ty_call_one(r->function, match);
    return text != TY_NULL && (text == TY_NONE || ty_list_append(list, text));
}

static Value substitute(Value self, Value *a, int64_t *done)
{
    Search search;
    Replacement replacement;
    int64_t limit = 0, from = 0;
    *done = 0;
    if ((a[2] != TY_NULL && !ty_to_size(a[2], &limit)) || !replacement_of(self, a[0], &replacement) || !begin(&search, self, a[1], 0, INT64_MAX))
        return TY_NULL;
    Value list = ty_list_new(0);
    int status = list == TY_NULL ? -1 : 1;
    while (status > 0 && (limit == 0 || *done < limit) && (status = ty_sre_search(&search.state)) > 0) {
        int64_t start = search.state.match_start, end = search.state.match_end;
        if (start > from) {
            Value piece = slice(&search.subject, from, start);
            if (piece == TY_NULL || !ty_list_append(list, piece))
                status = -1;
        }
        if (status > 0 && !replace_match(&search, self, &replacement, list))
            status = -1;
        from = end;
        ++*done;
        search.state.match_start = start;
        search.state.match_end = end;
        advance(&search.state);
    }
    if (status >= 0 && (from < search.subject.length || *done == 0)) {
        Value rest = slice(&search.subject, from, search.subject.length);
        if (rest == TY_NULL || !ty_list_append(list, rest))
            status = -1;
    }
    bool is_bytes = search.subject.is_bytes;
    finish(&search);
    return status < 0 ? TY_NULL : join(list, is_bytes);
}

static Value pattern_sub(Value self, Value *a)
{
    int64_t count;
    return substitute(self, a, &count);
}

static Value pattern_subn(Value self, Value *a)
{
    int64_t count;
    Value result = substitute(self, a, &count);
    return result == TY_NULL ? TY_NULL : ty_tuple_pack(2, result, ty_int_from_int64(count));
}

static Value pattern_scanner(Value self, Value *a)
{
    int64_t pos, endpos;
    Subject subject;
    if (!positions(a + 1, &pos, &endpos) || !open_for(as_pattern(self), &subject, a[0]))
        return TY_NULL;
    int64_t length = subject.length;
    close_subject(&subject);
    Scanner *s = ty_allocate(&ty_scanner_type, sizeof(Scanner));
    if (!s)
        return TY_NULL;
    ty_store(s, &s->pattern, self);
    ty_store(s, &s->string, a[0]);
    if (subject.held) {
        Value hold = ty_memoryview_new(a[0]);
        if (hold == TY_NULL)
            return TY_NULL;
        ty_store(s, &s->hold, hold);
    }
    s->pos = s->start = TY_MIN(TY_MAX(pos, 0), length);
    s->end = endpos;
    return ty_from_object(s);
}

static Value pattern_finditer(Value self, Value *a)
{
    Value scanner = pattern_scanner(self, a);
    Value search = scanner == TY_NULL ? TY_NULL : ty_get_attribute(scanner, TY_NAME("search"));
    return search == TY_NULL ? TY_NULL : ty_callable_iterator_new(search, TY_NONE);
}

static Value pattern_repr(Value self)
{
    static const struct { const char *name; int64_t flag; } names[] = {
        {"re.IGNORECASE", SRE_FLAG_IGNORECASE}, {"re.LOCALE", SRE_FLAG_LOCALE}, {"re.MULTILINE", SRE_FLAG_MULTILINE}, {"re.DOTALL", SRE_FLAG_DOTALL},
        {"re.UNICODE", SRE_FLAG_UNICODE}, {"re.VERBOSE", SRE_FLAG_VERBOSE}, {"re.DEBUG", SRE_FLAG_DEBUG}, {"re.ASCII", SRE_FLAG_ASCII},
    };
    Pattern *p = as_pattern(self);
    int64_t flags = p->flags;
    if (ty_is_str(p->pattern) && (flags & (SRE_FLAG_LOCALE | SRE_FLAG_UNICODE | SRE_FLAG_ASCII)) == SRE_FLAG_UNICODE)
        flags &= ~(int64_t)SRE_FLAG_UNICODE;
    TyStrBuilder b = {0};
    Value text = ty_repr(p->pattern);
    if (text == TY_NULL)
        return TY_NULL;
    ty_builder_add_text(&b, "re.compile(");
    ty_builder_add_slice(&b, text, 0, TY_MIN(ty_str_length(text), 200));
    const char *before = ", ";
    for (size_t i = 0; i < TY_COUNT_OF(names); i++)
        if (flags & names[i].flag) {
            ty_builder_add_text(&b, before);
            ty_builder_add_text(&b, names[i].name);
            before = "|";
            flags &= ~names[i].flag;
        }
    if (flags) {
        Value rest = ty_str_format("%s0x%lx", before, flags);
        if (rest == TY_NULL)
            return TY_NULL;
        ty_builder_add(&b, rest);
    }
    ty_builder_add_char(&b, ')');
    return ty_builder_finish(&b);
}

/* The codes as they were handed over, for hashing and comparing: those made for sets follow them and depend on them. */
static int64_t pattern_hash(Value self)
{
    Pattern *p = as_pattern(self);
    int64_t hash = ty_hash(p->pattern);
    if (hash == -1)
        return -1;
    hash ^= ty_hash_bytes(p->program->code, p->program->code_count * sizeof(uint32_t));
    hash ^= p->flags ^ p->is_bytes ^ (int64_t)p->groups << 8;
    return hash == -1 ? -2 : hash;
}

static Value pattern_compare(Value left, Value right, int op)
{
    if ((op != TY_EQ && op != TY_NE) || !ty_is_exact(right, &ty_pattern_type))
        return TY_NOT_IMPLEMENTED;
    Pattern *a = as_pattern(left), *b = as_pattern(right);
    bool equal = a->flags == b->flags && a->is_bytes == b->is_bytes && a->groups == b->groups && a->program->code_count == b->program->code_count &&
                 memcmp(a->program->code, b->program->code, a->program->code_count * sizeof(uint32_t)) == 0;
    int same_text = equal ? ty_equal(a->pattern, b->pattern) : 0;
    return same_text < 0 ? TY_NULL : ty_from_bool(same_text == (op == TY_EQ));
}

static Value get_flags(Value self) { return ty_int_from_int64(as_pattern(self)->flags); }
static Value get_groups(Value self) { return ty_int_from_int64(as_pattern(self)->groups); }
static Value get_group_index(Value self) { return ty_mappingproxy_new(as_pattern(self)->group_index); }

#define LOOKING "(self, /, string, pos=0, endpos=sys.maxsize)"
static const TyNativeDef pattern_methods[] = {
    TY_METHOD("match" LOOKING, pattern_match, "A match at pos, or None."),
    TY_METHOD("fullmatch" LOOKING, pattern_fullmatch, "A match of all from pos to endpos, or None."),
    TY_METHOD("search" LOOKING, pattern_search, "The first match from pos on, or None."),
    TY_METHOD("sub(self, /, repl, string, count=0)", pattern_sub, "The string with its matches replaced by repl, a string or a function of the match."),
    TY_METHOD("subn(self, /, repl, string, count=0)", pattern_subn, "(new string, number of replacements): as sub()."),
    TY_METHOD("findall" LOOKING, pattern_findall, "The list of the texts of all matches, or of their groups if there are any."),
    TY_METHOD("split(self, /, string, maxsplit=0)", pattern_split, "The list of what stands between the matches, with the texts of the groups."),
    TY_METHOD("finditer" LOOKING, pattern_finditer, "An iterator over all matches."),
    TY_METHOD("scanner" LOOKING, pattern_scanner, NULL),
    TY_METHOD("__copy__(self, /)", same, NULL),
    TY_METHOD("__deepcopy__(self, memo, /)", same, NULL),
    TY_CLASS_GETITEM,
    {0},
};

static const TyMemberDef pattern_members[] = {
    {"pattern", TY_MEMBER_VALUE, false, offsetof(Pattern, pattern), "The text that the pattern was compiled from."},
    {0},
};
static const TyGetSetDef pattern_getsets[] = {
    {"flags", get_flags, NULL, "The flags."},
    {"groups", get_groups, NULL, "The number of groups."},
    {"groupindex", get_group_index, NULL, "The numbers of the named groups."},
    {0},
};

TyType ty_pattern_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Pattern), .trace = pattern_trace, .destroy = pattern_destroy},
    .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE | TY_TYPE_WEAKREFABLE,
    .name = "re.Pattern",
    .doc = "A compiled regular expression.",
    .slots = {.repr = pattern_repr, .hash = pattern_hash, .compare = pattern_compare},
    .methods = pattern_methods,
    .members = pattern_members,
    .getsets = pattern_getsets,
};

/* --- scanners ------------------------------------------------------------------------------------------------------------------------------- */

static void scanner_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Scanner *)self)->pattern, 3); }

static Value scan(Value self, Way way)
{
    Scanner *s = as_scanner(self);
    Search search;
    bool locked = ty_object_lock(&s->base), done = s->done, must_advance = s->must_advance;
    int64_t start = s->start;
    ty_object_unlock(&s->base, locked);
    if (done)
        return TY_NONE;
    if (!begin(&search, s->pattern, s->string, start, s->end))
        return TY_NULL;
    search.state.must_advance = must_advance;
    search.pos = s->pos;
    int status = way == SEARCH ? ty_sre_search(&search.state) : ty_sre_match(&search.state);
    Value hold = TY_NULL;
    locked = ty_object_lock(&s->base);
    if (status > 0) {
        s->must_advance = search.state.match_end == search.state.match_start;
        s->start = search.state.match_end;
    } else if (status == 0) {
        s->done = true;
        hold = s->hold;
        ty_store(s, &s->hold, TY_NULL);
    }
    ty_object_unlock(&s->base, locked);
    Value result = result_of(&search, s->pattern, status);
    if (hold != TY_NULL)
        ty_call_method_none(hold, TY_NAME("release"));
    return result;
}

static Value scanner_match(Value self, Value *a) { return scan(self, MATCH); }
static Value scanner_search(Value self, Value *a) { return scan(self, SEARCH); }

static const TyNativeDef scanner_methods[] = {
    TY_METHOD("match(self, /)", scanner_match, NULL),
    TY_METHOD("search(self, /)", scanner_search, NULL),
    {0},
};
static const TyMemberDef scanner_members[] = {{"pattern", TY_MEMBER_VALUE, false, offsetof(Scanner, pattern), NULL}, {0}};

TyType ty_scanner_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Scanner), .trace = scanner_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE,
    .name = "_sre.SRE_Scanner",
    .methods = scanner_methods,
    .members = scanner_members,
};

/* --- the module --------------------------------------------------------------------------------------------------------------------------------- */

static uint32_t *codes_of(Value list, uint32_t *count)
{
    int64_t length = ty_list_length(list);
    uint32_t *codes = length < INT32_MAX ? malloc(((size_t)length + 1) * sizeof *codes) : NULL;
    if (!codes) {
        ty_raise_memory_error();
        return NULL;
    }
    for (int64_t i = 0; i < length; i++) {
        Value item = ty_list_item(list, i);
        int64_t code;
        if (item == TY_NULL || !ty_is_int(item)) {
            ty_raise(&ty_TypeError, "an integer is required");
            free(codes);
            return NULL;
        }
        if (ty_int_get_int64(item, &code) != 0 || code < 0 || code > UINT32_MAX) {
            ty_raise(&ty_OverflowError, "regular expression code size limit exceeded");
            free(codes);
            return NULL;
        }
        codes[i] = (uint32_t)code;
    }
    *count = (uint32_t)length;
    return codes;
}

/* pattern, flags, code, groups, groupindex, indexgroup */
static Value sre_compile(Value module, Value *a)
{
    int64_t flags, groups;
    uint32_t count;
    if (!ty_to_int64(a[1], &flags) || !ty_to_size(a[3], &groups))
        return TY_NULL;
    if (!ty_is_list(a[2]))
        return ty_raise(&ty_TypeError, "compile() argument 'code' must be list, not %T", a[2]);
    if (!ty_is_dict(a[4]))
        return ty_raise(&ty_TypeError, "compile() argument 'groupindex' must be dict, not %T", a[4]);
    if (!ty_is_tuple(a[5]))
        return ty_raise(&ty_TypeError, "compile() argument 'indexgroup' must be tuple, not %T", a[5]);
    if (groups < 0 || groups > TY_SRE_MAX_GROUPS)
        return ty_raise(&ty_RuntimeError, "invalid SRE code");
    int is_bytes = -1;
    if (a[0] != TY_NONE) {
        Subject subject;
        if (!open_subject(&subject, a[0]))
            return TY_NULL;
        is_bytes = subject.is_bytes;
        close_subject(&subject);
    }
    uint32_t *codes = codes_of(a[2], &count);
    if (!codes)
        return TY_NULL;
    TyProgram *program = ty_sre_translate(codes, count, (uint32_t)groups);
    free(codes);
    if (!program)
        return TY_NULL;
    Pattern *p = ty_allocate(&ty_pattern_type, sizeof(Pattern));
    if (!p) {
        ty_sre_free(program);
        return TY_NULL;
    }
    p->program = program;
    ty_store(p, &p->pattern, a[0]);
    ty_store(p, &p->group_index, a[4]);
    ty_store(p, &p->index_group, a[5]);
    p->flags = flags;
    p->groups = (uint32_t)groups;
    p->is_bytes = (int8_t)is_bytes;
    return ty_from_object(p);
}

static bool character(Value v, uint32_t *c)
{
    int32_t i;
    if (!ty_to_int32(v, &i))
        return false;
    *c = (uint32_t)i;
    return true;
}

static Value sre_ascii_iscased(Value module, Value *a)
{
    uint32_t c;
    return character(a[0], &c) ? ty_from_bool(c < 128 && (c | 32) - 'a' < 26) : TY_NULL;
}

static Value sre_unicode_iscased(Value module, Value *a)
{
    uint32_t c;
    if (!character(a[0], &c))
        return TY_NULL;
    uint32_t upper[3];
    ty_unicode_full_upper(c, upper);
    return ty_from_bool(ty_unicode_to_lower(c) != c || upper[0] != c);
}

static Value sre_ascii_tolower(Value module, Value *a)
{
    uint32_t c;
    return character(a[0], &c) ? ty_from_immediate_int(ty_sre_fold(TY_FOLD_ASCII, c)) : TY_NULL;
}

static Value sre_unicode_tolower(Value module, Value *a)
{
    uint32_t c;
    return character(a[0], &c) ? ty_from_immediate_int(ty_unicode_to_lower(c)) : TY_NULL;
}

static Value sre_getcodesize(Value module, Value *a) { return ty_from_immediate_int(sizeof(uint32_t)); }

static const TyNativeDef functions[] = {
    TY_FUNCTION("compile(pattern, flags, code, groups, groupindex, indexgroup)", sre_compile, NULL),
    TY_FUNCTION("template(pattern, template, /)", sre_template, "template\n  A list of strings and, between them, numbers of groups."),
    TY_FUNCTION("ascii_iscased(character, /)", sre_ascii_iscased, NULL),
    TY_FUNCTION("unicode_iscased(character, /)", sre_unicode_iscased, NULL),
    TY_FUNCTION("ascii_tolower(character, /)", sre_ascii_tolower, NULL),
    TY_FUNCTION("unicode_tolower(character, /)", sre_unicode_tolower, NULL),
    TY_FUNCTION("getcodesize()", sre_getcodesize, NULL),
    {0},
};

/* Made ready with the module; they are reached through what compile() returns. */
static bool execute(Value module)
{
    TyType *const hidden[] = {&ty_pattern_type, &ty_match_type, &ty_scanner_type, &ty_sre_template_type};
    for (size_t i = 0; i < TY_COUNT_OF(hidden); i++)
        if (!ty_type_ready(hidden[i]))
            return false;
    return ty_module_add_int(module, "MAGIC", TY_SRE_MAGIC) && ty_module_add_int(module, "CODESIZE", sizeof(uint32_t)) &&
           ty_module_add_int(module, "MAXREPEAT", TY_SRE_MAX_REPEAT) && ty_module_add_int(module, "MAXGROUPS", TY_SRE_MAX_GROUPS);
}

const TyModuleDef ty_module__sre = {
    .name = "_sre",
    .doc = "The engine of the re module.",
    .functions = functions,
    .execute = execute,
};
