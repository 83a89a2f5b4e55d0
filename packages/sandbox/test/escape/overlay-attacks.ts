import { expect } from "vitest";
import { mebibyte, type Result } from "../sandbox-driver.ts";
import type { Attack } from "./attack.ts";

const overDisk = (result: Result) => expect({ reason: result.exit.reason, err: result.err }).toEqual({ reason: "disk", err: "" });
const limits = { diskBytes: 8 * mebibyte, wallMs: 60_000 };

/**
 * Programs whose workspace is an overlay of trees that others have, too (see `planted-trees.ts`): against the trees, against what is not shown
 * of them, and against the layer that is their own. After each of them the trees are looked at.
 */
export const overlayAttacks: readonly Attack[] = [
  {
    name: "find the trees, or the layer that it writes to",
    code: String.raw`
mounts = [line for line in open("/proc/self/mountinfo") if " - overlay " in line]
escaped("how many overlays", len(mounts) != 1)
named = mounts[0].split("lowerdir=")[1].split(",")[0].split(":") if "lowerdir=" in mounts[0] else []
places = [*named, "/tmp/trees", "/trees", "/tmp/..", "/newroot", "/workspace/.syla-layer", ".syla-layer", "../.syla-layer", "/proc/self/cwd/.syla-layer"]
places += [f"/proc/{pid}/{way}{path}" for pid in os.listdir("/proc") if pid.isdigit() for way in ("root", "cwd") for path in ("/tmp/trees", "/.syla-layer", "/workspace/.syla-layer")]
for path in places:
    if path != "/tmp/..":
        attempt(path, lambda: os.stat(path))
escaped("a tree in /tmp", os.listdir("/tmp"))
for path in named:
    attempt("a handle of " + path, lambda: call(304, os.open("/workspace", os.O_RDONLY), ctypes.create_string_buffer(struct.pack("Ii", 8, 1) + bytes(16)), 0))`,
  },
  {
    name: "find them from a shell's folder and descriptors",
    language: "bash",
    code: String.raw`
ls -A . .. /proc/$$/cwd /proc/self/fd/ | grep -q syla-layer && echo "ESCAPED: the layer"
for link in /proc/*/cwd /proc/*/root /proc/*/fd/*; do case "$(readlink "$link" 2>/dev/null)" in *syla-layer*|*trees*|*ba5e*) echo "ESCAPED: $link";; esac; done
echo "END OF ATTACK"`,
  },
  {
    name: "write through to a tree by what is open to read",
    code: String.raw`
import fcntl, mmap
file = os.open("top.txt", os.O_RDONLY)
attempt("write", lambda: os.write(file, b"evil"))
attempt("truncate", lambda: os.ftruncate(file, 0))
attempt("map to write", lambda: mmap.mmap(file, 4, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE))
attempt("allocate", lambda: os.posix_fallocate(file, 0, 8192))
private = mmap.mmap(file, 4, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
private[:4] = b"evil"
attempt("flags", lambda: fcntl.ioctl(file, 0x40086602, struct.pack("l", 0x10)))
for again in (f"/proc/self/fd/{file}", f"/dev/fd/{file}", f"/proc/self/task/{os.getpid()}/fd/{file}"):
    write(again, b"evil")
os.fchmod(file, 0o777); os.utime(file, (1, 1)); os.setxattr(file, "user.mark", b"evil")
os.truncate("lib/one.py", 0)
other = os.open("lib/two.py", os.O_RDWR)
mapped = mmap.mmap(other, 4); mapped[:4] = b"evil"; mapped.flush()
other = os.open("lib/two.py", os.O_RDWR)
os.copy_file_range(file, other, 4)
os.sendfile(other, file, 0, 4)
os.chmod("lib", 0o777); os.chmod(".", 0o777); os.utime(".", (1, 1))`,
  },
  {
    name: "reach it by links and new names",
    code: String.raw`
os.link("top.txt", "hard"); write("hard", b"evil")
os.link("lib/one.py", "lib/again.py"); os.chmod("lib/again.py", 0o600)
file = os.open("part0.bin", os.O_PATH)
print("a name by a descriptor:", libc.linkat(file, b"", -100, b"named", 0x1000), libc.linkat(-100, f"/proc/self/fd/{file}".encode(), -100, b"named too", 0x400))
for name in ("named", "named too"):
    if os.path.exists(name): write(name, b"evil")
attempt("link out of the overlay", lambda: os.link("top.txt", "/output/top.txt"))
attempt("link into it", lambda: os.link("/bin/sh", "sh"))
attempt("rename out of it", lambda: os.rename("top.txt", "/output/top.txt"))
attempt("rename a folder of the tree", lambda: os.rename("lib", "lib2"))
attempt("exchange folders of the tree", lambda: os.mkdir("fresh") or check(libc.renameat2(-100, b"lib", -100, b"fresh", 2)))
os.symlink("lib/one.py", "soft"); write("soft", b"evil")
os.rename("lib/two.py", "moved.py"); write("moved.py", b"evil")
os.mkdir("large"); os.rename("large", "lib/large")`,
  },
  {
    name: "mount again: the overlay, its layers, or anything at all",
    code: String.raw`
mounts = [line for line in open("/proc/self/mountinfo") if " - overlay " in line]
options = mounts[0].rsplit(" ", 1)[1].strip().encode()
attempt("umount", lambda: check(libc.umount2(b"/workspace", 2)))
attempt("umount /tmp", lambda: check(libc.umount2(b"/tmp", 2)))
attempt("mount an overlay", lambda: check(libc.mount(b"overlay", b"/workspace", b"overlay", 0, options)))
attempt("remount", lambda: check(libc.mount(None, b"/workspace", None, 32, options)))
attempt("bind", lambda: check(libc.mount(b"/workspace", b"/output", None, 4096, None)))
attempt("unshare", lambda: check(libc.unshare(0x10000000 | 0x20000)))
attempt("namespaces for a child", lambda: check(libc.clone(None, None, 0x10020011, None)))
attempt("a mount namespace", lambda: check(libc.setns(os.open("/proc/self/ns/mnt", os.O_RDONLY), 0x20000)))
for number in (155, 161, 165, 166, 272, 308, 428, 429, 430, 431, 432, 433, 435, 442, 457, 458, 467):
    attempt(f"call {number}", lambda: call(number, b"overlay", 0, 0, 0, 0, 0))`,
  },
  {
    name: "forge the marks of an overlay",
    code: String.raw`
os.mkdir("mine"); open("mine/file", "w").close()
for name in ("opaque", "redirect", "metacopy", "origin", "impure", "upper", "whiteout", "uuid"):
    for path in ("mine", "mine/file", "lib", "top.txt", "."):
        attempt(f"trusted.overlay.{name} of {path}", lambda: os.setxattr(path, f"trusted.overlay.{name}", b"y"))
        for value in (b"y", b"x", b"/was", b"was", b""):
            for prefix in ("user.overlay.", "user.overlay.overlay."):
                try: os.setxattr(path, prefix + name, value)
                except OSError: pass
                try: os.removexattr(path, prefix + name)
                except OSError: pass
                try: os.setxattr(path, prefix + name, value)
                except OSError: pass
attempt("a capability", lambda: os.setxattr("mine/file", "security.capability", struct.pack("<IIIIII", 0x03000001, 1 << 21, 0, 0, 0, 0)))
os.rename("mine", "mine2"); os.rename("mine2/file", "file2")
escaped("what was removed", [name for name in ("was", "mine2/was", "mine2/kept.txt") if os.path.exists(name)])
escaped("a mark is gone, or another one", sorted(os.listdir("lib")) != ["one.py", "two.py"])
with open("lib/two.py") as file: escaped("the layer below", "secret" in file.read())`,
  },
  {
    name: "dig out what was removed",
    code: String.raw`
escaped("shown", [name for name in ("was", "before", "once", "earlier") if os.path.lexists(name)])
os.mkdir("was"); escaped("was", os.listdir("was"))
os.rmdir("was"); escaped("was", os.path.lexists("was"))
os.mkdir("fresh"); os.rename("fresh", "before"); escaped("before", os.listdir("before"))
os.mkdir("other"); attempt("exchange", lambda: check(libc.renameat2(-100, b"other", -100, b"once", 2)))
attempt("leave a whiteout", lambda: check(libc.renameat2(-100, b"other", -100, b"third", 4)))
os.rename("other", "once"); escaped("once", os.listdir("once"))
attempt("make a whiteout", lambda: os.mknod("hole", 0o020000 | 0o600, 0))
attempt("remove what is not there", lambda: os.unlink("earlier"))
os.symlink("earlier", "way"); attempt("through a link", lambda: os.listdir("way"))
os.unlink("lib/two.py"); escaped("two.py", os.path.lexists("lib/two.py"))
with open("lib/two.py", "w") as file: file.write("x")
with open("lib/two.py") as file: escaped("the layer below", file.read() != "x")
subprocess.run(["rm", "-r", "lib"], check=True); os.mkdir("lib"); escaped("lib", os.listdir("lib"))`,
  },
  {
    name: "get rights or devices from it",
    code: String.raw`
for kind, device in ((0o020000, os.makedev(1, 3)), (0o020000, os.makedev(1, 1)), (0o060000, os.makedev(254, 0)), (0o020000, 0)):
    attempt(f"mknod {kind:o} {device}", lambda: os.mknod(f"node-{device}", kind | 0o666, device))
facts = os.stat("id")
found = subprocess.run(["./id", "-u"], capture_output=True, text=True)
escaped("another user", found.stdout.strip() != str(os.getuid()))
subprocess.run(["cp", "/usr/bin/id", "mine"], check=True); os.chmod("mine", 0o6755)
found = subprocess.run(["./mine", "-u"], capture_output=True, text=True)
escaped("root", found.stdout.strip() != str(os.getuid()))
status = subprocess.run(["grep", "-E", "Cap(Eff|Prm|Bnd|Amb)", "/proc/self/status"], capture_output=True, text=True).stdout
escaped("capabilities", [line for line in status.splitlines() if int(line.split()[1], 16)])
attempt("chown", lambda: os.chown("top.txt", 0, 0))
flags = [line.split()[5] for line in open("/proc/self/mountinfo") if " - overlay " in line]
escaped("flags of the mount", [word for word in flags if "nosuid" not in word or "nodev" not in word])`,
  },
  {
    name: "have a file of the tree copied that is larger than its disk limit",
    limits,
    code: String.raw`
attempt("open", lambda: os.open("large.bin", os.O_RDWR))
attempt("chmod", lambda: os.chmod("large.bin", 0o600))
attempt("mark", lambda: os.setxattr("large.bin", "user.mark", b"x"))
attempt("link", lambda: os.link("large.bin", "linked.bin"))
attempt("rename", lambda: os.rename("large.bin", "renamed.bin"))`,
  },
  {
    name: "go over its disk limit by files of the tree that are copied for it",
    stopped: true,
    limits,
    code: String.raw`
for number in range(4):
    os.chmod(f"part{number}.bin", 0o600)
    time.sleep(0.1)
time.sleep(40)
print("ESCAPED: 24 MiB of 8")`,
    expect: overDisk,
  },
  {
    name: "go over it by files without a name: deleted, never named, mapped",
    stopped: true,
    limits,
    code: String.raw`
import mmap
kept = []
for number in range(12):
    if number % 3 == 1:
        file = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
    else:
        file = os.open("hidden", os.O_CREAT | os.O_RDWR)
    os.write(file, bytes(2 << 20))
    if number % 3 == 2:
        kept.append(mmap.mmap(file, 2 << 20))
        os.close(file)
    if number % 3 != 1: os.unlink("hidden")
    time.sleep(0.1)
time.sleep(40)
print("ESCAPED: 24 MiB of 8")`,
    expect: overDisk,
  },
  {
    name: "make 1,000,000 files over a tree",
    stopped: true,
    limits: { wallMs: 18_000, diskBytes: 12 * mebibyte },
    code: String.raw`
for number in range(1_000_000):
    if number % 1000 == 0: os.mkdir(f"m{number // 1000}")
    os.close(os.open(f"m{number // 1000}/{number}", os.O_CREAT | os.O_WRONLY))
print("ESCAPED: 1,000,000 files")`,
    expect: (result) => expect(["disk", "timeout"]).toContain(result.exit.reason),
  },
  {
    name: "make a file of the tree larger than its limit",
    limits,
    code: String.raw`
attempt("truncate", lambda: os.truncate("top.txt", 1 << 40))
file = os.open("top.txt", os.O_RDWR)
attempt("seek and write", lambda: os.pwrite(file, b"x", 1 << 40))
attempt("fallocate", lambda: os.posix_fallocate(file, 0, 1 << 34))
os.truncate("top.txt", 4 << 20)`,
  },
];
