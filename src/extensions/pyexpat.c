/* pyexpat: XML parsing by expat.
 *
 * A parser calls the handlers set as its attributes while XML_Parse runs. A handler that raises ends that: no handler is called any
 * more (they are all removed, so a parser that is used again is silent) and Parse fails with the exception when expat comes back.
 * A parser belongs to one thread at a time; the thread inside may use it again from a handler. */
#define XML_DTD 1 /* every distribution builds it in; the header must be told */
#include <expat.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/futex.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/codec.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

enum { STATE_ERROR, STATE_COUNT };
enum { CHUNK = 1 << 20, READ_SIZE = 2048, TEXT_SIZE = 8192, TEXT_SIZE_MAX = INT32_MAX };

/* Every handler, in the order of its number; the functions that expat calls are below. */
#define HANDLERS(X)                                                                                            \
    X(StartElementHandler) X(EndElementHandler) X(ProcessingInstructionHandler) X(CharacterDataHandler)        \
    X(UnparsedEntityDeclHandler) X(NotationDeclHandler) X(StartNamespaceDeclHandler) X(EndNamespaceDeclHandler) \
    X(CommentHandler) X(StartCdataSectionHandler) X(EndCdataSectionHandler) X(DefaultHandler) X(DefaultHandlerExpand)           \
    X(NotStandaloneHandler) X(ExternalEntityRefHandler) X(StartDoctypeDeclHandler) X(EndDoctypeDeclHandler)    \
    X(EntityDeclHandler) X(XmlDeclHandler) X(ElementDeclHandler) X(AttlistDeclHandler) X(SkippedEntityHandler)

typedef enum {
#define HANDLER_NUMBER(name) name,
    HANDLERS(HANDLER_NUMBER)
#undef HANDLER_NUMBER
    HANDLER_COUNT
} Handler;

typedef struct {
    TyObject base;
    XML_Parser expat;
    TyMutex mutex;
    _Atomic(TyThread *) owner; /* the thread inside, and how often */
    int depth;
    bool ordered_attributes, specified_attributes, namespace_prefixes;
    bool buffering;            /* of character data: into `text` */
    char *text;
    int32_t text_size, text_used;
    Value intern;              /* dict of names, or TY_NULL */
    Value parent;              /* of a parser of an external entity: expat shares what is the parent's */
    Value handlers[HANDLER_COUNT]; /* TY_NULL: none */
} Parser;

static TyType parser_type;

static Parser *parser_of(Value self) { return (Parser *)ty_object(self); }

static void parser_trace(TyObject *self, TyMarker *marker)
{
    Parser *p = (Parser *)self;
    ty_mark(marker, p->intern);
    ty_mark(marker, p->parent);
    ty_mark_range(marker, p->handlers, HANDLER_COUNT);
}

static void parser_destroy(TyObject *self)
{
    Parser *p = (Parser *)self;
    free(p->text);
    if (p->expat)
        XML_ParserFree(p->expat);
}

static void enter(Parser *p)
{
    if (ty_load_relaxed(&p->owner) != ty_thread) {
        ty_mutex_lock_blocking(&p->mutex);
        ty_store_relaxed(&p->owner, ty_thread);
    }
    p->depth++;
}

static Value leave(Parser *p, Value result)
{
    if (--p->depth == 0) {
        ty_store_relaxed(&p->owner, NULL);
        ty_mutex_unlock(&p->mutex);
    }
    return result;
}

/* --- errors ------------------------------------------------------------------------------------------------------------- */

static Value raise_message(Parser *p, enum XML_Error code, const char *text)
{
    Value module = ty_module_current("pyexpat");
    if (module == TY_NULL)
        return TY_NULL;
    long line = (long)XML_GetErrorLineNumber(p->expat), column = (long)XML_GetErrorColumnNumber(p->expat);
    Value message = ty_str_format("%s: line %ld, column %ld", text, line, column);
    Value error = message == TY_NULL ? TY_NULL : ty_call_one(ty_module_state(module)[STATE_ERROR], message);
    if (error == TY_NULL || !ty_set_attribute(error, TY_NAME("code"), ty_from_immediate_int(code)) ||
        !ty_set_attribute(error, TY_NAME("offset"), ty_from_immediate_int(column)) ||
        !ty_set_attribute(error, TY_NAME("lineno"), ty_from_immediate_int(line)))
        return TY_NULL;
    return ty_raise_object(error);
}

static Value raise_expat(Parser *p, enum XML_Error code) { return raise_message(p, code, XML_ErrorString(code)); }

static void stop(Parser *p);

/* --- calling handlers --------------------------------------------------------------------------------------------------- */

static Value text_of(const XML_Char *text) { return text ? ty_str_from_utf8(text, strlen(text)) : TY_NONE; }

/* A name that comes up often: the same object each time, by the parser's dict. */
static Value name_of(Parser *p, const XML_Char *text)
{
    Value name = text_of(text);
    Value intern = ty_field(&p->intern);
    if (!text || name == TY_NULL || intern == TY_NULL)
        return name;
    return ty_dict_set_default(intern, name, name);
}

/* Calls a handler; any TY_NULL among the arguments is an error passed on. TY_NULL if it failed: no handler is called after that. */
static Value call(Parser *p, Handler handler, const Value *arguments, size_t count)
{
    Value function = ty_field(&p->handlers[handler]);
    Value result = function == TY_NULL ? TY_NONE : TY_NULL;
    bool good = true;
    for (size_t i = 0; i < count; i++)
        good = good && arguments[i] != TY_NULL;
    if (function != TY_NULL && good)
        result = ty_call(function, arguments, count, TY_NULL);
    if (result == TY_NULL)
        stop(p);
    return result;
}
#define CALL(p, handler, ...) call(p, handler, (Value[]){__VA_ARGS__}, sizeof((Value[]){__VA_ARGS__}) / sizeof(Value))

