"""Runs a Python program in this already booted interpreter, so that it cannot tell it from `python main.py`.

What CPython does at its end (join threads, atexit, tear down modules, flush) is done here for the modules of the program alone: tearing
down the preloaded ones as well costs twice as much as everything else. Known difference: two more frames lie under the program's own.
"""

import atexit
import builtins
import gc
import importlib.machinery
import io
import os
import signal
import sys
import time
import types

AGENT_MODULES = ("agent", "frames", "holder", "init", "linux", "output", "payload", "program", "roots", "seccomp", "syscalls", "watch")
FLUSH_FAILED = 120
SAMPLE = "import sys\nclass A:\n    def f(self, n):\n        return [str(i) for i in range(n)]\nprint(''.join(A().f(20)))\n"


class Program:
    """A fresh `__main__`, made and warmed before the program is known; `run` never returns."""

    def __init__(self):
        self.preloaded = frozenset(sys.modules)
        self.main = types.ModuleType("__main__")
        self.main.__dict__.update(__builtins__=builtins, __annotations__={})
        sys.modules["__main__"] = self.main
        for name in AGENT_MODULES:
            sys.modules.pop(name, None)
        sys.stdout.reconfigure(line_buffering=True)
        warm()
        gc.enable()

    def load(self, argv, path):
        """Sets what depends on the program. `argv` as typed, interpreter first; `path` absolute."""
        time.tzset()
        sys.argv = argv[1:]
        sys.orig_argv = list(argv)
        sys.path[0] = os.path.dirname(path)
        sys.path_importer_cache.pop("/agent", None)
        loader = importlib.machinery.SourceFileLoader("__main__", path)
        self.main.__dict__.update(__file__=path, __cached__=None, __loader__=loader)
        self.path = path

    def run(self):
        code = 0
        try:
            with open(self.path, "rb") as file:
                source = file.read()
            exec(compile(source, self.path, "exec", dont_inherit=True), self.main.__dict__)
        except SystemExit as request:
            code = exit_code(request)
        except BaseException as error:
            code = report(error)
        self.finish(code)

    def finish(self, code):
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        atexit._run_exitfuncs()
        flushed = flush()
        for name in [name for name in sys.modules if name not in self.preloaded]:
            tear_down(sys.modules.pop(name))
        tear_down(self.main)
        gc.collect()
        if not (flush() and flushed):
            code = FLUSH_FAILED
        if code == -signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(code & 0xFF)


def warm():
    """Runs a sample, so that the pages which every program writes are this process's own before it counts."""
    stream = sys.stdout
    sys.stdout = io.TextIOWrapper(io.BytesIO())
    exec(compile(SAMPLE, "sample.py", "exec", dont_inherit=True), {"__name__": "sample"})
    sys.stdout = stream
    os.environ["SAMPLE"] = "1"
    del os.environ["SAMPLE"]


def exit_code(request):
    """What `sys.exit(x)` means: nothing is 0, a number is itself, anything else is printed and 1."""
    code = request.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code if -(2**31) <= code < 2**31 else 255
    try:
        sys.stdout.flush()
        print(code, file=sys.stderr)
    except Exception:
        pass
    return 1


def report(error):
    """Prints an uncaught exception the way the interpreter does, without our frame."""
    trace = error.__traceback__.tb_next
    kind = type(error)
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace
    try:
        sys.stdout.flush()
    except Exception:
        pass
    try:
        sys.excepthook(kind, error.with_traceback(trace), trace)
    except SystemExit as request:
        return exit_code(request)
    except BaseException as second:
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(second), second, second.__traceback__.tb_next)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(kind, error, trace)
    return -signal.SIGINT if kind is KeyboardInterrupt else 1


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
