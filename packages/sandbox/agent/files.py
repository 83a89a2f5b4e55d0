"""Files of a session, with the rights of its programs and through their eyes: no path leads anywhere that they could not go themselves.

Names are bytes: they travel in base64. A relative path begins at /workspace.
"""

import base64
import errno
import os
import secrets
import shutil
import stat

from channels import DATA, EVENT, RefusalError, Task, as_json

CHUNK = 65536
BATCH = 200  # entries of a listing, or removals, at a time
KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}


def path_of(wish, key="path"):
    path = base64.b64decode(wish[key])
    if not path or b"\0" in path:
        raise RefusalError("invalid", "the path is empty or contains NUL")
    return os.path.join(b"/workspace", path)


def encode(name):
    return base64.b64encode(name).decode()


def describe(path, facts):
    """An entry as the host sees it. `size` is 0 for what is no file."""
    kind = KINDS.get(stat.S_IFMT(facts.st_mode), "other")
    target = None
    if kind == "link":
        try:
            target = encode(os.readlink(path))
        except OSError:
            pass
    return {
        "path": encode(path),
        "kind": kind,
        "size": facts.st_size if kind == "file" else 0,
        "mode": stat.S_IMODE(facts.st_mode),
        "modifiedMs": facts.st_mtime_ns // 1_000_000,
        "changedMs": facts.st_ctime_ns // 1_000_000,
        "stamp": f"{facts.st_ino}-{facts.st_ctime_ns}-{facts.st_size}",
        "target": target,
    }


def look(path):
    return describe(path, os.lstat(path))


def require_file(descriptor):
    """Only ordinary files: reading a pipe or a terminal would wait for somebody."""
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise RefusalError("EISDIR" if stat.S_ISDIR(mode) else "not_a_file", "it is not an ordinary file")


def act(channel, work):
    """An operation that is done at once."""
    channel.finish(work())
    return Task(channel)


class Read(Task):
    """OPEN {path, offset?, length?}: EVENT of the entry, then its bytes, then END."""

    def __init__(self, channel, wish, daemon):
        super().__init__(channel)
        path = path_of(wish)
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        require_file(self.descriptor)
        facts = os.fstat(self.descriptor)
        self.offset = max(0, wish.get("offset") or 0)
        self.left = wish.get("length")
        channel.event({"entry": describe(path, facts)})

    @property
    def busy(self):
        return self.channel.room > 0

    def step(self):
        size = min(CHUNK, self.channel.room, CHUNK if self.left is None else self.left)
        data = os.pread(self.descriptor, size, self.offset) if size > 0 else b""
        if not data:
            self.channel.finish()
            return
        self.offset += len(data)
        if self.left is not None:
            self.left -= len(data)
        self.channel.send(DATA, data)

    def close(self):
        os.close(self.descriptor)


class Write(Task):
    """OPEN {path, mode?, parents?}, then DATA and END: the file is there with all of it, or as it was before. Follows links."""

    def __init__(self, channel, wish, daemon):
        super().__init__(channel)
        self.temporary = self.descriptor = None
        self.path = os.path.realpath(path_of(wish))
        folder = os.path.dirname(self.path)
        if wish.get("parents"):
            os.makedirs(folder, exist_ok=True)
        mode = wish.get("mode")
        try:
            before = os.lstat(self.path)
        except FileNotFoundError:
            before = None
        if before is not None and not stat.S_ISREG(before.st_mode):
            raise RefusalError("EISDIR" if stat.S_ISDIR(before.st_mode) else "not_a_file", "it is not an ordinary file")
        if mode is None:
            mode = 0o644 if before is None else stat.S_IMODE(before.st_mode)
        if before is not None and not os.access(self.path, os.W_OK):
            raise PermissionError(errno.EACCES, "")
        temporary = os.path.join(folder, f".syla-{secrets.token_hex(8)}".encode())
        self.descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.temporary, self.mode = temporary, mode & 0o777

    def data(self, kind, payload):
        view = memoryview(payload)
        while view:
            view = view[os.write(self.descriptor, view) :]
        self.channel.take(len(payload))

    def ended(self):
        os.fchmod(self.descriptor, self.mode)
        os.rename(self.temporary, self.path)
        self.temporary = None
        self.channel.finish({"entry": look(self.path)})

    def close(self):
        if self.descriptor is not None:
            os.close(self.descriptor)
        if self.temporary is not None:
            try:
                os.unlink(self.temporary)
            except OSError:
                pass


