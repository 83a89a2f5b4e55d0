"""A sandbox's init: process 1 of one run. It holds the connection to the host, starts the payload, carries its input and output,
watches its limits, and leaves nothing alive behind it.

START carries {argv, mode: "exec" | "python", file, env, limits: {wallMs, processes, openFiles, diskBytes, outputBytes, dataBytes?,
memoryBytes?, processors?}, artifacts: {maxBytes, maxFiles}}; `memoryBytes` and
`processors` are there when no cgroup enforces them.
EXIT carries {exitCode, signal, reason, runMs, cpuMs, maxRssBytes, stdoutBytes, stderrBytes, droppedBytes, failure}. `reason` is null,
`timeout`, `disk`, `memory`, or what KILL said.
"""

import json
import os
import random
import resource
import select
import signal
import socket
import stat
import time
import traceback

import frames
import linux
import payload
import roots
import watch
from output import Output

SETUP_FAILED = 3
# An empty file that waits in the workspace to become the first one of the run: renaming is cheaper than creating.
SPARE = ".syla-spare"
CHUNK = 65536
BACKLOG = 4 * 1024 * 1024
DEEPEST = 3800  # bytes of a folder's path, so that one more name stays below PATH_MAX
DISK_INTERVAL, MEMORY_INTERVAL = 0.2, 0.04


def supervise(slot, settings, cgroups, workspace, output):
    """Init's whole life. Returns only in the payload, with the plan. `cgroups` are the open files that put a process into the slot's groups."""
    sock = None
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a payload may signal process 1 where a handler is set
        linux.map_user(roots.USER_ID, roots.USER_ID, roots.USER_ID)
        child = Child(cgroups, settings["filter"])
        if child.pid == 0:
            return payload.receive_plan(settings["fork"])
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect("/jail/agent.sock")
        roots.enter(workspace, output)
        socket.sethostname("sandbox")
        linux.prctl(linux.PR_SET_DUMPABLE, 0)
        child.release()
    except BaseException:
        report_failure(sock)
        os._exit(SETUP_FAILED)
    try:
        Supervisor(sock, slot, child).run()
        os._exit(0)
    except (ConnectionError, EOFError):
        os._exit(0)  # the host is gone: with process 1 ends the whole sandbox
    except BaseException:
        report_failure(sock)
        os._exit(1)


def report_failure(sock):
    """Tells the host what went wrong, if it can still be told."""
    try:
        frames.send_json(sock, frames.FAILED, {"message": traceback.format_exc(limit=6)})
    except (OSError, AttributeError):
        pass


class Child:
    """The payload as init sees it: its pid and the ends of its pipes. `pid` is 0 in the payload itself.

    It is forked first of all, and waits until the root is made: pages that init writes after a fork are copied, and so are those that it
    writes again after the next one.
    """

    def __init__(self, cgroups, filter_bytes):
        stdin, self.stdin = os.pipe()
        self.stdout, stdout = os.pipe()
        self.stderr, stderr = os.pipe()
        plan, self.plan = os.pipe()
        self.status, status = os.pipe()
        released, self.released = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.released)
            if not os.read(released, 1):
                os._exit(0)  # init failed
            payload.prepare((stdin, stdout, stderr), plan, status, cgroups, filter_bytes)
            return
        for descriptor in (stdin, stdout, stderr, plan, status, released, *cgroups):
            os.close(descriptor)
        for descriptor in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(descriptor, False)


    def release(self):
        """The root is made: the payload may give up what it has and wait for its plan."""
        os.write(self.released, b"1")
        os.close(self.released)


