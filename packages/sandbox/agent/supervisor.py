"""One run, as the slot's init sees it: holds the connection to the host, carries the payload's input and output, watches its limits, and
leaves nothing alive behind it.

START carries {argv, mode: "exec" | "python" | "session", file, env, limits: {wallMs, processes, openFiles, diskBytes, outputBytes, dataBytes?,
memoryBytes?, processors?}, artifacts: {maxBytes, maxFiles}}; `memoryBytes` and
`processors` are there when no cgroup enforces them. `returns` ({maxBytes, maxFiles, ignore}) is there when the host wants to have what becomes of the
workspace. `kept` is there where the agent may go on from a snapshot that others go on from too. `session` is there for a session: its daemon's output is a stream that nothing is left
out of, handed on at once, and its artifacts are nobody's.
EXIT carries {exitCode, signal, reason, runMs, cpuMs, maxRssBytes, stdoutBytes, stderrBytes, droppedBytes, failure, last}. `reason` is null,
`timeout`, `disk`, `memory`, or what KILL said; after the `last` run of its slot's init the host closes instead of saying DONE.
"""

import json
import os
import random
import select
import time

import artifacts
import dormant
import frames
import intake
import pauser
import returns
import watch
from child import Child
from output import Output

CHUNK = 65536
BACKLOG = 4 * 1024 * 1024
STDIN_BACKLOG = 64 * 1024 * 1024
MEMORY_INTERVAL = 0.04
GATHER, ENOUGH = 0.006, 65536  # seconds and bytes
FIRST_LOOK = 0.02  # seconds after the start
NEVER = float("inf")
UNLIMITED = 1 << 62
KEPT = ("wake", "stdin_ended", "reason", "deadline", "began", "session", "gather", "open_streams")  # what `keep_whole` takes as it is


