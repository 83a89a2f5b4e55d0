"""`requirements.txt` as pip reads it. Lines that would run code or read elsewhere are told, and not followed."""

import re
import shlex

from ..limits import shorten
from ..tree import problem
from .record import decode_text, dependency, has_credentials, manifest, requirement, without_credentials

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ]\S+")
_CONFIG = re.compile(r"\s--(config-settings?|global-option|install-option)[= ].*$")
_URL = re.compile(r"^(?:[a-z]+\+)?(?:https?|ssh|git|file|ftp|hg|svn|bzr)(?::|\+)", re.IGNORECASE)
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_WITH_URL = {"-i", "--index-url", "--extra-index-url", "--pypi-url", "-f", "--find-links"}


def read_requirements(path, data, problems):
    text = decode_text(data, path, problems)
    if text is None:
        return None
    found = manifest("requirements", path)
    for line, content in _logical_lines(text):
        _read_line(content, line, path, found, problems)
    return found


def _logical_lines(text):
    """Lines with a backslash at their end go on in the next one."""
    parts, first = [], 1
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if not parts:
            first = number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            parts.append(line[:-1])
            continue
        content = _COMMENT.sub("", "".join([*parts, line])).strip()
        parts = []
        if content:
            yield first, content
    if parts:
        yield first, _COMMENT.sub("", "".join(parts)).strip()


def _read_line(content, line, path, found, problems):
    if content.startswith("-"):
        return _read_option(content, line, path, found, problems)
    hashes = len(_HASH.findall(f" {content}"))
    plain = _CONFIG.sub("", _HASH.sub("", f" {content}")).strip()
    if has_credentials(plain):
        found["secrets"].append({"line": line, "kind": "url_credentials"})
    if _URL.match(plain) or plain.startswith((".", "/")) or plain.lower().endswith((".whl", ".tar.gz", ".zip")):
        return _read_place(plain, line, path, found, problems, hashes)
    made = requirement(plain, "requirements", path, line, None, problems)
    if made is not None:
        made["hashes"] = hashes
        found["dependencies"].append(made)
        if made["url"] is not None:
            _warn_place(made["url"], line, path, problems)


def _read_place(plain, line, path, found, problems, hashes=0, editable=False):
    shown = without_credentials(plain)
    named = _EGG.search(shown)
    name = named.group(1) if named else re.split(r"[#@;]", shown.rstrip("/"))[0].rpartition("/")[2] or shown
    url = shorten(shown, 500)
    # `.` is the program itself.
    if name.strip("."):
        found["dependencies"].append(dependency("python", name, "requirements", path, line, url=url, hashes=hashes))
    _warn_place(shown, line, path, problems, editable)


def _warn_place(shown, line, path, problems, editable=False):
    what = "An editable requirement" if editable else "A requirement by URL or path"
    message = f"{what} runs the code of {shorten(shown, 120)!r} when it is installed; it was not followed."
    problems.append(problem("warning", "runs_code", message, path, line, 1))


def _read_option(content, line, path, found, problems):
    try:
        words = shlex.split(content)
    except ValueError:
        words = content.split()
    name, equals, value = words[0].partition("=")
    if not equals and len(name) > 2 and not name.startswith("--"):
        name, value = name[:2], name[2:]
    elif not equals:
        value = words[1] if len(words) > 1 else ""
    if name in ("-r", "--requirement", "-c", "--constraint"):
        found["includes"].append({"path": shorten(value, 500), "line": line, "constraint": name in ("-c", "--constraint")})
    elif name in ("-e", "--editable"):
        if has_credentials(value):
            found["secrets"].append({"line": line, "kind": "url_credentials"})
        _read_place(value, line, path, found, problems, editable=True)
    else:
        if name in _WITH_URL and has_credentials(value):
            found["secrets"].append({"line": line, "kind": "url_credentials"})
            message = f"{name} holds a password; keep it in a credential of the kind `index` instead."
            problems.append(problem("warning", "credentials_in_url", message, path, line, 1))
        found["options"].append(shorten(without_credentials(content), 300))
