import { sql, type Selectable } from "kysely";
import type { Queries } from "../../../platform/database.ts";
import type { Schema } from "../../../platform/schema.ts";

export type TreeAnalysisRow = Selectable<Schema["tree_analyses"]>;

/** The process that works on it is gone. */
const isLost = sql<boolean>`(tree_analyses.state = 'running' and (tree_analyses.worker_id is null or not exists (
  select 1 from workers where workers.id = tree_analyses.worker_id and stopped_at is null)))`;

/** What is known of a tree; undefined when nobody asked yet, or whoever worked on it is gone. */
export async function findTreeAnalysis(queries: Queries, tree: string, analyser: string): Promise<TreeAnalysisRow | undefined> {
  return await queries
    .selectFrom("tree_analyses")
    .selectAll()
    .where("tree_sha256", "=", tree)
    .where("analyser", "=", analyser)
    .where(sql<boolean>`not ${isLost}`)
    .executeTakeFirst();
}

/** Takes a tree to be analysed; false when somebody has done that, or is about it. What failed or was cut off is taken again. */
export async function takeTree(queries: Queries, tree: string, analyser: string, workerId: string): Promise<boolean> {
  const { rows } = await sql<{ state: string }>`
    insert into tree_analyses (tree_sha256, analyser, state, worker_id) values (${tree}, ${analyser}, 'running', ${workerId})
    on conflict (tree_sha256, analyser) do update set state = 'running', worker_id = excluded.worker_id, document_sha256 = null,
      error = null, started_at = now(), finished_at = null
    where tree_analyses.state = 'failed' or (tree_analyses.state = 'done' and not tree_analyses.is_complete) or ${isLost}
    returning tree_analyses.state`.execute(queries);
  return rows.length > 0;
}

/** What an analysis told. */
export interface Outcome {
  readonly document: string;
  readonly isComplete: boolean;
  readonly slots: readonly string[];
}

/** Notes what became of an analysis that this process has in hand. */
export async function finishTree(
  queries: Queries,
  tree: string,
  analyser: string,
  workerId: string,
  outcome: Outcome | { readonly error: object },
): Promise<void> {
  const change =
    "error" in outcome
      ? { state: "failed" as const, error: JSON.stringify(outcome.error) }
      : { state: "done" as const, document_sha256: outcome.document, is_complete: outcome.isComplete, slots: [...outcome.slots] };
  await queries
    .updateTable("tree_analyses")
    .set({ ...change, finished_at: new Date() })
    .where("tree_sha256", "=", tree)
    .where("analyser", "=", analyser)
    .where("worker_id", "=", workerId)
    .where("state", "=", "running")
    .execute();
}

/** Gives up what this process has in hand: the next that asks begins anew. */
export async function forgetRunning(queries: Queries, tree: string, analyser: string, workerId: string): Promise<void> {
  await queries
    .deleteFrom("tree_analyses")
    .where("tree_sha256", "=", tree)
    .where("analyser", "=", analyser)
    .where("worker_id", "=", workerId)
    .where("state", "=", "running")
    .execute();
}

/** Keeps what was told of a tree elsewhere, unless it is known. */
export async function insertDone(
  queries: Queries,
  tree: string,
  analyser: string,
  { document, isComplete, slots }: Outcome,
): Promise<void> {
  await sql`insert into tree_analyses (tree_sha256, analyser, state, document_sha256, is_complete, slots, finished_at)
    values (${tree}, ${analyser}, 'done', ${document}, ${isComplete}, ${[...slots]}::text[], now()) on conflict do nothing`.execute(
    queries,
  );
}
