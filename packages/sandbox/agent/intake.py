"""The files that the host puts into the workspace before the program runs."""

import json
import os

import folders
import frames
import overlays
import returns
from folders import SPARE


class Intake:
    """One file after another; `done` leaves no trace but them."""

    def __init__(self):
        self.file = self.path = None
        self.root = "/workspace"  # as the program finds it, where init gets to that
        self.put_in = {}  # path → what tells whether it is still what was put in; None for links
        self.has_spare = True  # until it is taken, or found missing
        self.device, self.layers = None, ()  # of the overlay, where there is one

    def handle(self, kind, body):
        if kind == frames.FILE:
            self.open(json.loads(body))
        elif kind == frames.DATA:
            frames.write_whole(self.file, body)

    def show(self, wish, child):
        """Has the child see trees as its workspace, before there is anything in it. None, or why that is not possible: then it is as it was."""
        self.drop_spare()
        error = overlays.show(child, wish["layers"], wish["gone"])
        if error is None:
            self.root = f"/proc/{child.pid}/root/workspace"
            self.device, self.layers = os.stat(self.root).st_dev, wish["layers"]
        else:
            folders.freshen()
        return error

    def open(self, facts):
        """Begins the next file, {path, mode}, or makes a link, {path, link}."""
        self.close()
        path = os.path.join(self.root, facts["path"])
        if facts["path"].split("/", 1)[0] == SPARE:
            self.drop_spare()
        if "/" in facts["path"]:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if "link" in facts:
            os.symlink(facts["link"], path)
            self.put_in[facts["path"]] = None
            return
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        if self.take_spare(path):
            self.file = os.open(path, flags)
        else:  # one of a tree may be in its place
            new = os.O_EXCL if self.device is None else os.O_TRUNC
            self.file = os.open(path, flags | os.O_CREAT | new, facts["mode"] & 0o777)
        os.fchmod(self.file, facts["mode"] & 0o777)
        self.path = facts["path"]

    def take_spare(self, path):
        """Makes the spare file the first file of the run."""
        if not self.has_spare:
            return False
        self.has_spare = False
        try:
            os.rename(f"/workspace/{SPARE}", path)
        except FileNotFoundError:
            return False
        return True

    def close(self):
        if self.file is not None:
            # An overlay has other numbers for its files.
            status = os.fstat(self.file) if self.device is None else os.stat(f"{overlays.UPPER}/{self.path}", follow_symlinks=False)
            self.put_in[self.path] = returns.facts_of(status)
            os.close(self.file)
            self.file = None

    def done(self):
        self.close()
        self.drop_spare()

    def drop_spare(self):
        """What is put in from now on may have its name."""
        if not self.has_spare:
            return
        self.has_spare = False
        try:
            os.unlink(f"/workspace/{SPARE}")
        except FileNotFoundError:
            pass
