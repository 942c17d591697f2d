/* _csv: reading and writing of comma-separated values.
 *
 * What the module keeps per interpreter is in its state: the registered dialects, the class Error and the limit of a field's length. All that reading a record needs
 * is on the C stack, so threads may share a reader. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

enum { STATE_DIALECTS, STATE_ERROR, STATE_LIMIT, STATE_COUNT };
enum { QUOTE_MINIMAL, QUOTE_ALL, QUOTE_NONNUMERIC, QUOTE_NONE, QUOTE_STRINGS, QUOTE_NOTNULL, QUOTE_COUNT };

#define NO_CHAR UINT32_MAX

static Value *state(void)
{
    Value module = ty_module_current("_csv");
    return module == TY_NULL ? NULL : ty_module_state(module);
}

static Value raise_error(const char *format, ...)
{
    Value *values = state();
    if (!values)
        return TY_NULL;
    va_list arguments;
    va_start(arguments, format);
    ty_raise_va(ty_as_type(values[STATE_ERROR]), format, arguments);
    va_end(arguments);
    return TY_NULL;
}

/* --- dialects ------------------------------------------------------------------------------------------------------- */

typedef struct Dialect {
    TyObject base;
    Value line_terminator;
    uint32_t delimiter, quote, escape; /* NO_CHAR: none */
    int quoting;
    bool double_quote, skip_space, strict;
} Dialect;

static TyType dialect_type;

enum { DIALECT, DELIMITER, DOUBLEQUOTE, ESCAPECHAR, LINETERMINATOR, QUOTECHAR, QUOTING, SKIPINITIALSPACE, STRICT, PARAMETERS };
static const char *const parameter_names[] = {"dialect",   "delimiter", "doublequote",      "escapechar", "lineterminator",
                                              "quotechar", "quoting",   "skipinitialspace", "strict"};

static void dialect_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Dialect *)self)->line_terminator); }

static bool set_char(uint32_t *target, const char *name, Value v, bool optional)
{
    const char *or_none = optional ? " or None" : "";
    if (v == TY_NULL)
        return true;
    if (v == TY_NONE && optional) {
        *target = NO_CHAR;
        return true;
    }
    if (!ty_is_str(v)) {
        ty_raise(&ty_TypeError, "\"%s\" must be a unicode character%s, not %T", name, or_none, v);
        return false;
    }
    if (ty_str_length(v) != 1) {
        ty_raise(&ty_TypeError, "\"%s\" must be a unicode character%s, not a string of length %lld", name, or_none, (long long)ty_str_length(v));
        return false;
    }
    *target = ty_str_at(v, 0);
    return true;
}

static bool set_bool(bool *target, Value v)
{
    int truth = v == TY_NULL ? *target : ty_is_true(v);
    *target = truth > 0;
    return truth >= 0;
}

static bool check_char(const Dialect *self, const char *name, uint32_t c, bool space)
{
    if (c == '\r' || c == '\n' || (c == ' ' && !space)) {
        ty_raise(&ty_ValueError, "bad %s value", name);
        return false;
    }
    if (c != NO_CHAR && ty_str_find_char(self->line_terminator, c, 0, ty_str_length(self->line_terminator), 1) >= 0) {
        ty_raise(&ty_ValueError, "bad %s or lineterminator value", name);
        return false;
    }
    return true;
}

static bool check_pair(const char *a_name, uint32_t a, const char *b_name, uint32_t b)
{
    if (a != b || a == NO_CHAR)
        return true;
    ty_raise(&ty_ValueError, "bad %s or %s value", a_name, b_name);
    return false;
}

static bool check_dialect(const Dialect *self)
{
    if (self->quoting != QUOTE_NONE && self->quote == NO_CHAR) {
        ty_raise(&ty_TypeError, "quotechar must be set if quoting enabled");
        return false;
    }
    return check_char(self, "delimiter", self->delimiter, true) && check_char(self, "escapechar", self->escape, !self->skip_space) &&
           check_char(self, "quotechar", self->quote, !self->skip_space) && check_pair("delimiter", self->delimiter, "escapechar", self->escape) &&
           check_pair("delimiter", self->delimiter, "quotechar", self->quote) && check_pair("escapechar", self->escape, "quotechar", self->quote);
}

