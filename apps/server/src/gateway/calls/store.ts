import { sql, type RawBuilder, type Selectable } from "kysely";
import type { Queries, Work } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";
import type { HeldScope } from "../../spend/service.ts";
import { countCalls } from "../../usage/service.ts";

/** A call as it begins. */
export interface NewCall {
  readonly id: string;
  readonly runId: string | null;
  readonly sandboxId: string | null;
  /** The node of the run's composition that calls, as it says. */
  readonly nodePath: string | null;
  readonly programId: string | null;
  readonly userId: string;
  readonly modelId: string;
  readonly modelName: string;
  readonly modelOwnerId: string;
  readonly provider: string;
  readonly upstreamModel: string;
  readonly credentialId: string | null;
  readonly protocol: string;
  readonly operation: string;
  readonly streamed: boolean;
  readonly reserved: number;
  readonly scopes: readonly HeldScope[];
  readonly requestSha256: string | null;
  readonly requestText: string | null;
  readonly traceId: string | null;
}

export async function insertCall(work: Work, call: NewCall): Promise<void> {
  await work
    .insertInto("llm_calls")
    .values({
      id: call.id,
      run_id: call.runId,
      sandbox_id: call.sandboxId,
      node_path: call.nodePath,
      program_id: call.programId,
      user_id: call.userId,
      model_id: call.modelId,
      model_name: call.modelName,
      model_owner_id: call.modelOwnerId,
      team_id: sql<string | null>`team_of(${call.modelOwnerId}, ${call.programId})`,
      provider: call.provider,
      upstream_model: call.upstreamModel,
      credential_id: call.credentialId,
      // A credential is used by things of its own owner alone.
      credential_owner_id: call.credentialId === null ? null : call.modelOwnerId,
      protocol: call.protocol,
      operation: call.operation,
      streamed: call.streamed,
      status: "running",
      reserved: call.reserved,
      scopes: JSON.stringify(call.scopes),
      request_sha256: call.requestSha256,
      request_text: call.requestText,
      trace_id: call.traceId,
    })
    .execute();
}

/** A request to a provider: when after the beginning of the call, how long until its answer began, and what that was. */
export interface SentRequest {
  readonly at: number;
  readonly ms: number;
  readonly status: number | null;
  /** Why there was no answer. */
  readonly code: string | null;
}

/** How a call ended. */
export interface CallEnd {
  readonly status: "succeeded" | "failed" | "cancelled" | "refused" | "lost";
  readonly httpStatus: number | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly attempts: number;
  /** What was sent to the provider, as far as it was answered. */
  readonly sent: readonly SentRequest[];
  readonly cached: boolean;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cachedTokens: number | null;
  readonly reasoningTokens: number | null;
  readonly isEstimate: boolean;
  readonly cost: number | null;
  readonly priceVersion: number | null;
  readonly responseSha256: string | null;
  readonly responseText: string | null;
  readonly firstByteMs: number | null;
  readonly totalMs: number | null;
}

/** Ends a call that goes on, and counts it. Undefined: it had ended already. */
export async function endCall(work: Work, id: string, end: CallEnd): Promise<{ reserved: number; scopes: HeldScope[] } | undefined> {
  const ended = work
    .updateTable("llm_calls")
    .set({
      status: end.status,
      http_status: end.httpStatus,
      error_code: end.errorCode,
      error_message: end.errorMessage,
      attempts: end.attempts,
      attempt_log: end.sent.length === 0 ? null : JSON.stringify(end.sent),
      cached: end.cached,
      input_tokens: end.inputTokens,
      output_tokens: end.outputTokens,
      cached_tokens: end.cachedTokens,
      reasoning_tokens: end.reasoningTokens,
      is_estimate: end.isEstimate,
      cost: end.cost,
      currency: end.cost === null ? null : "USD",
      price_version: end.priceVersion,
      response_sha256: end.responseSha256,
      response_text: end.responseText,
      first_byte_ms: end.firstByteMs,
      total_ms: end.totalMs,
    })
    .where("id", "=", id)
    .where("status", "=", "running")
    .returningAll();
  const row = await work
    .with("ended", () => ended)
    .with("counted", () => sql`(${sql.raw(countCalls("ended"))})`)
    .selectFrom("ended")
    .select(["reserved", "scopes"])
    .executeTakeFirst();
  return row === undefined ? undefined : { reserved: row.reserved, scopes: row.scopes as HeldScope[] };
}

