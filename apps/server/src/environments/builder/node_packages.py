"""Node.js packages, by npm. Everything is fetched first; only then do the packages' own scripts run, and only here."""

import json
import os
import shutil

import build

QUIET = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=warn"]
SCRIPTS = ("preinstall", "install", "postinstall")


def make(request):
    npm = [request["interpreter"], f"{request['tool']}/bin/npm-cli.js"]
    build.phase("resolve")
    if not lock_of():
        build.run([*npm, "install", "--package-lock-only", "--ignore-scripts", *QUIET])
    shutil.copy(f"{build.PROJECT}/{lock_of()}", f"{build.OUTPUT}/lock")
    build.phase("download")
    build.run([*npm, "ci", "--omit=dev", "--ignore-scripts", "--foreground-scripts", *QUIET])
    installed = folders()
    scripted = [name for name, facts in installed.items() if has_script(facts)]
    build.phase("install")
    if scripted:
        build.say(f"running the install scripts of {', '.join(sorted(scripted))}")
        build.run([*npm, "rebuild", "--foreground-scripts", *allow(npm, scripted), *QUIET])
    build.phase("verify")
    if os.path.isdir(f"{build.PROJECT}/node_modules"):
        os.rename(f"{build.PROJECT}/node_modules", f"{build.LAYER}/node_modules")
    return [describe(facts) for facts in installed.values()]


def lock_of():
    return next((name for name in ("npm-shrinkwrap.json", "package-lock.json") if os.path.exists(f"{build.PROJECT}/{name}")), None)


def allow(npm, names):
    """Newer versions of npm want to be told whose scripts may run."""
    major = int(build.read([*npm, "--version"]).split(".")[0])
    return [f"--allow-scripts={','.join(sorted(set(names)))}"] if major >= 11 else []


def folders():
    """What every installed package says of itself, by its name."""
    found = {}
    for folder, inner, files in os.walk(f"{build.PROJECT}/node_modules"):
        if "package.json" not in files:
            continue
        parts = os.path.relpath(folder, f"{build.PROJECT}/node_modules").split("/")
        # a package is a child of a node_modules, or of a scope in one
        owner = parts[-2] if len(parts) > 1 else "node_modules"
        if owner == "node_modules" or (owner.startswith("@") and (len(parts) == 2 or parts[-3] == "node_modules")):
            facts = read_facts(f"{folder}/package.json")
            if facts is not None:
                facts["gyp"] = "binding.gyp" in files
                found[f"{facts['name']}@{facts['version']}"] = facts
    return found


def read_facts(path):
    try:
        with open(path, encoding="utf-8") as text:
            facts = json.load(text)
        return facts if isinstance(facts.get("name"), str) and isinstance(facts.get("version"), str) else None
    except (OSError, ValueError, AttributeError):
        return None


def has_script(facts):
    scripts = facts.get("scripts")
    return facts["gyp"] or (isinstance(scripts, dict) and any(name in scripts for name in SCRIPTS))


def describe(facts):
    written = facts.get("license")
    if isinstance(written, dict):
        written = written.get("type")
    return {"name": facts["name"][:200], "version": facts["version"][:100], "license": written[:200] if isinstance(written, str) else None}
