"""A slot's init: process 1 of the slot's process namespace, for one run after another. It forks nothing, so that what it has read of one
run cannot reach the next, and ends when a run does not come to its proper end: with it ends every process of the namespace.
"""

import array  # noqa: F401  what sending descriptors would import later
import fcntl
import gc
import os
import signal
import socket
import struct

import dormant
import folders
import frames
import linux
import roots
from child import Child
from supervisor import Supervisor

SETUP_FAILED = 3
MESSAGE = 16384
# What init and the holder say to each other. READY, with descriptors: first the namespaces, then before each run the payload's ends of
# its pipes. Nothing of a run is left by then.
READY = b"ready"
ENDS = struct.Struct("=5i")
ENDS_SPACE = socket.CMSG_SPACE(ENDS.size)
NAMESPACES = ("user", "pid", "uts", "mnt")


def live(control, leave, slot, paths, settings):
    """Init's whole life: leaves nothing of one run for the next, and ends when that cannot be said. `control` is its connection to the holder,
    `leave` the pipe by which that hears of init, `paths` are the slot's workspace and output. Never returns."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    host, means = connect(), settings["means"]
    try:
        control, host = keep_only(control, host, leave, means)
        last_pid, namespaces = set_up(paths)
        wake = wake_on_orphans()
    except BaseException:
        frames.report_failure(host)
        os._exit(SETUP_FAILED)
    served = False
    try:
        show_namespaces(control, namespaces)
        rest = dormant.Rest(means.quiet if means is not None else None)
        while not rest.began:
            folders.freshen()
            child = Child(control, settings["boot"] is not None)
            give_ends(control, child)
            child.wait_ready()
            Supervisor(host, child, wake, rest).run(slot)
            served = True
            start_numbers_over(last_pid)
        os._exit(0)
    except (ConnectionError, EOFError):
        os._exit(0)  # the host is gone, or has let go; or the holder is
    except BaseException:
        frames.report_failure(host)
        os._exit(1 if served else SETUP_FAILED)


def connect():
    """A connection to the host."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect("/jail/agent.sock")
    return sock


def show_namespaces(control, descriptors):
    """Hands the holder the namespaces that it forks into. Nobody else may open them."""
    socket.send_fds(control, [READY], descriptors)
    for descriptor in descriptors:
        os.close(descriptor)


def keep_only(control, host, leave, means):
    """Closes whatever else the holder had open. Returns both connections."""
    wanted = [control.detach(), host.detach(), leave]
    if means is not None:
        wanted += [means.sleeper, means.python, means.code]
    spare = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 64) for descriptor in wanted]
    for number, descriptor in zip(dormant.NUMBERS, spare):
        os.dup2(descriptor, number, inheritable=False)
    linux.close_from(dormant.NUMBERS[0] + len(spare))
    return [socket.socket(fileno=number) for number in (dormant.CONTROL, dormant.HOST)]


def set_up(paths):
    """Makes init's own root, and gives up what it does not need. Returns the file of the last process number, None where there is none, and
    the open namespaces."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a payload may signal process 1 where a handler is set
    linux.map_user(roots.USER_ID, roots.USER_ID, roots.USER_ID)
    last_pid = roots.enter(*paths)
    namespaces = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in NAMESPACES]
    roots.hide_init()
    socket.sethostname("sandbox")
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    linux.keep_capabilities(dormant.CAPABILITIES)
    gc.enable()
    return last_pid, namespaces


def wake_on_orphans():
    """A pipe that can be read when a child has ended: init's are the orphans of its namespace."""
    wake, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    return wake


def start_numbers_over(last_pid):
    """The next process is number 2 again, where the kernel lets init say so."""
    try:
        if last_pid is not None:
            os.pwrite(last_pid, b"1", 0)
    except OSError:
        pass


def give_ends(control, child):
    """The holder's turn: it forks the payload when it has got these."""
    control.sendmsg([READY], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, ENDS.pack(*child.given))])
    child.close_given()
