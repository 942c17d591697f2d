# System calls of os beyond files: several buffers at once, descriptors that count and tick, copying in the kernel, starting processes.
import os
import signal
import tempfile


def attempt(call):
    try:
        return call()
    except (OSError, TypeError, ValueError, OverflowError, BufferError) as error:
        return f"{type(error).__name__}: {error}"


print("-- several buffers")
with tempfile.TemporaryFile() as file:
    fd = file.fileno()
    print(os.writev(fd, [b"one", bytearray(b"two"), memoryview(b"three")]))
    print(os.pwritev(fd, [b"O", b"N"], 0))
    first, second = bytearray(4), bytearray(20)
    print(os.preadv(fd, [first, second], 0), first, second)
    os.lseek(fd, 3, os.SEEK_SET)
    print(os.readv(fd, [first]), first)
    print(attempt(lambda: os.readv(fd, [b"read-only"])))
    print(attempt(lambda: os.readv(fd, 3)))
    print(attempt(lambda: os.writev(fd, [3])))

print("-- memory, events, timers")
fd = os.memfd_create("a name")
print(os.write(fd, b"in memory"), os.pread(fd, 20, 3))
other = os.memfd_create("another")
print(os.copy_file_range(fd, other, 100, 0), os.pread(other, 20, 0))
os.lseek(fd, 0, os.SEEK_SET)
print(os.sendfile(other, fd, 3, 4), os.pread(other, 20, 0))
print(attempt(lambda: os.copy_file_range(fd, other, -1)))
os.close(fd)
os.close(other)
fd = os.eventfd(5, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
os.eventfd_write(fd, 7)
print(os.eventfd_read(fd), attempt(lambda: os.eventfd_read(fd)))
os.close(fd)
fd = os.timerfd_create(1)
print(os.timerfd_settime(fd, initial=100, interval=0.5), os.timerfd_gettime(fd)[1], os.timerfd_gettime_ns(fd)[1])
print(attempt(lambda: os.timerfd_settime(fd, initial="soon")))
os.close(fd)
reader, writer = os.pipe()
with tempfile.TemporaryFile() as file:
    file.write(b"through a pipe")
    file.flush()
    print(os.splice(file.fileno(), writer, 100, offset_src=8), os.read(reader, 100))
os.close(reader)
os.close(writer)

print("-- settings")
print(os.confstr("CS_PATH"), os.sysconf("SC_PAGESIZE") > 0, os.pathconf("/", "PC_NAME_MAX"), len(os.sysconf_names) > 100)
for call in (lambda: os.confstr("none"), lambda: os.sysconf(1.5), lambda: os.pathconf("/nowhere", 3)):
    print(attempt(call))
print(os.sched_param(3), os.sched_param(3) == (3,), os.sched_get_priority_min(os.SCHED_OTHER))
for mask in (3, [], [-1], ["a"], [1 << 40]):
    print(attempt(lambda: os.sched_setaffinity(0, mask)))
for value in ("root", -2, 1 << 40, 1.5):
    print(attempt(lambda: os.setuid(value)), attempt(lambda: os.chown("/nowhere", 0, value)))

print("-- attributes")
for call in (lambda: os.getxattr("/nowhere", "user.a"), lambda: os.setxattr("/nowhere", "user.a", b""), lambda: os.listxattr("/nowhere"),
             lambda: os.getxattr(0, "user.a", follow_symlinks=False), lambda: os.getxattr("/", "user.\0")):
    print(attempt(call))

print("-- processes")


def status_of(pid):
    info = os.waitid(os.P_PID, pid, os.WEXITED)
    return info.si_status, info.si_code == os.CLD_EXITED, info.si_signo == signal.SIGCHLD


reader, writer = os.pipe()
pid = os.posix_spawnp("sh", ["sh", "-c", "echo $GREETING; exit 3"], {"GREETING": "hello", "PATH": os.environ["PATH"]},
                      file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_CLOSE, writer)], setsigmask=[signal.SIGUSR1], setsigdef=[signal.SIGPIPE])
os.close(writer)
print(os.read(reader, 100), status_of(pid))
os.close(reader)
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "kill -TERM $$"], os.environ, setpgroup=0)
print(os.waitstatus_to_exitcode(os.wait4(pid, 0)[1]))
for arguments in ((["sh"], 3), ([], {}), ([""], {}), ("sh", {}), (["a\0"], {}), (["sh"], {"a=": "b"})):
    print(attempt(lambda: os.posix_spawn("/bin/sh", *arguments)))
for actions in (3, [3], [()], [(99,)], [(os.POSIX_SPAWN_OPEN, 1)], [(os.POSIX_SPAWN_CLOSE, "a")]):
    print(attempt(lambda: os.posix_spawn("/bin/true", ["true"], {}, file_actions=actions)))
print(attempt(lambda: os.posix_spawn("/nowhere", ["x"], {})), attempt(lambda: os.posix_spawn("/bin/true", ["x"], {}, scheduler=3)))
print(attempt(lambda: os.waitid(os.P_PID, 999999999, os.WEXITED)), attempt(lambda: os.execve("/nowhere", ["x"], {"": "y"})))
