"""The daemon of a session: an ordinary process inside the sandbox, with the rights of any program there, that starts processes, handles
files and looks around on behalf of the host. The host believes nothing of what it says.

One poll loop, no threads. Whatever goes wrong on a channel ends that channel; whatever goes wrong with the wire ends the daemon, and
with it the sandbox.
"""

import fcntl
import gc
import json
import os
import select
import signal
import time

import channels
import facts
import files
import notify
import processes

MAX_CHANNELS = 512
OPERATIONS = processes.OPERATIONS | files.OPERATIONS | notify.OPERATIONS | facts.OPERATIONS


class Daemon:
    """Made in the zygote; `serve` runs in the payload and never returns."""

    def warm(self):
        """Nothing that a waiting sandbox could do ahead."""

    def serve(self, plan):
        gc.enable()
        os.environ.clear()
        os.environ.update(plan["env"])
        self.disk_bytes = plan["limits"]["diskBytes"]
        source, sink = take_pipes()
        self.wake, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # what a program sends to its own group or everybody
        self.wire = channels.Wire(source, sink)
        self.tasks = {}
        self.processes = processes.Table()
        self.wire.send(channels.READY, 0, channels.as_json({"version": channels.VERSION, "pid": os.getpid()}))
        try:
            while True:
                self.turn()
        except (EOFError, BrokenPipeError):
            os._exit(0)

    def turn(self):
        """Waits for something to happen, and deals with it."""
        now = time.monotonic()
        owners, poll = {}, select.poll()
        poll.register(self.wire.source, select.POLLIN)
        poll.register(self.wake, select.POLLIN)
        if self.wire.outgoing:
            poll.register(self.wire.sink, select.POLLOUT)
        timeout = None
        for task in [*self.tasks.values(), *self.processes.leftovers]:
            if task.busy:
                timeout = 0
            elif task.due is not None:
                wait = max(0, task.due - now)
                timeout = wait if timeout is None else min(timeout, wait)
            for descriptor, events in task.descriptors():
                owners[descriptor] = task
                poll.register(descriptor, events)
        found = poll.poll(None if timeout is None else timeout * 1000)
        for descriptor, events in found:
            if descriptor in owners:
                self.attempt(owners[descriptor], owners[descriptor].ready, descriptor, events)
        for descriptor, _ in found:
            if descriptor == self.wake:
                os.read(self.wake, 4096)
                self.processes.collect()
            elif descriptor == self.wire.source:
                for kind, number, payload in self.wire.receive():
                    self.handle(kind, number, payload)
        now = time.monotonic()
        for task in list(self.tasks.values()):
            if task.busy or (task.due is not None and task.due <= now):
                self.attempt(task, task.step)
        self.wire.flush()

    def attempt(self, task, act, *arguments):
        """Does something for a task; its end, good or bad, closes it."""
        if not task.channel.open:
            if task in self.processes.leftovers:
                act(*arguments)
            return
        try:
            act(*arguments)
        except Exception as error:
            task.channel.fail(error)
        if not task.channel.open:
            self.drop(task)

    def drop(self, task):
        self.tasks.pop(task.channel.number, None)
        task.channel.open = False
        task.close()

    def handle(self, kind, number, payload):
        if kind == channels.OPEN:
            return self.open(number, payload)
        task = self.tasks.get(number)
        if task is None:
            return None  # it has ended meanwhile
        if kind == channels.CREDIT:
            task.channel.credit += channels.AMOUNT.unpack(payload)[0]
        elif kind in (channels.DATA, channels.CONTROL):
            self.attempt(task, task.data, kind, payload)
        elif kind == channels.END:
            self.attempt(task, task.ended)
        elif kind == channels.EVENT:
            self.attempt(task, task.event, json.loads(payload))
        elif kind == channels.CLOSE:
            self.drop(task)
        return None

    def open(self, number, payload):
        channel = channels.Channel(self.wire, number)
        try:
            if len(self.tasks) >= MAX_CHANNELS:
                raise channels.RefusalError("busy", "too much is open in this sandbox")
            wish = json.loads(payload)
            task = OPERATIONS[wish["op"]](channel, wish, self)
        except Exception as error:
            channel.fail(error)
            return
        if channel.open:
            self.tasks[number] = task
        else:
            task.close()


def take_pipes():
    """Moves the pipes to init out of the way: no process that is started here inherits them."""
    pipes = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10) for descriptor in (0, 1)]
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    os.close(null)
    return pipes
