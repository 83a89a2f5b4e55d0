"""The payload: the process that gives up everything and then is the user's program."""

import fcntl
import json
import os
import resource
import signal

import linux
import seccomp
from program import Program

PLAN_FD, STATUS_FD = 3, 4
# The last two: no way past the scheduler's fairness even on hosts that grant it. Queued signals are counted per host user.
FIXED_LIMITS = (
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_MEMLOCK, 65536),
    (resource.RLIMIT_MSGQUEUE, 819200),
    (resource.RLIMIT_SIGPENDING, 4096),
    (resource.RLIMIT_RTPRIO, 0),
    (resource.RLIMIT_NICE, 0),
)


def read_settings(text):
    """What the host says of a jail: {fork, preimport, cgroups, denied, root}."""
    settings = json.loads(text)
    settings["filter"] = seccomp.build(denied=settings["denied"])
    return settings


def prepare(stdio, plan_fd, status_fd, cgroup_fds, filter_bytes):
    """Everything that can be done before the program is known, so that a waiting sandbox starts at once.

    Ends with no capability, no way to get one, the system-call filter on, and only the needed descriptors open.
    """
    os.setsid()
    for descriptor in cgroup_fds:
        os.write(descriptor, b"0")
    spare = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 64) for descriptor in (*stdio, plan_fd, status_fd)]
    for target, descriptor in enumerate(spare):
        os.dup2(descriptor, target, inheritable=target < 3)
    linux.close_from(5)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for limit, value in FIXED_LIMITS:
        lower(limit, value)
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_DUMPABLE, 1)
    seccomp.install(filter_bytes)


def lower(limit, value):
    """Sets a resource limit, never above the hard one in force."""
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def receive_plan(fork):
    """Waits for the plan from init: (plan, program), the latter for interpreters that run it themselves. Nothing comes: ends."""
    program = Program() if fork else None
    parts = []
    while chunk := os.read(PLAN_FD, 65536):
        parts.append(chunk)
    os.close(PLAN_FD)
    if not parts:
        os._exit(0)
    return json.loads(b"".join(parts)), program


def apply(plan):
    """Limits, environment and folder of the program."""
    limits = plan["limits"]
    lower(resource.RLIMIT_NPROC, limits["processes"])
    lower(resource.RLIMIT_NOFILE, limits["openFiles"])
    lower(resource.RLIMIT_FSIZE, limits["diskBytes"])
    if limits.get("dataBytes"):
        lower(resource.RLIMIT_DATA, limits["dataBytes"])
    os.umask(0o022)
    os.chdir("/workspace")
    os.environ.clear()
    os.environ.update(plan["env"])


def enter(received):
    """Applies the plan and runs the program: in this interpreter, or in place of it. Never returns."""
    plan, program = received
    apply(plan)
    if plan["mode"] == "exec":
        replace(plan["argv"])
    os.close(STATUS_FD)
    program.load(plan["argv"], plan["file"])
    program.run()


def replace(argv):
    """execve with the signals that Python ignores set back; says why over the status pipe when it cannot."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, os.environ)
    except OSError as error:
        os.write(STATUS_FD, json.dumps({"errno": error.errno, "message": str(error)}).encode())
        os._exit(127)
