import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { EnvironmentPackage, EnvironmentPhase, type EnvironmentError } from "@syla/contracts/environments";
import type { HostNames } from "@syla/sandbox/egress/hosts";
import { errorCatalog } from "@syla/contracts/errors";
import { SandboxError, type InputFile, type RuntimeSpec, type SandboxExit, type SandboxLimits, type SandboxRun } from "@syla/sandbox/spec";
import { z } from "zod";
import { diskError } from "../platform/blob-files.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { diagnose } from "./diagnose.ts";
import { LayerArchiveError } from "./layer-archive.ts";
import type { LayerStore, NewLayer } from "./layer-store.ts";
import type { PackageIndex } from "./package-index.ts";
import type { Manager } from "./request.ts";
import type { BuildTool } from "./tools.ts";

const builderFolder = join(import.meta.dirname, "builder");
const builderFiles = ["build.py", "python_packages.py", "node_packages.py", "go_modules.py"];
const phaseMark = "\u{1e}";
/** What is kept of the log to tell what went wrong. */
const tailBytes = 64 * 1024;
/** Lock and list of packages. */
const maxSideBytes = 32 * 1024 * 1024;

/** One build. */
export interface BuildJob {
  readonly manager: Manager;
  /** By name; those of the request, and a lock of an earlier build as `lock.txt`, `package-lock.json` or `go.sum`. */
  readonly files: Readonly<Record<string, string>>;
  readonly tool: BuildTool;
  readonly index: PackageIndex;
  /** Whose walls it is built in, and names that the server answers for there. */
  readonly tenant: string;
  readonly hosts: HostNames;
  /** The Python that the walls are made with: the builder runs on it. */
  readonly python: string;
  readonly limits: SandboxLimits;
  /** Links that lead out of the layer, to the interpreter. */
  readonly links: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onPhase: (phase: EnvironmentPhase) => void;
  readonly onOutput: (data: Buffer) => void;
}

/** What came of a build. */
export type Built =
  | { readonly error: EnvironmentError; readonly layer?: undefined }
  | { readonly error: null; readonly layer: NewLayer; readonly lock: Buffer; readonly packages: readonly EnvironmentPackage[] };

/** Builds a layer in a sandbox that reaches the package index and nothing else. @throws SandboxError, AppError, the signal's reason */
export async function buildLayer(job: BuildJob, sandboxes: Sandboxes, layers: LayerStore): Promise<Built> {
  const run = await sandboxes.start(sandboxes.defaultTier, {
    tenant: job.tenant,
    runtime: runtimeOf(job),
    entrypoint: "builder/build.py",
    args: [],
    // An index may be on this machine itself; nothing else listens in the sandbox.
    env: { NO_PROXY: "", no_proxy: "" },
    stdin: null,
    files: filesOf(job),
    limits: job.limits,
    network: { allow: job.index.allow, named: true },
    hosts: job.hosts,
    artifacts: { maxBytes: job.limits.diskBytes, maxFiles: 10 },
  });
  const stop = () => run.cancel(0);
  job.signal.addEventListener("abort", stop);
  if (job.signal.aborted) stop();
  const output = new BuildOutput(job);
  const artifacts = new BuildArtifacts(layers, job.links);
  try {
    const exit = await follow(run, output, artifacts);
    job.signal.throwIfAborted();
    const [layer, lock, packages] = await artifacts.end();
    if (exit.exitCode === 0 && layer !== null) return { error: null, layer, lock, packages };
    if (layer !== null) await layers.remove(layer.name);
    if (exit.failure !== null) throw new SandboxError("sandbox_failed", exit.failure.message);
    const { manager, limits, index } = job;
    const connections = run.network()?.log ?? [];
    return { error: diagnose({ manager, phase: output.phase, exit, limits, log: output.tail, connections, index: index.allow }) };
  } catch (error) {
    await artifacts.abandon();
    if (diskError(error) !== undefined) return { error: diskFull(output.phase) };
    if (!(error instanceof LayerArchiveError)) throw error;
    const code = error.isTooLarge ? "environment_limit" : "environment_failed";
    const hint = error.isTooLarge
      ? "Ask for fewer or smaller packages, or ask an administrator to raise SYLA_ENVIRONMENT_BYTES."
      : "Ask for other versions of the packages.";
    return {
      error: {
        class: error.isTooLarge ? "limit" : "user_code",
        code,
        message: `What was installed cannot be kept: ${error.message}.`,
        hint,
        phase: output.phase,
        explanation: null,
      },
    };
  } finally {
    job.signal.removeEventListener("abort", stop);
  }
}

/** There was no room for what was built. */
export function diskFull(phase: EnvironmentPhase | null): EnvironmentError {
  return { class: "infrastructure", code: "storage_full", ...errorCatalog.storage_full, phase, explanation: null };
}

async function follow(run: SandboxRun, output: BuildOutput, artifacts: BuildArtifacts): Promise<SandboxExit> {
  for await (const event of run.events) {
    if (event.type === "output") output.add(event.data);
    else if (event.type === "dropped") output.add(Buffer.from(`\n[${event.bytes} bytes were left out here]\n`));
    else if (event.type === "artifact") await artifacts.begin(event.path);
    else if (event.type === "artifact-data") await artifacts.data(event.data);
    else if (event.type === "exit") {
      output.end();
      return event;
    }
  }
  throw new SandboxError("sandbox_failed", "the sandbox ended without a result");
}

