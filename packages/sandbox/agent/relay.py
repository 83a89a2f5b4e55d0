"""A slot's relay: the only thing besides `lo` in the network of a run that was given one.

Lives in the slot's network namespace but outside the payload's user and process namespaces, with no capability and the payloads' filter.
It listens where programs look for their proxy and carries every connection to a unix socket that the host listens on, and the other way
the host's connections to ports of the program. It understands nothing of what it carries: bytes go through pipes (splice), never through
this process's memory. While no run is open nobody listens, and nothing is left of the one before.

Messages, both ways, are 24 bytes: kind, a byte of nothing, port or errno (u16), number (u32), token (16 bytes, the run's). The first one on a connection says
what it is: CONTROL (number: slot), EGRESS (the program's, to the host) or PORT (number: the dial it answers).
"""

import errno
import gc
import os
import resource
import select
import socket
import struct
import sys
import traceback

import linux
import seccomp

MESSAGE = struct.Struct(">cxHI16s")
CONTROL, EGRESS, PORT = b"C", b"E", b"P"
OPEN, CLOSE, DIAL = b"O", b"X", b"D"  # from the host; OPEN with number 1: the program gets a way out
OPENED, CLOSED, FAILED = b"A", b"Z", b"N"  # to the host; FAILED: a dial, or with number 0 an OPEN, and its errno
NO_TOKEN = bytes(16)
LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
DESCRIPTORS = 6  # of one connection: two sockets, two pipes
CHUNK, TURNS = 1 << 16, 8
FLAGS = os.SPLICE_F_NONBLOCK | os.SPLICE_F_MOVE
EDGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
HOST_WAIT = struct.pack("ll", 5, 0)  # seconds until a host that does not accept is given up
RESET = struct.pack("ii", 1, 0)


def live(slot, settings):
    """The whole life of a slot's relay. Never returns."""
    try:
        shed(settings)
        Relay(slot, settings["network"]).live()
    except BaseException:
        sys.stderr.write(f"relay of slot {slot}: {traceback.format_exc(limit=4)}")
    os._exit(1)


def shed(settings):
    """Gives up everything that carrying bytes does not need."""
    linux.close_from(3)
    linux.name_process(b"syla-relay")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    linux.lock_capabilities()
    linux.keep_capabilities(())
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    linux.carry_out([settings["filters"][0]])
    gc.enable()


