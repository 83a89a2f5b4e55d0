import { hash } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import type { BulkAction, BulkRunsInput, BulkRunsResult } from "@syla/contracts/run-controls";
import { isFinal, type Run } from "@syla/contracts/runs";
import type { Actor } from "../../access/actor.ts";
import { requirePermission } from "../../access/service.ts";
import type { ResultCache } from "../../cache/service.ts";
import type { Database } from "../../platform/database.ts";
import { readCursor, toCursor, toPage } from "../../platform/page-cursor.ts";
import { settling } from "../../quotas/service.ts";
import type { RunAction, Runs } from "../service.ts";
import type { RunRow } from "../store.ts";
import { deleteRuns, findForBulk, giveBackToKeys, setPinned } from "./store.ts";

const dayMs = 86_400_000;
const runId = /^run_[0-9a-z]{26}$/;

/** What the controls act with. */
export interface RunControlsContext {
  readonly database: Database;
  readonly cache: Pick<ResultCache, "dropRuns" | "forget">;
  readonly runs: Pick<Runs, "require" | "present" | "cancel" | "rerun" | "allRecorded">;
}

/** A part of many. `key`: that of the request; `admit` is awaited before each run that is started. */
interface BulkOptions {
  readonly key: string | null;
  readonly signal: AbortSignal;
  readonly admit: () => Promise<void>;
  /** Told of each run that was begun. */
  readonly onRerun: (run: Run) => void;
}

interface Page {
  readonly ids: readonly string[];
  readonly remaining: number;
  readonly nextCursor: string | null;
}

/** Where to go on when nothing was done from this place on. */
function restFrom({ ids, remaining }: Page, place: number): Pick<Page, "remaining" | "nextCursor"> {
  const last = ids.slice(0, place).findLast((id) => runId.test(id));
  return { remaining: remaining + ids.length - place, nextCursor: last === undefined ? null : toCursor(last) };
}

/** What is done to runs that are there: kept, deleted, and many at once. */
export class RunControls {
  readonly #context: RunControlsContext;

  constructor(context: RunControlsContext) {
    this.#context = context;
  }

  /** Keeps the log and the artifacts of a run for good, or as long as those of others. */
  async pin(actor: Actor, id: string, pinned: boolean): Promise<Run> {
    const { runs, database } = this.#context;
    await runs.require(actor, id, "run:pin");
    const row = await setPinned(database.queries, id, pinned);
    if (row === undefined) throw new AppError("not_found");
    return await runs.present(row);
  }

  /** Deletes a run with all that is its own. @throws AppError `run_unfinished` */
  async delete(actor: Actor, id: string): Promise<void> {
    const row = await this.#requireEnded(actor, id, "run:delete");
    if (!(await this.#delete([row])).has(id)) throw new AppError("not_found");
  }

  /** Deletes runs that may be. Answers which were there. */
  async #delete(rows: readonly RunRow[]): Promise<ReadonlySet<string>> {
    const { database, cache } = this.#context;
    if (rows.length === 0) return new Set();
    const ids = rows.map(({ id }) => id);
    const owners = [...new Set(rows.map((row) => row.owner_id))];
    // Two days: what is counted for a day is counted in the person's time zone.
    const since = new Date(Date.now() - 2 * dayMs);
    const { deleted, cached } = await database.queries.transaction().execute(async (work) => {
      // People before what is counted of keys: so do those who begin and end runs.
      const gone = await settling(work, owners, () => deleteRuns(work, ids, since));
      await giveBackToKeys(work, gone);
      return { deleted: gone, cached: await cache.dropRuns(work, ids) };
    });
    await cache.forget(cached);
    return new Set(deleted.map(({ id }) => id));
  }

  /**
   * One part of many: each run is decided on by itself, and those to be deleted go together. Where the server fails in the middle, the answer ends there, and the next part begins with
   * the run at which it did.
   */
  async bulk(actor: Actor, input: BulkRunsInput, options: BulkOptions): Promise<BulkRunsResult> {
    const prefix = options.key === null ? null : `bulk ${hash("sha256", options.key)} `;
    const page = await this.#page(actor, input, prefix);
    const done: string[] = [];
    const doomed: RunRow[] = [];
    const refused: BulkRunsResult["refused"] = [];
    for (const [place, id] of page.ids.entries()) {
      try {
        if (input.action === "delete") doomed.push(await this.#requireEnded(actor, id, "run:delete"));
        else done.push(await this.#act(actor, input.action, id, { ...options, prefix }));
      } catch (error) {
        if (error instanceof AppError && error.status < 500) refused.push({ id, code: error.code, message: error.message });
        else if (done.length === 0) throw error;
        else return { done, refused, ...restFrom(page, place) };
      }
    }
    const deleted = await this.#delete(doomed);
    const { code, message } = new AppError("not_found");
    for (const { id } of doomed)
      if (deleted.has(id)) done.push(id);
      else refused.push({ id, code, message });
    return { done, refused, remaining: page.remaining, nextCursor: page.nextCursor };
  }

  /** Answers the id of the run that it is now. */
  async #act(
    actor: Actor,
    action: Exclude<BulkAction, "delete">,
    id: string,
    options: BulkOptions & { readonly prefix: string | null },
  ): Promise<string> {
    const { runs } = this.#context;
    if (action === "cancel") return (await runs.cancel(actor, id)).id;
    await this.#requireEnded(actor, id, "run:rerun");
    await options.admit();
    // The same request begun anew makes no second run of one that it has run again.
    const idempotencyKey = options.prefix === null ? null : options.prefix + id;
    const run = await runs.rerun(actor, id, {}, { idempotencyKey, wait: false, signal: options.signal });
    options.onRerun(run);
    return run.id;
  }

  /** `prefix`: of the keys of runs that this request has made before, if it has: it does not find those. */
  async #page(actor: Actor, input: BulkRunsInput, prefix: string | null): Promise<Page> {
    const { ids, filter, limit, action } = input;
    const before = readCursor(input.cursor, runId);
    if (ids !== undefined) {
      const left = [...new Set(ids)].toSorted((a, b) => (a < b ? 1 : -1)).filter((id) => before === null || id < before);
      const { items, nextCursor } = toPage(
        left.slice(0, limit + 1),
        limit,
        (id) => id,
        (id) => id,
      );
      return {
        ids: items,
        nextCursor: nextCursor !== null && runId.test(items.at(-1) ?? "") ? nextCursor : null,
        remaining: left.length - items.length,
      };
    }
    if (filter?.owner === "all") requirePermission(actor, "run:list-all");
    if ([filter?.q, filter?.language, filter?.status].some((text) => text?.includes("\0") === true))
      return { ids: [], nextCursor: null, remaining: 0 };
    await this.#context.runs.allRecorded();
    const found = await findForBulk(this.#context.database.queries, { action, filter }, actor, { before, limit: limit + 1, prefix });
    const { items, nextCursor } = toPage(
      found.ids,
      limit,
      (id) => id,
      (id) => id,
    );
    return { ids: items, nextCursor, remaining: found.total - items.length };
  }

  async #requireEnded(actor: Actor, id: string, action: RunAction): Promise<RunRow> {
    const row = await this.#context.runs.require(actor, id, action);
    if (!isFinal(row.status)) throw new AppError("run_unfinished");
    return row;
  }
}
