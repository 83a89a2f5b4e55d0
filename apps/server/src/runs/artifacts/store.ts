import { sql, type Insertable, type Selectable } from "kysely";
import type { Queries } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";

export type ArtifactRow = Selectable<Schema["artifacts"]>;

/** So many rows go into one statement. */
const rowsAtOnce = 1000;

/** Writes the artifacts of a run; those that are there already stay as they are. */
export async function insertArtifacts(queries: Queries, artifacts: readonly Insertable<Schema["artifacts"]>[]): Promise<void> {
  for (let from = 0; from < artifacts.length; from += rowsAtOnce)
    await queries
      .insertInto("artifacts")
      .values(artifacts.slice(from, from + rowsAtOnce))
      .onConflict((conflict) => conflict.columns(["run_id", "path"]).doNothing())
      .execute();
}

/** Which artifacts, in the order of their paths. */
export interface ArtifactPage {
  /** The path before the first one. */
  readonly after?: string | null;
  readonly limit?: number;
  /** A part of a path, whatever its case. */
  readonly part?: string | undefined;
}

export async function listArtifacts(queries: Queries, runId: string, { after, limit, part }: ArtifactPage = {}): Promise<ArtifactRow[]> {
  return await queries
    .selectFrom("artifacts")
    .selectAll()
    .where("run_id", "=", runId)
    .$if(after != null, (query) => query.where("path", ">", after ?? ""))
    .$if(part !== undefined && part !== "", (query) => query.where(sql<boolean>`position(lower(${part}) in lower(path)) > 0`))
    .orderBy("path")
    .$if(limit !== undefined, (query) => query.limit(limit ?? 0))
    .execute();
}

export async function findArtifact(queries: Queries, runId: string, id: string): Promise<ArtifactRow | undefined> {
  return await queries.selectFrom("artifacts").selectAll().where("run_id", "=", runId).where("id", "=", id).executeTakeFirst();
}

/** From now on no link to the run's artifacts that was made before is worth anything. */
export async function endLinks(queries: Queries, runId: string): Promise<void> {
  const now = sql<Date>`clock_timestamp()`;
  await queries
    .insertInto("artifact_link_ends")
    .values({ run_id: runId, ended_at: now })
    .onConflict((conflict) => conflict.column("run_id").doUpdateSet({ ended_at: now }))
    .execute();
}

/** The time by the clock that {@link endLinks} goes by: those of several servers differ. */
export async function readClock(queries: Queries): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(queries);
  return rows[0]?.now ?? new Date();
}

/** Until when links to the run's artifacts have been revoked; null when none has. */
export async function findLinksEnd(queries: Queries, runId: string): Promise<Date | null> {
  const row = await queries.selectFrom("artifact_link_ends").select("ended_at").where("run_id", "=", runId).executeTakeFirst();
  return row?.ended_at ?? null;
}
