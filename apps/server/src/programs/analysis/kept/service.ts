import { AnalysisDocument } from "@syla/contracts/analysis";
import { AppError } from "@syla/contracts/errors";
import type { ProgramAnalysis, TreeAnalysis } from "@syla/contracts/program-analysis";
import { SandboxError } from "@syla/sandbox/spec";
import { z } from "zod";
import type { Actor } from "../../../access/actor.ts";
import type { Catalog } from "../../../catalog/service.ts";
import type { Blobs } from "../../../platform/blobs.ts";
import type { Database } from "../../../platform/database.ts";
import type { Logger } from "../../../platform/logger.ts";
import type { Service } from "../../../platform/service.ts";
import type { Trees } from "../../../platform/trees.ts";
import type { Analyses } from "../service.ts";
import * as store from "./store.ts";

const StoredError = z.object({ code: z.string(), message: z.string(), hint: z.string() });

/** What analyses of programs are made of. */
export interface KeptAnalysesContext {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly trees: Trees;
  readonly catalog: Pick<Catalog, "resolve" | "noteSlots">;
  readonly analyses: Pick<Analyses, "analyse" | "analyser">;
  readonly logger: Logger;
  readonly workerId: string;
}

/** What programs are, kept by their files: a tree is analysed once, and whoever has it sees what was told. */
export class KeptAnalyses implements Service {
  readonly name = "program analyses";
  readonly #context: KeptAnalysesContext;
  readonly #working = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();
  readonly #ended = Promise.withResolvers<void>();

  constructor(context: KeptAnalysesContext) {
    this.#context = context;
  }

  async run(): Promise<void> {
    await this.#ended.promise;
  }

  async drain(): Promise<void> {
    await Promise.all([...this.#working.values()].map((work) => work.done));
    this.#ended.resolve();
  }

  async stop(): Promise<void> {
    for (const { abort } of this.#working.values()) abort.abort(new ServerStopError());
    await this.drain();
  }

  /** @throws AppError `not_found`, `asset_deleted` */
  async get(actor: Actor, id: string, version: string | undefined): Promise<ProgramAnalysis> {
    const program = await this.#context.catalog.resolve(actor, "asset:read", id, version, "program");
    return { programId: id, version: program.version, ...(await this.ofTree(program.tree?.sha256 ?? null)) };
  }

  /** Begins unless it is known or somebody is about it; `count`: what it counts to, which may refuse. @throws AppError */
  async begin(
    actor: Actor,
    id: string,
    version: string | undefined,
    count: () => Promise<void>,
  ): Promise<{ readonly began: boolean; readonly analysis: ProgramAnalysis }> {
    const program = await this.#context.catalog.resolve(actor, "asset:read", id, version, "program");
    const tree = program.tree?.sha256 ?? null;
    const began = tree !== null && (await this.beginTree(actor, tree, count));
    return { began, analysis: { programId: id, version: program.version, ...(await this.ofTree(tree)) } };
  }

  /** Sees to it that programs are found by their slots: as they are known, or, with `isWanted`, once they have been looked for. Never throws. */
  async note(actor: Actor, tree: string, isWanted: boolean): Promise<void> {
    try {
      const known = await this.#find(tree);
      if (known?.state === "done") await this.#context.catalog.noteSlots(tree, known.slots);
      else if (isWanted) await this.beginTree(actor, tree);
    } catch (err) {
      this.#context.logger.warn({ err, tree }, "the slots of a program could not be noted");
    }
  }

  /** Keeps what an import was told of a tree. */
  async keep(tree: string, analysis: AnalysisDocument): Promise<void> {
    await store.insertDone(this.#context.database.queries, tree, this.#context.analyses.analyser, await this.#store(analysis));
  }

  async #find(tree: string): Promise<store.TreeAnalysisRow | undefined> {
    return await store.findTreeAnalysis(this.#context.database.queries, tree, this.#context.analyses.analyser);
  }

  /** The same for files that the actor may read, wherever they are; false when it is known or somebody is about it. @throws AppError */
  async beginTree(actor: Actor, tree: string, count: () => Promise<void> = async () => {}): Promise<boolean> {
    const { database, analyses, workerId } = this.#context;
    const known = await this.#find(tree);
    if (known !== undefined && known.state !== "failed" && (known.state === "running" || known.is_complete)) return false;
    await count();
    if (!(await store.takeTree(database.queries, tree, analyses.analyser, workerId))) return false;
    const abort = new AbortController();
    const done = this.#analyse(actor, tree, abort.signal)
      .catch((err: unknown) => this.#context.logger.warn({ err, tree }, "what became of an analysis could not be noted"))
      .finally(() => this.#working.delete(tree));
    this.#working.set(tree, { abort, done });
    return true;
  }

  async #analyse(actor: Actor, tree: string, signal: AbortSignal): Promise<void> {
    const { database, trees, analyses, catalog, workerId, logger } = this.#context;
    const finish = (outcome: Parameters<typeof store.finishTree>[4]) =>
      store.finishTree(database.queries, tree, analyses.analyser, workerId, outcome);
    try {
      const entries = await trees.read(tree);
      const files = entries.map(({ path, sha256 }) => ({ path, blob: sha256 }));
      const known = new Map(entries.map(({ sha256, size }) => [sha256, size]));
      const outcome = await this.#store(await analyses.analyse(actor, files, signal, known));
      await finish(outcome);
      await catalog.noteSlots(tree, outcome.slots);
    } catch (error) {
      if (signal.aborted) return await store.forgetRunning(database.queries, tree, analyses.analyser, workerId);
      const known = error instanceof AppError ? error : new AppError(error instanceof SandboxError ? "sandbox_unavailable" : "internal");
      if (known.code === "internal") logger.error({ err: error, tree }, "an analysis failed");
      await finish({ error: { code: known.code, message: known.message, hint: known.hint } });
    }
  }

  async #store(analysis: AnalysisDocument): Promise<store.Outcome> {
    const document = AnalysisDocument.parse(analysis);
    const { sha256 } = await this.#context.blobs.put(Buffer.from(JSON.stringify(document)));
    const slots = [...new Set(document.slots.map((slot) => slot.name))];
    return { document: sha256, isComplete: document.complete, slots };
  }

  /** How far files that the asker may read have been analysed. */
  async ofTree(tree: string | null): Promise<TreeAnalysis> {
    const row = tree === null ? undefined : await this.#find(tree);
    if (row === undefined) return { tree, state: "none", analysis: null, error: null, startedAt: null, finishedAt: null };
    const { state, document_sha256: document, error } = row;
    return {
      tree,
      state,
      analysis: document === null ? null : AnalysisDocument.parse(JSON.parse((await this.#context.blobs.get(document)).toString())),
      error: state === "failed" ? StoredError.parse(error) : null,
      startedAt: row.started_at.toISOString(),
      finishedAt: row.finished_at?.toISOString() ?? null,
    };
  }
}

/** The server is stopping: an analysis is not at fault. */
class ServerStopError extends Error {
  override readonly name = "ServerStopError";
}
