"""The agent: boots one interpreter inside the outer wall and forks every sandbox of a jail from it.

Processes, from the outside in: this one (the *zygote*) never sees a byte of a user. For each slot it forks a *keeper* of the slot's
network namespace, and that a *holder* (holder.py). The holder makes the slot's *init* (init.py), process 1 of the slot's own process
namespace, and for each run forks a *payload* into it (payload.py), in mount, IPC, UTS and cgroup namespaces of its own. Init talks to the
host over a connection for each run and watches over the payload (supervisor.py). A Python program runs in that forked interpreter: the
payload's stack unwinds to the bottom of this file, so that nothing but this one frame lies under the program.
"""

import gc
import os
import signal
import sys

import holder
import linux
import payload
import program
import roots


def read_commands():
    """Yields the words of each line on standard input, until the host closes it."""
    pending = b""
    while True:
        chunk = os.read(0, 4096)
        if not chunk:
            return
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            yield line.decode().split()


def serve(settings):
    """The zygote's life: builds the template root, then forks a holder for every `slot N` that the host asks for.

    Returns only in a payload, with what it has to run.
    """
    for name in settings["preimport"]:
        __import__(name)
    if settings["merge"]:
        merge_equal_pages()
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS)
    linux.map_user(roots.USER_ID, uid, gid)
    roots.build_template(settings)
    if settings["session"]:
        import session

        settings["program"] = session.Daemon()
    elif settings["fork"]:
        settings["program"] = program.Program()
    gc.collect()
    gc.freeze()
    gc.disable()
    # A holder that gave up takes the jail with it: the host sees that and makes another one.
    signal.signal(signal.SIGCHLD, lambda number, frame: os._exit(1))
    for command in read_commands():
        if command[:1] == ["slot"]:
            if os.fork() == 0:
                return holder.keep(int(command[1]), settings)
    end_jail()


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


payload.enter(serve(payload.read_settings(sys.argv[1])))
