"""The environment variables that a program reads, by the names that stand in its source. Values and defaults are never told."""

import ast
import re

MAX_NAME = 256
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# Set by every system, or by the sandbox itself.
_USUAL = frozenset("HOME PATH PWD USER LOGNAME SHELL LANG LC_ALL TERM TMPDIR TMP TEMP TZ HOSTNAME NO_COLOR PYTHONPATH PYTHONHASHSEED NODE_ENV CI".split())
_JAVASCRIPT = re.compile(
    r"""(?:process|Bun|import\.meta)\.env(?:\.([A-Za-z_][A-Za-z0-9_]*)|\[\s*["']([A-Za-z_][A-Za-z0-9_]*)["']\s*\])"""
    r"""|Deno\.env\.get\(\s*["']([A-Za-z_][A-Za-z0-9_]*)["']"""
)
_GO = re.compile(r'os\.(?:Getenv|LookupEnv)\(\s*"([A-Za-z_][A-Za-z0-9_]*)"')
_JAVASCRIPT_FILES = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")


def is_script(path):
    return path.endswith(_JAVASCRIPT_FILES) or path.endswith(".go")


def in_module(tree, path):
    """Of Python: `os.environ["NAME"]` ends the program when it is not there, `os.getenv("NAME")` does not."""
    found = []
    for node in ast.walk(tree):
        name = required = None
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is(node.value, "environ"):
            name, required = _text(node.slice), True
        elif isinstance(node, ast.Call) and node.args:
            if _is(node.func, "getenv") or (isinstance(node.func, ast.Attribute) and node.func.attr == "get" and _is(node.func.value, "environ")):
                name, required = _text(node.args[0]), False
        if name is not None:
            _add(found, name, required, path, node.lineno)
    return found


def in_text(data, path):
    """Of JavaScript, TypeScript and Go. Nothing tells whether the program ends without one."""
    found = []
    pattern = _GO if path.endswith(".go") else _JAVASCRIPT
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        for match in pattern.finditer(line[:2000]):
            _add(found, next(name for name in match.groups() if name), False, path, number)
    return found


def _add(found, name, required, path, line):
    if len(name) <= MAX_NAME and _NAME.match(name) and name not in _USUAL and len(found) < 500:
        found.append({"name": name, "required": required, "file": path, "line": line})


def _is(node, name):
    """`os.environ` or, imported by itself, `environ`."""
    if isinstance(node, ast.Attribute):
        return node.attr == name and isinstance(node.value, ast.Name) and node.value.id == "os"
    return isinstance(node, ast.Name) and node.id == name


def _text(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
