"""Reads one file, in a process that may die of it: what it imports, defines and calls, what its manifest says, what looks secret."""

import ast

from . import manifests, notebooks, secret_files, variables
from .limits import MAX_MANIFEST_BYTES, MAX_NOTEBOOK_BYTES, MAX_SECRET_BYTES, MAX_SOURCE_BYTES
from .lower import Lowering
from .setup_py import read_setup_py
from .source import Lines, SourceError, decode
from .syntax import parse
from .tree import name_of, problem


class Reader:
    """`requirements`: files that are read as requirements whatever they are called, because another one includes them."""

    def __init__(self, tree, with_mellea, requirements=()):
        self._tree = tree
        self._with_mellea = with_mellea
        self._requirements = frozenset(requirements)

    def __call__(self, path):
        size = self._tree.files[path]
        facts = {"problems": []}
        try:
            if path in self._requirements:
                if size <= MAX_MANIFEST_BYTES:
                    data = self._tree.read(path, MAX_MANIFEST_BYTES)
                    facts["manifest"] = manifests.read_requirements(path, data, facts["problems"])
                return facts
            if path.endswith((".py", ".pyw")):
                self._python(path, size, facts)
            elif path.endswith(".ipynb"):
                self._notebook(path, size, facts)
            elif manifests.is_manifest(path):
                self._manifest(path, size, facts)
            elif path.endswith(".go") and not path.endswith("_test.go"):
                facts["goMain"] = _is_go_main(self._tree.read(path, 64 * 1024))
            if variables.is_script(path):
                facts["variables"] = variables.in_text(self._tree.read(path, MAX_SECRET_BYTES), path)
            facts["secrets"] = secret_files.find(path, self._tree.read(path, MAX_SECRET_BYTES))
        except OSError as error:
            facts["problems"].append(problem("warning", "unreadable", f"The file cannot be read: {error.strerror}.", path))
        return facts

    def _python(self, path, size, facts):
        if size > MAX_SOURCE_BYTES:
            facts["problems"].append(_too_large(path, size, MAX_SOURCE_BYTES))
            return
        data = self._tree.read(path, MAX_SOURCE_BYTES)
        try:
            text = decode(data)
        except SourceError as error:
            facts["problems"].append(problem("error", error.code, error.message, path, error.line, error.column))
            return
        facts["inline"] = manifests.read_inline(text, path, facts["problems"])
        self._module(text, path, facts)

    def _module(self, text, path, facts):
        tree, wrong = parse(text, path)
        if wrong is not None:
            facts["problems"].append(wrong)
            return
        facts["module"] = describe_module(tree, text, self._with_mellea)
        facts["variables"] = variables.in_module(tree, path)
        if name_of(path) == "setup.py":
            facts["manifest"] = read_setup_py(tree, path, facts["problems"])

    def _notebook(self, path, size, facts):
        if size > MAX_NOTEBOOK_BYTES:
            facts["problems"].append(_too_large(path, size, MAX_NOTEBOOK_BYTES))
            return
        found = notebooks.read(self._tree.read(path, MAX_NOTEBOOK_BYTES), path, facts["problems"])
        if found is None:
            return
        facts["notebook"] = {"language": found["language"], "cells": len(found["cells"])}
        if found["language"] != "python":
            return
        text, facts["notebook"]["starts"], wrong = notebooks.join(found["cells"], path)
        facts["notebook"]["installed"] = notebooks.installed(found["cells"])
        facts["problems"].extend(wrong)
        self._module(text, path, facts)

    def _manifest(self, path, size, facts):
        if size > MAX_MANIFEST_BYTES:
            facts["problems"].append(_too_large(path, size, MAX_MANIFEST_BYTES))
            return
        facts["manifest"] = manifests.read(path, self._tree.read(path, MAX_MANIFEST_BYTES), facts["problems"])


def describe_module(tree, text, with_mellea):
    lowering = Lowering(Lines(text), with_calls=with_mellea)
    imports, volatile = [], set()
    listed = None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.extend([alias.name, 0, [], node.lineno] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imports.append([node.module or "", node.level, [alias.name for alias in node.names], node.lineno])
        elif isinstance(node, ast.Global):
            volatile.update(node.names)
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", None) == "__all__" for target in node.targets):
            listed = _strings(node.value)
    facts = {"all": listed, "volatile": sorted(volatile), "mellea": "mellea" in text, "main": _main_line(tree), "serve": _serve(tree)}
    facts["importLines"] = [[module, level, line] for module, level, _, line in imports]
    facts["imports"] = [[module, level, names] for module, level, names, _ in imports]
    facts["usesPath"] = "sys.path" in text
    facts["body"] = lowering.body(tree.body) if with_mellea else []
    facts["callsLeftOut"] = lowering.calls_left_out
    return facts


def _strings(node):
    if isinstance(node, (ast.List, ast.Tuple)) and all(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in node.elts):
        return [item.value for item in node.elts]
    return None


def _main_line(tree):
    for node in tree.body:
        if isinstance(node, ast.If) and Lowering.test_of(node.test) == "main":
            return node.lineno
    return None


def _serve(tree):
    """The function that `m serve` looks for."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == "serve":
            names = [argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]]
            if "input" in names:
                return {"line": node.lineno, "arguments": names[:20]}
    return None


def _is_go_main(data):
    for line in data.decode("utf-8", "replace").split("\n")[:500]:
        words = line.split("//")[0].split()
        if words[:1] == ["package"]:
            return words[1:2] == ["main"]
    return False


def _too_large(path, size, limit):
    message = f"{name_of(path)} has {size} bytes; of this kind files up to {limit} bytes are read."
    return problem("warning", "file_too_large", message, path)
