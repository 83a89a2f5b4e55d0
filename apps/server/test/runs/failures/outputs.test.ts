import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { NetworkPolicy } from "@syla/contracts/network";
import type { RunError } from "@syla/contracts/runs";
import type { SandboxExit } from "@syla/sandbox/spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { judgeCompilation } from "../../../src/runs/compilations/failure.ts";
import { defaultLimits, type RunConfig } from "../../../src/runs/config.ts";
import { explainFailure } from "../../../src/runs/failures/explain.ts";
import { judge } from "../../../src/runs/verdict.ts";
import { RuntimeDefinition } from "../../../src/runtimes/definition.ts";

/** What interpreters and compilers really printed, and what is to be told of it. */
const Output = z.strictObject({
  name: z.string(),
  language: z.string(),
  files: z.record(z.string(), z.string()),
  exitCode: z.int().nullable(),
  signal: z.int().optional(),
  compile: z.boolean().optional(),
  stderr: z.string(),
  expected: z.strictObject({
    code: z.string(),
    kind: z.string().nullable(),
    message: z.string(),
    at: z.string().nullable(),
    frames: z.int(),
    causes: z.array(z.string()).optional(),
    suggestion: z.string().nullable(),
  }),
});
type Output = z.infer<typeof Output>;

const outputs = z.array(Output).parse(parse(readFileSync(join(import.meta.dirname, "outputs.yaml"), "utf8")));
const runtimes = join(import.meta.dirname, "../../../../../runtimes");
const definitionOf = (name: string) => RuntimeDefinition.parse(parse(readFileSync(join(runtimes, name, "runtime.yaml"), "utf8")));