static bool fill_dialect(Dialect *self, const Value *a)
{
    self->delimiter = ',';
    self->quote = '"';
    self->escape = NO_CHAR;
    self->double_quote = true;
    if (!set_char(&self->delimiter, "delimiter", a[DELIMITER], false) || !set_bool(&self->double_quote, a[DOUBLEQUOTE]) ||
        !set_char(&self->escape, "escapechar", a[ESCAPECHAR], true))
        return false;
    Value terminator = a[LINETERMINATOR] == TY_NULL ? ty_str_from_text("\r\n") : a[LINETERMINATOR];
    if (terminator != TY_NULL && !ty_is_str(terminator))
        ty_raise(&ty_TypeError, "\"lineterminator\" must be a string, not %T", terminator);
    if (ty_raised())
        return false;
    ty_store(self, &self->line_terminator, terminator);
    if (!set_char(&self->quote, "quotechar", a[QUOTECHAR], true))
        return false;
    if (a[QUOTING] != TY_NULL) {
        int64_t quoting;
        if (!ty_is_exact_int(a[QUOTING])) {
            ty_raise(&ty_TypeError, "\"quoting\" must be an integer, not %T", a[QUOTING]);
            return false;
        }
        if (ty_int_get_int64(a[QUOTING], &quoting) != 0 || quoting < 0 || quoting >= QUOTE_COUNT) {
            ty_raise(&ty_TypeError, "bad \"quoting\" value");
            return false;
        }
        self->quoting = (int)quoting;
    } else if (a[QUOTECHAR] == TY_NONE) {
        self->quoting = QUOTE_NONE;
    }
    return set_bool(&self->skip_space, a[SKIPINITIALSPACE]) && set_bool(&self->strict, a[STRICT]) && check_dialect(self);
}

static Value registered(Value name)
{
    Value *values = state();
    Value dialect = values ? ty_dict_get(values[STATE_DIALECTS], name) : TY_NULL;
    return dialect != TY_NULL || ty_raised() ? dialect : raise_error("unknown dialect");
}

/* What a dialect, given as a name, a Dialect or any object with such attributes, and separate parameters come to. */
static Value dialect_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[PARAMETERS] = {0};
    if (count > PARAMETERS)
        return ty_raise(&ty_TypeError, "Dialect() takes at most %d arguments (%zu given)", PARAMETERS, count);
    for (size_t i = 0; i < count; i++)
        a[i] = arguments[i];
    for (int64_t k = 0; keywords != TY_NULL && k < ty_tuple_length(keywords); k++) {
        Value name = ty_tuple_item(keywords, k);
        int i = 0;
        while (i < PARAMETERS && !ty_str_equal_text(name, parameter_names[i]))
            i++;
        if (i == PARAMETERS)
            return ty_raise(&ty_TypeError, "this function got an unexpected keyword argument '%U'", name);
        if (a[i] != TY_NULL)
            return ty_raise(&ty_TypeError, "argument for Dialect() given by name ('%U') and position (%d)", name, i + 1);
        a[i] = arguments[count + (size_t)k];
    }
    Value dialect = a[DIALECT] == TY_NONE ? TY_NULL : a[DIALECT];
    if (dialect != TY_NULL) {
        if (ty_is_str(dialect)) {
            dialect = registered(dialect);
            if (dialect == TY_NULL)
                return TY_NULL;
        }
        bool alone = true;
        for (int i = 1; i < PARAMETERS; i++)
            alone = alone && a[i] == TY_NULL;
        if (alone && ty_is_exact(dialect, &dialect_type) && type == &dialect_type)
            return dialect;
        for (int i = 1; i < PARAMETERS; i++) {
            bool failed = false;
            if (a[i] == TY_NULL)
                a[i] = ty_get_attribute_or_null(dialect, ty_intern_text(parameter_names[i]), &failed);
            if (failed)
                return TY_NULL;
        }
    }
    Value v = ty_type_allocate(type, 0);
    return v != TY_NULL && fill_dialect((Dialect *)ty_object(v), a) ? v : TY_NULL;
}

