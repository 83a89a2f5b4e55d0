"""Requirement files that include others: inside the tree, once each, and not in circles."""

import posixpath

from .limits import MAX_INCLUDE_DEPTH
from .tree import folder_of, problem


def missing_includes(read, tree):
    """Files that are included and were not read as requirements."""
    wanted = set()
    for facts in read.values():
        for include in _includes(facts):
            target = _target(facts["manifest"]["file"], include["path"])
            if target is not None and target in tree.files and (read.get(target) or {}).get("manifest") is None:
                wanted.add(target)
    return sorted(wanted)


def included_files(manifest):
    """What a file needs besides, by their paths in the tree."""
    targets = [_target(manifest["file"], include["path"]) for include in manifest["includes"] if not include["constraint"]]
    return sorted({target for target in targets if target is not None})


def _includes(facts):
    manifest = facts.get("manifest")
    return manifest["includes"] if manifest is not None else ()


def _target(file, path):
    """Null for what leads out of the tree or to a server."""
    if "://" in path or path.startswith("/") or "\0" in path or "\\" in path:
        return None
    target = posixpath.normpath(posixpath.join(folder_of(file), path))
    return None if target == ".." or target.startswith("../") else target


def check_includes(read, tree, problems):
    for path in sorted(read):
        for include in _includes(read[path]):
            target = _target(path, include["path"])
            line = include["line"]
            if target is None:
                message = f"{include['path']!r} is outside of the program; it was not read."
                problems.append(problem("warning", "include_outside", message, path, line, 1))
            elif target not in tree.files:
                problems.append(problem("warning", "include_missing", f"{include['path']!r} is not there.", path, line, 1))
            elif _leads_back(target, path, read):
                message = f"{include['path']!r} includes this file again; each is read once."
                problems.append(problem("warning", "include_circle", message, path, line, 1))


def _leads_back(start, goal, read):
    waiting, seen = [(start, 0)], set()
    while waiting:
        path, depth = waiting.pop()
        if path == goal:
            return True
        if path in seen or depth > MAX_INCLUDE_DEPTH * 10:
            continue
        seen.add(path)
        for include in _includes(read.get(path) or {}):
            target = _target(path, include["path"])
            if target is not None:
                waiting.append((target, depth + 1))
    return False


def constraint_files(read):
    """Files that only constrain what others ask for."""
    constrained, required = set(), set()
    for path, facts in read.items():
        for include in _includes(facts):
            target = _target(path, include["path"])
            (constrained if include["constraint"] else required).add(target)
    return constrained - required
