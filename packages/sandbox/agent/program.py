"""Runs a Python program in this already booted interpreter, so that it cannot tell it from `python main.py`.

What CPython does at its end (join threads, atexit, tear down modules, flush) is done here for the modules of the program alone: tearing
down the preloaded ones as well costs twice as much as everything else. Known difference: two more frames lie under the program's own.
"""

import atexit
import builtins
import gc
import importlib.machinery
import os
import signal
import sys
import time
import types
import weakref

AGENT_MODULES = (
    *("agent", "artifacts", "awake", "child", "dormant", "folders", "frames", "heap", "holder", "init", "intake", "late", "linux", "overlays"),
    *("output", "pauser", "payload", "pipes", "preboot", "program", "relay", "returns", "roots", "seccomp", "sleepers", "slots", "supervisor", "syscalls", "watch", "websocket"),
)
FLUSH_FAILED = 120
# Folders of packages, as Python and Debian name them.
INSTALLED = ("site-packages", "dist-packages")
INTERRUPTED = -1  # no exit code: the process ends by SIGINT
SAMPLE = "x = [str(i) for i in range(3)]\n"


class Program:
    """What runs one program: made before the forks, `warm` in each of them before its program is known; `run` never returns."""

    def __init__(self, base_env):
        self.base_env = base_env
        self.preloaded = frozenset(sys.modules)
        for name in AGENT_MODULES:
            sys.modules.pop(name, None)
        sys.path_importer_cache.pop("/agent", None)
        sys.stdout.reconfigure(line_buffering=True)
        os.environ.clear()
        os.environ.update(base_env)

    def prepare(self):
        """Makes a fresh `__main__`: after what is there has been taken out of the collector's sight, since a program's must not be."""
        self.loader = importlib.machinery.SourceFileLoader("__main__", "")
        self.main = types.ModuleType("__main__")
        self.main.__dict__.update(__annotations__={}, __builtins__=builtins, __file__="", __cached__=None, __loader__=self.loader)
        sys.modules["__main__"] = self.main

    def warm(self):
        """Rehearses what every program does, so that the pages which that writes to are this process's own."""
        gc.enable()
        exec(compile(SAMPLE, "sample.py", "exec", dont_inherit=True), {})

    def load(self, argv, path):
        """Sets what depends on the program. `argv` as typed, interpreter first; `path` absolute."""
        sys.argv = argv[1:]
        sys.orig_argv = argv
        sys.path[0] = os.path.dirname(path)
        self.main.__file__ = self.loader.path = self.path = path

    def move(self, prefix):
        """Makes this the interpreter of the environment at `prefix`, as one would be that had found its `pyvenv.cfg` when it booted."""
        import site

        folder = f"{prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
        sys.prefix = sys.exec_prefix = prefix
        sys.executable = sys.orig_argv[0]
        sys._base_executable = os.path.realpath(sys.executable)
        sys.path[:] = [path for path in sys.path if os.path.basename(path) not in INSTALLED]
        site.PREFIXES, site.ENABLE_USER_SITE = [prefix], False
        sys.modules.pop("sysconfig", None)
        site.addsitedir(folder)

    def set_variables(self, env):
        if env == self.base_env:
            return
        os.environ.clear()
        os.environ.update(env)
        time.tzset()

    def run(self):
        try:
            program = compile(read_source(self.path), self.path, "exec", dont_inherit=True)
        except BaseException:
            start_over()
        code, uncaught = 0, None
        try:
            exec(program, self.main.__dict__)
        except SystemExit as request:
            code = exit_code(request)
        except BaseException as error:
            uncaught = error.with_traceback(error.__traceback__.tb_next)  # without our frame
        if uncaught is not None:
            code = report(uncaught)
        del program, uncaught
        self.finish(code)

    def finish(self, code):
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        atexit._run_exitfuncs()
        flushed = flush()
        if notices_its_end():
            self.let_go()
            flushed = flush() and flushed
        if not flushed:
            code = FLUSH_FAILED
        if code == INTERRUPTED:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(code)

    def let_go(self):
        """Drops the program's modules as the interpreter does: most go with their last reference, the others are cleared, newest first."""
        sys.last_type = sys.last_value = sys.last_traceback = None
        added = [name for name, module in sys.modules.items() if name not in self.preloaded and isinstance(module, types.ModuleType)]
        modules = [weakref.ref(self.main), *(weakref.ref(sys.modules.pop(name)) for name in added)]
        sys.modules.pop("__main__", None)
        self.main = None
        gc.collect()
        for module in reversed([reference() for reference in modules]):
            if module is not None:
                tear_down(module)
        gc.collect()


def read_source(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    source = os.read(descriptor, os.fstat(descriptor).st_size + 1)
    os.close(descriptor)
    return source


def start_over():
    """Nothing has run yet, and the program cannot be read or compiled: an interpreter of its own says so in its own words."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execve(sys.orig_argv[0], sys.orig_argv, os.environ)


def exit_code(request):
    """What `sys.exit(x)` means: nothing is 0, a number is itself, anything else is printed and 1."""
    code = request.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -(2**63) <= code < 2**63 else 255
    try:
        sys.stdout.flush()
        print(code, file=sys.stderr)
    except Exception:
        pass
    return 1


def report(error):
    """Prints an uncaught exception the way the interpreter does. Returns the exit code."""
    kind, trace = type(error), error.__traceback__
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace
    try:
        sys.stdout.flush()
    except Exception:
        pass
    hook = getattr(sys, "excepthook", None)
    if hook is None:
        print("sys.excepthook is missing", file=sys.stderr)
        hook = sys.__excepthook__
    second = None
    try:
        hook(kind, error, trace)
    except SystemExit as request:
        return exit_code(request)
    except BaseException as failure:
        second = failure
    if second is not None:
        print("Error in sys.excepthook:", file=sys.stderr)
        inner = second.__traceback__.tb_next
        sys.__excepthook__(type(second), second.with_traceback(inner), inner)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(kind, error, trace)
    return INTERRUPTED if kind is KeyboardInterrupt else 1


def notices_its_end():
    """Whether anything that the program has made does something when it is let go of: `__del__`, a generator's `finally`, a file's last
    flush, the callback of a weak reference. Seldom so; letting go costs as much as everything else."""
    kinds = set()
    try:
        for thing in gc.get_objects():
            kind = type(thing)
            kinds.add(kind)
            if kind is type:
                kinds.add(thing)
            elif issubclass(kind, weakref.ref) and thing.__callback__ is not None:
                return True
        return any("__del__" in base.__dict__ for kind in kinds for base in type.mro(kind))
    except Exception:
        return True  # a program that plays with its own types


def tear_down(module):
    """Lets go of a module's names in the order in which the interpreter does: `_private` ones first."""
    names = getattr(module, "__dict__", {})
    for private in (True, False):
        for name in list(names):
            if name != "__builtins__" and private == (name.startswith("_") and not name.startswith("__")):
                names[name] = None


def flush():
    """Flushes both streams. False when what was printed to stdout could not be written."""
    for stream, matters in ((sys.stdout, True), (sys.stderr, False)):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except Exception as error:
            if matters:
                os.write(2, f"Exception ignored in: {stream!r}\n{type(error).__name__}: {error}\n".encode(errors="replace"))
                return False
    return True
