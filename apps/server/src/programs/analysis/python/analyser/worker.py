"""Reads files in a process of its own: one that a file kills, or keeps busy for ever, is replaced, and only that file is lost."""

import json
import os
import resource
import select
import signal
import struct
import sys
import time

from .limits import FILE_SECONDS, MAX_ANSWER_BYTES, MAX_LOST_WORKERS, WORKER_BYTES

_HEAD = struct.Struct(">II")


def read_all(paths, read_one, deadline):
    """Yields `(path, facts or None, reason)` for each path; `reason` says why there are no facts: crash, time, memory or deadline."""
    next_index = 0
    lost = 0
    while next_index < len(paths):
        if time.monotonic() > deadline or lost > MAX_LOST_WORKERS:
            for path in paths[next_index:]:
                yield path, None, "deadline"
            return
        for index, facts, reason in _one_worker(paths, next_index, read_one, deadline):
            next_index = index + 1
            lost += reason is not None
            yield paths[index], facts, reason


def _one_worker(paths, first, read_one, deadline):
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(paths, first, read_one, writing)
    os.close(writing)
    index = first
    try:
        while index < len(paths):
            until = min(time.monotonic() + FILE_SECONDS, deadline)
            answer, reason = _receive(reading, index, until)
            if reason is None:
                yield index, answer, None
                index += 1
                continue
            yield index, None, reason
            return
    finally:
        os.close(reading)
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(child, 0)


def _receive(reading, index, until):
    head = _read_exactly(reading, _HEAD.size, until)
    if isinstance(head, str):
        return None, head
    number, size = _HEAD.unpack(head)
    if number != index or size > MAX_ANSWER_BYTES:
        return None, "crash"
    body = _read_exactly(reading, size, until)
    if isinstance(body, str):
        return None, body
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None, "crash"
    return (answer, None) if isinstance(answer, dict) else (None, "memory")


def _read_exactly(reading, size, until):
    parts = []
    while size > 0:
        left = until - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            return "time"
        part = os.read(reading, min(size, 1 << 20))
        if not part:
            return "crash"
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _work(paths, first, read_one, writing):
    """The child: never returns."""
    try:
        _limit_memory()
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)
        for index in range(first, len(paths)):
            try:
                body = json.dumps(read_one(paths[index])).encode("ascii")
            except MemoryError:
                body = b'"memory"'
            _write(writing, _HEAD.pack(index, len(body)) + body)
    finally:
        os._exit(0)


def _write(writing, data):
    view = memoryview(data)
    while view:
        view = view[os.write(writing, view) :]


def _limit_memory():
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        _, hard = resource.getrlimit(kind)
        limit = WORKER_BYTES if hard == resource.RLIM_INFINITY else min(hard, WORKER_BYTES)
        resource.setrlimit(kind, (limit, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