static Value char_or_none(uint32_t c) { return c == NO_CHAR ? TY_NONE : ty_str_from_char(c); }
#define DIALECT_OF(v) ((Dialect *)ty_object(v))
static Value get_delimiter(Value v) { return char_or_none(DIALECT_OF(v)->delimiter); }
static Value get_escapechar(Value v) { return char_or_none(DIALECT_OF(v)->escape); }
static Value get_quotechar(Value v) { return char_or_none(DIALECT_OF(v)->quote); }
static Value get_lineterminator(Value v) { return DIALECT_OF(v)->line_terminator; }
static Value get_quoting(Value v) { return ty_from_immediate_int(DIALECT_OF(v)->quoting); }

static const TyGetSetDef dialect_getsets[] = {
    {"delimiter", get_delimiter, NULL, NULL},           {"escapechar", get_escapechar, NULL, NULL}, {"quotechar", get_quotechar, NULL, NULL},
    {"lineterminator", get_lineterminator, NULL, NULL}, {"quoting", get_quoting, NULL, NULL},       {0},
};

static const TyMemberDef dialect_members[] = {
    {"doublequote", TY_MEMBER_BOOL, false, offsetof(Dialect, double_quote), NULL},
    {"skipinitialspace", TY_MEMBER_BOOL, false, offsetof(Dialect, skip_space), NULL},
    {"strict", TY_MEMBER_BOOL, false, offsetof(Dialect, strict), NULL},
    {0},
};

static Value dialect_reduce(Value v, Value *a) { return ty_raise(&ty_TypeError, "cannot pickle %T instances", v); }

static const TyNativeDef dialect_methods[] = {
    TY_METHOD("__reduce__(self, /)", dialect_reduce, "Refused."),
    TY_METHOD("__reduce_ex__(self, protocol, /)", dialect_reduce, "Refused."),
    {0},
};

static TyType dialect_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Dialect), .trace = dialect_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_csv.Dialect",
    .doc = "CSV dialect\n\nThe Dialect type records CSV dialect options.",
    .parent = &ty_object_base_type,
    .slots = {.new = dialect_new},
    .methods = dialect_methods,
    .getsets = dialect_getsets,
    .members = dialect_members,
};

