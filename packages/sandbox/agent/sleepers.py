"""Two programs of a few dozen bytes, which processes that only wait turn into: what is left of one is about ten pages.

The *sleeper* is a slot's init while nothing happens. It waits for whatever init waits for, and becomes an interpreter again. The *waiter*
is the holder of a payload that runs long: it waits for its children and passes on how they ended.

Sources: ELF header and program headers: elf(5). System calls by number and registers: syscall(2); x86_64 takes the number in rax and the
arguments in rdi, rsi, rdx, r10, r8, r9, aarch64 in x8 and x0 to x5. The first stack of a process, by the System V ABI of both: argc, the
pointers of argv, a null, those of the environment, a null. Both work on numbers that are the same everywhere, and have no data of their own.
"""

import os
import struct

# What the sleeper reads from the descriptor STATE, before anything else that is kept there: struct timespec, then struct pollfd[POLLED].
TIMESPEC, POLLFD = struct.Struct("=qq"), struct.Struct("=ihh")
POLLED = 8
NOBODY = POLLFD.pack(-1, 0, 0)
BED = TIMESPEC.size + POLLED * POLLFD.size
# What the waiter sends for each child that has ended: wait status, four bytes of nothing, struct rusage. Of the latter: seconds and
# microseconds in user mode, the same in the kernel, the largest resident set in KiB, and 13 more numbers.
ENDED = struct.Struct("=i4x4qq104x")
SET_DUMPABLE, EMPTY_PATH = 4, 0x1000  # PR_SET_DUMPABLE, AT_EMPTY_PATH
# How long the sleeper waits before it tries again to execute what it could not, as where there was no memory. Its zeros are the empty path.
SECOND = TIMESPEC.pack(1, 0)

MACHINES = {"x86_64": 62, "aarch64": 183}  # EM_X86_64, EM_AARCH64
ADDRESS, PAGE = 0x400000, 0x10000  # of the one segment; a multiple of any machine's pages
EXECUTABLE, LOAD, STACK = 2, 1, 0x6474E551  # ET_EXEC, PT_LOAD, PT_GNU_STACK
READ, WRITE, RUN = 4, 2, 1
HEADER, SEGMENT = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ")


def build(code, machine):
    """An executable of one segment, headers and code, that is loaded as it lies in the file; its stack is not executable."""
    start = HEADER.size + 2 * SEGMENT.size
    size = start + len(code)
    identity = b"\x7fELF\x02\x01\x01"  # 64 bits, little endian, version 1
    header = HEADER.pack(
        identity, EXECUTABLE, MACHINES[machine], 1, ADDRESS + start, HEADER.size, 0, 0, HEADER.size, SEGMENT.size, 2, 0, 0, 0
    )
    load = SEGMENT.pack(LOAD, READ | RUN, 0, ADDRESS, ADDRESS, size, size, PAGE)
    return header + load + SEGMENT.pack(STACK, READ | WRITE, 0, 0, 0, 0, 0, 16) + code


def build_sleeper(state, interpreter, machine=None):
    """Waits as the descriptor `state` says, then executes the one open as `interpreter`, with its own arguments and environment; tries again
    every second when that is not possible."""
    machine = machine or os.uname().machine
    code = {"x86_64": sleeper_x86_64, "aarch64": sleeper_aarch64}[machine](state, interpreter)
    return build(code, machine)


def build_waiter(control, machine=None):
    """Sends ENDED over `control` for each child that ends; ends when it has none."""
    machine = machine or os.uname().machine
    code = {"x86_64": waiter_x86_64, "aarch64": waiter_aarch64}[machine](control)
    return build(code, machine)


# -- x86_64


def eax(number):
    return b"\xb8" + struct.pack("<I", number)


def edi(number):
    return b"\xbf" + struct.pack("<I", number & 0xFFFFFFFF)


def esi(number):
    return b"\xbe" + struct.pack("<I", number)


def edx(number):
    return b"\xba" + struct.pack("<I", number)


def r8d(number):
    return b"\x41\xb8" + struct.pack("<I", number)


SYSCALL = b"\x0f\x05"
ZERO_R10D = b"\x45\x31\xd2"  # xor r10d, r10d
RSI_IS_STACK, RDX_IS_STACK = b"\x48\x89\xe6", b"\x48\x89\xe2"  # mov rsi, rsp; mov rdx, rsp


