import type { RunStatus } from "@syla/contracts/runs";
import { sql, type Selectable } from "kysely";
import { z } from "zod";
import { sharedWith, type Viewer } from "../access/service.ts";
import type { Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

export type NodeRow = Selectable<Schema["node_runs"]>;

/** Columns of a value. */
interface ValueColumns {
  readonly text: string;
  readonly sha256: string | null;
  readonly bytes: number | null;
}

/** What making a result had taken of models. */
export const SavedLlm = z.object({
  calls: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  cost: z.number().nullable(),
});
export type SavedLlm = z.infer<typeof SavedLlm>;

/** What a batch of reports makes of one node. */
export interface NodeChange {
  readonly path: string;
  readonly seq: number;
  readonly state: NodeRow["state"];
  /** It begins in this batch: nothing stays of what was there. */
  readonly begins: boolean;
  /** How often it begins in this batch. */
  readonly begun: number;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly inputs: ValueColumns | null;
  readonly output: ValueColumns | null;
  readonly error: object | null;
  readonly resultKey: string | null;
  readonly sourceRunId: string | null;
  readonly pinned: boolean;
  readonly savedMs: number | null;
  readonly savedLlm: SavedLlm | null;
  readonly message: string | null;
}

/** A result that is kept: JSON, or where it is. */
export interface KeptResult {
  readonly run_id: string;
  readonly output: string;
  readonly output_sha256: string | null;
  readonly output_bytes: number | null;
  readonly ms: number | null;
  /** The node that has it, which may have taken it from another one itself. */
  readonly holder: string;
  readonly path: string;
  readonly state: NodeRow["state"];
  readonly saved_llm: object | null;
}

/** The run, held as it is until the transaction ends. Undefined when it is not in that attempt, or does not run. */
export async function holdRunning(work: Work, runId: string, attempt: number): Promise<{ id: string } | undefined> {
  return await work
    .selectFrom("runs")
    .select("id")
    .where("id", "=", runId)
    .where("attempt", "=", attempt)
    .where("status", "in", ["starting", "running"])
    .forShare()
    .executeTakeFirst();
}

export async function findRunConfig(queries: Queries, runId: string): Promise<{ owner_id: string; config: object } | undefined> {
  return await queries.selectFrom("runs").select(["owner_id", "config"]).where("id", "=", runId).executeTakeFirst();
}

/**
 * Writes what was reported of nodes, each once: what a row has from a later report stays. What succeeded in an earlier attempt of the same run and
 * is taken again stays as it was. @returns the rows that have changed
 */
export async function writeNodes(work: Work, runId: string, attempt: number, changes: readonly NodeChange[]): Promise<NodeRow[]> {
  const rows = changes.map((change) => ({
    path: change.path,
    seq: change.seq,
    state: change.state,
    begins: change.begins,
    begun: change.begun,
    started_at: change.startedAt,
    ended_at: change.endedAt,
    inputs: change.inputs?.text ?? null,
    inputs_sha256: change.inputs?.sha256 ?? null,
    inputs_bytes: change.inputs?.bytes ?? null,
    output: change.output?.text ?? null,
    output_sha256: change.output?.sha256 ?? null,
    output_bytes: change.output?.bytes ?? null,
    error: change.error,
    result_key: change.resultKey,
    source_run_id: change.sourceRunId,
    pinned: change.pinned,
    saved_ms: change.savedMs,
    saved_llm: change.savedLlm,
    message: change.message,
  }));
  const keeps = sql.raw(
    "(e.state = 'reused' and n.source_run_id is not distinct from null and e.source_run_id = n.run_id and n.state = 'succeeded')",
  );
  const either = (column: string) => sql.raw(`case when e.begins then e.${column} else coalesce(e.${column}, n.${column}) end`);
  const { rows: written } = await sql<NodeRow>`
    with e as (select * from jsonb_to_recordset(${toStorable(rows)}::jsonb) as e(path text, seq integer, state text, begins boolean, begun integer, started_at timestamptz,
      ended_at timestamptz, inputs text, inputs_sha256 text, inputs_bytes bigint, output text, output_sha256 text, output_bytes bigint, error jsonb,
      result_key text, source_run_id text, pinned boolean, saved_ms double precision, saved_llm jsonb, message text)),
    fresh as (insert into node_runs (run_id, path, attempt, seq, state, attempts, started_at, ended_at, inputs, inputs_sha256, inputs_bytes, output,
        output_sha256, output_bytes, error, result_key, source_run_id, pinned, saved_ms, saved_llm, message)
      select ${runId}, path, ${attempt}, seq, state, least(begun, 32767), started_at, ended_at, inputs, inputs_sha256,
        inputs_bytes, output, output_sha256, output_bytes, error, result_key, source_run_id, pinned, saved_ms, saved_llm, message from e
      where not exists (select from node_runs n where n.run_id = ${runId} and n.path = e.path)
      on conflict do nothing returning *),
    changed as (update node_runs n set attempt = ${attempt}, seq = e.seq,
        state = case when ${keeps} then n.state else e.state end,
        attempts = least(n.attempts + case when ${keeps} then 0 else e.begun end, 32767),
        started_at = case when ${keeps} then n.started_at else ${either("started_at")} end,
        ended_at = case when ${keeps} then n.ended_at else e.ended_at end,
        inputs = ${either("inputs")}, inputs_sha256 = case when e.begins or e.inputs is not null then e.inputs_sha256 else n.inputs_sha256 end,
        inputs_bytes = case when e.begins or e.inputs is not null then e.inputs_bytes else n.inputs_bytes end,
        output = e.output, output_sha256 = e.output_sha256, output_bytes = e.output_bytes, error = e.error,
        result_key = e.result_key,
        source_run_id = case when ${keeps} then n.source_run_id else e.source_run_id end, pinned = e.pinned,
        saved_ms = case when ${keeps} then n.saved_ms else e.saved_ms end,
        saved_llm = case when ${keeps} then n.saved_llm else e.saved_llm end, message = coalesce(e.message, n.message)
      from e where n.run_id = ${runId} and n.path = e.path and (${attempt}, e.seq) > (n.attempt, n.seq) returning n.*)
    select * from fresh union all select * from changed`.execute(work);
  return written;
}

/** JSON as PostgreSQL takes it. Texts of values hold no NUL: JSON writes it in another way. */
function toStorable(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) =>
    typeof entry === "string" ? entry.replaceAll("\0", "\u{fffd}").toWellFormed() : entry,
  );
}

