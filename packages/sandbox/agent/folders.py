"""The two folders that a run may write to, emptied after it by the slot's init.

They are emptied rather than made again, and one file is kept: a file system that has just freed many inodes is slow to hand out others
(ext4 keeps away from numbers freed within the last seconds and looks at each).
"""

import os

WORKSPACE, OUTPUT = "/workspace", "/output"
# An empty file that waits in the workspace to become the first one of the next run: renaming is cheaper than creating.
SPARE = ".syla-spare"
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def freshen():
    """Both, as new but for the spare file. No process of a run is alive."""
    for path in (WORKSPACE, OUTPUT):
        os.chmod(path, 0o755)
        forget_attributes(path)
        folders, spare = [], None
        with os.scandir(path) as listing:
            for entry in listing:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif spare is None and path == WORKSPACE and can_be_spare(entry):
                    spare = entry
                else:
                    os.unlink(entry.path)
        if folders:
            empty(os.open(path, FOLDER), folders)
        if spare is not None:
            clear(spare.path)
            if spare.name != SPARE:
                os.rename(spare.path, f"{WORKSPACE}/{SPARE}")


def can_be_spare(entry):
    """An ordinary file that has one name."""
    return entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_nlink == 1


def clear(path):
    """Leaves nothing of a file but the inode."""
    os.chmod(path, 0o600)
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC)
    forget_attributes(descriptor)
    os.close(descriptor)


def forget_attributes(file):
    for name in os.listxattr(file):
        os.removexattr(file, name)


def empty(current, folders):
    """Removes the `folders` of an open one, which it closes, whatever a hostile program left in them: trees deeper than any path, folders
    without rights, odd names.

    Walks by descriptor, one level down or up at a time. The only processes that could interfere are dead.
    """
    stack = [(None, folders)]
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
