import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SandboxError, type InputFile } from "../src/spec.ts";
import { descendants, sandboxProcesses } from "@syla/testkit/host-state";
import { bash, collect, createTier, mebibyte, python, runIn, specOf, startBeside, type TestTier } from "./sandbox-driver.ts";

let stage: TestTier;
beforeAll(() => {
  stage = createTier({ slotsPerJail: 4 });
});
afterAll(() => stage[Symbol.asyncDispose]());

const run = (...rest: Parameters<typeof runIn> extends [unknown, ...infer Rest] ? Rest : never) => runIn(stage.tier, ...rest);

describe("what a program is given", () => {
  test("arguments with spaces, newlines, quotes and other scripts arrive as they are", async () => {
    const args = ["a b", "line\nbreak", "", "'\"$HOME`", "ünï 漢字 🐍", "-x", "--", "*"];
    expect(JSON.parse((await run(python, "import json, sys\nprint(json.dumps(sys.argv[1:]))", { args })).out)).toEqual(args);
    expect((await run(bash, 'printf "%s\\0" "$@"', { args })).out).toBe(args.map((word) => `${word}\0`).join(""));
  });

  test("an environment of its own and nothing else", async () => {
    const result = await run(bash, "env -0", { env: { ONE: "1", MULTI: "a\nb", UML: "ü" } });
    const env = Object.fromEntries(
      result.out
        .split("\0")
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    expect(env).toMatchObject({ ONE: "1", MULTI: "a\nb", UML: "ü", HOME: "/tmp", LANG: "C.UTF-8" });
    expect(Object.keys(env).filter((name) => !["ONE", "MULTI", "UML", "HOME", "LANG", "PATH", "PWD", "SHLVL", "_"].includes(name))).toEqual(
      [],
    );
  });

  test("20 MB on standard input, read slowly, not read, or closed at once", async () => {
    const stdin = Buffer.alloc(20_000_000, "0123456789\n");
    const count =
      "import sys, time, hashlib\nd = b''\ntime.sleep(.2)\nd = sys.stdin.buffer.read()\nprint(len(d), hashlib.sha256(d).hexdigest()[:8])";
    const { createHash } = await import("node:crypto");
    expect((await run(python, count, { stdin })).out).toBe(`20000000 ${createHash("sha256").update(stdin).digest("hex").slice(0, 8)}\n`);
    expect(await run(python, "print('done')", { stdin })).toMatchObject({ out: "done\n", exit: { exitCode: 0 } });
    expect(await run(python, "import os, time\nos.close(0)\ntime.sleep(.3)\nprint('done')", { stdin })).toMatchObject({
      out: "done\n",
      exit: { exitCode: 0 },
    });
    expect((await run(bash, "wc -c")).out).toBe("0\n");
  });

  test("files in folders, with their mode, from bytes and from streams", async () => {
    async function* parts(): AsyncGenerator<Uint8Array> {
      for (let part = 0; part < 30; part += 1) yield Buffer.alloc(100_000, part);
    }
    const files: InputFile[] = [
      { path: "deep/er/data.bin", mode: 0o600, content: parts() },
      { path: "tool.sh", mode: 0o755, content: Buffer.from("#!/bin/sh\necho tool $1\n") },
      { path: "empty", mode: 0o644, content: Buffer.alloc(0) },
      { path: "ünï\n$& name", mode: 0o644, content: Buffer.from("x") },
    ];
    const result = await run(
      bash,
      './tool.sh works; wc -c < deep/er/data.bin; stat -c "%a %s" deep/er/data.bin empty; cat "ünï\n$& name"'.replace("\\n", "\n"),
      { files },
    );
    expect(result).toMatchObject({ out: "tool works\n3000000\n600 3000000\n644 0\nx", err: "" });
  });

  test("files whose names the agent has a use for, in a place that is new and in one that was used", async () => {
    await using own = createTier({ slotsPerJail: 1 });
    const file = (path: string): InputFile => ({ path, mode: 0o644, content: Buffer.from(path) });
    for (const path of [".syla-spare/x", ".syla-spare/x", ".syla-spare"])
      expect(await runIn(own.tier, bash, `cat ${path}; echo; ls -A`, { files: [file(path)] })).toMatchObject({
        out: expect.stringMatching(new RegExp(`^${path}\n`)) as string,
        err: "",
      });
  });

  test("an entry point with characters that mean something elsewhere", async () => {
    for (const entrypoint of ["a b/$& $1 '.py", "ünï.py", "-c.py"]) {
      expect((await run(python, "print(__file__)", { entrypoint: `x/${entrypoint}` })).out).toBe(`/workspace/x/${entrypoint}\n`);
    }
  });

  test("nothing runs when the last step before the start fails", async () => {
    const begin = async (): Promise<void> => {
      throw new Error("the record could not be written");
    };
    await expect(stage.tier.start(specOf(python, "open('/output/x', 'w')", { begin }))).rejects.toThrow("could not be written");
    expect((await run(python, "print('next')")).out).toBe("next\n");
  });
});

describe("limits", () => {
  test("wall time", async () => {
    const result = await run(python, "while True: pass", { limits: { wallMs: 400 } });
    expect(result.exit).toMatchObject({ reason: "timeout", signal: 9, exitCode: null, outOfMemory: false });
    expect(result.exit.runMs).toBeGreaterThanOrEqual(400);
    expect(result.limits.wallMs).toEqual({ value: 400, enforcedBy: "supervisor" });
  });

  test("processor time, as far as it is said to be kept", async () => {
    const { exit, limits } = await run(python, "import time\nend = time.time() + 1.5\nwhile time.time() < end: pass", {
      limits: { cpus: 0.25 },
    });
    const share = limits.cpus.enforcedBy === "cgroup" ? 0.25 : 1; // a set of processors holds whole ones, and says so
    expect(limits.cpus.value).toBe(share);
    expect(exit.cpuMs / exit.runMs).toBeLessThan(share * 1.6);
  });

  test("memory, told at once even when nobody listens yet", async () => {
    const started = await stage.tier.start(
      specOf(python, "x = []\nwhile True: x.append(bytearray(8 << 20))", { limits: { memoryBytes: 64 * mebibyte } }),
    );
    await sleep(700);
    const result = await collect(started);
    const byKernel = result.limits.memoryBytes.enforcedBy === "cgroup";
    expect(result.exit).toMatchObject(byKernel ? { outOfMemory: true, signal: 9 } : {});
    expect(result.exit.outOfMemory || result.err.includes("MemoryError")).toBe(true);
    expect(await run(python, "print(len(bytearray(100 << 20)))")).toMatchObject({
      out: `${100 * mebibyte}\n`,
      exit: { outOfMemory: false },
    });
  });

  test("a smaller memory limit right after a run that filled its memory file systems", async () => {
    await using single = createTier({ slotsPerJail: 1 });
    for (let round = 0; round < 3; round += 1) {
      await runIn(single.tier, python, "open('/tmp/x', 'wb').write(bytes(60 << 20)); open('big', 'wb').write(bytes(50 << 20))");
      expect((await runIn(single.tier, python, "print('fits')", { limits: { memoryBytes: 32 * mebibyte } })).out).toBe("fits\n");
    }
  });

  test("open files and processes are errors for the program, not its end", async () => {
    const files =
      "import os\nk=[]\ntry:\n  while True: k.append(os.open('/dev/null', 0))\nexcept OSError as e: print(e.errno, len(k) < 40)";
    expect((await run(python, files, { limits: { openFiles: 40 } })).out).toBe("24 True\n");
    const processes =
      "import subprocess as s\nk=[]\ntry:\n  while True: k.append(s.Popen(['sleep', '5']))\nexcept OSError as e: print(e.errno, 1 < len(k) < 12)";
    expect((await run(python, processes, { limits: { processes: 12 } })).out).toBe("11 True\n");
  });

  test("are told as they are in force, where the server itself may have less than was asked for", () => {
    const driver = new URL("sandbox-driver.ts", import.meta.url).href;
    const code = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])";
    const program = `const { createTier, python, runIn } = await import(${JSON.stringify(driver)});
      const made = createTier();
      const { out, limits } = await runIn(made.tier, python, ${JSON.stringify(code)}, { limits: { openFiles: 65_536 } });
      console.log(Number(out), limits.openFiles.value);
      await made[Symbol.asyncDispose]();`;
    const words = ["--nofile=4096:4096", process.execPath, "--input-type=module", "-e", program];
    expect(execFileSync("prlimit", words, { encoding: "utf8" })).toBe("4096 4096\n");
  });

  test("disk: a file that grows over it, and many files", async () => {
    const one = await run(python, "f = open('x', 'wb')\nwhile True: f.write(bytes(1 << 20))", { limits: { diskBytes: 8 * mebibyte } });
    expect(one.exit.reason).toBe("disk");
    const many = await run(python, "import time\nfor n in range(100):\n  open(str(n), 'wb').write(bytes(1 << 20)); time.sleep(.02)", {
      limits: { diskBytes: 8 * mebibyte },
    });
    expect(many.exit).toMatchObject({ reason: "disk", signal: 9 });
    expect((await run(python, "open('x', 'wb').write(bytes(6 << 20)); print('ok')", { limits: { diskBytes: 8 * mebibyte } })).out).toBe(
      "ok\n",
    );
  });

  test("output keeps exactly the first and the last half", async () => {
    for (const [limit, size] of [
      [1000, 5000],
      [1001, 100_000],
      [1000, 1000],
      [1000, 1001],
      [64, 3_000_000],
    ] as const) {
      const all = Array.from({ length: size }, (_, index) => String.fromCharCode(33 + ((index * 7) % 90))).join("");
      const result = await run(python, `import sys\nsys.stdout.write("".join(chr(33 + i * 7 % 90) for i in range(${size})))`, {
        limits: { outputBytes: limit },
      });
      const half = Math.floor(limit / 2);
      const expected = size <= 2 * half ? all : all.slice(0, half) + all.slice(-half);
      expect({ limit, size, out: result.out }).toEqual({ limit, size, out: expected });
      expect(result.dropped).toBe(size - expected.length);
      expect(result.exit).toMatchObject({ exitCode: 0, stdoutBytes: size, droppedBytes: size - expected.length });
    }
  });
});

