"""TOML, with an error that says where."""

import re
import tomllib

from ..tree import problem
from .record import decode_text

_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def parse_toml(path, data, problems):
    """`(text, table)`; the table is None when it cannot be read."""
    text = decode_text(data, path, problems)
    if text is None:
        return "", None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        line, column = (int(place.group(1)), int(place.group(2))) if place else (None, None)
        message = _PLACE.sub("", str(error)).strip()
        problems.append(problem("error", "invalid_toml", f"The TOML cannot be read: {message}.", path, line, column))
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        kind = "it is nested too deeply" if isinstance(error, (RecursionError, MemoryError)) else str(error)[:200]
        problems.append(problem("error", "invalid_toml", f"The TOML cannot be read: {kind}.", path, 1, 1))
    return text, None


def table(value):
    return value if isinstance(value, dict) else {}


def strings(value):
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def string(value):
    return value if isinstance(value, str) else None