/* A Dialect from what reader() or writer() was called with, behind its first argument. */
static Value dialect_from_call(const char *name, const Value *arguments, size_t count, Value keywords)
{
    if (count == 0)
        return ty_raise(&ty_TypeError, "%s expected at least 1 argument, got 0", name);
    if (count > 2)
        return ty_raise(&ty_TypeError, "%s expected at most 2 arguments, got %zu", name, count);
    return dialect_new(&dialect_type, arguments + 1, count - 1, keywords);
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

typedef struct Reader {
    TyObject base;
    Value iterator, dialect;
    _Atomic int64_t line;
    _Atomic uint64_t records; /* begun so far: tells whether the source of lines has used this very reader meanwhile */
} Reader;

enum { START_RECORD, START_FIELD, ESCAPED, IN_FIELD, IN_QUOTED, ESCAPED_IN_QUOTED, QUOTE_IN_QUOTED, EAT_NEWLINE, AFTER_ESCAPED_NEWLINE };
#define END_OF_LINE (UINT32_MAX - 1)

typedef struct Parse {
    const Dialect *dialect;
    Value fields;             /* list */
    Value line;
    int64_t run_start, run_end; /* characters of the line that belong to the field, behind those in the builder */
    TyStrBuilder text;
    int64_t length;           /* of the field so far */
    int64_t limit;
    int state;
    bool unquoted;
} Parse;

static bool flush_run(Parse *p)
{
    bool fine = p->run_end == p->run_start || ty_builder_add_slice(&p->text, p->line, p->run_start, p->run_end);
    p->run_start = p->run_end = 0;
    return fine;
}

static bool too_long(Parse *p)
{
    raise_error("field larger than field limit (%lld)", (long long)p->limit);
    return false;
}

/* The character at index i of the line belongs to the field. */
TY_INLINE bool add_at(Parse *p, int64_t i)
{
    if (++p->length > p->limit)
        return too_long(p);
    if (p->run_end == i && p->run_end > p->run_start) {
        p->run_end++;
        return true;
    }
    if (!flush_run(p))
        return false;
    p->run_start = i;
    p->run_end = i + 1;
    return true;
}

static bool add_newline(Parse *p) { return ++p->length <= p->limit ? flush_run(p) && ty_builder_add_char(&p->text, '\n') : too_long(p); }

static bool save_field(Parse *p)
{
    Value field;
    int quoting = p->dialect->quoting;
    if (p->unquoted && p->length == 0 && (quoting == QUOTE_NOTNULL || quoting == QUOTE_STRINGS)) {
        field = TY_NONE;
    } else {
        if (p->text.length == 0 && p->text.buffer == TY_NULL)
            field = p->length == 0 ? ty_str_empty() : ty_str_slice(p->line, p->run_start, p->run_end);
        else
            field = flush_run(p) ? ty_builder_finish(&p->text) : TY_NULL;
        if (field != TY_NULL && p->unquoted && p->length > 0 && (quoting == QUOTE_NONNUMERIC || quoting == QUOTE_STRINGS))
            field = ty_number_float(field);
    }
    p->text = (TyStrBuilder){0};
    p->run_start = p->run_end = p->length = 0;
    p->unquoted = true;
    return field != TY_NULL && ty_list_append(p->fields, field);
}

static bool is_newline(uint32_t c) { return c == '\n' || c == '\r' || c == END_OF_LINE; }

/* The field ends with the record. */
static bool end_record(Parse *p, uint32_t c)
{
    p->state = c == END_OF_LINE ? START_RECORD : EAT_NEWLINE;
    return save_field(p);
}

static bool start_field(Parse *p, uint32_t c, int64_t i)
{
    const Dialect *d = p->dialect;
    if (is_newline(c))
        return end_record(p, c);
    if (c == d->quote && d->quoting != QUOTE_NONE) {
        p->unquoted = false;
        p->state = IN_QUOTED;
    } else if (c == d->escape) {
        p->state = ESCAPED;
    } else if (c == ' ' && d->skip_space) {
        p->state = START_FIELD;
    } else if (c == d->delimiter) {
        p->state = START_FIELD;
        return save_field(p);
    } else {
        p->state = IN_FIELD;
        return add_at(p, i);
    }
    return true;
}

static bool in_field(Parse *p, uint32_t c, int64_t i)
{
    const Dialect *d = p->dialect;
    if (is_newline(c))
        return end_record(p, c);
    if (c == d->escape) {
        p->state = ESCAPED;
        return true;
    }
    if (c == d->delimiter) {
        p->state = START_FIELD;
        return save_field(p);
    }
    p->state = IN_FIELD;
    return add_at(p, i);
}

static bool step(Parse *p, uint32_t c, int64_t i)
{
    const Dialect *d = p->dialect;
    switch (p->state) {
    case START_RECORD:
        if (c == END_OF_LINE)
            return true;
        if (is_newline(c)) {
            p->state = EAT_NEWLINE;
            return true;
        }
        return start_field(p, c, i);
    case START_FIELD: return start_field(p, c, i);
    case ESCAPED:
        if (c == '\n' || c == '\r') {
            p->state = AFTER_ESCAPED_NEWLINE;
            return add_at(p, i);
        }
        p->state = IN_FIELD;
        return c == END_OF_LINE ? add_newline(p) : add_at(p, i);
    case AFTER_ESCAPED_NEWLINE: return c == END_OF_LINE || in_field(p, c, i);
    case IN_FIELD: return in_field(p, c, i);
    case IN_QUOTED:
        if (c == END_OF_LINE)
            return true;
        if (c == d->escape) {
            p->state = ESCAPED_IN_QUOTED;
            return true;
        }
        if (c == d->quote && d->quoting != QUOTE_NONE) {
            p->state = d->double_quote ? QUOTE_IN_QUOTED : IN_FIELD;
            return true;
        }
        return add_at(p, i);
    case ESCAPED_IN_QUOTED:
        p->state = IN_QUOTED;
        return c == END_OF_LINE ? add_newline(p) : add_at(p, i);
    case QUOTE_IN_QUOTED:
        if (d->quoting != QUOTE_NONE && c == d->quote) {
            p->state = IN_QUOTED;
            return add_at(p, i);
        }
        if (c == d->delimiter) {
            p->state = START_FIELD;
            return save_field(p);
        }
        if (is_newline(c))
            return end_record(p, c);
        if (!d->strict) {
            p->state = IN_FIELD;
            return add_at(p, i);
        }
        raise_error("'%U' expected after '%U'", ty_str_from_char(d->delimiter), ty_str_from_char(d->quote));
        return false;
    default: /* EAT_NEWLINE */
        if (c == END_OF_LINE)
            p->state = START_RECORD;
        else if (!is_newline(c))
            raise_error("new-line character seen in unquoted field - do you need to open the file with newline=''?");
        return c == END_OF_LINE || is_newline(c);
    }
}

static bool parse_line(Parse *p, Value line)
{
    int64_t length = ty_str_length(line);
    p->line = line;
    p->run_start = p->run_end = 0;
    for (int64_t i = 0; i < length; i++)
        if (!step(p, ty_str_at(line, i), i))
            return false;
    if (!step(p, END_OF_LINE, length))
        return false;
    return flush_run(p); /* the field may go on with the next line */
}

static Value reader_next(Value v)
{
    Reader *self = (Reader *)ty_object(v);
    Value *values = state(), fields = values ? ty_list_new(0) : TY_NULL;
    if (fields == TY_NULL)
        return TY_NULL;
    Parse parse = {.dialect = (Dialect *)ty_object(self->dialect), .fields = fields, .unquoted = true};
    parse.limit = ty_immediate_int(ty_field(&values[STATE_LIMIT]));
    uint64_t record = atomic_fetch_add_explicit(&self->records, 1, memory_order_relaxed) + 1;
    do {
        Value line = ty_next(self->iterator);
        if (ty_load_relaxed(&self->records) != record && !ty_raised() && line != TY_NULL)
            return raise_error("iterator has already advanced the reader");
        if (line == TY_NULL) {
            if (ty_raised() || (parse.length == 0 && parse.state != IN_QUOTED))
                return TY_NULL;
            if (parse.dialect->strict)
                return raise_error("unexpected end of data");
            return save_field(&parse) ? fields : TY_NULL;
        }
        if (!ty_is_str(line))
            return raise_error("iterator should return strings, not %T (the file should be opened in text mode)", line);
        ty_store_relaxed(&self->line, ty_load_relaxed(&self->line) + 1);
        if (!parse_line(&parse, line))
            return TY_NULL;
    } while (parse.state != START_RECORD);
    return fields;
}

static Value iterator_self(Value v) { return v; }
static void reader_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Reader *)self)->iterator, 2); }

