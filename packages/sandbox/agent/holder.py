"""A slot's holder: forks one payload after another into the slot's namespaces.

What stays from run to run is empty in between: the network namespace with nothing but `lo`, and the user and process namespaces of the
slot's init, who leaves no process alive. The holder reads nothing that a user sent and init forks nothing, so nothing of one run can
reach the next through their memory.

Every page that the holder or a payload writes to is copied after each fork, so both do as little as they can: init does the rest.
"""

import _signal  # `signal` makes members of enumerations, and copies pages for them
import os
import socket
import sys

import dormant
import init
import linux
import overlays
import payload
import sleepers

WAITS_FOR = (_signal.SIGCHLD, _signal.SIGIO)  # blocked: a child has ended; init goes to sleep, or wants a tree to be shown
FRESH = linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWUTS | linux.CLONE_NEWCGROUP


def hold(slot, settings):
    """The holder's life: forks a payload for each run that its init can take, and ends after it: it has left its own process namespace
    for good.

    Returns only in a payload, with what it has to run. Ends with 1 when not a single run could be made.
    """
    reserve_descriptors()
    payload.lower_fixed_limits()
    folders = make_folders(slot)
    # Opened here, outside the run's own cgroup namespace: a hierarchy with `nsdelegate` lets nobody be moved across one.
    cgroups = [os.open(path.replace("SLOT", str(slot)), os.O_WRONLY | os.O_CLOEXEC) for path in settings["cgroups"]]
    _signal.pthread_sigmask(_signal.SIG_BLOCK, WAITS_FOR)
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    told, leave = dormant.hear_of_init()
    pid = linux.clone(FRESH)
    if pid == 0:
        init.live(theirs, leave, slot, folders, settings)
    theirs.close()
    os.close(leave)
    served = 0
    try:
        enter_namespaces(control, settings["filters"][0])
        way = payload.prepare_way(cgroups, settings["filters"][1], settings["session"])
        while (ends := take_payload_ends(control)) is not None:
            received = fork_payload(ends, control, told, way, settings)
            if received is not None:
                return received
            served += 1
    except (BrokenPipeError, ConnectionResetError):
        pass  # init is gone
    except OSError as error:
        sys.stderr.write(f"slot {slot}: the sandbox could not be made: {error}\n")
        os._exit(0 if served else 1)
    _, status = os.waitpid(pid, 0)
    os._exit(1 if status != 0 and not served else 0)


def reserve_descriptors():
    """So that no end of a pipe has a number that a payload wants to give to another one."""
    for number in range(3, payload.DESCRIPTORS):
        os.dup2(0, number, inheritable=False)


def make_folders(slot):
    folders = [f"/jail/slot-{slot}/{name}" for name in ("workspace", "output")]
    for path in folders:
        os.makedirs(path, exist_ok=True)
    return folders


def enter_namespaces(control, filter):
    """Into those of its init, with all capabilities there: a payload needs them for a moment. Nobody in there can see the holder."""
    said, namespaces, _, _ = socket.recv_fds(control, init.MESSAGE, len(init.NAMESPACES))
    if said != init.READY:
        raise ConnectionResetError  # init has told the host why
    for descriptor in namespaces:
        linux.setns(descriptor, 0)
        os.close(descriptor)
    linux.lock_capabilities()
    linux.die_with_parent()  # again: entering a user namespace forgets it
    linux.prctl(linux.PR_SET_DUMPABLE, 1)  # of its payloads, which init has to look into
    linux.carry_out([filter])


def take_payload_ends(control):
    """Waits until init is ready for a run: the payload's ends of its pipes. None at the end."""
    _, ancillary, _, _ = control.recvmsg(16, init.ENDS_SPACE)
    return init.ENDS.unpack(ancillary[0][2]) if ancillary else None


def fork_payload(ends, control, told, way, settings):
    """Forks the next payload and waits for its end. Returns in the payload, with what it has to run; else None."""
    pid = os.fork()
    if pid == 0:
        control.detach()
        return payload.enter_sandbox(ends, way, settings)
    for descriptor in ends:
        os.close(descriptor)
    ended = 0
    while not ended:
        if _signal.sigwait(WAITS_FOR) == _signal.SIGIO:
            word = dormant.hear(told)
            if word == dormant.SLEEP:
                dormant.retire(control, settings["means"])
            elif word == dormant.MOUNT:
                overlays.serve(control)
        ended, status, usage = os.wait4(pid, os.WNOHANG)
    microseconds = int((usage.ru_utime + usage.ru_stime) * 1e6)
    control.send(sleepers.ENDED.pack(status, 0, microseconds, 0, 0, usage.ru_maxrss))
    return None
