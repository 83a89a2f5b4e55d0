"""`setup.py`, as far as it says in literals what it needs. It is a program, so it is read and not run."""

import ast

from .limits import shorten
from .manifests.record import manifest, requirement
from .tree import problem


def read_setup_py(tree, path, problems):
    call = next((node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) == "setup"), None)
    if call is None:
        return None
    found = manifest("setup.py", path)
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    found["name"], found["version"] = _string(given.get("name")), _string(given.get("version"))
    python = _string(given.get("python_requires"))
    if python is not None:
        found["requires"].append({"language": "python", "constraint": shorten(python, 200), "line": given["python_requires"].lineno})
    needed = given.get("install_requires")
    if isinstance(needed, (ast.List, ast.Tuple)):
        _add(needed, None, path, found, problems)
    elif needed is not None:
        found["dynamic"] = True
        message = "setup.py computes its dependencies; it was not run."
        problems.append(problem("warning", "dynamic_dependencies", message, path, needed.lineno, 1))
    extras = given.get("extras_require")
    if isinstance(extras, ast.Dict):
        for key, value in zip(extras.keys, extras.values):
            if _string(key) is not None and isinstance(value, (ast.List, ast.Tuple)):
                _add(value, shorten(_string(key), 100), path, found, problems)
    return found


def _add(items, group, path, found, problems):
    for item in items.elts[:1000]:
        text = _string(item)
        made = None if text is None else requirement(text, "setup.py", path, item.lineno, group, problems)
        if made is not None:
            found["dependencies"].append(made)


def _name(function):
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)


def _string(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