export async function countNodes(queries: Queries, runId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from node_runs where run_id = ${runId}`.execute(queries);
  return rows[0]?.count ?? 0;
}

/** The newest result that is kept under a key. */
export async function findKept(queries: Queries, resultKey: string): Promise<KeptResult | undefined> {
  const { rows } = await sql<KeptResult>`
    select coalesce(source_run_id, run_id) as run_id, run_id as holder, path, state, saved_llm, output, output_sha256, output_bytes,
      coalesce(saved_ms, extract(epoch from ended_at - started_at) * 1000) as ms
    from node_runs where result_key = ${resultKey} and output is not null and state in ('succeeded', 'reused')
    order by ended_at desc nulls last limit 1`.execute(queries);
  return rows[0];
}

export async function listNodes(queries: Queries, runId: string): Promise<(NodeRow & { decided_by_name: string | null })[]> {
  return await queries
    .selectFrom("node_runs as n")
    .leftJoin("users as u", "u.id", "n.decided_by")
    .selectAll("n")
    .select("u.name as decided_by_name")
    .where("n.run_id", "=", runId)
    .orderBy("n.path")
    .execute();
}

/** Those of the paths of which something is known. */
export async function findPaths(queries: Queries, runId: string, paths: readonly string[]): Promise<string[]> {
  const rows = await queries
    .selectFrom("node_runs")
    .select("path")
    .where("run_id", "=", runId)
    .where((where) => where("path", "=", where.fn.any(where.val([...paths]))))
    .execute();
  return rows.map(({ path }) => path);
}

export async function findNodes(queries: Queries, runId: string, paths: readonly string[]): Promise<NodeRow[]> {
  return await queries
    .selectFrom("node_runs")
    .selectAll()
    .where("run_id", "=", runId)
    .where((where) => where("path", "=", where.fn.any(where.val([...paths]))))
    .execute();
}

/** What a trace shows of nodes, in the order in which they began. Those that have not begun are not among them. */
export async function listTraced(queries: Queries, runId: string) {
  return await queries
    .selectFrom("node_runs")
    .select(["path", "state", "error", "started_at", "ended_at", "saved_ms", "saved_llm"])
    .where("run_id", "=", runId)
    .where("started_at", "is not", null)
    .orderBy("started_at")
    .orderBy("seq")
    .execute();
}

export async function findNode(queries: Queries, runId: string, path: string): Promise<NodeRow | undefined> {
  return await queries.selectFrom("node_runs").selectAll().where("run_id", "=", runId).where("path", "=", path).executeTakeFirst();
}

/** Whether an attempt at a run asked somebody to decide, who may have done so meanwhile. */
export async function wasAsked(queries: Queries, { id, attempt }: { readonly id: string; readonly attempt: number }): Promise<boolean> {
  const found = await queries
    .selectFrom("node_runs")
    .select("path")
    .where("run_id", "=", id)
    .where("attempt", "=", attempt)
    .where("message", "is not", null)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/** The path of the first node that failed by itself, as did all that it lies in, after it: what those went on without is passed over. */
export async function failedNode(queries: Queries, runId: string): Promise<string | null> {
  const rows = await queries
    .selectFrom("node_runs")
    .select("path")
    .where("run_id", "=", runId)
    .where("state", "=", "failed")
    .orderBy("ended_at")
    .orderBy("seq")
    .execute();
  const failed = new Set(rows.map(({ path }) => path));
  return rows.find(({ path }) => around(path).every((other) => failed.has(other)))?.path ?? null;
}

/** The nodes that a node lies in, without the turns of the last one: a turn has no row of its own. */
function around(path: string): string[] {
  const ids = path.split("/");
  return ids.slice(1).map((_, index) =>
    ids
      .slice(0, index + 1)
      .join("/")
      .replace(/\[\d+\]$/, ""),
  );
}

/** The nodes of a run where somebody has to decide. */
export async function listWaiting(queries: Queries, runId: string): Promise<Pick<NodeRow, "path" | "message">[]> {
  return await queries
    .selectFrom("node_runs")
    .select(["path", "message"])
    .where("run_id", "=", runId)
    .where("state", "=", "waiting")
    .orderBy("started_at")
    .orderBy("path")
    .execute();
}

export interface ApprovalRow extends Pick<NodeRow, "path" | "message" | "inputs" | "inputs_sha256" | "inputs_bytes" | "started_at"> {
  readonly run_id: string;
  readonly composition_id: string | null;
  readonly composition_name: string | null;
  readonly owner_id: string;
  readonly owner_name: string | null;
}

/** Where runs wait that somebody may decide, of the newest run first, after a run and a path. */
export async function listApprovals(
  queries: Queries,
  viewer: Viewer,
  { limit, after }: { readonly limit: number; readonly after: readonly [runId: string, path: string] | null },
): Promise<ApprovalRow[]> {
  const [runId, path] = after ?? [null, null];
  const { rows } = await sql<ApprovalRow>`
    select n.run_id, n.path, n.message, n.inputs, n.inputs_sha256, n.inputs_bytes, n.started_at, runs.owner_id, u.name as owner_name,
      runs.config #>> '{composition,id}' as composition_id, runs.config #>> '{composition,name}' as composition_name
    from node_runs n join runs on runs.id = n.run_id left join users u on u.id = runs.owner_id
    where n.state = 'waiting' and runs.status = 'waiting' and (runs.owner_id = ${viewer.userId} or ${sharedWith(viewer, "run", "edit")})
      and (${runId}::text is null or n.run_id < ${runId} or (n.run_id = ${runId} and n.path collate "C" > ${path}))
    order by n.run_id desc, n.path collate "C" limit ${limit + 1}`.execute(queries);
  return rows;
}

/** Locks the run, so that two who decide at once come one after the other. */
export async function lockRun(work: Work, runId: string): Promise<{ status: RunStatus } | undefined> {
  return await work.selectFrom("runs").select("status").where("id", "=", runId).forUpdate().executeTakeFirst();
}

/** Writes what somebody decided of a node that waits. Undefined when it does not. */
export async function decide(
  work: Work,
  runId: string,
  { path, approved, comment, by, output }: { path: string; approved: boolean; comment: string; by: string; output: ValueColumns },
): Promise<NodeRow | undefined> {
  return await work
    .updateTable("node_runs")
    .set({
      state: "succeeded",
      approved,
      comment,
      decided_by: by,
      decided_at: sql<Date>`now()`,
      ended_at: sql<Date>`now()`,
      output: output.text,
      output_sha256: output.sha256,
      output_bytes: output.bytes,
    })
    .where("run_id", "=", runId)
    .where("path", "=", path)
    .where("state", "=", "waiting")
    .returningAll()
    .executeTakeFirst();
}

/** What was decided before of the same value, in this run or in those that it goes on from. */
export async function findDecision(queries: Queries, runId: string, path: string): Promise<NodeRow | undefined> {
  return await queries
    .selectFrom("node_runs")
    .selectAll()
    .where("run_id", "=", runId)
    .where("path", "=", path)
    .where("approved", "is not", null)
    .executeTakeFirst();
}

/** Another value is to be decided of: what was said of the one before does not count for it. */
export async function forgetDecision(work: Work, runId: string, path: string): Promise<void> {
  await work
    .updateTable("node_runs")
    .set({ approved: null, comment: null, decided_by: null, decided_at: null })
    .where("run_id", "=", runId)
    .where("path", "=", path)
    .execute();
}
