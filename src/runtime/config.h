/* TyConfig: how the process was started: the command line, the environment, and what follows from them. Written once, before the first interpreter. */
#ifndef TY_RUNTIME_CONFIG_H
#define TY_RUNTIME_CONFIG_H

#include "base/base.h"

typedef struct TyConfig {
    /* Flags as sys.flags shows them. */
    int debug, inspect, interactive, optimize, dont_write_bytecode, no_user_site, no_site, ignore_environment, verbose, bytes_warning, quiet, isolated, dev_mode,
        safe_path, unbuffered, warn_default_encoding, skip_first_line, show_version;
    int hash_randomization;
    int64_t hash_seed;              /* -1: random */
    int int_max_str_digits;         /* -1: not given */
    int utf8_mode;
    bool frozen_modules;            /* -X frozen_modules=on|off */
    bool random_hash; /* -R: whatever PYTHONHASHSEED says */
    bool line_buffered;             /* standard output, wherever it goes: the interpreters of a notebook take turns there */
    bool faulthandler, trace_malloc, import_time, no_debug_ranges, dump_code;
    int thread_inherit_context, context_aware_warnings;
    size_t gc_stress;
    bool no_remote_debug;           /* -X disable-remote-debug */
    /* What to run: at most one of them. */
    const char *command, *module, *file;
    bool from_stdin;
    int argc;                       /* what remains for sys.argv, the program included as argv[0] */
    char **argv;
    int original_argc;
    char **original_argv;
    const char *const *warn_options;
    size_t warn_option_count;
    const char *const *x_options;
    size_t x_option_count;
    const char *check_hash_pycs;
    /* Where things are. */
    char *executable;               /* absolute, or "" */
    char *home;                     /* PYTHONHOME or NULL */
    char *python_path;              /* PYTHONPATH or NULL */
    char *platform_library;         /* the standard library's folder */
    char *prefix;
    char *own_library;              /* the folder of our own Python modules, or NULL */
    char *pycache_prefix;
    char *first_path;               /* what the program put before sys.path: its folder, or ""; NULL: nothing */
} TyConfig;

bool ty_config_is_notebook(const char *path); /* by its name: NAME.ipynb */

extern TyConfig ty_config;

/* Reads the command line and the environment. Returns -1 to go on, else the status to leave with at once (--version, --help, errors). */
int ty_config_read(TyConfig *config, int argc, char **argv);
long ty_config_cpu_count(void); /* what -X cpu_count or PYTHON_CPU_COUNT say; -1: nothing */
void ty_config_find_paths(TyConfig *config);

#endif
