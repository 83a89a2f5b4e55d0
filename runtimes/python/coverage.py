"""Runs a program and writes which of its lines ran to /output/.coverage/lines.json: {path: {lines, executed}}."""

import atexit
import json
import os
import sys
import threading

ROOT = "/workspace/"
OWN = os.path.abspath(__file__)
executed = {}


def trace(frame, event, _argument):
    path = frame.f_code.co_filename
    if not path.startswith(ROOT) or path == OWN:
        return None
    ran = executed.setdefault(path, set())

    def follow(frame, event, _argument):
        if event == "line":
            ran.add(frame.f_lineno)
        return follow

    return follow


def lines_of(code):
    """Every line that a code object or one in it can run."""
    yield from (line for _, _, line in code.co_lines() if line)
    for constant in code.co_consts:
        if hasattr(constant, "co_lines"):
            yield from lines_of(constant)


def write(open=open, makedirs=os.makedirs, dumps=json.dumps):
    sys.settrace(None)
    files = {}
    for path, ran in list(executed.items()):
        try:
            with open(path, "rb") as file:
                lines = sorted(set(lines_of(compile(file.read(), path, "exec", dont_inherit=True))))
        except (OSError, SyntaxError, ValueError):
            continue
        files[path[len(ROOT) :]] = {"lines": lines, "executed": sorted(line for line in ran if line)}
    makedirs("/output/.coverage", exist_ok=True)
    with open("/output/.coverage/lines.json", "w") as file:
        file.write(dumps(files))


def run(path):
    sys.argv = sys.argv[1:]
    sys.path[0] = os.path.dirname(path)
    main = type(sys)("__main__")
    main.__dict__.update(__file__=path, __builtins__=__builtins__)
    sys.modules["__main__"] = main
    with open(path, "rb") as file:
        program = compile(file.read(), path, "exec", dont_inherit=True)
    atexit.register(write)
    threading.settrace(trace)
    sys.settrace(trace)
    exec(program, main.__dict__)


run(os.path.abspath(sys.argv[1]))