static const TyMemberDef reader_members[] = {
    {"dialect", TY_MEMBER_VALUE, false, offsetof(Reader, dialect), NULL},
    {"line_num", TY_MEMBER_INT64, false, offsetof(Reader, line), NULL},
    {0},
};

static TyType reader_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Reader), .trace = reader_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "_csv.reader",
    .doc = "CSV reader\n\nReader objects are responsible for reading and parsing tabular data\nin CSV format.",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = reader_next},
    .members = reader_members,
};

static Value make_reader(Value module, const Value *arguments, size_t count, Value keywords)
{
    if (count == 0)
        return ty_raise(&ty_TypeError, "reader expected at least 1 argument, got 0");
    Value iterator = ty_iter(arguments[0]), dialect = iterator == TY_NULL ? TY_NULL : dialect_from_call("reader", arguments, count, keywords);
    Reader *reader = dialect == TY_NULL ? NULL : (Reader *)ty_allocate(&reader_type, sizeof(Reader));
    if (!reader)
        return TY_NULL;
    ty_store(reader, &reader->iterator, iterator);
    ty_store(reader, &reader->dialect, dialect);
    return ty_from_object(reader);
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

typedef struct Writer {
    TyObject base;
    Value write, dialect;
} Writer;

/* Whether the character stands for itself nowhere but between quotes or behind an escape. */
static bool is_special(const Dialect *d, uint32_t c)
{
    return c == d->delimiter || c == d->escape || c == d->quote || c == '\n' || c == '\r' ||
           ty_str_find_char(d->line_terminator, c, 0, ty_str_length(d->line_terminator), 1) >= 0;
}

/* Adds a field (TY_NULL: None), quoted if it must be or `quoted` says so. */
static bool add_field(TyStrBuilder *record, const Dialect *d, Value field, bool quoted)
{
    int64_t length = field == TY_NULL ? 0 : ty_str_length(field), plain = 0;
    while (plain < length && !is_special(d, ty_str_at(field, plain)))
        plain++;
    if (length == 0 && d->delimiter == ' ' && d->skip_space) {
        if (d->quoting == QUOTE_NONE || (field == TY_NULL && (d->quoting == QUOTE_STRINGS || d->quoting == QUOTE_NOTNULL))) {
            raise_error("empty field must be quoted if delimiter is a space and skipinitialspace is true");
            return false;
        }
        quoted = true;
    }
    /* Whatever is special and not escaped asks for quotes. */
    for (int64_t i = plain; i < length && !quoted && d->quoting != QUOTE_NONE; i++) {
        uint32_t c = ty_str_at(field, i);
        quoted = is_special(d, c) && !(c == d->quote ? !d->double_quote : c == d->escape);
    }
    if (quoted && !ty_builder_add_char(record, d->quote))
        return false;
    if (plain > 0 && !(plain == length ? ty_builder_add(record, field) : ty_builder_add_slice(record, field, 0, plain)))
        return false;
    for (int64_t i = plain; i < length; i++) {
        uint32_t c = ty_str_at(field, i);
        bool escape = false;
        if (is_special(d, c)) {
            if (d->quoting == QUOTE_NONE)
                escape = true;
            else if (c == d->quote)
                escape = !d->double_quote;
            else
                escape = c == d->escape;
            if (escape && d->escape == NO_CHAR) {
                raise_error("need to escape, but no escapechar set");
                return false;
            }
            if (escape && !ty_builder_add_char(record, d->escape))
                return false;
            if (!escape && c == d->quote && !ty_builder_add_char(record, c))
                return false;
        }
        if (!ty_builder_add_char(record, c))
            return false;
    }
    return !quoted || ty_builder_add_char(record, d->quote);
}

static bool is_number(Value v)
{
    TySlots *slots = &ty_type_of(v)->slots;
    return slots->index || slots->to_int || slots->to_float || ty_is_complex(v);
}

static bool wants_quotes(const Dialect *d, Value field)
{
    switch (d->quoting) {
    case QUOTE_ALL: return true;
    case QUOTE_NONNUMERIC: return !is_number(field);
    case QUOTE_STRINGS: return ty_is_str(field);
    case QUOTE_NOTNULL: return field != TY_NONE;
    default: return false;
    }
}

static Value write_row(Writer *self, Value row)
{
    const Dialect *d = (Dialect *)ty_object(self->dialect);
    Value iterator = ty_iter(row), field;
    if (iterator == TY_NULL) {
        if (ty_raised_is(&ty_TypeError)) {
            ty_clear_exception();
            raise_error("iterable expected, not %T", row);
        }
        return TY_NULL;
    }
    TyStrBuilder record = {0};
    int64_t count = 0;
    bool last_is_none = false;
    while ((field = ty_next(iterator)) != TY_NULL) {
        bool quoted = wants_quotes(d, field);
        last_is_none = field == TY_NONE;
        Value text = last_is_none ? TY_NULL : ty_is_str(field) ? field : ty_str(field);
        if ((text == TY_NULL && !last_is_none) || (count++ > 0 && !ty_builder_add_char(&record, d->delimiter)) || !add_field(&record, d, text, quoted))
            return TY_NULL;
    }
    if (ty_raised())
        return TY_NULL;
    if (count > 0 && record.length == 0) { /* a single empty field would read as no record at all */
        if (d->quoting == QUOTE_NONE || (last_is_none && (d->quoting == QUOTE_STRINGS || d->quoting == QUOTE_NOTNULL)))
            return raise_error("single empty field record must be quoted");
        if (!add_field(&record, d, TY_NULL, true))
            return TY_NULL;
    }
    Value text = ty_builder_add(&record, d->line_terminator) ? ty_builder_finish(&record) : TY_NULL;
    return text == TY_NULL ? TY_NULL : ty_call_one(self->write, text);
}

static Value writer_writerow(Value v, Value *a) { return write_row((Writer *)ty_object(v), a[0]); }

static Value writer_writerows(Value v, Value *a)
{
    Value iterator = ty_iter(a[0]), row;
    if (iterator == TY_NULL)
        return TY_NULL;
    while ((row = ty_next(iterator)) != TY_NULL)
        if (write_row((Writer *)ty_object(v), row) == TY_NULL)
            return TY_NULL;
    return ty_raised() ? TY_NULL : TY_NONE;
}

static void writer_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Writer *)self)->write, 2); }

