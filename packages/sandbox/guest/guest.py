"""Process 1 of a guest: root in it, and nobody outside.

Starts the agent as an ordinary user, carries its one connection to the host, and does for the host what only root in here can: the limits of
the run, what they have counted, the clock, entropy. The program of a run is two walls away from it, as it is in a jail.

Two ports of a virtio console lead to the host. `syla.agent` carries the frames of the agent. `syla.control` carries a line of JSON for each wish of
the host, {id, op, …}, and a line for each answer, {id, …} or {id, error}; a line without a number is news: {event: "gone"}, the agent has let go of
its connection, or {event: "failed", message}.
"""

import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time

USER = 1000
AGENT_SOCKET = "/jail/agent.sock"
GROUPS = "/sys/fs/cgroup"
JAIL, AGENT_GROUP, SLOT_GROUP = f"{GROUPS}/jail", f"{GROUPS}/jail/agent", f"{GROUPS}/jail/slot-0"
CHUNK = 1 << 16
MOST_WAITING = 1 << 20  # bytes that one side has sent and the other has not taken
OPEN_FILES = 1 << 20
PERIOD = 100_000  # microseconds, of processor quotas
RNDADDENTROPY, RNDRESEEDCRNG = 0x40085203, 0x5207
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
libc = ctypes.CDLL(None, use_errno=True)


