import type { EnvironmentError, EnvironmentFilter, EnvironmentPackage, EnvironmentPhase } from "@syla/contracts/environments";
import { sql, type Selectable } from "kysely";
import type { Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

export type EnvironmentRow = Selectable<Schema["environments"]>;
export type LayerRow = Selectable<Schema["environment_layers"]>;

/** Something of an environment has changed; payload: its id. */
export const changedChannel = "environments_changed";

export interface NewEnvironment {
  readonly id: string;
  readonly key: string;
  readonly requestKey: string;
  readonly baseKey: string;
  readonly scope: string | null;
  /** Of an earlier one, whose versions it is to have. */
  readonly lockSha256: string | null;
  readonly manager: EnvironmentRow["manager"];
  readonly language: string;
  readonly runtimeVersion: string;
  readonly platform: string;
  readonly source: string;
  readonly dependencies: readonly string[];
  readonly requestSha256: string;
}

/** Inserts an environment, or answers the one that has its key. */
export async function insertEnvironment(queries: Queries, environment: NewEnvironment): Promise<EnvironmentRow> {
  const { id, key, manager, language, platform, source } = environment;
  const columns = { id, key, manager, language, platform, source };
  return await queries
    .insertInto("environments")
    .values({
      ...columns,
      request_key: environment.requestKey,
      base_key: environment.baseKey,
      scope: environment.scope,
      lock_sha256: environment.lockSha256,
      runtime_version: environment.runtimeVersion,
      dependencies: JSON.stringify(environment.dependencies),
      request_sha256: environment.requestSha256,
    })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ used_at: sql<Date>`now()` }))
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function findEnvironment(queries: Queries, id: string): Promise<EnvironmentRow | undefined> {
  return await queries.selectFrom("environments").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The newest one for a request that has been built, or is the only one. */
export async function findForRequest(queries: Queries, requestKey: string): Promise<EnvironmentRow | undefined> {
  return await queries
    .selectFrom("environments")
    .selectAll()
    .where("request_key", "=", requestKey)
    .orderBy(sql`lock_sha256 is null`)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** One page, newest first; one row more than `filter.limit` tells that there is a next page. `userId` null: everybody's. */
export async function listEnvironments(
  queries: Queries,
  filter: EnvironmentFilter,
  userId: string | null,
  before: string | null,
): Promise<EnvironmentRow[]> {
  let query = queries.selectFrom("environments").selectAll();
  if (userId !== null)
    query = query.where("id", "in", queries.selectFrom("environment_users").select("environment_id").where("user_id", "=", userId));
  if (before !== null) query = query.where("id", "<", before);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  if (filter.language !== undefined) query = query.where("language", "=", filter.language);
  if (filter.q !== undefined) {
    const pattern = `%${filter.q.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    query = query.where((where) => where.or([where("id", "ilike", pattern), where(sql<string>`dependencies::text`, "ilike", pattern)]));
  }
  return await query
    .orderBy("id", "desc")
    .limit(filter.limit + 1)
    .execute();
}

/** Notes that somebody uses it. */
export async function noteUser(queries: Queries, environmentId: string, userId: string): Promise<void> {
  await queries
    .insertInto("environment_users")
    .values({ environment_id: environmentId, user_id: userId })
    .onConflict((conflict) => conflict.columns(["environment_id", "user_id"]).doUpdateSet({ used_at: sql<Date>`now()` }))
    .execute();
}

export async function isUser(queries: Queries, environmentId: string, userId: string): Promise<boolean> {
  const query = queries
    .selectFrom("environment_users")
    .select("user_id")
    .where("environment_id", "=", environmentId)
    .where("user_id", "=", userId);
  return (await query.executeTakeFirst()) !== undefined;
}

/** An environment that somebody wants warm; `user_id`: whoever asked for it first. */
export interface KeptWarm extends Pick<EnvironmentRow, "id" | "language" | "runtime_version" | "state" | "size"> {
  readonly user_id: string;
  /** It lies in the store. */
  readonly is_here: boolean;
}

export async function listKeptWarm(queries: Queries, storeId: string): Promise<KeptWarm[]> {
  const { rows } = await sql<KeptWarm>`
    select distinct on (e.id) e.id, e.language, e.runtime_version, e.state, e.size, u.user_id,
      exists (select 1 from environment_layers l where l.environment_id = e.id and l.store_id = ${storeId}) as is_here
    from environment_users u join environments e on e.id = u.environment_id
    where u.kept_warm_at is not null
    order by e.id, u.kept_warm_at`.execute(queries);
  return rows;
}

/** Who of all wants some environments warm. */
export async function findKeepers(queries: Queries, ids: readonly string[]): Promise<{ environment_id: string; user_id: string }[]> {
  if (ids.length === 0) return [];
  return await queries
    .selectFrom("environment_users")
    .select(["environment_id", "user_id"])
    .where("environment_id", "in", ids)
    .where("kept_warm_at", "is not", null)
    .execute();
}

/** Notes that somebody wants it warm. False: they want `most` others warm already. */
export async function keepWarm(queries: Queries, environmentId: string, userId: string, most: number): Promise<boolean> {
  return await queries.transaction().execute(async (work) => {
    await work.selectFrom("users").select("id").where("id", "=", userId).forUpdate().execute();
    const others = await work
      .selectFrom("environment_users")
      .select("environment_id")
      .where("user_id", "=", userId)
      .where("environment_id", "<>", environmentId)
      .where("kept_warm_at", "is not", null)
      .execute();
    if (others.length >= most) return false;
    await work
      .insertInto("environment_users")
      .values({ environment_id: environmentId, user_id: userId, kept_warm_at: sql<Date>`now()` })
      .onConflict((conflict) =>
        conflict.columns(["environment_id", "user_id"]).doUpdateSet({
          kept_warm_at: sql<Date>`coalesce(environment_users.kept_warm_at, now())`,
        }),
      )
      .execute();
    return true;
  });
}

export async function letCool(queries: Queries, environmentId: string, userId: string): Promise<void> {
  await queries
    .updateTable("environment_users")
    .set({ kept_warm_at: null })
    .where("environment_id", "=", environmentId)
    .where("user_id", "=", userId)
    .execute();
}

/** Which of some environments lie in a store. */
export async function findLayers(queries: Queries, storeId: string, ids: readonly string[]): Promise<LayerRow[]> {
  if (ids.length === 0) return [];
  return await queries
    .selectFrom("environment_layers")
    .selectAll()
    .where("store_id", "=", storeId)
    .where("environment_id", "in", ids)
    .execute();
}

/** The layer of an environment in a store, marked as used now. */
export async function useLayer(queries: Queries, environmentId: string, storeId: string): Promise<LayerRow | undefined> {
  return await queries
    .updateTable("environment_layers")
    .set({ used_at: sql<Date>`now()` })
    .where("environment_id", "=", environmentId)
    .where("store_id", "=", storeId)
    .returningAll()
    .executeTakeFirst();
}

/** One to be built here. The last thing that a build said whose server is gone has the number `last_record`; 0: there is none. */
export type ClaimedEnvironment = EnvironmentRow & { readonly last_record: number };

/** Marks an environment as being built by a worker. Undefined when somebody is at it. */
export async function claimEnvironment(queries: Queries, id: string, workerId: string): Promise<ClaimedEnvironment | undefined> {
  return await queries
    .updateTable("environments")
    .set({
      state: "building",
      phase: "resolve",
      worker_id: workerId,
      error: null,
      building_since: sql<Date>`now()`,
      used_at: sql<Date>`now()`,
    })
    .where("id", "=", id)
    .where("state", "<>", "building")
    .returningAll()
    .returning(
      sql<number>`(select coalesce(max(seq), 0) from environment_build_records r where r.environment_id = environments.id)`.as(
        "last_record",
      ),
    )
    .executeTakeFirst();
}

export async function setBuildPhase(queries: Queries, id: string, workerId: string, phase: EnvironmentPhase): Promise<void> {
  await queries.updateTable("environments").set({ phase }).where("id", "=", id).where("worker_id", "=", workerId).execute();
}

/** A build that has ended well. */
export interface FinishedBuild {
  readonly layer: Pick<LayerRow, "name" | "size" | "file_count" | "digest">;
  readonly storeId: string;
  readonly lockSha256: string;
  readonly logSha256: string | null;
  readonly packages: readonly EnvironmentPackage[];
  readonly buildMs: number;
}

/**
 * Writes the end of a build. Answers the name of the layer that it takes the place of, or null; `undefined` when the build is not the worker's any
 * more: somebody else has it.
 */
export async function finishBuild(
  queries: Queries,
  id: string,
  workerId: string,
  build: FinishedBuild,
): Promise<string | null | undefined> {
  return await queries.transaction().execute(async (work) => {
    const ended = await work
      .updateTable("environments")
      .set((set) => ({
        state: "ready",
        phase: null,
        worker_id: null,
        error: null,
        lock_sha256: build.lockSha256,
        log_sha256: build.logSha256,
        packages: JSON.stringify(build.packages),
        size: build.layer.size,
        build_count: set("build_count", "+", 1),
        build_ms: build.buildMs,
        built_at: sql<Date>`now()`,
      }))
      .where("id", "=", id)
      .where("worker_id", "=", workerId)
      .executeTakeFirst();
    if (ended.numUpdatedRows === 0n) return undefined;
    await forgetBuildRecords(work, id);
    const before = await work
      .deleteFrom("environment_layers")
      .where("environment_id", "=", id)
      .where("store_id", "=", build.storeId)
      .returning("name")
      .executeTakeFirst();
    await work
      .insertInto("environment_layers")
      .values({ ...build.layer, environment_id: id, store_id: build.storeId })
      .execute();
    return before?.name ?? null;
  });
}

/** Writes that a build has failed, or was given up (`error` null). */
export async function failBuild(
  queries: Queries,
  id: string,
  workerId: string,
  error: EnvironmentError | null,
  logSha256: string | null,
): Promise<void> {
  const ended = await queries
    .updateTable("environments")
    .set((set) => ({
      state:
        error === null
          ? sql<"none">`case when exists (select 1 from environment_layers l where l.environment_id = environments.id) then 'ready' else 'none' end`
          : "failed",
      phase: null,
      worker_id: null,
      error: error === null ? null : JSON.stringify(error),
      log_sha256: logSha256,
      build_count: set("build_count", "+", error === null ? 0 : 1),
    }))
    .where("id", "=", id)
    .where("worker_id", "=", workerId)
    .executeTakeFirst();
  if (ended.numUpdatedRows > 0n) await forgetBuildRecords(queries, id);
}

/** A line of what a build says. */
export type BuildRecord = Omit<Selectable<Schema["environment_build_records"]>, "environment_id">;

/** Adds to what a build has said, unless it is not the worker's any more. */
export async function addBuildRecords(queries: Queries, id: string, workerId: string, records: readonly BuildRecord[]): Promise<void> {
  await sql`insert into environment_build_records (environment_id, seq, record)
    select e.id, given.seq, given.record
    from environments e, unnest(${records.map(({ seq }) => seq)}::int[], ${records.map(({ record }) => record)}::text[]) as given(seq, record)
    where e.id = ${id} and e.worker_id = ${workerId}
    on conflict do nothing`.execute(queries);
}

export const buildRecordPage = 1000;

/** What builds of it have said that have not ended, after `seq`. */
export async function listBuildRecords(queries: Queries, id: string, seq: number): Promise<BuildRecord[]> {
  return await queries
    .selectFrom("environment_build_records")
    .select(["seq", "record"])
    .where("environment_id", "=", id)
    .where("seq", ">", seq)
    .orderBy("seq")
    .limit(buildRecordPage)
    .execute();
}

async function forgetBuildRecords(queries: Queries, id: string): Promise<void> {
  await queries.deleteFrom("environment_build_records").where("environment_id", "=", id).execute();
}

/** What becomes of the builds of a worker that is gone: as if they had not begun. Of its images: failed, with the phase that they were in. */
export async function giveUpBuilds(work: Work, workerId: string): Promise<void> {
  await work
    .updateTable("environment_images")
    .set({ state: "failed", worker_id: null, error: JSON.stringify(lostImage) })
    .where("worker_id", "=", workerId)
    .execute();
  await work
    .updateTable("environments")
    .set({
      state: sql<"none">`case when exists (select 1 from environment_layers l where l.environment_id = environments.id) then 'ready' else 'none' end`,
      phase: null,
      worker_id: null,
    })
    .where("worker_id", "=", workerId)
    .execute();
}

const lostImage = {
  class: "infrastructure",
  code: "worker_lost",
  message: "The server that made the image ended before it was done.",
  hint: "Build it again.",
  explanation: null,
};

/** Every layer of a store, that which was used longest ago first; `is_kept`: somebody wants it warm. */
export async function listLayers(queries: Queries, storeId: string): Promise<(LayerRow & { readonly is_kept: boolean })[]> {
  return await queries
    .selectFrom("environment_layers")
    .selectAll()
    .select(
      sql<boolean>`exists (
        select 1 from environment_users u where u.environment_id = environment_layers.environment_id and u.kept_warm_at is not null
      )`.as("is_kept"),
    )
    .where("store_id", "=", storeId)
    .orderBy("used_at")
    .execute();
}

/** Forgets a layer; its environment has none then, unless another server does. */
export async function forgetLayer(queries: Queries, name: string): Promise<void> {
  await queries.transaction().execute(async (work) => {
    const gone = await work.deleteFrom("environment_layers").where("name", "=", name).returning("environment_id").executeTakeFirst();
    if (gone === undefined) return;
    await work
      .updateTable("environments")
      .set({ state: "none" })
      .where("id", "=", gone.environment_id)
      .where("state", "=", "ready")
      .where((where) =>
        where.not(where.exists(work.selectFrom("environment_layers").select("name").where("environment_id", "=", gone.environment_id))),
      )
      .execute();
  });
}

export async function noteVerified(queries: Queries, name: string): Promise<void> {
  await queries
    .updateTable("environment_layers")
    .set({ verified_at: sql<Date>`now()` })
    .where("name", "=", name)
    .execute();
}

/** The environment that a version of a program has; version '' is the working tree. */
export async function findPin(
  queries: Queries,
  assetId: string,
  version: string,
): Promise<Selectable<Schema["environment_pins"]> | undefined> {
  return await queries
    .selectFrom("environment_pins")
    .selectAll()
    .where("asset_id", "=", assetId)
    .where("version", "=", version)
    .executeTakeFirst();
}

/** Gives a version of a program its environment. A published one keeps what it has. */
export async function pin(
  queries: Queries,
  { assetId, version, requestKey, environmentId }: { assetId: string; version: string; requestKey: string; environmentId: string },
): Promise<string> {
  const found = await queries
    .insertInto("environment_pins")
    .values({ asset_id: assetId, version, request_key: requestKey, environment_id: environmentId })
    .onConflict((conflict) =>
      conflict
        .columns(["asset_id", "version"])
        .doUpdateSet({ request_key: requestKey, environment_id: environmentId, pinned_at: sql<Date>`now()` })
        .where((where) => where.or([where("environment_pins.version", "=", ""), where("environment_pins.request_key", "<>", requestKey)])),
    )
    .returning("environment_id")
    .executeTakeFirst();
  return found?.environment_id ?? (await findPin(queries, assetId, version))?.environment_id ?? environmentId;
}

export async function countPrograms(queries: Queries, environmentId: string): Promise<number> {
  const row = await queries
    .selectFrom("environment_pins")
    .select((select) => select.fn.count<number>("asset_id").distinct().as("count"))
    .where("environment_id", "=", environmentId)
    .executeTakeFirstOrThrow();
  return row.count;
}
