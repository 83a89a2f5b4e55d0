"""Files that say what a program needs: which they are, and what they say."""

import fnmatch

from ..tree import folder_of, name_of
from .go_mod import read_go_mod
from .inline import read_inline
from .package_json import read_package_json
from .pipfile import read_pipfile
from .pyproject import read_pyproject
from .python_version import read_python_version
from .record import requirement
from .requirements import read_requirements
from .setup_cfg import read_setup_cfg

__all__ = ["is_manifest", "read", "read_inline", "read_requirement", "read_requirements"]

_BY_NAME = {
    "pyproject.toml": read_pyproject,
    "setup.cfg": read_setup_cfg,
    "Pipfile": read_pipfile,
    "package.json": read_package_json,
    "go.mod": read_go_mod,
    ".python-version": read_python_version,
    "runtime.txt": read_python_version,
}


def _reader_of(path):
    name = name_of(path)
    if name in _BY_NAME:
        return _BY_NAME[name]
    is_requirements = fnmatch.fnmatchcase(name, "requirements*.txt") or fnmatch.fnmatchcase(name, "*requirements.txt")
    if is_requirements or (name.endswith(".txt") and name_of(folder_of(path)) == "requirements"):
        return read_requirements
    return None


def is_manifest(path):
    return _reader_of(path) is not None


def read(path, data, problems):
    """A dictionary (see `record.manifest`), or None when the file says nothing that can be read."""
    return _reader_of(path)(path, data, problems)


def read_requirement(text, path, line):
    """One requirement of a notebook; None for what is none."""
    return requirement(text, "notebook", path, line, None, [])
