"""A payload as init sees it. The holder forked it and collects it; init has its pipes and can end it."""

import json
import marshal
import os
import resource
import signal
import time

import frames
import payload
import sleepers

KEPT = ("pid", "stdin", "stdout", "stderr", "report", "opened", "cpu_seconds", "max_rss_kib")
STARTING = ("argv", "env", "file")  # what an interpreter that was booted ahead is told


class SetupError(Exception):
    """The payload could not make its sandbox; says why in its own words."""


class Child:
    """`stdin`, `stdout`, `stderr`, `report` and `start` are init's ends of the pipes; `pid` is its number in here.

    `status` (wait status), `ended` (monotonic seconds), `cpu_seconds` and `max_rss_kib` are of the whole run, orphans included, from
    its start on. Over `control` the holder tells of its end. `booted`: it becomes an interpreter that waits.
    """

    def __init__(self, control, booted):
        self.control, self.booted = control, booted
        pipes = [os.pipe() for _ in range(5)]
        (stdin, self.stdin), (self.stdout, stdout), (self.stderr, stderr), (self.report, report), (start, self.start) = pipes
        self.given = (stdin, stdout, stderr, report, start)
        self.opened = [self.stdin, self.stdout, self.stderr, self.report, self.start]
        for descriptor in self.opened[:3]:
            os.set_blocking(descriptor, False)
        self.max_rss_kib, self.status, self.ended = 0, None, None

    def keep_whole(self):
        """Everything that `restore` needs while the program runs."""
        return {name: getattr(self, name) for name in KEPT}

    @classmethod
    def restore(cls, control, kept):
        child = cls.__new__(cls)
        vars(child).update(kept)
        child.control, child.status, child.ended = control, None, None
        return child

    def close_given(self):
        for descriptor in self.given:
            os.close(descriptor)

    def wait_ready(self):
        """Until it has made its sandbox."""
        self.pid = self.read_number(payload.READY)
        if self.booted and self.read(1) != payload.BOOTED:
            raise SetupError("the interpreter ended while it booted")
        # While init has it open, the payload need not take its mounts down before it can end.
        self.namespace = os.open(f"/proc/{self.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        self.opened.append(self.namespace)

    def read(self, size):
        """Exactly so many bytes of its report."""
        data = b""
        while len(data) < size:
            chunk = os.read(self.report, size - len(data))
            if not chunk:
                raise EOFError("the payload is gone")
            data += chunk
        return data

    def read_number(self, format):
        data = self.read(format.size)
        if data == payload.FAILED:
            raise SetupError(os.read(self.report, payload.MESSAGE).decode(errors="replace"))
        return format.unpack(data)[0]

    def begin(self, plan):
        """Lets it run what `plan` says. Returns the time, in monotonic seconds."""
        self.limit(plan["limits"])
        if self.booted:
            message = json.dumps({key: plan[key] for key in STARTING}).encode()
        else:
            message = marshal.dumps(plan)
            message = payload.LENGTH.pack(len(message)) + message
        self.cpu_seconds = -time.clock_gettime(clock_of(self.pid))  # what it has spent so far is not the run's
        began = time.monotonic()
        frames.write_whole(self.start, message)
        self.close(self.start)
        return began

    def limit(self, limits):
        """Sets the run's resource limits: from here, where no page is copied for it. The hard ones in force are init's own as well."""
        for kind, name in payload.RUN_LIMITS:
            if limits.get(name):
                value = payload.bounded(kind, limits[name])
                resource.prlimit(self.pid, kind, (value, value))

    def threads(self):
        """The numbers of its threads, while the program has not begun."""
        return [int(name) for name in os.listdir(f"/proc/{self.pid}/task")]

    def open_folder(self, path):
        """A folder as the payload sees it, while that is alive; closed with the rest."""
        self.opened.append(os.open(f"/proc/{self.pid}/root{path}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        return self.opened[-1]

    def close(self, descriptor):
        self.opened.remove(descriptor)
        os.close(descriptor)

    def close_all(self):
        for descriptor in self.opened:
            os.close(descriptor)

    def receive_end(self):
        """Takes the holder's word that the payload has ended. Blocks until it comes."""
        message = self.control.recv(sleepers.ENDED.size)
        if not message:
            raise EOFError("the holder is gone")
        self.status, user, user_us, kernel, kernel_us, max_rss_kib = sleepers.ENDED.unpack(message)
        self.ended = time.monotonic()
        self.count(user + kernel + (user_us + kernel_us) / 1e6, max_rss_kib)

    def count(self, cpu_seconds, max_rss_kib):
        self.cpu_seconds += cpu_seconds
        self.max_rss_kib = max(self.max_rss_kib, max_rss_kib)

    def collect(self, options=os.WNOHANG):
        """Collects an orphan that has ended. False when there is none to collect now, ChildProcessError when there is none at all."""
        pid, _, usage = os.wait4(-1, options)
        if pid != 0:
            self.count(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
        return pid != 0

    def collect_orphans(self):
        try:
            while self.collect():
                pass
        except ChildProcessError:
            pass

    def kill_all(self):
        """Nothing but init lives after this: kill(-1) reaches every process of the namespace, however it hid."""
        try:
            os.kill(-1, signal.SIGKILL)
            if self.status is None:
                self.receive_end()
            while True:
                self.collect(0)
                os.kill(-1, signal.SIGKILL)
        except (ProcessLookupError, ChildProcessError):
            return


def clock_of(pid):
    """The clock of another process's processor time, as clock_getcpuclockid(3) makes it."""
    return (~pid << 3) | 2
