/* The life of interpreters: made, entered, used and closed, many at once, one after another, and by several threads.
 *
 *     test_interpreters [COUNT [CODE]]     with a count: how long each step takes, and how much memory the living ones hold */
#include "object/dict.h"
#include "object/exception.h"
#include "object/module.h"
#include "object/str.h"
#include "object/int.h"
#include "base/clock.h"
#include "runtime/runtime.h"
#include "syntax/parse.h"
#include "unit.h"
#include <stdlib.h>
#include <unistd.h>

static bool execute(const char *code)
{
    char *text = malloc(strlen(code) + 2);
    strcpy(text, code);
    strcat(text, "\n");
    bool done = ty_run_source(text, strlen(text), TY_NAME("<test>"), TY_PARSE_FILE, 0, ty_module_dict(ty_interpreter()->main_module));
    if (!done)
        ty_print_exception(ty_take_exception());
    free(text);
    return done;
}

static bool run_in(TyInterpreter *interpreter, const char *code)
{
    TyThread *back = ty_interpreter_enter(interpreter);
    bool done = back && execute(code);
    ty_interpreter_leave(back);
    return done;
}

static int64_t number_in(TyInterpreter *interpreter, const char *name)
{
    TyThread *back = ty_interpreter_enter(interpreter);
    Value v = ty_dict_get_text(ty_module_dict(ty_interpreter()->main_module), name);
    int64_t n = -1;
    if (v != TY_NULL)
        ty_int_get_int64(v, &n);
    ty_interpreter_leave(back);
    return n;
}

static size_t resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void test_isolation(void)
{
    TyInterpreter *a = ty_interpreter_new(), *b = ty_interpreter_new();
    CHECK(a && b && a->id != b->id);
    CHECK(run_in(a, "import sys, builtins; x = 1; builtins.ord = lambda v: 7; sys.flavour = 'a'; sys.modules['only_a'] = sys; n = ord('a')"));
    CHECK(run_in(b, "import sys; n = len([1, 2]) + (ord('a') == 7); other = hasattr(sys, 'flavour') + ('only_a' in sys.modules)"));
    CHECK(number_in(a, "n") == 7);
    CHECK(number_in(b, "n") == 2);
    CHECK(number_in(b, "other") == 0);
    CHECK(run_in(a, "class C(dict): pass\nk = [c.__name__ for c in dict.__subclasses__()].count('C')"));
    CHECK(run_in(b, "k = [c.__name__ for c in dict.__subclasses__()].count('C')\nj = bool in int.__subclasses__()"));
    CHECK(number_in(a, "k") == 1);
    CHECK(number_in(b, "k") == 0);
    CHECK(number_in(b, "j") == 1);
    CHECK(run_in(a, "import json, site; m = len(json.dumps([1, 2])); s = 'site' in sys.modules"));
    CHECK(number_in(a, "m") == 6);
    CHECK(run_in(b, "import json; m = len(json.dumps([1, 2, 3]))"));
    CHECK(number_in(b, "m") == 9);
    CHECK(run_in(b, "import os; d = (__name__ == '__main__') + (__loader__.__name__ == 'BuiltinImporter') + (sys.modules['os'] is os) + (len(sys.path) > 0)"));
    CHECK(number_in(b, "d") == 4);
    ty_interpreter_close(a);
    CHECK(number_in(b, "n") == 2);
    ty_interpreter_close(b);
}

static void test_nesting(void)
{
    TyInterpreter *a = ty_interpreter_new(), *b = ty_interpreter_new();
    TyThread *own = ty_thread;
    TyThread *first = ty_interpreter_enter(a), *second = ty_interpreter_enter(b), *third = ty_interpreter_enter(own->interpreter), *fourth = ty_interpreter_enter(a);
    CHECK(first == own && ty_thread->interpreter == a && third->interpreter == b && fourth == own);
    CHECK(execute("x = sum(range(1000))"));
    ty_heap_collect();
    ty_interpreter_leave(fourth);
    CHECK(ty_thread == own);
    CHECK(execute("y = [i for i in range(100)]"));
    ty_interpreter_leave(third);
    CHECK(ty_thread->interpreter == b);
    CHECK(execute("x = [i for i in range(100)]"));
    ty_interpreter_leave(second);
    CHECK(ty_thread->interpreter == a);
    ty_heap_collect();
    CHECK(execute("x += 1"));
    ty_interpreter_leave(first);
    CHECK(ty_thread == own && number_in(a, "x") == 499501);
    ty_interpreter_close(a);
    ty_interpreter_close(b);
}

