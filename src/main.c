/* The command. */
#include "runtime/runtime.h"
#include <stdlib.h>

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
    exit(status);
}
