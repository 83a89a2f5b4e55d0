"""A slot's holder: owns the slot's network namespace and makes one sandbox after another in it.

The network namespace is empty but for `lo` and is used by one run at a time; everything else a run gets is new. The holder reads
nothing that a user sent, so nothing of one run can reach the next through its memory.
"""

import os
import signal
import sys
import time

import init
import linux

FRESH = linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS | linux.CLONE_NEWCGROUP
FAILURES_ALLOWED = 5
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def hold(slot, settings):
    """Makes sandboxes until the jail ends. Returns only in a payload, with what it has to run."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(0)
    os.open("/dev/null", os.O_RDONLY)
    linux.unshare(linux.CLONE_NEWNET)
    linux.raise_loopback()
    forget_connections()
    folder = f"/jail/slot-{slot}"
    os.makedirs(folder, exist_ok=True)
    # Opened here, outside the run's own cgroup namespace: a hierarchy with `nsdelegate` lets nobody be moved across one.
    cgroups = [os.open(path.replace("SLOT", str(slot)), os.O_WRONLY | os.O_CLOEXEC) for path in settings["cgroups"]]
    failures = 0
    while failures < FAILURES_ALLOWED:
        workspace, output = fresh_folders(folder)
        pid = linux.clone(FRESH)
        if pid == 0:
            return init.supervise(slot, settings, cgroups, workspace, output)
        _, status = os.waitpid(pid, 0)
        failures = failures + 1 if status == init.SETUP_FAILED << 8 else 0
        if failures:
            time.sleep(0.05 * 2**failures)
    sys.stderr.write(f"slot {slot}: {failures} sandboxes in a row could not be made\n")
    os._exit(1)


def fresh_folders(folder):
    """The two folders that a run may write to, as new, and empty but for a spare file (see init.py).

    They are emptied rather than made again, and one file is kept: a file system that has just freed many inodes is slow to hand out
    others (ext4 keeps away from numbers freed within the last seconds and looks at each).
    """
    keep_spare(f"{folder}/workspace")
    paths = [f"{folder}/workspace", f"{folder}/output"]
    for path in paths:
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o755)
        for name in os.listxattr(path):
            os.removexattr(path, name)
        empty(path)
    if os.path.exists(f"{folder}/spare"):
        os.rename(f"{folder}/spare", f"{folder}/workspace/{init.SPARE}")
    return paths


def empty(path):
    """Empties a folder whatever a hostile program left in it: trees deeper than any path, folders without rights, odd names.

    Walks by descriptor, one level down or up at a time. The only processes that could interfere are dead.
    """
    current = os.open(path, FOLDER)
    stack = [(None, unlink_files(current))]
    while True:
        name, folders = stack[-1]
        if folders:
            inner = folders.pop()
            os.chmod(inner, 0o700, dir_fd=current)
            current = step(current, inner)
            stack.append((inner, unlink_files(current)))
        else:
            stack.pop()
            if not stack:
                break
            current = step(current, "..")
            os.rmdir(name, dir_fd=current)
    os.close(current)


def step(current, name):
    target = os.open(name, FOLDER, dir_fd=current)
    os.close(current)
    return target


def unlink_files(descriptor):
    """Unlinks what is no folder; returns the names of the folders."""
    folders = []
    with os.scandir(descriptor) as listing:
        for entry in listing:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=descriptor)
    return folders


def keep_spare(workspace):
    """Moves one ordinary file of the last run out of the way of `empty`, with nothing left of it but the inode."""
    try:
        entries = [entry for entry in os.scandir(workspace) if entry.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return
    spare = f"{workspace}/../spare"
    for entry in entries[:1]:
        if entry.stat(follow_symlinks=False).st_nlink == 1:
            os.chmod(entry.path, 0o600)
            os.truncate(entry.path, 0)
            for name in os.listxattr(entry.path):
                os.removexattr(entry.path, name)
            os.rename(entry.path, spare)


def forget_connections():
    """A closed connection would hold its port for a minute more, into the next runs of this slot."""
    try:
        linux.write_file("/proc/sys/net/ipv4/tcp_max_tw_buckets", "0")
    except OSError:
        pass  # a host that mounts /proc/sys read-only
