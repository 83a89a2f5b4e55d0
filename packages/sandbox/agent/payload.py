"""The payload: the process that gives up everything and then is the user's program."""

import json
import marshal
import os
import resource
import signal
import struct
import traceback

import linux
import preboot
import roots
import seccomp

REPORT_FD, START_FD = 3, 4
DESCRIPTORS = 5  # standard input, output and error before those
MOST_DESCRIPTORS = 256  # above any that a holder has
MESSAGE = 4096
# To init: READY; or FAILED and why. An interpreter that was booted ahead adds BOOTED. After the start, of a program that could not be
# replaced: JSON {errno, message}.
READY = struct.Struct("=i")  # process number
FAILED = b"\xff\xff\xff\xff"
BOOTED = b"1"
LENGTH = struct.Struct("=I")  # from init: that, and the marshalled plan of the run
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
    filters = seccomp.build(denied=settings["denied"]), seccomp.build_last()
    settings["filters"] = [seccomp.prepare(program) for program in filters]
    settings["program"] = None
    return settings


def enter_sandbox(ends, cgroup_fds, settings):
    """The forked payload's way from the holder's namespaces into its own, and to its start: (plan, program), the latter for interpreters
    that run it themselves. `ends` become the descriptors 0 to 4.

    Everything that can be done before the program is known, so that a waiting sandbox starts at once. Waits with no capability, no way
    to get one, the system-call filter on, and only the needed descriptors open.
    """
    report = ends[REPORT_FD]
    try:
        os.setsid()
        for descriptor in cgroup_fds:
            os.write(descriptor, b"0")
        for target, descriptor in enumerate(ends):
            os.dup2(descriptor, target, inheritable=target < REPORT_FD)
        os.closerange(DESCRIPTORS, MOST_DESCRIPTORS)
        report = REPORT_FD
        linux.unshare(OWN)
        roots.add_memory_folders()
        if settings["session"]:
            roots.add_terminals()
        linux.drop_capabilities()
        seccomp.install(settings["filters"][1])
        if settings["program"] is not None:
            settings["program"].warm()
        os.write(REPORT_FD, READY.pack(os.getpid()))
        if settings["boot"] is not None:
            preboot.become(settings["boot"])
        return receive_start(), settings["program"]
    except BaseException:
        os.write(report, FAILED + traceback.format_exc(limit=6).encode()[-MESSAGE:])
        os._exit(1)


def receive_start():
    """Waits for its plan. Ends when init does."""
    data = os.read(START_FD, 1 << 16)
    while data and len(data) < LENGTH.size + LENGTH.unpack_from(data)[0]:
        data += os.read(START_FD, 1 << 16)
    if not data:
        os._exit(0)
    os.close(START_FD)
    return marshal.loads(data[LENGTH.size :])


def lower_fixed_limits():
    """Of a holder, for its payloads to inherit."""
    for limit, value in FIXED_LIMITS:
        lower(limit, value)


def lower(limit, value):
    """Sets a resource limit, never above the hard one in force."""
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def apply(plan):
    """Limits and folder of the program."""
    for kind, name in RUN_LIMITS:
        if plan["limits"].get(name):
            lower(kind, plan["limits"][name])
    os.umask(0o022)
    os.chdir("/workspace")


def enter(received):
    """Applies the plan and runs the program: in this interpreter, or in place of it. Never returns."""
    plan, interpreted = received
    apply(plan)
    if plan["mode"] == "exec":
        replace(plan["argv"], plan["env"])
    os.close(REPORT_FD)
    if plan["mode"] == "session":
        interpreted.serve(plan)
    interpreted.set_variables(plan["env"])
    interpreted.load(plan["argv"], plan["file"])
    interpreted.run()


def replace(argv, env):
    """execve with the signals that Python ignores set back; says why over the report pipe when it cannot."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        os.write(REPORT_FD, json.dumps({"errno": error.errno, "message": str(error)}).encode())
        os._exit(127)
