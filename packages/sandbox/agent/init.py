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
import traceback

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
ENDED = struct.Struct("=idq")  # of a payload: wait status, processor time in seconds, largest resident set in KiB
# Enough to see and end every process of the slot and to read whatever it left; and to start the process numbers over.
KEPT = (
    linux.CAP_DAC_OVERRIDE,
    linux.CAP_DAC_READ_SEARCH,
    linux.CAP_FOWNER,
    linux.CAP_KILL,
    linux.CAP_SYS_PTRACE,
    linux.CAP_CHECKPOINT_RESTORE,
)
FIRST_FD = 3
NAMESPACES = ("user", "pid", "uts", "mnt")


def live(control, slot, paths, booted):
    """Init's whole life: leaves nothing of one run for the next, and ends when that cannot be said. `control` is its connection to the holder, `paths` are the slot's workspace and output; `booted`: payloads become
    an interpreter that waits for its run. Never returns."""
    host = connect()
    try:
        control, host = keep_only(control, host)
        last_pid = set_up(paths)
        wake = wake_on_orphans()
    except BaseException:
        report_failure(host)
        os._exit(SETUP_FAILED)
    served = False
    try:
        show_namespaces(control)
        while True:
            folders.freshen()
            child = Child(control, ENDED, booted)
            give_ends(control, child)
            child.wait_ready()
            Supervisor(host, slot, child, wake).run()
            served = True
            start_numbers_over(last_pid)
    except (ConnectionError, EOFError):
        os._exit(0)  # the host is gone, or has let go; or the holder is
    except BaseException:
        report_failure(host)
        os._exit(1 if served else SETUP_FAILED)


def connect():
    """A connection to the host."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect("/jail/agent.sock")
    return sock


def show_namespaces(control):
    """Hands the holder the namespaces that it forks into. Nobody else may open them."""
    descriptors = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in NAMESPACES]
    socket.send_fds(control, [READY], descriptors)
    for descriptor in descriptors:
        os.close(descriptor)


def keep_only(*sockets):
    """Closes whatever else the holder had open."""
    spare = [fcntl.fcntl(sock.detach(), fcntl.F_DUPFD, 64) for sock in sockets]
    numbers = range(FIRST_FD, FIRST_FD + len(spare))
    for number, descriptor in zip(numbers, spare):
        os.dup2(descriptor, number, inheritable=False)
    linux.close_from(numbers.stop)
    return [socket.socket(fileno=number) for number in numbers]


def set_up(paths):
    """Makes init's own root, and gives up what it does not need. Returns the file of the last process number, None where there is none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a payload may signal process 1 where a handler is set
    linux.map_user(roots.USER_ID, roots.USER_ID, roots.USER_ID)
    last_pid = roots.enter(*paths)
    socket.sethostname("sandbox")
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    linux.keep_capabilities(KEPT)
    gc.enable()
    return last_pid


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


def report_failure(host):
    """Tells the host what went wrong, if it can still be told."""
    try:
        host.setblocking(True)
        frames.send_json(host, frames.FAILED, {"message": traceback.format_exc(limit=6)})
    except OSError:
        pass
