import type { RunError } from "@syla/contracts/runs";
import type { RuntimeSpec, SandboxLimits } from "@syla/sandbox/spec";
import { z } from "zod";
import type { Blobs } from "../../platform/blobs.ts";
import { databaseError, type Database } from "../../platform/database.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Sandboxes } from "../../sandboxes/service.ts";
import type { InstalledRuntime } from "../../runtimes/service.ts";
import { ArtifactCollector } from "../artifact-collector.ts";
import { inputEntries } from "../input-files.ts";
import { runError } from "../verdict.ts";
import { runCompiler } from "./compiler.ts";
import { judgeCompilation } from "./failure.ts";
import { Libraries } from "./libraries.ts";
import { compilationKey, compileCommand, compiledRuntime, type CompiledRuntime, type CompileRequest } from "./request.ts";
import { insertCompilation, trimCompilations, useCompilation } from "./store.ts";

/** What one owner's compilations may take; what was used longest ago goes first. */
const maxKept = 1000;
const maxKeptBytes = 1024 ** 3;
const keptArtifacts = { maxBytes: 512 * 1024 * 1024, maxFiles: 10_000 };
/** What is compiled is found here, below the workspace. */
const outputFolder = ".compiled";
const executable = 0o755;

/** What came of compiling. */
export interface Compilation {
  /** Null: it can be run. */
  readonly error: RunError | null;
  /** For the program's workspace, next to its own files. */
  readonly files: CompileRequest["files"];
  /** Everything that the compiler said. */
  readonly messages: string;
  /** It was there already. */
  readonly cached: boolean;
  /** What the caller waited, milliseconds. */
  readonly compileMs: number;
  /** The runtime that runs it. */
  readonly spec: RuntimeSpec;
}

/** What compiling is made of. `limits` are the server's, for every compilation. */
export interface CompilationsContext {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly sandboxes: Sandboxes;
  readonly logger: Logger;
  readonly limits: SandboxLimits;
  /** Where compiled standard libraries are kept. */
  readonly librariesFolder: string;
}

const KeptFiles = z.array(z.object({ path: z.string(), size: z.int(), sha256: z.string() }));

type Made = Omit<Compilation, "cached" | "compileMs">;

/** One compilation under way, for everybody who waits for it. */
interface Flight {
  readonly made: Promise<Made>;
  readonly abort: AbortController;
  waiting: number;
}

/** Turns source into what can be run: each tree once for each owner, in a sandbox without network. */
export class Compilations {
  readonly #context: CompilationsContext;
  readonly #libraries: Libraries;
  readonly #flights = new Map<string, Flight>();

  constructor(context: CompilationsContext) {
    this.#context = context;
    this.#libraries = new Libraries(context.librariesFolder, context.sandboxes, context.logger);
  }

  /**
   * Compiles a program, or finds what was made of the same source before. `onStart` is told when it really compiles. Null when the
   * runtime compiles nothing. Once nobody waits any more (`signal`), the compiler is ended.
   *
   * @throws SandboxError, AppError `storage_full`, the signal's reason
   */
  async compile(request: CompileRequest, signal: AbortSignal, onStart: () => void = () => {}): Promise<Compilation | null> {
    const runtime = compiledRuntime(request.runtime);
    if (runtime === null) return null;
    const began = performance.now();
    const command = compileCommand(
      runtime,
      request.entrypoint,
      request.files.map((file) => file.path),
    );
    const key = compilationKey(request, command);
    const found = await this.#find(request, key, runtime);
    if (found !== null) return { ...found, cached: true, compileMs: 0 };
    const taken = request.files.find(({ path }) => path === outputFolder || path.startsWith(`${outputFolder}/`));
    if (taken !== undefined) return { ...refuse(taken.path), cached: false, compileMs: 0, spec: runtime.spec };
    onStart();
    const made = await this.#join(`${request.ownerId} ${key}`, signal, (ended) => this.#make(request, runtime, command, key, ended));
    return { ...made, cached: false, compileMs: Math.round((performance.now() - began) * 100) / 100 };
  }

  /** Those of `runtimes` whose standard library has been compiled, with it. */
  knownLibraries(runtimes: readonly InstalledRuntime[]): RuntimeSpec[] {
    return runtimes.flatMap((runtime) => {
      const compiled = compiledRuntime(runtime);
      const known = compiled === null ? null : this.#libraries.known(compiled);
      return known === null ? [] : [known];
    });
  }

