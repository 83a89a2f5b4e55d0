"""The two folders that a run may write to, emptied after it by the slot's init.

They are emptied rather than made again, and one file is kept: a file system that has just freed many inodes is slow to hand out others
(ext4 keeps away from numbers freed within the last seconds and looks at each).
"""

import os

# An empty file that waits in the workspace to become the first one of the next run: renaming is cheaper than creating.
SPARE = ".syla-spare"
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def freshen():
    """Both, as new but for the spare file. No process of a run is alive."""
    for path in ("/workspace", "/output"):
        os.chmod(path, 0o755)
        forget_attributes(path)
        descriptor = os.open(path, FOLDER)
        spare = keep_one(descriptor) if path == "/workspace" else None
        empty(descriptor, spare)
        if spare not in (None, SPARE):
            os.rename(spare, SPARE, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        os.close(descriptor)


def keep_one(workspace):
    """The name of an ordinary file of the last run, of which nothing is left but the inode; None when there is none."""
    with os.scandir(workspace) as listing:
        for entry in listing:
            if entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_nlink == 1:
                os.chmod(entry.name, 0o600, dir_fd=workspace)
                descriptor = os.open(entry.name, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=workspace)
                forget_attributes(descriptor)
                os.close(descriptor)
                return entry.name
    return None


def forget_attributes(file):
    for name in os.listxattr(file):
        os.removexattr(file, name)


def empty(top, spare=None):
    """Empties an open folder of all but `spare`, whatever a hostile program left in it: trees deeper than any path, folders without
    rights, odd names.

    Walks by descriptor, one level down or up at a time. The only processes that could interfere are dead.
    """
    current = os.dup(top)
    stack = [(None, unlink_files(current, spare))]
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


def unlink_files(descriptor, spare=None):
    """Unlinks what is no folder; returns the names of the folders."""
    folders = []
    with os.scandir(descriptor) as listing:
        for entry in listing:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.name != spare:
                os.unlink(entry.name, dir_fd=descriptor)
    return folders
