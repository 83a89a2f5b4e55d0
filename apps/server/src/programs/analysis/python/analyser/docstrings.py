"""Descriptions of arguments in docstrings: Google's, NumPy's and Sphinx's way."""

import inspect
import re

from .limits import MAX_TEXT, shorten

_GOOGLE_HEAD = re.compile(r"^(args|arguments|parameters|params|keyword args|keyword arguments|other parameters)\s*:\s*$", re.IGNORECASE)
_GOOGLE_ITEM = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*:\s*(.*)$")
_NUMPY_HEAD = re.compile(r"^(parameters|other parameters)\s*$", re.IGNORECASE)
_NUMPY_ITEM = re.compile(r"^\*{0,2}(\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?$")
_SPHINX_ITEM = re.compile(r"^:(?:param|parameter|arg|argument|key|keyword)\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)$")


def describe_arguments(docstring):
    """Descriptions by argument name."""
    if not docstring:
        return {}
    lines = inspect.cleandoc(docstring).split("\n")[:2000]
    found = {}
    for name, parts in [*_google(lines), *_numpy(lines), *_sphinx(lines)]:
        text = " ".join(part.strip() for part in parts if part.strip())
        if text and name not in found:
            found[name] = shorten(text, MAX_TEXT)
    return found


def _indent(line):
    return len(line) - len(line.lstrip())


def _google(lines):
    index = 0
    while index < len(lines):
        if not _GOOGLE_HEAD.match(lines[index].strip()):
            index += 1
            continue
        base = _indent(lines[index])
        index += 1
        level, current = None, None
        while index < len(lines):
            line = lines[index]
            if line.strip():
                if _indent(line) <= base:
                    break
                level = _indent(line) if level is None else level
                item = _GOOGLE_ITEM.match(line.strip()) if _indent(line) <= level else None
                if item:
                    if current:
                        yield current
                    current = (item.group(1), [item.group(2)])
                elif current:
                    current[1].append(line)
            index += 1
        if current:
            yield current


def _numpy(lines):
    index = 0
    while index + 1 < len(lines):
        if not (_NUMPY_HEAD.match(lines[index].strip()) and re.match(r"^-{3,}$", lines[index + 1].strip())):
            index += 1
            continue
        base = _indent(lines[index])
        index += 2
        names, parts = [], []
        while index < len(lines):
            line = lines[index]
            if line.strip():
                ends = index + 1 < len(lines) and re.match(r"^-{3,}$", lines[index + 1].strip())
                if ends:
                    break
                item = _NUMPY_ITEM.match(line.strip()) if _indent(line) <= base else None
                if item:
                    yield from ((name, parts) for name in names)
                    names, parts = re.findall(r"\w+", item.group(1)), []
                elif _indent(line) <= base:
                    break
                else:
                    parts.append(line)
            index += 1
        yield from ((name, parts) for name in names)


def _sphinx(lines):
    current = None
    for line in lines:
        item = _SPHINX_ITEM.match(line.strip())
        if item or line.strip().startswith(":") or not line.strip():
            if current:
                yield current
            current = (item.group(1), [item.group(2)]) if item else None
        elif current:
            current[1].append(line)
    if current:
        yield current
