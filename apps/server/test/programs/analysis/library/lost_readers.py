"""Reads names whose reader is killed, hangs, runs out of memory or answers, and prints what came of each: `lost_readers.py ANALYSER`."""

import json
import os
import signal
import sys
import time

sys.path.insert(0, sys.argv[1])

from analyser import worker  # noqa: E402

worker.FILE_SECONDS = 1


def read_one(name):
    if name.startswith("killed"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith("hangs"):
        time.sleep(60)
    if name.startswith("large"):
        return {"text": "x" * 10**9}
    return {"name": name}


names = ["good 1", "killed 1", "killed 2", "good 2", "hangs", "large", "good 3"]
started = time.monotonic()
for name, facts, reason in worker.read_all(names, read_one, started + 60):
    print(json.dumps([name, facts is not None, reason]))
for name, facts, reason in worker.read_all(["hangs", "good"], read_one, time.monotonic() + 0.5):
    print(json.dumps([name, facts is not None, reason]))
