"""A payload as init sees it. The holder forked it and collects it; init has its pipes and can end it."""

import marshal
import os
import resource
import signal
import time

import payload

class SetupError(Exception):
    """The payload could not make its sandbox; says why in its own words."""


class Child:
    """`stdin`, `stdout`, `stderr`, `report` and `leave` are init's ends of the pipes; `pid` is its number in here.

    `status` (wait status), `ended` (monotonic seconds), `cpu_seconds` and `max_rss_kib` are of the whole run, orphans included, from
    START on. `format` is the struct in which the holder tells an end over `control`.
    """

    def __init__(self, control, format, ends):
        self.control, self.format = control, format
        self.stdin, self.stdout, self.stderr, self.report, self.leave = self.opened = ends
        self.pid = self.read_number(payload.READY)
        self.max_rss_kib, self.status, self.ended = 0, None, None
        # While init has it open, the payload need not take its mounts down before it can end.
        self.opened.append(os.open(f"/proc/{self.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC))
        for descriptor in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(descriptor, False)

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

    def receive_start(self):
        """Waits until the payload has been told to start: (plan, when in monotonic seconds, what else the host has sent)."""
        length = self.read_number(payload.LENGTH)
        message = bytearray()
        while len(message) < length:
            message += self.read(min(length - len(message), 1 << 16))
        plan, began, spent, rest = marshal.loads(message)
        self.cpu_seconds = -spent
        return plan, began, rest

    def take_over(self, limits):
        """Of an interpreter that was booted ahead: waits until its intake is gone, and gives it the run's limits."""
        try:
            while True:
                self.collect(0)
        except ChildProcessError:
            pass
        for kind, name in payload.RUN_LIMITS:
            if limits.get(name):
                _, hard = resource.prlimit(self.pid, kind)
                value = limits[name] if hard == resource.RLIM_INFINITY else min(limits[name], hard)
                resource.prlimit(self.pid, kind, (value, value))

    def threads(self):
        """The numbers of its threads, while the program has not begun."""
        return [int(name) for name in os.listdir(f"/proc/{self.pid}/task")]

    def open_folder(self, path):
        """A folder as the payload sees it, while that is alive; closed with the rest."""
        self.opened.append(os.open(f"/proc/{self.pid}/root{path}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        return self.opened[-1]

    def let_go(self):
        os.write(self.leave, b"1")

    def close(self, descriptor):
        self.opened.remove(descriptor)
        os.close(descriptor)

    def close_all(self):
        for descriptor in self.opened:
            os.close(descriptor)

    def receive_end(self):
        """Takes the holder's word that the payload has ended. Blocks until it comes."""
        message = self.control.recv(self.format.size)
        if not message:
            raise EOFError("the holder is gone")
        self.status, cpu_seconds, max_rss_kib = self.format.unpack(message)
        self.ended = time.monotonic()
        self.count(cpu_seconds, max_rss_kib)

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
