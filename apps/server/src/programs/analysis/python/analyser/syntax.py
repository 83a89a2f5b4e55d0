"""Parsing, and what is wrong when it fails: an error of the program, or syntax that this interpreter is too old for."""

import ast
import re
import sys
import warnings

from .tree import problem

HERE = sys.version_info[:2]

# What only later versions understand, by the line that the parser stopped at. Source: the grammar changes in "What's New in Python".
_NEWER = (
    ((3, 8), re.compile(r":=")),
    ((3, 10), re.compile(r"^\s*(match|case)\b.*:\s*(#.*)?$")),
    ((3, 11), re.compile(r"^\s*except\s*\*")),
    ((3, 12), re.compile(r"^\s*type\s+\w+(\s*\[.*\])?\s*=")),
    ((3, 12), re.compile(r"^\s*(async\s+)?(def|class)\s+\w+\s*\[")),
    ((3, 14), re.compile(r"^\s*except\s+[\w.]+\s*,\s*[\w.]+[\w., ]*:")),
    ((3, 14), re.compile(r"""(^|[^\w'"])(t|tr|rt)("|')""", re.IGNORECASE)),
)
_FSTRING = re.compile(r"^f-string[: ]|f-string expression")


def parse(text, path):
    """`(tree, None)` or `(None, problem)`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text, filename="<source>", type_comments=False), None
        except SyntaxError as error:
            return None, _explain(error, text, path)
        except (RecursionError, MemoryError):
            return None, problem("error", "too_complex", "The source is nested too deeply to be read.", path, 1, 1)
        except (ValueError, OverflowError) as error:
            return None, problem("error", "syntax_error", f"The source cannot be read: {error}.", path, 1, 1)


def _explain(error, text, path):
    line, column = error.lineno or 1, max(1, error.offset or 1)
    needed = _newer_version(error, text, line)
    if needed is not None:
        version = ".".join(map(str, needed))
        here = ".".join(map(str, HERE))
        message = f"This looks like syntax of Python {version} or later; it was read with Python {here}. ({error.msg})"
        return problem("warning", "newer_syntax", message, path, line, column)
    kind = type(error).__name__ if isinstance(error, IndentationError) else "SyntaxError"
    return problem("error", "syntax_error", f"{kind}: {error.msg}", path, line, column)


def _newer_version(error, text, line):
    lines = text.split("\n")
    shown = lines[line - 1][:2000] if 0 < line <= len(lines) else ""
    for version, pattern in _NEWER:
        if version > HERE and pattern.search(shown):
            return version
    # Nested quotes, backslashes and comments in f-strings (PEP 701).
    if HERE < (3, 12) and _FSTRING.search(error.msg or ""):
        return (3, 12) if re.search(r"unmatched|backslash|'#'|expecting '}'|nested too deeply|unterminated", error.msg) else None
    if HERE < (3, 12) and re.search(r"""\bf[rR]?("|').*\{[^{}]*\1""", shown):
        return (3, 12)
    return None
