"""The way out of a container over its standard input and output."""

import os
import select

CHUNK = 1 << 16
MOST_WAITING = 1 << 20  # bytes that one side has sent and the other has not taken


class Pipe:
    """One direction: from a descriptor to another one."""

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
        try:
            while self.waiting:
                del self.waiting[: os.write(self.sink, memoryview(self.waiting)[:CHUNK])]
        except BlockingIOError:
            pass


class Carrier:
    """Carries bytes between `inner`, a local stream, and two pipes, until one of them ends. To be run in a thread."""

    def __init__(self, inner, source, sink):
        inner.setblocking(False)
        for descriptor in (source, sink):
            os.set_blocking(descriptor, False)
        self.inner, self.descriptors = inner, (source, sink)
        self.pipes = Pipe(source, inner.fileno()), Pipe(inner.fileno(), sink)

    def run(self):
        try:
            while not any(pipe.ended and not pipe.waiting for pipe in self.pipes):
                wanted = {}
                for pipe in self.pipes:
                    for descriptor, events in pipe.interests():
                        wanted[descriptor] = wanted.get(descriptor, 0) | events
                poll = select.poll()
                for descriptor, events in wanted.items():
                    poll.register(descriptor, events)
                ready = dict(poll.poll())
                for pipe in self.pipes:
                    pipe.move(ready)
        except OSError:
            pass  # one side is gone
        finally:
            self.inner.close()
            for descriptor in self.descriptors:
                os.close(descriptor)