static void test_closing(void)
{
    char path[] = "/tmp/test_interpreters.XXXXXX", code[400];
    int fd = mkstemp(path);
    TyInterpreter *a = ty_interpreter_new();
    snprintf(code, sizeof code, "import atexit\nf = open(%c%s%c, 'w')\nf.write('left ')\natexit.register(f.write, 'at exit ')\n"
             "class D:\n    def __del__(self): f.write('finalized')\nd = D()", '"', path, '"');
    CHECK(run_in(a, code));
    ty_interpreter_close(a);
    char text[100];
    ssize_t n = read(fd, text, sizeof text);
    CHECK(n > 13 && !memcmp(text, "left at exit ", 13));
    close(fd);
    unlink(path);
}

static void *one_thread(void *argument)
{
    TyInterpreter *main = argument;
    TyThread *thread = ty_thread_attach(main);
    bool good = thread && ty_thread_begin(thread);
    for (int i = 0; good && i < 60; i++) {
        TyInterpreter *interpreter = ty_interpreter_new();
        good = interpreter && run_in(interpreter, "x = sum(range(100)); y = [str(i) for i in range(50)]") && number_in(interpreter, "x") == 4950;
        if (interpreter)
            ty_interpreter_close(interpreter);
    }
    ty_thread_end(thread);
    ty_thread_detach();
    return good ? argument : NULL;
}

static void test_threads(void)
{
    pthread_t threads[8];
    ty_many_threads_begin();
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, one_thread, ty_interpreter());
    ty_blocking_begin();
    for (int i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        CHECK(result != NULL);
    }
    ty_blocking_end();
}

static double microseconds(int64_t since, int count) { return (double)(ty_clock_monotonic_ns() - since) / 1000 / count; }

static void measure(int count, const char *code)
{
    TyInterpreter **all = calloc((size_t)count, sizeof *all);
    for (int warm = 0; warm < 3; warm++)
        ty_interpreter_close(ty_interpreter_new());
    size_t before = resident();
    int64_t start = ty_clock_monotonic_ns();
    for (int i = 0; i < count; i++)
        all[i] = ty_interpreter_new();
    printf("create %.1f us, %.1f KB each\n", microseconds(start, count), (double)(resident() - before) / 1024 / count);
    start = ty_clock_monotonic_ns();
    for (int i = 0; i < count; i++)
        run_in(all[i], code);
    printf("run    %.1f us, %.1f KB each\n", microseconds(start, count), (double)(resident() - before) / 1024 / count);
    start = ty_clock_monotonic_ns();
    for (int i = 0; i < 1000000; i++)
        ty_interpreter_leave(ty_interpreter_enter(all[i % TY_MIN(count, 16)]));
    printf("enter and leave %.3f us\n", microseconds(start, 1000000));
    start = ty_clock_monotonic_ns();
    for (int i = 0; i < count; i++)
        ty_interpreter_close(all[i]);
    printf("close  %.1f us\n", microseconds(start, count));
    free(all);
    start = ty_clock_monotonic_ns();
    for (int i = 0; i < count; i++) {
        TyInterpreter *interpreter = ty_interpreter_new();
        run_in(interpreter, code);
        ty_interpreter_close(interpreter);
    }
    printf("create, run, close one after another %.1f us; resident %.1f MB\n", microseconds(start, count), (double)resident() / 1048576);
}

int main(int argc, char **argv)
{
    char *command[] = { argv[0], "-c", "pass", NULL };
    if (ty_config_read(&ty_config, 3, command) >= 0)
        return 2;
    ty_config_find_paths(&ty_config);
    if (!ty_runtime_start() || ty_runtime_run() != 0)
        return 2;
    if (argc > 1)
        measure(atoi(argv[1]), argc > 2 ? argv[2] : "pass");
    else {
        test_isolation();
        test_nesting();
        test_closing();
        test_threads();
    }
    int status = 0;
    ty_runtime_end(&status);
    return argc > 1 ? status : unit_end();
}