static bool give_text(Parser *p, const XML_Char *text, int length)
{
    return CALL(p, CharacterDataHandler, ty_str_from_utf8(text, (size_t)length)) != TY_NULL;
}

/* Hands over the character data collected so far. */
static bool flush(Parser *p)
{
    int32_t used = p->text_used;
    p->text_used = 0;
    return !p->buffering || used == 0 || give_text(p, p->text, used);
}

/* Whether a handler is to be called: it is set, nothing failed, and the text before it has been handed over. */
static bool ready(Parser *p, Handler handler)
{
    return p->handlers[handler] != TY_NULL && !ty_raised() && flush(p);
}

static Value attributes_of(Parser *p, const XML_Char **attributes)
{
    int count = 0;
    if (p->specified_attributes)
        count = XML_GetSpecifiedAttributeCount(p->expat);
    else
        while (attributes[count])
            count += 2;
    Value container = p->ordered_attributes ? ty_list_new(count) : ty_dict_new();
    for (int i = 0; container != TY_NULL && i < count; i += 2) {
        Value name = name_of(p, attributes[i]), value = name == TY_NULL ? TY_NULL : text_of(attributes[i + 1]);
        bool good = value != TY_NULL && (p->ordered_attributes ? ty_list_append(container, name) && ty_list_append(container, value)
                                                               : ty_dict_set(container, name, value));
        if (!good)
            return TY_NULL;
    }
    return container;
}

static void XMLCALL on_start_element(void *user, const XML_Char *name, const XML_Char **attributes)
{
    Parser *p = user;
    if (ready(p, StartElementHandler))
        CALL(p, StartElementHandler, name_of(p, name), attributes_of(p, attributes));
}

static void XMLCALL on_end_element(void *user, const XML_Char *name)
{
    Parser *p = user;
    if (ready(p, EndElementHandler))
        CALL(p, EndElementHandler, name_of(p, name));
}

static void XMLCALL on_character_data(void *user, const XML_Char *text, int length)
{
    Parser *p = user;
    if (p->handlers[CharacterDataHandler] == TY_NULL || ty_raised())
        return;
    if (!p->buffering) {
        give_text(p, text, length);
        return;
    }
    if (p->text_used + length > p->text_size && !flush(p))
        return;
    if (p->handlers[CharacterDataHandler] == TY_NULL) /* that may have been its last call */
        return;
    if (length > p->text_size) {
        give_text(p, text, length);
        return;
    }
    memcpy(p->text + p->text_used, text, (size_t)length);
    p->text_used += length;
}

/* The handlers whose arguments are simply converted: name, what expat passes, what goes to Python. */
#define SIMPLE_HANDLER(handler, function, parameters, ...)                                                     \
    static void XMLCALL function parameters                                                                    \
    {                                                                                                          \
        Parser *p = user;                                                                                      \
        if (ready(p, handler))                                                                                 \
            CALL(p, handler, __VA_ARGS__);                                                                     \
    }
#define NAME(text) name_of(p, text)
#define INT(value) ty_from_immediate_int(value)
typedef const XML_Char *Text;

SIMPLE_HANDLER(ProcessingInstructionHandler, on_processing_instruction, (void *user, Text target, Text data), NAME(target), text_of(data))
SIMPLE_HANDLER(UnparsedEntityDeclHandler, on_unparsed_entity_decl,
               (void *user, Text name, Text base, Text system_id, Text public_id, Text notation), NAME(name), NAME(base), NAME(system_id),
               NAME(public_id), NAME(notation))
SIMPLE_HANDLER(NotationDeclHandler, on_notation_decl, (void *user, Text name, Text base, Text system_id, Text public_id), NAME(name),
               NAME(base), NAME(system_id), NAME(public_id))
SIMPLE_HANDLER(StartNamespaceDeclHandler, on_start_namespace, (void *user, Text prefix, Text uri), NAME(prefix), NAME(uri))
SIMPLE_HANDLER(EndNamespaceDeclHandler, on_end_namespace, (void *user, Text prefix), NAME(prefix))
SIMPLE_HANDLER(CommentHandler, on_comment, (void *user, Text data), text_of(data))
SIMPLE_HANDLER(DefaultHandler, on_default, (void *user, Text text, int length), ty_str_from_utf8(text, (size_t)length))
SIMPLE_HANDLER(DefaultHandlerExpand, on_default_expand, (void *user, Text text, int length), ty_str_from_utf8(text, (size_t)length))
SIMPLE_HANDLER(StartDoctypeDeclHandler, on_start_doctype, (void *user, Text name, Text system_id, Text public_id, int internal), NAME(name),
               NAME(system_id), NAME(public_id), INT(internal))
SIMPLE_HANDLER(XmlDeclHandler, on_xml_decl, (void *user, Text version, Text encoding, int standalone), text_of(version), text_of(encoding),
               INT(standalone))
SIMPLE_HANDLER(AttlistDeclHandler, on_attlist_decl, (void *user, Text element, Text name, Text type, Text value, int required),
               NAME(element), NAME(name), text_of(type), text_of(value), INT(required))
SIMPLE_HANDLER(SkippedEntityHandler, on_skipped_entity, (void *user, Text name, int parameter), NAME(name), INT(parameter))
SIMPLE_HANDLER(EntityDeclHandler, on_entity_decl,
               (void *user, Text name, int parameter, Text value, int length, Text base, Text system_id, Text public_id, Text notation),
               NAME(name), INT(parameter), value ? ty_str_from_utf8(value, (size_t)length) : TY_NONE, NAME(base), NAME(system_id),
               NAME(public_id), NAME(notation))