/** Takes a call that has gone on for longer than any can: the server that made it is gone. */
export async function takeLost(work: Work, before: Date): Promise<{ id: string; reserved: number } | undefined> {
  return await work
    .selectFrom("llm_calls")
    .select(["id", "reserved"])
    .where("status", "=", "running")
    .where("started_at", "<", before)
    .orderBy("started_at")
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
}

/** A call with the names of who called. */
export interface CallRow extends Omit<Selectable<Schema["llm_calls"]>, "scopes"> {
  readonly user_name: string | null;
  /** Of the person or team whose the model is. */
  readonly owner_name: string | null;
}

function selectCalls(queries: Queries) {
  return queries
    .selectFrom("llm_calls as c")
    .leftJoin("users as u", "u.id", "c.user_id")
    .leftJoin("users as o", "o.id", "c.model_owner_id")
    .leftJoin("teams as t", "t.id", "c.model_owner_id")
    .selectAll("c")
    .select(["u.name as user_name", sql<string | null>`coalesce(o.name, t.name)`.as("owner_name")]);
}

/** Whose calls: of a run in their order, or of a model, newest first, all or one person's. */
export type CallFilter =
  | { readonly runId: string; readonly after: string | null; readonly limit: number }
  | { readonly modelId: string; readonly userId: string | null; readonly after: string | null; readonly limit: number };

export async function listCalls(queries: Queries, filter: CallFilter): Promise<CallRow[]> {
  let query = selectCalls(queries);
  if ("runId" in filter) {
    query = query.where("c.run_id", "=", filter.runId).orderBy("c.id", "asc");
    if (filter.after !== null) query = query.where("c.id", ">", filter.after);
  } else {
    query = query.where("c.model_id", "=", filter.modelId).orderBy("c.id", "desc");
    if (filter.userId !== null) query = query.where("c.user_id", "=", filter.userId);
    if (filter.after !== null) query = query.where("c.id", "<", filter.after);
  }
  return await query.limit(filter.limit + 1).execute();
}

export async function findCall(queries: Queries, modelId: string, id: string): Promise<CallRow | undefined> {
  return await selectCalls(queries).where("c.model_id", "=", modelId).where("c.id", "=", id).executeTakeFirst();
}

/** Calls added up. Costs are in billionths of a dollar. */
export interface TotalsRow {
  readonly calls: number;
  readonly failed: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cached_tokens: number;
  readonly cost: number | null;
  readonly unknown_costs: number;
  readonly estimates: number;
}

const totals = sql`count(*)::int as calls, (count(*) filter (where status in ('failed', 'refused', 'lost')))::int as failed,
  coalesce(sum(input_tokens), 0)::bigint as input_tokens, coalesce(sum(output_tokens), 0)::bigint as output_tokens,
  coalesce(sum(cached_tokens), 0)::bigint as cached_tokens, sum(cost)::bigint as cost,
  (count(*) filter (where cost is null and status = 'succeeded'))::int as unknown_costs, (count(*) filter (where is_estimate))::int as estimates`;

const nothing: TotalsRow = {
  calls: 0,
  failed: 0,
  input_tokens: 0,
  output_tokens: 0,
  cached_tokens: 0,
  cost: null,
  unknown_costs: 0,
  estimates: 0,
};

export async function sumOfRun(queries: Queries, runId: string): Promise<TotalsRow> {
  const { rows } = await sql<TotalsRow>`select ${totals} from llm_calls where run_id = ${runId}`.execute(queries);
  return rows[0] ?? nothing;
}

/** By the nodes that made them: those of these paths, or all. */
export async function sumOfNodes(
  queries: Queries,
  runId: string,
  paths: readonly string[] | null,
): Promise<(TotalsRow & { path: string | null })[]> {
  const chosen = paths === null ? sql`` : sql`and node_path = any(${[...paths]}::text[])`;
  const { rows } = await sql<TotalsRow & { path: string | null }>`
    select node_path as path, ${totals} from llm_calls where run_id = ${runId} ${chosen} group by 1`.execute(queries);
  return rows;
}

