"""`Pipfile` of pipenv."""

from ..limits import shorten
from .record import dependency, line_of, manifest, without_credentials
from .toml_file import parse_toml, string, strings, table


def read_pipfile(path, data, problems):
    text, document = parse_toml(path, data, problems)
    if document is None:
        return None
    found = manifest("pipfile", path)
    for section, group in (("packages", None), ("dev-packages", "dev")):
        for name, wanted in table(document.get(section)).items():
            facts = wanted if isinstance(wanted, dict) else {"version": wanted}
            version = string(facts.get("version"))
            place = string(facts.get("git")) or string(facts.get("path")) or string(facts.get("file"))
            line = line_of(text, name, f"[{section}]")
            made = dependency("python", name, "pipfile", path, line, group=group, extras=strings(facts.get("extras"))[:50])
            made["constraint"] = None if version in (None, "*") else shorten(version, 200)
            made["marker"] = string(facts.get("markers"))
            made["url"] = None if place is None else shorten(without_credentials(place), 500)
            found["dependencies"].append(made)
    wanted = table(document.get("requires"))
    python = string(wanted.get("python_full_version")) or string(wanted.get("python_version"))
    if python is not None:
        found["requires"].append({"language": "python", "constraint": f"=={python}", "line": line_of(text, "python", "[requires]")})
    return found
