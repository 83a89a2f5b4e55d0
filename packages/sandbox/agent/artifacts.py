"""What a program left in /output, on its way to the host. No process of the program is alive by then."""

import os
import stat

import frames

DEEPEST = 3800  # bytes of a folder's path, so that one more name stays below PATH_MAX


def send_artifacts(send, limits):
    """Hands every regular file under /output, in path order, to `send(kind, payload)`. No link is followed."""
    left, count = limits["maxBytes"], 0
    for path in sorted(regular_files("/output", send)):
        name = os.path.relpath(path, b"/output")
        try:
            text = name.decode()
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (UnicodeDecodeError, OSError) as error:
            skip(send, name, "the name is not UTF-8" if isinstance(error, UnicodeDecodeError) else "it could not be read")
            continue
        size = os.fstat(descriptor).st_size
        if size > left or count >= limits["maxFiles"]:
            skip(send, name, "over the limit for artifacts of one run")
        else:
            left, count = left - size, count + 1
            send_file(send, descriptor, text, size)
        os.close(descriptor)


def send_file(send, descriptor, path, size, kind=frames.ARTIFACT, more=None):
    send(kind, frames.as_json({"path": path, "size": size, **(more or {})}))
    while chunk := os.read(descriptor, 1 << 18):
        send(frames.DATA, chunk)


def regular_files(folder, send):
    """Paths (bytes) of regular files; everything else but folders is reported as skipped."""
    found, folders = [], [os.fsencode(folder)]
    while folders:
        current = folders.pop()
        if len(current) > DEEPEST:
            skip(send, os.path.relpath(current, os.fsencode(folder)), "too deep")
            continue
        with os.scandir(current) as listing:
            for entry in listing:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    folders.append(entry.path)
                elif stat.S_ISREG(mode):
                    found.append(entry.path)
                else:
                    skip(send, os.path.relpath(entry.path, os.fsencode(folder)), "not a regular file")
    return found


def skip(send, name, reason):
    send(frames.SKIPPED, frames.as_json({"path": name.decode(errors="replace"), "reason": reason}))
