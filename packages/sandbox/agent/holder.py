"""A slot's holder: forks one payload after another into the slot's namespaces.

What stays from run to run is empty in between: the network namespace with nothing but `lo`, and the user and process namespaces of the
slot's init, who leaves no process alive. The holder reads nothing that a user sent and init forks nothing, so nothing of one run can
reach the next through their memory.
"""

import array  # noqa: F401  what sending descriptors would import later
import os
import signal
import socket
import sys
import time

import frames
import init
import linux
import payload
import relay
import seccomp
from intake import SPARE

FRESH = linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS | linux.CLONE_NEWCGROUP
FAILURES_ALLOWED = 5
RELAYS_ALLOWED = 20
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def keep(slot, settings):
    """The slot's first process: keeps its network namespace, and a holder in it. Returns only in a payload, with what it has to run."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(0)
    os.open("/dev/null", os.O_RDONLY)
    linux.unshare(linux.CLONE_NEWNET)
    linux.raise_loopback()
    forget_connections()
    die_with_parent()
    relays = Relays(slot, settings)
    failures = 0
    while failures < FAILURES_ALLOWED:
        pid = os.fork()
        if pid == 0:
            die_with_parent()
            return Holder(slot, settings).serve()
        status = relays.wait_beside(pid)
        failures = failures + 1 if status else 0
        if failures:
            time.sleep(0.05 * 2**failures)
    sys.stderr.write(f"slot {slot}: {failures} sandboxes in a row could not be made\n")
    os._exit(1)


class Relays:
    """The slot's relay, where runs have a network, and another one when that ends before its time."""

    def __init__(self, slot, settings):
        self.slot, self.settings, self.ended = slot, settings, 0
        self.pid = relay.fork_relay(slot, settings) if settings["network"] else None

    def wait_beside(self, pid):
        """The wait status of the holder `pid`."""
        while True:
            ended, status = os.wait()
            if ended == pid:
                return status
            if ended == self.pid:
                self.ended += 1
                if self.ended >= RELAYS_ALLOWED:
                    sys.stderr.write(f"slot {self.slot}: {self.ended} relays have ended\n")
                    os._exit(1)
                self.pid = relay.fork_relay(self.slot, self.settings)


class Holder:
    """The slot's folders, groups and init, and the forks into them."""

    def __init__(self, slot, settings):
        self.slot, self.settings, self.served = slot, settings, False
        payload.lower_fixed_limits()
        self.folder = f"/jail/slot-{slot}"
        os.makedirs(self.folder, exist_ok=True)
        # Opened here, outside the run's own cgroup namespace: a hierarchy with `nsdelegate` lets nobody be moved across one.
        self.cgroups = [os.open(path.replace("SLOT", str(slot)), os.O_WRONLY | os.O_CLOEXEC) for path in settings["cgroups"]]

    def serve(self):
        """Forks a payload for each run that its init can take, and ends after it: it has left its own process namespace for good.

        Returns only in a payload, with what it has to run. Ends with 1 when not a single run could be made.
        """
        self.folders = fresh_folders(self.folder)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.host = connect()
        pid = linux.clone(FRESH)
        if pid == 0:
            init.live(theirs, self.host, self.slot, *self.folders)
        theirs.close()
        try:
            received = self.fork_payloads()
            if received is not None:
                return received
        except (BrokenPipeError, ConnectionResetError):
            pass  # init is gone
        except OSError as error:
            self.tell_host(f"the sandbox could not be made: {error}")
            os._exit(0 if self.served else 1)
        _, status = os.waitpid(pid, 0)
        os._exit(1 if status != 0 and not self.served else 0)

    def fork_payloads(self):
        """One after another, as long as init says that it is ready. Returns a plan in a payload, None at the end."""
        said, namespaces, _, _ = socket.recv_fds(self.control, init.MESSAGE, len(init.NAMESPACES))
        if said != init.READY:
            self.tell_host(said.decode(errors="replace"))
            return None
        user, processes, names, self.mounts = namespaces
        for descriptor in (user, processes, names):
            linux.setns(descriptor, 0)
            os.close(descriptor)
        linux.lock_capabilities()
        die_with_parent()  # again: entering a user namespace forgets it
        seccomp.install(self.settings["filters"][0])
        while said == init.READY:
            received = self.fork_payload()
            if received is not None:
                return received
            said = self.control.recv(init.MESSAGE)
            self.served = self.served or said == init.READY
            fresh_folders(self.folder)
        return None

    def fork_payload(self):
        """Forks the next payload and waits for its end. Returns its plan in the payload, else None."""
        pipes = payload.Pipes()
        pid = os.fork()
        if pid == 0:
            self.control.detach()
            return payload.enter_sandbox(pipes, self.host.detach(), self.cgroups, self.mounts, self.settings)
        try:
            socket.send_fds(self.control, [b"run"], pipes.init_ends())
        finally:
            pipes.close()
        _, status, usage = os.wait4(pid, 0)
        self.control.send(init.ENDED.pack(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss))
        return None

    def tell_host(self, message):
        """Tells the host what went wrong, if it can still be told."""
        try:
            with connect() as sock:
                frames.send_json(sock, frames.FAILED, {"message": message})
        except OSError:
            pass