class Supervisor:
    """One poll loop over the host's connection, the payload's pipes and the clock."""

    def __init__(self, sock, child, wake, rest):
        self.sock, self.child, self.wake, self.rest = sock, child, wake, rest
        self.reader = frames.Reader()
        # For the host, from `send_at` on; `blocked` while it does not take more.
        self.outgoing, self.send_at, self.blocked = bytearray(), NEVER, False
        self.start_told = self.done = False
        self.stdin = bytearray()
        self.stdin_ended = False
        self.reason = None
        self.watches = []
        self.pauser = pauser.Pauser()
        self.deadline = None
        self.open_streams = {child.stdout: frames.STDOUT, child.stderr: frames.STDERR}
        self.listens = False  # a pipe holds what a short program prints; it is read once, after its end

    def run(self, slot):
        frames.send_json(self.sock, frames.HELLO, {"version": frames.VERSION, "slot": slot, "pid": self.child.pid})
        self.start()
        self.loop()
        self.finish()

    def receive(self):
        self.feed(self.read_host())

    def read_host(self):
        data = self.sock.recv(CHUNK)
        if not data:
            raise EOFError
        return data

    def feed(self, data):
        self.reader.feed(data)
        for kind, body in self.reader.take():
            self.handle(kind, body)

    def handle(self, kind, body):
        if kind != frames.LOOK:
            self.rest.stir()
        if kind == frames.STDIN:
            self.stdin += body
        elif kind == frames.STDIN_END:
            self.stdin_ended = True
        elif kind == frames.SIGNAL:
            self.signal_all(json.loads(body)["signal"])
        elif kind == frames.LOOK:
            self.disk.look()
        elif kind == frames.DONE:
            self.done = True
        elif kind in (frames.PAUSE, frames.RESUME):
            self.pause(kind == frames.PAUSE)
        elif kind == frames.KILL:
            self.end(json.loads(body)["reason"])

    def start(self):
        self.plan = self.receive_plan()
        limits = self.plan["limits"]
        self.session = "session" in self.plan
        self.gather = 0 if self.session else GATHER
        self.output = Output(UNLIMITED if self.session else limits["outputBytes"], self.forward)
        self.disk = watch.DiskWatch(limits["diskBytes"], self.device)
        self.watches = [("disk", self.disk)]
        if "memoryBytes" in limits:
            folders = [self.child.open_folder(path) for path in ("/tmp", "/dev/shm")]
            self.watches.append(("memory", watch.MemoryWatch(limits["memoryBytes"], MEMORY_INTERVAL, folders)))
        if "processors" in limits:
            self.pin(limits["processors"])
        self.began_ns = time.time_ns()
        self.began = self.child.begin(self.plan)
        self.deadline = self.began + limits["wallMs"] / 1000
        self.sock.setblocking(False)
        self.feed(b"")

    def receive_plan(self):
        """Puts the run's files in place until its plan comes. What the host sends after that waits in the reader."""
        files = intake.Intake()
        self.wait_for_host()
        while True:
            self.reader.feed(self.read_host())
            for kind, body in self.reader.take():
                if kind == frames.START:
                    files.done()
                    plan = json.loads(body)
                    self.put_in, self.device, self.layers = files.put_in if "returns" in plan else None, files.device, files.layers
                    return plan | {"overlaid": files.device is not None}
                if kind == frames.TREE:
                    frames.send_json(self.sock, frames.MOUNTED, {"error": files.show(json.loads(body), self.child)})
                else:
                    files.handle(kind, body)

    def wait_for_host(self):
        """Until it says something. A payload that ends meanwhile is no sandbox to be handed out."""
        poll = select.poll()
        for sock in (self.sock, self.child.control):
            poll.register(sock, select.POLLIN)
        if any(descriptor == self.child.control.fileno() for descriptor, _ in poll.poll()):
            raise EOFError("the payload has ended before its run")

    def pin(self, count):
        """Keeps the program on some of the processors; the filter does not let it change that."""
        allowed = sorted(os.sched_getaffinity(0))
        chosen = random.sample(allowed, min(count, len(allowed)))
        for thread in self.child.threads():
            os.sched_setaffinity(thread, chosen)

    # -- while it runs

    def loop(self):
        """Until the program's first process has ended, by itself or not."""
        self.send_at = self.began + (0 if self.session else FIRST_LOOK)
        if len(self.watches) > 1 or self.put_in is not None:
            self.rest.give_up()  # memory has to be looked at all the time; what was put in is known here alone
        self.rest.stir()
        self.watch_over()

    def watch_over(self):
        while self.child.status is None:
            self.step(self.timeout())
            self.send_what_is_due()
            self.check_limits()
            if time.monotonic() >= self.rest.at:
                self.go_to_sleep()

    def timeout(self):
        due = min([self.deadline, self.send_at, self.rest.at, *(watched.due for _, watched in self.watches)])
        return max(0, due - time.monotonic()) * 1000

    def send_what_is_due(self):
        """What is for the host waits a moment for what comes after it: a short program is told of in one piece."""
        now = time.monotonic()
        if now >= self.send_at:
            self.listens = True
            self.tell_start(now)
            self.flush()
            self.send_at = NEVER

    def tell_start(self, now):
        if not self.start_told:
            self.start_told = True
            self.outgoing[:0] = frames.encode(frames.STARTED, frames.as_json({"agoMs": (now - self.began) * 1000}))

    def step(self, timeout_ms):
        poll = select.poll()
        self.feed_stdin()
        for descriptor, events in self.interests():
            poll.register(descriptor, events)
        for descriptor, events in poll.poll(timeout_ms):
            if descriptor != self.sock.fileno():
                self.rest.stir()
            if descriptor in self.open_streams:
                self.read_stream(descriptor)
            elif descriptor == self.child.control.fileno():
                if self.child.status is None:  # a KILL that came with it may have taken it already
                    self.child.receive_end()
            elif descriptor == self.wake:
                os.read(self.wake, 4096)
                self.child.collect_orphans()
            elif descriptor == self.sock.fileno():
                if events & ~select.POLLOUT:
                    self.receive()
                if events & select.POLLOUT:
                    self.flush()

    def interests(self):
        """Yields what to wait for: descriptors and poll events."""
        room = len(self.stdin) < STDIN_BACKLOG
        yield self.sock.fileno(), (select.POLLIN if room else 0) | (select.POLLOUT if self.blocked else 0)
        yield self.child.control.fileno(), select.POLLIN
        yield self.wake, select.POLLIN
        if len(self.outgoing) < BACKLOG and self.listens:
            for descriptor in self.open_streams:
                yield descriptor, select.POLLIN
        if self.stdin:
            yield self.child.stdin, select.POLLOUT

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
            self.child.close(self.child.stdin)
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
        if len(self.outgoing) >= ENOUGH:
            self.send_at = 0
        elif self.send_at == NEVER and not self.blocked:
            self.send_at = time.monotonic() + self.gather

    def flush(self):
        self.blocked = False
        try:
            while self.outgoing:
                sent = self.sock.send(memoryview(self.outgoing)[: 1 << 18])
                del self.outgoing[:sent]
        except BlockingIOError:
            self.blocked = True

    def check_limits(self):
        now = time.monotonic()
        if now >= self.deadline:
            self.end("timeout")
        for name, watched in self.watches:
            if self.child.status is None and watched.exceeded(now):
                self.end(name)

    def signal_all(self, number):
        if self.child.status is not None:
            return
        try:
            os.kill(-1, number)
        except ProcessLookupError:
            pass

    def pause(self, wanted):
        if self.child.status is None:
            if wanted:
                self.pauser.stop_all()
            else:
                self.pauser.go_on()
        self.forward(frames.PAUSED, frames.as_json({"paused": wanted}))

    def end(self, reason):
        """Kills everything. The first reason counts."""
        if self.child.status is None and self.reason is None:
            self.reason = reason
        self.deadline = time.monotonic() + 3600
        self.child.kill_all()

    # -- while it sleeps

    def go_to_sleep(self):
        """Nothing has happened for a while. Returns when the time has not come yet."""
        self.disk.look_now()
        self.check_limits()
        waiting = len(self.stdin) + self.output.tail_bytes
        busy = self.outgoing or not self.listens or self.reader.buffer
        if busy or self.reason or self.disk.suspected or waiting > dormant.MOST_KEPT:
            self.rest.stir()
            return
        try:
            if not self.rest.began:
                self.wake = self.rest.prepare(self.child.opened)
                os.set_inheritable(self.wake, True)
                self.child.collect_orphans()  # those that ended before
            self.forward(frames.DORMANT, frames.as_json({"diskBytes": self.disk.used}))
            self.flush()
            if self.blocked:
                self.rest.stir()
            else:
                self.rest.sleep(self.keep_whole(), self.interests(), self.deadline)
        except OSError:
            self.rest.give_up()

    def keep_whole(self):
        """Everything that `resume` needs."""
        return {
            "plan": {"limits": {"diskBytes": self.plan["limits"]["diskBytes"]}, "artifacts": self.plan["artifacts"]},
            "own": {name: getattr(self, name) for name in KEPT},
            "stdin": bytes(self.stdin),
            "child": self.child.keep_whole(),
            "disk": vars(self.disk),
            "output": self.output.keep_whole(),
            "stopped": self.pauser.stopped,
            "rest": [self.rest.quiet, self.rest.patience],
            "slept_at": time.monotonic(),
        }

    # -- after it

    def finish(self):
        """Kills what the program left running, then hands over the rest of its output, its artifacts and the result."""
        self.child.kill_all()
        if self.child.status != 0 and self.reason is None and watch.disk_usage(self.disk.overlay) >= 0.99 * self.plan["limits"]["diskBytes"]:
            self.reason = "disk"  # the kernel refused to let a file grow beyond the limit
        for descriptor in list(self.open_streams):
            # Nobody is left to write. An end of the pipe that lies in a dead socket's queue may keep it open for a while, no matter.
            while descriptor in self.open_streams and self.read_stream(descriptor):
                pass
        self.output.finish()
        self.tell_start(time.monotonic())
        self.sock.setblocking(True)
        if not self.session:
            artifacts.send_artifacts(self.send, self.plan["artifacts"])
            if self.put_in is not None:
                returns.send_changes(self.send, self.put_in, self.began_ns, self.plan["returns"], self.layers)
        self.outgoing += frames.encode(frames.EXIT, frames.as_json(self.result()))
        self.sock.sendall(self.outgoing)
        while not self.done:  # the host closes after the last one
            self.receive()
        self.child.close_all()

    def send(self, kind, data):
        """Sends a frame, gathered with others, on the socket that blocks by now."""
        self.outgoing += frames.encode(kind, data)
        if len(self.outgoing) >= ENOUGH:
            self.sock.sendall(self.outgoing)
            self.outgoing.clear()

    def result(self):
        child = self.child
        failure = os.read(child.report, CHUNK)
        return {
            "exitCode": os.WEXITSTATUS(child.status) if os.WIFEXITED(child.status) else None,
            "signal": os.WTERMSIG(child.status) if os.WIFSIGNALED(child.status) else None,
            "reason": self.reason,
            "runMs": max(child.ended - self.began, 0) * 1000,
            "cpuMs": max(child.cpu_seconds, 0) * 1000,
            "maxRssBytes": child.max_rss_kib * 1024,
            "stdoutBytes": self.output.totals[frames.STDOUT],
            "stderrBytes": self.output.totals[frames.STDERR],
            "droppedBytes": self.output.dropped,
            "failure": json.loads(failure) if failure else None,
            "last": self.rest.began,
        }


def resume(sock, control, kept):
    """One that goes on where another one went to sleep."""
    child = Child.restore(control, kept["child"])
    run = Supervisor(sock, child, kept["own"]["wake"], dormant.Rest.restore(*kept["rest"]))
    sock.setblocking(False)
    vars(run).update(kept["own"])
    run.plan = kept["plan"]
    run.stdin += kept["stdin"]
    run.start_told = run.listens = True
    run.put_in = None
    run.output = Output(0, run.forward)
    run.output.restore(kept["output"])
    run.disk = watch.DiskWatch.restore(kept["disk"])
    run.watches = [("disk", run.disk)]
    run.pauser.stopped = kept["stopped"]
    return run