class Listing(Task):
    """OPEN {path, depth, limit, ignore, whole}: EVENTs {entries}, then END {truncated}. Folders before what is in them.

    Follows no link below `path`, and leaves out what is called as in `ignore`. When it has to be `whole`, a folder that cannot be read is told as
    truncated.
    """

    def __init__(self, channel, wish, daemon):
        super().__init__(channel)
        self.left, self.truncated = max(1, min(int(wish["limit"]), 100_000)), False
        self.unread = []
        ignore = {os.fsencode(name) for name in wish.get("ignore") or ()}
        self.whole = wish.get("whole") is True
        self.walk = walk(path_of(wish), max(1, min(int(wish["depth"]), 64)), ignore, self.unread)

    @property
    def busy(self):
        return self.channel.room > 0

    def step(self):
        entries, over = [], False
        for _ in range(min(BATCH, self.left + 1)):
            entry = next(self.walk, None)
            if entry is None or self.left == 0:
                over, self.truncated = True, entry is not None
                break
            entries.append(entry)
            self.left -= 1
        if entries:
            self.channel.send(EVENT, as_json({"entries": entries}))
        if over:
            self.channel.finish({"truncated": self.truncated or (self.whole and bool(self.unread))})


def walk(path, depth, ignore=frozenset(), unread=None):
    """Entries below a folder, by name. One that is gone meanwhile, or may not be entered, is passed over; `path` itself is not.

    What could not be read, or lies too deep, is added to `unread`.
    """
    pending = [(path, depth)]
    first = True
    while pending:
        folder, left = pending.pop()
        try:
            with os.scandir(folder) as found:
                names = sorted(entry.name for entry in found)
        except OSError as error:
            if first:
                raise
            if unread is not None and not isinstance(error, FileNotFoundError):
                unread.append(folder)
            continue
        first = False
        inner = []
        for name in names:
            if name in ignore:
                continue
            inside = os.path.join(folder, name)
            try:
                facts = os.lstat(inside)
            except OSError:
                continue
            yield describe(inside, facts)
            if not stat.S_ISDIR(facts.st_mode):
                continue
            if left > 1:
                inner.append((inside, left - 1))
            elif unread is not None and len(unread) == 0:
                unread.append(inside)
        pending += reversed(inner)


class Removal(Task):
    """OPEN {path, recursive}: a little at a time, so that a large tree holds nobody up."""

    def __init__(self, channel, wish, daemon):
        super().__init__(channel)
        path = path_of(wish)
        if os.path.realpath(path) in (b"/workspace", b"/output", b"/tmp", b"/"):
            raise RefusalError("EBUSY", "this folder stays")
        self.work = remove(path, wish.get("recursive") is True)

    busy = True

    def step(self):
        for _ in range(BATCH):
            if next(self.work, self) is self:
                self.channel.finish()
                return


def remove(path, recursive):
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        os.unlink(path)
        return
    if not recursive:
        os.rmdir(path)
        return
    for folder, folders, names in os.walk(path, topdown=False):
        for name in names:
            os.unlink(os.path.join(folder, name))
            yield
        for name in folders:
            inside = os.path.join(folder, name)
            if os.path.islink(inside):
                os.unlink(inside)
            else:
                os.rmdir(inside)
            yield
    os.rmdir(path)


def take_stat(channel, wish, daemon):
    return act(channel, lambda: {"entry": look(path_of(wish))})


def make_folder(channel, wish, daemon):
    def work():
        path = path_of(wish)
        if wish.get("parents"):
            os.makedirs(path, exist_ok=True)
        else:
            os.mkdir(path)
        return {"entry": look(path)}

    return act(channel, work)


def move(channel, wish, daemon):
    def work():
        source, target = path_of(wish), path_of(wish, "target")
        if not wish.get("overwrite") and os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "")
        try:
            os.rename(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            shutil.move(source, target)
        return {"entry": look(target)}

    return act(channel, work)


def change_mode(channel, wish, daemon):
    def work():
        path = path_of(wish)
        os.chmod(path, int(wish["mode"]) & 0o777)
        return {"entry": look(path)}

    return act(channel, work)


OPERATIONS = {
    "stat": take_stat,
    "read": Read,
    "write": Write,
    "list": Listing,
    "remove": Removal,
    "mkdir": make_folder,
    "move": move,
    "chmod": change_mode,
}
