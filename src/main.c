/* The command. */
#include "runtime/runtime.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Under the address sanitizer, also where the environment does not say so (a process that a test starts with an environment of its own): the collector
 * scans the machine's stack, so frames have to be there; what the heap keeps to the end is no leak; too much memory is answered with MemoryError. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ADDRESS_SANITIZER
#endif
#endif
#ifdef UNDER_ADDRESS_SANITIZER
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_stack_use_after_return=0:detect_leaks=0:allocator_may_return_null=1:exitcode=86"; }
#endif

int main(int argc, char **argv)
{
    int status = ty_config_read(&ty_config, argc, argv);
    if (status >= 0)
        return status;
    ty_config_find_paths(&ty_config);
    if (!ty_runtime_start())
        return 1;
    ty_inspect_start();
    status = ty_runtime_run();
    ty_runtime_end(&status);
    if (ty_run_interrupted) { /* a shell that waits for us wants to know that it was the signal */
        signal(SIGINT, SIG_DFL);
        fflush(NULL);
        kill(getpid(), SIGINT);
    }
    exit(status);
}