#define EMPTY_HANDLER(handler, function)                                                                       \
    static void XMLCALL function(void *user)                                                                   \
    {                                                                                                          \
        Parser *p = user;                                                                                      \
        if (ready(p, handler))                                                                                 \
            call(p, handler, ty_no_arguments, 0);                                                                         \
    }

EMPTY_HANDLER(StartCdataSectionHandler, on_start_cdata)
EMPTY_HANDLER(EndCdataSectionHandler, on_end_cdata)
EMPTY_HANDLER(EndDoctypeDeclHandler, on_end_doctype)

/* (type, quantifier, name, children) */
static Value model_of(Parser *p, const XML_Content *model)
{
    if (ty_c_stack_low())
        return ty_raise_recursion_error(" in conv_content_model");
    Value children = ty_tuple_new(model->numchildren);
    for (unsigned i = 0; children != TY_NULL && i < model->numchildren; i++) {
        Value child = model_of(p, &model->children[i]);
        if (child == TY_NULL)
            return TY_NULL;
        ty_tuple_set(children, i, child);
    }
    return ty_tuple_pack(4, INT(model->type), INT(model->quant), name_of(p, model->name), children);
}

static void XMLCALL on_element_decl(void *user, const XML_Char *name, XML_Content *model)
{
    Parser *p = user;
    if (ready(p, ElementDeclHandler))
        CALL(p, ElementDeclHandler, NAME(name), model_of(p, model));
    XML_FreeContentModel(p->expat, model);
}

/* Of a handler that answers: an int, 0 if it failed. */
static int answer(Parser *p, Value result)
{
    int64_t value;
    if (result == TY_NULL)
        return 0;
    if (ty_to_int64(result, &value))
        return value != 0;
    stop(p);
    return 0;
}

static int XMLCALL on_not_standalone(void *user)
{
    Parser *p = user;
    return ready(p, NotStandaloneHandler) ? answer(p, call(p, NotStandaloneHandler, ty_no_arguments, 0)) : 1;
}

static int XMLCALL on_external_entity_ref(XML_Parser expat, Text context, Text base, Text system_id, Text public_id)
{
    Parser *p = XML_GetUserData(expat);
    if (ty_raised())
        return 0;
    if (!ready(p, ExternalEntityRefHandler))
        return !ty_raised();
    return answer(p, CALL(p, ExternalEntityRefHandler, text_of(context), NAME(base), NAME(system_id), NAME(public_id)));
}

/* Any encoding of one byte a character that Python knows. */
static int XMLCALL on_unknown_encoding(void *user, const XML_Char *name, XML_Encoding *info)
{
    uint8_t bytes[256];
    if (ty_raised())
        return XML_STATUS_ERROR;
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    Value data = ty_bytes_new(bytes, sizeof bytes);
    Value text = data == TY_NULL ? TY_NULL : ty_codec_decode_bytes(data, text_of(name), TY_NAME("replace"));
    if (text == TY_NULL)
        return XML_STATUS_ERROR;
    if (ty_str_length(text) != 256) {
        ty_raise(&ty_ValueError, "multi-byte encodings are not supported");
        return XML_STATUS_ERROR;
    }
    for (int i = 0; i < 256; i++) {
        uint32_t c = ty_str_at(text, i);
        info->map[i] = c == 0xFFFD ? -1 : (int)c;
    }
    info->data = NULL;
    info->convert = NULL;
    info->release = NULL;
    return XML_STATUS_OK;
}

/* --- setting handlers ----------------------------------------------------------------------------------------------------- */

/* Tells expat of a handler, or that there is none. */
static void install(Parser *p, Handler handler, bool on)
{
    XML_Parser x = p->expat;
    switch (handler) {
    case StartElementHandler: XML_SetStartElementHandler(x, on ? on_start_element : NULL); break;
    case EndElementHandler: XML_SetEndElementHandler(x, on ? on_end_element : NULL); break;
    case ProcessingInstructionHandler: XML_SetProcessingInstructionHandler(x, on ? on_processing_instruction : NULL); break;
    case CharacterDataHandler: XML_SetCharacterDataHandler(x, on ? on_character_data : NULL); break;
    case UnparsedEntityDeclHandler: XML_SetUnparsedEntityDeclHandler(x, on ? on_unparsed_entity_decl : NULL); break;
    case NotationDeclHandler: XML_SetNotationDeclHandler(x, on ? on_notation_decl : NULL); break;
    case StartNamespaceDeclHandler: XML_SetStartNamespaceDeclHandler(x, on ? on_start_namespace : NULL); break;
    case EndNamespaceDeclHandler: XML_SetEndNamespaceDeclHandler(x, on ? on_end_namespace : NULL); break;
    case CommentHandler: XML_SetCommentHandler(x, on ? on_comment : NULL); break;
    case StartCdataSectionHandler: XML_SetStartCdataSectionHandler(x, on ? on_start_cdata : NULL); break;
    case EndCdataSectionHandler: XML_SetEndCdataSectionHandler(x, on ? on_end_cdata : NULL); break;
    case DefaultHandler: XML_SetDefaultHandler(x, on ? on_default : NULL); break;
    case DefaultHandlerExpand: XML_SetDefaultHandlerExpand(x, on ? on_default_expand : NULL); break;
    case NotStandaloneHandler: XML_SetNotStandaloneHandler(x, on ? on_not_standalone : NULL); break;
    case ExternalEntityRefHandler: XML_SetExternalEntityRefHandler(x, on ? on_external_entity_ref : NULL); break;
    case StartDoctypeDeclHandler: XML_SetStartDoctypeDeclHandler(x, on ? on_start_doctype : NULL); break;
    case EndDoctypeDeclHandler: XML_SetEndDoctypeDeclHandler(x, on ? on_end_doctype : NULL); break;
    case EntityDeclHandler: XML_SetEntityDeclHandler(x, on ? on_entity_decl : NULL); break;
    case XmlDeclHandler: XML_SetXmlDeclHandler(x, on ? on_xml_decl : NULL); break;
    case ElementDeclHandler: XML_SetElementDeclHandler(x, on ? on_element_decl : NULL); break;
    case AttlistDeclHandler: XML_SetAttlistDeclHandler(x, on ? on_attlist_decl : NULL); break;
    case SkippedEntityHandler: XML_SetSkippedEntityHandler(x, on ? on_skipped_entity : NULL); break;
    case HANDLER_COUNT: break;
    }
}

