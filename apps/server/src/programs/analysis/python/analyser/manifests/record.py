"""The shapes in which manifests tell what they hold."""

import re

from ..limits import shorten
from ..tree import problem

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_REQUIREMENT = re.compile(rf"^({_NAME})\s*(?:\[([^\[\]]*)\])?\s*(.*)$", re.DOTALL)
_CLAUSE = re.compile(r"^(===|~=|==|!=|<=|>=|<|>)\s*[A-Za-z0-9][A-Za-z0-9._*+!-]*$")
_CREDENTIALS = re.compile(r"(://)[^/@\s]+@")


def manifest(kind, path, **facts):
    base = {"kind": kind, "file": path, "name": None, "version": None, "dependencies": [], "requires": [], "entrypoints": []}
    return {**base, "includes": [], "options": [], "secrets": [], "dynamic": False, **facts}


def dependency(ecosystem, name, source, path, line, **facts):
    base = {"ecosystem": ecosystem, "name": shorten(str(name), 200), "constraint": None, "extras": [], "marker": None, "group": None}
    base.update(source=source, file=path, line=line, url=None, hashes=0)
    return {**base, **facts}


def without_credentials(text):
    return _CREDENTIALS.sub(r"\1…@", text)


def has_credentials(text):
    match = _CREDENTIALS.search(text)
    # A name alone is no secret: ssh://git@host.
    return match is not None and (":" in match.group(0)[3:-1] or len(match.group(0)) > 30)


def requirement(text, source, path, line, group, problems):
    """A requirement of PEP 508; None, and a problem, for what is none."""
    head, _, marker = text.partition(";")
    if "@" in head and "://" in head:
        # A URL may hold a semicolon; before a marker there is a blank.
        head, _, marker = re.sub(r"\s;", "\n", text, count=1).partition("\n")
    head, marker = head.strip(), marker.strip() or None
    match = _REQUIREMENT.match(head)
    if match is None:
        return _invalid(text, path, line, problems)
    name, extras, rest = match.groups()
    facts = {
        "extras": sorted({shorten(extra.strip(), 100) for extra in (extras or "").split(",") if extra.strip()})[:50],
        "marker": None if marker is None else shorten(marker, 300),
        "group": group,
    }
    rest = rest.strip()
    if rest.startswith("@"):
        return dependency("python", name, source, path, line, url=shorten(without_credentials(rest[1:].strip()), 500), **facts)
    if rest.startswith("(") and rest.endswith(")"):
        rest = rest[1:-1].strip()
    clauses = [re.sub(r"^([<>=!~]+)\s+", r"\1", clause.strip()) for clause in rest.split(",") if clause.strip()]
    if any(not _CLAUSE.match(clause) for clause in clauses):
        return _invalid(text, path, line, problems)
    return dependency("python", name, source, path, line, constraint=shorten(",".join(clauses), 200) or None, **facts)


def _invalid(text, path, line, problems):
    message = f"This is no requirement: {shorten(without_credentials(text), 100)!r}."
    problems.append(problem("warning", "invalid_requirement", message, path, line, 1))
    return None


def line_of(text, needle, after=""):
    """The line of the first place where `needle` stands, behind the first line that begins with `after`."""
    start = 0
    if after:
        found = re.search(rf"^\s*{re.escape(after)}", text, re.MULTILINE)
        start = found.start() if found else 0
    position = text.find(needle, start)
    return None if position < 0 else text.count("\n", 0, position) + 1


def decode_text(data, path, problems):
    """Manifests are UTF-8; a byte order mark is let pass."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            # What PowerShell writes with `pip freeze > requirements.txt`; pip reads it too.
            return data.decode("utf-16", "replace")
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(problem("error", "encoding", f"The file is not valid UTF-8: {error.reason}.", path, line, 1))
        return None
