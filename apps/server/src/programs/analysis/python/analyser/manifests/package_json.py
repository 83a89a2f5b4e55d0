"""`package.json` of Node.js."""

import json

from ..limits import shorten
from ..tree import problem
from .record import decode_text, dependency, has_credentials, line_of, manifest, without_credentials

_GROUPS = {"dependencies": None, "devDependencies": "dev", "peerDependencies": "peer", "optionalDependencies": "optional"}


def read_package_json(path, data, problems):
    text = decode_text(data, path, problems)
    document = None if text is None else _parse(text, path, problems)
    if document is None:
        return None
    found = manifest("package.json", path)
    found["name"], found["version"] = _string(document.get("name")), _string(document.get("version"))
    for section, group in _GROUPS.items():
        _read_section(document.get(section), section, group, text, path, found, problems)
    engines = document.get("engines")
    for name, wanted in engines.items() if isinstance(engines, dict) else ():
        if isinstance(wanted, str):
            line = line_of(text, f'"{name}"', '"engines"')
            found["requires"].append({"language": shorten(name, 100), "constraint": shorten(wanted, 200), "line": line})
    found["entrypoints"] = _entrypoints(document, text)
    return found


def _parse(text, path, problems):
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        problems.append(problem("error", "invalid_json", f"The JSON cannot be read: {error.msg}.", path, error.lineno, error.colno))
        return None
    except (ValueError, RecursionError, MemoryError) as error:
        reason = "it is nested too deeply" if isinstance(error, (RecursionError, MemoryError)) else str(error)[:200]
        problems.append(problem("error", "invalid_json", f"The JSON cannot be read: {reason}.", path, 1, 1))
        return None
    if not isinstance(document, dict):
        problems.append(problem("error", "invalid_manifest", "package.json holds no object.", path, 1, 1))
        return None
    return document


def _read_section(entries, section, group, text, path, found, problems):
    if entries is None:
        return
    line = line_of(text, f'"{section}"')
    if not isinstance(entries, dict):
        problems.append(problem("error", "invalid_manifest", f"`{section}` is no object.", path, line, 1))
        return
    for name, wanted in entries.items():
        line = line_of(text, json.dumps(name, ensure_ascii=False), f'"{section}"')
        if not isinstance(wanted, str):
            problems.append(problem("warning", "invalid_requirement", f"The version of {shorten(name, 100)} is no string.", path, line, 1))
            continue
        facts = {"group": group, "constraint": shorten(wanted, 200)}
        if ":" in wanted or "/" in wanted:
            facts = {"group": group, "url": shorten(without_credentials(wanted), 500)}
            if has_credentials(wanted):
                found["secrets"].append({"line": line, "kind": "url_credentials"})
        found["dependencies"].append(dependency("node", name, "package.json", path, line, **facts))


def _entrypoints(document, text):
    found = []
    binaries = document.get("bin")
    name = _string(document.get("name")) or "bin"
    for command, target in (binaries.items() if isinstance(binaries, dict) else [(name.rpartition("/")[2], binaries)]):
        if isinstance(target, str):
            found.append(_entry("node_bin", command, target, line_of(text, '"bin"'), "`bin` names it"))
    scripts = document.get("scripts")
    start = scripts.get("start") if isinstance(scripts, dict) else None
    if isinstance(start, str):
        found.append(_entry("node_script", "start", shorten(start, 300), line_of(text, '"start"', '"scripts"'), "`scripts.start` runs it"))
    main = document.get("main")
    if isinstance(main, str):
        found.append(_entry("node_main", "main", main, line_of(text, '"main"'), "`main` names it"))
    return found


def _entry(kind, name, target, line, reason):
    return {"kind": kind, "name": shorten(name, 200), "target": shorten(target, 300), "line": line, "reason": reason}


def _string(value):
    return shorten(value, 200) if isinstance(value, str) else None
