/* The interactive prompt. On a terminal it is the library's own _pyrepl (many lines, history, colours); the basic one here serves where that cannot
 * be: no terminal, TERM=dumb, PYTHON_BASIC_REPL. */
#ifndef TY_RUNTIME_INTERACTIVE_H
#define TY_RUNTIME_INTERACTIVE_H

#include "object/object.h"

/* Reads a line from the terminal with editing: set by the readline module. Memory from malloc, the newline included; an empty text at the end of
 * file; NULL with an exception raised. */
typedef char *(*TyLineReader)(const char *prompt);
extern _Atomic(TyLineReader) ty_line_reader;
bool ty_line_reader_usable(void);              /* there is one, and standard input and output are terminals */

bool ty_is_interactive(void);                  /* standard input is a terminal, or -i says that it is */
int ty_interactive_session(void);              /* the whole of `typhon` without a program, in __main__; the exit status */
int ty_interactive_after(int status);          /* after a program: a prompt, if -i or PYTHONINSPECT asks for one */
int ty_basic_prompt(void);                     /* sys._baserepl(): reads and runs statements until the end of file or SystemExit */

#endif
