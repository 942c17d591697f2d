/* Errors and warnings of the compiler: SyntaxErrors with their place, SyntaxWarnings through the warnings machinery. */
#ifndef TY_COMPILE_REPORT_H
#define TY_COMPILE_REPORT_H

#include "object/object.h"

typedef struct TyPlace { int line, end_line, column, end_column; } TyPlace; /* as in the tree: lines from 1, columns from 0; line -1: none */

#define TY_NO_PLACE ((TyPlace){-1, -1, -1, -1})

/* Formats are those of ty_raise. */
void ty_report_syntax_error(Value filename, TyPlace place, const char *format, ...);
/* False when the warning's filters made an exception of it (a SyntaxError then, as CPython makes). */
bool ty_report_syntax_warning(Value filename, Value module, TyPlace place, const char *format, ...);

#endif
