/* types.TracebackType: which frames an exception has passed through. */
#include "object/code.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

extern TyType ty_frame_type; /* vm/frame_object.c */

#define LASTI_AS_GIVEN TY_BIT_KIND0 /* `instruction` is in bytes: made by Python code */

static TyTraceback *as_traceback(Value v) { return (TyTraceback *)ty_object(v); }

static void traceback_trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ty_field(&((TyTraceback *)self)->next));
    ty_mark(marker, ty_field(&((TyTraceback *)self)->frame));
}

Value ty_traceback_new(Value next, Value frame, int32_t instruction, int32_t line)
{
    TyTraceback *made = ty_allocate(&ty_traceback_type, sizeof *made);
    if (!made)
        return TY_NULL;
    ty_store(made, &made->next, next);
    ty_store(made, &made->frame, frame);
    made->instruction = instruction;
    made->line = line;
    return ty_from_object(made);
}

bool ty_traceback_add(Value exception, Value frame, int32_t instruction, int32_t line)
{
    Value made = ty_traceback_new(ty_field(&ty_as_exception(exception)->traceback), frame, instruction, line);
    if (made)
        ty_store_publish(ty_object(exception), &ty_as_exception(exception)->traceback, made);
    return made != TY_NULL;
}

int ty_traceback_line(TyTraceback *traceback)
{
    if (traceback->line >= 0)
        return traceback->line;
    Value code = ty_get_attribute(traceback->frame, TY_NAME("f_code"));
    if (!code || !ty_is_exact(code, &ty_code_type)) {
        ty_clear_exception();
        return -1;
    }
    return ty_code_line((TyCode *)ty_object(code), (uint32_t)traceback->instruction);
}

static bool check_no_loop(Value self, Value next)
{
    for (Value at = next; at; at = ty_field(&as_traceback(at)->next))
        if (at == self)
            return ty_raise(&ty_ValueError, "traceback loop detected"), false;
    return true;
}

static bool to_next(Value v, Value *next)
{
    if (v != TY_NONE && !ty_is_exact(v, &ty_traceback_type))
        return ty_raise(&ty_TypeError, "expected traceback object, got '%T'", v), false;
    *next = v == TY_NONE ? TY_NULL : v;
    return true;
}

static Value traceback_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("traceback(tb_next, tb_frame, tb_lasti, tb_lineno)");
    Value a[4], next;
    int32_t instruction, line;
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return TY_NULL;
    if (!ty_is_exact(a[1], &ty_frame_type))
        return ty_raise(&ty_TypeError, "traceback() argument 'tb_frame' must be frame, not %T", a[1]);
    if (!ty_to_int32(a[2], &instruction) || !ty_to_int32(a[3], &line) || !to_next(a[0], &next))
        return TY_NULL;
    Value made = ty_traceback_new(next, a[1], instruction, line);
    if (made)
        ty_object_set_bits(ty_object(made), LASTI_AS_GIVEN);
    return made;
}

static Value get_frame(Value self) { return ty_field(&as_traceback(self)->frame); }
static Value get_instruction(Value self) /* in bytes, as in code.co_code of two bytes a unit */
{
    int32_t instruction = as_traceback(self)->instruction;
    bool as_given = ty_object_bits(ty_object(self)) & LASTI_AS_GIVEN;
    return ty_int_from_int64(as_given || instruction < 0 ? instruction : (int64_t)instruction * 2);
}
static Value get_next(Value self)
{
    Value next = ty_field(&as_traceback(self)->next);
    return next ? next : TY_NONE;
}
static bool set_next(Value self, Value value)
{
    Value next;
    if (!value)
        return ty_raise(&ty_TypeError, "can't delete tb_next attribute"), false;
    if (!to_next(value, &next) || !check_no_loop(self, next))
        return false;
    ty_store(ty_object(self), &as_traceback(self)->next, next);
    return true;
}
static Value get_line(Value self)
{
    int line = ty_traceback_line(as_traceback(self));
    return line < 0 ? TY_NONE : ty_int_from_int64(line);
}

static Value traceback_dir(Value self, Value *a)
{
    const char *const names[] = {"tb_frame", "tb_next", "tb_lasti", "tb_lineno"};
    Value list = ty_list_new(4);
    for (int i = 0; list && i < 4; i++)
        if (!ty_list_append(list, ty_intern_text(names[i])))
            return TY_NULL;
    return list;
}

static const TyNativeDef traceback_methods[] = {TY_METHOD("__dir__(self, /)", traceback_dir, "The attributes' names."), {0}};
static const TyGetSetDef traceback_getsets[] = {
    {"tb_frame", get_frame, NULL, NULL}, {"tb_lasti", get_instruction, NULL, NULL}, {"tb_next", get_next, set_next, NULL},
    {"tb_lineno", get_line, NULL, NULL}, {0}};

TyType ty_traceback_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyTraceback), .trace = traceback_trace},
    .flags = TY_TYPE_FINAL,
    .name = "traceback",
    .doc = "traceback(tb_next, tb_frame, tb_lasti, tb_lineno)\n--\n\nAn entry of the list of frames that an exception left.",
    .parent = &ty_object_type_,
    .slots = {.new = traceback_new},
    .methods = traceback_methods,
    .getsets = traceback_getsets,
};
