import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxExit } from "@syla/sandbox/spec";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { judge } from "../../src/runs/verdict.ts";
import { RuntimeDefinition } from "../../src/runtimes/definition.ts";

const folder = join(import.meta.dirname, "../../../../runtimes");
const definitions = readdirSync(folder).map((name) =>
  RuntimeDefinition.parse(parse(readFileSync(join(folder, name, "runtime.yaml"), "utf8"))),
);
const languageOf = (name: string) => definitions.find((definition) => definition.name === name) ?? { name, errors: [] };
const unknown = languageOf("unknown");

const ended: SandboxExit = {
  type: "exit",
  exitCode: 0,
  signal: null,
  reason: null,
  outOfMemory: false,
  runMs: 1,
  cpuMs: 1,
  peakMemoryBytes: null,
  stdoutBytes: 0,
  stderrBytes: 0,
  droppedBytes: 0,
  failure: null,
};

describe("judge", () => {
  const killed = { exitCode: null, signal: 9 };
  it.each<[string, Partial<SandboxExit>, boolean, string, string | null]>([
    ["a clean end", {}, false, "succeeded", null],
    ["an exit code", { exitCode: 3 }, false, "failed", "user_code nonzero_exit"],
    ["a signal", { exitCode: null, signal: 11 }, false, "failed", "user_code killed_by_signal"],
    ["the time limit", { ...killed, reason: "timeout" }, false, "timed_out", "limit timeout"],
    ["the time limit while cancelling", { ...killed, reason: "timeout" }, true, "timed_out", "limit timeout"],
    ["the memory limit", { ...killed, outOfMemory: true }, false, "failed", "limit out_of_memory"],
    ["the memory watcher", { ...killed, reason: "memory", outOfMemory: true }, false, "failed", "limit out_of_memory"],
    ["the disk watcher", { ...killed, reason: "disk" }, false, "failed", "limit disk_limit"],
    ["a file over its size", { exitCode: null, signal: 25 }, false, "failed", "limit disk_limit"],
    ["the CPU limit", { exitCode: null, signal: 24 }, false, "failed", "limit cpu_limit"],
    ["cancelled, killed", { ...killed, reason: "cancelled" }, true, "cancelled", null],
    ["cancelled, ended by itself", { exitCode: null, signal: 15 }, true, "cancelled", null],
    ["cancelled, with grace", { exitCode: 0 }, true, "cancelled", null],
    ["the server stopped", { ...killed, reason: "stopped" }, false, "failed", "infrastructure worker_lost"],
    [
      "no such interpreter",
      { exitCode: 127, failure: { errno: 2, message: "no such file" } },
      false,
      "failed",
      "infrastructure command_not_found",
    ],
  ])("%s", (_name, exit, cancelled, status, error) => {
    const verdict = judge({ ...ended, ...exit }, cancelled, "", unknown);
    expect(verdict.status).toBe(status);
    expect(verdict.error === null ? null : `${verdict.error.class} ${verdict.error.code}`).toBe(error);
    expect(verdict.error?.hint).not.toBe("");
  });

  it("names signals as people know them", () => {
    const signalOf = (signal: number) => judge({ ...ended, exitCode: null, signal }, false, "", unknown).signal;
    expect([9, 11, 15, 6].map(signalOf)).toEqual(["SIGKILL", "SIGSEGV", "SIGTERM", "SIGABRT"]);
    expect(signalOf(64)).toBe("SIG64");
    expect(judge({ ...ended, exitCode: null, signal: 11 }, false, "", unknown).error?.message).toContain("SIGSEGV");
  });

  it("ignores error output when the program succeeded", () => {
    expect(
      judge(
        ended,
        false,
        'Traceback (most recent call last):\n  File "/workspace/a.py", line 1, in <module>\nE: x\n',
        languageOf("python"),
      ),
    ).toEqual({
      status: "succeeded",
      exitCode: 0,
      signal: null,
      error: null,
    });
  });
});

