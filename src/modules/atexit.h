#ifndef TY_MODULES_ATEXIT_H
#define TY_MODULES_ATEXIT_H

/* Calls what was registered in the current interpreter, last first; exceptions are reported. */
void ty_atexit_run(void);

#endif
