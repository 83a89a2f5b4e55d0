"""Puts together what the files say: one document for a tree."""

import json
import platform
import time

from . import manifests
from .entrypoints import find_entrypoints
from .imports import imported_packages, is_declared, normalize
from .includes import check_includes, constraint_files, included_files, missing_includes
from .interpret import Interpreter
from .limits import FILE_SECONDS, MAX_INCLUDE_DEPTH, MAX_ITEMS, MAX_FILES, MAX_NOTEBOOK_BYTES, MAX_RESULT_BYTES, TOTAL_SECONDS
from .modules import Modules
from .reader import Reader
from .tree import Tree, problem
from .worker import read_all

_LOST = {
    "crash": ("analyser_crashed", "Reading this file ended the reader; the other files were read."),
    "time": ("time_limit", f"Reading this file took longer than {FILE_SECONDS} s."),
    "memory": ("memory_limit", "Reading this file needs more memory than there is for it."),
}


def analyse(root, own):
    deadline = time.monotonic() + TOTAL_SECONDS
    tree = Tree(root, own)
    problems = list(tree.problems)
    with_mellea = _mentions_mellea(tree, deadline)
    read, unread = _read(tree, Reader(tree, with_mellea), sorted(tree.files), deadline, problems)
    for _ in range(MAX_INCLUDE_DEPTH):
        wanted = missing_includes(read, tree)
        if not wanted:
            break
        more, left = _read(tree, Reader(tree, False, wanted), wanted, deadline, problems)
        for path, facts in more.items():
            read[path]["manifest"] = facts.get("manifest")
            problems.extend(facts["problems"])
        unread += left
    for path in sorted(read):
        problems.extend(read[path]["problems"])
    modules = {path: facts["module"] for path, facts in read.items() if facts.get("module") is not None}
    names = Modules(tree.files, _is_mellea_itself(read))
    slots, calls = _follow(modules, names, with_mellea, problems)
    check_includes(read, tree, problems)
    document = {
        "interpreter": platform.python_version(),
        "complete": unread == 0,
        "files": _count(tree, read, unread),
        "pythonVersions": _python_versions(read),
        "manifests": _manifests(read),
        "entrypoints": find_entrypoints(read, tree),
        "dependencies": _dependencies(read, modules, names, problems),
        "slots": slots,
        "calls": calls,
        "secrets": _secrets(read),
        "variables": [one for path in sorted(read) for one in read[path].get("variables", [])],
    }
    _tell_limits(tree, unread, names, slots, problems)
    _place_cells(document, problems, read)
    document["problems"] = sorted(problems, key=lambda one: (_SEVERITIES.index(one["severity"]), one["file"] or "", one["line"] or 0))
    return _bounded(document)


_SEVERITIES = ("error", "warning", "info")


def _mentions_mellea(tree, deadline):
    """Names are followed only where there may be something to find."""
    for path in tree.files:
        if path.endswith((".py", ".pyw", ".ipynb")) and time.monotonic() < deadline:
            try:
                if b"mellea" in tree.read(path, MAX_NOTEBOOK_BYTES):
                    return True
            except OSError:
                continue
    return False


def _read(tree, reader, paths, deadline, problems):
    read, unread = {}, 0
    for path, facts, reason in read_all(paths, reader, deadline):
        if facts is not None:
            read[path] = facts
        elif reason == "deadline":
            unread += 1
        else:
            code, message = _LOST[reason]
            problems.append(problem("error", code, message, path))
            unread += reason == "time"
    return read, unread


def _is_mellea_itself(read):
    facts = read.get("pyproject.toml") or {}
    return bool(facts.get("manifest")) and facts["manifest"]["name"] == "mellea"


def _follow(modules, names, with_mellea, problems):
    if not with_mellea:
        return [], []
    uses_path = any(facts["usesPath"] for facts in modules.values())
    if uses_path and any(True for _ in names.shadows) and not names.own_mellea:
        message = "A file of the program is called mellea and the program changes sys.path: no slot can be told for sure."
        problems.append(problem("warning", "shadowed_mellea", message, names.shadows[0]))
        return [], []
    interpreter = Interpreter(modules, names)
    interpreter.run()
    slots = interpreter.slots.finish()
    calls = interpreter.slots.calls.finish()
    problems.extend(interpreter.problems)
    for path, facts in modules.items():
        if facts["callsLeftOut"]:
            problems.append(problem("info", "calls_left_out", f"{facts['callsLeftOut']} more calls were not looked at.", path))
    return slots, calls


def _count(tree, read, unread):
    paths = list(tree.files)
    return {
        "total": len(paths),
        "bytes": sum(tree.files.values()),
        "python": sum(path.endswith((".py", ".pyw")) for path in paths),
        "notebooks": sum(path.endswith(".ipynb") for path in paths),
        "leftOut": tree.left_out,
        "unread": unread,
    }


