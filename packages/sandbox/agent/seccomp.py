"""The system-call filter of a payload: an allow-list compiled to classic BPF.

Everything else fails with EPERM (unknown numbers and `clone3` with ENOSYS, so that libc falls back), nothing is killed. Calls of
another architecture (`int 0x80`, x32) never reach the list. Layout of `struct seccomp_data`: nr at 0, arch at 4, args at 16.
"""

import ctypes
import errno
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
IOCTL_DENIED = (0x5412, 0x541C)  # TIOCSTI and TIOCLINUX type into somebody's terminal


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


def only_values(number, index, values):
    """For call `number`: allow when an argument is one of `values`, else EPERM."""
    body = [instruction(LOAD, argument(index))]
    for value in values:
        body += [instruction(JEQ, value, 0, 1), instruction(RET, ALLOW)]
    body.append(instruction(RET, ERRNO | errno.EPERM))
    return guarded(number, body)


def except_values(number, index, values):
    """For call `number`: EPERM when an argument is one of `values`, else allow."""
    body = [instruction(LOAD, argument(index))]
    for value in values:
        body += [instruction(JEQ, value, 0, 1), instruction(RET, ERRNO | errno.EPERM)]
    body.append(instruction(RET, ALLOW))
    return guarded(number, body)


def without_flags(number, index, flags):
    """For call `number`: EPERM when any of `flags` is set in an argument, else allow."""
    body = [
        instruction(LOAD, argument(index)),
        instruction(AND, flags),
        instruction(JEQ, 0, 0, 1),
        instruction(RET, ALLOW),
        instruction(RET, ERRNO | errno.EPERM),
    ]
    return guarded(number, body)


def guarded(number, body):
    return [instruction(JEQ, number, 0, len(body))] + body


def build(machine=None, denied=()):
    """The filter for a machine as bytes; `denied` names further calls to refuse."""
    arch, text = ARCHES[machine or platform.machine()]
    calls = syscalls.parse(text)
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
    program += without_flags(calls.pop("clone"), 0, NAMESPACE_FLAGS)
    program += only_values(calls.pop("socket"), 0, SOCKET_FAMILIES)
    program += only_values(calls.pop("personality"), 0, PERSONALITIES)
    program += except_values(calls.pop("ioctl"), 1, IOCTL_DENIED)
    program += only_values(calls.pop("prlimit64"), 0, (0,))  # its own limits, not those of init
    for first, last in ranges(calls.values()):
        if first == last:
            program += [instruction(JEQ, first, 0, 1), instruction(RET, ALLOW)]
        else:
            program += [instruction(JGE, first, 0, 2), instruction(JGT, last, 1, 0), instruction(RET, ALLOW)]
    program.append(instruction(RET, ERRNO | errno.EPERM))
    return b"".join(program)


class Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def install(filter_bytes):
    """Puts the filter on the calling thread, for good. Needs no_new_privs."""
    program = Program(len(filter_bytes) // 8, filter_bytes)
    linux.prctl(linux.PR_SET_SECCOMP, 2, ctypes.addressof(program))
