"""What a program has changed in /workspace, on its way to the host. No process of the program is alive by then."""

import os
import stat

import frames
import overlays
from artifacts import DEEPEST, send_file

ROOT = b"/workspace"
UPPER = os.fsencode(overlays.UPPER)
# A file that was put in so shortly before the program began may have been changed within the same tick of the clock: it is sent in any case.
TICK_NS = 50_000_000
AT_ONCE = 200  # names in one frame


def facts_of(status):
    """What is another one once a file has been written to or replaced. A program cannot set the time of the change back."""
    return status.st_ino, status.st_ctime_ns, status.st_size


def send_changes(send, put_in, began_ns, limits, layers):
    """Hands every regular file that is not what was put in to `send(kind, payload)`, then the names of what has gone, then LEFT: how complete it is.

    `put_in`: {path: facts, or None for a link}; `limits`: {maxBytes, maxFiles, ignore}, the last one names of folders that nobody looks into.
    `layers`: the trees below an overlay, where there is one: what was not touched is there alone, and not looked at.
    """
    ignore = {os.fsencode(name) for name in limits["ignore"]}
    root = UPPER if layers else ROOT
    left, count, skipped, is_whole, seen, gone = limits["maxBytes"], 0, 0, True, set(), []
    for path, status in entries(root, ignore):
        if path is None:
            is_whole = False
            continue
        name = path[len(root) + 1 :]
        if layers and overlays.takes_place(name, status, layers):
            gone.append(os.fsdecode(name))
        if stat.S_ISDIR(status.st_mode) or (layers and overlays.is_whiteout(status)):
            continue
        try:
            name = name.decode()
        except UnicodeDecodeError:
            skipped += 1
            continue
        seen.add(name)
        facts = put_in.get(name)
        if not stat.S_ISREG(status.st_mode):
            skipped += name not in put_in
            continue
        if facts == facts_of(status) and status.st_ctime_ns < began_ns - TICK_NS:
            continue
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            skipped += 1
            continue
        size = os.fstat(descriptor).st_size
        if size > left or count >= limits["maxFiles"]:
            is_whole = False
        else:
            left, count = left - size, count + 1
            send_file(send, descriptor, name, size, frames.RETURNED, {"executable": bool(status.st_mode & 0o100)})
        os.close(descriptor)
        if not is_whole:
            break
    gone += [name for name in put_in if name not in seen and not is_ignored(name, ignore)]
    for start in range(0, len(gone) if is_whole else 0, AT_ONCE):
        send(frames.GONE, frames.as_json({"paths": gone[start : start + AT_ONCE]}))
    send(frames.LEFT, frames.as_json({"whole": is_whole, "skipped": skipped}))


def is_ignored(name, ignore):
    return any(os.fsencode(part) in ignore for part in name.split("/"))


def entries(root, ignore):
    """Paths (bytes) of everything, with its facts; None for a folder that cannot be read. No link is followed."""
    folders = [root]
    while folders:
        current = folders.pop()
        if len(current) > DEEPEST:
            yield None, None
            continue
        try:
            with os.scandir(current) as listing:
                found = [(entry.name, entry.path, entry.stat(follow_symlinks=False)) for entry in listing]
        except OSError:
            yield None, None
            continue
        for name, path, status in found:
            if name in ignore:
                continue
            if stat.S_ISDIR(status.st_mode):
                folders.append(path)
            yield path, status