  async #find(request: CompileRequest, key: string, runtime: CompiledRuntime): Promise<Made | null> {
    const { database, blobs } = this.#context;
    const row = await useCompilation(database.queries, request.ownerId, key);
    if (row === undefined) return null;
    const files = KeptFiles.parse(row.files);
    const there = await Promise.all(files.map((file) => blobs.has(file.sha256)));
    if (there.includes(false)) return null;
    return { error: null, files: toInputs(files), messages: row.messages, spec: this.#libraries.known(runtime) ?? runtime.spec };
  }

  /** The same compilation twice at once is done once. */
  async #join(key: string, signal: AbortSignal, start: (ended: AbortSignal) => Promise<Made>): Promise<Made> {
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      const abort = new AbortController();
      const started: Flight = { made: start(abort.signal), abort, waiting: 0 };
      const land = () => void (this.#flights.get(key) === started && this.#flights.delete(key));
      started.made.then(land, land); // whoever waits sees an error
      this.#flights.set(key, (flight = started));
    }
    flight.waiting += 1;
    const given = Promise.withResolvers<never>();
    const giveUp = () => given.reject(signal.reason);
    signal.addEventListener("abort", giveUp);
    try {
      signal.throwIfAborted();
      return await Promise.race([flight.made, given.promise]);
    } finally {
      signal.removeEventListener("abort", giveUp);
      flight.waiting -= 1;
      if (flight.waiting === 0 && signal.aborted) {
        if (this.#flights.get(key) === flight) this.#flights.delete(key); // who comes now starts anew
        flight.abort.abort();
      }
    }
  }

  async #make(request: CompileRequest, runtime: CompiledRuntime, command: string[], key: string, ended: AbortSignal): Promise<Made> {
    const { blobs, sandboxes, limits } = this.#context;
    const began = performance.now();
    const prepared = await this.#libraries.prepare(runtime, request.tier);
    const spec = prepared ?? runtime.spec;
    const env = {
      ...spec.env,
      ...runtime.compile.env,
      ...(prepared === null ? {} : runtime.compile.library?.use),
      ...request.layer?.compileEnv,
    };
    const collector = new ArtifactCollector(blobs, keptArtifacts);
    const job = {
      tier: request.tier,
      tenant: request.ownerId,
      runtime: { ...spec, command, pooling: "cold" as const, env, reservesMemory: true },
      entrypoint: request.entrypoint,
      files: inputEntries(blobs, request.files, request.layer?.links ?? []),
      layers: request.layer === null ? [] : [request.layer.layer],
      limits,
      artifacts: keptArtifacts,
      signal: ended,
    };
    const result = await runCompiler(job, collector, sandboxes);
    const error = judgeCompilation(result, collector, limits, runtime.compile.errors);
    const made = { error, files: toInputs(collector.artifacts), messages: result.messages, spec };
    if (error === null) await this.#keep(request, key, collector, result.messages, performance.now() - began);
    return made;
  }

  /** What cannot be kept is compiled again the next time. */
  async #keep(request: CompileRequest, key: string, collector: ArtifactCollector, messages: string, compileMs: number): Promise<void> {
    const { ownerId, runtime } = request;
    const { queries } = this.#context.database;
    const files = collector.artifacts.map(({ path, size, sha256 }) => ({ path, size, sha256 }));
    try {
      const facts = { language: runtime.definition.name, runtimeVersion: runtime.version, files, messages, compileMs };
      await insertCompilation(queries, { ownerId, key, ...facts });
      await trimCompilations(queries, ownerId, maxKept, maxKeptBytes);
    } catch (error) {
      if (databaseError(error) === undefined) throw error;
      this.#context.logger.warn({ err: error }, "a compilation could not be kept");
    }
  }
}

function refuse(path: string): Pick<Made, "error" | "files" | "messages"> {
  const message = `${path} is in the way: what is compiled goes into the folder ${outputFolder}.`;
  return { error: runError("user_code", "compile_error", { message, hint: "Give that file another name." }), files: [], messages: "" };
}

function toInputs(files: readonly { path: string; size: number; sha256: string }[]): CompileRequest["files"] {
  return files.map(({ path, size, sha256 }) => ({ path: `${outputFolder}/${path}`, size, sha256, mode: executable }));
}
