import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Attack, World } from "./attack.ts";

function hostFolderUntouched(world: World): void {
  expect(readdirSync(world.folder)).toEqual(["keep.txt", "locked"]);
  expect(readFileSync(join(world.folder, "keep.txt"), "utf8")).toContain(world.secret);
  expect(statSync(join(world.folder, "locked")).mode & 0o777).toBe(0o755);
}

/** Reading and writing what is not one's own. */
export const fileAttacks: readonly Attack[] = [
  {
    name: "read secrets of the host",
    code: String.raw`
for path in [*WORLD["planted"], "/etc/shadow", "/etc/gshadow", "/root", "/root/.ssh", "/home", "/var/log", "/var/lib", "/run", "/boot", "/srv", "/mnt",
             "/proc/1/environ", "/proc/kcore", "/proc/kmsg", "/proc/vmcore", "/proc/1/auxv", "/sys/kernel", "/sys/firmware", "/tmp/../root"]:
    attempt(path, lambda: os.listdir(path) if os.path.isdir(path) else read(path))
for path in ["/proc/cmdline", "/proc/keys", "/proc/kallsyms", "/proc/timer_list"]:
    escaped(path, os.path.exists(path) and os.access(path, os.R_OK) and read(path))`,
  },
  {
    name: "find a planted file anywhere below /",
    code: String.raw`
names = []
for top in os.listdir("/"):
    if top not in ("usr", "proc"):
        for folder, folders, files in os.walk("/" + top):
            names += [os.path.join(folder, name) for name in files + folders]
print(len(names), "names")
escaped("a planted name", [name for name in names if os.path.basename(name) in ("keep.txt", "agent.py", "agent.sock", "server.json", "cli.key")])
escaped("unknown top folders", set(os.listdir("/")) - set("bin sbin lib lib32 lib64 libx32 usr etc dev proc tmp workspace output opt".split()) - set(WORLD.get("shown", [])))
escaped("unknown files in /etc", set(os.listdir("/etc")) - set("passwd group hosts hostname nsswitch.conf resolv.conf ssl ca-certificates alternatives ld.so.cache matplotlibrc mime.types fonts pki".split()) - set(WORLD.get("shown", [])))`,
  },
  {
    name: "reach the agent: its source, its socket, other slots' folders",
    code: String.raw`
for path in ["/agent", "/agent/init.py", "/jail", "/jail/agent.sock", "/jail/slot-0", "/newroot", "/cgroup-memory", "/cgroup-unified", "/workspace/../jail"]:
    attempt(path, lambda: os.stat(path))
def dial(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
attempt("connect", lambda: dial("/jail/agent.sock"))
sources = [line.split()[3] for line in open("/proc/self/mountinfo")]
for source in sources:
    if "slot-" in source or "jail-" in source:
        attempt(source, lambda: os.listdir(source))
        above = os.path.dirname(os.path.dirname(source))
        if above != "/":  # one's own root
            attempt(source + "/..", lambda: os.listdir(above))
escaped("agent modules in sys.modules", [name for name in ("init", "linux", "holder", "seccomp", "frames", "payload") if name in sys.modules])`,
  },
  {
    name: "leave the root: .., /proc/self/root, descriptors, chroot",
    code: String.raw`
root = os.stat("/")
for path in ["/..", "/../../../..", "/proc/self/root/..", "/proc/self/root/../..", "/proc/thread-self/root", "/proc/self/cwd/../..", "/workspace/../.."]:
    found = os.stat(path)
    escaped(path, (found.st_dev, found.st_ino) != (root.st_dev, root.st_ino))
folder = os.open("/", os.O_RDONLY)
escaped("openat ..", os.stat("..", dir_fd=folder).st_ino != root.st_ino)
attempt("chroot", lambda: os.chroot("/tmp"))
attempt("pivot_root", lambda: call(155, b"/tmp", b"/tmp"))
attempt("open_by_handle_at", lambda: call(304, folder, ctypes.create_string_buffer(struct.pack("Ii", 8, 1) + bytes(16)), 0))`,
  },
  {
    name: "write outside of the workspace",
    code: String.raw`
for path in ["/x", "/usr/x", "/usr/bin/x", "/usr/lib/x", "/etc/x", "/bin/x", "/lib/x", "/dev/x", "/proc/x", "/sys/x", "/opt/x"]:
    attempt("create " + path, lambda: os.open(path, os.O_CREAT | os.O_WRONLY))
for path in ["/etc/passwd", "/etc/hosts", "/etc/ld.so.cache", "/usr/bin/python3", "/usr/bin/env"]:
    attempt("open " + path, lambda: os.open(path, os.O_WRONLY))
    attempt("unlink " + path, lambda: os.unlink(path))
    attempt("chmod " + path, lambda: os.chmod(path, 0o777))
    attempt("chown " + path, lambda: os.chown(path, 1000, 1000))
    attempt("utime " + path, lambda: os.utime(path, (0, 0)))
    attempt("rename " + path, lambda: os.rename(path, path + "2"))
    attempt("xattr " + path, lambda: os.setxattr(path, "user.x", b"x"))
    attempt("link " + path, lambda: os.link(path, "/workspace/link"))
import fcntl
folder = os.open("/workspace", os.O_RDONLY)
for number in (0x40086602, 0x40046602, 0x401C5820):
    attempt(f"inode flags {number:#x}", lambda: fcntl.ioctl(folder, number, bytes(64)))
attempt("rmdir /output", lambda: os.rmdir("/output"))
attempt("rename /workspace", lambda: os.rename("/workspace", "/tmp/w"))`,
  },
  {
    name: "change the kernel's settings: /proc/sys, core_pattern, sysrq, cgroups, /sys",
    code: String.raw`
for path in ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname", "/proc/sys/kernel/ns_last_pid", "/proc/sys/vm/overcommit_memory",
             "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv4/tcp_max_tw_buckets", "/proc/sys/user/max_user_namespaces", "/proc/sys/kernel/shmmax", "/proc/sys/fs/mqueue/msg_max",
             "/proc/sysrq-trigger", "/proc/irq/default_smp_affinity", "/proc/1/oom_score_adj", "/proc/1/clear_refs", "/proc/1/coredump_filter", "/proc/1/timerslack_ns",
             "/proc/1/autogroup", "/proc/1/uid_map", "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/projid_map", "/proc/acpi/wakeup", "/proc/mtrr",
             "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/release_agent", "/sys/kernel/uevent_helper", "/sys/power/state"]:
    attempt("write " + path, lambda: write(path, b"1"))
def chmod_and_write():
    os.chmod("/proc/sys/kernel/core_pattern", 0o666)
attempt("chmod core_pattern", chmod_and_write)
attempt("lower oom score", lambda: write("/proc/self/oom_score_adj", b"-1000"))
escaped("core_pattern", b"/workspace" in read("/proc/sys/kernel/core_pattern"))`,
  },
  {
    name: "make and open device nodes",
    code: String.raw`
import stat
for folder in ("/workspace", "/tmp", "/dev/shm", "/output"):
    for kind, major, minor in ((stat.S_IFBLK, 254, 0), (stat.S_IFBLK, 8, 0), (stat.S_IFCHR, 1, 1), (stat.S_IFCHR, 1, 11), (stat.S_IFCHR, 10, 229)):
        attempt(f"mknod {folder} {major}:{minor}", lambda: os.mknod(f"{folder}/node", kind | 0o666, os.makedev(major, minor)))
for name in "mem kmem port kmsg vda sda loop0 loop-control fuse kvm net/tun ptmx pts/0 console tty0 tty1 vcs hwrng rtc0 userfaultfd vhost-vsock vsock uinput dri".split():
    attempt("/dev/" + name, lambda: os.open("/dev/" + name, os.O_RDWR))
attempt("/dev/tty", lambda: os.open("/dev/tty", os.O_RDWR))
escaped("unknown devices", set(os.listdir("/dev")) - set("null zero full random urandom tty fd stdin stdout stderr shm".split()))`,
  },
  {
    name: "smuggle host files out as artifacts (links, hard links, devices, fifos, sockets)",
    code: String.raw`
os.symlink(WORLD["planted"][0], "/output/link")
os.symlink("/etc", "/output/folder")
os.symlink("/proc/self/environ", "/output/environ")
os.symlink("/output", "/output/loop")
os.symlink("../../../../../../" + WORLD["planted"][0], "/output/up")
os.mkfifo("/output/fifo")
socket.socket(socket.AF_UNIX).bind("/output/socket")
for source in ("/etc/passwd", "/usr/bin/env", "/proc/self/environ"):
    attempt("hard link " + source, lambda: os.link(source, "/output/hard"))
os.makedirs("/output/a/b")
open("/output/a/b/real", "w").write("mine")
os.symlink("real", "/output/a/b/alias")`,
    expect: (result) => {
      expect([...result.artifacts.keys()]).toEqual(["a/b/real"]);
      expect([...result.skipped.keys()].toSorted()).toEqual(["a/b/alias", "environ", "fifo", "folder", "link", "loop", "socket", "up"]);
    },
  },
  {
    name: "have the clean-up follow links out of the workspace",
    code: String.raw`
for base in ("/workspace", "/output", "/tmp"):
    os.symlink(WORLD["folder"], base + "/away")
    os.makedirs(base + "/inner")
    os.symlink(WORLD["folder"], base + "/inner/away")
    os.symlink("/", base + "/inner/root")
os.symlink("..", "/workspace/inner/up")`,
    expect: (_, world) => hostFolderUntouched(world),
  },
  {
    name: "race the disk watch with folders that become links",
    code: String.raw`
os.makedirs("/workspace/real/deep")
os.symlink(WORLD["folder"], "/workspace/link")
stop = time.time() + 1.2
while time.time() < stop:
    try:
        os.rename("/workspace/real", "/workspace/kept")
        os.rename("/workspace/link", "/workspace/real")
        os.rename("/workspace/real", "/workspace/link")
        os.rename("/workspace/kept", "/workspace/real")
    except OSError as error:
        print(error)`,
    expect: (_, world) => hostFolderUntouched(world),
  },
  {
    name: "become root with setuid files",
    language: "bash",
    code: String.raw`
cp /usr/bin/cat /workspace/mine && chmod 6755 /workspace/mine
for status in "$(/workspace/mine /proc/self/status)" "$(exec -a su /usr/bin/cat /proc/self/status)"; do
  echo "$status" | grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb):.*[1-9a-f]|Uid:.*\b0\b|NoNewPrivs:.*0|Seccomp:.*[01])' | sed 's/^/ESCAPED: /'
done
for program in su passwd mount umount newgrp chsh gpasswd sudo pkexec; do
  command -v $program > /dev/null || continue
  timeout 2 $program -c id < /dev/null 2>&1 | grep -q 'uid=0' && echo "ESCAPED: $program"
done
mount -t tmpfs none /tmp 2> /dev/null && echo "ESCAPED: mount"
find / -xdev -perm /6000 -type f 2> /dev/null | head -3
grep -E ' / / | /usr | /workspace ' /proc/self/mountinfo | grep -v nosuid | sed 's/^/ESCAPED: suid mount /'
echo "END OF ATTACK"`,
  },
  {
    name: "leave a core dump, or pipe one to a program",
    code: String.raw`
import resource
attempt("raise RLIMIT_CORE", lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20)))
pid = os.fork()
if pid == 0:
    ctypes.string_at(0)
_, status = os.waitpid(pid, 0)
escaped("dumped", os.WCOREDUMP(status))
escaped("core file", [name for name in os.listdir("/workspace") if "core" in name])`,
    expect: () => expect(existsSync(`/workspace/core`)).toBe(false),
  },
];
