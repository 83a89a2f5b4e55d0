import { hash } from "node:crypto";
import { AnalysisDocument, type Analysis } from "@syla/contracts/analysis";
import { AppError } from "@syla/contracts/errors";
import { RunInput, type FileInput, type Run } from "@syla/contracts/runs";
import type { Actor } from "../../access/actor.ts";
import type { ResultCache } from "../../cache/service.ts";
import type { Blobs } from "../../platform/blobs.ts";
import type { Runs } from "../../runs/service.ts";
import type { Runtimes } from "../../runtimes/service.ts";
import { analyserEntrypoint, analyserFolder, readAnalyser } from "./analyser-files.ts";

const mebibyte = 1024 * 1024;
const resultName = "analysis.json";
/** The analyser keeps to half of it. */
const maxResultBytes = 16 * mebibyte;
/** The analyser stops by itself before `wallMs`, and keeps each of its readers below `memoryBytes`. */
const limits = { wallMs: 120_000, cpus: 2, memoryBytes: 1024 * mebibyte, processes: 16, outputBytes: 64 * 1024 };
const keptMs = 30 * 86_400_000;

/** What analyses are made of. */
export interface AnalysesContext {
  readonly runs: Pick<Runs, "submit" | "get" | "artifacts">;
  readonly runtimes: Pick<Runtimes, "list">;
  readonly blobs: Pick<Blobs, "get" | "has">;
  readonly cache: Pick<ResultCache, "clear">;
}

interface GivenTree {
  readonly files: readonly FileInput[];
  readonly known: ReadonlyMap<string, number> | undefined;
}

/** Tells what a tree of files is without running any of it: a run of kind `analysis`, whose result equal trees share. */
export class Analyses {
  readonly #context: AnalysesContext;
  readonly #analyser = readAnalyser();
  /** What a result depends on besides the tree: the analyser itself. */
  readonly analyser = hash("sha256", JSON.stringify(this.#analyser));

  constructor(context: AnalysesContext) {
    this.#context = context;
  }

  /**
   * `known`: the sizes, by hash, of content that the actor may read though somebody else has uploaded it.
   *
   * @throws AppError `invalid_path`, `blob_unknown`, `runtime_unavailable`, `queue_full`, `quota_exceeded`, `analysis_failed`
   */
  async analyse(actor: Actor, files: readonly FileInput[], signal: AbortSignal, known?: ReadonlyMap<string, number>): Promise<Analysis> {
    requireFreeFolder(files);
    const tree = { files, known };
    const first = await this.#run(actor, tree, true, signal);
    const found = await this.#read(actor, first);
    const run = found === null && first.cached ? await this.#run(actor, tree, false, signal) : first;
    const document = found ?? (await this.#read(actor, run));
    if (document === null) throw failed(run, "The analyser left no result.");
    // A busy machine is no reason to tell the same for a month.
    if (!document.complete) await this.#context.cache.clear(actor, run.id);
    return { ...document, runId: run.id, cached: run.cached };
  }

  /** What an analysis told, for whoever may see its run. @throws AppError `not_found`, `analysis_failed` */
  async get(actor: Actor, runId: string): Promise<Analysis> {
    const run = await this.#context.runs.get(actor, runId);
    const document = run.kind === "analysis" ? await this.#read(actor, run) : null;
    if (document === null) throw new AppError("not_found");
    return { ...document, runId, cached: false };
  }

  async #run(actor: Actor, { files, known }: GivenTree, cache: boolean, signal: AbortSignal): Promise<Run> {
    const input = RunInput.parse({
      language: this.#language(),
      entrypoint: analyserEntrypoint,
      args: [".", `/output/${resultName}`],
      limits,
      cache: cache ? { ttlMs: keptMs } : false,
    });
    const tree = { ...input, files: [...files, ...this.#analyser] };
    const run = await this.#context.runs.submit(actor, tree, {
      kind: "analysis",
      idempotencyKey: null,
      wait: true,
      signal,
      ...(known === undefined ? {} : { known }),
    });
    if (run.status === "succeeded") return run;
    if (run.error?.class === "infrastructure") throw new AppError("sandbox_unavailable", { message: run.error.message });
    throw failed(run, run.error?.message ?? `The run was ${run.status}.`);
  }

  /** The newest Python there is: it reads the syntax of all before it. */
  #language(): string {
    const python = this.#context.runtimes.list().find(({ name }) => name === "python");
    const newest = python?.versions.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }))[0];
    return newest === undefined || newest === python?.version ? "python" : `python@${newest}`;
  }

  /** Null when there is no result any more. What is no result of the analyser is not believed. */
  async #read(actor: Actor, run: Run): Promise<AnalysisDocument | null> {
    const { runs, blobs } = this.#context;
    const artifact = (await runs.artifacts(actor, run.id)).find(({ path }) => path === resultName);
    if (artifact === undefined || !(await blobs.has(artifact.sha256))) return null;
    if (artifact.size > maxResultBytes) throw failed(run, "The result is too large.");
    const parsed = AnalysisDocument.safeParse(parseJson((await blobs.get(artifact.sha256)).toString()));
    if (!parsed.success) throw failed(run, "The result is none of the analyser.");
    return parsed.data;
  }
}

function requireFreeFolder(files: readonly FileInput[]): void {
  const index = files.findIndex(({ path }) => path === analyserFolder || path.startsWith(`${analyserFolder}/`));
  if (index < 0) return;
  throw new AppError("invalid_path", {
    message: `A file path is not allowed: ${analyserFolder} is the analyser's own folder.`,
    hint: "Leave that folder out.",
    fields: [{ path: `files.${index}.path`, message: "is in the analyser's own folder" }],
  });
}

function failed(run: Run, message: string): AppError {
  return new AppError("analysis_failed", { message: `The files could not be analysed. ${message}`, details: { runId: run.id } });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