def mount(kind, target, flags):
    if libc.mount(kind.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def write(path, text):
    with open(path, "w") as file:
        file.write(str(text))


def read_fields(path):
    """A file of `name number` lines."""
    with open(path) as file:
        return {name: int(value) for name, value in (line.split() for line in file)}


def open_ports():
    """The ports by the names that the host has given them."""
    ports = {}
    for name in os.listdir("/sys/class/virtio-ports"):
        with open(f"/sys/class/virtio-ports/{name}/name") as file:
            ports[file.read().strip()] = os.open(f"/dev/{name}", os.O_RDWR | os.O_CLOEXEC)
    return ports["syla.agent"], ports["syla.control"]


def prepare():
    """What every program in here counts on."""
    mount("cgroup2", GROUPS, MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for path in (GROUPS, JAIL):
        os.makedirs(path, exist_ok=True)
        write(f"{path}/cgroup.subtree_control", "+cpu +memory +pids")
    for path in (AGENT_GROUP, SLOT_GROUP):
        os.mkdir(path)
    write(f"{SLOT_GROUP}/memory.oom.group", 1)
    for path in (JAIL, SLOT_GROUP):
        os.chown(f"{path}/cgroup.procs", USER, USER)  # the agent moves payloads
    os.chown("/jail", USER, USER)
    os.chmod("/tmp", 0o1777)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    socket.sethostname("sandbox")


def listen():
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(AGENT_SOCKET)
    os.chown(AGENT_SOCKET, USER, USER)
    listener.listen(1)
    return listener


def start_agent(words):
    """Returns its process number, and the pipe by which it is told what to do."""
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            write(f"{AGENT_GROUP}/cgroup.procs", 0)
            os.dup2(read_end, 0)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.setgroups([])
            os.setresgid(USER, USER, USER)
            os.setresuid(USER, USER, USER)
            os.execve(words[0], words, {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
        except BaseException as error:
            sys.stderr.write(f"the agent cannot be started: {error}\n")
        os._exit(1)
    os.close(read_end)
    os.write(write_end, b"slot 0\n")
    return pid, write_end


class Pipe:
    """One direction of the agent's connection."""

    def __init__(self, source, sink):
        self.source, self.sink, self.waiting, self.ended = source, sink, bytearray(), False

    def interests(self):
        if not self.ended and len(self.waiting) < MOST_WAITING:
            yield self.source, select.POLLIN
        if self.waiting:
            yield self.sink, select.POLLOUT

    def move(self, ready):
        if ready.get(self.source, 0) & ~select.POLLOUT and not self.ended and len(self.waiting) < MOST_WAITING:
            try:
                data = os.read(self.source, CHUNK)
                self.waiting += data
                self.ended = not data
            except BlockingIOError:
                pass
        if self.waiting:
            try:
                del self.waiting[: os.write(self.sink, memoryview(self.waiting)[:CHUNK])]
            except BlockingIOError:
                pass


class Guest:
    """One loop over both ports, the agent's connection, and the ends of processes."""

    def __init__(self):
        self.agent_port, self.control = open_ports()
        os.set_blocking(self.agent_port, False)
        self.listener = listen()
        self.wake, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self.agent = self.commands = self.connection = None
        self.pipes, self.pending, self.last_oom_kills = (), b"", 0

    def live(self):
        while True:
            ready = self.wait()
            if self.control in ready:
                self.hear()
            if self.wake in ready:
                os.read(self.wake, 4096)
                self.collect()
            if self.listener is not None and self.listener.fileno() in ready:
                self.join()
            self.carry(ready)

    def wait(self):
        wanted = {self.control: select.POLLIN, self.wake: select.POLLIN}
        if self.listener is not None:
            wanted[self.listener.fileno()] = select.POLLIN
        for pipe in self.pipes:
            for descriptor, events in pipe.interests():
                wanted[descriptor] = wanted.get(descriptor, 0) | events
        poll = select.poll()
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        return dict(poll.poll())

    def join(self):
        """The agent's connection: there is one slot, and one run."""
        self.connection, _ = self.listener.accept()
        self.connection.setblocking(False)
        self.listener.close()
        self.listener = None
        inner = self.connection.fileno()
        self.pipes = (Pipe(inner, self.agent_port), Pipe(self.agent_port, inner))

    def carry(self, ready):
        if not self.pipes:
            return
        try:
            for pipe in self.pipes:
                pipe.move(ready)
        except OSError:
            return self.part()
        if self.pipes[0].ended and not self.pipes[0].waiting:
            self.part()

    def part(self):
        self.connection.close()
        self.connection, self.pipes = None, ()
        self.tell({"event": "gone"})

    def collect(self):
        """Process 1 has every orphan. Without its agent a guest is of no use."""
        try:
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                if pid == self.agent:
                    self.tell({"event": "failed", "message": "the agent has ended"})
        except ChildProcessError:
            pass

    def hear(self):
        data = os.read(self.control, CHUNK)
        if not data:
            os._exit(0)  # the host is gone, and with process 1 the guest
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            wish = json.loads(line)
            try:
                answer = getattr(self, f"do_{wish['op']}")(wish) or {}
            except Exception as error:
                answer = {"error": f"{wish['op']}: {error}"}
            self.tell({"id": wish["id"]} | answer)

    def tell(self, message):
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self.control, data) :]

    # -- what the host wishes

    def do_start(self, wish):
        """{words, now, entropy}: the agent's command line."""
        self.do_freshen(wish)
        self.agent, self.commands = start_agent(wish["words"])

    def do_limit(self, wish):
        """{cpus, memoryBytes, processes, alone}: of the run; `alone`: without memory one process ends and not all of them."""
        write(f"{SLOT_GROUP}/cpu.max", f"{max(1000, round(wish['cpus'] * PERIOD))} {PERIOD}")
        write(f"{SLOT_GROUP}/memory.max", wish["memoryBytes"])
        write(f"{SLOT_GROUP}/memory.oom.group", 0 if wish["alone"] else 1)
        write(f"{SLOT_GROUP}/pids.max", wish["processes"])

    def do_stats(self, wish):
        kills = read_fields(f"{SLOT_GROUP}/memory.events")["oom_kill"]
        try:
            with open(f"{SLOT_GROUP}/memory.peak") as file:
                peak = int(file.read())
        except FileNotFoundError:
            peak = None
        return {"oomKills": kills, "peakMemoryBytes": peak}

    def do_freshen(self, wish):
        """{now: seconds since 1970, entropy: hexadecimal}: a guest that was kept knows neither."""
        time.clock_settime(time.CLOCK_REALTIME, wish["now"])
        entropy = bytes.fromhex(wish["entropy"])
        random = os.open("/dev/urandom", os.O_RDWR)
        try:
            fcntl.ioctl(random, RNDADDENTROPY, struct.pack("ii", len(entropy) * 8, len(entropy)) + entropy)
            fcntl.ioctl(random, RNDRESEEDCRNG)
        finally:
            os.close(random)


def main():
    os.chdir("/")
    prepare()
    Guest().live()


main()
