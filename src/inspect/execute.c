/* sys.remote_exec: another process runs a script. Its path is written into that process's table, then one byte of its main thread's poll word: the next safepoint
 * there takes the path and runs the file. Nobody but readers writes that byte, and the process clears the whole word by atomic operations, so that neither
 * loses what the other says. */
#include "inspect/remote.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/interpreter.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/runtime.h"
#include "vm/frame.h"
#include <errno.h>
#include <string.h>
#include <stddef.h>
#include <unistd.h>

extern bool ty_audit(const char *event, const char *format, ...); /* modules/sys.c */

_Static_assert(TY_POLL_CALL == 0x100, "a byte of its own, the second");

/* --- asking ------------------------------------------------------------------------------------------------------------------------------------ */

static bool hand_over(Remote *remote, const char *path, size_t size)
{
    uint64_t pending = remote->table_address + offsetof(TyInspectTable, script_pending), script = remote->table_address + offsetof(TyInspectTable, script);
    uint64_t thread = ty_remote_word(remote, remote->table.main_thread);
    uint32_t no = 0, yes = 1;
    uint8_t call = 1;
    if (!thread || !ty_remote_put(remote, pending, &no, sizeof no) || !ty_remote_put(remote, script, path, size + 1) ||
        !ty_remote_put(remote, pending, &yes, sizeof yes) || !ty_remote_put(remote, thread + remote->table.thread_poll + 1, &call, 1))
        return ty_remote_raise(remote, "its memory cannot be written"), false;
    return true;
}

Value ty_remote_exec(Value pid_value, Value script)
{
    int64_t pid;
    if (!ty_to_int64(pid_value, &pid))
        return TY_NULL;
    Value path = ty_call_one(ty_get_attribute(ty_import_module("os"), TY_NAME("fsencode")), script);
    if (path == TY_NULL || !ty_audit("sys.remote_exec", "OO", pid_value, script))
        return TY_NULL;
    const char *text = (const char *)ty_bytes_data(path);
    size_t size = (size_t)ty_bytes_length(path);
    if (strlen(text) != size)
        return ty_raise(&ty_ValueError, "embedded null byte");
    if (access(text, R_OK) < 0) {
        if (errno == ENOENT)
            return ty_raise(&ty_FileNotFoundError, "Script file does not exist");
        if (errno == EACCES)
            return ty_raise(&ty_PermissionError, "Script file cannot be read");
        return ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
    }
    if (ty_config.no_remote_debug)
        return ty_raise(&ty_RuntimeError, "Remote debugging is not enabled");
    if (size >= TY_INSPECT_PATH_SIZE)
        return ty_raise(&ty_ValueError, "Script path is too long");
    Remote remote = {0};
    if (!ty_remote_open(&remote, pid))
        return TY_NULL;
    if (!remote.table.remote_allowed)
        return ty_raise(&ty_RuntimeError, "Remote debugging is not enabled in the remote process");
    if (!hand_over(&remote, text, size))
        return TY_NULL;
    return remote.pid != getpid() || ty_poll_run() ? TY_NONE : TY_NULL; /* of itself: this is a safepoint */
}

Value ty_remote_enabled(void) { return ty_from_bool(!ty_config.no_remote_debug); }

/* --- being asked --------------------------------------------------------------------------------------------------------------------------------- */

static void failed(const char *format, Value path) { ty_write_unraisable_text(TY_NULL, ty_str_format(format, path)); }

static Value read_script(Value path)
{
    Value io = ty_import_module("io"), open_code = io == TY_NULL ? TY_NULL : ty_get_attribute(io, TY_NAME("open_code"));
    Value file = open_code == TY_NULL ? TY_NULL : ty_call_one(open_code, path);
    if (file == TY_NULL)
        return TY_NULL;
    Value source = ty_call_method_none(file, TY_NAME("read")), raised = ty_take_exception();
    ty_call_method_none(file, TY_NAME("close"));
    ty_clear_exception();
    ty_restore_exception(raised);
    return source;
}

static bool run(Value source)
{
    Value globals = ty_dict_new(), code = ty_compile_value(source, ty_str_from_text("<string>"), 0, 0, -1, -1);
    return globals != TY_NULL && code != TY_NULL && ty_dict_set_text(globals, "__builtins__", ty_interpreter()->builtins_module) &&
           ty_eval_code(code, globals, TY_NULL, TY_NULL) != TY_NULL;
}

void ty_remote_script_run(void)
{
    TyInspectTable *table = &ty_inspect_table;
    uint32_t pending = 1;
    char text[TY_INSPECT_PATH_SIZE];
    if (ty_config.no_remote_debug || ty_interpreter() != ty_interpreter_main() || !atomic_compare_exchange_strong(&table->script_pending, &pending, 0))
        return;
    memcpy(text, table->script, sizeof text);
    text[sizeof text - 1] = 0;
    Value raised = ty_take_exception(), path = ty_str_decode_fs(text, strlen(text)), source;
    if (path == TY_NULL)
        ty_clear_exception();
    else if (!ty_audit("cpython.remote_debugger_script", "O", path))
        failed("Audit hook failed for remote debugger script %U", path);
    else if ((source = read_script(path)) == TY_NULL)
        failed("Can't open debugger script %U", path);
    else if (!run(source))
        failed("Error executing debugger script %U", path);
    ty_restore_exception(raised);
}