describe("error patterns on what the interpreters really say", () => {
  const interpreters: Record<string, [string, string]> = {
    python: ["/usr/bin/python3", "main.py"],
    node: [process.execPath, "main.mjs"],
    bash: ["/bin/bash", "main.sh"],
  };

  /** Runs a program outside of any sandbox, with its folder shown as `/workspace` as in one. */
  function stderrOf(language: string, code: string, file: string | undefined): string {
    using directory = createTemporaryDirectory();
    const workspace = join(directory.path, "workspace");
    mkdirSync(workspace);
    const [binary, name] = interpreters[language] ?? ["", ""];
    const entrypoint = join(workspace, file ?? name);
    writeFileSync(entrypoint, code);
    const { stderr } = spawnSync(binary, [language === "bash" ? name : entrypoint], { cwd: workspace, encoding: "utf8" });
    return stderr.replaceAll(workspace, "/workspace");
  }

  it.each<[string, string, string, object, string?]>([
    [
      "python",
      "exception",
      "def f():\n  return 1/0\nf()",
      { code: "uncaught_exception", message: "ZeroDivisionError: division by zero", location: { file: "main.py", line: 2 } },
    ],
    [
      "python",
      "exception in a library",
      "import json\njson.loads('{')",
      { code: "uncaught_exception", location: { file: "main.py", line: 2 } },
    ],
    ["python", "exception without a message", "class E(Exception): pass\nraise E", { code: "uncaught_exception", message: "E" }],
    [
      "python",
      "message of several lines",
      "raise ValueError('one\\n two\\nthree four')",
      { code: "uncaught_exception", message: "ValueError: one" },
    ],
    [
      "python",
      "exception from another",
      "try:\n  1/0\nexcept Exception as e:\n  raise KeyError('k') from e",
      { code: "uncaught_exception", message: "KeyError: 'k'", location: { file: "main.py", line: 4 } },
    ],
    ["python", "deep recursion", "def f(): f()\nf()", { code: "uncaught_exception", location: { file: "main.py", line: 1 } }],
    [
      "python",
      "group",
      "raise ExceptionGroup('g', [ValueError(1)])",
      { code: "uncaught_exception", message: "ExceptionGroup: g (1 sub-exception)" },
    ],
    ["python", "missing module", "import nope", { code: "uncaught_exception", message: "ModuleNotFoundError: No module named 'nope'" }],
    ["python", "syntax", "def f(:\n  pass", { code: "syntax_error", location: { file: "main.py", line: 1 } }],
    ["python", "indentation", "if 1:\npass", { code: "syntax_error", location: { file: "main.py", line: 2 } }],
    ["python", "memory", "raise MemoryError", { code: "out_of_memory", class: "limit" }],
    ["python", "plain exit", "import sys; sys.exit('bye')", { code: "nonzero_exit" }],
    [
      "node",
      "exception",
      "function f() { throw new TypeError('boom') }\nf()",
      { code: "uncaught_exception", message: "TypeError: boom", location: { file: "main.mjs", line: 1 } },
    ],
    ["node", "rejection", "await Promise.reject(new Error('late'))", { code: "uncaught_exception", message: "Error: late" }],
    [
      "node",
      "error with properties",
      "throw Object.assign(new Error('x'), { code: 7 })",
      { code: "uncaught_exception", message: "Error: x" },
    ],
    ["node", "missing module", "import './nope.mjs'", { code: "uncaught_exception" }],
    ["node", "syntax", "let a = ;", { code: "syntax_error", location: { file: "main.mjs", line: 1 } }],
    [
      "node",
      "TypeScript syntax",
      "const ok = 1;\nlet a: = 3;",
      { code: "syntax_error", location: { file: "main.mts", line: 2 } },
      "main.mts",
    ],
    ["node", "thrown text", "throw 'x'", { code: "uncaught_exception", message: "x" }],
    ["node", "plain exit", "console.error('no'); process.exit(4)", { code: "nonzero_exit" }],
    ["bash", "syntax", "echo a\nif true; then", { code: "syntax_error", location: { file: "main.sh", line: 3 } }],
    ["bash", "plain exit", "echo 'line 3: syntax' >&2; exit 9", { code: "nonzero_exit" }],
    ["bash", "missing command", "nope", { code: "nonzero_exit" }],
  ])("%s: %s", (language, _name, code, expected, file) => {
    const stderr = stderrOf(language, code, file);
    expect(judge({ ...ended, exitCode: 1 }, false, stderr, languageOf(language)).error).toMatchObject(expected);
  });

  it("read a tail that begins anywhere", () => {
    const stderr = stderrOf("python", "def f():\n  return 1/0\nf()", undefined);
    for (let start = 0; start < stderr.length; start++) {
      const { error } = judge({ ...ended, exitCode: 1 }, false, stderr.slice(start), languageOf("python"));
      expect(["uncaught_exception", "nonzero_exit"]).toContain(error?.code);
    }
  });

  it("know NUL in a source, of which older interpreters say nothing", () => {
    const stderr = "ValueError: source code string cannot contain null bytes\n";
    expect(judge({ ...ended, exitCode: 1 }, false, stderr, languageOf("python")).error).toMatchObject({ code: "syntax_error" });
  });

  it("know Node.js running out of its heap", () => {
    const stderr = "<--- Last few GCs --->\n\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n";
    expect(judge({ ...ended, exitCode: null, signal: 6 }, false, stderr, languageOf("node")).error).toMatchObject({
      class: "limit",
      code: "out_of_memory",
    });
  });
});

