"""The file system that a payload sees: a template made once a jail, and what each run adds on top."""

import os

import linux
import overlays

USER_ID = 1000
TEMPLATE = "/newroot"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
TMP_OPTIONS = "mode=1777,size=64m,nr_inodes=16k"
# Kernel facts that a payload has no business with; each is covered where it exists.
COVERED = (
    "/proc/cmdline",
    "/proc/interrupts",
    "/proc/keys",
    "/proc/key-users",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/kallsyms",
    "/proc/sysrq-trigger",
)
READ_ONLY = ("/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs")
PRIVATE = linux.MS_NOSUID | linux.MS_NODEV
# What each run adds, in a copy of its slot's root: its own /tmp and /dev/shm; and terminals of its own, where it is a session.
# One file system for both folders: the kernel keeps a list of file systems for every memory cgroup, so each costs as much as there are sandboxes.
MEMORY_FOLDERS = (
    linux.prepare_mount("tmpfs", "/tmp", "tmpfs", PRIVATE, TMP_OPTIONS),
    (linux.libc.umask, (0,)),
    (linux.libc.mkdir, (b"/tmp/shm", 0o1777)),
    (linux.libc.mkdir, (b"/tmp/tmp", 0o1777)),
    linux.prepare_mount("/tmp/shm", "/dev/shm", None, linux.MS_BIND),
    linux.prepare_mount(None, "/dev/shm", None, linux.MS_BIND | linux.MS_REMOUNT | PRIVATE | linux.MS_NOEXEC),
    linux.prepare_mount("/tmp/tmp", "/tmp", None, linux.MS_BIND),
    (linux.libc.umask, (0o022,)),
)
TERMINALS = linux.prepare_mount("devpts", "/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0600")


def build_template(settings):
    """Mounts the read-only root of every run of this jail at TEMPLATE. Needs a fresh user and mount namespace."""
    # In a machine layers are mounted when they are wanted; in a jail all of them are there, and nothing comes later.
    linux.mount(None, "/", None, linux.MS_REC | (linux.MS_SLAVE if settings["late"] else linux.MS_PRIVATE))
    linux.mount("tmpfs", TEMPLATE, "tmpfs", PRIVATE, "mode=755,size=1m")
    for name in ("dev", "proc", "tmp", "workspace", "output", overlays.TREES):
        os.mkdir(f"{TEMPLATE}/{name.lstrip('/')}")
    for name in settings["root"]:
        copy_entry(f"/{name}", f"{TEMPLATE}/{name}")
        if not os.path.islink(f"/{name}"):
            # Folders that the outer wall made itself, such as /etc, are writable there: what one run put into them would meet the next.
            linux.mount(None, f"{TEMPLATE}/{name}", None, linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY | PRIVATE)
    build_devices()
    if settings["session"]:
        build_session_folders()
    if os.path.isdir("/trees"):
        linux.bind("/trees", f"{TEMPLATE}{overlays.TREES}", linux.MS_RDONLY | PRIVATE)
    linux.mount(None, TEMPLATE, None, linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY | PRIVATE)


def copy_entry(source, target):
    """Shows an entry of the jail's root in the template: links are copied, folders and files bound as they are."""
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)


def build_devices():
    for name in DEVICES:
        copy_entry(f"/dev/{name}", f"{TEMPLATE}/dev/{name}")
    for name, target in LINKS.items():
        os.symlink(target, f"{TEMPLATE}/dev/{name}")
    os.mkdir(f"{TEMPLATE}/dev/shm")


def build_session_folders():
    """Where a session's terminals appear, and the programs that its contexts are."""
    os.mkdir(f"{TEMPLATE}/dev/pts")
    os.symlink("pts/ptmx", f"{TEMPLATE}/dev/ptmx")
    copy_entry("/agent/contexts", f"{TEMPLATE}/run/syla")


def enter(workspace, output):
    """Makes a slot's root and enters it: the template, the slot's folders, and a /proc without the host's facts and switches.

    Returns the open file of the last process number, None where there is none.
    """
    linux.mount(TEMPLATE, TEMPLATE, None, linux.MS_BIND | linux.MS_REC)
    linux.bind(workspace, f"{TEMPLATE}/workspace", PRIVATE)
    linux.bind(output, f"{TEMPLATE}/output", PRIVATE)
    # While the old /proc is still in sight: the kernel grants a new one only then.
    linux.mount("proc", f"{TEMPLATE}/proc", "proc", PRIVATE | linux.MS_NOEXEC)
    linux.pivot_root(TEMPLATE)
    limit_namespace()
    last_pid = open_last_pid()
    for path in COVERED:
        if os.path.exists(path):
            linux.mount("/dev/null", path, None, linux.MS_BIND)
    for path in READ_ONLY:
        if os.path.isdir(path):
            linux.bind(path, path, linux.MS_RDONLY | PRIVATE | linux.MS_NOEXEC)
    return last_pid


def hide_init():
    """Covers its folder in /proc, with one that is empty: nobody in there has anything to do with it, whatever the kernel would let him."""
    linux.mount("/dev/shm", "/proc/1", None, linux.MS_BIND)


def open_last_pid():
    try:
        return os.open("/proc/sys/kernel/ns_last_pid", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return None


def limit_namespace():
    """A second lock beside seccomp: this user namespace may have no children. What the kernel counts per host user stays small."""
    try:
        linux.write_file("/proc/sys/user/max_user_namespaces", "0")
        linux.write_file("/proc/sys/user/max_inotify_instances", "16")
    except OSError:
        pass  # a host that mounts /proc/sys read-only; seccomp still refuses
