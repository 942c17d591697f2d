/* sys.monitoring (PEP 669): what tools wait for, and telling them.
 *
 * An interpreter keeps each tool's events (TyMonitoring, in TyInterpreter) and, in a heap array, names and callbacks. What a code object adds
 * to that (local events, places that a callback has disabled, the line of each word) is a TyCodeMonitor that hangs off the code's TyCaches: so it
 * belongs to one interpreter, as the code itself does not. It is made when the code runs while something is monitored or traced, and brought
 * up to date when its `version` is not the interpreter's. Nothing of this costs anything while no tool waits. */
#ifndef TY_VM_MONITOR_H
#define TY_VM_MONITOR_H

#include "object/interpreter.h"
#include "vm/frame.h"

/* In the order of their numbers. LOCAL ones can be set for single code objects, and disabled for single places, of which each instruction has
 * several: `plane` tells them apart. `arguments` counts the callback's. */
#define TY_EVENTS(X) /* name, plane (-1: not local), arguments */ \
    X(PY_START, 4, 2) X(PY_RESUME, 4, 2) X(PY_RETURN, 2, 3) X(PY_YIELD, 2, 3) X(CALL, 2, 4) X(LINE, 0, 2) X(INSTRUCTION, 1, 2) X(JUMP, 2, 3) \
    X(BRANCH_LEFT, 2, 3) X(BRANCH_RIGHT, 3, 3) X(STOP_ITERATION, 5, 3) X(RAISE, -1, 3) X(EXCEPTION_HANDLED, -1, 3) X(PY_UNWIND, -1, 3) \
    X(PY_THROW, -1, 3) X(RERAISE, -1, 3) X(C_RETURN, -1, 4) X(C_RAISE, -1, 4)

typedef enum TyEvent {
#define TY_EVENT(name, plane, arguments) TY_EVENT_##name,
    TY_EVENTS(TY_EVENT)
#undef TY_EVENT
    TY_EVENT_COUNT,
    TY_EVENT_BRANCH = TY_EVENT_COUNT /* BRANCH_LEFT and BRANCH_RIGHT, from before they were told apart */
} TyEvent;

#define TY_EVENT_BIT(name) (1u << TY_EVENT_##name)
#define TY_EVENTS_LOCAL (TY_EVENT_BIT(RAISE) - 1)
#define TY_EVENTS_BRANCH (TY_EVENT_BIT(BRANCH_LEFT) | TY_EVENT_BIT(BRANCH_RIGHT))
#define TY_EVENTS_C (TY_EVENT_BIT(C_RETURN) | TY_EVENT_BIT(C_RAISE))
/* Those that every instruction may raise before it runs. */
#define TY_EVENTS_OF_INSTRUCTIONS (TY_EVENT_BIT(LINE) | TY_EVENT_BIT(INSTRUCTION) | TY_EVENT_BIT(JUMP) | TY_EVENTS_BRANCH | TY_EVENT_BIT(CALL))

enum { TY_EVENT_PLANES = 8 };

/* The interpreter's monitoring_state: a TyArray. */
enum {
    TY_MONITORING_NAMES, TY_MONITORING_CALLBACKS = TY_MONITORING_NAMES + TY_MONITORING_TOOLS,
    TY_MONITORING_DISABLE = TY_MONITORING_CALLBACKS + TY_MONITORING_TOOLS * TY_EVENT_COUNT, TY_MONITORING_MISSING, TY_MONITORING_VALUES
};

typedef struct TyCodeMonitor { /* masks and bits are written under the object's lock, read without */
    TyObject base;
    _Atomic uint32_t version;                    /* the interpreter's, when `tools` was computed */
    _Atomic uint32_t events;                     /* of all tools */
    _Atomic uint8_t tools[TY_EVENT_COUNT];       /* which tools wait for the event */
    uint32_t local[TY_MONITORING_TOOLS];         /* events set for this code alone */
    uint32_t tool_version[TY_MONITORING_TOOLS];  /* what was set or disabled at another version of the tool is void */
    uint32_t restart;
    Value lines;                                 /* bytes: an int32_t for each word, -1 where there is none */
    Value disabled;                              /* bytes: TY_EVENT_PLANES sets of tools for each word; TY_NULL: nothing is */
} TyCodeMonitor;

extern TyType ty_code_monitor_type;

Value *ty_monitoring_value(TyInterpreter *interpreter, uint32_t which);  /* a place in monitoring_state */
TyCodeMonitor *ty_code_monitor(TyCaches *caches, const TyCode *code);    /* up to date; NULL: MemoryError raised */
int ty_code_monitor_line(const TyCodeMonitor *monitor, uint32_t word);
/* The tools that wait for the event at the word. */
TY_INLINE uint8_t ty_code_monitor_tools(const TyCodeMonitor *monitor, TyEvent event) { return ty_load_relaxed(&monitor->tools[event]); }

/* Tells the tools that wait: arguments are the callback's, the code first. False: a callback failed. */
bool ty_monitor_tell(TyCodeMonitor *monitor, TyEvent event, uint32_t word, Value *arguments);

/* What the sys.monitoring module does. */
void ty_monitoring_set_global(int tool, uint32_t events);
bool ty_monitoring_set_local(TyCode *code, int tool, uint32_t events);
bool ty_monitoring_get_local(TyCode *code, int tool, uint32_t *events);
void ty_monitoring_clear_tool(int tool);
void ty_monitoring_restart(void);

#endif