function runtimeOf({ manager, tool, python }: BuildJob): RuntimeSpec {
  const command = [python, "-I", "-B", "{entrypoint}"];
  const plain = { preimport: [], env: {}, bootVariables: [], reservesMemory: true };
  return { ...plain, name: `environment ${manager}`, pooling: "cold", mounts: tool.mounts, binary: python, command };
}

function* filesOf({ manager, files, tool, index }: BuildJob): Generator<InputFile> {
  const file = (path: string, text: string | Buffer): InputFile => ({
    path,
    mode: 0o644,
    content: typeof text === "string" ? Buffer.from(text) : text,
  });
  for (const name of builderFiles) yield file(`builder/${name}`, readFileSync(join(builderFolder, name)));
  for (const [name, text] of Object.entries(files)) yield file(`project/${name}`, text);
  const request = { manager, tool: tool.tool, interpreter: tool.interpreter, env: index.env, files: Object.keys(files) };
  yield file("request.json", JSON.stringify(request));
}

/** Tells phases from the rest of what is printed. */
class BuildOutput {
  phase: EnvironmentPhase = "resolve";
  readonly #job: Pick<BuildJob, "onPhase" | "onOutput">;
  #tail = "";
  #line = "";

  constructor(job: Pick<BuildJob, "onPhase" | "onOutput">) {
    this.#job = job;
  }

  /** The end of the log. */
  get tail(): string {
    return this.#tail;
  }

  add(data: Buffer): void {
    const text = this.#line + data.toString();
    const end = text.lastIndexOf("\n") + 1;
    this.#line = text.slice(end);
    if (this.#line !== "" && !this.#line.startsWith(phaseMark)) {
      this.#hand(text.slice(0, end) + this.#line);
      this.#line = "";
    } else this.#hand(text.slice(0, end));
  }

  end(): void {
    this.#hand(this.#line);
    this.#line = "";
  }

  #hand(text: string): void {
    let rest = "";
    for (const line of text.split(/(?<=\n)/)) {
      const phase = EnvironmentPhase.safeParse(line.startsWith(phaseMark) ? line.slice(1).trim() : null);
      if (!phase.success) rest += line;
      else if (phase.data !== this.phase) this.#job.onPhase((this.phase = phase.data));
    }
    if (rest === "") return;
    this.#tail = (this.#tail + rest).slice(-tailBytes);
    this.#job.onOutput(Buffer.from(rest));
  }
}

/** Takes what a build leaves in /output: the layer as it comes, the rest into memory. */
class BuildArtifacts {
  readonly #layers: LayerStore;
  readonly #links: BuildJob["links"];
  readonly #side = new Map<string, Buffer[]>();
  #sideBytes = 0;
  #archive: { readonly stream: PassThrough; readonly layer: Promise<NewLayer> } | null = null;
  #current: string | null = null;

  constructor(layers: LayerStore, links: BuildJob["links"]) {
    this.#layers = layers;
    this.#links = links;
  }

  async begin(path: string): Promise<void> {
    this.#current = path;
    if (path !== "layer.tar") return void this.#side.set(path, []);
    const stream = new PassThrough();
    const layer = this.#layers.add(stream, this.#links);
    layer.catch(() => stream.destroy()); // looked at in end()
    stream.on("error", () => {});
    this.#archive = { stream, layer };
  }

  async data(chunk: Buffer): Promise<void> {
    if (this.#current === null) return;
    if (this.#current === "layer.tar" && this.#archive !== null) {
      const { stream, layer } = this.#archive;
      if (stream.destroyed) await layer; // says why
      else if (!stream.write(chunk)) await drained(stream);
      return;
    }
    this.#sideBytes += chunk.length;
    if (this.#sideBytes > maxSideBytes) throw new LayerArchiveError("its lock or its list of packages is too long", true);
    this.#side.get(this.#current)?.push(chunk);
  }

  async end(): Promise<[NewLayer | null, Buffer, readonly EnvironmentPackage[]]> {
    this.#archive?.stream.end();
    const layer = (await this.#archive?.layer) ?? null;
    const lock = Buffer.concat(this.#side.get("lock") ?? []);
    try {
      const text = Buffer.concat(this.#side.get("packages.json") ?? []).toString();
      return [layer, lock, layer === null ? [] : z.array(EnvironmentPackage).max(20_000).parse(JSON.parse(text))];
    } catch {
      if (layer !== null) await this.#layers.remove(layer.name);
      throw new LayerArchiveError("its list of packages cannot be read");
    }
  }

  /** Lets go of everything; nothing is left. */
  async abandon(): Promise<void> {
    this.#archive?.stream.destroy(new Error("the build is over"));
    const layer = await this.#archive?.layer.catch(() => null);
    if (layer != null) await this.#layers.remove(layer.name);
  }
}

/** Until it takes more, or is over. */
function drained(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    if (stream.closed) resolve();
    else stream.once("drain", done).once("close", done);
  });
}
