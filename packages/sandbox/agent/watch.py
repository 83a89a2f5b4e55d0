"""Limits that no kernel mechanism enforces here: looked at from init, at intervals that stay cheap."""

import errno
import os
import stat
import time

MAX_ENTRIES = 100_000
FIRST_INTERVAL, LONGEST_INTERVAL = 0.2, 60.0  # seconds
PAGE = os.sysconf("SC_PAGE_SIZE")
OWN, DELETED = (b" /workspace/", b" /output/"), b" (deleted)\n"  # in /proc/<pid>/maps


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


class DiskWatch:
    """The disk limit. Counting costs: it is done at once when the host says that the room on the file system has shrunk by so much that
    this run alone could have gone over, and else more and more seldom as long as nothing changes."""

    def __init__(self, limit, overlay):
        """`overlay`: the device of one over the workspace; None where there is none."""
        self.limit, self.overlay, self.used, self.suspected = limit, overlay, 0, False
        self.first_room, self.first_files = free()
        self.room = self.first_room
        self.interval = FIRST_INTERVAL
        self.due = time.monotonic() + self.interval

    @classmethod
    def restore(cls, facts):
        """One that was taken apart by `vars`."""
        disk = cls.__new__(cls)
        vars(disk).update(facts)
        return disk

    def look(self):
        room, files = free()
        if self.room - room > self.limit - self.used or self.first_files - files > MAX_ENTRIES / 2:
            self.interval = FIRST_INTERVAL
            self.due = min(self.due, time.monotonic())

    def exceeded(self, now):
        if now < self.due:
            return False
        before, self.room, self.used = self.used, free()[0], disk_usage(self.overlay)
        hidden = self.hidden_use()
        quiet = self.used == before and not self.suspected
        self.interval = min(2 * self.interval, LONGEST_INTERVAL) if quiet else FIRST_INTERVAL
        self.due = now + max(self.interval, 10 * (time.monotonic() - now))
        return max(self.used, hidden) > self.limit

    def look_now(self):
        """Whatever the room is."""
        self.interval, self.due = FIRST_INTERVAL, time.monotonic()

    def hidden_use(self):
        """The most that files can take which nobody can count; 0 as long as there are none at two looks in a row."""
        before, self.suspected = self.suspected, hides_files()
        return self.first_room - self.room if before and self.suspected else 0


def free():
    """Bytes, and files, that there is room for."""
    facts = os.statvfs("/workspace")
    return facts.f_bfree * facts.f_frsize, facts.f_ffree


def disk_usage(overlay):
    """Bytes on disk of the workspace, without what a tree below an overlay has, of /output and of files that are deleted but still open;
    infinite above MAX_ENTRIES or below any path."""
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
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return float("inf")
            continue  # gone meanwhile
        if entries > MAX_ENTRIES:
            return float("inf")
    return total + deleted_bytes((os.stat("/workspace").st_dev, overlay))


def deleted_bytes(devices):
    """Files without a name live on while a process has them open."""
    seen = {}
    for path in descriptor_paths():
        try:
            facts = os.stat(path)
        except OSError:
            continue
        if facts.st_nlink == 0 and facts.st_dev in devices and stat.S_ISREG(facts.st_mode):
            seen[facts.st_ino] = facts.st_blocks * 512
    return sum(seen.values())


def hides_files():
    """Deleted files also live on in a mapping, or in the queue of a socket over which their descriptor was sent."""
    for pid in process_ids():
        try:
            with open(f"/proc/{pid}/maps", "rb") as file:
                if any(line.endswith(DELETED) and any(folder in line for folder in OWN) for line in file):
                    return True
        except OSError:
            continue
    return any(pending_descriptors(path) for path in descriptor_paths())


def pending_descriptors(path):
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return False
        with open(path.replace("/fd/", "/fdinfo/"), "rb") as file:
            return any(line.startswith(b"scm_fds:") and int(line.split()[1]) > 0 for line in file)
    except OSError:
        return False


def descriptor_paths():
    """`/proc/<pid>/fd/<n>` of every process; where the first thread has ended before the others, the table is seen through those."""
    for pid in process_ids():
        for folder in live_threads(pid):
            try:
                names = os.listdir(f"{folder}/fd")
            except OSError:
                continue
            yield from (f"{folder}/fd/{name}" for name in names)
            if names:
                break


def live_threads(pid):
    yield f"/proc/{pid}"
    try:
        yield from (f"/proc/{pid}/task/{name}" for name in os.listdir(f"/proc/{pid}/task") if name != pid)
    except OSError:
        return


class MemoryWatch(Watch):
    """The memory limit. Resident pages are quick to sum, but count shared ones once a process; before that ends a run, it looks closely."""

    def __init__(self, limit, interval, folders):
        """`folders`: open descriptors of the sandbox's memory file systems."""
        super().__init__(lambda: memory_usage("statm", resident_bytes, folders), limit, interval)
        self.folders = folders

    def exceeded(self, now):
        if not super().exceeded(now):
            return False
        used = memory_usage("smaps_rollup", proportional_bytes, self.folders)
        self.due = max(self.due, now + 10 * (time.monotonic() - now))
        return used > self.limit


def memory_usage(name, measure, folders):
    """Bytes of every process of the sandbox but init, summed, and what lies in its memory file systems."""
    total = 0
    for pid in process_ids():
        for folder in live_threads(pid):
            used = measure(f"{folder}/{name}")
            total += used
            if used:
                break
    for descriptor in folders:
        facts = os.statvfs(descriptor)
        total += (facts.f_blocks - facts.f_bfree) * facts.f_frsize
    return total


def resident_bytes(path):
    try:
        with open(path, "rb") as file:
            return int(file.read().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def proportional_bytes(path):
    try:
        with open(path, "rb") as file:
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith(b"Pss:"))
    except OSError:
        return 0


def process_ids():
    return [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]
