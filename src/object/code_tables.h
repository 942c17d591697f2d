/* The tables beside a code object's instructions: source positions and depths, as runs of words, in variable-length bytes.
 *
 * Positions: each run starts with words << 2 | kind. Kind 0: no position. Kind 1: the line of the run before, on one line: column, signed
 * width. Kind 2: signed line delta, then as 1. Kind 3: signed line delta, signed end line delta, column + 1, end column + 1.
 * Depths: each run is words, count. Numbers have 7 bits a byte, low ones first; signed ones are zigzag. */
#ifndef TY_OBJECT_CODE_TABLES_H
#define TY_OBJECT_CODE_TABLES_H

#include "object/code.h"

Value ty_positions_encode(const TyPosition *positions, uint32_t words, int first_line); /* bytes */
Value ty_depths_encode(const uint32_t *depths, uint32_t words);

typedef struct TyPositionReader {
    const uint8_t *next, *end;
    uint32_t start, stop;   /* words of the present run */
    int line;               /* of the last run that had one */
    TyPosition position;
} TyPositionReader;

void ty_position_reader_init(TyPositionReader *reader, const TyCode *code);
void ty_position_reader_init_bytes(TyPositionReader *reader, const uint8_t *bytes, size_t size, uint32_t first_line); /* of any bytes at all */
bool ty_position_reader_next(TyPositionReader *reader); /* false at the end */

#endif