/* After a failure. External entities must not be skipped in silence: their handler stays, and fails. */
static void stop(Parser *p)
{
    for (int i = 0; i < HANDLER_COUNT; i++) {
        ty_store(p, &p->handlers[i], TY_NULL);
        install(p, (Handler)i, false);
    }
    XML_SetExternalEntityRefHandler(p->expat, on_external_entity_ref);
    XML_StopParser(p->expat, XML_FALSE);
}

static Value get_handler(Value self, Handler handler)
{
    Value function = ty_field(&parser_of(self)->handlers[handler]);
    return function == TY_NULL ? TY_NONE : function;
}

static bool set_handler(Value self, Handler handler, Value function)
{
    Parser *p = parser_of(self);
    if (function == TY_NULL) {
        ty_raise(&ty_RuntimeError, "Cannot delete attribute");
        return false;
    }
    enter(p);
    bool good = handler != CharacterDataHandler || flush(p);
    if (good) {
        bool on = function != TY_NONE;
        ty_store(p, &p->handlers[handler], on ? function : TY_NULL);
        /* Inside its own call the handler for character data stays installed: expat may be in the middle of a text. */
        if (on || handler != CharacterDataHandler || p->depth == 1)
            install(p, handler, on);
    }
    leave(p, TY_NULL);
    return good;
}

#define HANDLER_ACCESS(name)                                                                                   \
    static Value get_##name(Value self) { return get_handler(self, name); }                                    \
    static bool set_##name(Value self, Value function) { return set_handler(self, name, function); }
HANDLERS(HANDLER_ACCESS)

/* --- parsing --------------------------------------------------------------------------------------------------------------- */

/* What a status of expat comes to: 1 as an int, or an exception. */
static Value finish(Parser *p, enum XML_Status status)
{
    if (ty_raised())
        return TY_NULL;
    if (status == XML_STATUS_ERROR)
        return raise_expat(p, XML_GetErrorCode(p->expat));
    if (!flush(p))
        return TY_NULL;
    return ty_from_immediate_int((int)status);
}

static Value parse(Parser *p, const char *data, int64_t size, bool final)
{
    enum XML_Status status = XML_STATUS_OK;
    while (size > CHUNK && status == XML_STATUS_OK && !ty_raised()) {
        status = XML_Parse(p->expat, data, CHUNK, false);
        data += CHUNK;
        size -= CHUNK;
    }
    if (status == XML_STATUS_OK && !ty_raised())
        status = XML_Parse(p->expat, data, (int)size, final);
    return finish(p, status);
}

static Value parser_parse(Value self, Value *a)
{
    Parser *p = parser_of(self);
    int final = a[1] == TY_NULL ? 0 : ty_is_true(a[1]);
    if (final < 0)
        return TY_NULL;
    if (ty_is_str(a[0])) {
        size_t size;
        Value holder = TY_NULL;
        const char *text = ty_str_utf8(a[0], &size, &holder);
        if (!text)
            return TY_NULL;
        enter(p);
        XML_SetEncoding(p->expat, "utf-8");
        return leave(p, parse(p, text, (int64_t)size, final));
    }
    TyBuffer view;
    if (!ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    enter(p);
    Value result = parse(p, (const char *)view.data, view.length, final);
    ty_buffer_release(&view);
    return leave(p, result);
}

/* Reads into expat's own buffer: the number of bytes, -1 with an exception. */
static int64_t read_into(Parser *p, Value read)
{
    Value data = ty_call_one(read, ty_from_immediate_int(READ_SIZE));
    if (data == TY_NULL)
        return -1;
    TyBuffer view;
    bool viewed = ty_is_bytes(data) || ty_is_instance_of(data, &ty_bytearray_type);
    if (!viewed) {
        ty_raise(&ty_TypeError, "read() did not return a bytes object (type=%T)", data);
        return -1;
    }
    if (!ty_buffer_get(data, &view, TY_BUFFER_SIMPLE))
        return -1;
    int64_t size = view.length;
    void *buffer = size <= READ_SIZE ? XML_GetBuffer(p->expat, READ_SIZE) : NULL;
    if (buffer && size)
        memcpy(buffer, view.data, (size_t)size);
    ty_buffer_release(&view);
    if (size > READ_SIZE)
        ty_raise(&ty_ValueError, "read() returned too much data: %d bytes requested, %lld returned", READ_SIZE, (long long)size);
    else if (!buffer)
        raise_expat(p, XML_GetErrorCode(p->expat));
    return buffer ? size : -1;
}

static Value parser_parse_file(Value self, Value *a)
{
    Parser *p = parser_of(self);
    Value read = ty_get_attribute(a[0], TY_NAME("read"));
    if (read == TY_NULL)
        return TY_NULL;
    enter(p);
    enum XML_Status status = XML_STATUS_OK;
    int64_t size = 1;
    while (size > 0 && status == XML_STATUS_OK && !ty_raised()) {
        size = read_into(p, read);
        if (size >= 0)
            status = XML_ParseBuffer(p->expat, (int)size, size == 0);
    }
    return leave(p, finish(p, status));
}

static Value parser_set_base(Value self, Value *a)
{
    size_t size;
    Value holder = TY_NULL;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "SetBase() argument must be str, not %T", a[0]);
    const char *base = ty_str_utf8(a[0], &size, &holder);
    if (!base)
        return TY_NULL;
    return XML_SetBase(parser_of(self)->expat, base) ? TY_NONE : ty_raise_memory_error();
}

