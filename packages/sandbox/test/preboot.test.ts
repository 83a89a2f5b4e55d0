import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InputFile, RuntimeSpec } from "../src/spec.ts";
import { createTier, mebibyte, node, runIn, startBeside, type TestTier, type Wish } from "./sandbox-driver.ts";

/**
 * An interpreter that was booted ahead must be indistinguishable from `node main.mjs`: each program here runs both ways, in the same kind of
 * sandbox, and prints, fails and ends the same.
 */

const cold: RuntimeSpec = { ...node, name: "node+cold", pooling: "cold" };

interface Program {
  readonly name: string;
  readonly code: string;
  readonly entrypoint?: string;
  readonly wish?: Wish;
  /** Replaces what differs between any two runs. */
  readonly blur?: RegExp;
}

const file = (path: string, content: string): InputFile => ({ path, mode: 0o644, content: Buffer.from(content) });

const programs: readonly Program[] = [
  { name: "output to both streams", code: "console.log('out'); console.error('err'); process.stdout.write('no newline')" },
  { name: "arguments", code: "console.log(process.argv, process.execArgv, process.argv0)", wish: { args: ["a", "--b", "", "ü\n", "-r"] } },
  {
    name: "variables",
    code: "console.log(process.env)",
    wish: { env: { A: "1", HOME: "/other", ["__proto__"]: "x", EMPTY: "", LONG: "é".repeat(9000) } },
  },
  { name: "a time zone", code: "console.log(new Date(0).toString())", wish: { env: { TZ: "Asia/Tokyo" } } },
  { name: "folder, paths and title", code: "console.log(process.cwd(), process.execPath, process.title, process.ppid)" },
  { name: "import.meta", code: "const { url, filename, dirname, main } = import.meta; console.log(url, filename, dirname, main)" },
  {
    name: "another name of the entrypoint",
    entrypoint: "src/app.mjs",
    code: "console.log(import.meta.url, process.argv[1], import.meta.main)",
  },
  {
    name: "CommonJS as main",
    entrypoint: "main.cjs",
    code: "console.log(require.main === module, module.id, module.paths, module.children, module.parent, __filename)",
  },
  {
    name: "what is loaded",
    entrypoint: "main.cjs",
    code: "console.log(Object.keys(require.cache), Object.keys(require('module')._pathCache), String(Object.getOwnPropertyDescriptor(require('module'), 'runMain').value).length)",
  },
  { name: "a whole stack in CommonJS", entrypoint: "main.cjs", code: "Error.stackTraceLimit = 100; console.log(new Error('x').stack)" },
  { name: "a whole stack in a module", code: "Error.stackTraceLimit = 100; console.log(new Error('x').stack)" },
  { name: "an uncaught error in CommonJS", entrypoint: "main.js", code: "function f() {\n  throw new TypeError('bad');\n}\nf();" },
  { name: "an uncaught error in a module", code: "import fs from 'node:fs';\nfs.readFileSync('/nowhere');" },
  { name: "an unhandled rejection", code: "Promise.reject(new Error('late'));\nsetTimeout(() => console.log('never'), 1000);" },
  { name: "a syntax error", code: "const a = 1;\nconst b = );" },
  { name: "a syntax error in CommonJS", entrypoint: "main.cjs", code: "const a = 1;\nconst b = );" },
  { name: "a module that is not there", code: "import './nothing.mjs';" },
  { name: "a package that is not there", entrypoint: "a.cjs", code: "require('nothing');" },
  { name: "an entrypoint that is not there", code: "console.log(1)", entrypoint: "main.mjs", wish: { files: [] } },
  {
    name: "TypeScript",
    entrypoint: "main.ts",
    code: "const a: number = 1; interface B { c: string }\nconsole.log(a as unknown as B); throw new Error('x')",
  },
  { name: "TypeScript that cannot be stripped", entrypoint: "main.ts", code: "enum A { B }\nconsole.log(A.B)" },
  {
    name: "module syntax in a .js file",
    entrypoint: "main.js",
    code: "import os from 'node:os'; console.log(typeof os.cpus, import.meta.main)",
  },
  {
    name: "the type of a package",
    entrypoint: "main.js",
    code: "console.log(typeof require)",
    wish: { files: [file("package.json", '{"type":"module"}')] },
  },
  {
    name: "packages",
    code: "import a from 'a'; import { b } from './b.cjs'; console.log(a, b)",
    wish: {
      files: [
        file("node_modules/a/package.json", '{"main":"x.js"}'),
        file("node_modules/a/x.js", "module.exports = 'a'"),
        file("b.cjs", "exports.b = require.main?.filename"),
      ],
    },
  },
  ...["0", "3", "256", "-1"].map((code) => ({ name: `process.exit(${code})`, code: `process.exit(${code})` })),
  { name: "process.exitCode", code: "process.exitCode = 5; process.on('exit', (code) => console.log('bye', code))" },
  { name: "an await that never ends", code: "await new Promise(() => {})" },
  { name: "a signal to itself", code: "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 5000)" },
  { name: "process.abort", code: "process.abort()", blur: /0x[0-9a-f]+/g },
  {
    name: "stdin as a stream",
    code: "for await (const part of process.stdin) process.stdout.write(String(part).toUpperCase())",
    wish: { stdin: Buffer.from("in\nput\n".repeat(20_000)) },
  },
  {
    name: "stdin at once",
    code: "import fs from 'node:fs'; console.log(fs.readFileSync(0, 'utf8').length)",
    wish: { stdin: Buffer.from("x".repeat(100_000)) },
  },
  {
    name: "a worker",
    code: "import { Worker, isMainThread } from 'node:worker_threads'; new Worker('console.log(process.argv.length, process.execArgv, Object.keys(require.cache), process.env.A)', { eval: true })",
    wish: { env: { A: "1" } },
  },
  {
    name: "a fork",
    code: "import { fork } from 'node:child_process'; if (process.argv[2]) console.log('child', process.argv.slice(2), process.execArgv, process.env.A); else fork(process.argv[1], ['x'])",
    wish: { env: { A: "2" } },
  },
  {
    name: "variables of a child",
    code: "import { execFileSync } from 'node:child_process'; console.log(execFileSync('/usr/bin/env').toString().split('\\n').sort())",
    wish: { env: { A: "3" } },
  },
  {
    name: "its open files",
    code: "import fs from 'node:fs'; console.log(fs.readdirSync('/proc/self/fd').map((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd).replace(/\\d+/g, 'n') } catch { return 'gone' } }).filter((name) => name !== 'gone').sort().join())",
  },
  {
    name: "its limits",
    code: "import fs from 'node:fs'; console.log(fs.readFileSync('/proc/self/limits', 'utf8').replace(/Max realtime timeout.*/, ''))",
  },
  {
    name: "the processes that it sees",
    code: "import fs from 'node:fs'; console.log(fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)))",
  },
  {
    name: "its signals and rights",
    code: "import fs from 'node:fs'; console.log(fs.readFileSync('/proc/self/status', 'utf8').match(/^(Sig|Cap|NoNewPrivs|Seccomp|Uid|Gid|Groups|Umask)\\w*.*/gm))",
  },
  {
    name: "the processors of each thread",
    code: "import fs from 'node:fs'; const count = (hex) => [...hex].reduce((sum, digit) => sum + Number('0x' + digit).toString(2).replaceAll('0', '').length, 0); console.log(new Set(fs.readdirSync('/proc/self/task').map((id) => count(/^Cpus_allowed:\\s+([0-9a-f]+)/m.exec(fs.readFileSync('/proc/self/task/' + id + '/status', 'utf8'))[1]))))",
  },
  {
    name: "files of its own",
    code: "import fs from 'node:fs'; console.log(fs.readdirSync('.', { recursive: true }).sort(), fs.statSync('main.mjs').mode, process.umask(), fs.readdirSync('/tmp'))",
  },
  {
    name: "a patched runMain",
    entrypoint: "main.cjs",
    code: "const m = require('module'); console.log(typeof m.runMain, Object.getOwnPropertyDescriptor(m, 'runMain').writable); m.runMain = 1; console.log(m.runMain)",
  },
];

