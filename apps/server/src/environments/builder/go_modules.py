"""Go modules, as a module cache that programs are compiled from."""

import glob
import json
import os
import shutil
import stat

import build


def make(request):
    go = request["interpreter"]
    os.environ["GOMODCACHE"] = f"{build.LAYER}/mod"
    build.phase("resolve")
    if not os.path.exists(f"{build.PROJECT}/go.sum"):
        build.say("there is no go.sum: the hashes of now are kept")
    build.phase("download")
    build.run([go, "mod", "download", "-x"])
    build.phase("install")
    build.run([go, "mod", "verify"])
    build.phase("verify")
    if os.path.exists(f"{build.PROJECT}/go.sum"):
        shutil.copy(f"{build.PROJECT}/go.sum", f"{build.OUTPUT}/lock")
    else:
        open(f"{build.OUTPUT}/lock", "w").close()
    modules = list(parse(build.read([go, "list", "-m", "-json", "all"])))
    for path in glob.glob(f"{build.LAYER}/mod/cache/download/**/*.zip", recursive=True):
        os.chmod(os.path.dirname(path), 0o755)
        os.unlink(path)  # its content lies beside it, and its hash is kept
    for folder, _folders, _files in os.walk(build.LAYER):
        os.chmod(folder, os.stat(folder).st_mode | stat.S_IRWXU)
    return [describe(module) for module in modules if not module.get("Main") and module.get("Dir")]


def parse(text):
    decoder, place = json.JSONDecoder(), 0
    while place < len(text.rstrip()):
        module, place = decoder.raw_decode(text, place)
        yield module
        while place < len(text) and text[place].isspace():
            place += 1


def describe(module):
    return {"name": module["Path"][:200], "version": module.get("Version", "")[:100], "license": license_of(module["Dir"])}


def license_of(folder):
    """The name of the licence, as far as the text's first lines say it."""
    for path in sorted(glob.glob(f"{folder}/LICEN[CS]E*")):
        with open(path, errors="replace") as text:
            head = text.read(1500)
        for words, name in (("Apache License", "Apache-2.0"), ("MIT License", "MIT"), ("Permission is hereby granted, free of charge", "MIT")):
            if words in head:
                return name
        if "Redistribution and use in source and binary forms" in head:
            return "BSD-3-Clause" if "Neither the name" in head else "BSD"
        if "Mozilla Public License" in head:
            return "MPL-2.0"
    return None
