#include "runtime/config.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TyConfig ty_config = { .frozen_modules = true, .hash_randomization = 1, .hash_seed = -1, .int_max_str_digits = -1, .thread_inherit_context = 1, .context_aware_warnings = 1 };

static const char *warn_options[256], *x_options[256];

static const char usage_text[] =
    "usage: %s [option] ... [-c cmd | -m mod | file | -] [arg] ...\n"
    "Options (and corresponding environment variables):\n"
    "-b     : issue warnings about converting bytes/bytearray to str and comparing\n"
    "         bytes/bytearray with str or bytes with int; also PYTHONDEBUG=x\n"
    "         (-bb: issue errors)\n"
    "-B     : don't write .pyc files on import; also PYTHONDONTWRITEBYTECODE=x\n"
    "-c cmd : program passed in as string (terminates option list)\n"
    "-E     : ignore PYTHON* environment variables (such as PYTHONPATH)\n"
    "-h     : print this help message and exit (also -? or --help)\n"
    "-i     : inspect interactively after running script; also PYTHONINSPECT=x\n"
    "-I     : isolate from the user's environment (implies -E, -P and -s)\n"
    "-m mod : run library module as a script (terminates option list)\n"
    "-O     : remove assert and __debug__-dependent statements; also PYTHONOPTIMIZE=x\n"
    "-OO    : do -O changes and also discard docstrings\n"
    "-P     : don't prepend a potentially unsafe path to sys.path; also PYTHONSAFEPATH\n"
    "-q     : don't print version and copyright messages on interactive startup\n"
    "-s     : don't add user site directory to sys.path; also PYTHONNOUSERSITE=x\n"
    "-S     : don't imply 'import site' on initialization\n"
    "-u     : force the stdout and stderr streams to be unbuffered; also PYTHONUNBUFFERED=x\n"
    "-v     : verbose (trace import statements); also PYTHONVERBOSE=x\n"
    "-V     : print the version number and exit (also --version)\n"
    "-W arg : warning control; arg is action:message:category:module:lineno; also PYTHONWARNINGS=arg\n"
    "-x     : skip first line of source, allowing use of non-Unix forms of #!cmd\n"
    "-X opt : set implementation-specific option (gcstress=N, importtime, utf8, dev, faulthandler, int_max_str_digits=N, …)\n"
    "file   : program read from script file\n"
    "-      : program read from stdin (default; interactive mode if a tty)\n"
    "arg ...: arguments passed to program in sys.argv[1:]\n";

static const char *environment(const TyConfig *config, const char *name)
{
    const char *value = config->ignore_environment ? NULL : getenv(name);
    return value && *value ? value : NULL;
}

static void flag_from_environment(const TyConfig *config, int *flag, const char *name)
{
    const char *value = environment(config, name);
    if (!value)
        return;
    char *end;
    long n = strtol(value, &end, 10);
    int level = *end == 0 && n > 0 && n < INT_MAX ? (int)n : *end == 0 && n == 0 ? 0 : 1;
    if (level == 0 && strcmp(value, "0") != 0)
        level = 1;
    if (*flag < level)
        *flag = level;
}

static bool x_option(TyConfig *config, const char *option)
{
    const char *equals = strchr(option, '='), *value = equals ? equals + 1 : "";
    size_t n = equals ? (size_t)(equals - option) : strlen(option);
#define IS(name) (n == sizeof name - 1 && !memcmp(option, name, n))
    if (IS("gcstress"))
        config->gc_stress = (size_t)strtoull(value, NULL, 10);
    else if (IS("utf8"))
        config->utf8_mode = !equals || !strcmp(value, "1");
    else if (IS("dev"))
        config->dev_mode = 1;
    else if (IS("disable_remote_debug") || IS("disable-remote-debug"))
        config->no_remote_debug = true;
    else if (IS("faulthandler"))
        config->faulthandler = true;
    else if (IS("importtime"))
        config->import_time = true;
    else if (IS("no_debug_ranges"))
        config->no_debug_ranges = true;
    else if (IS("dis"))
        config->dump_code = true;
    else if (IS("warn_default_encoding"))
        config->warn_default_encoding = 1;
    else if (IS("frozen_modules"))
        config->frozen_modules = strcmp(value, "off") != 0;
    else if (IS("pycache_prefix"))
        config->pycache_prefix = strdup(value);
    else if (IS("thread_inherit_context"))
        config->thread_inherit_context = !strcmp(value, "1");
    else if (IS("context_aware_warnings"))
        config->context_aware_warnings = !strcmp(value, "1");
    else if (IS("int_max_str_digits")) {
        char *end;
        long limit = strtol(value, &end, 10);
        if (!*value || *end || (limit != 0 && limit < 640) || limit > INT_MAX) {
            fprintf(stderr, "Fatal Python error: config_init_int_max_str_digits: -X int_max_str_digits: invalid limit; must be >= 640 or 0 for unlimited.\n");
            return false;
        }
        config->int_max_str_digits = (int)limit;
    }
#undef IS
    if (config->x_option_count < sizeof x_options / sizeof *x_options)
        x_options[config->x_option_count++] = option;
    return true;
}

