import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InputFile } from "../src/spec.ts";
import { createTier, python, runIn, type Result, type TestTier, type Wish } from "./sandbox-driver.ts";

/**
 * A forked interpreter must be indistinguishable from `python3 main.py`: each program here runs both ways, in the same sandbox, and prints,
 * fails and ends the same. A variable that starts with PYTHON makes a run boot its own interpreter.
 */

interface Program {
  readonly name: string;
  readonly code: string | Uint8Array;
  readonly wish?: Wish;
  /** Replaces what may differ between any two runs. */
  readonly blur?: (text: string) => string;
  /** Depends on when output is written. Here that is at each line, as on a terminal, so that people see it come: the other way is told to as well. */
  readonly lines?: boolean;
}

const file = (path: string, content: string): InputFile => ({ path, mode: 0o644, content: Buffer.from(content) });
const addresses = (text: string) => text.replace(/0x[0-9a-f]+/g, "0x…");

const programs: readonly Program[] = [
  { name: "output to both streams", code: "import sys\nprint('out'); print('err', file=sys.stderr); sys.stdout.write('no newline')" },
  { name: "a traceback", code: "def f(n):\n    return 1 / n\n\n\ndef g():\n    f(0)\n\ng()" },
  {
    name: "a traceback with cause, context and notes",
    code: "try:\n    try:\n        {}['x']\n    except KeyError as e:\n        e.add_note('a note')\n        raise ValueError('bad') from e\nexcept ValueError:\n    raise TypeError('worse')",
  },
  { name: "an exception group", code: "raise ExceptionGroup('many', [ValueError(1), TypeError(2)])" },
  { name: "an exception of one's own, in __main__", code: "class Mine(Exception): pass\nraise Mine('text')" },
  { name: "an exception whose str fails", code: "class Bad(Exception):\n    def __str__(self): raise ValueError\nraise Bad" },
  { name: "an exception raised by exec'd source", code: "exec(compile('1/0', '<mine>', 'exec'))" },
  { name: "a syntax error", code: "x = 1\nif x\n    print(2)\n" },
  { name: "an indentation error", code: "def f():\nreturn 1" },
  { name: "a null byte in the source", code: Buffer.from("print(1)\0\n") },
  { name: "source that is not UTF-8", code: Buffer.from([0x70, 0x3d, 0x22, 0xff, 0x22, 0x0a]) },
  {
    name: "an encoding cookie",
    code: Buffer.concat([Buffer.from("# -*- coding: latin-1 -*-\nprint(ascii('"), Buffer.from([0xe9]), Buffer.from("'))\n")]),
  },
  { name: "an unknown encoding cookie", code: "# coding: nonsense\nprint(1)" },
  { name: "a byte order mark", code: Buffer.from("\ufeffprint('bom')\n") },
  { name: "CRLF line ends", code: "print('a')\r\nif True:\r\n    print('''x\r\ny''')\r\n" },
  { name: "an empty program", code: "" },
  ...["0", "None", "3", "256", "257", "-1", "2**40", "-2**40", "'words'", "''", "[1]", "True", "3.5", "ValueError('x')"].map((value) => ({
    name: `sys.exit(${value})`,
    code: `import sys\nsys.exit(${value})`,
  })),
  { name: "sys.exit(-2), which is no signal", code: "import sys\nsys.exit(-2)" },
  { name: "raise SystemExit without call", code: "raise SystemExit" },
  { name: "exit() and quit() of site", code: "print(exit, quit)\nexit(4)" },
  { name: "os._exit with unflushed output", lines: true, code: "import os\nprint('lost')\nos._exit(9)" },
  { name: "atexit order", code: "import atexit\natexit.register(print, 1)\natexit.register(print, 2)\nprint('main')" },
  {
    name: "atexit that fails or exits",
    code: "import atexit, sys\natexit.register(print, 'first')\natexit.register(lambda: 1/0)\natexit.register(lambda: sys.exit(5))\nprint('main')",
    blur: addresses,
  },
  { name: "atexit after an exception", code: "import atexit\natexit.register(print, 'bye')\n1/0" },
  {
    name: "__del__ at the end",
    code: "class D:\n    def __init__(self, n): self.n = n\n    def __del__(self): print('del', self.n)\na = D('global'); _b = D('private'); c = [D('in list')]\nc.append(c)\nprint('end')",
  },
  { name: "__del__ that fails", code: "class D:\n    def __del__(self): 1/0\nd = D()\ndel d\nprint('after')", blur: addresses },
  {
    name: "__del__ of a module that was imported",
    code: "import side\nprint('main')",
    wish: { files: [file("side.py", "class D:\n    def __del__(self): print('side del')\nd = D()\n")] },
  },
  { name: "weakref.finalize", code: "import weakref\nclass C: pass\nc = C()\nweakref.finalize(c, print, 'finalized')\nprint('end')" },
  {
    name: "threads that outlive the main one",
    code: "import threading, time\ndef f():\n    time.sleep(.2); print('thread')\nthreading.Thread(target=f).start()\nprint('main')",
  },
  {
    name: "a daemon thread",
    code: "import threading, time\ndef f():\n    time.sleep(60); print('never')\nthreading.Thread(target=f, daemon=True).start()\nprint('main')",
  },
  {
    name: "an exception in a thread",
    code: "import threading\nt = threading.Thread(target=lambda: 1/0)\nt.start(); t.join()\nprint('main')",
  },
  {
    name: "main thread's name and idents",
    code: "import threading\nprint(threading.current_thread() is threading.main_thread(), threading.main_thread().name, threading.main_thread().native_id == __import__('os').getpid(), threading.active_count())",
  },
  {
    name: "concurrent.futures",
    code: "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(3) as p: print(list(p.map(lambda x: x*x, range(5))))",
  },
  {
    name: "sys.argv and friends",
    code: "import sys\nprint(sys.argv, sys.orig_argv[1:], __file__, __name__, sys.path[0], sys.flags, sys.executable, sys.prefix)",
    wish: { args: ["a", "b c"] },
  },
  {
    name: "sys.path and modules of __main__",
    code: "import sys\nprint(sys.path)\nprint(sys.modules['__main__'].__dict__ is globals(), list(globals()))\nprint(__spec__, __package__, __doc__, __cached__, __annotations__, __builtins__, type(__loader__), __loader__.path, __loader__.name)",
    blur: addresses,
  },
  {
    name: "globals in a program with annotations and a docstring",
    code: "'''doc'''\nx: int = 1\nprint(__doc__, __annotations__, vars() is globals(), locals() is globals())",
  },
  {
    name: "the loader gives the source",
    code: "import inspect, sys, linecache\ndef f():\n    return 1\nprint(inspect.getsource(f), __loader__.get_source('__main__')[:10], inspect.getfile(f))",
  },
  {
    name: "a program in a folder",
    code: "import sys, helper\nprint(sys.path[0], helper.x, __file__)",
    wish: { entrypoint: "inner/deep/main.py", files: [file("inner/deep/helper.py", "x = 5")] },
  },
  {
    name: "a sibling module, a package, relative imports",
    code: "import sibling, pack.part\nprint(sibling.x, pack.part.y, sibling.__file__)",
    wish: { files: [file("sibling.py", "x = 1"), file("pack/__init__.py", "z = 3"), file("pack/part.py", "from . import z\ny = z + 1")] },
  },
  { name: "a module with a syntax error", code: "import broken", wish: { files: [file("broken.py", "def")] } },
  {
    name: "a sibling that hides a module of the standard library that is not preloaded",
    code: "import colorsys\nprint(colorsys.x)",
    wish: { files: [file("colorsys.py", "x = 'mine'")] },
  },
  {
    name: "a sibling named like the agent's own modules",
    code: "import frames, init, linux, output, program, payload, agent\nprint(frames.x, output.x)",
    wish: {
      files: ["frames", "init", "linux", "output", "program", "payload", "agent"].map((name) => file(`${name}.py`, `x = '${name}'`)),
    },
  },
  {
    name: "agent modules cannot be imported",
    code: "try:\n    import seccomp\nexcept ImportError as e: print(e)\ntry:\n    import holder\nexcept ImportError as e: print(e)",
  },
  { name: "importing __main__", code: "import __main__, sys\nprint(__main__ is sys.modules[__name__])" },
  { name: "runpy", code: "import runpy\nprint(runpy.run_path('other.py')['y'])", wish: { files: [file("other.py", "y = __name__")] } },
  {
    name: "multiprocessing, forked",
    code: "import multiprocessing as m\ndef f(x): return x * x\nif __name__ == '__main__':\n    with m.get_context('fork').Pool(2) as p: print(p.map(f, range(5)))",
  },
  {
    name: "multiprocessing, spawned",
    code: "import multiprocessing as m\ndef f(x): return x * x\nif __name__ == '__main__':\n    with m.get_context('spawn').Pool(2) as p: print(p.map(f, range(5)))",
  },
  {
    name: "multiprocessing, fork server and queues",
    code: "import multiprocessing as m\ndef f(q): q.put(m.current_process().name)\nif __name__ == '__main__':\n    c = m.get_context('forkserver'); q = c.Queue(); p = c.Process(target=f, args=(q,)); p.start(); print(q.get()); p.join(); print(p.exitcode)",
  },
  {
    name: "os.fork",
    code: "import os, sys\nprint('before', flush=True)\npid = os.fork()\nif pid == 0:\n    print('child'); sys.exit(3)\n_, s = os.waitpid(pid, 0)\nprint('parent', os.waitstatus_to_exitcode(s))",
  },
  {
    name: "os.fork with unflushed output",
    code: "import os, sys\nsys.stdout.write('twice ')\npid = os.fork()\nif pid: os.waitpid(pid, 0)",
  },
  {
    name: "subprocess",
    lines: true,
    code: "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'import sys; print(sys.argv, sys.flags.isolated)', 'x'], capture_output=True, text=True))\nprint(subprocess.run('echo $0; exit 3', shell=True).returncode)",
  },
  {
    name: "signal handlers",
    code: "import os, signal\nprint([(s.name, str(signal.getsignal(s))) for s in sorted(signal.valid_signals()) if isinstance(s, signal.Signals)])\nsignal.signal(signal.SIGUSR1, lambda *a: print('got'))\nos.kill(os.getpid(), signal.SIGUSR1)\nprint(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.set_wakeup_fd(-1))",
    blur: addresses,
  },
  {
    name: "signal dispositions that children inherit",
    code: "import subprocess\nprint(subprocess.run(['grep', '-E', '^Sig(Blk|Ign|Cgt)', '/proc/self/status'], capture_output=True, text=True).stdout)",
  },
  { name: "death by signal", code: "import os, signal\nprint('x', flush=True)\nos.kill(os.getpid(), signal.SIGTERM)" },
  { name: "KeyboardInterrupt", code: "import os, signal\nprint('x')\nos.kill(os.getpid(), signal.SIGINT)\nfor _ in range(10**7): pass" },
  {
    name: "KeyboardInterrupt caught",
    code: "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n    for _ in range(10**7): pass\nexcept KeyboardInterrupt: print('caught')",
  },
  { name: "alarm", code: "import signal, time\nsignal.alarm(1)\ntime.sleep(5)" },
  { name: "sys.excepthook", code: "import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__, a[2].tb_lineno)\n1/0" },
  { name: "sys.excepthook that fails", code: "import sys\ndef hook(*a): raise ValueError('in hook')\nsys.excepthook = hook\n1/0" },
  { name: "sys.excepthook gone", code: "import sys\ndel sys.excepthook\n1/0" },
  {
    name: "sys.last_value in atexit",
    code: "import atexit, sys\natexit.register(lambda: print(type(sys.last_value), sys.last_traceback.tb_lineno))\n1/0",
  },
  {
    name: "unraisable errors",
    code: "import sys\nsys.unraisablehook = lambda u: print('unraisable', u.exc_type)\nclass D:\n    def __del__(self): 1/0\nD()\nimport weakref",
  },
  {
    name: "unicode output",
    code: "import sys\nprint('ünï 漢字 🐍', sys.stdout.encoding, sys.stdout.errors, sys.stderr.errors, sys.stdin.encoding, sys.getfilesystemencoding())",
  },
  { name: "a lone surrogate", code: "print('\\ud800')" },
  {
    name: "the streams themselves",
    lines: true,
    code: "import sys\nprint(sys.stdout, sys.stderr, sys.stdin, sys.stdout.line_buffering, sys.stderr.line_buffering, sys.stdout.write_through, sys.stdout is sys.__stdout__, sys.stdout.isatty(), sys.stdout.fileno())",
  },
  { name: "when output to a pipe is written", lines: true, code: "import os, sys\nprint('print'); os.write(1, b'raw\\n'); print('again')" },
  { name: "input()", code: "print(input('ask: '), input(), repr(input()))\ninput()", wish: { stdin: Buffer.from("one\ntwo\nthrée") } },
  {
    name: "sys.stdin whole and binary",
    code: "import sys\nprint(sys.stdin.readline(), sys.stdin.read(), sys.stdin.buffer.read())",
    wish: { stdin: Buffer.from("a\nb\nc") },
  },
  { name: "sys.stdout.buffer", code: "import sys\nsys.stdout.buffer.write(bytes(range(256)))\nprint('text')" },
  { name: "closed stdout", code: "import sys\nprint('x')\nsys.stdout.close()" },
  { name: "stdout's descriptor closed", lines: true, code: "import os\nprint('x')\nos.close(1)" },
  { name: "stdout is None", code: "import sys\nsys.stdout = None\nprint('x')\nsys.stderr.write('e')" },
  { name: "stdout replaced", code: "import io, sys\nsys.stdout = io.StringIO()\nprint('lost')" },
  { name: "stdout to a full device", lines: true, code: "import os\nf = os.open('/dev/full', os.O_WRONLY)\nos.dup2(f, 1)\nprint('x')" },
  {
    name: "warnings",
    code: "import warnings\nwarnings.warn('careful')\nwarnings.warn('old', DeprecationWarning)\n'\\d'\nx = 1 is 1\nprint(warnings.filters)",
  },
  { name: "logging", code: "import logging\nlogging.warning('w'); logging.basicConfig(level='DEBUG'); logging.debug('d')" },
  {
    name: "asyncio",
    code: "import asyncio\nasync def main():\n    await asyncio.sleep(.01)\n    p = await asyncio.create_subprocess_exec('echo', 'sub', stdout=asyncio.subprocess.PIPE)\n    print(await p.communicate(), await asyncio.gather(*(asyncio.to_thread(lambda x=x: x) for x in range(3))))\nasyncio.run(main())",
  },
  {
    name: "asyncio with an exception nobody fetched",
    code: "import asyncio\nasync def f(): 1/0\nasync def main():\n    asyncio.create_task(f(), name='t'); await asyncio.sleep(.01)\nasyncio.run(main())",
    blur: addresses,
  },
  { name: "a coroutine never awaited", code: "async def f(): pass\nf()\nprint('end')" },
  {
    name: "pickle of a class of __main__",
    code: "import pickle, dataclasses\n@dataclasses.dataclass\nclass P: x: int\nprint(pickle.loads(pickle.dumps(P(3))), P.__module__)",
  },
  {
    name: "time zone",
    code: "import time, datetime\nprint(time.tzname, time.timezone, datetime.datetime.fromtimestamp(0), time.strftime('%Z', time.localtime(0)))",
    wish: { env: { TZ: "Asia/Tokyo" } },
  },
  { name: "no time zone", code: "import time\nprint(time.tzname, time.localtime(0).tm_hour)" },
  { name: "locale", code: "import locale\nprint(locale.getlocale(), locale.setlocale(locale.LC_ALL), locale.getpreferredencoding())" },
  {
    name: "recursion limit",
    code: "import sys\nprint(sys.getrecursionlimit())\ndef f(): f()\nf()",
    blur: (text) => text.replace(/repeated 99\d more/, "repeated 99… more"),
  },
  {
    name: "how deep recursion goes",
    code: "n = 0\ndef f():\n    global n\n    n += 1\n    f()\ntry: f()\nexcept RecursionError: print(n // 10)",
  },
  {
    name: "the stack below",
    code: "import sys, inspect, traceback\nprint(sys._getframe().f_code.co_name, sys._getframe().f_code.co_filename)\ntraceback.print_stack(limit=1)",
  },
  { name: "memory error", code: "x = bytearray(1 << 50)" },
  {
    name: "gc",
    code: "import gc\nprint(gc.isenabled(), gc.get_threshold(), gc.get_debug())\nclass C: pass\na = C(); a.a = a; del a\nprint(gc.collect() > 0)",
  },
  {
    name: "audit and trace hooks",
    code: "import sys\nprint(sys.gettrace(), sys.getprofile(), sys.getswitchinterval(), sys.dont_write_bytecode, sys.pycache_prefix)",
  },
  { name: "random state is seeded as always", code: "import random\nrandom.seed(5); print(random.random(), random.randint(1, 9))" },
  {
    name: "tempfile, working folder, umask, user",
    code: "import tempfile, os, getpass\nf = tempfile.NamedTemporaryFile(); print(f.name[:8], os.getcwd(), oct(os.umask(0)), os.getuid(), getpass.getuser(), os.path.expanduser('~'))",
  },
  {
    name: "environment",
    lines: true,
    code: "import os\nprint(sorted(k for k in os.environ if not k.startswith('PYTHONX')), os.environb[b'HOME'], os.getenv('A'))\nos.environ['NEW'] = '1'\nos.system('echo $NEW $A')",
    wish: { env: { A: "b" } },
  },
  {
    name: "open descriptors",
    code: "import os\nprint(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:3], [os.get_inheritable(n) for n in range(3)])\nf = open('x', 'w'); print(f.fileno())",
  },
  {
    name: "process groups",
    code: "import os\nprint(os.getppid(), os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid(), os.getpriority(os.PRIO_PROCESS, 0))",
  },
  { name: "resource limits", code: "import resource\nprint([resource.getrlimit(n) for n in range(16)])" },
  { name: "faulthandler and a crash", lines: true, code: "import faulthandler, os\nprint(faulthandler.is_enabled())\nos.abort()" },
  { name: "ctypes segmentation fault", code: "import ctypes\nprint('x', flush=True)\nctypes.string_at(0)" },
  {
    name: "unittest of __main__",
    code: "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(1, 1)\n    def test_b(self): self.assertEqual(1, 2)\nunittest.main()",
    blur: (text) => text.replace(/in [\d.]+s/, "in …s"),
  },
  { name: "doctest of __main__", code: "'''\n>>> 1 + 1\n3\n'''\nimport doctest\nprint(doctest.testmod())" },
  {
    name: "argparse",
    code: "import argparse\np = argparse.ArgumentParser()\np.add_argument('n', type=int)\np.parse_args()",
    wish: { args: ["x"] },
  },
  {
    name: "sqlite, decimal, json, zlib, hashlib",
    code: "import sqlite3, decimal, json, zlib, hashlib\nprint(sqlite3.connect(':memory:').execute('select 1+1').fetchone(), decimal.Decimal(1)/7, json.dumps({'a': [1]}), zlib.crc32(b'x'), hashlib.sha256(b'x').hexdigest())",
  },
  {
    name: "bytecode is not left in the workspace by the program itself",
    code: "import os, sibling\nprint(sorted(os.listdir('.')))",
    wish: { files: [file("sibling.py", "")] },
  },
  {
    name: "sys.exit in a nested function with finally",
    code: "import sys\ndef f():\n    try: sys.exit(6)\n    finally: print('finally')\nf()",
  },
  { name: "generator left open", code: "def g():\n    try: yield 1\n    finally: print('closed')\nx = g(); next(x)\nprint('end')" },
  {
    name: "context managers and files left open",
    code: "f = open('x', 'w')\nf.write('unflushed')\nimport atexit\natexit.register(lambda: print(open('x').read()))",
  },
];