static const TyNativeDef writer_methods[] = {
    TY_METHOD("writerow(self, row, /)", writer_writerow, "Writes the fields of a row as one record."),
    TY_METHOD("writerows(self, rows, /)", writer_writerows, "Writes each of the rows as a record."),
    {0},
};

static const TyMemberDef writer_members[] = {{"dialect", TY_MEMBER_VALUE, false, offsetof(Writer, dialect), NULL}, {0}};

static TyType writer_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Writer), .trace = writer_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "_csv.writer",
    .doc = "CSV writer\n\nWriter objects are responsible for generating tabular data\nin CSV format from sequence input.",
    .parent = &ty_object_base_type,
    .methods = writer_methods,
    .members = writer_members,
};

static Value make_writer(Value module, const Value *arguments, size_t count, Value keywords)
{
    Value dialect = dialect_from_call("writer", arguments, count, keywords);
    if (dialect == TY_NULL)
        return TY_NULL;
    bool failed = false;
    Value write = ty_get_attribute_or_null(arguments[0], TY_NAME("write"), &failed);
    if (failed)
        return TY_NULL;
    if (write == TY_NULL || !ty_is_callable(write))
        return ty_raise(&ty_TypeError, "argument 1 must have a \"write\" method");
    Writer *writer = (Writer *)ty_allocate(&writer_type, sizeof(Writer));
    if (!writer)
        return TY_NULL;
    ty_store(writer, &writer->write, write);
    ty_store(writer, &writer->dialect, dialect);
    return ty_from_object(writer);
}

