"""Metadata in a script's comments (PEP 723)."""

import re
import tomllib

from ..limits import shorten
from ..tree import problem
from .record import has_credentials, manifest, requirement
from .toml_file import string, strings

_START = re.compile(r"^# /// ([a-zA-Z0-9-]+)$")


def read_inline(text, path, problems):
    """None for a script without such a block."""
    if "# /// " not in text:
        return None
    lines = text.split("\n")
    blocks = _blocks(lines, path, problems)
    if not blocks:
        return None
    if len(blocks) > 1:
        problems.append(problem("error", "invalid_inline", "There is more than one `script` block.", path, blocks[1][0], 1))
        return None
    first, content = blocks[0]
    try:
        document = tomllib.loads("\n".join(content))
    except (ValueError, RecursionError, MemoryError) as error:
        problems.append(problem("error", "invalid_inline", f"The `script` block is no TOML: {str(error)[:200]}.", path, first, 1))
        return None
    found = manifest("inline", path)
    python = string(document.get("requires-python"))
    if python is not None:
        line = _line(content, first, "requires-python")
        found["requires"].append({"language": "python", "constraint": shorten(python, 200), "line": line})
    for item in strings(document.get("dependencies")):
        line = _line(content, first, item)
        if has_credentials(item):
            found["secrets"].append({"line": line, "kind": "url_credentials"})
        made = requirement(item, "inline", path, line, None, problems)
        if made is not None:
            found["dependencies"].append(made)
    return found


def _line(content, first, needle):
    return next((first + 1 + index for index, line in enumerate(content) if needle in line), first)


def _blocks(lines, path, problems):
    found, index = [], 0
    while index < len(lines):
        start = _START.match(lines[index])
        if start is None:
            index += 1
            continue
        end = index + 1
        last = None
        while end < len(lines) and (lines[end] == "#" or lines[end].startswith("# ")):
            if lines[end] == "# ///":
                last = end
            end += 1
        if last is None:
            problems.append(problem("warning", "invalid_inline", "The block has no end (`# ///`).", path, index + 1, 1))
            index = end
            continue
        if start.group(1) == "script":
            found.append((index + 1, [line[2:] if line.startswith("# ") else line[1:] for line in lines[index + 1 : last]]))
        index = last + 1
    return found
