"""Jupyter notebooks: their code, as one text whose lines are those of the cells in turn."""

import ast
import json
import re
import warnings

from .limits import MAX_SOURCE_BYTES
from .tree import problem

_MAGIC = re.compile(r"^(\s*)(?:[%!?]|\w[\w.]*\?{1,2}\s*$|[\w, ]+=\s*[%!])")
_MAX_CELLS = 5_000


def read(data, path, problems):
    """`{"language", "cells": [(number, source)]}`, or None and a problem. Numbers count all cells, from 1."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return _refuse("The notebook is not valid UTF-8.", path, problems)
    except json.JSONDecodeError as error:
        return _refuse(f"The JSON cannot be read: {error.msg}.", path, problems, error.lineno, error.colno)
    except (ValueError, RecursionError, MemoryError):
        return _refuse("The JSON cannot be read: it is nested too deeply or its numbers are too large.", path, problems)
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        return _refuse("The notebook has no list of cells (nbformat 4).", path, problems)
    cells = []
    for number, cell in enumerate(document["cells"][:_MAX_CELLS], 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", "")
            source = "".join(part for part in source if isinstance(part, str)) if isinstance(source, list) else source
            cells.append((number, source if isinstance(source, str) else ""))
    return {"language": _language(document), "cells": cells}


def _refuse(message, path, problems, line=1, column=1):
    problems.append(problem("error", "invalid_notebook", message, path, line, column))
    return None


def _language(document):
    metadata = document.get("metadata")
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        part = metadata.get(key) if isinstance(metadata, dict) else None
        if isinstance(part, dict) and isinstance(part.get(name), str):
            return part[name].lower()[:40]
    return "python"


def join(cells, path):
    """The text of all cells, where each starts (cell, first line), and what is wrong. A cell that cannot be read becomes empty lines."""
    lines, starts, wrong = [], [], []
    size = 0
    for number, source in cells:
        size += len(source)
        source = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")
        plain = "" if source.lstrip().startswith("%%") else "\n".join(_without_magic(line) for line in source.split("\n"))
        problem_here = _problem_of(plain, path, number) if size <= MAX_SOURCE_BYTES else _too_much(path, number)
        if problem_here is not None:
            wrong.append(problem_here)
            plain = ""
        starts.append([number, len(lines) + 1])
        lines.extend([*plain.split("\n"), *[""] * (source.count("\n") - plain.count("\n"))])
    return "\n".join(lines) + "\n", starts, wrong


def _without_magic(line):
    match = _MAGIC.match(line)
    return f"{match.group(1)}pass" if match else line


def _problem_of(source, path, number):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(source)
            return None
        except SyntaxError as error:
            found = problem("error", "syntax_error", f"SyntaxError: {error.msg}", path, error.lineno or 1, max(1, error.offset or 1))
        except (ValueError, RecursionError, MemoryError):
            found = problem("error", "too_complex", "The cell cannot be read.", path, 1, 1)
    return {**found, "cell": number}


def _too_much(path, number):
    return {**problem("warning", "file_too_large", "The notebook holds more code than is read.", path, 1, 1), "cell": number}


def installed(cells):
    """What `%pip install` and `!pip install` lines ask for: (requirement, cell, line)."""
    found = []
    for number, source in cells:
        for line, text in enumerate(source.split("\n"), 1):
            match = re.match(r"^\s*[%!]\s*(?:uv\s+)?pip3?\s+install\s+([^\n]{1,2000})$", text)
            for word in match.group(1).split() if match else ():
                word = word.strip("\"'")
                if word and not word.startswith("-") and re.match(r"^[A-Za-z0-9]", word):
                    found.append((word, number, line))
    return found[:200]
