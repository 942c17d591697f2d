/* pwd and grp: the system's data bases of users and groups. */
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/bytes.h"
#include "object/tuple.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const TyStructField passwd_fields[] = {
    {"pw_name", "user name"}, {"pw_passwd", "password"}, {"pw_uid", "user id"}, {"pw_gid", "group id"},
    {"pw_gecos", "real name"}, {"pw_dir", "home directory"}, {"pw_shell", "shell program"}, {0},
};
static const TyStructDef passwd_def = {
    "pwd.struct_passwd",
    "pwd.struct_passwd: Results from getpw*() routines.\n\n"
    "A user, as a tuple (pw_name, pw_passwd, pw_uid, pw_gid, pw_gecos, pw_dir, pw_shell), and by those names.",
    passwd_fields, 7,
};
static const TyStructField group_fields[] = {
    {"gr_name", "group name"}, {"gr_passwd", "password"}, {"gr_gid", "group id"}, {"gr_mem", "group members"}, {0},
};
static const TyStructDef group_def = {
    "grp.struct_group",
    "grp.struct_group: Results from getgr*() routines.\n\nA group, as a tuple (gr_name, gr_passwd, gr_gid, gr_mem), and by those names.",
    group_fields, 4,
};
static TyType passwd_type, group_type;

/* The C library keeps one cursor for the process when it goes through all entries. */
static TyMutex listing = TY_MUTEX_INIT;

static Value text_of(const char *text) { return text ? ty_str_decode_fs(text, strlen(text)) : TY_NONE; }

/* Of an id, -1 is (uid_t)-1. */
static Value id_of(uint32_t id) { return id == UINT32_MAX ? ty_from_immediate_int(-1) : ty_from_immediate_int(id); }

/* An id given as an argument. 1: out of range, so nobody has it; 0: fine; -1: error. */
static int id_argument(Value v, const char *what, uint32_t *out)
{
    if (!ty_has_index(v)) {
        ty_raise(&ty_TypeError, "%s should be integer, not %T", what, v);
        return -1;
    }
    Value number = ty_number_index(v);
    int64_t id;
    if (number == TY_NULL)
        return -1;
    if (ty_int_get_int64(number, &id) != 0 || id < -1 || id > UINT32_MAX)
        return 1;
    *out = (uint32_t)id;
    return 0;
}

/* The name argument in the file system's encoding; TY_NULL with an exception. */
static Value name_argument(Value v, const char *function)
{
    if (!ty_is_str(v))
        return ty_raise(&ty_TypeError, "%s() argument must be str, not %T", function, v);
    Value bytes = ty_str_encode_fs(v);
    if (bytes != TY_NULL && memchr(ty_bytes_data(bytes), 0, (size_t)ty_bytes_length(bytes)))
        return ty_raise(&ty_ValueError, "embedded null byte");
    return bytes;
}

static Value user_value(const struct passwd *user)
{
    Value fields[] = {text_of(user->pw_name), text_of(user->pw_passwd), id_of(user->pw_uid), id_of(user->pw_gid),
                      text_of(user->pw_gecos), text_of(user->pw_dir), text_of(user->pw_shell)};
    for (size_t i = 0; i < 7; i++)
        if (fields[i] == TY_NULL)
            return TY_NULL;
    return ty_struct_sequence_new(&passwd_type, fields);
}

static Value group_value(const struct group *group)
{
    Value members = ty_list_new(0);
    for (char **member = group->gr_mem; members != TY_NULL && *member; member++) {
        Value name = text_of(*member);
        if (name == TY_NULL || !ty_list_append(members, name))
            return TY_NULL;
    }
    Value fields[] = {text_of(group->gr_name), text_of(group->gr_passwd), id_of(group->gr_gid), members};
    for (size_t i = 0; i < 4; i++)
        if (fields[i] == TY_NULL)
            return TY_NULL;
    return ty_struct_sequence_new(&group_type, fields);
}

/* Looks one entry up, with room that grows until it suffices. `call` fills `found` and returns an error number. */
#define LOOK_UP(record, value, call)                                  \
    Value result = TY_NULL;                                           \
    char *buffer = NULL;                                              \
    struct record entry, *found = NULL;                               \
    int error = ERANGE;                                               \
    for (size_t size = 1024; error == ERANGE && size < 1 << 26; size *= 2) { \
        char *larger = realloc(buffer, size);                         \
        if (!larger) {                                                \
            free(buffer);                                             \
            return ty_raise_memory_error();                           \
        }                                                             \
        buffer = larger;                                              \
        ty_blocking_begin();                                          \
        error = call;                                                 \
        ty_blocking_end();                                            \
    }                                                                 \
    if (found)                                                        \
        result = value(found);                                        \
    free(buffer);

