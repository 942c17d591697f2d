#include "compile/disassemble.h"

#include "object/bytes.h"
#include "object/exception.h"
#include "object/instruction_table.h"
#include "object/str.h"
#include "object/tuple.h"

static void print_str(FILE *file, Value v)
{
    Value holder = TY_NULL;
    size_t size;
    const char *text = ty_str_utf8(v, &size, &holder);
    if (text) {
        fprintf(file, "%.*s", (int)TY_MIN(size, 80), text);
    } else {
        ty_clear_exception();
        fputs("?", file);
    }
}

static void print_constant(FILE *file, Value v)
{
    if (ty_is_exact(v, &ty_code_type)) {
        fputs("<code ", file);
        print_str(file, ((TyCode *)ty_object(v))->qualname);
        fputs(">", file);
        return;
    }
    Value repr = ty_repr(v);
    if (repr == TY_NULL)
        ty_clear_exception();
    else
        print_str(file, repr);
}

static void print_register(FILE *file, const TyCode *code, uint32_t r)
{
    uint32_t variables = code->local_count + code->cell_count + code->free_count;
    if (r >= variables) {
        fprintf(file, " t%u", r - variables);
        return;
    }
    fputc(' ', file);
    print_str(file, ty_tuple_item(code->register_names, r));
    if (ty_bytes_data(code->register_kinds)[r] & TY_REGISTER_HIDDEN)
        fprintf(file, "'%u", r);
}

static void print_operands(FILE *file, const TyCode *code, uint32_t i)
{
    const TyInstruction *at = &code->instructions[i];
    TyOp op = ty_op(*at);
    const TyFormatInfo *format = ty_op_format(op);
    TyInstructionFormat kind = (TyInstructionFormat)ty_op_formats[op];
    if (format->registers & TY_REGISTER_A)
        print_register(file, code, ty_op_a(*at));
    if (format->registers & TY_REGISTER_B)
        print_register(file, code, ty_op_b(*at));
    if (format->registers & TY_REGISTER_C)
        print_register(file, code, ty_op_c(*at));
    switch (kind) {
    case TY_FORMAT_AB_N: case TY_FORMAT_ABC_N: case TY_FORMAT_ABC_NAME: case TY_FORMAT_AB_N_JUMP: case TY_FORMAT_ABC_N_EXT:
        fprintf(file, " #%u", ty_op_c(*at));
        break;
    case TY_FORMAT_ABC_I:
        fprintf(file, " #%d", ty_op_c_int(*at));
        break;
    case TY_FORMAT_AI_N_JUMP:
        fprintf(file, " #%d #%u", ty_op_b_int(*at), ty_op_c(*at));
        break;
    case TY_FORMAT_A_IMM: case TY_FORMAT_IMM:
        if (op == TY_OP_LOAD_CONST || op == TY_OP_MAKE_FUNCTION) {
            fputc(' ', file);
            print_constant(file, ty_tuple_item(code->consts, ty_op_imm(*at)));
        } else {
            fprintf(file, " #%d", ty_op_imm(*at));
        }
        break;
    default:
        break;
    }
    if (format->name) {
        fputs(" .", file);
        print_str(file, ty_tuple_item(code->names, ty_ext_x(at[1])));
    } else if (format->jump) {
        fprintf(file, " -> %lld", (long long)i + (format->jump == 1 ? ty_op_imm(*at) : ty_ext_jump(at[1])));
    } else if (op == TY_OP_CALL_KW || op == TY_OP_CALL_METHOD_KW) {
        fputc(' ', file);
        print_constant(file, ty_tuple_item(code->consts, ty_ext_x(at[1])));
    } else if (format->words == 2) {
        fprintf(file, " x=%u y=%u", ty_ext_x(at[1]), ty_ext_y(at[1]));
    }
}

void ty_disassemble(Value v, FILE *file)
{
    const TyCode *code = (const TyCode *)ty_object(v);
    fputs("--- ", file);
    print_str(file, code->qualname);
    fprintf(file, ": flags 0x%x, %u parameters, %u locals, %u cells, %u free, %u registers, %u caches%s\n", code->flags, ty_code_parameter_count(code),
            code->local_count, code->cell_count, code->free_count, code->register_count, code->cache_count, ty_code_verify(code) ? "" : " INVALID");
    int line = -2;
    for (uint32_t i = 0; i < code->instruction_count; ) {
        TyPosition p;
        ty_code_position(code, i, &p);
        if (p.line != line)
            fprintf(file, "%5d ", p.line);
        else
            fputs("      ", file);
        line = p.line;
        fprintf(file, "%5u [%u] %-22s", i, ty_code_live_registers(code, i), ty_op_names[ty_op(code->instructions[i])]);
        print_operands(file, code, i);
        fprintf(file, "    ; %d:%d-%d:%d\n", p.line, p.column, p.end_line, p.end_column);
        i += ty_op_format(ty_op(code->instructions[i]))->words;
    }
    for (uint32_t h = 0; h < code->handler_count; h++) {
        const TyHandler *handler = &code->handlers[h];
        fprintf(file, "      %u..%u -> %u in", handler->start, handler->end, handler->target);
        print_register(file, code, handler->target_register);
        fputc('\n', file);
    }
    for (int64_t i = 0; i < ty_tuple_length(code->consts); i++)
        if (ty_is_exact(ty_tuple_item(code->consts, i), &ty_code_type))
            ty_disassemble(ty_tuple_item(code->consts, i), file);
}
