"""Builds the dependencies of a program, inside a sandbox that reaches the package index and nothing else.

/workspace/request.json says what: {manager, tool, interpreter, env, files: [name]}; the files are in /workspace/project. What comes of it
lies in /output: `lock` (what was chosen, exactly), `packages.json`, and last of all `layer.tar`, which the host unpacks. Phases are told on
standard error, in lines that begin with PHASE. Packages run code of their own while they are installed, so nothing that comes out of here
is believed by the host.
"""

import importlib
import json
import os
import subprocess
import sys
import tarfile

PHASE = "\x1e"
PROJECT, LAYER, OUTPUT = "/workspace/project", "/workspace/layer", "/output"
# On the disk rather than in /tmp, which is small and memory.
FOLDERS = {"TMPDIR": "/workspace/.tmp", "XDG_CACHE_HOME": "/workspace/.cache", "HOME": "/workspace/.home"}
MODULES = {"uv": "python_packages", "npm": "node_packages", "go": "go_modules"}
CHUNK = 65536


class Failed(Exception):
    """A tool has said what is wrong; nothing is to be added."""


def phase(name):
    sys.stderr.write(f"{PHASE}{name}\n")
    sys.stderr.flush()


def say(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def run(words, on_line=None, cwd=PROJECT, must_succeed=True):
    """Runs a tool; what it prints is the log. `on_line` sees each line."""
    child = subprocess.Popen(words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in child.stdout:
        text = line.decode(errors="replace").replace(PHASE, "").rstrip("\n")
        say(text)
        if on_line is not None:
            on_line(text)
    if child.wait() != 0 and must_succeed:
        raise Failed(f"{os.path.basename(words[0])} ended with {child.returncode}")


def read(words, cwd=PROJECT):
    """What a tool prints on its standard output."""
    return subprocess.run(words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")


def pack():
    """One archive, the same for the same files: names sorted, no times, no owners, no rights but to read and to run."""
    partial = f"{OUTPUT}/layer.partial"
    with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as archive:
        for folder, folders, files in os.walk(LAYER):
            folders.sort()
            for name in sorted([*folders, *files]):
                path = os.path.join(folder, name)
                if os.path.isdir(path) and not os.path.islink(path):
                    continue
                add(archive, path)
    os.rename(partial, f"{OUTPUT}/layer.tar")


def add(archive, path):
    entry = tarfile.TarInfo(os.path.relpath(path, LAYER))
    if os.path.islink(path):
        entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(path)
        archive.addfile(entry)
    elif os.path.isfile(path):
        status = os.stat(path)
        entry.size, entry.mode = status.st_size, 0o755 if status.st_mode & 0o100 else 0o644
        with open(path, "rb") as content:
            archive.addfile(entry, content)


def main():
    with open("/workspace/request.json") as text:
        request = json.load(text)
    os.environ.update(FOLDERS)
    os.environ.update(request["env"])
    for path in (*FOLDERS.values(), PROJECT, LAYER):
        os.makedirs(path, exist_ok=True)
    sys.path.insert(0, "/workspace/builder")
    packages = importlib.import_module(MODULES[request["manager"]]).make(request)
    with open(f"{OUTPUT}/packages.json", "w") as text:
        json.dump(sorted(packages, key=lambda entry: entry["name"].lower()), text)
    pack()


if __name__ == "__main__":
    sys.modules["build"] = sys.modules["__main__"]
    try:
        main()
    except Failed as error:
        say(str(error))
        sys.exit(1)
