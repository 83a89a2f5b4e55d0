"""
What Python itself makes of trees: imports every file of each folder, in a process for each, and prints which names stand for a slot, as
JSON lines. With `--by-statement` a statement that fails is skipped, so that generated programs need not be right. The library comes
from PYTHONPATH.
"""

import ast
import importlib
import importlib.machinery
import inspect
import json
import os
import sys

from mellea.stdlib.components.genstub import AsyncGenerativeStub, GenerativeStub


def module_of(root, path):
    folder = os.path.dirname(path)
    while folder and os.path.exists(os.path.join(root, folder, "__init__.py")):
        folder = os.path.dirname(folder)
    inner = path[len(folder) :].lstrip("/")[:-3].split("/")
    if len(inner) > 1 and inner[-1] == "__init__":
        inner.pop()
    return os.path.join(root, folder), ".".join(inner)


def describe(value):
    function = inspect.unwrap(value)
    arguments = [[name, parameter.kind.name] for name, parameter in inspect.signature(function).parameters.items()]
    return {"kind": "async" if isinstance(value, AsyncGenerativeStub) else "function", "arguments": arguments}


def find(owner, prefix, found, depth=0):
    for name, value in list(vars(owner).items()):
        if isinstance(value, staticmethod):
            value = value.__func__
        if isinstance(value, GenerativeStub):
            found[prefix + name] = describe(value)
        elif isinstance(value, type) and value.__module__ == getattr(owner, "__name__", None) and depth < 3:
            find(value, f"{prefix}{name}.", found, depth + 1)


class ByStatement:
    """Loads modules of the trees one statement after another."""

    def __init__(self, roots):
        self._roots = roots

    def find_spec(self, name, path, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.origin and spec.origin.startswith(self._roots) and spec.origin.endswith(".py"):
            spec.loader.exec_module = lambda module, origin=spec.origin: run(origin, module)
        return spec


class Guard(ast.NodeTransformer):
    """A simple statement that fails does not take those around it along."""

    def visit(self, node):
        node = self.generic_visit(node)
        is_simple = isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.Delete, ast.FunctionDef, ast.AsyncFunctionDef))
        if not is_simple or (isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)):
            return node
        caught = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [ast.Pass()])
        return ast.fix_missing_locations(ast.copy_location(ast.Try([node], [caught], [], []), node))


def run(origin, module):
    with open(origin, encoding="utf-8") as file:
        tree = Guard().visit(ast.parse(file.read()))
    for statement in tree.body:
        try:
            exec(compile(ast.Module([statement], []), origin, "exec"), vars(module))
        except Exception:
            continue


def look_at(root):
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            if not name.endswith(".py"):
                continue
            path = os.path.relpath(os.path.join(folder, name), root)
            at, module = module_of(root, path)
            sys.path.insert(0, at)
            found, error = {}, None
            try:
                find(importlib.import_module(module), "", found)
            except BaseException as failure:
                error = f"{type(failure).__name__}: {failure}"
            sys.path.remove(at)
            yield {"root": root, "file": path, "slots": found, "error": error}


def main():
    roots = [word for word in sys.argv[1:] if word != "--by-statement"]
    if "--by-statement" in sys.argv:
        sys.meta_path.insert(0, ByStatement(tuple(roots)))
    results, sys.stdout = sys.stdout, sys.stderr
    for root in roots:
        child = os.fork()
        if child == 0:
            for line in list(look_at(root)):
                print(json.dumps(line), file=results)
            results.flush()
            os._exit(0)
        os.waitpid(child, 0)


main()
