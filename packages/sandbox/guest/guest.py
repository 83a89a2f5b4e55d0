"""Process 1 of a guest: root in it, and nobody outside.

Starts the agent as an ordinary user, carries its one connection to the host, and does for the host what only root in here can: the limits of
the run, what they have counted, the clock, entropy. The program of a run is two walls away from it, as it is in a jail.

Three ports lead to the host, of a virtio console or, where the machine has none, of its socket device. `syla.agent` carries the frames of the agent.
`syla.relay` carries the connections of its relay (relays.py). `syla.control` carries a line of JSON for each wish of the host, {id, op, …}, and a line for
each answer, {id, …} or {id, error}; a line without a number is news: {event: "gone"}, the agent has let go of its connection, or {event: "failed",
message}.
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

sys.path.insert(0, os.path.dirname(__file__))
from relays import Relays  # noqa: E402

USER = 1000
AGENT_SOCKET, RELAY_SOCKET = "/jail/agent.sock", "/jail/relay.sock"
GROUPS = "/sys/fs/cgroup"
JAIL, AGENT_GROUP, SLOT_GROUP = f"{GROUPS}/jail", f"{GROUPS}/jail/agent", f"{GROUPS}/jail/slot-0"
CHUNK = 1 << 16
MOST_WAITING = 1 << 20  # bytes that one side has sent and the other has not taken
OPEN_FILES = 1 << 20
PERIOD = 100_000  # microseconds, of processor quotas
RNDADDENTROPY, RNDRESEEDCRNG = 0x40085203, 0x5207
BLKFLSBUF = 0x1261
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_SHARED = 1, 2, 4, 8, 1 << 20
CONSOLE_PORTS = "/sys/class/virtio-ports"
PORTS = ("agent", "control", "relay")  # of a socket device, in the order of their numbers
HOST = 2  # its number among the machines of a socket device
FIRST_DRIVE = ord("c")  # after the system and what may be written to
libc = ctypes.CDLL(None, use_errno=True)


def mount(kind, target, flags, source=None, options=None):
    words = [None if word is None else word.encode() for word in (source or kind, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), options) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def write(path, text):
    with open(path, "w") as file:
        file.write(str(text))


def read_fields(path):
    """A file of `name number` lines."""
    with open(path) as file:
        return {name: int(value) for name, value in (line.split() for line in file)}


def open_ports():
    """By their names."""
    if not os.path.isdir(CONSOLE_PORTS) or not os.listdir(CONSOLE_PORTS):
        return {name: dial(number) for number, name in enumerate(PORTS, 1)}
    ports = {}
    for device in os.listdir(CONSOLE_PORTS):
        with open(f"{CONSOLE_PORTS}/{device}/name") as file:
            ports[file.read().strip().removeprefix("syla.")] = os.open(f"/dev/{device}", os.O_RDWR | os.O_CLOEXEC)
    return ports


def dial(number):
    """A port of the host, as soon as somebody listens there."""
    while True:
        sock = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
        try:
            sock.connect((HOST, number))
            return sock.detach()
        except OSError:
            sock.close()
            time.sleep(0.01)


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
    # What is mounted below it later appears in the agent's namespaces as well.
    mount("tmpfs", "/layers", MS_NOSUID | MS_NODEV, options=b"mode=711,size=1m")
    mount(None, "/layers", MS_SHARED)
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
        ports = open_ports()
        self.agent_port, self.control = ports["agent"], ports["control"]
        os.set_blocking(self.agent_port, False)
        self.relays = Relays(ports["relay"], RELAY_SOCKET, USER)
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
            self.relay(ready)

    def wait(self):
        wanted = {self.control: select.POLLIN, self.wake: select.POLLIN}
        if self.listener is not None:
            wanted[self.listener.fileno()] = select.POLLIN
        for carrier in (*self.pipes, *self.relays_there()):
            for descriptor, events in carrier.interests():
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
        self.carry_agent()

    def carry_agent(self):
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

    def relays_there(self):
        return () if self.relays is None else (self.relays,)

    def relay(self, ready):
        for relays in self.relays_there():
            try:
                relays.carry(ready)
            except OSError:  # without a network, not without a sandbox
                relays.close()
                self.relays = None

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
        try:
            data = os.read(self.control, CHUNK)
        except ConnectionResetError:
            data = b""
        if not data:
            return self.rejoin()
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            wish = json.loads(line)
            try:
                answer = getattr(self, f"do_{wish['op']}")(wish) or {}
            except Exception as error:
                answer = {"error": f"{wish['op']}: {error}"}
            self.tell({"id": wish["id"]} | answer)
        return None

    def rejoin(self):
        """A socket device forgets its connections when a machine goes on from one that was kept: nothing was under way then. Without its console a guest is
        at its end."""
        if os.path.isdir(CONSOLE_PORTS) and os.listdir(CONSOLE_PORTS):
            os._exit(0)  # and with process 1 the guest
        for descriptor in (self.agent_port, self.control):
            os.close(descriptor)
        ports = open_ports()
        self.agent_port, self.control, self.pending = ports["agent"], ports["control"], b""
        os.set_blocking(self.agent_port, False)
        for relays in self.relays_there():
            relays.use(ports["relay"])
        if self.connection is not None:
            self.carry_agent()

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

    def do_show(self, wish):
        """{drive, target}: what is on a drive, as a folder. Nobody has read it before with what is on it now."""
        device = f"/dev/vd{chr(FIRST_DRIVE + wish['drive'])}"
        descriptor = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, BLKFLSBUF)
        finally:
            os.close(descriptor)
        os.makedirs(wish["target"], exist_ok=True)
        mount("squashfs", wish["target"], MS_RDONLY | MS_NOSUID | MS_NODEV, source=device)

    def do_network(self, wish):
        """The relay is heard from now on."""
        self.relays.accepting = True

    def do_ping(self, wish):
        """It is well."""

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