class Supervisor:
    """One poll loop over the host's connection, the payload's pipes and the clock."""

    def __init__(self, sock, slot, child):
        self.sock, self.child = sock, child
        self.reader = frames.Reader()
        self.outgoing = bytearray()
        self.stdin = bytearray()
        self.stdin_ended = False
        self.plan = None
        self.file = None
        self.has_spare = os.path.exists(f"/workspace/{SPARE}")
        self.status = None
        self.reason = None
        self.signalled = False
        self.watches = []
        self.deadline = None
        self.open_streams = {child.stdout: frames.STDOUT, child.stderr: frames.STDERR}
        frames.send_json(sock, frames.HELLO, {"version": frames.VERSION, "slot": slot, "pid": child.pid})

    # -- before the program

    def run(self):
        while self.plan is None:
            self.receive()
        self.start()
        self.loop()
        self.finish()

    def receive(self):
        data = self.sock.recv(1 << 20)
        if not data:
            raise EOFError
        self.reader.feed(data)
        for kind, body in self.reader.take():
            self.handle(kind, body)

    def handle(self, kind, body):
        if kind == frames.FILE:
            self.open_file(json.loads(body))
        elif kind == frames.DATA:
            frames.write_whole(self.file, body)
        elif kind == frames.START:
            self.close_file()
            self.plan = json.loads(body)
        elif kind == frames.STDIN:
            self.stdin += body
        elif kind == frames.STDIN_END:
            self.stdin_ended = True
        elif kind == frames.SIGNAL:
            self.signal_all(json.loads(body)["signal"])
        elif kind == frames.KILL:
            self.end(json.loads(body)["reason"])

    def open_file(self, facts):
        self.close_file()
        path = os.path.join("/workspace", facts["path"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        if self.take_spare(path):
            self.file = os.open(path, flags)
        else:
            self.file = os.open(path, flags | os.O_CREAT | os.O_EXCL, facts["mode"] & 0o777)
        os.fchmod(self.file, facts["mode"] & 0o777)

    def take_spare(self, path):
        """Makes the spare file the first file of the run."""
        if not self.has_spare:
            return False
        self.has_spare = False
        os.rename(f"/workspace/{SPARE}", path)
        return True

    def close_file(self):
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def start(self):
        if self.has_spare:
            os.unlink(f"/workspace/{SPARE}")
        limits = self.plan["limits"]
        self.output = Output(limits["outputBytes"], self.forward)
        try:
            if "processors" in limits:
                self.pin(limits["processors"])
            with open(self.child.plan, "wb") as pipe:
                pipe.write(json.dumps({key: self.plan[key] for key in ("argv", "mode", "file", "env", "limits")}).encode())
        except (BrokenPipeError, ProcessLookupError) as error:
            if not self.signalled:
                raise EOFError("the payload died while it waited") from error
        self.began = time.monotonic()
        self.deadline = self.began + limits["wallMs"] / 1000
        self.watches = [("disk", watch.DiskWatch(limits["diskBytes"], DISK_INTERVAL))]
        if "memoryBytes" in limits:
            self.watches.append(("memory", watch.MemoryWatch(limits["memoryBytes"], MEMORY_INTERVAL)))
        self.sock.setblocking(False)
        self.forward(frames.STARTED, b"")

    def pin(self, count):
        """Keeps the program on some of the processors; the filter does not let it change that."""
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(self.child.pid, random.sample(allowed, min(count, len(allowed))))

    # -- while it runs

    def loop(self):
        """Until the program's first process has ended, by itself or not."""
        self.wake, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self.reap()
        while self.status is None:
            self.step(self.timeout())
            self.check_limits()

    def timeout(self):
        due = min([self.deadline, *(watched.due for _, watched in self.watches)])
        return max(0, due - time.monotonic()) * 1000

    def step(self, timeout_ms):
        poll = select.poll()
        poll.register(self.sock, select.POLLIN | (select.POLLOUT if self.outgoing else 0))
        poll.register(self.wake, select.POLLIN)
        if len(self.outgoing) < BACKLOG:
            for descriptor in self.open_streams:
                poll.register(descriptor, select.POLLIN)
        self.feed_stdin()
        if self.stdin:
            poll.register(self.child.stdin, select.POLLOUT)
        for descriptor, events in poll.poll(timeout_ms):
            if descriptor in self.open_streams:
                self.read_stream(descriptor)
            elif descriptor == self.wake:
                os.read(self.wake, 4096)
                self.reap()
            elif descriptor == self.sock.fileno():
                if events & ~select.POLLOUT:
                    self.receive()
                self.flush()

    def feed_stdin(self):
        """Hands on what the pipe takes; closes it after the end. A program that closed its end gets no more."""
        if self.child.stdin is None:
            self.stdin.clear()
            return
        try:
            while self.stdin:
                del self.stdin[: os.write(self.child.stdin, self.stdin[:CHUNK])]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.stdin.clear()
            self.stdin_ended = True
        if self.stdin_ended:
            os.close(self.child.stdin)
            self.child.stdin = None

    def read_stream(self, descriptor):
        """False when there is nothing to read now."""
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return False
        if data:
            self.output.write(self.open_streams[descriptor], data)
        else:
            del self.open_streams[descriptor]
        return True

    def forward(self, kind, data):
        self.outgoing += frames.encode(kind, data)
        self.flush()

    def flush(self):
        try:
            while self.outgoing:
                sent = self.sock.send(memoryview(self.outgoing)[: 1 << 18])
                del self.outgoing[:sent]
        except BlockingIOError:
            pass

    def reap(self):
        """Collects every child that ended: the program's first process, and orphans that came to process 1."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.child.pid:
                    self.ended = time.monotonic()
                    self.status = status
        except ChildProcessError:
            return

    def check_limits(self):
        now = time.monotonic()
        if now >= self.deadline:
            self.end("timeout")
        for name, watched in self.watches:
            if self.status is None and watched.exceeded(now):
                self.end(name)

    def signal_all(self, number):
        if self.plan is None or self.status is not None:
            return
        self.signalled = True
        try:
            os.kill(-1, number)
        except ProcessLookupError:
            pass

    def end(self, reason):
        """Kills everything. The first reason counts."""
        if self.status is None and self.reason is None:
            self.reason = reason
        self.signalled = True
        self.deadline = time.monotonic() + 3600
        self.kill_all()

    def kill_all(self):
        """Nothing but init lives after this: kill(-1) reaches every process of the namespace, however it hid."""
        try:
            while True:
                os.kill(-1, signal.SIGKILL)
                pid, status = os.waitpid(-1, 0)
                if pid == self.child.pid:
                    self.ended = time.monotonic()
                    self.status = status
        except (ProcessLookupError, ChildProcessError):
            return

    # -- after it

    def finish(self):
        """Kills what the program left running, then hands over the rest of its output, its artifacts and the result."""
        self.kill_all()
        self.reap()
        if self.status != 0 and self.reason is None and watch.disk_usage() >= 0.99 * self.plan["limits"]["diskBytes"]:
            self.reason = "disk"  # the kernel refused to let a file grow beyond the limit
        for descriptor in list(self.open_streams):
            # Nobody is left to write. An end of the pipe that lies in a dead socket's queue may keep it open for a while, no matter.
            while descriptor in self.open_streams and self.read_stream(descriptor):
                pass
        self.output.finish()
        self.sock.setblocking(True)
        self.sock.sendall(self.outgoing)
        self.outgoing.clear()
        send_artifacts(self.sock, self.plan["artifacts"])
        frames.send_json(self.sock, frames.EXIT, self.result())
        while self.sock.recv(CHUNK):  # the host reads the counters of this sandbox before it lets go
            pass

    def result(self):
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        failure = os.read(self.child.status, CHUNK)
        return {
            "exitCode": os.WEXITSTATUS(self.status) if os.WIFEXITED(self.status) else None,
            "signal": os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None,
            "reason": self.reason,
            "runMs": max(self.ended - self.began, 0) * 1000,
            "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000,
            "maxRssBytes": usage.ru_maxrss * 1024,
            "stdoutBytes": self.output.totals[frames.STDOUT],
            "stderrBytes": self.output.totals[frames.STDERR],
            "droppedBytes": self.output.dropped,
            "failure": json.loads(failure) if failure else None,
        }


def send_artifacts(sock, limits):
    """Sends every regular file under /output, in path order. No process of the program is alive; no link is followed."""
    left, count = limits["maxBytes"], 0
    for path in sorted(regular_files("/output", sock)):
        name = os.path.relpath(path, b"/output")
        try:
            text = name.decode()
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (UnicodeDecodeError, OSError) as error:
            skip(sock, name, "the name is not UTF-8" if isinstance(error, UnicodeDecodeError) else "it could not be read")
            continue
        size = os.fstat(descriptor).st_size
        if size > left or count >= limits["maxFiles"]:
            skip(sock, name, "over the limit for artifacts of one run")
        else:
            left, count = left - size, count + 1
            send_file(sock, descriptor, text, size)
        os.close(descriptor)


def send_file(sock, descriptor, path, size):
    frames.send_json(sock, frames.ARTIFACT, {"path": path, "size": size})
    while chunk := os.read(descriptor, 1 << 18):
        frames.send(sock, frames.DATA, chunk)


def regular_files(folder, sock):
    """Paths (bytes) of regular files; everything else but folders is reported as skipped."""
    found, folders = [], [os.fsencode(folder)]
    while folders:
        current = folders.pop()
        if len(current) > DEEPEST:
            skip(sock, os.path.relpath(current, os.fsencode(folder)), "too deep")
            continue
        with os.scandir(current) as listing:
            for entry in listing:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    folders.append(entry.path)
                elif stat.S_ISREG(mode):
                    found.append(entry.path)
                else:
                    skip(sock, os.path.relpath(entry.path, os.fsencode(folder)), "not a regular file")
    return found


def skip(sock, name, reason):
    frames.send_json(sock, frames.SKIPPED, {"path": name.decode(errors="replace"), "reason": reason})