/* --- the module ----------------------------------------------------------------------------------------------------- */

static Value register_dialect(Value module, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_check_positional("register_dialect", count, 1, 2))
        return TY_NULL;
    if (!ty_is_str(arguments[0]))
        return ty_raise(&ty_TypeError, "dialect name must be a string");
    Value dialect = dialect_new(&dialect_type, arguments + 1, count - 1, keywords);
    return dialect != TY_NULL && ty_dict_set(ty_module_state(module)[STATE_DIALECTS], arguments[0], dialect) ? TY_NONE : TY_NULL;
}

static Value unregister_dialect(Value module, Value *a)
{
    int deleted = ty_dict_delete(ty_module_state(module)[STATE_DIALECTS], a[0]);
    return deleted < 0 ? TY_NULL : deleted ? TY_NONE : raise_error("unknown dialect");
}

static Value get_dialect(Value module, Value *a) { return registered(a[0]); }
static Value list_dialects(Value module, Value *a) { return ty_dict_keys(ty_module_state(module)[STATE_DIALECTS]); }

static Value field_size_limit(Value module, Value *a)
{
    Value *place = &ty_module_state(module)[STATE_LIMIT], old = ty_field(place);
    int64_t limit;
    if (a[0] == TY_NULL)
        return old;
    if (!ty_is_exact_int(a[0]))
        return ty_raise(&ty_TypeError, "limit must be an integer");
    if (!ty_to_int64(a[0], &limit))
        return TY_NULL;
    ty_store(ty_object(module), place, ty_from_immediate_int(limit > TY_INT_IMMEDIATE_MAX ? TY_INT_IMMEDIATE_MAX : limit < 0 ? -1 : limit));
    return old;
}