/** Of a node and of all that lies within it. */
export async function sumWithin(queries: Queries, runId: string, path: string): Promise<TotalsRow> {
  const { rows } = await sql<TotalsRow>`
    select ${totals} from llm_calls where run_id = ${runId}
      and (node_path = ${path} or starts_with(node_path, ${`${path}/`}) or starts_with(node_path, ${`${path}[`}))`.execute(queries);
  return rows[0] ?? nothing;
}

export async function sumOfModel(queries: Queries, modelId: string, since: Date): Promise<TotalsRow> {
  const { rows } = await sql<TotalsRow>`
    select ${totals} from llm_calls where model_id = ${modelId} and started_at >= ${since}`.execute(queries);
  return rows[0] ?? nothing;
}

export async function sumByDay(queries: Queries, modelId: string, since: Date): Promise<(TotalsRow & { day: string })[]> {
  const { rows } = await sql<TotalsRow & { day: string }>`
    select to_char(started_at at time zone 'UTC', 'YYYY-MM-DD') as day, ${totals}
    from llm_calls where model_id = ${modelId} and started_at >= ${since} group by 1 order by 1`.execute(queries);
  return rows;
}

export async function sumByPerson(
  queries: Queries,
  modelId: string,
  since: Date,
): Promise<(TotalsRow & { id: string; name: string | null })[]> {
  const { rows } = await sql<TotalsRow & { id: string; name: string | null }>`
    select c.*, u.name from (
      select user_id as id, ${totals} from llm_calls where model_id = ${modelId} and started_at >= ${since} group by 1
      order by sum(cost) desc nulls last, count(*) desc limit 100) c left join users u on u.id = c.id`.execute(queries);
  return rows;
}

export async function sumByProgram(
  queries: Queries,
  modelId: string,
  since: Date,
): Promise<(TotalsRow & { id: string; name: string | null })[]> {
  const { rows } = await sql<TotalsRow & { id: string; name: string | null }>`
    select c.*, a.name from (
      select program_id as id, ${totals} from llm_calls
      where model_id = ${modelId} and started_at >= ${since} and program_id is not null group by 1
      order by sum(cost) desc nulls last, count(*) desc limit 100) c left join assets a on a.id = c.id`.execute(queries);
  return rows;
}

/** Models that keep what is said for their own time. */
export async function listKeepingModels(queries: Queries): Promise<{ id: string; days: number }[]> {
  const { rows } = await sql<{ id: string; days: number }>`
    select id, (config ->> 'storeDays')::int as days from assets where type = 'model' and (config ->> 'storeDays') is not null order by id`.execute(
    queries,
  );
  return rows;
}

/** Old calls, of one model or of all. */
interface OldCalls {
  readonly before: Date;
  readonly modelId: string | null;
  readonly limit: number;
}

/** Removes the texts of old calls. @returns of each the owner of its model */
export async function expireTexts(queries: Queries, old: OldCalls): Promise<string[]> {
  return await expire(
    queries,
    old,
    sql`(request_text is not null or response_text is not null)`,
    sql`request_text = null, response_text = null`,
  );
}

/** Removes the hashes of old calls. @returns of each the owner of its model */
export async function expireHashes(queries: Queries, old: OldCalls): Promise<string[]> {
  const kept = sql`(request_sha256 is not null or response_sha256 is not null)`;
  return await expire(queries, old, kept, sql`request_sha256 = null, response_sha256 = null`);
}

async function expire(
  queries: Queries,
  { before, modelId, limit }: OldCalls,
  kept: RawBuilder<unknown>,
  change: RawBuilder<unknown>,
): Promise<string[]> {
  const { rows } = await sql<{ owner: string }>`
    update llm_calls set ${change} where id in (
      select id from llm_calls where ${kept} and status <> 'running' and started_at < ${before}
        and (${modelId}::text is null or model_id = ${modelId}) order by started_at limit ${limit} for update skip locked)
    returning model_owner_id as owner`.execute(queries);
  return rows.map(({ owner }) => owner);
}
