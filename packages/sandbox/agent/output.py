"""What a program prints, on its way to the host: the first half of the limit at once, of the rest only the last half."""

import collections

import frames

# Bytes that come one by one are kept together: a piece of its own for each would take a hundred times the memory.
PIECE = 16384
MAX_PIECES = 50_000


class Output:
    """Counts, forwards and cuts the two streams together. `limit` in bytes."""

    def __init__(self, limit, forward):
        self.half = max(limit // 2, 1)
        self.forward = forward
        self.head = 0
        self.tail = collections.deque()
        self.tail_bytes = 0
        self.dropped = 0
        self.totals = {frames.STDOUT: 0, frames.STDERR: 0}

    def write(self, kind, data):
        self.totals[kind] += len(data)
        room = self.half - self.head
        if room > 0:
            self.forward(kind, data[:room])
            self.head += min(room, len(data))
            data = data[room:]
        if data:
            self.keep(kind, data)

    def keep(self, kind, data):
        if self.tail and self.tail[-1][0] == kind and len(self.tail[-1][1]) < PIECE:
            self.tail[-1][1].extend(data)
        else:
            self.tail.append((kind, bytearray(data)))
        self.tail_bytes += len(data)
        while self.tail_bytes > self.half:
            self.drop(self.tail_bytes - self.half)
        while len(self.tail) > MAX_PIECES:
            self.drop(self.half)

    def keep_whole(self):
        """Everything that another one needs to go on; `restore` takes it."""
        return {"half": self.half, "head": self.head, "tail": list(self.tail), "dropped": self.dropped, "totals": self.totals}

    def restore(self, kept):
        self.half, self.head, self.dropped, self.totals = (kept[name] for name in ("half", "head", "dropped", "totals"))
        for kind, data in kept["tail"]:
            self.keep(kind, data)

    def drop(self, excess):
        """Lets go of the oldest bytes, not more than one piece."""
        _, oldest = self.tail[0]
        excess = min(excess, len(oldest))
        self.tail_bytes -= excess
        self.dropped += excess
        if excess < len(oldest):
            del oldest[:excess]
        else:
            self.tail.popleft()

    def finish(self):
        """Forwards what was kept, after a note of how much is missing."""
        if self.dropped:
            self.forward(frames.DROPPED, b'{"bytes":%d}' % self.dropped)
        for kind, data in self.tail:
            self.forward(kind, data)
        self.tail.clear()