describe.each([{ withoutCgroups: false }, { withoutCgroups: true }])("an interpreter booted ahead, $withoutCgroups", (options) => {
  let own: TestTier;
  beforeAll(() => {
    own = createTier(options);
  });
  afterAll(() => own[Symbol.asyncDispose]());

  const run = (runtime: RuntimeSpec, code: string, wish: Wish = {}) =>
    runIn(own.tier, runtime, code, { entrypoint: "main.mjs", ...wish, limits: { processes: 60, ...wish.limits } });

  async function ending(runtime: RuntimeSpec, { code, entrypoint, wish, blur }: Program) {
    const { out, err, exit } = await run(runtime, code, { ...wish, ...(entrypoint && { entrypoint }) });
    return { out, err: blur === undefined ? err : err.replaceAll(blur, "…"), code: exit.exitCode, signal: exit.signal };
  }

  test.each(programs)("is no other than one that boots afresh: $name", async (program) => {
    expect(await ending(node, program)).toEqual(await ending(cold, program));
  });

  test("serves one run and no other", async () => {
    const mark = "console.log(globalThis.mark ?? 'none', process.env.SECRET ?? 'none', performance.timeOrigin); globalThis.mark = 1";
    const origins = new Set<string>();
    for (const wish of [{ env: { SECRET: "planted" } }, {}, {}]) {
      const { out } = await run(node, mark, { ...wish, files: [file("planted.txt", "planted")] });
      expect(out).toMatch(new RegExp(`^none ${"env" in wish ? "planted" : "none"} `));
      origins.add(out.split(" ")[2] ?? "");
    }
    expect(origins.size).toBe(3);
  });

  test("does not count its boot as the run's", async () => {
    await run(node, "");
    await sleep(500); // the next one has booted
    const used = (await run(node, "")).exit.cpuMs;
    const afresh = (await run(cold, "")).exit.cpuMs;
    expect(used).toBeLessThan(afresh);
    expect(used).toBeGreaterThan(0);
  });

  test("keeps the limits of the run", async () => {
    const busy = await run(node, "for (;;);", { limits: { wallMs: 300 } });
    expect(busy.exit).toMatchObject({ reason: "timeout", signal: 9 });
    const hungry = await run(node, "const a = []; for (;;) a.push(Buffer.alloc(1e6, 1));", { limits: { memoryBytes: 200 * mebibyte } });
    expect(hungry.exit.outOfMemory).toBe(true);
    const wide = await run(node, "import fs from 'node:fs'; for (;;) fs.openSync('/dev/null')", { limits: { openFiles: 64 } });
    expect(wide.err).toContain("EMFILE");
    const large = await run(node, "import fs from 'node:fs'; fs.writeFileSync('x', Buffer.alloc(20e6))", {
      limits: { diskBytes: 4 * mebibyte },
    });
    expect([large.exit.reason, large.exit.signal, large.err.includes("EFBIG")]).not.toEqual([null, null, false]);
    expect((await run(node, "console.log('still here')")).out).toBe("still here\n");
  });

  test.each([
    ["a variable that is read at the boot", { env: { NODE_OPTIONS: "--stack-trace-limit=1" } }, "1"],
    ["little memory", { limits: { memoryBytes: 100 * mebibyte } }, "10"],
    ["few processes", { limits: { processes: 20 } }, "10"],
  ])("is not used with %s", async (_what, wish, limit) => {
    const { out, err } = await run(node, "console.log(Error.stackTraceLimit)", wish);
    expect([out, err]).toEqual([`${limit}\n`, ""]);
  });

  test("is cancelled like any other", async () => {
    const code = "process.on('SIGTERM', () => { console.log('term'); process.exit(7) }); setInterval(() => {}, 1000); console.log('up')";
    const beside = await startBeside(own.tier, node, code, { entrypoint: "main.mjs", limits: { processes: 60 } });
    await beside.printed("up");
    beside.run.cancel(5000);
    const { out, exit } = await beside.result;
    expect([out, exit.exitCode]).toEqual(["up\nterm\n", 7]);
  });

  test("20 at once, and a slot after a run with the least memory", async () => {
    await run(node, "", { limits: { memoryBytes: 128 * mebibyte, cpus: 0.5, processes: 32 } });
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => run(node, `console.log(${index})`)));
    expect(results.map(({ out }) => out)).toEqual(results.map((_, index) => `${index}\n`));
  });

  test("that was killed while it waited is not handed out", async () => {
    await run(node, "");
    await sleep(500);
    const waiting = [...sandboxProcesses()];
    expect(waiting.length).toBeGreaterThan(0);
    for (const pid of waiting) process.kill(pid, "SIGKILL");
    await sleep(300);
    expect((await run(node, "console.log('alive')")).out).toBe("alive\n");
  });

  /** The interpreters of this tier that wait. */
  function* sandboxProcesses(): Generator<number> {
    for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
        if (words[0] === "/opt/runtimes/node/node" && isBelow(Number(name), process.pid)) yield Number(name);
      } catch {
        continue; // it has ended
      }
    }
  }
});

function isBelow(pid: number, ancestor: number): boolean {
  for (let current = pid; current > 1;) {
    if (current === ancestor) return true;
    current = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${current}/status`, "utf8"))?.[1]);
  }
  return false;
}
