/* Stand-ins for what the layers above define; any real definition replaces them. */
#include "heap/thread.h"

__attribute__((weak)) void ty_thread_trace(TyThread *thread, TyMarker *marker)
{
    (void)thread;
    (void)marker;
}
__attribute__((weak)) void ty_weak_callbacks(TyObject **references, size_t count)
{
    (void)references;
    (void)count;
}
__attribute__((weak)) Value ty_raise_memory_error(void) { return TY_ERROR; }
