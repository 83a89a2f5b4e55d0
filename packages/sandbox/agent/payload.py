"""The payload: the process that gives up everything and then is the user's program."""

import ctypes
import json
import marshal
import os
import resource
import signal
import struct
import sys
import traceback

import linux
import preboot
import roots
import seccomp

REPORT_FD, START_FD = 3, 4
DESCRIPTORS = 5  # standard input, output and error before those
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


def prepare_filters(settings):
    """Adds them to what the host says of a jail: {fork, boot, session, preimport, cgroups, denied, merge, root, late, network}; `late`: layers may
    be mounted later; `network` is null or {port, connections}."""
    filters = seccomp.build(denied=settings["denied"]), seccomp.build_last()
    settings["filters"] = [seccomp.prepare(program) for program in filters]
    settings["program"] = None
    return settings


def prepare_way(cgroup_fds, last_filter, session):
    """What is called on the way into the sandbox, the same for each run of a slot, as `linux.carry_out` takes it."""
    libc = linux.libc
    return (
        linux.UNBLOCK_SIGNALS,
        (libc.setsid, ()),
        *((libc.write, (descriptor, b"0", ctypes.c_size_t(1))) for descriptor in cgroup_fds),
        linux.prepare_close_from(DESCRIPTORS),
        linux.prepare_unshare(OWN),
        *roots.MEMORY_FOLDERS,
        *([roots.TERMINALS] if session else []),
        (libc.chdir, (b"/workspace",)),
        linux.DROP_ALL_CAPABILITIES,
        last_filter,
    )


def enter_sandbox(ends, way, settings):
    """The forked payload's way from the holder's namespaces into its own, and to its start: (plan, program), the latter for interpreters
    that run it themselves. `ends` become the descriptors 0 to 4.

    Everything that can be done before the program is known, so that a waiting sandbox starts at once. Waits with no capability, no way
    to get one, the system-call filter on, and only the needed descriptors open.
    """
    report = ends[REPORT_FD]
    try:
        for target, descriptor in enumerate(ends):
            os.dup2(descriptor, target, inheritable=target < REPORT_FD)
        report = REPORT_FD
        linux.carry_out(way)
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
    for kind, limit in FIXED_LIMITS:
        value = bounded(kind, limit)
        resource.setrlimit(kind, (value, value))


def bounded(kind, limit):
    """A resource limit that is never above the hard one in force."""
    _, hard = resource.getrlimit(kind)
    return limit if hard == resource.RLIM_INFINITY else min(limit, hard)


def enter(received):
    """Runs the program of the plan: in this interpreter, or in place of it. Never returns."""
    plan, interpreted = received
    if plan["overlaid"]:
        os.chdir("/workspace")  # another one than before
    if plan["mode"] == "exec":
        replace(plan["argv"], plan["env"])
    os.close(REPORT_FD)
    if plan["mode"] == "session":
        interpreted.serve(plan)
    if "kept" in plan:
        seed_again()
    interpreted.set_variables(plan["env"])
    interpreted.load(plan["argv"], plan["file"])
    if plan["prefix"] is not None:
        interpreted.move(plan["prefix"])
    interpreted.run()


def seed_again():
    """Of an interpreter that was kept in a snapshot: others go on from the same one."""
    if "random" in sys.modules:
        sys.modules["random"].seed()


def replace(argv, env):
    """execve with the signals that Python ignores set back; says why over the report pipe when it cannot."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        os.write(REPORT_FD, json.dumps({"errno": error.errno, "message": str(error)}).encode())
        os._exit(127)
