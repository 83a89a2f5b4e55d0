"""The agent's wire protocol, version 1: frames over any byte stream.

A frame is a 32-bit big-endian length of the payload, one byte of type, and the payload. Control frames carry JSON, data frames raw
bytes. One connection serves one run after another: after HELLO the host sends files, then START; the agent answers with STARTED, output,
artifacts and EXIT. After DONE it makes the next sandbox and says HELLO again; it ends when the host closes.
"""

import json
import os
import struct
import traceback

VERSION = 1
MAX_PAYLOAD = 8 * 1024 * 1024

# host → agent
START = 1  # JSON, see supervisor.py
FILE = 2  # JSON {path, mode, size}; its bytes follow as DATA frames
DATA = 3
STDIN = 4
STDIN_END = 5
SIGNAL = 6  # JSON {signal}
KILL = 7  # JSON {reason}
DONE = 8  # the host has read the counters of this sandbox
PAUSE = 9  # stop every process
RESUME = 10  # let those go on that PAUSE stopped
LOOK = 11  # the room on the disk has shrunk
TREE = 12  # JSON {layers, gone}, before any FILE: trees of the host that are to be the workspace, without some paths of theirs; see overlays.py
# agent → host
HELLO = 32  # JSON {version, slot, pid}
STARTED = 33  # JSON {agoMs}
STDOUT = 34
STDERR = 35
DROPPED = 36  # JSON {bytes}: output left out so far
ARTIFACT = 37  # JSON {path, size}; its bytes follow as DATA frames
SKIPPED = 38  # JSON {path, reason}
EXIT = 39  # JSON, see supervisor.py
FAILED = 40  # JSON {message}: the sandbox could not be made
PAUSED = 41  # JSON {paused}: PAUSE or RESUME has been carried out
RETURNED = 43  # JSON {path, size, executable}: a file of the workspace that is not what was put in; its bytes follow as DATA frames
GONE = 44  # JSON {paths}: of what was put in and is not there any more; of folders of a tree as well
MOUNTED = 46  # JSON {error}: TREE has been carried out, or is not possible
LEFT = 45  # JSON {whole, skipped}: that was all of the workspace, or not; so many entries are no files that could be sent
DORMANT = 42  # JSON {diskBytes}: init goes to sleep; so much was on the disk

HEADER = struct.Struct(">IB")


def encode(kind, payload=b""):
    return HEADER.pack(len(payload), kind) + payload


def as_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


def send_json(sock, kind, value):
    """Sends one frame whole, on a blocking socket."""
    sock.sendall(encode(kind, as_json(value)))


def report_failure(sock):
    """Tells the host what went wrong, if it can still be told."""
    try:
        sock.setblocking(True)
        send_json(sock, FAILED, {"message": traceback.format_exc(limit=6)})
    except OSError:
        pass


class Reader:
    """Cuts a byte stream into frames. `feed` bytes, iterate `take`."""

    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        self.buffer += data

    def take(self):
        """Yields (type, payload) for every whole frame. Raises ValueError on an impossible length."""
        while len(self.buffer) >= HEADER.size:
            length, kind = HEADER.unpack_from(self.buffer)
            if length > MAX_PAYLOAD:
                raise ValueError(f"frame of {length} bytes")
            end = HEADER.size + length
            if len(self.buffer) < end:
                return
            payload = bytes(self.buffer[HEADER.size : end])
            del self.buffer[:end]
            yield kind, payload


def write_whole(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
