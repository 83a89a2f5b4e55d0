"""Where a program may be started, and how sure that is."""

from .tree import folder_of, name_of

_SCRIPT_NAMES = {"main.py": 0.8, "app.py": 0.7, "run.py": 0.6, "cli.py": 0.5, "server.py": 0.5, "manage.py": 0.7}
_NODE_NAMES = {"index.js": 0.5, "index.mjs": 0.5, "index.ts": 0.5, "main.js": 0.5, "main.ts": 0.5, "server.js": 0.5, "app.js": 0.5}
_MANIFEST_CONFIDENCE = {"script": 0.95, "node_bin": 0.9, "node_script": 0.9, "node_main": 0.6}
_SIDE_FOLDERS = {"test", "tests", "testing", "docs", "doc", "examples", "example", "benchmarks", "bench", "scripts", "tools"}


def find_entrypoints(read, tree):
    found = []
    for path in sorted(read):
        facts = read[path] or {}
        found.extend(_of_manifest(facts.get("manifest")))
        module = facts.get("module")
        if module is not None and not path.endswith(".ipynb"):
            found.extend(_of_module(path, module, facts))
        if path.endswith(".ipynb") and facts.get("notebook"):
            found.append(_entry("notebook", path, None, 0.5, f"It is a notebook in {facts['notebook']['language']}.", path))
        if facts.get("goMain"):
            found.append(_entry("go_main", path, None, 0.8, "It is of `package main`.", f"./{folder_of(path)}"))
        if name_of(path) in _NODE_NAMES and folder_of(path) in ("", "src") and not _has_node_manifest(read):
            found.append(_entry("node_name", path, None, _NODE_NAMES[name_of(path)], f"It is called {name_of(path)}.", path))
    return sorted(found, key=lambda entry: (-entry["confidence"], entry["file"], entry["line"] or 0))


def _has_node_manifest(read):
    return any((facts or {}).get("manifest") and facts["manifest"]["kind"] == "package.json" for facts in read.values())


def _of_manifest(manifest):
    for entry in manifest["entrypoints"] if manifest is not None else ():
        confidence = _MANIFEST_CONFIDENCE[entry["kind"]]
        made = _entry(entry["kind"], manifest["file"], entry["line"], confidence, f"{entry['reason']}.", entry["target"])
        yield {**made, "name": entry["name"]}


def _of_module(path, module, facts):
    name, folder = name_of(path), folder_of(path)
    lowered = _lower(path)
    if module["serve"] is not None and module["mellea"]:
        reason = "It defines `serve(input, …)`, which `m serve` looks for."
        yield _entry("mellea_serve", path, module["serve"]["line"], 0.85 - lowered, reason, path)
    if name == "__main__.py":
        yield _entry("module", path, 1, 0.9 - lowered, "A package with `__main__.py` is started with `python -m`.", folder.replace("/", "."))
    elif facts.get("inline") is not None:
        yield _entry("inline_script", path, 1, 0.85 - lowered, "It is a script with its own dependencies (PEP 723).", path)
    elif module["main"] is not None:
        extra = 0.1 if name in _SCRIPT_NAMES else 0
        reason = 'It has `if __name__ == "__main__"`.'
        yield _entry("main_guard", path, module["main"], 0.75 + extra - lowered, reason, path)
    elif name in _SCRIPT_NAMES:
        yield _entry("name", path, 1, _SCRIPT_NAMES[name] - lowered, f"It is called {name}.", path)


def is_beside(path):
    """Whether a file is no part of the program: a test, an example, a tool."""
    return any(folder in _SIDE_FOLDERS for folder in folder_of(path).split("/")) or name_of(path).startswith("test_")


def _lower(path):
    """What lies deep, or beside the program, is less likely to be it."""
    folders = folder_of(path).split("/") if "/" in path else []
    side = 0.3 if is_beside(path) else 0
    return min(0.45, side + 0.05 * max(0, len(folders) - 1))


def _entry(kind, file, line, confidence, reason, target):
    confidence = round(max(0.05, min(1, confidence)), 2)
    return {"kind": kind, "name": name_of(file), "file": file, "line": line, "target": target, "reason": reason, "confidence": confidence}