static Value parser_get_base(Value self, Value *a) { return text_of(XML_GetBase(parser_of(self)->expat)); }

static Value parser_get_input_context(Value self, Value *a)
{
    Parser *p = parser_of(self);
    int offset, size;
    const char *context = ty_load_relaxed(&p->owner) == ty_thread ? XML_GetInputContext(p->expat, &offset, &size) : NULL;
    return context ? ty_bytes_new(context + offset, (size_t)(size - offset)) : TY_NONE;
}

static Parser *parser_new(void)
{
    Parser *p = ty_allocate(&parser_type, sizeof(Parser));
    if (p)
        p->text_size = TEXT_SIZE;
    return p;
}

static void set_up(Parser *p)
{
    XML_SetUserData(p->expat, p);
    XML_SetUnknownEncodingHandler(p->expat, on_unknown_encoding, p);
    for (int i = 0; i < HANDLER_COUNT; i++)
        if (p->handlers[i] != TY_NULL)
            install(p, (Handler)i, true);
}

static bool text_room(Parser *p)
{
    p->text = malloc((size_t)p->text_size);
    if (!p->text)
        ty_raise_memory_error();
    return p->text != NULL;
}

/* NULL for None and for what was not given; false with an exception. */
static bool to_text(Value v, const char *what, const char **text, Value *holder)
{
    size_t size;
    *text = NULL;
    if (v == TY_NULL || v == TY_NONE)
        return true;
    if (!ty_is_str(v)) {
        ty_raise(&ty_TypeError, "%s must be str or None, not %T", what, v);
        return false;
    }
    *text = ty_str_utf8(v, &size, holder);
    if (*text && strlen(*text) != size) {
        ty_raise(&ty_ValueError, "embedded null character");
        return false;
    }
    return *text != NULL;
}

static Value parser_external_entity(Value self, Value *a)
{
    Parser *p = parser_of(self);
    const char *context, *encoding;
    Value context_holder = TY_NULL, encoding_holder = TY_NULL;
    if (!to_text(a[0], "ExternalEntityParserCreate() argument 1", &context, &context_holder) ||
        !to_text(a[1], "ExternalEntityParserCreate() argument 2", &encoding, &encoding_holder))
        return TY_NULL;
    Parser *child = parser_new();
    if (!child)
        return TY_NULL;
    enter(p);
    child->buffering = p->buffering;
    child->text_size = p->text_size;
    child->ordered_attributes = p->ordered_attributes;
    child->specified_attributes = p->specified_attributes;
    child->namespace_prefixes = p->namespace_prefixes;
    ty_store(child, &child->parent, self);
    ty_store(child, &child->intern, ty_field(&p->intern));
    for (int i = 0; i < HANDLER_COUNT; i++)
        ty_store(child, &child->handlers[i], ty_field(&p->handlers[i]));
    child->expat = XML_ExternalEntityParserCreate(p->expat, context, encoding);
    leave(p, TY_NULL);
    if (!child->expat)
        return ty_raise_memory_error();
    if (child->buffering && !text_room(child))
        return TY_NULL;
    set_up(child);
    return ty_from_object(child);
}

static Value parser_set_param_entity_parsing(Value self, Value *a)
{
    int32_t flag;
    if (!ty_to_int32(a[0], &flag))
        return TY_NULL;
    return ty_from_immediate_int(XML_SetParamEntityParsing(parser_of(self)->expat, (enum XML_ParamEntityParsing)flag));
}

static Value parser_use_foreign_dtd(Value self, Value *a)
{
    Parser *p = parser_of(self);
    int flag = a[0] == TY_NULL ? 1 : ty_is_true(a[0]);
    if (flag < 0)
        return TY_NULL;
    enum XML_Error code = XML_UseForeignDTD(p->expat, flag ? XML_TRUE : XML_FALSE);
    return code == XML_ERROR_NONE ? TY_NONE : raise_expat(p, code);
}

static Value parser_set_reparse_deferral(Value self, Value *a)
{
    int enabled = ty_is_true(a[0]);
    if (enabled < 0)
        return TY_NULL;
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 6
    XML_SetReparseDeferralEnabled(parser_of(self)->expat, enabled ? XML_TRUE : XML_FALSE);
    (enabled ? ty_object_set_bits : ty_object_clear_bits)(ty_object(self), TY_BIT_KIND0);
#endif
    return TY_NONE;
}

static Value parser_get_reparse_deferral(Value self, Value *a)
{
    return ty_from_bool(ty_object_bits(ty_object(self)) & TY_BIT_KIND0); /* older libraries defer nothing */
}

