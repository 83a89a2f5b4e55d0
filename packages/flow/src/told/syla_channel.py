"""Brings what a composition tells of its nodes to the server, and results that are kept to the composition.

It goes through the relay of the sandbox, which knows the run: nothing is said here of who asks.
"""

import hashlib
import http.client
import json
import os
import pathlib
import queue
import random
import sys
import threading
import time
import urllib.parse

# JSON above this many bytes is sent as content of its own.
MOST_INLINE = 16 * 1024
PREVIEW = 500
# The server may be away for so many seconds before a question to it fails.
PATIENCE = 60
BATCH_EVENTS = 100
BATCH_BYTES = 512 * 1024
# Events that are on their way; a composition that tells more waits.
MOST_QUEUED = 2000


class ChannelError(Exception):
    """The server is away, or refuses what it was asked."""


def read_plan():
    return json.loads((pathlib.Path(__file__).parent / "syla_plan.json").read_text("utf-8"))


def open_channel():
    plan = read_plan()
    return Channel(plan["server"], int(os.environ["SYLA_ATTEMPT"]))


class Channel:
    def __init__(self, server, attempt, patience=PATIENCE):
        self.address = urllib.parse.urlsplit(server)
        self.attempt = attempt
        self.patience = patience
        self.local = threading.local()
        self.lock = threading.Lock()
        self.seq = 0
        self.stored = {}
        self.queue = queue.Queue(MOST_QUEUED)
        self.is_lost = False
        self.sender = None

    def tell(self, event):
        """Notes what has happened. It is sent soon, in order, while the composition goes on."""
        with self.lock:
            if self.sender is None:
                self.sender = threading.Thread(target=self._send_all, name="syla", daemon=True)
                self.sender.start()
            self.seq += 1
            event = {"seq": self.seq, **event}
        if not self.is_lost:
            self.queue.put(event)

    def flush(self):
        """Comes back when everything is sent, or cannot be."""
        if self.sender is not None:
            self.queue.join()

    def ask(self, path, key):
        """A result that is kept, as JSON, and the run that it is of."""
        try:
            answer = self._post("/syla/v1/nodes/kept", {"attempt": self.attempt, "path": path, "key": key})
            if answer["kept"] is None:
                return None
            kept = answer["kept"]
            output = kept["output"]
            text = output["json"] if "json" in output else self._read(output["blob"])
        except ChannelError:
            return None  # then it is made again
        return {"output": text, "source": kept["source"]}

    def approval(self, path, message, value):
        """What was decided of a value, or `waiting`. What was told before is kept by then."""
        self.flush()
        if self.is_lost:
            raise ChannelError("the server does not take what the composition tells")
        with self.lock:
            self.seq += 1
            seq = self.seq
        ask = {"attempt": self.attempt, "seq": seq, "path": path, "message": message, "inputs": self._ref(value)}
        return self._post("/syla/v1/nodes/approval", ask)["decision"]

    def _send_all(self):
        while True:
            events = [self.queue.get()]
            size = 0
            try:
                while True:
                    for name in ("inputs", "output"):
                        if name in events[-1]:
                            events[-1][name] = self._ref(events[-1][name])
                    size += len(json.dumps(events[-1]))
                    if size > BATCH_BYTES or len(events) == BATCH_EVENTS:
                        break
                    events.append(self.queue.get_nowait())
            except queue.Empty:
                pass
            except Exception as error:
                self._lose(error)
            try:
                if not self.is_lost:
                    self._post("/syla/v1/nodes", {"attempt": self.attempt, "events": events})
            except Exception as error:
                self._lose(error)
            for _ in events:
                self.queue.task_done()

    def _lose(self, error):
        """From now on nothing is told: what came after would be without what it went on from."""
        self.is_lost = True
        print(f"syla: the nodes of this composition are not told any more: {error}", file=sys.stderr)

    def _ref(self, data):
        if len(data) <= MOST_INLINE:
            return {"json": data.decode()}
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in self.stored:
            self._request("PUT", f"/syla/v1/values/{sha256}", data, "application/octet-stream")
            self.stored[sha256] = True
        preview = data[:PREVIEW].decode("utf-8", "ignore")
        return {"blob": sha256, "bytes": len(data), "preview": preview}

    def _read(self, sha256):
        text = self._request("GET", f"/syla/v1/values/{sha256}", None, None)
        return text.decode()

    def _post(self, path, body):
        return json.loads(self._request("POST", path, json.dumps(body).encode(), "application/json"))

    def _request(self, method, path, body, kind):
        until = time.monotonic() + self.patience
        pause = 0.05
        while True:
            try:
                status, answer = self._try(method, path, body, kind)
                if status < 300:
                    return answer
                if status < 500 and status != 429:
                    raise ChannelError(f"{status}: {answer[:500].decode('utf-8', 'replace')}")
                problem = f"the server answers {status}"
            except (OSError, http.client.HTTPException) as error:
                problem = f"the server is not to be reached: {error}"
                self.local.connection = None
            if time.monotonic() > until:
                raise ChannelError(problem)
            time.sleep(pause * (0.5 + random.random()))
            pause = min(pause * 2, 3)

    def _try(self, method, path, body, kind):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=120)
            self.local.connection = connection
        headers = {} if kind is None else {"Content-Type": kind}
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        data = answer.read()
        if answer.will_close:
            connection.close()
            self.local.connection = None
        return answer.status, data
