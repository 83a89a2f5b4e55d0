"""Python packages, by uv, as an environment that is at home wherever it is mounted."""

import email.parser
import glob
import os
import shutil
import tomllib

import build

LOCK = f"{build.OUTPUT}/lock"
# What an environment has for the shells of people.
FOR_SHELLS = ("activate*", "*.bat", "deactivate*")


def build_lock(request):
    """The exact version and hash of every package."""
    names, uv = request["files"], request["tool"]
    if "lock.txt" in names:
        shutil.copy(f"{build.PROJECT}/lock.txt", LOCK)
    elif "uv.lock" in names:
        build.run([uv, "export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--format", "requirements.txt", "-o", LOCK])
    else:
        words = [uv, "pip", "compile", wishes(names), "-o", LOCK, "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
        if "constraints.txt" in names:
            words += ["--constraint", "constraints.txt"]
        build.run([*words, "--python", request["interpreter"]])


def wishes(names):
    """The file of requirements; of a pyproject.toml nothing counts but its list of dependencies."""
    if "requirements.txt" in names:
        return "requirements.txt"
    with open(f"{build.PROJECT}/pyproject.toml", "rb") as text:
        try:
            document = tomllib.load(text)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise build.Failed(f"error: pyproject.toml cannot be read: {error}")
    project = document.get("project", document)
    dependencies = project.get("dependencies", [])
    if not isinstance(dependencies, list) or not all(isinstance(entry, str) for entry in dependencies):
        raise build.Failed("error: `dependencies` of pyproject.toml is not a list of texts")
    with open(f"{build.PROJECT}/requirements.in", "w") as text:
        text.writelines(f"{entry}\n" for entry in dependencies)
    return "requirements.in"


def build_environment(request):
    uv = request["tool"]
    build.run([uv, "venv", "--quiet", "--allow-existing", "--relocatable", "--no-project", "--python", request["interpreter"], build.LAYER])
    python = f"{build.LAYER}/bin/python"

    def watch(line):
        if line.startswith("Prepared "):
            build.phase("install")

    build.phase("download")
    build.run([uv, "pip", "install", "--python", python, "--no-deps", "--link-mode", "hardlink", "-r", LOCK], watch)
    build.phase("verify")
    for pattern in FOR_SHELLS:
        for path in glob.glob(f"{build.LAYER}/bin/{pattern}"):
            os.unlink(path)
    for name in (".gitignore", "CACHEDIR.TAG", ".lock"):
        if os.path.exists(f"{build.LAYER}/{name}"):
            os.unlink(f"{build.LAYER}/{name}")
    # Nobody can write there later. Checked by content, not by time: times are not kept.
    words = [python, "-m", "compileall", "-qq", "-j", "0", "--invalidation-mode", "unchecked-hash", f"{build.LAYER}/lib"]
    build.run(words, must_succeed=False)  # some packages carry files for other versions of Python
    # The host makes these anew: they lead out of the layer.
    for path in glob.glob(f"{build.LAYER}/bin/python*"):
        if os.path.islink(path):
            os.unlink(path)


def packages():
    folders = glob.glob(f"{build.LAYER}/lib/python*/site-packages/*.dist-info/METADATA")
    return [describe(path) for path in folders]


def describe(path):
    with open(path, encoding="utf-8", errors="replace") as text:
        facts = email.parser.HeaderParser().parse(text)
    classifiers = [entry.rpartition(" :: ")[2] for entry in facts.get_all("Classifier", []) if entry.startswith("License ::")]
    written = facts.get("License-Expression") or ", ".join(classifiers) or (facts.get("License") or "").split("\n")[0]
    return {"name": facts.get("Name", "?")[:200], "version": facts.get("Version", "?")[:100], "license": written[:200] or None}


def make(request):
    build.phase("resolve")
    if "remarks.txt" in request["files"]:
        with open(f"{build.PROJECT}/remarks.txt", encoding="utf-8") as text:
            build.say(text.read().replace(build.PHASE, "").rstrip("\n"))
    build_lock(request)
    build_environment(request)
    return packages()