describe("how a run ends", () => {
  test("exit codes and signals", async () => {
    expect((await run(bash, "exit 7")).exit).toMatchObject({ exitCode: 7, signal: null, reason: null, failure: null });
    expect((await run(bash, "kill -SEGV $$")).exit).toMatchObject({ exitCode: null, signal: 11, reason: null });
  });

  test("a program that cannot be started says why", async () => {
    const missing = { ...bash, name: "missing", binary: "/usr/bin/there-is-no-such-thing" };
    const result = await run(missing, "x");
    expect(result.exit).toMatchObject({ exitCode: 127, failure: { errno: 2 } });
    const huge = await run(bash, "true", { args: Array.from({ length: 40 }, () => "x".repeat(120_000)) });
    expect(huge.exit.failure).toMatchObject({ errno: 7 });
  });

  test("cancel: SIGTERM first, the end after the grace time", async () => {
    const polite = await startBeside(
      stage.tier,
      python,
      "import signal, sys, time\nsignal.signal(15, lambda *a: sys.exit(5))\nprint('up', flush=True)\ntime.sleep(30)",
    );
    await polite.printed("up");
    polite.run.cancel(10_000);
    expect((await polite.result).exit).toMatchObject({ exitCode: 5, reason: null });
    const deaf = await startBeside(stage.tier, bash, "trap '' TERM; echo up; while :; do sleep 1; done");
    await deaf.printed("up");
    deaf.run.cancel(300);
    expect((await deaf.result).exit).toMatchObject({ signal: 9, reason: "cancelled" });
    const plain = await startBeside(stage.tier, bash, "echo up; sleep 30");
    await plain.printed("up");
    plain.run.cancel(10_000);
    expect((await plain.result).exit.signal).toBe(15);
  });

  test("cancel before the program got anywhere", async () => {
    for (let round = 0; round < 10; round += 1) {
      const started = await stage.tier.start(specOf(python, "import time\ntime.sleep(20)"));
      started.cancel(0);
      const { exit } = await collect(started);
      expect([exit.signal, exit.exitCode, exit.reason].join()).toMatch(/^(9|15),,(cancelled)?$/);
    }
  });

  test("artifacts: nested, empty, odd names, over the limits, and only from /output", async () => {
    const code = String.raw`
import os
os.makedirs("/output/a/b/c")
for name, size in (("a/b/c/deep", 10), ("empty", 0), ("new\nline", 3), ("ünï", 4), ("z-large", 5000), ("a/small", 100)):
    open("/output/" + name, "wb").write(bytes(size))
open("not-an-artifact", "w").write("x")
open(b"/output/\xff", "w").close()
os.symlink("empty", "/output/link")
os.chmod("/output/a/small", 0)
os.chmod("/output/a/b", 0)`;
    const result = await run(python, code, { artifacts: { maxBytes: 1000, maxFiles: 100 } });
    expect(Object.fromEntries([...result.artifacts].map(([path, bytes]) => [path, bytes.length]))).toEqual({
      "a/b/c/deep": 10,
      "a/small": 100,
      empty: 0,
      "new\nline": 3,
      ünï: 4,
    });
    expect(Object.fromEntries(result.skipped)).toEqual({
      link: "not a regular file",
      "�": "the name is not UTF-8",
      "z-large": expect.stringContaining("limit") as unknown,
    });
    const few = await run(python, "for n in range(9): open(f'/output/{n}', 'w').close()", { artifacts: { maxBytes: 1000, maxFiles: 4 } });
    expect([[...few.artifacts.keys()], few.skipped.size]).toEqual([["0", "1", "2", "3"], 5]);
  });

  test("artifacts too deep for a path are skipped, the run ends as it ended", async () => {
    const result = await run(python, "import os\nos.chdir('/output')\nfor _ in range(2100): os.mkdir('d'); os.chdir('d')\nos._exit(3)", {
      limits: { wallMs: 30_000 },
    });
    expect([...result.skipped.values()]).toEqual(["too deep"]);
  });

  test("many large artifacts to a slow reader do not end the jail", async () => {
    const started = await stage.tier.start(
      specOf(python, "for n in range(4): open(f'/output/{n}', 'wb').write(bytes(8 << 20))", { limits: { wallMs: 3000 } }),
    );
    let [bytes, waited] = [0, 0];
    for await (const event of started.events) {
      if (event.type === "artifact-data") bytes += event.data.length;
      if (event.type === "artifact" && waited++ < 3) await sleep(2000);
    }
    expect(bytes).toBe(32 * mebibyte);
  });
});

