"""What goes on in a session: its processes, what they use, and the ports that they listen on."""

import os
import time

import files
from channels import Task

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
LISTENING = "0A"
MAX_COMMAND = 4096
MAX_PROCESSES = 4096


def process_facts(pid):
    """What /proc says of a process; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(MAX_COMMAND).split(b"\0")[:-1]
    except OSError:
        return None
    name = text[text.index(b"(") + 1 : text.rindex(b")")]
    fields = text[text.rindex(b")") + 2 :].split()
    state, parent, session = fields[0].decode(), int(fields[1]), int(fields[3])
    ticks = sum(int(field) for field in fields[11:13])
    return {
        "pid": pid,
        "parent": parent,
        "session": session,
        "state": state,
        "command": [word.decode(errors="replace") for word in words] or [f"[{name.decode(errors='replace')}]"],
        "cpuMs": ticks * 1000 // TICKS,
        "memoryBytes": int(fields[21]) * PAGE,
        "startedMs": int(started_at(int(fields[19])) * 1000),
    }


def started_at(ticks):
    """Seconds since 1970 of a number of ticks since the machine booted."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / TICKS


def all_processes():
    """Every process but init and this one."""
    own = (1, os.getpid())
    numbers = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    found = (process_facts(pid) for pid in numbers[:MAX_PROCESSES] if pid not in own)
    return [facts for facts in found if facts is not None]


class List(Task):
    """OPEN {}: EVENTs {processes} and END."""

    def __init__(self, channel, wish, daemon):
        super().__init__(channel)
        self.found = all_processes()
        self.started = daemon.processes.running

    @property
    def busy(self):
        return self.channel.room > 0

    def step(self):
        batch, self.found = self.found[: files.BATCH // 4], self.found[files.BATCH // 4 :]
        self.channel.event({"processes": [facts | {"started": facts["pid"] in self.started} for facts in batch]})
        if not self.found:
            self.channel.finish()


class Stats(Task):
    """OPEN {}: END {processes, memoryBytes, cpuMs, diskBytes, diskLimitBytes}. Counts the disk a little at a time."""

    def __init__(self, channel, wish, daemon):
        super().__init__(channel)
        self.limit, self.disk = daemon.disk_bytes, 0
        self.walks = [files.walk(path, 64) for path in (b"/workspace", b"/output")]
        self.left = 100_000

    busy = True

    def step(self):
        for _ in range(files.BATCH):
            entry = next(self.walks[-1], None) if self.left > 0 else None
            self.left -= 1
            if entry is None:
                self.walks.pop()
                if not self.walks:
                    return self.tell()
            else:
                self.disk += entry["size"]
        return None

    def tell(self):
        found = all_processes()
        self.channel.finish(
            {
                "processes": len(found),
                "memoryBytes": sum(facts["memoryBytes"] for facts in found),
                "cpuMs": sum(facts["cpuMs"] for facts in found),
                "diskBytes": self.disk,
                "diskLimitBytes": self.limit,
            }
        )


class Ports(Task):
    """OPEN {}: END {ports: [{port, address, pid}]}, one entry a port."""

    def __init__(self, channel, wish, daemon):
        super().__init__(channel)
        inodes = {}
        for family in ("tcp", "tcp6"):
            for port, address, inode in listeners(family):
                inodes.setdefault(inode, (port, address))
        owners = socket_owners(set(inodes))
        ports = {port: {"port": port, "address": address, "pid": owners.get(inode)} for inode, (port, address) in inodes.items()}
        channel.finish({"ports": sorted(ports.values(), key=lambda entry: entry["port"])[:1024]})


def listeners(family):
    """(port, "any" or "loopback", inode) of what listens. Source: proc(5), /proc/net/tcp."""
    with open(f"/proc/net/{family}") as file:
        for line in file.readlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING:
                address, port = fields[1].split(":")
                yield int(port, 16), "any" if set(address) == {"0"} else "loopback", fields[9]


def socket_owners(inodes):
    owners = {}
    for pid in (name for name in os.listdir("/proc") if name.isdigit()) if inodes else ():
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for name in names:
            try:
                target = os.readlink(f"/proc/{pid}/fd/{name}")
            except OSError:
                continue
            if target.startswith("socket:[") and target[8:-1] in inodes:
                owners[target[8:-1]] = int(pid)
    return owners


OPERATIONS = {"processes": List, "stats": Stats, "ports": Ports}