static Value parser_set_activation(Value self, Value *a)
{
    uint64_t threshold;
    Value index = ty_number_index(a[0]);
    if (index == TY_NULL)
        return TY_NULL;
    if (ty_int_sign(index) < 0)
        return ty_raise(&ty_ValueError, "Cannot convert negative int");
    if (ty_int_bit_length(index) > 64)
        return ty_raise(&ty_OverflowError, "Python int too large for C unsigned long long");
    if (!ty_to_uint64_mask(index, &threshold))
        return TY_NULL;
    if (XML_SetBillionLaughsAttackProtectionActivationThreshold(parser_of(self)->expat, threshold))
        return TY_NONE;
    return raise_message(parser_of(self), XML_ERROR_INVALID_ARGUMENT, "parser must be a root parser");
}

static Value parser_set_amplification(Value self, Value *a)
{
    double factor;
    if (!ty_to_double(a[0], &factor))
        return TY_NULL;
    if (XML_SetBillionLaughsAttackProtectionMaximumAmplification(parser_of(self)->expat, (float)factor))
        return TY_NONE;
    return raise_message(parser_of(self), XML_ERROR_INVALID_ARGUMENT,
                         parser_of(self)->parent == TY_NULL ? "'max_factor' must be at least 1.0" : "parser must be a root parser");
}

static const TyNativeDef parser_methods[] = {
    TY_METHOD("Parse(self, data, isfinal=False, /)", parser_parse, "Parses some of the document; isfinal is true with the last of it."),
    TY_METHOD("ParseFile(self, file, /)", parser_parse_file, "Parses what the file's read() gives, to its end."),
    TY_METHOD("SetBase(self, base, /)", parser_set_base, "Sets the base URL that handlers are given."),
    TY_METHOD("GetBase(self, /)", parser_get_base, "The base URL."),
    TY_METHOD("GetInputContext(self, /)", parser_get_input_context, "Inside a handler: the bytes from the current event on; else None."),
    TY_METHOD("ExternalEntityParserCreate(self, context, encoding=<unrepresentable>, /)", parser_external_entity,
              "A parser for an external entity, with the context that the handler was given."),
    TY_METHOD("SetParamEntityParsing(self, flag, /)", parser_set_param_entity_parsing,
              "Whether external parameter entities are parsed: one of the XML_PARAM_ENTITY_PARSING constants. 1 if that could be set."),
    TY_METHOD("UseForeignDTD(self, flag=True, /)", parser_use_foreign_dtd,
              "Asks the handler of external entities for a document type even where the document names none."),
    TY_METHOD("SetReparseDeferralEnabled(self, enabled, /)", parser_set_reparse_deferral, "Whether incomplete tokens wait for more data."),
    TY_METHOD("GetReparseDeferralEnabled(self, /)", parser_get_reparse_deferral, "Whether incomplete tokens wait for more data."),
    TY_METHOD("SetBillionLaughsAttackProtectionActivationThreshold(self, threshold, /)", parser_set_activation,
              "From how many bytes of output on the amplification by entities is bounded."),
    TY_METHOD("SetBillionLaughsAttackProtectionMaximumAmplification(self, max_factor, /)", parser_set_amplification,
              "How much larger than its input entities may make the output."),
    {0},
};

/* --- attributes --------------------------------------------------------------------------------------------------------------- */

#define NUMBER(name, expression)                                                                               \
    static Value get_##name(Value self)                                                                        \
    {                                                                                                          \
        XML_Parser x = parser_of(self)->expat;                                                                 \
        return ty_int_from_int64((int64_t)(expression));                                                       \
    }
NUMBER(ErrorCode, XML_GetErrorCode(x))
NUMBER(ErrorLineNumber, XML_GetErrorLineNumber(x))
NUMBER(ErrorColumnNumber, XML_GetErrorColumnNumber(x))
NUMBER(ErrorByteIndex, XML_GetErrorByteIndex(x))
NUMBER(CurrentLineNumber, XML_GetCurrentLineNumber(x))
NUMBER(CurrentColumnNumber, XML_GetCurrentColumnNumber(x))
NUMBER(CurrentByteIndex, XML_GetCurrentByteIndex(x))

static bool to_flag(Value value, bool *out)
{
    if (value == TY_NULL) {
        ty_raise(&ty_RuntimeError, "Cannot delete attribute");
        return false;
    }
    int truth = ty_is_true(value);
    if (truth >= 0)
        *out = truth;
    return truth >= 0;
}

#define FLAG(name)                                                                                             \
    static Value get_##name(Value self) { return ty_from_bool(parser_of(self)->name); }                        \
    static bool set_##name(Value self, Value value) { return to_flag(value, &parser_of(self)->name); }
FLAG(ordered_attributes)
FLAG(specified_attributes)

static Value get_namespace_prefixes(Value self) { return ty_from_bool(parser_of(self)->namespace_prefixes); }

static bool set_namespace_prefixes(Value self, Value value)
{
    Parser *p = parser_of(self);
    if (!to_flag(value, &p->namespace_prefixes))
        return false;
    XML_SetReturnNSTriplet(p->expat, p->namespace_prefixes);
    return true;
}

static Value get_buffer_text(Value self) { return ty_from_bool(parser_of(self)->buffering); }

static bool set_buffer_text(Value self, Value value)
{
    Parser *p = parser_of(self);
    bool on;
    if (!to_flag(value, &on))
        return false;
    enter(p);
    bool good = on ? p->text || text_room(p) : flush(p);
    if (good)
        p->buffering = on;
    leave(p, TY_NULL);
    return good;
}

static Value get_buffer_size(Value self) { return ty_from_immediate_int(parser_of(self)->text_size); }
static Value get_buffer_used(Value self) { return ty_from_immediate_int(parser_of(self)->text_used); }

