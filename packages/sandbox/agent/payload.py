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

import frames
import linux
import preboot
import roots
import seccomp
from intake import Intake

REPORT_FD, LEAVE_FD, HOST_FD = 3, 4, 5
MESSAGE = 4096
# To init: READY, then LENGTH and a marshalled (plan, monotonic time, processor time so far, bytes from the host after START); or FAILED
# and why. After that, of a program that could not be replaced: JSON {errno, message}.
READY = struct.Struct("=i")  # process number
LENGTH = struct.Struct("=I")
NEED_INIT = {"processors", "memoryBytes"}  # limits for which init has to do something before the program runs
FAILED = b"\xff\xff\xff\xff"
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

# Those of a run, by their names in its plan.
RUN_LIMITS = (
    (resource.RLIMIT_NPROC, "processes"),
    (resource.RLIMIT_NOFILE, "openFiles"),
    (resource.RLIMIT_FSIZE, "diskBytes"),
    (resource.RLIMIT_DATA, "dataBytes"),
)


def read_settings(text):
    """What the host says of a jail: {fork, boot, session, preimport, cgroups, denied, merge, root, network}; `network` is null or {port,
    connections}."""
    settings = json.loads(text)
    settings["filters"] = seccomp.build(denied=settings["denied"]), seccomp.build_last()
    settings["program"] = None
    return settings


class Pipes:
    """Standard input, output and error, the report to init and its leave to go: a pipe each between a payload and init."""

    def __init__(self):
        self.pairs = [os.pipe() for _ in range(5)]

    def payload_ends(self):
        (stdin, _), (_, stdout), (_, stderr), (_, report), (leave, _) = self.pairs
        return [stdin, stdout, stderr, report, leave]

    def init_ends(self):
        return [reader if writer in self.payload_ends() else writer for reader, writer in self.pairs]

    def close(self):
        for pair in self.pairs:
            for descriptor in pair:
                os.close(descriptor)


def enter_sandbox(pipes, host_fd, cgroup_fds, mounts_fd, settings):
    """The forked payload's way from the holder's namespaces into its own, and to its start: (plan, program), the latter for interpreters
    that run it themselves.

    Everything that can be done before the program is known, so that a waiting sandbox starts at once. Waits with no capability, no way
    to get one, the system-call filter on, and only the needed descriptors open. It is the payload that reads what the host sends up to
    START, since it has to wake up for it anyway; it tells init what comes then, and lets go of the connection before the program runs.
    """
    report = pipes.payload_ends()[3]
    try:
        os.setsid()
        for descriptor in cgroup_fds:
            os.write(descriptor, b"0")
        linux.setns(mounts_fd, linux.CLONE_NEWNS)
        take_descriptors([*pipes.payload_ends(), host_fd])
        report = REPORT_FD
        linux.unshare(OWN)
        roots.add_memory_folders()
        if settings["session"]:
            roots.add_terminals()
        linux.keep_capabilities(())
        linux.prctl(linux.PR_SET_DUMPABLE, 1)
        seccomp.install(settings["filters"][1])
        if settings["program"] is not None:
            settings["program"].warm()
        if settings["boot"] is not None:
            preboot.become(settings["boot"])
        os.write(REPORT_FD, READY.pack(os.getpid()))
        return receive_start(), settings["program"]
    except BaseException:
        os.write(report, FAILED + traceback.format_exc(limit=6).encode()[-MESSAGE:])
        os._exit(1)


def receive_start():
    """Puts the run's files in place and waits for its plan; passes on to init what it needs of it. The host lets go: ends."""
    plan, rest = take_start()
    own = split_plan(plan)
    tell_init(plan, time.process_time(), rest)
    if plan["limits"].keys() & NEED_INIT and not os.read(LEAVE_FD, 1):
        os._exit(0)
    os.close(LEAVE_FD)
    os.close(HOST_FD)
    return own | {"limits": plan["limits"]}


def take_start():
    """Puts the run's files in place until its plan comes: (plan, what else the host has sent). Ends when the host lets go."""
    reader, intake, plan = frames.Reader(), Intake(), None
    while plan is None:
        data = os.read(HOST_FD, 1 << 20)
        if not data:
            os._exit(0)
        reader.feed(data)
        for kind, body in reader.take():
            if kind == frames.START:
                plan = json.loads(body)
                break
            intake.handle(kind, body)
    intake.done()
    return plan, bytes(reader.buffer)


def split_plan(plan):
    """Takes out of a plan what is the program's own."""
    return {key: plan.pop(key) for key in ("argv", "mode", "file", "env")}


def tell_init(plan, spent, rest):
    """The run begins now. `spent`: the processor time, in seconds, that is not the run's."""
    message = marshal.dumps((plan, time.monotonic(), spent, rest))
    frames.write_whole(REPORT_FD, LENGTH.pack(len(message)) + message)


def lower_fixed_limits():
    """Of a holder, for its payloads to inherit."""
    for limit, value in FIXED_LIMITS:
        lower(limit, value)


def take_descriptors(ends):
    """Standard input, output, error, report, leave and host become 0 to 5; nothing else stays open."""
    spare = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 64) for descriptor in ends]
    for target, descriptor in enumerate(spare):
        os.dup2(descriptor, target, inheritable=target < 3)
    linux.close_from(len(ends))


def lower(limit, value):
    """Sets a resource limit, never above the hard one in force."""
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def apply(plan):
    """Limits, environment and folder of the program."""
    for kind, name in RUN_LIMITS:
        if plan["limits"].get(name):
            lower(kind, plan["limits"][name])
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
    if plan["mode"] == "session":
        interpreted.serve(plan)
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