static Value getpwuid_(Value module, Value *a)
{
    uint32_t id = 0;
    int status = id_argument(a[0], "uid", &id);
    if (status < 0)
        return TY_NULL;
    if (status > 0)
        return ty_raise(&ty_KeyError, "getpwuid(): uid not found");
    LOOK_UP(passwd, user_value, getpwuid_r(id, &entry, buffer, size, &found))
    return found ? result : ty_raise(&ty_KeyError, "getpwuid(): uid not found: %S", id_of(id));
}

static Value getpwnam_(Value module, Value *a)
{
    Value name = name_argument(a[0], "getpwnam");
    if (name == TY_NULL)
        return TY_NULL;
    const char *text = (const char *)ty_bytes_data(name);
    LOOK_UP(passwd, user_value, getpwnam_r(text, &entry, buffer, size, &found))
    return found ? result : ty_raise(&ty_KeyError, "getpwnam(): name not found: %R", a[0]);
}

static Value getpwall(Value module, Value *a)
{
    Value list = ty_list_new(0);
    ty_mutex_lock_blocking(&listing);
    setpwent();
    struct passwd *user;
    while (list != TY_NULL && (user = getpwent())) {
        Value v = user_value(user);
        if (v == TY_NULL || !ty_list_append(list, v))
            list = TY_NULL;
    }
    endpwent();
    ty_mutex_unlock(&listing);
    return list;
}

static Value getgrgid_(Value module, Value *a)
{
    uint32_t id = 0;
    int status = id_argument(a[0], "gid", &id);
    if (status < 0)
        return TY_NULL;
    if (status > 0)
        return ty_raise(&ty_OverflowError, "gid is less than minimum");
    LOOK_UP(group, group_value, getgrgid_r(id, &entry, buffer, size, &found))
    return found ? result : ty_raise(&ty_KeyError, "getgrgid(): gid not found: %S", id_of(id));
}

static Value getgrnam_(Value module, Value *a)
{
    Value name = name_argument(a[0], "getgrnam");
    if (name == TY_NULL)
        return TY_NULL;
    const char *text = (const char *)ty_bytes_data(name);
    LOOK_UP(group, group_value, getgrnam_r(text, &entry, buffer, size, &found))
    return found ? result : ty_raise(&ty_KeyError, "getgrnam(): name not found: %R", a[0]);
}

static Value getgrall(Value module, Value *a)
{
    Value list = ty_list_new(0);
    ty_mutex_lock_blocking(&listing);
    setgrent();
    struct group *group;
    while (list != TY_NULL && (group = getgrent())) {
        Value v = group_value(group);
        if (v == TY_NULL || !ty_list_append(list, v))
            list = TY_NULL;
    }
    endgrent();
    ty_mutex_unlock(&listing);
    return list;
}

static bool execute_pwd(Value module)
{
    TyType *type = ty_struct_sequence_type(&passwd_type, &passwd_def);
    return type && ty_module_add(module, "struct_passwd", ty_from_object(type));
}

static bool execute_grp(Value module)
{
    TyType *type = ty_struct_sequence_type(&group_type, &group_def);
    return type && ty_module_add(module, "struct_group", ty_from_object(type));
}

static const TyNativeDef pwd_functions[] = {
    TY_FUNCTION("getpwuid(uidobj, /)", getpwuid_, "The user with an id; KeyError if there is none."),
    TY_FUNCTION("getpwnam(name, /)", getpwnam_, "The user of a name; KeyError if there is none."),
    TY_FUNCTION("getpwall()", getpwall, "A list of all users."),
    {0},
};

static const TyNativeDef grp_functions[] = {
    TY_FUNCTION("getgrgid(id)", getgrgid_, "The group with an id; KeyError if there is none."),
    TY_FUNCTION("getgrnam(name)", getgrnam_, "The group of a name; KeyError if there is none."),
    TY_FUNCTION("getgrall()", getgrall, "A list of all groups."),
    {0},
};

const TyModuleDef ty_module_pwd = {
    .name = "pwd",
    .doc = "The system's data base of users.",
    .functions = pwd_functions,
    .execute = execute_pwd,
};

const TyModuleDef ty_module_grp = {
    .name = "grp",
    .doc = "The system's data base of groups.",
    .functions = grp_functions,
    .execute = execute_grp,
};
