"""`pyproject.toml`: PEP 621, PEP 735, Poetry, and uv's older development dependencies."""

from ..limits import shorten
from ..tree import problem
from .record import dependency, has_credentials, line_of, manifest, requirement, without_credentials
from .toml_file import parse_toml, string, strings, table


def read_pyproject(path, data, problems):
    text, document = parse_toml(path, data, problems)
    if document is None:
        return None
    found = manifest("pyproject", path)
    project = table(document.get("project"))
    if "project" in document and not isinstance(document["project"], dict):
        problems.append(problem("error", "invalid_manifest", "[project] is no table.", path, line_of(text, "project"), 1))
    _read_project(project, text, path, found, problems)
    _read_groups(document.get("dependency-groups"), text, path, found, problems)
    tool = table(document.get("tool"))
    _read_poetry(table(tool.get("poetry")), text, path, found, problems)
    for item in strings(table(tool.get("uv")).get("dev-dependencies")):
        _add(item, "dev", text, path, found, problems)
    for item in strings(table(document.get("build-system")).get("requires")):
        _add(item, "build", text, path, found, problems)
    return found


def _add(item, group, text, path, found, problems):
    line = line_of(text, item.replace("\\", "\\\\").replace('"', '\\"')) or line_of(text, item)
    if has_credentials(item):
        found["secrets"].append({"line": line, "kind": "url_credentials"})
    made = requirement(item, "pyproject", path, line, group, problems)
    if made is not None:
        found["dependencies"].append(made)


def _read_project(project, text, path, found, problems):
    found["name"] = string(project.get("name"))
    found["version"] = string(project.get("version"))
    dynamic = strings(project.get("dynamic"))
    found["dynamic"] = "dependencies" in dynamic
    if found["dynamic"]:
        message = "The dependencies are `dynamic`: the build backend computes them, which would run code."
        problems.append(problem("warning", "dynamic_dependencies", message, path, line_of(text, "dynamic"), 1))
    python = string(project.get("requires-python"))
    if python is not None:
        found["requires"].append({"language": "python", "constraint": shorten(python, 200), "line": line_of(text, "requires-python")})
    listed = project.get("dependencies", [])
    if not isinstance(listed, list) or len(strings(listed)) != len(listed):
        message = "`project.dependencies` is no list of strings."
        problems.append(problem("error", "invalid_manifest", message, path, line_of(text, "dependencies"), 1))
    for item in strings(listed):
        _add(item, None, text, path, found, problems)
    for group, items in table(project.get("optional-dependencies")).items():
        for item in strings(items):
            _add(item, shorten(group, 100), text, path, found, problems)
    for kind in ("scripts", "gui-scripts"):
        _add_scripts(table(project.get(kind)), kind, f"[project.{kind}]", text, found)


def _add_scripts(scripts, kind, head, text, found):
    for name, target in scripts.items():
        target = target.get("reference") if isinstance(target, dict) else target
        if isinstance(target, str):
            line = line_of(text, name, head)
            found["entrypoints"].append({"kind": "script", "name": name, "target": target, "line": line, "reason": f"{head[1:-1]} names it"})


def _read_groups(groups, text, path, found, problems):
    for group, items in table(groups).items():
        for item in items if isinstance(items, list) else ():
            if isinstance(item, str):
                _add(item, shorten(group, 100), text, path, found, problems)


def _read_poetry(poetry, text, path, found, problems):
    if not poetry:
        return
    found["name"] = found["name"] or string(poetry.get("name"))
    found["version"] = found["version"] or string(poetry.get("version"))
    _add_poetry(table(poetry.get("dependencies")), None, "[tool.poetry.dependencies]", text, path, found, problems)
    _add_poetry(table(poetry.get("dev-dependencies")), "dev", "[tool.poetry.dev-dependencies]", text, path, found, problems)
    for group, facts in table(poetry.get("group")).items():
        head = f"[tool.poetry.group.{group}.dependencies]"
        _add_poetry(table(table(facts).get("dependencies")), shorten(group, 100), head, text, path, found, problems)
    _add_scripts(table(poetry.get("scripts")), "scripts", "[tool.poetry.scripts]", text, found)


def _add_poetry(entries, group, head, text, path, found, problems):
    for name, wanted in entries.items():
        line = line_of(text, name, head)
        for one in wanted if isinstance(wanted, list) else [wanted]:
            facts = _poetry_facts(one)
            if facts is None:
                problems.append(problem("warning", "invalid_requirement", f"{name} is neither a version nor a table.", path, line, 1))
            elif name.lower() == "python":
                found["requires"].append({"language": "python", "constraint": facts["constraint"] or "*", "line": line})
            else:
                if facts.pop("secret"):
                    found["secrets"].append({"line": line, "kind": "url_credentials"})
                if facts.pop("is_optional") and group is None:
                    facts["group"] = "optional"
                made = dependency("python", name, "poetry", path, line, **{"group": group, **facts})
                found["dependencies"].append(made)


def _poetry_facts(wanted):
    if isinstance(wanted, str):
        return {"constraint": shorten(wanted, 200), "secret": False, "is_optional": False}
    if not isinstance(wanted, dict):
        return None
    place = next((string(wanted.get(key)) for key in ("git", "url", "path", "file") if string(wanted.get(key))), None)
    return {
        "constraint": None if string(wanted.get("version")) is None else shorten(wanted["version"], 200),
        "extras": strings(wanted.get("extras"))[:50],
        "marker": string(wanted.get("markers")),
        "url": None if place is None else shorten(without_credentials(place), 500),
        "secret": place is not None and has_credentials(place),
        "is_optional": wanted.get("optional") is True,
    }
