"""The zygote's slots: for each a holder in a network namespace of its own, a relay beside it where runs have a network, and others in
their place when they end.
"""

import os
import signal
import sys
import time

import holder
import linux
import relay

FAILURES_ALLOWED = 5
RELAYS_ALLOWED = 20
LIVING = []  # Never let go of: a payload would have to take it apart, and copy the pages that it lies on.


class Slot:
    """What the zygote remembers of one. `network`: the open namespace, for the sake of another relay; None where there is none."""

    def __init__(self, number):
        self.number, self.network = number, None
        self.failures = self.relays_ended = 0
        self.dropped = False


class Slots:
    """Makes slots and keeps them alive. Methods that fork return something in a payload, and only there: what that has to run."""

    def __init__(self, settings):
        self.settings, self.zygote = settings, os.getpid()
        LIVING.append(self)
        self.slots = {}  # by number
        self.holders, self.relays = {}, {}  # process number → Slot
        self.due = {}  # Slot → when its next holder is to be made, in monotonic seconds

    def add(self, number):
        """One more; or one that was dropped and has not ended yet stays after all."""
        if number in self.slots:
            self.slots[number].dropped = False
            return None
        self.slots[number] = Slot(number)
        return self.fork_holder(self.slots[number])

    def drop(self, number):
        """Its holder, which is about to end, is the last one."""
        if number in self.slots:
            self.slots[number].dropped = True

    def fork_holder(self, slot):
        """In a fresh network namespace. The zygote stays in it until it makes the next one."""
        linux.unshare(linux.CLONE_NEWNET)
        linux.raise_loopback()
        forget_connections()
        pid = os.fork()
        if pid == 0:
            leave(self.zygote)
            return holder.hold(slot.number, self.settings)
        self.holders[pid] = slot
        if self.settings["network"]:
            self.end_relay(slot)
            slot.network = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            self.fork_relay(slot)
        return None

    def fork_relay(self, slot):
        pid = os.fork()
        if pid == 0:
            leave(self.zygote)
            relay.live(slot.number, self.settings)
        self.relays[pid] = slot

    def end_relay(self, slot):
        """Of a network namespace that no run will be in any more."""
        for pid in [pid for pid, its in self.relays.items() if its is slot]:
            del self.relays[pid]
            os.kill(pid, signal.SIGKILL)
        if slot.network is not None:
            os.close(slot.network)

    def collect(self):
        """Looks after every process that has ended."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid in self.holders:
                    self.plan_holder(self.holders.pop(pid), status)
                elif pid in self.relays:
                    self.replace_relay(self.relays.pop(pid))
        except ChildProcessError:
            return

    def plan_holder(self, slot, status):
        """After one that served a run the next is made at once; after one that could not, when a while has passed."""
        if slot.dropped:
            self.end_relay(slot)
            del self.slots[slot.number]
            return
        slot.failures = slot.failures + 1 if status else 0
        if slot.failures == FAILURES_ALLOWED:
            give_up(f"slot {slot.number}: {slot.failures} sandboxes in a row could not be made")
        self.due[slot] = time.monotonic() + (0.05 * 2**slot.failures if slot.failures else 0)

    def replace_relay(self, slot):
        slot.relays_ended += 1
        if slot.relays_ended == RELAYS_ALLOWED:
            give_up(f"slot {slot.number}: {slot.relays_ended} relays have ended")
        linux.setns(slot.network, linux.CLONE_NEWNET)
        self.fork_relay(slot)

    def wait_seconds(self):
        """How long until a holder is to be made; None when none is."""
        return max(0, min(self.due.values()) - time.monotonic()) if self.due else None

    def make_due(self):
        for slot in [slot for slot, due in self.due.items() if due <= time.monotonic()]:
            del self.due[slot]
            received = self.fork_holder(slot)
            if received is not None:
                return received
        return None


def give_up(message):
    """Ends the jail: the host sees that, and makes another one."""
    sys.stderr.write(message + "\n")
    os._exit(1)


def leave(zygote):
    """A child lets go of what is the zygote's own: the host's commands, and how it hears of children. It ends with the zygote."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(0)
    os.open("/dev/null", os.O_RDONLY)
    linux.die_with_parent()
    if os.getppid() != zygote:
        os._exit(0)


def forget_connections():
    """A closed connection would hold its port for a minute more, into the next runs of this slot."""
    try:
        linux.write_file("/proc/sys/net/ipv4/tcp_max_tw_buckets", "0")
    except OSError:
        pass  # a host that mounts /proc/sys read-only
