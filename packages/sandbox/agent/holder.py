"""A slot's holder: owns the slot's network namespace and makes one sandbox after another in it.

The network namespace is empty but for `lo` and is used by one run at a time; everything else a run gets is new. The holder reads
nothing that a user sent, so nothing of one run can reach the next through its memory.
"""

import os
import subprocess
import time

import init
import linux

FRESH = linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS | linux.CLONE_NEWCGROUP
FAILURES_ALLOWED = 5


def hold(slot, settings):
    """Makes sandboxes until the jail ends. Returns only in a payload, with what it has to run."""
    os.close(0)
    os.open("/dev/null", os.O_RDONLY)
    linux.unshare(linux.CLONE_NEWNET)
    linux.raise_loopback()
    folder = f"/jail/slot-{slot}"
    os.makedirs(folder, exist_ok=True)
    failures = 0
    while failures < FAILURES_ALLOWED:
        workspace, output = fresh_folders(folder)
        pid = linux.clone(FRESH)
        if pid == 0:
            return init.supervise(slot, settings, workspace, output)
        _, status = os.waitpid(pid, 0)
        failures = failures + 1 if status == init.SETUP_FAILED << 8 else 0
        if failures:
            time.sleep(0.05 * 2**failures)
    os._exit(1)


def fresh_folders(folder):
    """Empties the slot's folder and makes the two that a run may write to."""
    paths = [f"{folder}/workspace", f"{folder}/output"]
    for path in paths:
        empty(path)
        os.mkdir(path, 0o755)
    return paths


def empty(path):
    """Removes a folder whatever a hostile program left in it. Cheap when it holds no folders; `rm` copes with any depth."""
    try:
        for name in os.listdir(path):
            os.unlink(os.path.join(path, name))
        os.rmdir(path)
    except FileNotFoundError:
        return
    except OSError:
        subprocess.run(["/bin/rm", "-rf", "--", path], check=True, stdin=subprocess.DEVNULL)