static bool set_buffer_size(Value self, Value value)
{
    Parser *p = parser_of(self);
    int64_t size;
    if (value == TY_NULL) {
        ty_raise(&ty_RuntimeError, "Cannot delete attribute");
        return false;
    }
    if (!ty_is_int(value)) {
        ty_raise(&ty_TypeError, "buffer_size must be an integer");
        return false;
    }
    if (!ty_to_int64(value, &size))
        return false;
    if (size <= 0) {
        ty_raise(&ty_ValueError, "buffer_size must be greater than zero");
        return false;
    }
    if (size > TEXT_SIZE_MAX) {
        ty_raise(&ty_ValueError, "buffer_size must not be greater than %i", TEXT_SIZE_MAX);
        return false;
    }
    enter(p);
    bool good = size == p->text_size || flush(p);
    if (good && size != p->text_size) {
        char *text = p->buffering ? realloc(p->text, (size_t)size) : NULL;
        good = text || !p->buffering;
        if (!good)
            ty_raise_memory_error();
        if (good && !p->buffering)
            free(p->text);
        if (good) {
            p->text = text;
            p->text_size = (int32_t)size;
        }
    }
    leave(p, TY_NULL);
    return good;
}

static const TyGetSetDef parser_getsets[] = {
#define HANDLER_GETSET(name) {#name, get_##name, set_##name, NULL},
    HANDLERS(HANDLER_GETSET)
#define READ_ONLY(name) {#name, get_##name, NULL, NULL}
#define READ_WRITE(name) {#name, get_##name, set_##name, NULL}
    READ_ONLY(ErrorCode), READ_ONLY(ErrorLineNumber), READ_ONLY(ErrorColumnNumber), READ_ONLY(ErrorByteIndex),
    READ_ONLY(CurrentLineNumber), READ_ONLY(CurrentColumnNumber), READ_ONLY(CurrentByteIndex), READ_ONLY(buffer_used),
    READ_WRITE(buffer_size), READ_WRITE(buffer_text), READ_WRITE(namespace_prefixes), READ_WRITE(ordered_attributes),
    READ_WRITE(specified_attributes),
    {0},
};

static const TyMemberDef parser_members[] = {
    {"intern", TY_MEMBER_VALUE_NONE, false, offsetof(Parser, intern), NULL},
    {0},
};

static TyType parser_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Parser), .trace = parser_trace, .destroy = parser_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "pyexpat.xmlparser",
    .doc = "A parser of XML, made by ParserCreate().",
    .parent = &ty_object_base_type,
    .methods = parser_methods,
    .getsets = parser_getsets,
    .members = parser_members,
};

/* --- the module --------------------------------------------------------------------------------------------------------------- */

static Value parser_create(Value module, Value *a)
{
    const char *encoding, *separator;
    Value encoding_holder = TY_NULL, separator_holder = TY_NULL;
    if (!to_text(a[0], "ParserCreate() argument 'encoding'", &encoding, &encoding_holder) ||
        !to_text(a[1], "ParserCreate() argument 'namespace_separator'", &separator, &separator_holder))
        return TY_NULL;
    if (separator && strlen(separator) > 1)
        return ty_raise(&ty_ValueError, "namespace_separator must be at most one character, omitted, or None");
    if (a[2] != TY_NULL && a[2] != TY_NONE && !ty_is_dict(a[2]))
        return ty_raise(&ty_TypeError, "intern must be a dictionary");
    Parser *p = parser_new();
    if (!p)
        return TY_NULL;
    Value intern = a[2] == TY_NULL ? ty_dict_new() : a[2];
    if (intern == TY_NULL)
        return TY_NULL;
    ty_store(p, &p->intern, intern == TY_NONE ? TY_NULL : intern);
    p->expat = XML_ParserCreate_MM(encoding, NULL, separator);
    if (!p->expat)
        return ty_raise_memory_error();
    unsigned long salt = 0;
    if (getrandom(&salt, sizeof salt, 0) != (ssize_t)sizeof salt || !salt)
        salt = 0x9E3779B9;
    XML_SetHashSalt(p->expat, salt);
    set_up(p);
    return ty_from_object(p);
}

static Value error_string(Value module, Value *a)
{
    int64_t code;
    return ty_to_int64(a[0], &code) ? text_of(XML_ErrorString((enum XML_Error)code)) : TY_NULL;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("ParserCreate(module, /, encoding=None, namespace_separator=None, intern=<unrepresentable>)", parser_create,
                "A parser. encoding: of the document, whatever it says itself; namespace_separator: names in namespaces come as the "
                "URI, this character and the name; intern: a dict for the names that occur."),
    TY_FUNCTION("ErrorString(module, code, /)", error_string, "What an error number means."),
    {0},
};

