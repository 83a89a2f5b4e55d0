"""`.python-version` of pyenv and uv, and Heroku's `runtime.txt`."""

import re

from .record import decode_text, manifest

_VERSION = re.compile(r"^(?:python-)?(\d+(?:\.\d+){0,2}\S{0,20})$")


def read_python_version(path, data, problems):
    text = decode_text(data[:4096], path, problems)
    found = manifest("python-version", path)
    for number, line in enumerate((text or "").splitlines()[:20], 1):
        match = _VERSION.match(line.strip())
        if match:
            found["requires"].append({"language": "python", "constraint": f"=={match.group(1)}", "line": number})
            return found
    return None
