#include "inspect/remote.h"
#include "object/code.h"
#include "object/exception.h"
#include "object/str.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

bool ty_remote_get(Remote *remote, uint64_t address, void *into, size_t size)
{
    struct iovec local = {into, size}, there = {(void *)(uintptr_t)address, size};
    if (remote->pid == getpid() && address == 0)
        return false;
    return process_vm_readv(remote->pid, &local, 1, &there, 1, 0) == (ssize_t)size;
}

bool ty_remote_put(Remote *remote, uint64_t address, const void *from, size_t size)
{
    struct iovec local = {(void *)(uintptr_t)from, size}, there = {(void *)(uintptr_t)address, size};
    return process_vm_writev(remote->pid, &local, 1, &there, 1, 0) == (ssize_t)size;
}

bool ty_remote_gone(Remote *remote)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)remote->pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return true;
    char line[512];
    char *end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    if (end && end[1])
        state = end[2];
    fclose(file);
    return state == 'Z' || state == 'X';
}

Value ty_remote_raise(Remote *remote, const char *what)
{
    if (ty_remote_gone(remote))
        return ty_raise(&ty_RuntimeError, "process %d has ended", (int)remote->pid);
    return ty_raise(&ty_RuntimeError, "process %d: %s", (int)remote->pid, what);
}

static bool denied(Remote *remote)
{
    ty_raise_errno(&ty_PermissionError, EPERM, ty_str_format("process %d", (int)remote->pid), TY_NULL);
    return false;
}

/* --- the section in the program's file ---------------------------------------------------------------------------------------------------------- */

static bool read_at(int file, uint64_t offset, void *into, size_t size) { return offset < INT64_MAX && pread(file, into, size, (off_t)offset) == (ssize_t)size; }

/* The section's address as the file has it, and whether the program may be mapped anywhere. */
static bool find_section(int file, uint64_t *address, bool *relocated)
{
    Elf64_Ehdr head;
    if (!read_at(file, 0, &head, sizeof head) || memcmp(head.e_ident, ELFMAG, SELFMAG) || head.e_ident[EI_CLASS] != ELFCLASS64 ||
        head.e_shentsize != sizeof(Elf64_Shdr) || head.e_shnum == 0 || head.e_shstrndx >= head.e_shnum)
        return false;
    Elf64_Shdr names;
    if (!read_at(file, head.e_shoff + (uint64_t)head.e_shstrndx * sizeof names, &names, sizeof names))
        return false;
    for (unsigned i = 0; i < head.e_shnum; i++) {
        Elf64_Shdr section;
        char name[sizeof ".typhon_inspect"] = "";
        if (!read_at(file, head.e_shoff + (uint64_t)i * sizeof section, &section, sizeof section) || section.sh_name >= names.sh_size ||
            !read_at(file, names.sh_offset + section.sh_name, name, sizeof name))
            continue;
        if (!memcmp(name, ".typhon_inspect", sizeof name) && section.sh_size >= sizeof(TyInspectTable)) {
            *address = section.sh_addr;
            *relocated = head.e_type == ET_DYN;
            return true;
        }
    }
    return false;
}

/* Where the program's file begins in the process's memory. */
static bool find_base(Remote *remote, const struct stat *program, uint64_t *base)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)remote->pid);
    FILE *maps = fopen(path, "re");
    if (!maps)
        return false;
    bool found = false;
    while (!found && fgets(line, sizeof line, maps)) {
        unsigned long long start, offset, inode;
        if (sscanf(line, "%llx-%*x %*s %llx %*x:%*x %llu", &start, &offset, &inode) == 3 && inode == program->st_ino && offset == 0) {
            *base = start;
            found = true;
        }
    }
    fclose(maps);
    return found;
}

static bool not_typhon(Remote *remote)
{
    char path[64], name[64] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)remote->pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        ssize_t size = read(file, name, sizeof name - 1);
        name[size > 0 ? size - 1 : 0] = 0;
        for (char *c = name; *c; c++)
            if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
                *c = '?';
        close(file);
    }
    ty_raise(&ty_RuntimeError, "process %d (%s) does not run Typhon", (int)remote->pid, name);
    return false;
}

bool ty_remote_open(Remote *remote, int64_t pid)
{
    remote->pid = (pid_t)pid;
    char path[64];
    if (pid <= 0 || pid > INT32_MAX || (kill((pid_t)pid, 0) < 0 && errno == ESRCH)) {
        ty_raise(&ty_RuntimeError, "there is no process %lld", (long long)pid);
        return false;
    }
    if (ty_remote_gone(remote)) {
        ty_raise(&ty_RuntimeError, "process %lld has ended", (long long)pid);
        return false;
    }
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno == EACCES || errno == EPERM ? denied(remote) : not_typhon(remote);
    struct stat program;
    bool relocated = false, found = fstat(file, &program) == 0 && find_section(file, &remote->table_address, &relocated);
    close(file);
    uint64_t base = 0;
    if (!found)
        return not_typhon(remote);
    if (relocated) {
        if (!find_base(remote, &program, &base))
            return not_typhon(remote);
        remote->table_address += base;
    }
    struct iovec local = {&remote->table, sizeof remote->table}, there = {(void *)(uintptr_t)remote->table_address, sizeof remote->table};
    if (process_vm_readv(remote->pid, &local, 1, &there, 1, 0) != (ssize_t)sizeof remote->table)
        return errno == EPERM || errno == EACCES ? denied(remote) : (ty_remote_raise(remote, "its memory cannot be read"), false);
    const TyInspectTable *t = &remote->table;
    if (memcmp(t->magic, TY_INSPECT_MAGIC, sizeof t->magic))
        return ty_remote_raise(remote, "it is only starting, or does not run Typhon"), false;
    if (t->version != TY_INSPECT_VERSION || t->size != sizeof *t || t->bytecode != ty_bytecode_magic()) {
        ty_raise(&ty_RuntimeError, "process %d runs another version of Typhon (%.31s) than this one (%s)", (int)pid, t->release, TY_VERSION);
        return false;
    }
    if (t->digest != ty_inspect_digest(t))
        return ty_remote_raise(remote, "its table for inspection is damaged"), false;
    const uint32_t *offsets = &t->object_bits;
    for (const uint32_t *offset = offsets; (const char *)offset + sizeof *offset <= (const char *)t->first_place; offset++)
        if (*offset > 1 << 16)
            return ty_remote_raise(remote, "its table for inspection is damaged"), false;
    return true;
}