#define ERRORS(X)                                                                                              \
    X(NO_MEMORY) X(SYNTAX) X(NO_ELEMENTS) X(INVALID_TOKEN) X(UNCLOSED_TOKEN) X(PARTIAL_CHAR) X(TAG_MISMATCH) X(DUPLICATE_ATTRIBUTE)       \
    X(JUNK_AFTER_DOC_ELEMENT) X(PARAM_ENTITY_REF) X(UNDEFINED_ENTITY) X(RECURSIVE_ENTITY_REF) X(ASYNC_ENTITY) X(BAD_CHAR_REF)  \
    X(BINARY_ENTITY_REF) X(ATTRIBUTE_EXTERNAL_ENTITY_REF) X(MISPLACED_XML_PI) X(UNKNOWN_ENCODING) X(INCORRECT_ENCODING)        \
    X(UNCLOSED_CDATA_SECTION) X(EXTERNAL_ENTITY_HANDLING) X(NOT_STANDALONE) X(UNEXPECTED_STATE) X(ENTITY_DECLARED_IN_PE)       \
    X(FEATURE_REQUIRES_XML_DTD) X(CANT_CHANGE_FEATURE_ONCE_PARSING) X(UNBOUND_PREFIX) X(UNDECLARING_PREFIX) X(INCOMPLETE_PE)   \
    X(XML_DECL) X(TEXT_DECL) X(PUBLICID) X(SUSPENDED) X(NOT_SUSPENDED) X(ABORTED) X(FINISHED) X(SUSPEND_PE)                    \
    X(RESERVED_PREFIX_XML) X(RESERVED_PREFIX_XMLNS) X(RESERVED_NAMESPACE_URI) X(INVALID_ARGUMENT) X(NO_BUFFER) X(AMPLIFICATION_LIMIT_BREACH)

/* A module inside this one, known to import under its full name too. */
static Value submodule(Value module, const char *name, const char *full_name)
{
    Value full = ty_intern_text(full_name);
    Value made = full == TY_NULL ? TY_NULL : ty_module_new(full);
    if (made == TY_NULL || !ty_module_add(module, name, made) || !ty_dict_set(ty_interpreter()->modules, full, made))
        return TY_NULL;
    return made;
}

static bool add_errors(Value module)
{
    static const struct { const char *name; int code; } errors[] = {
#define ERROR_ENTRY(name) {"XML_ERROR_" #name, XML_ERROR_##name},
        ERRORS(ERROR_ENTRY)
    };
    Value made = submodule(module, "errors", "pyexpat.errors"), codes = ty_dict_new(), messages = ty_dict_new();
    if (made == TY_NULL || codes == TY_NULL || messages == TY_NULL)
        return false;
    for (size_t i = 0; i < TY_COUNT_OF(errors); i++) {
        Value text = text_of(XML_ErrorString((enum XML_Error)errors[i].code)), code = ty_from_immediate_int(errors[i].code);
        if (text == TY_NULL || !ty_module_add(made, errors[i].name, text) || !ty_dict_set(codes, text, code) ||
            !ty_dict_set(messages, code, text))
            return false;
    }
    return ty_module_add_str(made, "__doc__", "Constants used to describe error conditions.") && ty_module_add(made, "codes", codes) &&
           ty_module_add(made, "messages", messages);
}

static bool add_model(Value module)
{
    static const struct { const char *name; int value; } constants[] = {
        {"XML_CTYPE_EMPTY", XML_CTYPE_EMPTY}, {"XML_CTYPE_ANY", XML_CTYPE_ANY}, {"XML_CTYPE_MIXED", XML_CTYPE_MIXED},
        {"XML_CTYPE_NAME", XML_CTYPE_NAME}, {"XML_CTYPE_CHOICE", XML_CTYPE_CHOICE}, {"XML_CTYPE_SEQ", XML_CTYPE_SEQ},
        {"XML_CQUANT_NONE", XML_CQUANT_NONE}, {"XML_CQUANT_OPT", XML_CQUANT_OPT}, {"XML_CQUANT_REP", XML_CQUANT_REP},
        {"XML_CQUANT_PLUS", XML_CQUANT_PLUS},
    };
    Value made = submodule(module, "model", "pyexpat.model");
    if (made == TY_NULL)
        return false;
    for (size_t i = 0; i < TY_COUNT_OF(constants); i++)
        if (!ty_module_add_int(made, constants[i].name, constants[i].value))
            return false;
    return ty_module_add_str(made, "__doc__", "Constants used to interpret content model information.");
}

static Value feature_list(void)
{
    Value list = ty_list_new(0);
    for (const XML_Feature *feature = XML_GetFeatureList(); list != TY_NULL && feature->feature != XML_FEATURE_END; feature++) {
        Value pair = ty_tuple_pack(2, text_of(feature->name), ty_int_from_int64(feature->value));
        if (pair == TY_NULL || !ty_list_append(list, pair))
            return TY_NULL;
    }
    return list;
}

static bool execute(Value module)
{
    Value error = ty_type_from_name("xml.parsers.expat.ExpatError", &ty_Exception, TY_NULL);
    if (error == TY_NULL || !ty_type_ready(&parser_type))
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[STATE_ERROR], error);
    XML_Expat_Version version = XML_ExpatVersionInfo();
    return ty_module_add(module, "error", error) && ty_module_add(module, "ExpatError", error) &&
           ty_module_add(module, "XMLParserType", ty_from_object(&parser_type)) &&
           ty_module_add(module, "EXPAT_VERSION", text_of(XML_ExpatVersion())) &&
           ty_module_add(module, "version_info", ty_tuple_pack(3, INT(version.major), INT(version.minor), INT(version.micro))) &&
           ty_module_add_str(module, "native_encoding", "UTF-8") && ty_module_add(module, "features", feature_list()) &&
           ty_module_add_int(module, "XML_PARAM_ENTITY_PARSING_NEVER", XML_PARAM_ENTITY_PARSING_NEVER) &&
           ty_module_add_int(module, "XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE", XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE) &&
           ty_module_add_int(module, "XML_PARAM_ENTITY_PARSING_ALWAYS", XML_PARAM_ENTITY_PARSING_ALWAYS) && add_errors(module) &&
           add_model(module);
}

const TyModuleDef ty_module_pyexpat = {
    .name = "pyexpat",
    .doc = "XML parsing by the library expat.",
    .functions = functions,
    .execute = execute,
    .state_count = STATE_COUNT,
};
