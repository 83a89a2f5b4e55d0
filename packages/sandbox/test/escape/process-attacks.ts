import { expect } from "vitest";
import type { Attack } from "./attack.ts";
import { hostProcessesNamed } from "@syla/testkit/host-state";

async function nothingSurvives(marker: string): Promise<void> {
  expect(hostProcessesNamed(marker)).toEqual([]);
}

/** Other processes, init above all, and staying alive. */
export const processAttacks: readonly Attack[] = [
  {
    name: "signal init with every signal",
    code: String.raw`
for number in range(1, 65):
    if number not in (32, 33):
        os.kill(1, number)
pidfd = os.pidfd_open(1)
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
    signal.pidfd_send_signal(pidfd, number)
for _ in range(20_000):
    os.kill(1, signal.SIGCHLD)
time.sleep(0.3)
os.kill(1, 0)
escaped("the parent can be seen", os.getppid() != 0)`,
  },
  {
    name: "read or write the memory of init",
    code: String.raw`
buffer = ctypes.create_string_buffer(64)
iovec = struct.pack("QQ", ctypes.addressof(buffer), 64)
attempt("process_vm_readv", lambda: call(310, 1, iovec, 1, iovec, 1, 0))
attempt("process_vm_writev", lambda: call(311, 1, iovec, 1, iovec, 1, 0))
for request in (16, 0x4206):
    attempt(f"ptrace {request:#x}", lambda: call(101, request, 1, 0, 0))
attempt("traceme", lambda: call(101, 0, 0, 0, 0))
for name in "mem maps smaps environ auxv stack syscall wchan_ io pagemap personality map_files ns/user ns/net cwd root exe fd numa_maps".split():
    path = "/proc/1/" + name
    attempt(path, lambda: os.readlink(path) if name in ("cwd", "root", "exe", "ns/user", "ns/net") else os.listdir(path) if name in ("fd", "map_files") else read(path))
attempt("kcmp", lambda: call(312, 1, os.getpid(), 0, 0, 0))`,
  },
  {
    name: "take a descriptor of init",
    code: String.raw`
pidfd = os.pidfd_open(1)
for number in range(3, 20):
    attempt(f"pidfd_getfd {number}", lambda: call(438, pidfd, number, 0))
    attempt(f"/proc/1/fd/{number}", lambda: os.open(f"/proc/1/fd/{number}", os.O_RDWR))
attempt("setns by pidfd", lambda: call(308, pidfd, 0x10000000 | 0x20000))
attempt("process_madvise", lambda: call(440, pidfd, ctypes.create_string_buffer(16), 1, 21, 0))`,
  },
  {
    name: "slow init down or change its limits",
    code: String.raw`
limits = ctypes.create_string_buffer(struct.pack("QQ", 0, 0))
for resource in range(16):
    attempt(f"prlimit {resource}", lambda: call(302, 1, resource, limits, None))
attempt("setpriority process", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
attempt("setpriority user", lambda: os.setpriority(os.PRIO_USER, 1000, 19))
attempt("setpriority group", lambda: os.setpriority(os.PRIO_PGRP, 1, 19))
attempt("idle", lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)))
attempt("parameters", lambda: os.sched_setparam(1, os.sched_param(0)))
attempt("affinity", lambda: os.sched_setaffinity(1, {0}))
attempt("sched_setattr", lambda: call(314, 1, ctypes.create_string_buffer(struct.pack("IIQiIQQQ", 48, 5, 0, 0, 0, 0, 0, 0)), 0))
for which, who in ((1, 1), (2, 0), (2, 1), (3, 1000)):
    attempt(f"ioprio {which} {who}", lambda: call(251, which, who, 3 << 13))
attempt("real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
attempt("negative nice", lambda: os.setpriority(os.PRIO_PROCESS, 0, -5))`,
  },
  {
    name: "see or signal processes of others",
    code: String.raw`
pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
escaped("processes", set(pids) - {1, os.getpid()})
reached = []
for pid in range(2, 40_000):
    try:
        os.kill(pid, 0)
        reached.append(pid)
    except OSError:
        pass
escaped("signalled", set(reached) - {os.getpid()})
attempt("kill -1 reaches somebody", lambda: os.kill(-1, signal.SIGKILL))
attempt("kill -session", lambda: os.killpg(1, 0))
escaped("anything of init", os.listdir("/proc/1"))
escaped("secret in a command line", [pid for pid in pids if pid != 1 and WORLD["secretWord"].encode() in read(f"/proc/{pid}/cmdline")])
escaped("host sessions", os.getsid(0) != os.getpid())`,
  },
  {
    name: "live on after the end: setsid, double fork, ignored signals",
    code: String.raw`
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 32):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            os.closerange(0, 64)
            os.execv("/bin/sh", ["survivor-of-the-end", "-c", "while :; do sleep 1; done"])
        os._exit(0)
time.sleep(0.3)`,
    expect: () => nothingSurvives("survivor-of-the-end"),
  },
  {
    name: "live on past the time limit",
    limits: { wallMs: 700 },
    stopped: true,
    code: String.raw`
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv("/bin/sh", ["survivor-of-the-limit", "-c", "trap '' TERM HUP INT; while :; do :; done"])
        os._exit(0)
while True:
    time.sleep(1)`,
    expect: async (result) => {
      expect(result.exit).toMatchObject({ reason: "timeout", signal: 9 });
      await nothingSurvives("survivor-of-the-limit");
    },
  },
  {
    name: "stop, trace or become a subreaper to escape the kill",
    limits: { wallMs: 800 },
    stopped: true,
    code: String.raw`
libc.prctl(36, 1, 0, 0, 0)
for _ in range(5):
    if os.fork() == 0:
        libc.prctl(36, 1, 0, 0, 0)
        libc.prctl(1, 0, 0, 0, 0)
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
            os._exit(0)
        os.execv("/bin/sleep", ["survivor-stopped", "1000"])
os.kill(os.getpid(), signal.SIGSTOP)`,
    expect: async (result) => {
      expect(result.exit.reason).toBe("timeout");
      await nothingSurvives("survivor-stopped");
    },
  },
  {
    name: "fork bomb",
    limits: { wallMs: 1500, processes: 30 },
    stopped: true,
    code: String.raw`
top = os.getpid()
made = 0
while True:
    try:
        if os.fork() == 0:
            continue
        made += 1
    except OSError:
        if os.getpid() == top and made < 1000:
            print("at most", len([name for name in os.listdir("/proc") if name.isdigit()]), flush=True)
            made = 1000`,
    expect: async (result, world) => {
      expect(result.exit.reason).toBe("timeout");
      expect(Number(/at most (\d+)/.exec(result.out)?.[1])).toBeLessThanOrEqual(32);
      expect(["cgroup", "rlimit"]).toContain(world.limits.processes.enforcedBy);
    },
  },
  {
    name: "thread bomb",
    limits: { processes: 40 },
    code: String.raw`
threads = []
gate = threading.Event()
try:
    for _ in range(2000):
        thread = threading.Thread(target=gate.wait, daemon=True)
        thread.start()
        threads.append(thread)
except RuntimeError as error:
    print("refused:", error)
gate.set()
escaped("threads", len(threads) > 40)`,
  },
  {
    name: "write to inherited descriptors",
    code: String.raw`
found = []
for number in range(3, 1024):
    try:
        os.write(number, b"\x00\x00\x00\x02\x27{}" * 100)
        found.append(number)
    except OSError as error:
        if error.errno != errno.EBADF:
            found.append((number, error.errno))
escaped("descriptors", found)
kinds = [os.readlink(f"/proc/self/fd/{number}") for number in range(3)]
escaped("not pipes", [kind for kind in kinds if not kind.startswith("pipe:")])`,
  },
  {
    name: "lie to the agent: forged frames, forged exit",
    code: String.raw`
forged = json.dumps({"exitCode": 42, "signal": None, "reason": None, "failure": {"errno": 1, "message": "forged"}}).encode()
frame = struct.pack(">IB", len(forged), 39) + forged
for number in (1, 2):
    os.write(number, frame)
    os.write(number, struct.pack(">IB", 0xFFFFFFFF, 34))
    os.write(number, struct.pack(">IB", 0, 33) * 100)
stolen = os.open("/proc/self/fd/1", os.O_RDONLY | os.O_NONBLOCK)
print()`,
    expect: (result) => {
      expect(result.exit).toMatchObject({ exitCode: 0, failure: null });
      expect(result.err).toContain('"forged"');
    },
  },
  {
    name: "type into a terminal (TIOCSTI, TIOCLINUX)",
    code: String.raw`
import fcntl
for number in (0x5412, 0x541C, 0x100005412, 0xFFFFFFFF00005412):
    for descriptor in (0, 1, 2):
        attempt(f"ioctl {number:#x} on {descriptor}", lambda: check(libc.ioctl(descriptor, ctypes.c_ulong(number), ctypes.create_string_buffer(b"x"))))
code = ctypes.get_errno()
escaped("not refused by the filter", code != errno.EPERM)`,
  },
];
