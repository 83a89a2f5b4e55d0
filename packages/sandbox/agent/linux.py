"""The few Linux calls that Python's standard library lacks, through ctypes. All raise OSError."""

import ctypes
import fcntl
import os
import signal
import socket
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2
MOUNT_ATTR_NOSUID = 2
MOUNT_ATTR_NODEV = 4
FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING, FSCONFIG_CMD_CREATE = 0, 1, 6
FSOPEN_CLOEXEC = FSMOUNT_CLOEXEC = 1
MOVE_MOUNT_F_EMPTY_PATH = 4
AT_FDCWD = -100

PR_SET_PDEATHSIG = 1
PR_SET_MEMORY_MERGE = 67  # since Linux 6.4
MLOCK_ONFAULT = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
# NOROOT, NO_SETUID_FIXUP, KEEP_CAPS off and NO_CAP_AMBIENT_RAISE, each locked.
SECUREBITS_LOCKED = 0x2F | 0xC0
CAPABILITY_HEADER = struct.pack("<II", 0x20080522, 0)
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_KILL, CAP_SYS_PTRACE, CAP_CHECKPOINT_RESTORE = 1, 2, 3, 5, 19, 40

PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
READ_ONLY_MAPPINGS = {"r--p": PROT_READ, "r-xp": PROT_READ | PROT_EXEC}
WORTH_COPYING = 1 << 20  # bytes of a mapping: of the smaller ones few pages are used again

SYSCALLS = {
    "x86_64": {"clone": 56, "pivot_root": 155, "capset": 126},
    "aarch64": {"clone": 220, "pivot_root": 41, "capset": 91},
}[os.uname().machine]
SYSCALLS |= {"move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "close_range": 436}  # on all machines

# PyDLL keeps the interpreter lock: a forked child must come back holding it.
libc = ctypes.PyDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.malloc.restype = ctypes.c_void_p


def read_last_capability():
    try:
        with open("/proc/sys/kernel/cap_last_cap") as file:
            return int(file.read())
    except FileNotFoundError:
        return CAP_CHECKPOINT_RESTORE  # a kernel that does not say, as gVisor's: the last one that there is


CAPABILITIES = [ctypes.c_ulong(number) for number in range(read_last_capability() + 1)]


# For `carry_out`.
DROP_ALL_CAPABILITIES = libc.syscall, (ctypes.c_long(SYSCALLS["capset"]), CAPABILITY_HEADER, bytes(24))
UNBLOCK_SIGNALS = libc.sigprocmask, (ctypes.c_int(signal.SIG_SETMASK), bytes(128), None)


def check(result, what):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def syscall(name, *arguments):
    return check(libc.syscall(ctypes.c_long(SYSCALLS[name]), *arguments), name)


def clone(flags):
    """fork(2) straight into fresh namespaces. Returns the child's pid, 0 in the child.

    Leaves out the interpreter's hooks around a fork: with a single thread there is nothing to mend, and the child, init, runs no
    user code; the payload comes from os.fork.
    """
    zero = ctypes.c_long(0)
    pid = libc.syscall(ctypes.c_long(SYSCALLS["clone"]), ctypes.c_ulong(flags | signal.SIGCHLD), zero, zero, zero, zero)
    return check(pid, "clone")


def copy_page_tables():
    """From now on a fork takes over where the large read-only parts of files, such as the interpreter's code, lie in memory, instead of looking
    each page up again: 60 page faults less for each child.

    The kernel copies the page tables of a private mapping only when something has been written to it (`vma_needs_copy`, mm/memory.c). So
    one byte of each is written as it is. To be called while nobody else's code runs.
    """
    with open("/proc/self/maps") as file:
        mappings = [line.split() for line in file]
    for bounds, permissions, _, _, inode, *_ in mappings:
        if permissions not in READ_ONLY_MAPPINGS or inode == "0":
            continue
        first, end = (int(bound, 16) for bound in bounds.split("-"))
        protection = READ_ONLY_MAPPINGS[permissions]
        if end - first < WORTH_COPYING:
            continue
        span = ctypes.c_void_p(first), ctypes.c_size_t(end - first)
        if libc.mprotect(*span, protection | PROT_WRITE) != 0:
            continue  # a host with a policy against it
        ctypes.memmove(first, ctypes.string_at(first, 1), 1)
        check(libc.mprotect(*span, protection), "mprotect")


def keep_in_memory():
    """Has the kernel never swap out what this process has written, as far as its limit allows: it is shared with every fork, and to move
    a page that thousands of processes map takes the kernel long."""
    with open("/proc/self/maps") as file:
        mappings = [line.split() for line in file]
    for bounds, permissions, *_ in mappings:
        if permissions == "rw-p":
            first, end = (int(bound, 16) for bound in bounds.split("-"))
            libc.mlock2(ctypes.c_void_p(first), ctypes.c_size_t(end - first), MLOCK_ONFAULT)


def unshare(flags):
    carry_out([prepare_unshare(flags)])


def prepare_unshare(flags):
    """For `carry_out`."""
    return libc.unshare, (ctypes.c_int(flags),)


def setns(descriptor, kind):
    check(libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)), "setns")