const ended: SandboxExit = {
  type: "exit",
  exitCode: 1,
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

interface Surroundings {
  readonly network?: NetworkPolicy;
  readonly program?: RunConfig["program"];
}

async function explain(output: Output, { network = "none", program = null }: Surroundings = {}): Promise<RunError> {
  const { files, language, stderr, exitCode, signal = null } = output;
  const definition = definitionOf(language);
  const exit = { ...ended, exitCode, signal };
  const error =
    output.compile === true
      ? judgeCompilation({ exit, messages: stderr }, { artifacts: [], skipped: [] }, defaultLimits, definition.compile?.errors ?? [])
      : judge(exit, false, stderr, definition, Object.keys(files)[0]).error;
  if (error === null) throw new Error("it did not fail");
  const run = {
    language,
    config: { program, network, models: [] },
    limits: defaultLimits,
    connections: [],
    files: Object.entries(files).map(([path, text]) => ({ path, size: Buffer.byteLength(text), sha256: path, mode: 0o644 })),
    stderr,
  };
  return await explainFailure(error, run, { open: (path) => Promise.resolve(Readable.from([Buffer.from(files[path] ?? "")])) });
}

function described({ code, kind, message, location, frames, causes, suggestion }: RunError): Output["expected"] {
  const column = location?.column == null ? "" : `:${location.column}`;
  const name = location?.function == null ? "" : ` ${location.function}`;
  return {
    code,
    kind,
    message,
    at: location === null ? null : `${location.path}:${location.line}${column}${name}`,
    frames: frames.length,
    ...(causes.length > 0 && { causes }),
    suggestion: suggestion === null ? null : `${suggestion.kind} ${suggestion.subject ?? "-"}`,
  };
}

const named = (language: string, name: string): Output => {
  const found = outputs.find((output) => output.language === language && output.name === name);
  if (found === undefined) throw new Error(`no output ${language}: ${name}`);
  return found;
};

const program = {
  id: "prog_1",
  name: "p",
  version: null,
  tree: null,
  environmentId: null,
  ownerId: "user_1",
  secrets: [],
  withheld: ["SEARCH_API_KEY"],
  asItIs: true,
};

describe("what really was printed", () => {
  it.each(outputs)("$language: $name", async (output) => {
    expect(described(await explain(output))).toEqual(output.expected);
  });

  it("covers what people meet", () => {
    expect(outputs.length).toBeGreaterThanOrEqual(60);
  });

  it("is shown with the lines around it", async () => {
    expect((await explain(named("python", "exception in a function"))).excerpt).toEqual({
      path: "main.py",
      firstLine: 1,
      lines: ["def divide(a, b):", "    return a / b", "", "def main():", "    print(divide(1, 0))"],
      line: 2,
    });
  });

  it("tells the program's own files from those of libraries", async () => {
    const { frames } = await explain(named("python", "exception in a library"));
    expect(frames.map(({ path, own }) => `${path.split("/").at(-1)} ${own}`)).toEqual([
      "decoder.py false",
      "decoder.py false",
      "__init__.py false",
      "main.py true",
      "main.py true",
    ]);
  });
});

describe("suggestions that depend on the run", () => {
  it("name the place for packages of a program", async () => {
    const { suggestion } = await explain(named("python", "missing package of another name"), { program });
    expect(suggestion?.text).toContain(
      "Write opencv-python-headless into requirements.txt or pyproject.toml, or add it under Dependencies",
    );
  });

  it("say of a secret that its owner withholds it", async () => {
    const { suggestion } = await explain(named("python", "variable not set"), { program });
    expect(suggestion).toMatchObject({ kind: "set_variable", subject: "SEARCH_API_KEY" });
    expect(suggestion?.text).toContain("ask the owner");
  });

  it.each<[string, NetworkPolicy, string]>([
    ["no network", "none", 'The run has no network. Allow api.example.invalid (`network`: {"allow": ["api.example.invalid"]}'],
    ["the gateway only", "gateway", "no network but the model gateway"],
    ["other hosts", { allow: ["example.org"] }, "is not among the hosts that the run may reach"],
    ["this host", { allow: ["*.example.invalid:443"] }, "api.example.invalid did not answer as it should"],
    ["every host", "full", "api.example.invalid did not answer as it should"],
  ])("know that the run may reach %s", async (_name, network, text) => {
    expect((await explain(named("node", "host not found"), { network })).suggestion?.text).toContain(text);
  });

  it.each([
    ["timeout", { reason: "timeout" }, "It had 60 s."],
    ["memory", { outOfMemory: true }, "It had 512 MiB."],
    ["disk", { reason: "disk" }, "It had 1024 MiB."],
  ] as const)("name the limit that was reached: %s", async (_name, exit, text) => {
    const { error } = judge({ ...ended, ...exit }, false, "", definitionOf("bash"));
    if (error === null) throw new Error("it did not fail");
    const run = { language: "bash", config: { program: null, network: "none" as const, models: [] }, limits: defaultLimits };
    const explained = await explainFailure(
      error,
      { ...run, connections: [], files: [], stderr: "" },
      { open: () => Promise.reject(new Error("none")) },
    );
    expect(explained.suggestion).toMatchObject({ kind: "raise_limit", text: expect.stringContaining(text) as string });
  });

  it.each([
    [
      "openai.OpenAIError: The api_key client option must be set either by passing api_key to the client or by setting the OPENAI_API_KEY environment variable",
      "choose_model",
    ],
    [
      "openai.APIStatusError: Error code: 402 - {'error': {'message': 'There is nothing left to spend on this model.', 'code': 'spend_cap_reached'}}",
      "choose_model",
    ],
    [
      "openai.NotFoundError: Error code: 404 - {'error': {'message': 'There is no such model here', 'code': 'unknown_model'}}",
      "choose_model",
    ],
    ["openai.RateLimitError: Error code: 429 - {'error': {'code': 'quota_exceeded'}}", "wait"],
    ["anthropic.APIStatusError: Error code: 502 - {'error': {'code': 'model_credential_refused'}}", "choose_model"],
    ["PermissionError: [Errno 13] Permission denied: '/etc/hosts'", "write_elsewhere"],
    ["OSError: [Errno 30] Read-only file system: '/usr/x'", "write_elsewhere"],
    ["OSError: [Errno 28] No space left on device", "raise_limit"],
    ["RuntimeError: can't start new thread", "raise_limit"],
    ["OSError: [Errno 24] Too many open files: 'a'", "raise_limit"],
  ])("know %s", async (message, kind) => {
    const stderr = `Traceback (most recent call last):\n  File "/workspace/main.py", line 1, in <module>\n    x()\n${message}\n`;
    const { suggestion } = await explain({ ...named("python", "memory"), stderr });
    expect(suggestion?.kind).toBe(kind);
  });
});

describe("hostile output", () => {
  const pieces = [
    "Traceback (most recent call last):",
    '  File "/workspace/main.py", line 1, in f',
    "    ^^^^",
    "  + Exception Group Traceback (most recent call last):",
    "    | ValueError: 1",
    "  +-+---------------- 1 ----------------",
    "/workspace/main.mjs:1",
    "   ^",
    "TypeError: x",
    "    at f (file:///workspace/main.mjs:1:22)",
    "  [cause]: Error: y {",
    "panic: x [recovered]",
    "goroutine 1 [running]:",
    "main.main()",
    "\t/workspace/main.go:7 +0x1d",
    "main.sh: line 3: foo: command not found",
    "getaddrinfo ENOTFOUND a.b",
    "lookup a.b.c.d",
    "environment variable X",
    "\0\u{d800}",
    "",
  ];
  const line = fc.oneof(
    fc.constantFrom(...pieces),
    fc.string({ unit: "binary", maxLength: 80 }),
    fc
      .tuple(fc.constantFrom(...pieces, "a", " ", ".", "'", "a.", "(", "\\", "0"), fc.integer({ min: 1, max: 400 }))
      .map(([text, times]) => text.repeat(times)),
  );

  it("is told within bounds, whatever it is", async () => {
    const languages = ["python", "node", "go", "bash", "ruby", "java", "deno"];
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 60 }), fc.constantFrom(...languages), async (lines, language) => {
        const error = await explain({ ...named("python", "memory"), language, stderr: lines.join("\n").slice(0, 24 * 1024) });
        expect(error.message.length).toBeLessThanOrEqual(1000);
        expect(error.frames.length).toBeLessThanOrEqual(20);
        expect(JSON.stringify(error).length).toBeLessThan(64 * 1024);
        expect(error.location?.path.startsWith("/") ?? false).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it("costs no more than a few scans of every pair of its characters", async () => {
    const size = 24 * 1024;
    const reference = () => {
      const start = performance.now();
      /a+b/.exec("a".repeat(size));
      return performance.now() - start;
    };
    const allowed = 4 * Math.max(reference(), reference());
    for (const piece of [...pieces, "a", " ", "'", "a.", "a: ", "-", "(", "/", "host='", "[", "x: 1: "])
      for (const text of [piece.repeat(size), `${piece}\n`.repeat(size)])
        for (const language of ["python", "node", "go", "bash", "ruby"]) {
          const start = performance.now();
          await explain({ ...named("python", "memory"), language, stderr: text.slice(0, size) });
          const spent = performance.now() - start;
          expect([piece, language, spent < allowed ? "fine" : spent]).toEqual([piece, language, "fine"]);
        }
  });
});