class Flow:
    """One direction of a connection: from one socket through a pipe to the other."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.pipe = self.read_end, self.write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.inside, self.ended, self.over = 0, False, False

    def move(self):
        """Moves what can be moved now. True when something was. Raises OSError when the connection is broken."""
        moved = False
        if not self.ended:
            try:
                count = os.splice(self.source.fileno(), self.write_end, CHUNK, flags=FLAGS)
                self.inside += count
                self.ended, moved = count == 0, True
            except BlockingIOError:
                pass
        if self.inside:
            try:
                self.inside -= os.splice(self.read_end, self.sink.fileno(), self.inside, flags=FLAGS)
                moved = True
            except BlockingIOError:
                pass
        if self.ended and not self.inside and not self.over:
            self.over = moved = True
            self.sink.shutdown(socket.SHUT_WR)
        return moved


class Link:
    """One connection: `inner` to the program, `outer` to the host."""

    def __init__(self, inner, outer):
        inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sockets = inner, outer
        for sock in self.sockets:
            sock.setblocking(False)
        self.flows = Flow(inner, outer), Flow(outer, inner)
        self.outer_gone = False

    def move(self):
        """False when there is nothing more to do now; the end of the connection is in `finished`."""
        moved = False
        for flow in self.flows:
            moved = flow.move() or moved
        return moved

    @property
    def finished(self):
        return all(flow.over for flow in self.flows) or (self.outer_gone and self.flows[1].over)

    def close(self, reset=False):
        if reset:
            self.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        for sock in self.sockets:
            sock.close()
        for flow in self.flows:
            for end in flow.pipe:
                os.close(end)


class Dial:
    """A connection to a port of the program that is being made."""

    def __init__(self, number, port, token):
        self.number, self.port, self.token = number, port, token
        self.families = list(LOOPBACKS)
        self.sock = None


class Relay:
    """One epoll loop over the host's control connection, the listeners and every connection."""

    def __init__(self, slot, settings):
        self.port = settings["port"]
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.most = max(1, min(settings["connections"], (soft - 32) // DESCRIPTORS))
        self.token, self.egress = None, False
        self.listeners, self.accepting = [], False
        self.links, self.dials, self.ready = {}, {}, {}  # by descriptor; `ready`: links with more to move, by identity
        self.pending = b""
        self.epoll = select.epoll()
        self.control = connect_host(CONTROL, slot, NO_TOKEN)
        self.epoll.register(self.control, select.EPOLLIN)

    def live(self):
        """Serves until the host closes the control connection."""
        while True:
            events = dict(self.epoll.poll(0 if self.ready else -1))
            told = events.pop(self.control.fileno(), None)
            for descriptor, event in events.items():
                self.notice(descriptor, event)
            if told is not None:
                self.receive()  # last: what it closes must not come back under the same number while older events wait
            for link in list(self.ready.values()):
                self.serve(link)

    def notice(self, descriptor, event):
        if descriptor in self.links:
            link = self.links[descriptor]
            if event & select.EPOLLHUP and descriptor == link.sockets[1].fileno():
                link.outer_gone = True
            self.ready[id(link)] = link
        elif descriptor in self.dials:
            self.finish_dial(descriptor)
        else:
            self.accept(descriptor)

    def receive(self):
        data = self.control.recv(4096)
        if not data:
            os._exit(0)
        self.pending += data
        while len(self.pending) >= MESSAGE.size:
            message, self.pending = self.pending[: MESSAGE.size], self.pending[MESSAGE.size :]
            kind, port, number, token = MESSAGE.unpack(message)
            if kind == OPEN:
                self.open(number == 1, token)
            elif kind == CLOSE:
                self.close()
                self.tell(CLOSED, 0, 0, token)
            elif kind == DIAL and token == self.token:
                self.dial(Dial(number, port, token))
            elif kind == DIAL:
                self.tell(FAILED, errno.ECONNREFUSED, number, token)

    def tell(self, kind, code, number, token):
        self.control.sendall(MESSAGE.pack(kind, code, number, token))

    # -- a run

    def open(self, egress, token):
        self.close()
        self.token = token
        for family, address in LOOPBACKS if egress else ():
            try:
                self.listeners.append(listen(family, address, self.port))
            except OSError as error:
                if family == socket.AF_INET:
                    return self.tell(FAILED, error.errno or errno.EIO, 0, token)
        self.accept_more(True)
        return self.tell(OPENED, 0, 0, token)

    def close(self):
        """Cuts everything. Connections that nobody accepted yet end with their listener."""
        self.token = None
        self.accept_more(False)
        for listener in self.listeners:
            listener.close()
        for link in set(self.links.values()):
            link.close(reset=True)
        for dial in self.dials.values():
            dial.sock.close()
        self.listeners, self.links, self.dials, self.ready = [], {}, {}, {}

    def accept_more(self, wanted):
        """While there are as many connections as there may be, more wait in the listener's queue."""
        if wanted == self.accepting:
            return
        self.accepting = wanted
        for listener in self.listeners:
            if wanted:
                self.epoll.register(listener, select.EPOLLIN)
            else:
                self.epoll.unregister(listener)

    # -- connections

    def accept(self, descriptor):
        for listener in self.listeners:
            if self.accepting and listener.fileno() == descriptor:
                try:
                    inner, _ = listener.accept()
                except OSError:
                    return  # gone meanwhile
                self.join(inner, EGRESS, 0)

    def join(self, inner, kind, number):
        try:
            link = Link(inner, connect_host(kind, number, self.token))
        except OSError:
            inner.close()
            return
        for sock in link.sockets:
            self.links[sock.fileno()] = link
            self.epoll.register(sock, EDGES)
        self.ready[id(link)] = link
        self.limit()

    def serve(self, link):
        """A few turns, so that one busy connection does not keep the others waiting."""
        try:
            for _ in range(TURNS):
                if not link.move():
                    self.ready.pop(id(link), None)
                    break
                if link.finished:
                    break
        except OSError:
            return self.end(link, True)
        if link.finished:
            self.end(link, not link.flows[0].over)

    def end(self, link, reset):
        self.ready.pop(id(link), None)
        for sock in link.sockets:
            self.links.pop(sock.fileno(), None)
        link.close(reset)
        self.limit()

    def limit(self):
        self.accept_more(self.token is not None and len(self.links) // 2 + len(self.dials) < self.most)

    # -- the host's connections to ports of the program

    def dial(self, dial):
        if len(self.links) // 2 + len(self.dials) >= self.most:
            return self.tell(FAILED, errno.EMFILE, dial.number, dial.token)
        code = errno.ECONNREFUSED
        while dial.families:
            family, address = dial.families.pop(0)
            try:
                dial.sock = socket.socket(family, socket.SOCK_STREAM)
                dial.sock.setblocking(False)
                code = dial.sock.connect_ex((address, dial.port))
            except OSError as error:
                code = error.errno or errno.EIO  # no IPv6 here
                continue
            if code in (0, errno.EINPROGRESS):
                self.dials[dial.sock.fileno()] = dial
                self.epoll.register(dial.sock, select.EPOLLOUT)
                return None
            dial.sock.close()
        return self.tell(FAILED, code, dial.number, dial.token)

    def finish_dial(self, descriptor):
        dial = self.dials.pop(descriptor)
        self.epoll.unregister(descriptor)
        code = dial.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            return self.join(dial.sock, PORT, dial.number)
        dial.sock.close()
        if dial.families:
            return self.dial(dial)
        return self.tell(FAILED, code, dial.number, dial.token)


def listen(family, address, port):
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen(256)
        listener.setblocking(False)
        return listener
    except OSError:
        listener.close()
        raise


def connect_host(kind, number, token):
    """A connection to the host that has said what it is."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, HOST_WAIT)
        sock.connect("/jail/relay.sock")
        sock.sendall(MESSAGE.pack(kind, 0, number, token))
        return sock
    except OSError:
        sock.close()
        raise