def sleeper_x86_64(state, interpreter):
    prepare = b"".join(
        (
            b"\x48\x89\xe5",  # mov rbp, rsp
            edi(SET_DUMPABLE),
            esi(0),
            eax(157),  # prctl
            SYSCALL,
            b"\x48\x81\xec" + struct.pack("<I", 128),  # sub rsp, 128
            edi(state),
            RSI_IS_STACK,
            edx(BED),
            ZERO_R10D,
            eax(17),  # pread64
            SYSCALL,
            b"\x48\x8d\x7c\x24" + bytes([TIMESPEC.size]),  # lea rdi, [rsp+16]
            esi(POLLED),
            RDX_IS_STACK,
            ZERO_R10D,
            r8d(8),
            eax(271),  # ppoll; whatever comes of it is a reason to wake up
            SYSCALL,
        )
    )
    execute = b"".join(
        (
            b"\x48\x8d\x55\x08",  # lea rdx, [rbp+8]            argv
            b"\x48\x8b\x4d\x00",  # mov rcx, [rbp]              argc
            b"\x4c\x8d\x54\xcd\x10",  # lea r10, [rbp+rcx*8+16]  envp
            r8d(EMPTY_PATH),
            edi(interpreter),
            eax(322),  # execveat
            SYSCALL,
        )
    )
    pause = b"".join((edi(0), esi(0), ZERO_R10D, r8d(8), eax(271), SYSCALL))  # ppoll of nothing
    # Both addresses are relative to what follows: lea rsi, [rip+…], lea rdx, [rip+…]; `jmp` leads to the first of them.
    after = len(b"\x48\x8d\x15....") + len(pause) + len(b"\xeb.")
    empty = b"\x48\x8d\x35" + struct.pack("<i", len(execute) + after + SECOND.index(0, 1))
    second = b"\x48\x8d\x15" + struct.pack("<i", after - len(b"\x48\x8d\x15...."))
    again = b"\xeb" + struct.pack("<b", -(len(empty) + len(execute) + after))
    return prepare + empty + execute + second + pause + again + SECOND


def waiter_x86_64(control):
    wait = b"".join(
        (
            edi(-1),
            RSI_IS_STACK,
            edx(0),
            b"\x4c\x8d\x54\x24\x08",  # lea r10, [rsp+8]
            eax(61),  # wait4
            SYSCALL,
            b"\x85\xc0",  # test eax, eax
        )
    )
    send = b"".join((edi(control), RSI_IS_STACK, edx(ENDED.size), eax(1), SYSCALL))  # write
    again = b"\xeb" + struct.pack("<b", -(len(wait) + 2 + len(send) + 2))  # jmp to the beginning of `wait`
    end = b"".join((edi(0), eax(231), SYSCALL))  # exit_group
    to_end = b"\x78" + struct.pack("<b", len(send) + len(again))  # js
    return b"\x48\x81\xec" + struct.pack("<I", 256) + wait + to_end + send + again + end


# -- aarch64: every instruction is a word


def word(value):
    return struct.pack("<I", value)


def x(register, number):
    """movz: a number below 65536."""
    return word(0xD2800000 | number << 5 | register)


def x_is_stack(register, offset=0):
    """add x…, sp, #offset"""
    return word(0x910003E0 | offset << 10 | register)


def lower_stack(size):
    """sub sp, sp, #size"""
    return word(0xD10003FF | size << 10)


def address(register, distance):
    """adr: `distance` bytes from this instruction."""
    return word(0x10000000 | (distance & 3) << 29 | (distance >> 2) << 5 | register)


CALL = word(0xD4000001)  # svc #0


def sleeper_aarch64(state, interpreter):
    prepare = b"".join(
        (
            x_is_stack(19),
            x(0, SET_DUMPABLE),
            x(1, 0),
            x(8, 167),  # prctl
            CALL,
            lower_stack(128),
            x(0, state),
            x_is_stack(1),
            x(2, BED),
            x(3, 0),
            x(8, 67),  # pread64
            CALL,
            x_is_stack(0, TIMESPEC.size),
            x(1, POLLED),
            x_is_stack(2),
            x(3, 0),
            x(4, 8),
            x(8, 73),  # ppoll
            CALL,
        )
    )
    execute = b"".join(
        (
            word(0x91000000 | 8 << 10 | 19 << 5 | 2),  # add x2, x19, #8         argv
            word(0xF9400000 | 19 << 5 | 9),  # ldr x9, [x19]                     argc
            word(0x8B000000 | 9 << 16 | 3 << 10 | 2 << 5 | 3),  # add x3, x2, x9, lsl #3
            word(0x91000000 | 8 << 10 | 3 << 5 | 3),  # add x3, x3, #8           envp
            x(4, EMPTY_PATH),
            x(0, interpreter),
            x(8, 281),  # execveat
            CALL,
        )
    )
    pause = b"".join((x(0, 0), x(1, 0), x(3, 0), x(4, 8), x(8, 73), CALL))  # ppoll of nothing
    after = 4 + len(pause) + 4
    again = word(0x14000000 | (-(4 + len(execute) + 4 + len(pause)) // 4 & 0x3FFFFFF))  # b
    empty = address(1, 4 + len(execute) + after + SECOND.index(0, 1))
    return prepare + empty + execute + address(2, after) + pause + again + SECOND


def waiter_aarch64(control):
    wait = b"".join(
        (
            word(0x92800000),  # movn x0, #0: -1
            x_is_stack(1),
            x(2, 0),
            x_is_stack(3, 8),
            x(8, 260),  # wait4
            CALL,
        )
    )
    send = b"".join((x(0, control), x_is_stack(1), x(2, ENDED.size), x(8, 64), CALL))  # write
    back = -(len(wait) + 4 + len(send)) // 4
    again = word(0x14000000 | (back & 0x3FFFFFF))  # b
    end = b"".join((x(0, 0), x(8, 94), CALL))  # exit_group
    to_end = word(0x37000000 | 31 << 19 | (len(send) + 8) // 4 << 5)  # tbnz w0, #31
    return lower_stack(256) + wait + to_end + send + again + end
