"""`setup.cfg` of setuptools."""

import configparser

from ..limits import shorten
from ..tree import problem
from .record import decode_text, line_of, manifest, requirement


def read_setup_cfg(path, data, problems):
    text = decode_text(data, path, problems)
    if text is None:
        return None
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=", ":"), comment_prefixes=("#", ";"))
    try:
        parser.read_string(text)
    except (configparser.Error, ValueError) as error:
        line = getattr(error, "lineno", None) or (error.errors[0][0] if getattr(error, "errors", None) else None)
        problems.append(problem("error", "invalid_ini", f"The file cannot be read: {str(error).splitlines()[0][:200]}", path, line, 1))
        return None
    found = manifest("setup.cfg", path)
    get = lambda section, key: parser.get(section, key, fallback=None)  # noqa: E731
    found["name"], found["version"] = get("metadata", "name"), get("metadata", "version")
    python = get("options", "python_requires")
    if python:
        found["requires"].append({"language": "python", "constraint": shorten(python, 200), "line": line_of(text, "python_requires")})
    _add_list(get("options", "install_requires"), None, text, path, found, problems)
    if parser.has_section("options.extras_require"):
        for group, value in parser.items("options.extras_require"):
            _add_list(value, shorten(group, 100), text, path, found, problems)
    if parser.has_section("options.entry_points"):
        for line in (get("options.entry_points", "console_scripts") or "").splitlines():
            name, equals, target = line.partition("=")
            if equals:
                place = line_of(text, line.strip())
                facts = {"kind": "script", "name": name.strip(), "target": target.strip(), "line": place}
                found["entrypoints"].append({**facts, "reason": "console_scripts of setup.cfg names it"})
    return found


def _add_list(value, group, text, path, found, problems):
    if not value:
        return
    if value.strip().startswith("file:"):
        found["dynamic"] = True
        message = f"The dependencies are read from elsewhere when it is built: {shorten(value.strip(), 100)}."
        problems.append(problem("info", "dynamic_dependencies", message, path, line_of(text, value.strip()), 1))
        return
    for line in value.splitlines():
        item = line.split(" #")[0].strip()
        if item and not item.startswith("#"):
            made = requirement(item, "setup.cfg", path, line_of(text, item), group, problems)
            if made is not None:
                found["dependencies"].append(made)