def _each_manifest(read):
    for path in sorted(read):
        for key in ("manifest", "inline"):
            if read[path].get(key) is not None:
                yield read[path][key]


def _manifests(read):
    return [
        {
            **{key: one[key] for key in ("kind", "file", "name", "version", "dynamic")},
            "options": one["options"][:50],
            "requires": one["requires"][:50],
            "includes": included_files(one)[:50],
        }
        for one in _each_manifest(read)
    ]


def _python_versions(read):
    return [
        {"constraint": wanted["constraint"], "source": one["kind"], "file": one["file"], "line": wanted["line"]}
        for one in _each_manifest(read)
        for wanted in one["requires"]
        if wanted["language"] == "python"
    ]


def _secrets(read):
    found = []
    for path in sorted(read):
        seen = set()
        for one in read[path].get("secrets", []):
            seen.add(one["line"])
            found.append(one)
        for one in _each_manifest({path: read[path]}):
            for secret in one["secrets"]:
                if secret["line"] not in seen:
                    found.append({"file": path, **secret, "reason": "A URL holds a password."})
    return found


def _dependencies(read, modules, names, problems):
    constraints = constraint_files(read)
    declared = []
    for one in _each_manifest(read):
        for made in one["dependencies"]:
            declared.append({**made, "group": "constraint"} if one["file"] in constraints else made)
    for path in sorted(read):
        for text, cell, line in (read[path].get("notebook") or {}).get("installed", ()):
            made = manifests.read_requirement(text, path, line)
            if made is not None:
                declared.append({**made, "cell": cell})
    imported = imported_packages(modules, names)
    has_python = any(made["ecosystem"] == "python" and made["group"] not in ("build", "constraint") for made in declared)
    if not has_python:
        return declared + [imported[name] for name in sorted(imported, key=str.lower)]
    known = {normalize(made["name"]) for made in declared if made["ecosystem"] == "python"}
    for name in sorted(imported, key=str.lower):
        if not is_declared(name, known):
            place = imported[name]
            message = f"{name} is imported, and no file declares it."
            problems.append(problem("info", "undeclared_import", message, place["file"], place["line"], 1))
    return declared


def _tell_limits(tree, unread, names, slots, problems):
    if tree.left_out:
        problems.append(problem("warning", "too_many_files", f"Only {MAX_FILES} files were looked at; {tree.left_out} more are there."))
    if unread:
        problems.append(problem("warning", "time_limit", f"There was no time for {unread} files: the analysis is not complete."))
    if names.shadows and not names.own_mellea and not any(one["code"] == "shadowed_mellea" for one in problems):
        message = "This file is called as the library mellea. Where it is found first, nothing of mellea is."
        problems.append(problem("info", "shadowed_mellea", message, names.shadows[0]))
    for slot in slots:
        if slot["reasonCode"] in ("called_decorator", "reserved_argument"):
            problems.append(problem("error", "broken_slot", f"{slot['name']}: {slot['reason']}", slot["file"], slot["line"], 1))


def _place_cells(document, problems, read):
    """Lines of the code of notebooks count within their cells."""
    for key in ("dependencies", "slots", "calls", "variables"):
        for item in document[key]:
            starts = (read.get(item["file"]) or {}).get("notebook", {}).get("starts")
            if item.setdefault("cell", None) is None and starts and item["line"] is not None:
                item["cell"], item["line"] = _cell_of(item["line"], starts)
    for item in problems:
        starts = (read.get(item["file"] or "") or {}).get("notebook", {}).get("starts")
        is_of_code = item["code"] in ("doubtful_decorator", "undeclared_import", "decorator_replaced", "broken_slot", "newer_syntax")
        if item.setdefault("cell", None) is None and starts and item["line"] is not None and is_of_code:
            item["cell"], item["line"] = _cell_of(item["line"], starts)


def _cell_of(line, starts):
    number, first = max((start for start in starts if start[1] <= line), key=lambda start: start[1], default=(None, 1))
    return number, line - first + 1


def _bounded(document):
    left_out = {}
    for key, most in MAX_ITEMS.items():
        left_out[key] = max(0, len(document[key]) - most)
        document[key] = document[key][:most]
    document["leftOut"] = left_out
    document = _clean(document)
    while (largest := _largest(document)) is not None:
        kept = len(document[largest]) // 2
        left_out[largest] += len(document[largest]) - kept
        document[largest] = document[largest][:kept]
    return {**document, "leftOut": left_out}


def _largest(document):
    """The list to shorten; None when the whole is small enough."""
    sizes = {key: len(json.dumps(document[key])) for key in MAX_ITEMS}
    return None if sum(sizes.values()) <= MAX_RESULT_BYTES else max(sizes, key=sizes.get)


def _clean(value):
    """Text that any reader of JSON and any database takes: no NUL, no half of a surrogate pair."""
    if isinstance(value, str):
        return value if value.isascii() and "\0" not in value else value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return {key: _clean(item) for key, item in value.items()} if isinstance(value, dict) else value
