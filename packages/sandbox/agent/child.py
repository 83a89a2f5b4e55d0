"""A payload as init sees it. The holder forked it and collects it; init has its pipes and can end it."""

import marshal
import os
import signal
import time

import payload

SETUP_REPORT = 65536


class SetupError(Exception):
    """The payload could not make its sandbox; says why in its own words."""


class Child:
    """`stdin`, `stdout`, `stderr`, `plan` and `status` are init's ends of the pipes; `pid` is its number in here.

    `status` (wait status), `ended` (monotonic seconds), `cpu_seconds` and `max_rss_kib` are of the whole run, orphans included, from
    when the payload waited for its plan. `format` is the struct in which the holder tells an end over `control`.
    """

    def __init__(self, control, format, ends):
        self.control, self.format = control, format
        self.stdin, self.stdout, self.stderr, self.plan, self.report = self.ends = ends
        said = os.read(self.report, SETUP_REPORT)
        if len(said) != payload.READY.size:
            raise SetupError(said.decode(errors="replace"))
        self.pid, spent = payload.READY.unpack(said)
        self.cpu_seconds, self.max_rss_kib = -spent, 0
        self.status = self.ended = None
        # While init has it open, the payload need not take its mounts down before it can end.
        self.mounts = os.open(f"/proc/{self.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        for descriptor in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(descriptor, False)

    def open_folder(self, path):
        """A folder as the payload sees it, while that is alive."""
        return os.open(f"/proc/{self.pid}/root{path}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def send_plan(self, plan):
        with open(self.plan, "wb", closefd=False) as pipe:
            pipe.write(marshal.dumps(plan))
        self.close(self.plan)

    def close(self, descriptor):
        self.ends.remove(descriptor)
        os.close(descriptor)

    def close_all(self):
        for descriptor in (*self.ends, self.mounts):
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
