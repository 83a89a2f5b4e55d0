import { expect } from "vitest";
import { mebibyte, type Result } from "../sandbox-driver.ts";
import type { Attack, World } from "./attack.ts";

function overMemory(result: Result, world: World): void {
  if (world.limits.memoryBytes.enforcedBy === "cgroup") expect(result.exit).toMatchObject({ outOfMemory: true, signal: 9 });
  else expect(result.exit.outOfMemory || /MemoryError|refused/.test(result.out + result.err)).toBe(true);
  expect(result.out).not.toContain("ESCAPED");
}

const overDisk = (result: Result) => expect({ ...result.exit, err: result.err }).toMatchObject({ reason: "disk", signal: 9, err: "" });

/** Taking more than one's share. */
export const resourceAttacks: readonly Attack[] = [
  {
    name: "memory bomb",
    stopped: true,
    limits: { memoryBytes: 128 * mebibyte },
    code: "kept = []\nwhile len(kept) < 1000:\n    kept.append(bytearray(4 << 20))\nprint('ESCAPED: 4 GB')",
    expect: overMemory,
  },
  {
    name: "memory bomb of many processes",
    stopped: true,
    limits: { memoryBytes: 128 * mebibyte, wallMs: 15_000 },
    code: String.raw`
def eat():
    kept = []
    while True:
        kept.append(bytearray(2 << 20))
        if len(kept) > 30:
            time.sleep(60)
children = []
for _ in range(10):
    children.append(os.fork())
    if children[-1] == 0:
        eat()
time.sleep(3)
alive = [pid for pid in children if os.waitpid(pid, os.WNOHANG) == (0, 0)]
def eaten(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty"))
    except OSError:
        return 0
escaped("memory", sum(eaten(pid) for pid in alive) > 140 << 10)`,
    expect: (result, world) => {
      expect(result.exit.outOfMemory || result.exit.exitCode === 0).toBe(true);
      if (world.limits.memoryBytes.enforcedBy === "supervisor") expect(result.exit.reason).toBe("memory");
    },
  },
  {
    name: "memory that belongs to no process: memfd, shared memory, a first thread that ended",
    stopped: true,
    limits: { memoryBytes: 128 * mebibyte },
    code: String.raw`
def memfd():
    kept = []
    for _ in range(60):
        kept.append(os.memfd_create("x"))
        os.write(kept[-1], bytes(10 << 20))
    return len(kept)
def shared():
    for _ in range(60):
        segment = check(libc.shmget(0, ctypes.c_size_t(10 << 20), 0o1600))
        libc.shmat.restype = ctypes.c_void_p
        address = libc.shmat(segment, None, 0)
        ctypes.memset(address, 1, 10 << 20)
        libc.shmdt(ctypes.c_void_p(address))
attempt("shared", shared)
attempt("memfd", memfd)`,
    expect: overMemory,
  },
  {
    name: "fill /tmp and /dev/shm",
    limits: { memoryBytes: 200 * mebibyte },
    code: String.raw`
for folder in ("/tmp", "/dev/shm"):
    size = 0
    try:
        with open(folder + "/big", "wb", buffering=0) as file:
            while size < 300 << 20:
                size += file.write(bytes(1 << 20))
    except OSError as error:
        print("refused:", folder, error)
    escaped(folder, size > 65 << 20)
    os.unlink(folder + "/big")
    made = 0
    try:
        for made in range(40_000):
            os.close(os.open(f"{folder}/{made}", os.O_CREAT))
    except OSError as error:
        print("refused:", made, error)
    escaped(folder + " inodes", made > 20_000)
    for number in range(made):
        os.unlink(f"{folder}/{number}")`,
  },
  {
    name: "fill the disk",
    stopped: true,
    code: String.raw`
for number in range(200):
    with open(f"/workspace/{number}", "wb") as file:
        file.write(bytes(8 << 20))
    time.sleep(0.02)
print("ESCAPED: 1.6 GB")`,
    expect: overDisk,
  },
  {
    name: "a file larger than the disk limit",
    code: String.raw`
file = os.open("/workspace/big", os.O_CREAT | os.O_WRONLY)
attempt("truncate", lambda: os.truncate("/workspace/big", 1 << 40))
attempt("seek and write", lambda: os.pwrite(file, b"x", 1 << 40))
attempt("fallocate", lambda: os.posix_fallocate(file, 0, 1 << 34))`,
  },
  {
    name: "fill the disk where no path leads",
    stopped: true,
    code: String.raw`
for _ in range(30):
    os.mkdir("n" * 200)
    os.chdir("n" * 200)
for number in range(100):
    with open(f"{number}", "wb") as file:
        file.write(bytes(8 << 20))
    time.sleep(0.05)
print("ESCAPED")`,
    expect: overDisk,
  },
  {
    name: "fill the disk with deleted files: open, undumpable, mapped, in a socket's queue",
    stopped: true,
    limits: { wallMs: 15_000 },
    code: String.raw`
import array
libc.prctl(4, 0, 0, 0, 0)
libc.mmap.restype = ctypes.c_void_p
kept = []
for number in range(60):
    file = os.open("hidden", os.O_CREAT | os.O_RDWR)
    os.unlink("hidden")
    for _ in range(8):
        os.write(file, bytes(1 << 20))
    if number % 3 == 0:
        kept.append(file)
        continue
    if number % 3 == 1:
        libc.mmap(None, ctypes.c_size_t(4096), 1, 1, file, ctypes.c_long(0))
    else:
        kept.append(socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
        kept[-1][0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))])
    os.close(file)
    time.sleep(0.1)
print("ESCAPED: 480 MB")`,
    expect: overDisk,
  },
  {
    name: "use up inodes",
    stopped: true,
    limits: { wallMs: 18_000, diskBytes: 12 * mebibyte },
    code: String.raw`
os.mkdir("/workspace/many")
os.chdir("/workspace/many")
for number in range(1_000_000):
    os.close(os.open(str(number), os.O_CREAT))
print("ESCAPED")`,
    expect: (result) => expect(["disk", "timeout"]).toContain(result.exit.reason),
  },
  {
    name: "use up descriptors",
    limits: { openFiles: 128 },
    code: String.raw`
kept = []
try:
    while True:
        kept.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print("refused:", error)
escaped("descriptors", len(kept) > 128)`,
  },
  {
    name: "use up what the kernel counts per host user: inotify, queued signals, message queues",
    code: String.raw`
kept = []
try:
    while len(kept) < 200:
        kept.append(check(libc.inotify_init()))
except OSError as error:
    print("refused:", error)
escaped("inotify", len(kept) > 16)
signal.pthread_sigmask(signal.SIG_BLOCK, {40})
sent = 0
try:
    for sent in range(100_000):
        check(libc.sigqueue(os.getpid(), 40, None))
except OSError as error:
    print("refused:", error)
escaped("signals", sent > 5000)
rt = ctypes.CDLL("librt.so.1", use_errno=True)
opened = 0
try:
    for opened in range(200):
        check(rt.mq_open(f"/queue{opened}".encode(), os.O_CREAT | os.O_RDWR, 0o600, None))
except OSError as error:
    print("refused:", error)
escaped("queues", opened > 30)`,
  },
  {
    name: "output flood",
    limits: { outputBytes: 100_000 },
    code: String.raw`
block = b"".join(b"%015d\n" % number for number in range(4096))
for _ in range(800):
    os.write(1, block)
os.write(2, b"last words\n")`,
    expect: (result) => {
      expect(result.stdout.length + result.stderr.length).toBe(100_000);
      expect(result.exit.stdoutBytes).toBeGreaterThan(50 * mebibyte);
      expect(result.dropped).toBe(result.exit.stdoutBytes + result.exit.stderrBytes - 100_000);
      expect(result.err).toBe("last words\n");
    },
  },
  {
    name: "output flood of single bytes on both streams",
    limits: { wallMs: 2500 },
    stopped: true,
    code: "while True:\n    os.write(1, b'o')\n    os.write(2, b'e')",
    expect: (result) => {
      expect(result.exit.reason).toBe("timeout");
      expect(result.stdout.length + result.stderr.length).toBeLessThanOrEqual(mebibyte);
    },
  },
  {
    name: "use every processor",
    limits: { wallMs: 1500, cpus: 0.5 },
    stopped: true,
    code: "for _ in range(6):\n    if os.fork() == 0:\n        break\nwhile True:\n    pass",
    expect: (result, world) => {
      expect(result.exit.reason).toBe("timeout");
      const share = world.limits.cpus.enforcedBy === "cgroup" ? 0.5 : 1;
      expect(result.exit.cpuMs / result.exit.runMs).toBeLessThan(share * 1.35);
    },
  },
];