bool ty_config_is_notebook(const char *path)
{
    size_t length = strlen(path);
    return length > 6 && !strcmp(path + length - 6, ".ipynb");
}

static int usage_error(const char *program, const char *format, int c)
{
    fprintf(stderr, format, c);
    fprintf(stderr, "usage: %s [option] ... [-c cmd | -m mod | file | -] [arg] ...\nTry `%s -h' for more information.\n", program, program);
    return 2;
}

static int read_environment(TyConfig *config)
{
    if (environment(config, "PYTHONDONTWRITEBYTECODE"))
        config->dont_write_bytecode = 1;
    flag_from_environment(config, &config->no_user_site, "PYTHONNOUSERSITE");
    flag_from_environment(config, &config->optimize, "PYTHONOPTIMIZE");
    flag_from_environment(config, &config->verbose, "PYTHONVERBOSE");
    if (environment(config, "PYTHONDEBUG"))
        config->debug = 1;
    if (environment(config, "PYTHONNODEBUGRANGES"))
        config->no_debug_ranges = true;
    flag_from_environment(config, &config->inspect, "PYTHONINSPECT");
    if (environment(config, "PYTHONUNBUFFERED"))
        config->unbuffered = 1;
    if (environment(config, "PYTHONSAFEPATH"))
        config->safe_path = 1;
    if (environment(config, "PYTHONWARNDEFAULTENCODING"))
        config->warn_default_encoding = 1;
    if (environment(config, "PYTHONPROFILEIMPORTTIME"))
        config->import_time = true;
    if (environment(config, "PYTHONDEVMODE"))
        config->dev_mode = 1;
    if (environment(config, "PYTHONFAULTHANDLER"))
        config->faulthandler = true;
    const char *value = environment(config, "TYPHON_GCSTRESS");
    if (value && !config->gc_stress)
        config->gc_stress = (size_t)strtoull(value, NULL, 10);
    if ((value = environment(config, "PYTHONUTF8")))
        config->utf8_mode = !strcmp(value, "1");
    if ((value = environment(config, "PYTHONHASHSEED")) && strcmp(value, "random") && !config->random_hash) {
        char *end;
        unsigned long seed = strtoul(value, &end, 10);
        if (*end || seed > 4294967295ul) {
            fprintf(stderr, "Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]\n");
            return 1;
        }
        config->hash_seed = (int64_t)seed;
        config->hash_randomization = seed != 0;
    }
    if (environment(config, "PYTHON_DISABLE_REMOTE_DEBUG"))
        config->no_remote_debug = true;
    if ((value = environment(config, "PYTHONINTMAXSTRDIGITS")) && config->int_max_str_digits < 0) {
        char *end;
        long limit = strtol(value, &end, 10);
        if (*end || (limit != 0 && limit < 640) || limit > INT_MAX) {
            fprintf(stderr, "Fatal Python error: config_init_int_max_str_digits: PYTHONINTMAXSTRDIGITS: invalid limit; must be >= 640 or 0 for unlimited.\n");
            return 1;
        }
        config->int_max_str_digits = (int)limit;
    }
    if ((value = environment(config, "PYTHONPATH")))
        config->python_path = strdup(value);
    if ((value = environment(config, "PYTHONHOME")))
        config->home = strdup(value);
    if ((value = environment(config, "PYTHONPYCACHEPREFIX")) && !config->pycache_prefix)
        config->pycache_prefix = strdup(value);
    return -1;
}

int ty_config_read(TyConfig *config, int argc, char **argv)
{
    const char *program = argc > 0 ? argv[0] : "typhon";
    config->original_argc = argc;
    config->original_argv = argv;
    config->warn_options = warn_options;
    config->x_options = x_options;
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1] && !config->command && !config->module; i++) {
        const char *p = argv[i] + 1;
        if (!strcmp(p, "-")) {
            i++;
            break;
        }
        if (!strcmp(p, "-version"))
            p = "V";
        else if (!strcmp(p, "-help"))
            p = "h";
        else if (!strcmp(p, "-check-hash-based-pycs")) {
            if (++i >= argc || (strcmp(argv[i], "default") && strcmp(argv[i], "always") && strcmp(argv[i], "never"))) {
                fprintf(stderr, "--check-hash-based-pycs must be one of 'default', 'always', or 'never'\n");
                return 2;
            }
            config->check_hash_pycs = argv[i];
            continue;
        } else if (p[0] == '-')
            return usage_error(program, "unknown option --%.0d\n", 0);
        for (; *p; p++) {
            const char *value = NULL;
            if (strchr("cmWX", *p)) {
                value = p[1] ? p + 1 : i + 1 < argc ? argv[++i] : NULL;
                if (!value)
                    return usage_error(program, "Argument expected for the -%c option\n", *p);
            }
            switch (*p) {
            case 'c': config->command = value; break;
            case 'm': config->module = value; break;
            case 'W':
                if (config->warn_option_count < sizeof warn_options / sizeof *warn_options)
                    warn_options[config->warn_option_count++] = value;
                break;
            case 'X':
                if (!x_option(config, value))
                    return 1;
                break;
            case 'b': config->bytes_warning++; break;
            case 'B': config->dont_write_bytecode++; break;
            case 'd': config->debug++; break;
            case 'E': config->ignore_environment++; break;
            case 'i': config->inspect++; config->interactive++; break;
            case 'I': config->isolated = config->ignore_environment = config->no_user_site = config->safe_path = 1; break;
            case 'O': config->optimize++; break;
            case 'P': config->safe_path = 1; break;
            case 'q': config->quiet++; break;
            case 's': config->no_user_site++; break;
            case 'S': config->no_site++; break;
            case 'u': config->unbuffered++; break;
            case 'v': config->verbose++; break;
            case 'x': config->skip_first_line++; break;
            case 'V': config->show_version++; break;
            case 'h': case '?': printf(usage_text, program); return 0;
            case 'R': config->random_hash = true; break;
            default: return usage_error(program, "Unknown option: -%c\n", *p);
            }
            if (value)
                break;
        }
    }
    if (config->show_version) {
        printf(config->show_version > 1 ? "Typhon " TY_VERSION " (Python 3.14) [C]\n" : "Typhon " TY_VERSION " (Python 3.14)\n");
        return 0;
    }
    config->argc = argc - i;
    config->argv = argv + i;
    if (!config->command && !config->module && i < argc) {
        if (!strcmp(argv[i], "-"))
            config->from_stdin = true;
        else {
            config->file = argv[i];
            config->line_buffered = ty_config_is_notebook(argv[i]);
        }
    }
    return read_environment(config);
}

