"""Limits that no kernel mechanism enforces here: looked at from init, at intervals that stay cheap."""

import os
import stat
import time

MAX_ENTRIES = 100_000
PAGE = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """Calls `measure` now and then; `due` says when next. The interval grows with what a measurement costs."""

    def __init__(self, measure, limit, interval):
        self.measure, self.limit, self.interval = measure, limit, interval
        self.due = time.monotonic() + interval

    def exceeded(self, now):
        if now < self.due:
            return False
        used = self.measure()
        spent = time.monotonic() - now
        self.due = now + max(self.interval, 10 * spent)
        return used > self.limit


def disk_usage():
    """Bytes on disk of the workspace, /output and files that are deleted but still open; infinite above MAX_ENTRIES."""
    total, entries, folders = 0, 0, ["/workspace", "/output"]
    while folders:
        try:
            with os.scandir(folders.pop()) as listing:
                for entry in listing:
                    entries += 1
                    facts = entry.stat(follow_symlinks=False)
                    total += facts.st_blocks * 512
                    if stat.S_ISDIR(facts.st_mode):
                        folders.append(entry.path)
        except OSError:
            continue  # gone meanwhile
        if entries > MAX_ENTRIES:
            return float("inf")
    return total + deleted_bytes(os.stat("/workspace").st_dev)


def deleted_bytes(device):
    """Files without a name live on while a process has them open."""
    seen = {}
    for pid in process_ids():
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                facts = os.stat(f"/proc/{pid}/fd/{name}")
                if facts.st_nlink == 0 and facts.st_dev == device and stat.S_ISREG(facts.st_mode):
                    seen[facts.st_ino] = facts.st_blocks * 512
        except OSError:
            continue
    return sum(seen.values())


def memory_usage():
    """Resident bytes of every process of the sandbox but init, summed."""
    total = 0
    for pid in process_ids():
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:
                total += int(file.read().split()[1]) * PAGE
        except (OSError, IndexError):
            continue
    return total


def process_ids():
    return [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]