static const TyNativeDef functions[] = {
    TY_RAW_FUNCTION("reader(iterable, /, dialect='excel', **fmtparams)", make_reader, "An iterator over the records in the lines of an iterable."),
    TY_RAW_FUNCTION("writer(fileobj, /, dialect='excel', **fmtparams)", make_writer, "An object that writes records to a file."),
    TY_RAW_FUNCTION("register_dialect(name, /, dialect='excel', **fmtparams)", register_dialect, "Gives a dialect a name."),
    TY_FUNCTION("unregister_dialect(name)", unregister_dialect, "Forgets the dialect of that name."),
    TY_FUNCTION("get_dialect(name)", get_dialect, "The dialect of that name."),
    TY_FUNCTION("list_dialects()", list_dialects, "The names of all dialects."),
    TY_FUNCTION("field_size_limit(new_limit=0)", field_size_limit, "The greatest length of a field; sets a new one if it is given."),
    {0},
};

static bool execute(Value module)
{
    Value *values = ty_module_state(module);
    Value dialects = ty_dict_new(), error = ty_type_from_name("_csv.Error", &ty_Exception, TY_NULL);
    if (dialects == TY_NULL || error == TY_NULL)
        return false;
    ty_store(ty_object(module), &values[STATE_DIALECTS], dialects);
    ty_store(ty_object(module), &values[STATE_ERROR], error);
    ty_store(ty_object(module), &values[STATE_LIMIT], ty_from_immediate_int(128 * 1024));
    static const char *const quoting_names[] = {"QUOTE_MINIMAL", "QUOTE_ALL", "QUOTE_NONNUMERIC", "QUOTE_NONE", "QUOTE_STRINGS", "QUOTE_NOTNULL"};
    for (int i = 0; i < QUOTE_COUNT; i++)
        if (!ty_module_add_int(module, quoting_names[i], i))
            return false;
    return ty_module_add(module, "Error", error) && ty_module_add(module, "_dialects", dialects) && ty_type_ready(&reader_type) && ty_type_ready(&writer_type) &&
           ty_module_add(module, "Reader", ty_from_object(&reader_type)) && ty_module_add(module, "Writer", ty_from_object(&writer_type));
}

static TyType *const types[] = {&dialect_type, NULL};

const TyModuleDef ty_module_csv = {
    .name = "_csv",
    .doc = "CSV parsing and writing.",
    .functions = functions,
    .types = types,
    .execute = execute,
    .state_count = STATE_COUNT,
};