describe("error patterns on hostile output", () => {
  const size = 8192;
  const repeat = (text: string) => text.repeat(Math.ceil(size / text.length)).slice(0, size);
  const hostile = [
    ...[
      "a",
      " ",
      "\n",
      ":",
      "x: line 1",
      "a.a",
      '  File "/workspace/a", line 1, in f\n',
      "/workspace/a:1\n",
      "A: b\n",
      "\nA",
      "  | ",
      "a ",
      "Error",
    ].map(repeat),
    repeat('  File "/workspace/a", line 1, in f\n    x\n'),
    `  File "/workspace/a", line 1, in f\n${repeat(" a\n")}`,
    `  File "a", line 1\n${repeat("a\n")}`,
    `  |   File "/workspace/a", line 1, in f\n${repeat("  |  a\n")}`,
    `/workspace/a:1\n${repeat("A\n")}`,
    `/workspace/a:1\n${repeat("\n")}`,
    `${repeat("/workspace/a:1\n").slice(0, size / 2)}${repeat("A: b\n").slice(0, size / 2)}`,
    `${repeat('  File "/workspace/a", line 1, in f\nA\n').slice(0, size / 2)}${repeat("\nTraceback (").slice(0, size / 2)}`,
  ];

  /** The best of several times, in milliseconds: other work on the machine only adds. */
  function fastest(work: () => void): number {
    return Math.min(
      ...Array.from({ length: 3 }, () => {
        const start = performance.now();
        work();
        return performance.now() - start;
      }),
    );
  }

  it("cost no more than reading every pair of characters once", () => {
    // The reference is what a quadratic scan of the same size takes here; something exponential takes for ever.
    const text = "a".repeat(size);
    const reference = fastest(() => /a+b/.exec(text));
    for (const [index, tail] of hostile.entries()) {
      for (const language of definitions) {
        const { name } = language;
        const ratio = fastest(() => judge({ ...ended, exitCode: 1 }, false, tail, language)) / reference;
        expect([name, index, ratio < 4 ? "fine" : ratio]).toEqual([name, index, "fine"]);
      }
    }
  });

  it("never put into a message what cannot be stored or is longer than a line should be", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), fc.constantFrom("python", "node", "bash"), (noise, language) => {
        const stderr = `Traceback (most recent call last):\n  File "/workspace/main.py", line 1, in <module>\nValueError: ${noise.repeat(9)}\n`;
        const { error } = judge({ ...ended, exitCode: 1 }, false, stderr, languageOf(language));
        expect(error?.message.length).toBeLessThanOrEqual(1000);
        expect(error?.message).not.toContain("\n");
      }),
    );
  });
});
