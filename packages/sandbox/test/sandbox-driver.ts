import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NamespaceTier, type NamespaceTierOptions } from "../src/namespace-tier.ts";
import type { EffectiveLimits, InputFile, RuntimeSpec, SandboxExit, SandboxLimits, SandboxRun, SandboxSpec, Tier } from "../src/spec.ts";

/** Makes tiers for tests, starts programs in them and collects what they did. */

export const mebibyte = 1 << 20;
const preimport =
  "json re random math collections itertools functools datetime typing dataclasses io string decimal heapq bisect statistics copy time";
const plain = { command: ["{binary}", "{entrypoint}"], env: {}, reservesMemory: false, mounts: [] };

export const python: RuntimeSpec = {
  ...plain,
  name: "python",
  pooling: "fork",
  binary: "/usr/bin/python3",
  preimport: preimport.split(" "),
  bootVariables: ["PYTHON", "LANG", "LC_"],
};
export const bash: RuntimeSpec = { ...plain, name: "bash", pooling: "cold", binary: "/bin/bash", preimport: [], bootVariables: [] };

const ordinaryLimits: SandboxLimits = {
  wallMs: 20_000,
  cpus: 1,
  memoryBytes: 256 * mebibyte,
  processes: 50,
  openFiles: 256,
  diskBytes: 64 * mebibyte,
  outputBytes: mebibyte,
};

const runtimeFolder = "/opt/runtimes/node";

/** As the server makes it of `runtimes/node`. */
export const node: RuntimeSpec = {
  name: "node",
  pooling: "preboot",
  binary: process.execPath,
  command: ["{binary}", "{entrypoint}"],
  bootCommand: ["{binary}", "--require", `${runtimeFolder}/preboot.cjs`, "/main.mjs"],
  mounts: [
    { source: process.execPath, target: `${runtimeFolder}/node` },
    { source: fileURLToPath(new URL("../../../runtimes/node/preboot.cjs", import.meta.url)), target: `${runtimeFolder}/preboot.cjs` },
  ],
  preimport: [],
  env: { NO_COLOR: "1" },
  bootVariables: ["NODE_"],
  reservesMemory: true,
};

export interface TestTier extends AsyncDisposable {
  readonly tier: NamespaceTier;
  readonly folder: string;
}

/** With a small number every run of a test sleeps as soon as it can; undefined: as it is elsewhere. */
const quietMs = process.env["SYLA_TEST_QUIET_MS"] === undefined ? undefined : Number(process.env["SYLA_TEST_QUIET_MS"]);

/** A tier in a folder of its own. Dispose it: ends everything and removes the folder. */
export function createTier(options: Partial<NamespaceTierOptions> = {}): TestTier {
  const parent = mkdtempSync(join(tmpdir(), "syla-sandbox-"));
  const folder = join(parent, "sandboxes");
  const tier = new NamespaceTier({
    folder,
    programs: { bwrap: "/usr/bin/bwrap", python: "/usr/bin/python3" },
    slotsPerJail: 4,
    ...(quietMs === undefined ? {} : { quietMs }),
    ...options,
  });
  const dispose = async () => {
    await tier.stop();
    rmSync(parent, { recursive: true, force: true });
  };
  return { tier, folder, [Symbol.asyncDispose]: dispose };
}

export interface Wish extends Partial<Omit<SandboxSpec, "limits">> {
  readonly limits?: Partial<SandboxLimits>;
}

/** A run of `code` with everything ordinary but what `wish` says. */
export function specOf(runtime: RuntimeSpec, code: string | Uint8Array, wish: Wish = {}): SandboxSpec {
  const entrypoint = wish.entrypoint ?? (runtime.name === "bash" ? "main.sh" : "main.py");
  const main: InputFile = { path: entrypoint, mode: 0o644, content: typeof code === "string" ? Buffer.from(code) : code };
  return {
    tenant: "tenant",
    runtime,
    args: [],
    env: {},
    stdin: null,
    artifacts: { maxBytes: 100 * mebibyte, maxFiles: 1000 },
    ...wish,
    entrypoint,
    files: [main, ...((wish.files as Iterable<InputFile> | undefined) ?? [])],
    limits: { ...ordinaryLimits, ...wish.limits },
  };
}

export interface Result {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly out: string;
  readonly err: string;
  readonly exit: SandboxExit;
  readonly artifacts: ReadonlyMap<string, Buffer>;
  readonly skipped: ReadonlyMap<string, string>;
  readonly dropped: number;
  readonly limits: EffectiveLimits;
}

/** Follows a run to its end. `onOutput` sees what it prints meanwhile. */
export async function collect(run: SandboxRun, onOutput: (text: string) => void = () => {}): Promise<Result> {
  const streams: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  const artifacts = new Map<string, Buffer[]>();
  const skipped = new Map<string, string>();
  let [current, dropped, exit]: [Buffer[], number, SandboxExit | null] = [[], 0, null];
  for await (const event of run.events) {
    if (event.type === "output") {
      streams[event.stream].push(event.data);
      onOutput(event.data.toString());
    } else if (event.type === "artifact") artifacts.set(event.path, (current = []));
    else if (event.type === "artifact-data") current.push(event.data);
    else if (event.type === "skipped") skipped.set(event.path, event.reason);
    else if (event.type === "dropped") dropped = event.bytes;
    else if (event.type === "exit") exit = event;
  }
  if (exit === null) throw new Error("the run ended without an exit");
  const [stdout, stderr] = [Buffer.concat(streams.stdout), Buffer.concat(streams.stderr)];
  const files = new Map([...artifacts].map(([path, parts]) => [path, Buffer.concat(parts)]));
  return { stdout, stderr, out: stdout.toString(), err: stderr.toString(), exit, artifacts: files, skipped, dropped, limits: run.limits };
}

export async function runIn(tier: Tier, runtime: RuntimeSpec, code: string | Uint8Array, wish: Wish = {}): Promise<Result> {
  return collect(await tier.start(specOf(runtime, code, wish)));
}

/** A run that goes on beside the test: `printed` waits until it has said something. */
export interface Companion {
  readonly run: SandboxRun;
  readonly result: Promise<Result>;
  printed(text: string): Promise<void>;
}

export async function startBeside(tier: Tier, runtime: RuntimeSpec, code: string, wish: Wish = {}): Promise<Companion> {
  const run = await tier.start(specOf(runtime, code, wish));
  let heard = "";
  const waiting = new Set<() => void>();
  const result = collect(run, (text) => {
    heard += text;
    for (const check of waiting) check();
  });
  const printed = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const check = () => heard.includes(text) && (waiting.delete(check), resolve());
      waiting.add(check);
      check();
      result.then(() => heard.includes(text) || reject(new Error(`it ended without "${text}": ${heard}`)), reject);
    });
  return { run, result, printed };
}
