"""A sandbox in which nothing has happened for a while gives its memory back: its init and its holder turn into programs of a few bytes
(sleepers.py), which do nothing but wait, and init becomes an interpreter again when something happens (awake.py). A run that ends before
that has nothing to do with any of this.

Nothing that is executed is looked up where a program could have put it: the sleepers, the interpreter and the agent's code are open
descriptors that the zygote made, the environment is empty, and what an interpreter needs besides lies in folders that are read-only in
every sandbox. Nor is init ever within reach of its program: it has capabilities that no program has, before, during and after each step,
so the kernel lets nobody in there trace it or look into it, and its folder in /proc is covered (roots.py).
"""

import ctypes
import fcntl
import marshal
import os
import signal
import sys
import time

import linux
import sleepers

# Descriptors of init. LEAVE is a pipe by which it sends the holder to sleep; then STATE takes its place: what init has to remember.
NUMBERS = CONTROL, HOST, LEAVE, SLEEPER, PYTHON, CODE = range(3, 9)
STATE = LEAVE
# Of init. Enough to see and end every process of the slot and to read whatever it left; and to start the process numbers over.
CAPABILITIES = (
    linux.CAP_DAC_OVERRIDE,
    linux.CAP_DAC_READ_SEARCH,
    linux.CAP_FOWNER,
    linux.CAP_KILL,
    linux.CAP_SYS_PTRACE,
    linux.CAP_CHECKPOINT_RESTORE,
)
FIRST_OWN = 10  # of the zygote's: a holder keeps the numbers below for its payloads
# What an init that wakes up runs, in this order.
MODULES = ("late", "linux", "sleepers", "dormant", "frames", "watch", "pauser", "output", "artifacts", "child", "supervisor", "awake")
WAKE_UP = f"""import marshal, os, sys
for name, code in marshal.loads(os.pread({CODE}, os.fstat({CODE}).st_size, 0)):
    sys.modules[name] = module = type(sys)(name)
    exec(code, module.__dict__)
    module.__dict__.get("install", int)()
sys.modules["awake"].live()"""
NEVER = float("inf")
LONGEST_PATIENCE = 600.0  # seconds
# One that slept for less than so many times its patience was woken up too early, and waits for longer the next time.
WORTHWHILE = 10
# What init says to its holder by LEAVE: one word, when that sleeps or a message with more of it is on its way.
SLEEP, MOUNT = b"\0", b"\1"
MOST_KEPT = 1 << 18  # bytes of input and output that wait in an init which goes to sleep


class Means:
    """What the processes of a jail need to go to sleep: a number of seconds, and descriptors that its zygote has open."""

    def __init__(self, quiet):
        self.quiet = quiet
        self.sleeper = keep_file("sleeper", sleepers.build_sleeper(STATE, PYTHON))
        self.waiter = keep_file("waiter", sleepers.build_waiter(CONTROL))
        self.code = keep_file("agent", marshal.dumps([(name, code_of(name)) for name in MODULES]))
        self.python = move_up(os.open("/proc/self/exe", os.O_PATH))


def prepare(quiet_ms):
    """In the zygote. None where sandboxes are not to sleep, or cannot."""
    try:
        return Means(quiet_ms / 1000) if quiet_ms is not None else None
    except (OSError, KeyError):
        return None  # a kernel without memfd, or one that forbids to execute from it; or another machine


def code_of(name):
    return __import__(name).__spec__.loader.get_code(name)


def keep_file(name, content):
    """A file in memory that nobody can change."""
    descriptor = os.memfd_create(f"syla-{name}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(descriptor, content)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return move_up(descriptor)


def move_up(descriptor):
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FIRST_OWN)
    os.close(descriptor)
    return moved


# -- the holder


def hear_of_init():
    """A pipe: after a word has been written into the one end, the holder, who has the other one, is sent SIGIO. Returns both."""
    read_end, write_end = os.pipe()
    fcntl.fcntl(read_end, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(read_end, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
    return read_end, write_end


def hear(told):
    """The word that init has said; empty when there is none: the pipe may have been closed."""
    try:
        return os.read(told, 1)
    except OSError:
        return b""


def retire(control, means):
    """Makes of the holder what only waits for its children. Returns when that is not possible."""
    try:
        os.dup2(control.fileno(), CONTROL)
        os.execve(means.waiter, ["syla-holder"], {})
    except OSError:
        pass


# -- init


class Rest:
    """When an init goes to sleep: after nothing has happened for `patience` seconds; None: never. `began`: it did so before, and this run is
    the last one of its slot's holder."""

    def __init__(self, quiet, began=False):
        self.quiet = self.patience = quiet
        self.began = began
        self.at = NEVER

    def stir(self):
        if self.patience is not None:
            self.at = time.monotonic() + self.patience

    @classmethod
    def restore(cls, quiet, patience):
        rest = cls(quiet, began=True)
        rest.patience = patience
        return rest

    def give_up(self):
        """It turned out that it cannot sleep."""
        self.patience, self.at = None, NEVER

    def wake(self, slept):
        """After so many seconds of sleep."""
        self.patience = self.quiet if slept >= WORTHWHILE * self.patience else min(2 * self.patience, LONGEST_PATIENCE)
        self.stir()

    def prepare(self, opened):
        """Before the first time: everything that is to survive an execve does. `opened` are descriptors beside those with a number.
        Returns the descriptor that can be read when an orphan has ended."""
        keep_through_execve(CAPABILITIES)
        orphans = take_signal(signal.SIGCHLD)
        state = os.memfd_create("syla-state", os.MFD_CLOEXEC)
        self.began = True
        os.write(LEAVE, SLEEP)
        os.dup2(state, STATE)
        os.close(state)
        for descriptor in (*NUMBERS, *opened):
            os.set_inheritable(descriptor, True)
        return orphans

    def sleep(self, state, interests, until):
        """Turns into the sleeper until something of `interests`, (descriptor, poll events), happens, or the monotonic time `until`. Returns
        only when that is not possible."""
        seconds = max(0, min(until - time.monotonic(), 1 << 31))
        polled = [sleepers.POLLFD.pack(descriptor, events, 0) for descriptor, events in interests]
        polled += [sleepers.NOBODY] * (sleepers.POLLED - len(polled))
        bed = sleepers.TIMESPEC.pack(int(seconds), int(seconds % 1 * 1e9)) + b"".join(polled)
        os.ftruncate(STATE, 0)
        os.pwrite(STATE, bed + marshal.dumps(state), 0)
        os.execve(SLEEPER, [sys.executable, "-I", "-S", "-E", "-B", "-c", WAKE_UP], {})


def read_state():
    return marshal.loads(os.pread(STATE, os.fstat(STATE).st_size - sleepers.BED, sleepers.BED))


def keep_through_execve(capabilities):
    """Of what the process has, those stay with whatever it executes, and it can get no others."""
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.keep_capabilities(capabilities, inheritable=True)
    for number in capabilities:
        if number < len(linux.CAPABILITIES):
            linux.prctl(linux.PR_CAP_AMBIENT, linux.PR_CAP_AMBIENT_RAISE, number)


def take_signal(number):
    """Has a signal wait in a descriptor, which survives an execve as its handler would not."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (number,))
    mask = (1 << number - 1).to_bytes(128, "little")  # sigset_t
    descriptor = linux.check(linux.libc.signalfd(ctypes.c_int(-1), mask, ctypes.c_int(os.O_NONBLOCK)), "signalfd")
    signal.set_wakeup_fd(-1)
    return descriptor
