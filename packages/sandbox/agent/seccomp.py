"""The system-call filters of a payload: an allow-list compiled to classic BPF, and what it may no longer do once it is in place.

The kernel compiles a filter when it is installed, and looks through it for every number. So the long one is installed once, by the holder;
each payload inherits it, and adds the short one for the calls that it needed to get into its namespaces. The stricter answer counts.

Everything else fails with EPERM (newer numbers and `clone3` with ENOSYS, so that libc falls back), nothing is killed. Calls of
another architecture (`int 0x80`, x32) never reach the list. Layout of `struct seccomp_data`: nr at 0, arch at 4, args at 16.
"""

import ctypes
import errno
import os
import platform
import socket
import struct

import linux
import syscalls

ALLOW = 0x7FFF0000
ERRNO = 0x00050000

LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
JEQ = 0x15
JGT = 0x25
JGE = 0x35
RET = 0x06

ARCHES = {
    "x86_64": (0xC000003E, syscalls.X86_64),
    "aarch64": (0xC00000B7, syscalls.AARCH64),
}
X32_BIT = 0x40000000

# Families a program may open: local sockets, and IPv4/IPv6 inside its own empty network namespace.
SOCKET_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
# Values of personality(2) that change nothing dangerous (PER_LINUX, PER_LINUX32, UNAME26 off, and "read").
PERSONALITIES = (0x0, 0x8, 0xFFFFFFFF)
NAMESPACE_FLAGS = 0x7E020000 | 0x00000080  # every CLONE_NEW*, CLONE_NEWTIME included
PROTOCOLS = (0, socket.IPPROTO_ICMP, socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMPV6)  # none that loads a module
THREAD, SHARED_FILES = 0x00010000, 0x00000400  # CLONE_THREAD, CLONE_FILES
INIT = 1  # runs as the same user as the payload
IOPRIO_PROCESS = 1
SCHEDULING = ("sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler")
SIGNALLING = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open")  # the process is their first argument
# TIOCSTI and TIOCLINUX type into somebody's terminal; the rest set inode flags, which would outlive a run.
IOCTL_DENIED = (0x5412, 0x541C, 0x40086602, 0x40046602, 0x401C5820)


def instruction(code, operand, if_true=0, if_false=0):
    return struct.pack("<HBBI", code, if_true, if_false, operand & 0xFFFFFFFF)


def argument(index):
    """Offset of the low 32 bits of an argument (little endian machines only)."""
    return 16 + 8 * index


def ranges(numbers):
    """Sorted numbers folded into (first, last) runs."""
    folded = []
    for number in sorted(numbers):
        if folded and number == folded[-1][1] + 1:
            folded[-1][1] = number
        else:
            folded.append([number, number])
    return folded


def only_values(index, values):
    """A rule: EPERM unless an argument is one of `values`."""
    allowed = [instruction(JEQ, value, len(values) - place, 0) for place, value in enumerate(values)]
    return [instruction(LOAD, argument(index)), *allowed, instruction(RET, ERRNO | errno.EPERM)]


def except_values(index, values, result=errno.EPERM):
    """A rule: `result` when an argument is one of `values`."""
    rule = [instruction(LOAD, argument(index))]
    for value in values:
        rule += [instruction(JEQ, value, 0, 1), instruction(RET, ERRNO | result)]
    return rule


def except_flags(index, mask, flags):
    """A rule: EPERM when of the bits of `mask` in an argument exactly `flags` are set."""
    masked = [instruction(LOAD, argument(index)), instruction(AND, mask)]
    return [*masked, instruction(JEQ, flags, 0, 1), instruction(RET, ERRNO | errno.EPERM)]


def without_flags(index, flags):
    """A rule: EPERM when any of `flags` is set in an argument."""
    masked = [instruction(LOAD, argument(index)), instruction(AND, flags)]
    return [*masked, instruction(JEQ, 0, 1, 0), instruction(RET, ERRNO | errno.EPERM)]


def guarded(number, *rules):
    """Allows call `number` when no rule has refused it."""
    body = [*(line for rule in rules for line in rule), instruction(RET, ALLOW)]
    return [instruction(JEQ, number, 0, len(body)), *body]


