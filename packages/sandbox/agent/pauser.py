"""Stops every process of a sandbox for a while, memory and all, and lets them go on."""

import os
import signal

import watch

LOOKS = 1000  # how often to look for processes that are made meanwhile


class Pauser:
    """Remembers whom it stopped: what a program had stopped itself stays stopped."""

    def __init__(self):
        self.stopped = set()

    def stop_all(self):
        for _ in range(LOOKS):
            running = [(pid, parent) for pid, parent, state in states() if state not in "TtZX"]
            if not running:
                return
            for pid, _ in parents_first(running):
                if send(pid, signal.SIGSTOP):
                    self.stopped.add(pid)

    def go_on(self):
        """Children first: a shell that went on before them would take them for stopped."""
        found = [(pid, parent) for pid, parent, _ in states() if pid in self.stopped]
        for pid, _ in reversed(parents_first(found)):
            send(pid, signal.SIGCONT)
        self.stopped.clear()


def states():
    """(number, parent's number, letter of the state) of every process."""
    for name in watch.process_ids():
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            yield int(name), int(fields[1]), fields[0].decode()
        except (OSError, IndexError):
            continue


def parents_first(processes):
    parents = dict(processes)

    def depth(pid):
        count = 0
        while pid in parents and count < len(parents):
            pid, count = parents[pid], count + 1
        return count

    return sorted(processes, key=lambda process: depth(process[0]))


def send(pid, number):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False
