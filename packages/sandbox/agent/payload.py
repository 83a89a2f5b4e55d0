"""The payload: the process that gives up everything and then is the user's program."""

import fcntl
import json
import marshal
import os
import resource
import signal
import struct
import time
import traceback

import linux
import roots
import seccomp

PLAN_FD, REPORT_FD = 3, 4
MESSAGE = 4096
READY = struct.Struct("=id")  # process number, processor time so far in seconds
OWN = linux.CLONE_NEWNS | linux.CLONE_NEWIPC | linux.CLONE_NEWCGROUP
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
    settings["program"] = None
    return settings


class Pipes:
    """Standard input, output and error, the plan and the report: a pipe each between a payload and init."""

    def __init__(self):
        self.pairs = [os.pipe() for _ in range(5)]

    def payload_ends(self):
        (stdin, _), (_, stdout), (_, stderr), (plan, _), (_, report) = self.pairs
        return stdin, stdout, stderr, plan, report

    def init_ends(self):
        return [reader if writer in self.payload_ends() else writer for reader, writer in self.pairs]

    def close(self):
        for pair in self.pairs:
            for descriptor in pair:
                os.close(descriptor)


def enter_sandbox(pipes, cgroup_fds, mounts_fd, settings):
    """The forked payload's way from the holder's namespaces into its own, up to its plan: (plan, program), the latter for interpreters
    that run it themselves.

    Everything that can be done before the program is known, so that a waiting sandbox starts at once. Ends with no capability, no way
    to get one, the system-call filter on, and only the needed descriptors open.
    """
    report = pipes.payload_ends()[-1]
    try:
        os.setsid()
        for descriptor in cgroup_fds:
            os.write(descriptor, b"0")
        linux.setns(mounts_fd, linux.CLONE_NEWNS)
        take_descriptors(pipes.payload_ends())
        report = REPORT_FD
        linux.unshare(OWN)
        roots.add_memory_folders()
        give_up(settings["filter"])
        if settings["program"] is not None:
            settings["program"].warm()
        os.write(REPORT_FD, READY.pack(os.getpid(), time.process_time()))
    except BaseException:
        os.write(report, traceback.format_exc(limit=6).encode()[-MESSAGE:])
        os._exit(1)
    return receive_plan(), settings["program"]


def lower_fixed_limits():
    """Of a holder, for its payloads to inherit."""
    for limit, value in FIXED_LIMITS:
        lower(limit, value)


def take_descriptors(ends):
    """Standard input, output, error, plan and report become 0 to 4; nothing else stays open."""
    spare = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 64) for descriptor in ends]
    for target, descriptor in enumerate(spare):
        os.dup2(descriptor, target, inheritable=target < 3)
    linux.close_from(len(ends))


def give_up(filter_bytes):
    linux.keep_capabilities(())
    linux.prctl(linux.PR_SET_DUMPABLE, 1)
    seccomp.install(filter_bytes)


def receive_plan():
    """Waits for the plan from init. Nothing comes: ends."""
    parts = []
    while chunk := os.read(PLAN_FD, 65536):
        parts.append(chunk)
    os.close(PLAN_FD)
    if not parts:
        os._exit(0)
    return marshal.loads(b"".join(parts))


def lower(limit, value):
    """Sets a resource limit, never above the hard one in force."""
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


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
    plan, interpreted = received
    apply(plan)
    if plan["mode"] == "exec":
        replace(plan["argv"])
    os.close(REPORT_FD)
    interpreted.load(plan["argv"], plan["file"])
    interpreted.run()


def replace(argv):
    """execve with the signals that Python ignores set back; says why over the report pipe when it cannot."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, os.environ)
    except OSError as error:
        os.write(REPORT_FD, json.dumps({"errno": error.errno, "message": str(error)}).encode())
        os._exit(127)
