"""The wire of a session: frames over the daemon's standard input and output, many channels on one pair of pipes.

A frame is a 32-bit big-endian length of the payload, one byte of kind, the channel as 32 bits, and the payload. The host opens a channel
with OPEN (JSON {op, ...}); its answers are EVENT, DATA, ERRORS and CONTROL frames, then one END or FAIL, after which it is gone. The host
sends DATA, and END when there is no more of it, EVENT to steer, and CLOSE when it has lost interest. Either side may have WINDOW bytes of
payload under way on a channel; CREDIT says how many of them the other side has taken.
"""

import errno
import json
import os
import struct

VERSION = 1
WINDOW = 1 << 18
MAX_PAYLOAD = 1 << 20
BACKLOG = 1 << 20

OPEN = 1  # host only: JSON
DATA = 2  # bytes: standard input, a file; standard output
END = 3  # host: nothing; daemon: JSON, the result
CREDIT = 4  # 32 bits: bytes taken
EVENT = 5  # JSON
CLOSE = 6  # host only
ERRORS = 7  # daemon only: standard error
CONTROL = 8  # bytes of a program's control pipe, both ways
FAIL = 9  # daemon only: JSON {code, message}
READY = 10  # daemon only, on channel 0: JSON {version, pid}
COUNTED = (DATA, EVENT, ERRORS, CONTROL)

HEADER = struct.Struct(">IBI")
AMOUNT = struct.Struct(">I")


def as_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Wire:
    """Both pipes to init. Frames that are to go out wait in `outgoing`; nobody adds more than a little while it is `full`."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.incoming, self.outgoing = bytearray(), bytearray()
        for descriptor in (source, sink):
            os.set_blocking(descriptor, False)

    @property
    def full(self):
        return len(self.outgoing) >= BACKLOG

    def send(self, kind, number, payload=b""):
        self.outgoing += HEADER.pack(len(payload), kind, number) + payload

    def flush(self):
        try:
            while self.outgoing:
                del self.outgoing[: os.write(self.sink, memoryview(self.outgoing)[: 1 << 16])]
        except BlockingIOError:
            pass

    def receive(self):
        """Yields (kind, channel, payload) of what has come. Raises EOFError when the host is gone."""
        try:
            data = os.read(self.source, 1 << 18)
        except BlockingIOError:
            return
        if not data:
            raise EOFError
        self.incoming += data
        position = 0
        while len(self.incoming) - position >= HEADER.size:
            length, kind, number = HEADER.unpack_from(self.incoming, position)
            if length > MAX_PAYLOAD:
                raise ValueError(f"frame of {length} bytes")
            end = position + HEADER.size + length
            if len(self.incoming) < end:
                break
            yield kind, number, bytes(self.incoming[position + HEADER.size : end])
            position = end
        del self.incoming[:position]


class Channel:
    """The daemon's end of one channel. `open` until its END or FAIL has gone out."""

    def __init__(self, wire, number):
        self.wire, self.number = wire, number
        self.credit, self.taken, self.open = WINDOW, 0, True

    @property
    def room(self):
        """How many bytes may be sent now."""
        return 0 if self.wire.full else max(self.credit, 0)

    def send(self, kind, payload):
        self.credit -= len(payload)
        self.wire.send(kind, self.number, payload)

    def event(self, value):
        self.send(EVENT, as_json(value))

    def take(self, count):
        """Tells the host, now and then, that so many bytes of its data have been dealt with."""
        self.taken += count
        if self.taken >= WINDOW // 4:
            self.wire.send(CREDIT, self.number, AMOUNT.pack(self.taken))
            self.taken = 0

    def finish(self, value=None):
        self.close(END, value or {})

    def fail(self, error):
        self.close(FAIL, describe(error))

    def close(self, kind, value):
        if self.open:
            self.open = False
            self.wire.send(kind, self.number, as_json(value))


class RefusalError(Exception):
    """The host asked for what cannot be done. `code` is one of the words that the host knows."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def describe(error):
    """An exception as the host is told of it: a code (`ENOENT`, or a word of ours) and a sentence."""
    if isinstance(error, RefusalError):
        return {"code": error.code, "message": str(error)}
    if isinstance(error, OSError) and error.errno is not None:
        return {"code": errno.errorcode.get(error.errno, "EIO"), "message": os.strerror(error.errno)}
    return {"code": "invalid", "message": f"{type(error).__name__}: {error}"[:500]}


class Task:
    """What happens on one channel. The daemon calls what it has to, one after another; nothing here may block for long."""

    def __init__(self, channel):
        self.channel = channel

    def descriptors(self):
        """(descriptor, poll events) to wait for now."""
        return ()

    def ready(self, descriptor, events):
        """One of them is ready."""

    @property
    def busy(self):
        """Whether `step` has something to do at once."""
        return False

    def step(self):
        """Does a small part of the work."""

    @property
    def due(self):
        """When, in monotonic seconds, `step` has something to do; None: never."""
        return None

    def data(self, kind, payload):
        """Bytes from the host."""
        self.channel.take(len(payload))

    def ended(self):
        """The host has no more bytes."""

    def event(self, value):
        """The host steers."""

    def close(self):
        """The host has lost interest, or the task is over: lets go of everything."""
