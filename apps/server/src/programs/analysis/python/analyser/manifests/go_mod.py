"""`go.mod`. Source: https://go.dev/ref/mod#go-mod-file-grammar"""

import re

from ..limits import shorten
from ..tree import problem
from .record import decode_text, dependency, manifest

_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|=>|[()]|[^\s"`()]+')
_VERSION = re.compile(r"^v\d+\.\d+\.\d+\S*$")
_VERBS = {"module", "go", "toolchain", "require", "replace", "exclude", "retract", "godebug", "tool", "ignore"}


def read_go_mod(path, data, problems):
    text = decode_text(data, path, problems)
    if text is None:
        return None
    found = manifest("go.mod", path)
    replaced = {}
    verb = None
    for line, content in enumerate(text.splitlines(), 1):
        code, _, comment = content.partition("//")
        words = [word.strip('"`') for word in _WORD.findall(code)]
        if not words:
            continue
        if verb is not None and words == [")"]:
            verb = None
            continue
        if verb is None:
            if words[0] not in _VERBS:
                problems.append(_bad(f"{shorten(words[0], 50)!r} is no directive", path, line))
                continue
            if words[1:] == ["("]:
                verb = words[0]
                continue
            _directive(words[0], words[1:], comment, line, path, found, replaced, problems)
        else:
            _directive(verb, words, comment, line, path, found, replaced, problems)
    if verb is not None:
        problems.append(_bad(f"the block of `{verb}` has no end", path, len(text.splitlines())))
    for made in found["dependencies"]:
        made["url"] = replaced.get((made["name"], made["constraint"])) or replaced.get((made["name"], None))
    return found


def _directive(verb, words, comment, line, path, found, replaced, problems):
    if verb == "module" and len(words) == 1:
        found["name"] = shorten(words[0], 200)
    elif verb in ("go", "toolchain") and len(words) == 1:
        found["requires"].append({"language": verb, "constraint": shorten(words[0], 100), "line": line})
    elif verb == "require" and len(words) == 2 and _VERSION.match(words[1]):
        group = "indirect" if comment.strip().startswith("indirect") else None
        found["dependencies"].append(dependency("go", words[0], "go.mod", path, line, constraint=shorten(words[1], 200), group=group))
    elif verb == "replace" and "=>" in words and words.index("=>") in (1, 2) and 1 <= len(words) - words.index("=>") - 1 <= 2:
        arrow = words.index("=>")
        replaced[(words[0], words[1] if arrow == 2 else None)] = shorten(" ".join(words[arrow + 1 :]), 500)
    elif verb in ("module", "go", "toolchain", "require", "replace"):
        problems.append(_bad(f"`{verb}` is not followed by what it needs", path, line))


def _bad(message, path, line):
    return problem("error", "invalid_go_mod", f"The file cannot be read: {message}.", path, line, 1)
