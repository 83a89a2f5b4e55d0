"""Starts the outer wall as root without being root in it: run by the host, never inside.

In a mount namespace of its own it shows the few folders that the jail needs under one public path (they may lie below folders that
only root can enter), joins the jail's cgroups, becomes an ordinary user that owns nothing else, and is replaced by bubblewrap.
Argument: JSON {stage: path, binds: [[source, name]], uid, cgroups: [cgroup.procs path], argv}.
"""

import ctypes
import json
import os
import sys

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x00020000, 4096, 16384, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def mount(source, target, kind, flags, data=None):
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    check(libc.mount(*words, ctypes.c_ulong(flags), data), f"mount {target}")


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
        mount(source, target, None, MS_BIND | MS_REC)
    os.setgroups([])
    os.setresgid(wish["uid"], wish["uid"], wish["uid"])
    os.setresuid(wish["uid"], wish["uid"], wish["uid"])
    os.execv(wish["argv"][0], wish["argv"])


main()
