"""Processes of a session: with pipes or on a terminal of their own, many at once."""

import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import termios
import time

from channels import CONTROL, DATA, ERRORS, RefusalError, Task

CHUNK = 65536
CONTROL_VARIABLE = "SYLA_CONTROL_FD"  # where a program finds the number of its control pipe, read and written
DRAIN = 0.05  # seconds: how long after its end a process may still be printing
LATER_VICTIM = "500"  # when memory runs out, a program goes before the daemon
SHELLS = ("/bin/bash", "/bin/sh")


class Table:
    """The processes that the host started, by number; and what ended ones left open."""

    def __init__(self):
        self.running = {}
        self.leftovers = set()

    def collect(self):
        for process in list(self.running.values()):
            process.look()


class Process(Task):
    """One process: OPEN {argv | shell, cwd?, env?, stdin?, control?, terminal?: {columns, rows}, timeoutMs?}.

    EVENT {pid} when it runs; DATA and ERRORS are what it prints; END {exitCode, signal, timedOut}. The host's DATA is its standard input, its
    EVENTs {signal} and {columns, rows}. Its process group and session are its own.
    """

    def __init__(self, channel, wish, daemon):
        super().__init__(channel)
        self.table = daemon.processes
        self.status, self.ended_at, self.timed_out = None, None, False
        self.input, self.input_ended = bytearray(), False
        self.control_input = bytearray()
        self.outputs = {}  # descriptor → kind of its frames
        self.stdin = self.control = self.terminal = None
        self.start(wish)
        self.deadline = time.monotonic() + wish["timeoutMs"] / 1000 if wish.get("timeoutMs") else None
        self.pid = self.popen.pid
        self.table.running[self.pid] = self
        channel.event({"pid": self.pid})

    def start(self, wish):
        argv = wish["argv"] if "argv" in wish else [next(filter(os.path.exists, SHELLS)), "-c", wish["shell"]]
        options = {"env": os.environ | (wish.get("env") or {}), "cwd": wish.get("cwd") or "/workspace", "start_new_session": True}
        if wish.get("terminal"):
            return self.start_on_terminal(argv, options, wish["terminal"])
        inherited = []
        if wish.get("control"):
            ours, theirs = socket.socketpair()
            self.control = ours.detach()
            inherited.append(theirs.detach())
            options["env"][CONTROL_VARIABLE] = str(inherited[0])
        try:
            self.popen = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE if wish.get("stdin") else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                preexec_fn=yield_memory,
                pass_fds=inherited,
                **options,
            )
        except BaseException:
            if self.control is not None:
                os.close(self.control)
            raise
        finally:
            for number in inherited:
                os.close(number)
        if self.popen.stdin is not None:
            self.stdin = keep(self.popen.stdin)
        self.outputs = {keep(self.popen.stdout): DATA, keep(self.popen.stderr): ERRORS}
        if self.control is not None:
            os.set_blocking(self.control, False)
        return None

    def start_on_terminal(self, argv, options, size):
        master, slave = os.openpty()
        try:
            set_size(master, size)
            options["env"] = {"TERM": "xterm-256color"} | options["env"]
            self.popen = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, bufsize=0, preexec_fn=prepare_terminal, **options)
        except BaseException:
            os.close(master)
            raise
        finally:
            os.close(slave)
        os.set_blocking(master, False)
        self.stdin = self.terminal = master
        self.outputs = {master: DATA}

    # -- while it runs

    def descriptors(self):
        if not self.channel.open:  # nobody listens any more; who still writes must not be stopped by that
            return [(descriptor, select.POLLIN) for descriptor in self.outputs]
        wanted = {}
        if self.channel.room > 0:
            wanted = dict.fromkeys(self.outputs, select.POLLIN)
            if self.control is not None:
                wanted[self.control] = select.POLLIN
        if self.input and self.stdin is not None:
            wanted[self.stdin] = wanted.get(self.stdin, 0) | select.POLLOUT
        if self.control_input and self.control is not None:
            wanted[self.control] = wanted.get(self.control, 0) | select.POLLOUT
        return wanted.items()

    def ready(self, descriptor, events):
        if not self.channel.open:
            self.discard(descriptor)
        elif events & select.POLLOUT and self.write(descriptor):
            pass
        elif descriptor == self.control:
            self.forward_control()
        elif descriptor in self.outputs:
            self.forward(descriptor)

    def write(self, descriptor):
        """Hands on what came from the host. False when there was nothing for this descriptor."""
        pending = self.control_input if descriptor == self.control else self.input
        if not pending:
            return False
        try:
            count = os.write(descriptor, memoryview(pending)[:CHUNK])
        except BlockingIOError:
            return True
        except OSError:
            count = len(pending)  # it has closed its end
        del pending[:count]
        self.channel.take(count)
        if descriptor == self.stdin:
            self.close_ended_input()
        return True

    def close_ended_input(self):
        if self.input_ended and not self.input and self.stdin is not None and self.terminal is None:
            os.close(self.stdin)
            self.stdin = None

    def forward(self, descriptor):
        """Reads once. False when there is nothing more to be had now."""
        room = self.channel.room
        if room <= 0:
            return False
        try:
            data = os.read(descriptor, min(CHUNK, room))
        except BlockingIOError:
            return False
        except OSError:
            data = b""  # a terminal that nobody has open
        if data:
            self.channel.send(self.outputs[descriptor], data)
            return True
        self.forget(descriptor)
        return False

    def forward_control(self):
        """What the program says about its output comes after that output."""
        for descriptor in list(self.outputs):
            while self.forward(descriptor):
                pass
        room = self.channel.room
        if room <= 0:
            return
        try:
            data = os.read(self.control, min(CHUNK, room))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.channel.send(CONTROL, data)
        else:
            os.close(self.control)
            self.control = None

    def data(self, kind, payload):
        target = self.control_input if kind == CONTROL else self.input
        if (self.control if kind == CONTROL else self.stdin) is None:
            self.channel.take(len(payload))
        else:
            target += payload

    def ended(self):
        self.input_ended = True
        if self.terminal is not None:
            self.input += b"\x04"
        self.close_ended_input()

    def event(self, value):
        if "signal" in value:
            self.signal(int(value["signal"]))
        elif "columns" in value and self.terminal is not None:
            set_size(self.terminal, value)

    def signal(self, number):
        """To every process of its session that has not left it."""
        if self.status is None:
            send_signal(self.pid, number)

    # -- after it

    def look(self):
        """Whether it has ended."""
        if self.status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = self.pid, 0
            if pid == 0:
                return
            self.status, self.ended_at = status, time.monotonic()
            self.popen.returncode = os.waitstatus_to_exitcode(status)
            self.table.running.pop(self.pid, None)

    @property
    def busy(self):
        return self.status is not None and self.channel.room > 0 and (not self.outputs or time.monotonic() >= self.ended_at + DRAIN)

    @property
    def due(self):
        if self.status is not None:
            return self.ended_at + DRAIN if self.channel.room > 0 else None
        return self.deadline

    def step(self):
        if self.status is None:
            if self.deadline is not None and time.monotonic() >= self.deadline:
                self.deadline, self.timed_out = None, True
                self.signal(signal.SIGKILL)
            return
        # Everything that it has printed. What somebody whom it left behind prints later is read, so that he is not stopped, and dropped.
        for descriptor in list(self.outputs):
            for _ in range(16):
                if not self.forward(descriptor):
                    break
            else:
                return
        if self.channel.room > 0:
            self.channel.finish(
                {
                    "exitCode": os.WEXITSTATUS(self.status) if os.WIFEXITED(self.status) else None,
                    "signal": os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None,
                    "timedOut": self.timed_out,
                }
            )

    def forget(self, descriptor):
        self.outputs.pop(descriptor, None)
        if descriptor == self.stdin:
            self.stdin = None
        if descriptor == self.terminal:
            self.terminal = None
        os.close(descriptor)
        if not self.channel.open and not self.outputs:
            self.table.leftovers.discard(self)

    def discard(self, descriptor):
        try:
            if os.read(descriptor, CHUNK):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.forget(descriptor)

    def close(self):
        self.signal(signal.SIGKILL)
        if self.stdin is not None and self.stdin != self.terminal:
            os.close(self.stdin)
        if self.control is not None:
            os.close(self.control)
        self.stdin = self.control = None
        if self.outputs:
            self.table.leftovers.add(self)


class Signal(Task):
    """OPEN {pid, signal}: to a process that the host started, with its whole session, or to any other alone."""

    def __init__(self, channel, wish, daemon):
        super().__init__(channel)
        pid, number = int(wish["pid"]), int(wish["signal"])
        if pid <= 1 or pid == os.getpid():
            raise RefusalError("ESRCH", "no such process")
        if pid in daemon.processes.running:
            daemon.processes.running[pid].signal(number)
        else:
            os.kill(pid, number)
        channel.finish()


def send_signal(leader, number):
    """A signal to every process of a session."""
    found = False
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(pid)) == leader:
                os.kill(int(pid), number)
                found = True
        except OSError:
            continue
    if not found:
        try:
            os.kill(leader, number)
        except ProcessLookupError:
            pass


def keep(stream):
    """The descriptor of a pipe that subprocess made, not to be blocked on."""
    descriptor = os.dup(stream.fileno())
    stream.close()
    os.set_blocking(descriptor, False)
    return descriptor


def set_size(terminal, size):
    rows, columns = (max(1, min(int(size[name]), 1000)) for name in ("rows", "columns"))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def yield_memory():
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write(LATER_VICTIM)


def prepare_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    yield_memory()


OPERATIONS = {"process": Process, "signal": Signal}