describe("faults", () => {
  test("a jail that is killed in the middle of a run is a SandboxError, and the next run gets a new one", async () => {
    await using own = createTier();
    const before = descendants(process.pid);
    const running = await startBeside(own.tier, python, "import time\nprint('up', flush=True)\ntime.sleep(30)");
    await running.printed("up");
    running.result.catch(() => {});
    for (const pid of descendants(process.pid)) {
      try {
        if (!before.has(pid)) process.kill(pid, "SIGKILL");
      } catch {
        continue; // went with one of the others
      }
    }
    await expect(running.result).rejects.toThrow(SandboxError);
    await sleep(500); // its other processes go one by one
    expect((await runIn(own.tier, python, "print('again')")).out).toBe("again\n");
  });

  test("a waiting sandbox whose init or payload was killed is not handed out", async () => {
    await using own = createTier({ slotsPerJail: 1 });
    const before = sandboxProcesses(process.pid);
    const waiting = async (inside: (number: number) => boolean) => {
      await sleep(300);
      const found = [...sandboxProcesses(process.pid)].filter(([pid, number]) => !before.has(pid) && inside(number));
      expect(found.length).toBeGreaterThan(0); // that of the tenant, and that of the jail kept ready
      for (const [pid] of found) process.kill(pid, "SIGKILL");
      await sleep(300);
    };
    await runIn(own.tier, python, "pass");
    await waiting((number) => number === 1);
    expect((await runIn(own.tier, python, "print('alive')")).out).toBe("alive\n");
    await waiting((number) => number > 1);
    expect((await runIn(own.tier, python, "print('again')")).out).toBe("again\n");
  });

  test("an outer wall that cannot be made is an error with its reason", async () => {
    await using broken = createTier({ programs: { bwrap: "/usr/bin/false", python: "/usr/bin/python3" } });
    await expect(runIn(broken.tier, python, "pass")).rejects.toThrow(SandboxError);
    await using missing = createTier({ programs: { bwrap: "/nowhere/bwrap", python: "/usr/bin/python3" } });
    await expect(runIn(missing.tier, python, "pass")).rejects.toThrow(SandboxError);
  });

  test("a stopped tier starts nothing and stops twice", async () => {
    const own = createTier();
    await runIn(own.tier, python, "pass");
    await own.tier.stop();
    await own[Symbol.asyncDispose]();
    await expect(runIn(own.tier, python, "pass")).rejects.toMatchObject({ code: "no_capacity" });
  });

  test("without control groups everything is still kept, and said to be so", async () => {
    await using plain = createTier({ withoutCgroups: true });
    const { limits } = await plain.tier.report();
    expect(limits).toEqual({
      wallMs: "supervisor",
      cpus: "affinity",
      memoryBytes: "supervisor",
      processes: "rlimit",
      openFiles: "rlimit",
      diskBytes: "supervisor",
      outputBytes: "supervisor",
    });
    const result = await runIn(
      plain.tier,
      bash,
      "nproc; exec /usr/bin/python3 -c 'import mmap,time\nm=mmap.mmap(-1, 300<<20)\nfor i in range(0, 300<<20, 4096): m[i]=1\ntime.sleep(5)'",
      { limits: { memoryBytes: 64 * mebibyte, cpus: 1 } },
    );
    expect(result.out).toBe("1\n");
    expect(result.exit.outOfMemory || result.exit.exitCode === 1).toBe(true);
  });
});

test("50 runs at once of several tenants", async () => {
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      run(index % 5 === 0 ? bash : python, index % 5 === 0 ? `echo ${index}` : `print(${index})`, { tenant: `tenant-${index % 4}` }),
    ),
  );
  expect(results.map((result) => result.out)).toEqual(results.map((_, index) => `${index}\n`));
});
