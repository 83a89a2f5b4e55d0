"""The agent where one run, or one session, has a container to itself: a pod, or a container of gVisor's. It is process 1 there, and gone with its run.

No namespaces are made and no capability is needed: the container is the wall, and what a program could do to the agent is refused: nobody may trace or
read a process that cannot be dumped, and the filters let nobody signal process 1 or touch its limits. So the program is a plain child of the agent, forked before anything of the run is known, and waits for it as it does in a jail (payload.py, supervisor.py).

The one connection to the host is a WebSocket, which a thread carries, or the standard input and output.
"""

import gc
import json
import os
import resource
import signal
import socket
import stat
import sys
import threading
import time
import traceback

SETTINGS = json.loads(sys.argv[1])
for name in SETTINGS["preimport"]:
    __import__(name)

import artifacts  # noqa: E402
import child as children  # noqa: E402
import dormant  # noqa: E402
import frames  # noqa: E402
import linux  # noqa: E402
import payload  # noqa: E402
import pipes  # noqa: E402
import program  # noqa: E402
import seccomp  # noqa: E402
import supervisor  # noqa: E402
import watch  # noqa: E402
import websocket  # noqa: E402

CONNECT_SECONDS = 60
DISK_INTERVAL = 1.0  # seconds: nobody outside sees how much room is left
FLUSH_SECONDS = 10
WRITABLE = ("/workspace", "/output")
OUT_OF_MEMORY = "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"


class OwnChild(children.Child):
    """A payload that process 1 itself has forked."""

    def __init__(self):
        silent, self.kept = socket.socketpair()  # nobody else has to tell of its end
        super().__init__(silent, False)
        self.pid = None

    def wait_ready(self):
        self.pid = self.read_number(payload.READY)

    def collect(self, options=os.WNOHANG):
        pid, status, usage = os.wait4(-1, options)
        if pid == 0:
            return False
        if pid == self.pid:
            self.status, self.ended = status, time.monotonic()
        self.count(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
        return True

    def open_folder(self, path):
        self.opened.append(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        return self.opened[-1]

    def receive_end(self):
        while self.status is None:
            self.collect(0)


class OwnRun(supervisor.Supervisor):
    """The one run of a container."""

    def start(self):
        self.kills = count_kills()
        super().start()

    def finish(self):
        self.child.kill_all()
        for path in WRITABLE:
            open_folders(path)
        super().finish()

    def result(self):
        facts = super().result() | {"last": True}
        if facts["reason"] is None and facts["exitCode"] != 0 and count_kills() > self.kills:
            facts["reason"] = "memory"
        return facts


def count_kills():
    """How many processes of the container the kernel has ended for its memory limit; 0 where it does not say."""
    for path in OUT_OF_MEMORY:
        try:
            with open(path) as file:
                return next(int(count) for name, count in map(str.split, file) if name == "oom_kill")
        except (OSError, ValueError, StopIteration):
            continue
    return 0


def open_folders(path):
    """Lets whoever owns them look into all folders below: a program may have closed some, and here it is the same user that looks."""
    folders = [os.fsencode(path)]
    while folders:
        current = folders.pop()
        if len(current) > artifacts.DEEPEST:
            continue
        try:
            with os.scandir(current) as listing:
                entries = [entry.path for entry in listing if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        for entry in entries:
            try:
                os.chmod(entry, stat.S_IMODE(os.lstat(entry).st_mode) | stat.S_IRWXU)
            except OSError:
                continue
            folders.append(entry)


def serve(settings):
    """Forks the payload and looks after it. Returns only in there, with what it has to run."""
    if os.getpid() != 1 or has_capabilities():
        sys.exit("the agent of a container is its process 1, and nobody special")
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    lower_limits()
    for number in range(3, payload.DESCRIPTORS):  # no end of a pipe has a number that a payload wants to give to another one
        os.dup2(0, number, inheritable=False)
    if settings["session"]:
        import session

        settings["program"] = session.Daemon()
    elif settings["fork"]:
        settings["program"] = program.Program(settings["env"])
    gc.collect()
    gc.freeze()
    gc.disable()
    if settings["fork"]:
        settings["program"].prepare()
    settings["boot"] = None
    child = OwnChild()
    if os.fork() == 0:
        guard = seccomp.prepare(seccomp.build_guard())
        return payload.enter_sandbox(child.given, prepare_way((guard, *settings["filters"])), settings)
    look_after(child, settings)
    return None


def lower_limits():
    for kind, limit in payload.FIXED_LIMITS:
        try:
            value = payload.bounded(kind, limit)
            resource.setrlimit(kind, (value, value))
        except ValueError:
            pass  # gVisor has some of them only; what they would bound is not there either


def has_capabilities():
    with open("/proc/self/status") as file:
        return any(int(value, 16) for name, value in map(str.split, filter(lambda line: line.startswith(("CapEff:", "CapPrm:")), file)))


def prepare_way(filters):
    """What is called on the way to the program, as `linux.carry_out` takes it."""
    libc = linux.libc
    return (
        linux.UNBLOCK_SIGNALS,
        (libc.setsid, ()),
        linux.prepare_close_from(payload.DESCRIPTORS),
        (libc.umask, (0o022,)),
        (libc.chdir, (b"/workspace",)),
        linux.DROP_ALL_CAPABILITIES,
        *filters,
    )


def look_after(child, settings):
    """Process 1's life. Never returns."""
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    gc.enable()
    wake, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child.close_given()
    watch.LONGEST_INTERVAL = DISK_INTERVAL
    try:
        host, carrying = connect(settings["connect"])
    except Exception:
        # The last line is what the cluster shows of a container that has failed.
        sys.stderr.write(traceback.format_exc(limit=3))
        os._exit(1)
    status = 0
    try:
        child.wait_ready()
        run = OwnRun(host, child, wake, dormant.Rest(None))
        signal.signal(signal.SIGTERM, lambda number, frame: run.signal_all(number))  # the cluster wants it to end
        run.run(0)
    except (ConnectionError, EOFError):
        pass  # the host is gone, or has let go
    except BaseException:
        status = 1
        frames.report_failure(host)
    child.kill_all()
    host.close()
    carrying.join(FLUSH_SECONDS)
    os._exit(status)


def connect(wish):
    """{address, token, authority, seconds}: a WebSocket, `token` and `authority` are files; null: standard input and output. Returns this side of the stream,
    and the thread that carries it."""
    ours, inner = socket.socketpair()
    if wish is None:
        carrier = pipes.Carrier(inner, *take_pipes())
    else:
        with open(wish["token"]) as file:
            token = file.read().strip()
        authority = None
        if wish["authority"] is not None:
            with open(wish["authority"]) as file:
                authority = file.read()
        carrier = websocket.Carrier(inner, *websocket.connect(wish["address"], token, authority, CONNECT_SECONDS))
    thread = threading.Thread(target=carrier.run, daemon=True)
    thread.start()
    return ours, thread


def take_pipes():
    """Standard input and output, which nothing else in here writes to from now on."""
    taken = [os.dup(descriptor) for descriptor in (0, 1)]
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    return taken


payload.enter(serve(payload.prepare_filters(SETTINGS)))