let stage: TestTier;
beforeAll(async () => {
  stage = createTier();
  await runIn(stage.tier, python, "pass");
});
afterAll(() => stage[Symbol.asyncDispose]());

function outcome(result: Result, blur: (text: string) => string = (text) => text): object {
  const { exitCode, signal, reason } = result.exit;
  return { out: blur(result.stdout.toString("latin1")), err: blur(result.err), exitCode, signal, reason };
}

describe("forked and booted alike", () => {
  for (const { name, code, wish = {}, blur, lines } of programs) {
    test(`program: ${name}`, async () => {
      const forked = await runIn(stage.tier, python, code, wish);
      const bootedCode = lines === true ? `import sys; sys.stdout.reconfigure(line_buffering=True); ${String(code)}` : code;
      const booted = await runIn(stage.tier, python, bootedCode, { ...wish, env: { ...wish.env, PYTHONX: "1" } });
      expect(outcome(forked, blur)).toEqual(outcome(booted, blur));
    });
  }
});

test("random numbers, temporary names and ids differ between runs", async () => {
  const code =
    "import random, tempfile, uuid, secrets, os\nprint(random.random(), random.SystemRandom().random(), uuid.uuid4(), secrets.token_hex(4), tempfile.mktemp(), os.urandom(4))";
  const outputs = await Promise.all(Array.from({ length: 6 }, () => runIn(stage.tier, python, code)));
  for (let column = 0; column < 5; column += 1) expect(new Set(outputs.map((result) => result.out.split(" ")[column])).size).toBe(6);
});

test("nothing that one run changes in its interpreter reaches the next", async () => {
  await using single = createTier({ slotsPerJail: 1 });
  const change =
    "import sys, json, builtins, signal, random\nsys.setrecursionlimit(99); json.loads = None; builtins.planted = 1; signal.signal(2, signal.SIG_IGN); sys.path.append('/x'); random.seed(1)";
  await runIn(single.tier, python, change);
  const look =
    "import sys, json, builtins, signal\nprint(sys.getrecursionlimit(), json.loads('1'), hasattr(builtins, 'planted'), signal.getsignal(2) is signal.default_int_handler, '/x' in sys.path)";
  expect((await runIn(single.tier, python, look)).out).toBe("1000 1 False True False\n");
});
