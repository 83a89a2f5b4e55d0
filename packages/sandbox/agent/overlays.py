"""A tree of files that lies ready on the host, shown as the workspace of a run without copying any of them: it is the lower layer of an
overlay, whose upper one is in the slot's own folder. However many files there are, that is one mount.

The host's trees are below TREES in the root of init and of the holder alone: a payload's own /tmp covers them, so that a program sees its
workspace and nothing of what that is made of. Init asks, the holder forks who mounts: it has the rights, and reads nothing of a user.
"""

import os
import socket
import stat
import sys

import dormant
import linux

TREES = "/tmp/trees"
LAYER = "/workspace/.syla-layer"
UPPER, WORK = f"{LAYER}/upper", f"{LAYER}/work"
NAME_BYTES = 20
MOST_LAYERS = 4
MESSAGE = 4096
MOUNTED = b"mounted"
# Nothing waits for the disk: what a run leaves is read, or removed, as soon as it has ended.
FLAGS = "userxattr", "volatile"
REFUSED = 4


# -- init


def show(child, layers, gone):
    """Shows the child the trees of these names as its /workspace, the first one on top, without the paths in `gone`. None, or why that is not
    possible."""
    names = b"".join(bytes.fromhex(name) for name in layers)
    if len(names) != NAME_BYTES * len(layers) or not 0 < len(layers) <= MOST_LAYERS:
        raise ValueError("no names of trees")
    try:
        prepare(gone)
    except OSError as error:
        return str(error)
    socket.send_fds(child.control, [names], [child.namespace])
    os.write(dormant.LEAVE, dormant.MOUNT)
    answer = child.control.recv(MESSAGE)
    if answer == MOUNTED:
        return None
    if not answer.startswith(b"!"):
        raise EOFError("the payload has ended before its run")
    return answer[1:].decode(errors="replace")


def prepare(gone):
    """The layer that a run writes to."""
    for path in (UPPER, WORK):
        os.makedirs(path)
    os.chmod(UPPER, 0o755)
    if os.stat(TREES).st_dev != os.stat(UPPER).st_dev:
        # Nor could the files that a program has open be told from others: an overlay of one file system alone numbers them as its own.
        raise OSError("the trees are not on the file system of the sandboxes, or that cannot map owners")
    for path in gone:
        os.makedirs(os.path.dirname(f"{UPPER}/{path}"), exist_ok=True)
        os.mknod(f"{UPPER}/{path}", stat.S_IFCHR, 0)


def is_whiteout(status):
    """It stands for a file or a folder of the lower layer that is gone."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def takes_place(name, status, layers):
    """Whether what is in the upper layer as `name` (bytes) leaves nothing of what the trees have there: it is gone, or of another kind now."""
    below = kind_below(name, layers)
    if below is None:
        return False
    if is_whiteout(status) or stat.S_IFMT(status.st_mode) != below:
        return True
    return below == stat.S_IFDIR and is_opaque(os.fsencode(UPPER) + b"/" + name)


def kind_below(name, layers):
    """Of the first tree that has it; None where none does."""
    for layer in layers:
        try:
            return stat.S_IFMT(os.lstat(os.fsencode(f"{TREES}/{layer}/") + name).st_mode)
        except OSError:
            continue
    return None


def is_opaque(folder):
    """Everything that the lower layer has in there is gone."""
    try:
        return os.getxattr(folder, "user.overlay.opaque", follow_symlinks=False) == b"y"
    except OSError:
        return False


# -- the holder


def serve(control):
    """What init has asked for: mounts in the namespace of its payload."""
    names, namespaces, _, _ = socket.recv_fds(control, MESSAGE, 1)
    pid = os.fork()
    if pid == 0:
        answer(control, names, namespaces[0])
    os.close(namespaces[0])
    _, status = os.waitpid(pid, 0)
    if status != 0:
        control.send(b"!who was to mount it has died")


def answer(control, names, namespace):
    """Never returns."""
    try:
        try:
            mount(namespace, [names[start : start + NAME_BYTES].hex() for start in range(0, len(names), NAME_BYTES)])
            said = MOUNTED
        except OSError as error:
            said = b"!" + str(error).encode()[: MESSAGE - 1]
        control.send(said)
        os._exit(0)
    except BaseException as error:
        sys.stderr.write(f"a tree could not be shown: {error}\n")
        os._exit(REFUSED)


def mount(namespace, layers):
    """Made where the trees are in sight, and put where they are not."""
    words = {"lowerdir": ":".join(f"{TREES}/{name}" for name in layers), "upperdir": UPPER, "workdir": WORK}
    made = linux.make_file_system("overlay", words, FLAGS, linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NODEV)
    linux.setns(namespace, linux.CLONE_NEWNS)
    linux.move_mount(made, "/workspace")
