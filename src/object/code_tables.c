#include "object/code_tables.h"

#include <stdlib.h>

#include "object/bytes.h"
#include "object/exception.h"

typedef struct Writer {
    uint8_t *data;
    size_t size, capacity;
    bool failed;
} Writer;

static void put(Writer *w, uint64_t number)
{
    if (w->size + 10 > w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 256;
        uint8_t *data = realloc(w->data, capacity);
        if (!data) {
            w->failed = true;
            return;
        }
        w->data = data;
        w->capacity = capacity;
    }
    while (number >= 0x80) {
        w->data[w->size++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    w->data[w->size++] = (uint8_t)number;
}

static void put_signed(Writer *w, int64_t number) { put(w, (uint64_t)number << 1 ^ (uint64_t)(number >> 63)); }

static Value finish(Writer *w)
{
    Value result = w->failed ? ty_raise_memory_error() : ty_bytes_new(w->data ? (const void *)w->data : "", w->size);
    free(w->data);
    return result;
}

static bool same_position(const TyPosition *a, const TyPosition *b)
{
    return a->line == b->line && a->end_line == b->end_line && a->column == b->column && a->end_column == b->end_column;
}

Value ty_positions_encode(const TyPosition *positions, uint32_t words, int first_line)
{
    Writer w = {0};
    int line = first_line;
    for (uint32_t i = 0; i < words && !w.failed; ) {
        const TyPosition *p = &positions[i];
        uint32_t start = i;
        while (i < words && same_position(p, &positions[i]))
            i++;
        uint64_t run = (uint64_t)(i - start) << 2;
        if (p->line < 0) {
            put(&w, run);
        } else if (p->end_line == p->line && p->column >= 0 && p->end_column >= 0) {
            put(&w, run | (p->line == line ? 1 : 2));
            if (p->line != line)
                put_signed(&w, p->line - line);
            put(&w, (uint64_t)p->column);
            put_signed(&w, p->end_column - p->column);
            line = p->line;
        } else {
            put(&w, run | 3);
            put_signed(&w, p->line - line);
            put_signed(&w, p->end_line - p->line);
            put(&w, (uint64_t)(p->column + 1));
            put(&w, (uint64_t)(p->end_column + 1));
            line = p->line;
        }
    }
    return finish(&w);
}

Value ty_depths_encode(const uint32_t *depths, uint32_t words)
{
    Writer w = {0};
    for (uint32_t i = 0; i < words && !w.failed; ) {
        uint32_t start = i;
        while (i < words && depths[i] == depths[start])
            i++;
        put(&w, i - start);
        put(&w, depths[start]);
    }
    return finish(&w);
}

/* A number, or 0 at the end of the bytes. */
static uint64_t take(const uint8_t **next, const uint8_t *end)
{
    uint64_t number = 0;
    for (int shift = 0; *next < end && shift < 63; shift += 7) {
        uint8_t byte = *(*next)++;
        number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            break;
    }
    return number;
}

static int64_t take_signed(const uint8_t **next, const uint8_t *end)
{
    uint64_t number = take(next, end);
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

void ty_position_reader_init(TyPositionReader *reader, const TyCode *code)
{
    ty_position_reader_init_bytes(reader, ty_bytes_data(code->positions), (size_t)ty_bytes_length(code->positions), code->first_line);
}

void ty_position_reader_init_bytes(TyPositionReader *reader, const uint8_t *bytes, size_t size, uint32_t first_line)
{
    *reader = (TyPositionReader){.next = bytes, .end = bytes + size, .line = (int)first_line};
}

bool ty_position_reader_next(TyPositionReader *r)
{
    if (r->next >= r->end)
        return false;
    uint64_t run = take(&r->next, r->end);
    r->start = r->stop;
    r->stop += (uint32_t)(run >> 2);
    r->position = (TyPosition){-1, -1, -1, -1};
    int kind = run & 3;
    if (!kind)
        return true;
    if (kind > 1)
        r->line = (int)(r->line + take_signed(&r->next, r->end));
    r->position.line = r->position.end_line = r->line;
    if (kind == 3) {
        r->position.end_line = (int)(r->line + take_signed(&r->next, r->end));
        r->position.column = (int)take(&r->next, r->end) - 1;
        r->position.end_column = (int)take(&r->next, r->end) - 1;
    } else {
        r->position.column = (int)take(&r->next, r->end);
        r->position.end_column = (int)(r->position.column + take_signed(&r->next, r->end));
    }
    return true;
}

bool ty_code_position(const TyCode *code, uint32_t instruction, TyPosition *position)
{
    TyPositionReader reader;
    ty_position_reader_init(&reader, code);
    while (ty_position_reader_next(&reader))
        if (instruction < reader.stop) {
            *position = reader.position;
            return position->line >= 0;
        }
    *position = (TyPosition){-1, -1, -1, -1};
    return false;
}

int ty_code_line(const TyCode *code, uint32_t instruction)
{
    TyPosition position;
    ty_code_position(code, instruction, &position);
    return position.line;
}

uint32_t ty_code_live_registers(const TyCode *code, uint32_t instruction)
{
    const uint8_t *next = ty_bytes_data(code->depths), *end = next + ty_bytes_length(code->depths);
    uint64_t stop = 0;
    while (next < end) {
        stop += take(&next, end);
        uint64_t depth = take(&next, end);
        if (instruction < stop)
            return (uint32_t)TY_MIN(depth, code->register_count);
    }
    return code->register_count;
}
