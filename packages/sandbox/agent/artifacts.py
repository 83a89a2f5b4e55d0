"""What a program left in /output, on its way to the host. No process of the program is alive by then."""

import os
import stat

import frames

DEEPEST = 3800  # bytes of a folder's path, so that one more name stays below PATH_MAX


def send_artifacts(sock, limits):
    """Sends every regular file under /output, in path order. No link is followed."""
    left, count = limits["maxBytes"], 0
    for path in sorted(regular_files("/output", sock)):
        name = os.path.relpath(path, b"/output")
        try:
            text = name.decode()
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (UnicodeDecodeError, OSError) as error:
            skip(sock, name, "the name is not UTF-8" if isinstance(error, UnicodeDecodeError) else "it could not be read")
            continue
        size = os.fstat(descriptor).st_size
        if size > left or count >= limits["maxFiles"]:
            skip(sock, name, "over the limit for artifacts of one run")
        else:
            left, count = left - size, count + 1
            send_file(sock, descriptor, text, size)
        os.close(descriptor)


def send_file(sock, descriptor, path, size):
    frames.send_json(sock, frames.ARTIFACT, {"path": path, "size": size})
    while chunk := os.read(descriptor, 1 << 18):
        frames.send(sock, frames.DATA, chunk)


def regular_files(folder, sock):
    """Paths (bytes) of regular files; everything else but folders is reported as skipped."""
    found, folders = [], [os.fsencode(folder)]
    while folders:
        current = folders.pop()
        if len(current) > DEEPEST:
            skip(sock, os.path.relpath(current, os.fsencode(folder)), "too deep")
            continue
        with os.scandir(current) as listing:
            for entry in listing:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    folders.append(entry.path)
                elif stat.S_ISREG(mode):
                    found.append(entry.path)
                else:
                    skip(sock, os.path.relpath(entry.path, os.fsencode(folder)), "not a regular file")
    return found


def skip(sock, name, reason):
    frames.send_json(sock, frames.SKIPPED, {"path": name.decode(errors="replace"), "reason": reason})
