/* A listing of a code object's instructions, for those who work on the compiler or the VM. Callable from a debugger. */
#ifndef TY_COMPILE_DISASSEMBLE_H
#define TY_COMPILE_DISASSEMBLE_H

#include <stdio.h>

#include "object/code.h"

/* The code, then those among its constants. */
void ty_disassemble(Value code, FILE *file);

#endif
