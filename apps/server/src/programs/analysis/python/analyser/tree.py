"""The files of the tree: names, sizes and content. Links are never followed."""

import os
import stat

from .limits import MAX_DEPTH, MAX_FILES

# Not part of a program: history, and what tools can make again.
IGNORED_FOLDERS = {
    ".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".nox", ".eggs",
    ".pytest_cache", ".mypy_cache", ".ruff_cache", ".ipynb_checkpoints",
}


class Tree:
    """`files` maps a path with `/` to its size. In names what is no UTF-8 is escaped."""

    def __init__(self, root, own):
        self.root = root
        self.files = {}
        self._real = {}
        self.left_out = 0
        self.problems = []
        self._own = own
        self._walk()

    def _walk(self):
        waiting = [("", 0)]
        while waiting:
            folder, depth = waiting.pop()
            try:
                with os.scandir(os.path.join(self.root, self._real.get(folder, folder))) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self._problem("unreadable", f"The folder cannot be read: {error.strerror}.", folder)
                continue
            folders = []
            for entry in found:
                path = join(folder, shown(entry.name))
                if path != join(folder, entry.name) or folder in self._real:
                    self._real[path] = join(self._real.get(folder, folder), entry.name)
                self._look_at(entry, path, depth, folders)
            waiting.extend(reversed(folders))

    def _look_at(self, entry, path, depth, folders):
        try:
            facts = entry.stat(follow_symlinks=False)
        except OSError as error:
            return self._problem("unreadable", f"The file cannot be read: {error.strerror}.", path)
        if stat.S_ISLNK(facts.st_mode):
            self._problem("symlink", "A symbolic link is not followed.", path)
        elif stat.S_ISDIR(facts.st_mode):
            if entry.path == self._own or entry.name in IGNORED_FOLDERS:
                return
            if depth + 1 > MAX_DEPTH:
                return self._problem("too_deep", f"Folders deeper than {MAX_DEPTH} levels are not looked at.", path)
            folders.append((path, depth + 1))
        elif not stat.S_ISREG(facts.st_mode):
            self._problem("not_a_file", "Devices, sockets and pipes are not looked at.", path)
        elif len(self.files) >= MAX_FILES:
            self.left_out += 1
        else:
            self.files[path] = facts.st_size

    def _problem(self, code, message, path):
        self.problems.append(problem("warning", code, message, path))

    def read(self, path, limit):
        """At most `limit` bytes of a file."""
        descriptor = os.open(os.path.join(self.root, self._real.get(path, path)), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(limit)


def shown(name):
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def problem(severity, code, message, file=None, line=None, column=None):
    return {"severity": severity, "code": code, "message": message, "file": file, "line": line, "column": column}


def folder_of(path):
    return path.rpartition("/")[0]


def name_of(path):
    return path.rpartition("/")[2]


def join(folder, name):
    return f"{folder}/{name}" if folder else name
