import { createHash, randomUUID } from "node:crypto";
import { createWriteStream, existsSync, globSync, mkdirSync, renameSync, rmSync, type WriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { finished } from "node:stream/promises";
import { pathInside } from "@syla/sandbox/wall";
import type { RuntimeSpec, SandboxLimits } from "@syla/sandbox/spec";
import type { Logger } from "../../platform/logger.ts";
import type { Sandboxes } from "../../sandboxes/service.ts";
import { pathProblem } from "../../platform/paths.ts";
import { runCompiler, type OutputCollector } from "./compiler.ts";
import type { CompiledRuntime } from "./request.ts";

/** A library that could not be made is tried again after so long. */
const tryAgainMs = 300_000;
const gibibyte = 1024 ** 3;
const mebibyte = 1024 * 1024;
const limits: SandboxLimits = {
  wallMs: 600_000,
  cpus: 4,
  memoryBytes: 2 * gibibyte,
  processes: 500,
  openFiles: 4096,
  diskBytes: 4 * gibibyte,
  outputBytes: mebibyte,
};

/**
 * Standard libraries that a toolchain would compile anew for each program. They are compiled once, from the toolchain's own sources and
 * nothing else, and shown to compilations read-only: there is nothing in them that one tenant could have left for another.
 */
export class Libraries {
  readonly #folder: string;
  readonly #sandboxes: Sandboxes;
  readonly #logger: Logger;
  readonly #preparing = new Map<string, Promise<boolean>>();

  constructor(folder: string, sandboxes: Sandboxes, logger: Logger) {
    this.#folder = folder;
    // What a killed server left; the data directory's lock keeps others out.
    for (const path of globSync(join(folder, "unfinished-*"))) rmSync(path, { recursive: true, force: true });
    this.#sandboxes = sandboxes;
    this.#logger = logger;
  }

  /** The runtime with its library, when that is there. */
  known(runtime: CompiledRuntime): RuntimeSpec | null {
    const folder = this.#folderOf(runtime);
    return folder !== null && existsSync(folder) ? withLibrary(runtime, folder) : null;
  }

  /** Compiles the library if need be. Null: the runtime has none, or it could not be made, and programs are compiled without. */
  async prepare(runtime: CompiledRuntime, tier: string): Promise<RuntimeSpec | null> {
    const folder = this.#folderOf(runtime);
    if (folder === null) return null;
    if (!existsSync(folder)) {
      let preparing = this.#preparing.get(folder);
      if (preparing === undefined) this.#preparing.set(folder, (preparing = this.#make(runtime, tier, folder)));
      if (!(await preparing)) setTimeout(() => this.#preparing.delete(folder), tryAgainMs).unref();
    }
    return this.known(runtime);
  }

  #folderOf({ spec, compile: { library } }: CompiledRuntime): string | null {
    if (library === null) return null;
    const hash = createHash("sha256").update(JSON.stringify([library, spec.binary, process.arch]));
    return join(this.#folder, `${spec.name.replaceAll(/[^\w.@+-]/g, "_")}-${hash.digest("hex").slice(0, 16)}`);
  }

  async #make({ spec, compile, compiler }: CompiledRuntime, tier: string, folder: string): Promise<boolean> {
    const { library } = compile;
    if (library === null) return false;
    const unfinished = join(this.#folder, `unfinished-${randomUUID()}`);
    const collector = new FolderCollector(unfinished);
    const command = library.command.map((word) => word.replace("{compiler}", () => pathInside(spec, compiler)));
    const runtime = { ...spec, command, pooling: "cold" as const, env: { ...spec.env, ...library.env }, reservesMemory: true };
    const artifacts = { maxBytes: gibibyte, maxFiles: 100_000 };
    const job = { tier, tenant: "", runtime, entrypoint: "", files: [], limits, artifacts, signal: new AbortController().signal };
    try {
      const { exit, messages } = await runCompiler(job, collector, this.#sandboxes);
      if (exit.exitCode !== 0) throw new Error(`exit code ${exit.exitCode}: ${messages.slice(-2000)}`);
      renameSync(unfinished, folder);
      this.#sandboxes.warm([withLibrary({ spec, compile }, folder)]);
      return true;
    } catch (error) {
      this.#logger.warn({ err: error, runtime: spec.name }, "a standard library could not be compiled ahead");
      return false;
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }
}

function withLibrary({ spec, compile }: Pick<CompiledRuntime, "spec" | "compile">, folder: string): RuntimeSpec {
  const target = compile.library?.target ?? "/opt/library";
  return { ...spec, name: `${spec.name}+library`, mounts: [...spec.mounts, { source: folder, target }] };
}

/** Writes what a sandbox sends into a folder, for anybody to read. */
class FolderCollector implements OutputCollector {
  readonly #folder: string;
  #file: WriteStream | null = null;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  }

  async begin(path: string): Promise<void> {
    await this.end();
    const problem = pathProblem(path);
    if (problem !== null) throw new Error(`${path} ${problem}`);
    const target = join(this.#folder, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    this.#file = createWriteStream(target, { mode: 0o644, flags: "wx" });
    await once(this.#file, "open");
  }

  async data(chunk: Buffer): Promise<void> {
    if (this.#file !== null && !this.#file.write(chunk)) await once(this.#file, "drain");
  }

  skip(path: string, reason: string): void {
    throw new Error(`${path}: ${reason}`);
  }

  async end(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    if (file !== null) await finished(file.end());
  }

  async abandon(): Promise<void> {
    this.#file?.destroy();
    this.#file = null;
  }
}
