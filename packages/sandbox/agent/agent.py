"""The agent: boots one interpreter inside the outer wall and forks every sandbox of a jail from it.

Processes, from the outside in: this one (the *zygote*) never sees a byte of a user. For each slot it forks a *holder* into a network
namespace of the slot's own (slots.py, holder.py). The holder makes the slot's *init* (init.py), process 1 of the slot's own process
namespace, and for each run forks a *payload* into it (payload.py), in mount, IPC and cgroup namespaces of its own. Init talks to the
host over a connection for each run and watches over the payload (supervisor.py). A Python program runs in that forked interpreter: the
payload's stack unwinds to the bottom of this file, so that nothing but this one frame lies under the program.
"""

import gc
import json
import os
import select
import signal
import sys

import heap

SETTINGS = json.loads(sys.argv[1])
for name in SETTINGS["preimport"]:
    __import__(name)
heap.fill_holes()

# What a payload uses comes first, and so lies together.
import linux  # noqa: E402
import roots  # noqa: E402
import payload  # noqa: E402
import program  # noqa: E402
import dormant  # noqa: E402
from slots import Slots  # noqa: E402


def serve(settings):
    """The zygote's life: builds the template root, then forks a holder for every `slot N` that the host asks for, again and again until the
    host says `drop N`.

    Returns only in a payload, with what it has to run.
    """
    if settings["merge"]:
        merge_equal_pages()
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS)
    linux.map_user(roots.USER_ID, uid, gid)
    roots.build_template(settings)
    settings["means"] = dormant.prepare(settings["quietMs"])
    if settings["session"]:
        import session

        settings["program"] = session.Daemon()
    elif settings["fork"]:
        settings["program"] = program.Program(settings["env"])
    linux.copy_page_tables()
    gc.collect()
    gc.freeze()
    gc.disable()
    if settings["fork"]:
        settings["program"].prepare()
    linux.keep_in_memory()
    heap.fill_holes()
    return keep_slots(Slots(settings))


def keep_slots(slots):
    """Makes what the host asks for until it closes, and keeps it alive. Returns only in a payload."""
    wake, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    received, pending = None, b""
    while received is None:
        readable, _, _ = select.select([0, wake], [], [], slots.wait_seconds())
        if 0 in readable:
            chunk = os.read(0, 4096)
            if not chunk:
                end_jail()
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                word, number = line.decode().split()
                received = received or (slots.add if word == "slot" else slots.drop)(int(number))
        if received is None and wake in readable:
            os.read(wake, 4096)
            slots.collect()
        if received is None:
            received = slots.make_due()
    return received


def merge_equal_pages():
    """Lets the kernel keep one copy of what is equal in all sandboxes: most of what a fork has written is the same in each of them."""
    try:
        linux.prctl(linux.PR_SET_MEMORY_MERGE, 1)
    except OSError:
        pass  # an older kernel: every sandbox keeps its own


def end_jail():
    """Nothing of the jail outlives the zygote: its process 1 waits for every process, not for this one alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os._exit(0)


payload.enter(serve(payload.prepare_filters(SETTINGS)))