long ty_config_cpu_count(void)
{
    const char *given = environment(&ty_config, "PYTHON_CPU_COUNT");
    for (size_t i = 0; i < ty_config.x_option_count; i++)
        if (!strncmp(ty_config.x_options[i], "cpu_count=", 10))
            given = ty_config.x_options[i] + 10;
    return given && strcmp(given, "default") ? strtol(given, NULL, 10) : -1;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool has_library(const char *path)
{
    char file[PATH_MAX];
    struct stat status;
    int length = snprintf(file, sizeof file, "%s/importlib/_bootstrap.py", path);
    return length > 0 && (size_t)length < sizeof file && stat(file, &status) == 0;
}

static char *absolute_executable(const char *name)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (strchr(name, '/')) {
        if (name[0] == '/')
            return strdup(name);
        char folder[PATH_MAX], joined[2 * PATH_MAX + 2];
        if (getcwd(folder, sizeof folder)) {
            while (!strncmp(name, "./", 2))
                name += 2;
            snprintf(joined, sizeof joined, "%s/%s", folder, name);
            return strdup(joined);
        }
    }
    if (n <= 0)
        return strdup("");
    path[n] = 0;
    return strdup(path);
}

/* What the library is installed under; when it is none's lib/python3.14, what the executable is installed under: packages of another Python are not ours. */
static char *find_prefix(const char *library)
{
    static const char tail[] = "/lib/python3.14";
    size_t n = strlen(library);
    if (n > sizeof tail - 1 && !strcmp(library + n - (sizeof tail - 1), tail))
        return strndup(library, n - (sizeof tail - 1));
    char *real = realpath("/proc/self/exe", NULL);
    for (int up = 0; real && up < 2; up++) {
        char *slash = strrchr(real, '/');
        if (slash)
            *(slash == real ? slash + 1 : slash) = 0;
    }
    return real ? real : strdup("/usr/local");
}

/* The standard library: PYTHONHOME's, the one the build was told, or one beside the executable. */
void ty_config_find_paths(TyConfig *config)
{
    char path[PATH_MAX + 64];
    config->executable = absolute_executable(config->original_argc > 0 ? config->original_argv[0] : "");
    if (config->home) {
        snprintf(path, sizeof path, "%s/lib/python3.14", config->home);
        config->platform_library = strdup(has_library(path) ? path : config->home);
        config->prefix = strdup(config->home);
    }
    if (!config->platform_library) {
        char *real = realpath("/proc/self/exe", NULL), *slash = real ? strrchr(real, '/') : NULL;
        static const char *const relative[] = { "../.cache/stdlib", "../lib/python3.14" };
        for (size_t i = 0; slash && i < 2; i++) {
            *slash = 0;
            snprintf(path, sizeof path, "%s/%s", real, relative[i]);
            if (has_library(path) && !config->platform_library)
                config->platform_library = realpath(path, NULL);
        }
        free(real);
    }
#ifdef TY_STDLIB_DIR
    if (!config->platform_library && has_library(TY_STDLIB_DIR))
        config->platform_library = strdup(TY_STDLIB_DIR);
#endif
    if (!config->platform_library)
        config->platform_library = strdup("/usr/lib/python3.14");
    if (!config->prefix)
        config->prefix = find_prefix(config->platform_library);
#ifdef TY_OWN_LIBRARY_DIR
    if (is_folder(TY_OWN_LIBRARY_DIR))
        config->own_library = strdup(TY_OWN_LIBRARY_DIR);
#else
    (void)is_folder;
#endif
}
