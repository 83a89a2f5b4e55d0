"""The connections of a sandbox's relay, carried to the host over one port.

In a jail the relay (agent/relay.py) connects to a socket of the host, once for its own use and once for each connection of the program. Here that
socket is process 1's, and each connection becomes a stream of the port `syla.relay`. Messages, both ways, are 12 bytes: kind, three of nothing, the
stream's number (u32), a number (u32):

    OPEN    to the host: another connection
    DATA    the number of bytes that follow
    END     nothing more comes from this side
    RESET   the connection is gone
    CREDIT  so many more bytes have been taken: each side sends WINDOW bytes ahead of that, so that one stream that nobody reads stops no other
"""

import os
import select
import socket
import struct

MESSAGE = struct.Struct(">cxxxII")
OPEN, DATA, END, RESET, CREDIT = b"O", b"D", b"E", b"R", b"C"
WINDOW = 1 << 18
CHUNK = 1 << 15
MOST_WAITING = 1 << 20  # bytes that the host has not taken yet


class Stream:
    """One connection: `inner` to the relay. `room`: bytes that may still be sent to the host; `taken`: those that the host is still to be told of."""

    def __init__(self, number, inner):
        self.number, self.inner = number, inner
        self.room, self.taken = WINDOW, 0
        self.waiting = bytearray()  # for the relay
        self.heard_all = self.said_all = False  # of the host, and of the relay


class Relays:
    """Accepts nothing before it is told to: a machine that is kept has no stream, and those that go on from it begin with none."""

    def __init__(self, port, path, owner):
        self.port = port
        os.set_blocking(port, False)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        os.chown(path, owner, owner)
        self.listener.listen(256)
        self.listener.setblocking(False)
        self.accepting = False
        self.streams, self.numbers = {}, {}  # by number; numbers by descriptor
        self.made = 0
        self.outgoing, self.incoming = bytearray(), bytearray()

    def interests(self):
        yield self.port, select.POLLIN | (select.POLLOUT if self.outgoing else 0)
        has_room = len(self.outgoing) < MOST_WAITING
        if self.accepting and has_room:
            yield self.listener.fileno(), select.POLLIN
        for stream in self.streams.values():
            events = select.POLLIN if stream.room and not stream.said_all and has_room else 0
            if stream.waiting:
                events |= select.POLLOUT
            if events:
                yield stream.inner.fileno(), events

    def carry(self, ready):
        if ready.get(self.port, 0) & ~select.POLLOUT:
            self.hear()
        if self.listener.fileno() in ready:
            self.accept()
        for descriptor in ready.keys() & self.numbers.keys():
            stream = self.streams[self.numbers[descriptor]]
            try:
                self.send_in(stream)
                self.send_out(stream, ready[descriptor])
            except OSError:
                self.reset(stream)
        self.flush()

    def accept(self):
        try:
            inner, _ = self.listener.accept()
        except OSError:
            return  # gone meanwhile
        inner.setblocking(False)
        self.made += 1
        stream = Stream(self.made, inner)
        self.streams[stream.number], self.numbers[inner.fileno()] = stream, stream.number
        self.tell(OPEN, stream.number, 0)

    def send_out(self, stream, events):
        """To the host, what the relay has said."""
        if stream.said_all or not stream.room or not events & ~select.POLLOUT:
            return
        try:
            data = stream.inner.recv(min(CHUNK, stream.room))
        except BlockingIOError:
            return
        if data:
            stream.room -= len(data)
            self.tell(DATA, stream.number, len(data), data)
            return
        stream.said_all = True
        self.tell(END, stream.number, 0)
        if events & select.POLLHUP:
            self.reset(stream)  # it takes nothing any more either
        else:
            self.forget_ended(stream)

    def send_in(self, stream):
        """To the relay, what the host has said."""
        if stream.waiting:
            try:
                count = stream.inner.send(memoryview(stream.waiting)[:CHUNK])
            except BlockingIOError:
                return
            del stream.waiting[:count]
            stream.taken += count
            if stream.taken >= WINDOW // 2:
                self.tell(CREDIT, stream.number, stream.taken)
                stream.taken = 0
        if stream.heard_all and not stream.waiting:
            stream.inner.shutdown(socket.SHUT_WR)
            self.forget_ended(stream)

    def hear(self):
        try:
            data = os.read(self.port, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionResetError("the host has let go of the relay's port")
        self.incoming += data
        start = 0
        while len(self.incoming) - start >= MESSAGE.size:
            kind, number, count = MESSAGE.unpack_from(self.incoming, start)
            end = start + MESSAGE.size + (count if kind == DATA else 0)
            if len(self.incoming) < end:
                break
            self.receive(kind, number, count, bytes(self.incoming[start + MESSAGE.size : end]))
            start = end
        del self.incoming[:start]

    def receive(self, kind, number, count, data):
        stream = self.streams.get(number)
        if stream is None:
            return  # it ended here before the host heard of that
        if kind == CREDIT:
            stream.room += count
        elif kind == RESET:
            self.forget(stream)
        elif kind in (DATA, END):
            stream.waiting += data
            stream.heard_all = stream.heard_all or kind == END
            try:
                self.send_in(stream)
            except OSError:
                self.reset(stream)

    def tell(self, kind, number, count, data=b""):
        self.outgoing += MESSAGE.pack(kind, number, count) + data

    def flush(self):
        while self.outgoing:
            try:
                del self.outgoing[: os.write(self.port, memoryview(self.outgoing)[: 1 << 16])]
            except BlockingIOError:
                return

    def reset(self, stream):
        self.tell(RESET, stream.number, 0)
        self.forget(stream)

    def forget_ended(self, stream):
        if stream.said_all and stream.heard_all and not stream.waiting:
            self.forget(stream)

    def forget(self, stream):
        del self.streams[stream.number], self.numbers[stream.inner.fileno()]
        stream.inner.close()

    def use(self, port):
        """Another port, after the one before forgot what it was."""
        os.close(self.port)
        self.port = port
        os.set_blocking(port, False)
        self.outgoing, self.incoming = bytearray(), bytearray()

    def close(self):
        for stream in list(self.streams.values()):
            self.forget(stream)
        self.listener.close()
        os.close(self.port)