def die_with_parent():
    """When the zygote ends, however it does, so does all that it has made."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)


def connect():
    """A connection to the host."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect("/jail/agent.sock")
    return sock


def fresh_folders(folder):
    """The two folders that a run may write to, as new, and empty but for a spare file (see intake.py).

    They are emptied rather than made again, and one file is kept: a file system that has just freed many inodes is slow to hand out
    others (ext4 keeps away from numbers freed within the last seconds and looks at each).
    """
    keep_spare(f"{folder}/workspace")
    paths = [f"{folder}/workspace", f"{folder}/output"]
    for path in paths:
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o755)
        for name in os.listxattr(path):
            os.removexattr(path, name)
        empty(path)
    if os.path.exists(f"{folder}/spare"):
        os.rename(f"{folder}/spare", f"{folder}/workspace/{SPARE}")
    return paths


def empty(path):
    """Empties a folder whatever a hostile program left in it: trees deeper than any path, folders without rights, odd names.

    Walks by descriptor, one level down or up at a time. The only processes that could interfere are dead.
    """
    current = os.open(path, FOLDER)
    stack = [(None, unlink_files(current))]
    while True:
        name, folders = stack[-1]
        if folders:
            inner = folders.pop()
            os.chmod(inner, 0o700, dir_fd=current)
            current = step(current, inner)
            stack.append((inner, unlink_files(current)))
        else:
            stack.pop()
            if not stack:
                break
            current = step(current, "..")
            os.rmdir(name, dir_fd=current)
    os.close(current)


def step(current, name):
    target = os.open(name, FOLDER, dir_fd=current)
    os.close(current)
    return target


def unlink_files(descriptor):
    """Unlinks what is no folder; returns the names of the folders."""
    folders = []
    with os.scandir(descriptor) as listing:
        for entry in listing:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=descriptor)
    return folders


def keep_spare(workspace):
    """Moves one ordinary file of the last run out of the way of `empty`, with nothing left of it but the inode."""
    try:
        entries = [entry for entry in os.scandir(workspace) if entry.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return
    spare = f"{workspace}/../spare"
    for entry in entries[:1]:
        if entry.stat(follow_symlinks=False).st_nlink == 1:
            os.chmod(entry.path, 0o600)
            os.truncate(entry.path, 0)
            for name in os.listxattr(entry.path):
                os.removexattr(entry.path, name)
            os.rename(entry.path, spare)


def forget_connections():
    """A closed connection would hold its port for a minute more, into the next runs of this slot."""
    try:
        linux.write_file("/proc/sys/net/ipv4/tcp_max_tw_buckets", "0")
    except OSError:
        pass  # a host that mounts /proc/sys read-only
