"""Starts the outer wall as root without being root in it: run by the host, never inside.

In a mount namespace of its own it shows the few folders that the jail needs under one public path (they may lie below folders that
only root can enter), joins the jail's cgroups, becomes an ordinary user that owns nothing else, and is replaced by bubblewrap.
Argument: JSON {stage: path, binds: [[source, name]], owned: names of those whose files are to be the user's own, devices: [[source, name]]
of which the user gets nodes of its own, uid, cgroups: [cgroup.procs path], argv}. A file system that cannot show another owner is left out: an empty folder is in its place.
"""

import ctypes
import json
import os
import stat
import struct
import sys

CLONE_NEWNS, CLONE_NEWUSER, MS_BIND, MS_REC, MS_PRIVATE = 0x00020000, 0x10000000, 4096, 16384, 1 << 18
# Of all machines.
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC, AT_EMPTY_PATH, MOVE_MOUNT_F_EMPTY_PATH, MOUNT_ATTR_IDMAP = 1, 0x80000, 0x1000, 4, 0x100000
AT_FDCWD = -100
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def mount(source, target, kind, flags, data=None):
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    check(libc.mount(*words, ctypes.c_ulong(flags), data), f"mount {target}")


def syscall(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def mount_owned(source, target, uid):
    """What belongs to root in there belongs to the user of `uid` when it is seen from here."""
    tree = syscall(OPEN_TREE, ctypes.c_int(AT_FDCWD), os.fsencode(source), ctypes.c_uint(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC))
    users = open_user_namespace(f"0 {uid} 1")
    attributes = struct.pack("=4Q", MOUNT_ATTR_IDMAP, 0, 0, users)
    size = ctypes.c_size_t(len(attributes))
    syscall(MOUNT_SETATTR, ctypes.c_int(tree), b"", ctypes.c_uint(AT_EMPTY_PATH), attributes, size)
    os.close(users)
    where = ctypes.c_int(AT_FDCWD), os.fsencode(target)
    syscall(MOVE_MOUNT, ctypes.c_int(tree), b"", *where, ctypes.c_uint(MOVE_MOUNT_F_EMPTY_PATH))
    os.close(tree)


def open_user_namespace(mapping):
    """One that nobody is in."""
    made, done = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(done[1])
        os.write(made[1], b"0" if libc.unshare(CLONE_NEWUSER) == 0 else b"1")
        os.read(done[0], 1)
        os._exit(0)
    try:
        if os.read(made[0], 1) != b"0":
            raise OSError("no user namespace can be made")
        for kind in ("uid", "gid"):
            with open(f"/proc/{pid}/{kind}_map", "w") as file:
                file.write(mapping)
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        for descriptor in (*made, *done):
            os.close(descriptor)
        os.waitpid(pid, 0)


def main():
    wish = json.loads(sys.argv[1])
    for path in wish["cgroups"]:
        with open(path, "w") as file:
            file.write("0")
    check(libc.unshare(CLONE_NEWNS), "unshare")
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", wish["stage"], "tmpfs", 0, b"mode=755,size=1m")
    for source, name in wish["binds"]:
        target = os.path.join(wish["stage"], name)
        if os.path.isdir(source):
            os.makedirs(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
        if name not in wish["owned"]:
            mount(source, target, None, MS_BIND | MS_REC)
            continue
        try:
            mount_owned(source, target, wish["uid"])
        except OSError as error:
            sys.stderr.write(f"{name} cannot be shown: {error}\n")
    for source, name in wish["devices"]:
        target = os.path.join(wish["stage"], name)
        os.mknod(target, stat.S_IFCHR | 0o600, os.stat(source).st_rdev)
        os.chown(target, wish["uid"], wish["uid"])
    os.setgroups([])
    os.setresgid(wish["uid"], wish["uid"], wish["uid"])
    os.setresuid(wish["uid"], wish["uid"], wish["uid"])
    os.execv(wish["argv"][0], wish["argv"])


main()