def carry_out(calls):
    """Calls functions of libc, (function, arguments) each. In a forked process every object that is made or looked up costs copied pages, so
    what it has to call is prepared ahead, and lies together."""
    for function, arguments in calls:
        if function(*arguments) < 0:
            check(-1, f"{function.__name__} {[word for word in arguments if isinstance(word, bytes)]}")


def mount(source, target, kind=None, flags=0, data=None):
    carry_out([prepare_mount(source, target, kind, flags, data)])


def prepare_mount(source, target, kind=None, flags=0, data=None):
    """For `carry_out`."""
    words = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    return libc.mount, (*words[:3], ctypes.c_ulong(flags), words[3])


def bind(source, target, flags=0):
    """Bind mount with flags: a bind ignores them, so a remount follows."""
    mount(source, target, None, MS_BIND)
    mount(None, target, None, MS_BIND | MS_REMOUNT | flags)


def make_file_system(kind, words, flags, attributes):
    """Mounts a new one nowhere yet: a descriptor, for `move_mount`. `words`: {option: value}."""
    context = syscall("fsopen", os.fsencode(kind), ctypes.c_uint(FSOPEN_CLOEXEC))
    configure = [(FSCONFIG_SET_STRING, name.encode(), os.fsencode(value)) for name, value in words.items()]
    configure += [(FSCONFIG_SET_FLAG, name.encode(), None) for name in flags]
    try:
        for command, name, value in (*configure, (FSCONFIG_CMD_CREATE, None, None)):
            syscall("fsconfig", ctypes.c_int(context), ctypes.c_uint(command), name, value, ctypes.c_int(0))
        return syscall("fsmount", ctypes.c_int(context), ctypes.c_uint(FSMOUNT_CLOEXEC), ctypes.c_uint(attributes))
    finally:
        os.close(context)


def move_mount(descriptor, target):
    """Puts a mount that is nowhere yet on top of what is at `target`."""
    syscall("move_mount", ctypes.c_int(descriptor), b"", ctypes.c_int(AT_FDCWD), os.fsencode(target), ctypes.c_uint(MOVE_MOUNT_F_EMPTY_PATH))


def unmount(target):
    check(libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def pivot_root(new_root):
    """Makes `new_root` the root and lets go of the old one."""
    os.chdir(new_root)
    syscall("pivot_root", b".", b".")
    unmount(".")
    os.chdir("/")


def prctl(option, second=0, third=0):
    values = [ctypes.c_ulong(value) for value in (second, third, 0, 0)]
    return check(libc.prctl(ctypes.c_int(option), *values), f"prctl {option}")


def die_with_parent():
    """When the calling process's parent ends, however it does, so does it."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def name_process(name):
    """What `ps` shows; bytes, at most 15."""
    buffer = ctypes.create_string_buffer(name)
    prctl(PR_SET_NAME, ctypes.addressof(buffer))


def close_from(first):
    """Closes every descriptor from `first` up."""
    carry_out([prepare_close_from(first)])


def prepare_close_from(first):
    """For `carry_out`."""
    return libc.syscall, (ctypes.c_long(SYSCALLS["close_range"]), ctypes.c_uint(first), ctypes.c_uint(0x7FFFFFFF), ctypes.c_uint(0))


def keep_capabilities(numbers, inheritable=False):
    """Gives up every capability but these, which must be below 64."""
    wanted = sum(1 << number for number in numbers)
    low, high = wanted & 0xFFFFFFFF, wanted >> 32
    inherited = (low, high) if inheritable else (0, 0)
    syscall("capset", CAPABILITY_HEADER, struct.pack("<6I", low, low, inherited[0], high, high, inherited[1]))


def lock_capabilities():
    """No capability to be gained any more, not by execve and not by a change of user; those that are there stay."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    for capability in CAPABILITIES:
        check(libc.prctl(PR_CAPBSET_DROP, capability), "prctl PR_CAPBSET_DROP")
    prctl(PR_SET_SECUREBITS, SECUREBITS_LOCKED)


def map_user(inside, outside_uid, outside_gid):
    """Maps the one user and group of a fresh user namespace."""
    write_file("/proc/self/setgroups", "deny")
    write_file("/proc/self/uid_map", f"{inside} {outside_uid} 1")
    write_file("/proc/self/gid_map", f"{inside} {outside_gid} 1")


def write_file(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def raise_loopback():
    """Brings `lo` up in the calling process's network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(sock, 0x8914, request)  # SIOCSIFFLAGS
