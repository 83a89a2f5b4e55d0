"""An interpreter that cannot be forked, booted ahead in its finished sandbox: used once, and told over a socket what to run.

The payload becomes that interpreter before anything of a run is known. What the host sends is read by another process, the *intake*: an
orphan, which init collects before it lets the program go. So the program finds neither a parent nor a child that is not its own, and no
byte of a run is ever in a process that serves another one.
"""

import fcntl
import json
import os
import select
import signal
import socket
import time
import traceback

import payload

LINK_FD = 3  # the interpreter's end; it says that it has booted, and gets JSON {argv, env, file} until the end of the stream
BOOTED = b"1"


def become(boot):
    """Forks the intake and turns into the interpreter, `boot` = {argv, env}. Never returns."""
    own, intakes = socket.socketpair()
    pid = os.getpid()
    middle = os.fork()
    if middle == 0:
        if os.fork() == 0:
            own.close()
            serve(pid, intakes)
        os._exit(0)
    intakes.close()
    os.waitpid(middle, 0)
    report = fcntl.fcntl(payload.REPORT_FD, fcntl.F_DUPFD_CLOEXEC, 64)
    os.close(payload.HOST_FD)
    os.dup2(own.detach(), LINK_FD, inheritable=True)
    os.set_inheritable(payload.LEAVE_FD, True)
    os.closerange(payload.HOST_FD, 64)
    os.umask(0o022)
    os.chdir("/")
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(boot["argv"][0], boot["argv"], boot["env"])
    except OSError as error:
        fail(report, f"{boot['argv'][0]} cannot be started: {error}")


def serve(pid, link):
    """The intake's life: waits for the interpreter, then for the host, and hands over what the run is. Never returns."""
    try:
        os.closerange(0, 3)
        if link.recv(1) != BOOTED:
            fail(payload.REPORT_FD, "the interpreter ended while it booted")
        os.write(payload.REPORT_FD, payload.READY.pack(pid))
        if not host_speaks(link):
            os._exit(0)
        plan, rest = payload.take_start()
        own = payload.split_plan(plan)
        link.sendall(json.dumps({key: own[key] for key in ("argv", "env", "file")}).encode())
        plan["booted"] = True
        payload.tell_init(plan, time.clock_gettime(clock_of(pid)) + time.process_time(), rest)
        os._exit(0)
    except BaseException:
        fail(payload.REPORT_FD, traceback.format_exc(limit=6))


def host_speaks(link):
    """Waits for the first byte from the host. False when the interpreter has ended meanwhile."""
    poll = select.poll()
    poll.register(payload.HOST_FD, select.POLLIN)
    poll.register(link, select.POLLIN)
    return all(descriptor == payload.HOST_FD for descriptor, _ in poll.poll())


def clock_of(pid):
    """The clock of another process's processor time, as clock_getcpuclockid(3) makes it."""
    return (~pid << 3) | 2


def fail(report, message):
    os.write(report, payload.FAILED + message.encode(errors="replace")[-payload.MESSAGE :])
    os._exit(1)