def build_last(machine=None):
    """The short filter for a machine as bytes: ends the way into namespaces."""
    arch, text = ARCHES[machine or platform.machine()]
    program = [instruction(LOAD, 4), instruction(JEQ, arch, 1, 0), instruction(RET, ALLOW), instruction(LOAD, 0)]
    for number in syscalls.parse(syscalls.ENTERING[machine or platform.machine()]).values():
        program += [instruction(JEQ, number, 0, 1), instruction(RET, ERRNO | errno.EPERM)]
    # Accepted without effect: init could no longer look at the open files of a forked interpreter.
    program += guarded(syscalls.parse(text)["prctl"], except_values(0, (linux.PR_SET_DUMPABLE,), 0))
    program.append(instruction(RET, ALLOW))
    return b"".join(program)


def build_guard(machine=None):
    """A short filter for where init is nobody else than the agent and no kernel of its own keeps signals from it, as gVisor's does not: none reaches it."""
    arch, text = ARCHES[machine or platform.machine()]
    calls = syscalls.parse(text)
    program = [instruction(LOAD, 4), instruction(JEQ, arch, 1, 0), instruction(RET, ALLOW), instruction(LOAD, 0)]
    for name in SIGNALLING:
        program += guarded(calls[name], except_values(0, (INIT,)))
    program.append(instruction(RET, ALLOW))
    return b"".join(program)


def build(machine=None, denied=()):
    """The long filter for a machine as bytes; `denied` names further calls to refuse."""
    arch, text = ARCHES[machine or platform.machine()]
    calls = syscalls.parse(text) | syscalls.parse(syscalls.ENTERING[machine or platform.machine()])
    for name in denied:
        calls.pop(name, None)
    program = [
        instruction(LOAD, 4),
        instruction(JEQ, arch, 1, 0),
        instruction(RET, ERRNO | errno.ENOSYS),
        instruction(LOAD, 0),
        instruction(JGE, X32_BIT, 0, 1),
        instruction(RET, ERRNO | errno.ENOSYS),
        instruction(JEQ, calls.pop("clone3"), 0, 1),
        instruction(RET, ERRNO | errno.ENOSYS),
    ]
    newest = max(calls.values())
    # A thread with descriptors of its own could hide open files from the disk watch.
    program += guarded(calls.pop("clone"), without_flags(0, NAMESPACE_FLAGS), except_flags(0, THREAD | SHARED_FILES, THREAD))
    program += guarded(calls.pop("socket"), only_values(0, SOCKET_FAMILIES), only_values(2, PROTOCOLS))
    program += guarded(calls.pop("socketpair"), only_values(0, (socket.AF_UNIX,)))
    program += guarded(calls.pop("personality"), only_values(0, PERSONALITIES))
    program += guarded(calls.pop("ioctl"), except_values(1, IOCTL_DENIED))
    program += guarded(calls.pop("prlimit64"), only_values(0, (0,)))  # its own limits, not those of init
    # Nor may it slow init down: not by its number, nor as one process of a user or group.
    program += guarded(calls.pop("setpriority"), only_values(0, (os.PRIO_PROCESS,)), except_values(1, (INIT,)))
    program += guarded(calls.pop("ioprio_set"), only_values(0, (IOPRIO_PROCESS,)), except_values(1, (INIT,)))
    for name in SCHEDULING:
        if name in calls:
            program += guarded(calls.pop(name), except_values(0, (INIT,)))
    for first, last in ranges(calls.values()):
        if first == last:
            program += [instruction(JEQ, first, 0, 1), instruction(RET, ALLOW)]
        else:
            program += [instruction(JGE, first, 0, 2), instruction(JGT, last, 1, 0), instruction(RET, ALLOW)]
    program += [instruction(JGT, newest, 0, 1), instruction(RET, ERRNO | errno.ENOSYS)]
    program.append(instruction(RET, ERRNO | errno.EPERM))
    return b"".join(program)


class Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def prepare(filter_bytes):
    """For `linux.carry_out`: puts the filter on the calling thread, for good. Needs no_new_privs."""
    program = Program(len(filter_bytes) // 8, filter_bytes)
    return linux.libc.prctl, (ctypes.c_int(linux.PR_SET_SECCOMP), ctypes.c_ulong(2), ctypes.byref(program))
