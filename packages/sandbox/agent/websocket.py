"""The way out of a pod: a WebSocket (RFC 6455) to the host, within TLS where its address says so. It carries bytes; how they are cut into messages means
nothing. Standard library only.
"""

import base64
import hashlib
import hmac
import os
import select
import socket
import ssl
import time
import urllib.parse

PROTOCOL = "syla.agent.1"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FINAL, MASKED = 0x80, 0x80
CHUNK = 1 << 16
MOST_WAITING = 1 << 20  # bytes that one side has sent and the other has not taken
LONGEST_MESSAGE = 16 << 20
LONGEST_ANSWER = 16384
LONGEST_CONTROL = 125
ANSWER_SECONDS = 10
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0  # seconds between attempts


class RefusedError(Exception):
    """The host is there and does not want this connection: to ask again is of no use."""


def connect(address, token, authority, seconds):
    """Opens the WebSocket at `address`, ws: or wss:, and shows its token; `authority`: PEM of whom to trust, None: the system's. Asks again for so many
    seconds while nobody answers: a network's rules may come into force after its pod has begun. Returns the socket, and what came after the answer."""
    until, pause = time.monotonic() + seconds, FIRST_PAUSE
    while True:
        try:
            return shake_hands(open_socket(urllib.parse.urlsplit(address), authority), urllib.parse.urlsplit(address), token)
        except OSError:
            if time.monotonic() + pause > until:
                raise
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def open_socket(address, authority):
    secure = address.scheme == "wss"
    sock = socket.create_connection((address.hostname, address.port or (443 if secure else 80)), ANSWER_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if not secure:
        return sock
    context = ssl.create_default_context(cadata=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(sock, server_hostname=address.hostname)


def shake_hands(sock, address, token):
    """Raises RefusedError, and OSError when the answer breaks off."""
    key = base64.b64encode(os.urandom(16))
    sock.sendall(
        f"GET {address.path or '/'} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        chunk = sock.recv(4096)
        if not chunk:
            raise ConnectionResetError("the host hung up")
        answer += chunk
        if len(answer) > LONGEST_ANSWER:
            raise RefusedError("the host does not speak HTTP")
    head, rest = answer.split(b"\r\n\r\n", 1)
    status, *lines = head.split(b"\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    if status.split(b" ")[1:2] != [b"101"]:
        raise RefusedError(f"the host answered {status.decode(errors='replace')[:100]}")
    expected = base64.b64encode(hashlib.sha1(key + MAGIC, usedforsecurity=False).digest())
    if not hmac.compare_digest(headers.get(b"sec-websocket-accept", b""), expected):
        raise RefusedError("the host's answer is not to this question")
    return sock, rest


def encode(kind, data):
    """One whole message of a client's."""
    key = os.urandom(4)
    length = len(data)
    if length < 126:
        head = bytes([FINAL | kind, MASKED | length])
    elif length < 1 << 16:
        head = bytes([FINAL | kind, MASKED | 126]) + length.to_bytes(2, "big")
    else:
        head = bytes([FINAL | kind, MASKED | 127]) + length.to_bytes(8, "big")
    return head + key + mask(data, key)


def mask(data, key):
    stream = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "little") ^ int.from_bytes(stream, "little")).to_bytes(len(data), "little")


class Reader:
    """Cuts what a server sends into frames."""

    def __init__(self):
        self.buffer = bytearray()

    def take(self):
        """Yields (kind, data) of every whole frame. Raises ValueError on what no server may send."""
        while (frame := self.next()) is not None:
            yield frame

    def next(self):
        if len(self.buffer) < 2:
            return None
        first, second = self.buffer[0], self.buffer[1]
        length, start = second & 0x7F, 2
        if first & 0x70 or second & MASKED:
            raise ValueError("a frame that no server may send")
        if length >= 126:
            start += 2 if length == 126 else 8
            if len(self.buffer) < start:
                return None
            length = int.from_bytes(self.buffer[2:start], "big")
        kind = first & 0x0F
        if kind not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG) or length > (LONGEST_CONTROL if kind >= CLOSE else LONGEST_MESSAGE):
            raise ValueError("a frame that no server may send")
        if len(self.buffer) < start + length:
            return None
        data = bytes(self.buffer[start : start + length])
        del self.buffer[: start + length]
        return kind, data


class Carrier:
    """Carries bytes between `inner`, a local stream, and the host, both ways, until one of them ends. To be run in a thread of process 1: nothing in there
    can end it, nor look into it."""

    def __init__(self, inner, outer, received=b""):
        self.inner, self.outer, self.reader = inner, outer, Reader()
        self.inward, self.outward = bytearray(), bytearray()
        self.reader.buffer += received
        self.inner_ended = self.outer_ended = False
        # What TLS waits for may be the other direction than what is wanted of it.
        self.wants_write = False
        for sock in (inner, outer):
            sock.setblocking(False)

    def run(self):
        try:
            self.understand()
            while not self.over():
                self.step()
        except (OSError, ValueError):
            pass  # the host sees a connection that broke
        finally:
            for sock in (self.outer, self.inner):
                sock.close()

    def over(self):
        return (self.inner_ended and not self.outward) or (self.outer_ended and not self.inward)

    def step(self):
        poll, wanted = select.poll(), {}
        inner, outer = self.inner.fileno(), self.outer.fileno()
        reads_outer = not self.outer_ended and len(self.inward) < MOST_WAITING
        wanted[outer] = (select.POLLIN if reads_outer else 0) | (select.POLLOUT if self.outward or self.wants_write else 0)
        wanted[inner] = (select.POLLIN if not self.inner_ended and len(self.outward) < MOST_WAITING else 0) | (select.POLLOUT if self.inward else 0)
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        waiting = reads_outer and isinstance(self.outer, ssl.SSLSocket) and self.outer.pending() > 0
        ready = dict(poll.poll(0 if waiting else None))
        if reads_outer and (waiting or ready.get(outer)):
            self.read_outer()
        if ready.get(inner, 0) & ~select.POLLOUT and wanted[inner] & select.POLLIN:
            self.read_inner()
        self.write_inner()
        self.write_outer()

    def read_outer(self):
        self.wants_write = False
        try:
            data = self.outer.recv(CHUNK)
        except ssl.SSLWantWriteError:
            self.wants_write = True
            return
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        self.outer_ended = not data
        self.reader.buffer += data
        self.understand()

    def understand(self):
        for kind, data in self.reader.take():
            if kind == CLOSE:
                self.outer_ended = True
            elif kind == PING:
                self.outward += encode(PONG, data)
            elif kind != PONG:
                self.inward += data

    def read_inner(self):
        data = self.inner.recv(CHUNK)
        self.inner_ended = not data
        self.outward += encode(BINARY, data) if data else encode(CLOSE, (1000).to_bytes(2, "big"))

    def write_inner(self):
        try:
            while self.inward:
                del self.inward[: self.inner.send(memoryview(self.inward)[:CHUNK])]
        except BlockingIOError:
            pass

    def write_outer(self):
        try:
            while self.outward:
                del self.outward[: self.outer.send(bytes(self.outward[:CHUNK]))]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
