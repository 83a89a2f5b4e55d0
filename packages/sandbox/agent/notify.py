"""Tells the host what changes below a folder: inotify, gathered for a moment."""

import ctypes
import os
import select
import struct
import time

import files
import linux
from channels import Task

GATHER = 0.05  # seconds
MAX_FOLDERS = 8192
MAX_PENDING = 4096
RECORD = struct.Struct("iIII")
MODIFY, ATTRIBUTE, CLOSED, FROM, TO, CREATED, DELETED = 0x2, 0x4, 0x8, 0x40, 0x80, 0x100, 0x200
SELF_DELETED, UNMOUNTED, OVERFLOW, IGNORED, IS_FOLDER = 0x400, 0x2000, 0x4000, 0x8000, 0x40000000
WANTED = MODIFY | ATTRIBUTE | CLOSED | FROM | TO | CREATED | DELETED | SELF_DELETED
ONLY_FOLDER, NO_LINK = 0x01000000, 0x02000000
WORDS = ((CREATED | TO, "created"), (DELETED | FROM, "deleted"), (MODIFY | CLOSED, "modified"), (ATTRIBUTE, "attributes"))


class Watch(Task):
    """OPEN {path, recursive}: EVENT {ready}, then EVENTs {changes: [{type, path, folder}], overflow}. Ends when the folder is gone."""

    def __init__(self, channel, wish, daemon):
        super().__init__(channel)
        self.recursive = wish.get("recursive") is True
        self.folders, self.pending, self.overflow, self.send_at = {}, {}, False, None
        self.descriptor = linux.check(linux.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), "inotify_init1")
        try:
            self.root = files.path_of(wish)
            self.add(self.root)
            if self.recursive:
                self.add_below(self.root)
        except BaseException:
            os.close(self.descriptor)
            raise
        channel.event({"ready": True})

    def add(self, folder):
        number = linux.libc.inotify_add_watch(self.descriptor, folder, ctypes.c_uint32(WANTED | ONLY_FOLDER | NO_LINK))
        self.folders[linux.check(number, "inotify_add_watch")] = folder

    def add_below(self, folder):
        """What is in a folder already when it begins to be watched counts as created, unless it is the first."""
        for entry in files.walk(folder, 64):
            if entry["kind"] != "folder":
                continue
            if len(self.folders) >= MAX_FOLDERS:
                self.overflow = True
                return
            try:
                self.add(files.base64.b64decode(entry["path"]))
            except OSError:
                continue  # gone meanwhile

    def descriptors(self):
        return [(self.descriptor, select.POLLIN)] if len(self.pending) < MAX_PENDING else ()

    def ready(self, descriptor, events):
        data = os.read(self.descriptor, 65536)
        position = 0
        while position < len(data):
            number, mask, _, length = RECORD.unpack_from(data, position)
            position += RECORD.size
            name = data[position : position + length].rstrip(b"\0")
            position += length
            self.record(number, mask, name)
        if self.send_at is None and (self.pending or self.overflow):
            self.send_at = time.monotonic() + GATHER

    def record(self, number, mask, name):
        if mask & OVERFLOW:
            self.overflow = True
            return
        folder = self.folders.get(number)
        if mask & IGNORED:
            self.folders.pop(number, None)
            if folder == self.root:
                self.channel.finish({"gone": True})
            return
        if folder is None or not name:
            return
        path = os.path.join(folder, name)
        for bits, word in WORDS:
            if mask & bits:
                # The last word counts, but that what was created just now and then written to is new.
                before = self.pending.pop(path, None)
                new = before is not None and before[0] == "created" and word in ("modified", "attributes")
                self.pending[path] = ("created" if new else word, bool(mask & IS_FOLDER))
        if self.recursive and mask & IS_FOLDER and mask & (CREATED | TO):
            self.follow(path)

    def follow(self, folder):
        try:
            self.add(folder)
            for entry in files.walk(folder, 64):
                path = files.base64.b64decode(entry["path"])
                self.pending.setdefault(path, ("created", entry["kind"] == "folder"))
            self.add_below(folder)
        except OSError:
            pass  # gone meanwhile

    @property
    def due(self):
        return self.send_at if self.channel.room > 0 else None

    def step(self):
        self.send_at = None
        batch = [self.pending.popitem() for _ in range(min(len(self.pending), files.BATCH))]
        changes = [{"path": files.encode(path), "type": word, "folder": folder} for path, (word, folder) in reversed(batch)]
        self.channel.event({"changes": changes, "overflow": self.overflow})
        self.overflow = False
        if self.pending:
            self.send_at = time.monotonic()

    def close(self):
        os.close(self.descriptor)


OPERATIONS = {"watch": Watch}
