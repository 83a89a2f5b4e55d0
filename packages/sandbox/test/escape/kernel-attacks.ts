import { expect } from "vitest";
import type { Attack } from "./attack.ts";

/** The system-call surface. Numbers are those of x86-64; on another machine the same cases run with what it has. */
export const kernelAttacks: readonly Attack[] = [
  {
    name: "mount, bind, remount, the new mount calls",
    code: String.raw`
text = ctypes.c_char_p
attempt("tmpfs", lambda: check(libc.mount(text(b"none"), text(b"/tmp"), text(b"tmpfs"), 0, None)))
attempt("bind", lambda: check(libc.mount(text(b"/etc"), text(b"/tmp"), None, 4096, None)))
attempt("remount / writable", lambda: check(libc.mount(None, text(b"/"), None, 32 | 4096, None)))
attempt("remount /proc/sys writable", lambda: check(libc.mount(None, text(b"/proc/sys"), None, 32 | 4096, None)))
attempt("proc", lambda: check(libc.mount(text(b"proc"), text(b"/tmp"), text(b"proc"), 0, None)))
attempt("umount /proc/sys", lambda: check(libc.umount2(text(b"/proc/sys"), 2)))
attempt("umount /proc/cmdline", lambda: check(libc.umount2(text(b"/proc/keys"), 0)))
for name, number in {"open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442}.items():
    attempt(name, lambda: call(number, 0, b"tmpfs", 0, 0, 0))`,
  },
  {
    name: "new namespaces with unshare and clone",
    code: String.raw`
flags = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x8000000, "uts": 0x4000000, "cgroup": 0x2000000, "time": 0x80}
for name, flag in flags.items():
    attempt("unshare " + name, lambda: check(libc.unshare(flag)))
    for extra in (0, 0x10000000, 1 << 32):
        pid = -1
        try:
            pid = call(56, flag | extra | 17, 0, 0, 0, 0) if name != "time" else call(56, 0x80 | extra, 0, 0, 0, 0)
        except OSError as error:
            print("refused: clone", name, error)
        if pid == 0:
            os._exit(0)
        escaped("clone " + name, pid > 0)
attempt("unshare everything", lambda: check(libc.unshare(sum(flags.values()))))`,
  },
  {
    name: "new namespaces with clone3",
    code: String.raw`
for flag in (0, 0x10000000, 0x20000, 0x40000000, 0x80):
    arguments = ctypes.create_string_buffer(struct.pack("QQQQQQQQ", flag, 0, 0, 0, 17, 0, 0, 0))
    try:
        pid = call(435, arguments, 64)
        if pid == 0:
            os._exit(0)
        print("ESCAPED: clone3")
    except OSError as error:
        escaped("clone3 is not ENOSYS, so that no library falls back", error.errno != errno.ENOSYS)`,
  },
  {
    name: "enter other namespaces with setns",
    code: String.raw`
for name in os.listdir("/proc/self/ns"):
    try:
        descriptor = os.open("/proc/self/ns/" + name, os.O_RDONLY)
    except OSError as error:
        print("refused: open", name, error)
        continue
    attempt("setns " + name, lambda: check(libc.setns(descriptor, 0)))
    import fcntl
    for request in (0xb701, 0xb702):
        try:
            parent = fcntl.ioctl(descriptor, request)
            attempt("setns parent " + name, lambda: check(libc.setns(parent, 0)))
        except OSError as error:
            print("refused: parent", name, error)`,
  },
  {
    name: "system calls that no program needs",
    code: String.raw`
table = """ptrace=101 add_key=248 request_key=249 keyctl=250 bpf=321 perf_event_open=298 userfaultfd=323 io_uring_setup=425 io_uring_enter=426
io_uring_register=427 kexec_load=246 kexec_file_load=320 init_module=175 finit_module=313 delete_module=176 create_module=174 reboot=169 swapon=167 swapoff=168 acct=163
quotactl=179 quotactl_fd=443 settimeofday=164 clock_settime=227 clock_adjtime=305 adjtimex=159 iopl=172 ioperm=173 modify_ldt=154 vhangup=153 lookup_dcookie=212
fanotify_init=300 fanotify_mark=301 open_by_handle_at=304 kcmp=312 process_madvise=440 move_pages=279 migrate_pages=256 mbind=237 set_mempolicy=238
get_mempolicy=239 process_vm_readv=310 process_vm_writev=311 sethostname=170 setdomainname=171 syslog=103 nfsservctl=180 uselib=134 ustat=136 sysfs=139
_sysctl=156 query_module=178 mount=165 umount2=166 pivot_root=155 chroot=161 unshare=272 setns=308 pidfd_getfd=438 memfd_secret=447 statmount=457
listmount=458 lsm_set_self_attr=460 set_mempolicy_home_node=450 vserver=236 security=185 tuxcall=184 afs_syscall=183"""
for word in table.split():
    name, number = word.split("=")
    try:
        call(int(number), 0, 0, 0, 0, 0, 0)
        print("ESCAPED:", name)
    except OSError as error:
        escaped(name + " reached the kernel: " + str(error), error.errno not in (errno.EPERM, errno.ENOSYS))
for number in (463, 470, 600, 5000, 0x3FFFFFFF):
    try:
        call(number)
        print("ESCAPED:", number)
    except OSError as error:
        escaped(f"{number} is not ENOSYS", error.errno != errno.ENOSYS)`,
  },
  {
    name: "32-bit calls through int 0x80",
    code: String.raw`
import mmap, platform
def machine_code(code):
    pages = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    pages.write(code)
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(pages))), pages
if platform.machine() == "x86_64":
    for name, number in {"getpid": 20, "mount": 21, "unshare": 310, "ptrace": 26, "socketcall": 102, "keyctl": 288, "bpf": 357, "io_uring_setup": 425}.items():
        pid = os.fork()
        if pid == 0:
            function, pages = machine_code(b"\x53\xb8" + struct.pack("<I", number) + b"\x31\xdb\xcd\x80\x5b\xc3")
            os._exit(7 if function() == -errno.ENOSYS else 8)
        _, status = os.waitpid(pid, 0)
        escaped("int 0x80 " + name, os.WIFEXITED(status) and os.WEXITSTATUS(status) == 8)`,
  },
  {
    name: "x32 calls",
    code: String.raw`
for number in (39, 165, 272, 321, 425, 512, 520, 534, 540, 547):
    try:
        call(0x40000000 | number, 0, 0, 0, 0, 0)
        print("ESCAPED: x32", number)
    except OSError as error:
        escaped(f"x32 {number} reached the kernel: {error}", error.errno != errno.ENOSYS)
attempt("syscall -1", lambda: call(-1))`,
  },
  {
    name: "capabilities: none, none to be had",
    code: String.raw`
def status(text):
    return dict(line.split(":", 1) for line in text.splitlines())
def inspect(what, text):
    fields = status(text)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        escaped(f"{what} {name}", int(fields[name], 16))
    escaped(what + " no_new_privs", fields["NoNewPrivs"].strip() != "1")
    escaped(what + " seccomp", fields["Seccomp"].strip() != "2")
    escaped(what + " uid", set(fields["Uid"].split()) != {"1000"} or set(fields["Gid"].split()) != {"1000"})
    escaped(what + " groups", [group for group in fields["Groups"].split() if group not in ("1000", "65534")])
inspect("self", open("/proc/self/status").read())
inspect("after execve", subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True).stdout)
inspect("in a thread", open("/proc/thread-self/status").read())
attempt("capset", lambda: check(libc.capset(struct.pack("<II", 0x20080522, 0), b"\xff" * 24)))
attempt("ambient", lambda: check(libc.prctl(47, 2, 21, 0, 0)))
attempt("drop no_new_privs", lambda: check(libc.prctl(38, 0, 0, 0, 0)))
attempt("securebits", lambda: check(libc.prctl(28, 0, 0, 0, 0)))
attempt("seccomp off", lambda: check(libc.prctl(22, 0, 0, 0, 0)))
escaped("securebits", libc.prctl(27, 0, 0, 0, 0) != 0xEF)`,
  },
  {
    name: "become another user",
    code: String.raw`
for identity in (0, 1, 65534, 2000):
    attempt(f"setuid {identity}", lambda: os.setuid(identity))
    attempt(f"setgid {identity}", lambda: os.setgid(identity))
    attempt(f"setresuid {identity}", lambda: os.setresuid(identity, identity, identity))
    attempt(f"setgroups {identity}", lambda: os.setgroups([identity]))
    attempt(f"chown {identity}", lambda: os.chown("/workspace", identity, identity))`,
  },
  {
    name: "raise one's own limits",
    limits: { openFiles: 100, processes: 40 },
    code: String.raw`
import resource
for name in ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE", "RLIMIT_SIGPENDING", "RLIMIT_NICE", "RLIMIT_RTPRIO"):
    number = getattr(resource, name)
    soft, hard = resource.getrlimit(number)
    escaped(name + " is unlimited", hard == resource.RLIM_INFINITY)
    attempt(name, lambda: resource.setrlimit(number, (hard + 1, hard + 1)))
escaped("open files", resource.getrlimit(resource.RLIMIT_NOFILE) != (100, 100))
escaped("processes", resource.getrlimit(resource.RLIMIT_NPROC) != (40, 40))`,
  },
  {
    name: "personality: fixed addresses, readable-implies-executable",
    code: String.raw`
for flag in (0x0040000, 0x0400000, 0x0100000, 0x0020000):
    attempt(f"personality {flag:#x}", lambda: check(libc.personality(ctypes.c_ulong(flag))))`,
  },
  {
    name: "terminal escape sequences in output reach the host as plain bytes",
    code: String.raw`
sys.stdout.write("\x1b]0;owned\x07\x1b[2J\x1b[6n\x9b31m\x00end\n")`,
    expect: (result) => expect(result.stdout.includes("\x1b]0;owned\x07\x1b[2J\x1b[6n")).toBe(true),
  },
];
