/* The command. */
#include "runtime/runtime.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int status = ty_config_read(&ty_config, argc, argv);
    if (status >= 0)
        return status;
    ty_config_find_paths(&ty_config);
    if (!ty_runtime_start())
        return 1;
    status = ty_runtime_run();
    ty_runtime_end(&status);
    if (ty_run_interrupted) { /* a shell that waits for us wants to know that it was the signal */
        signal(SIGINT, SIG_DFL);
        fflush(NULL);
        kill(getpid(), SIGINT);
    }
    exit(status);
}
