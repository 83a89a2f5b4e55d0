import { sql } from "kysely";
import type { SpendPeriod } from "@syla/contracts/models";
import type { AccessLevel } from "@syla/contracts/access";
import { grantedTo } from "../access/service.ts";
import type { Queries, Work } from "../platform/database.ts";

/** A model as the gateway needs it. */
export interface ModelRow {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly owner_id: string;
  readonly visibility: "private" | "public";
  readonly config: unknown;
  readonly created_at: Date;
}

/** Somebody who calls models, and the only ones that they may call (null: whatever they have leave for). */
export interface ModelViewer {
  readonly userId: string;
  readonly modelIds: readonly string[] | null;
}

const columns = sql`a.id, a.name, a.slug, a.owner_id, a.visibility, a.config, a.created_at`;

/** Models that reach somebody: their own, a team's, the system's that are for everybody, public ones, granted ones. */
function reaching(viewer: ModelViewer, teamIds: readonly string[]) {
  const { modelIds } = viewer;
  const allowed = modelIds === null ? sql`true` : sql`a.id = any(${[...modelIds]})`;
  return sql`a.type = 'model' and a.deleted_at is null and ${allowed} and (a.visibility = 'public' or ${given(viewer, teamIds)})`;
}

/** Those among them that are not just public. */
function given({ userId }: ModelViewer, teamIds: readonly string[]) {
  return sql`(a.owner_id = ${userId} or a.owner_id = any(${[...teamIds]}) or (a.owner_id = 'system' and a.visibility = 'public')
    or a.id = any(array(${grantedTo(userId, teamIds, "asset")})))`;
}

/**
 * The model of a name: by its id, slug, name, or what its provider calls it. One's own goes before a team's, the system's and what others have
 * granted, however it matches: nobody can put a model of theirs in the place of one that somebody means. A public one is meant by its id alone.
 */
export async function findByName(
  queries: Queries,
  viewer: ModelViewer,
  teamIds: readonly string[],
  name: string,
): Promise<ModelRow | undefined> {
  const { rows } = await sql<ModelRow>`
    select ${columns} from assets a
    where ${reaching(viewer, teamIds)} and (a.id = ${name}
      or (${given(viewer, teamIds)} and (a.slug = ${name} or a.name = ${name} or a.config ->> 'modelId' = ${name})))
    order by a.id = ${name} desc,
      case when a.owner_id = ${viewer.userId} then 0 when a.owner_id = any(${[...teamIds]}) then 1 when a.owner_id = 'system' then 2 else 3 end,
      a.slug = ${name} desc, a.name = ${name} desc, a.id
    limit 1`.execute(queries);
  return rows[0];
}

/** At most a thousand, own ones first. */
export async function listReaching(queries: Queries, viewer: ModelViewer, teamIds: readonly string[]): Promise<ModelRow[]> {
  const { rows } = await sql<ModelRow>`
    select ${columns} from assets a where ${reaching(viewer, teamIds)} order by a.owner_id = ${viewer.userId} desc, a.id limit 1000`.execute(
    queries,
  );
  return rows;
}

/** What a model is configured to do. */
export async function findConfig(queries: Queries, id: string): Promise<unknown> {
  const { rows } = await sql<ModelRow>`select ${columns} from assets a where a.id = ${id} and a.type = 'model'`.execute(queries);
  return rows[0]?.config;
}

/** A grant on a model that reaches somebody, with its cap. */
export interface ModelGrant {
  readonly id: string;
  readonly level: AccessLevel;
  readonly name: string | null;
  readonly amount: number | null;
  readonly period: SpendPeriod | null;
}

/** The grants that reach somebody, uncapped ones first. */
export async function listGrantsFor(queries: Queries, userId: string, teamIds: readonly string[], modelId: string): Promise<ModelGrant[]> {
  const { rows } = await sql<ModelGrant>`
    select g.id, g.level, coalesce(u.name, t.name, s.start) as name, c.amount, c.period
    from grants g
    left join spend_caps c on c.model_id = g.resource_id and c.subject = g.id
    left join users u on g.subject_type = 'user' and u.id = g.subject_id
    left join teams t on g.subject_type = 'team' and t.id = g.subject_id
    left join share_links s on g.subject_type = 'link' and s.id = g.subject_id
    where g.resource_type = 'asset' and g.resource_id = ${modelId} and (g.expires_at is null or g.expires_at > now())
      and ((g.subject_type = 'user' and g.subject_id = ${userId})
        or (g.subject_type = 'team' and g.subject_id = any(${[...teamIds]}))
        or (g.subject_type = 'link' and exists (select from share_link_uses l where l.link_id = g.subject_id and l.user_id = ${userId})))
    order by c.amount is null desc, g.id`.execute(queries);
  return rows;
}

/** Caps by the month what each grant that lets people call a model may spend, where nothing does. @returns how many */
export async function capGrants(work: Work, modelId: string, amount: number, updatedBy: string | null): Promise<number> {
  const { rows } = await sql`
    insert into spend_caps (model_id, subject, amount, period, updated_by)
    select g.resource_id, g.id, ${amount}, 'month', ${updatedBy} from grants g
    where g.resource_type = 'asset' and g.resource_id = ${modelId} and g.level <> 'view'
    on conflict do nothing returning subject`.execute(work);
  return rows.length;
}

/** Whom a grant on a model is for. Undefined: there is no such grant. */
export async function findGrantName(queries: Queries, modelId: string, grantId: string): Promise<string | undefined> {
  const { rows } = await sql<{ name: string | null }>`
    select coalesce(u.email, u.name, t.name, s.start, g.subject_id) as name from grants g
    left join users u on g.subject_type = 'user' and u.id = g.subject_id
    left join teams t on g.subject_type = 'team' and t.id = g.subject_id
    left join share_links s on g.subject_type = 'link' and s.id = g.subject_id
    where g.resource_type = 'asset' and g.resource_id = ${modelId} and g.id = ${grantId}`.execute(queries);
  const [row] = rows;
  return row === undefined ? undefined : (row.name ?? "somebody");
}

/** The number of these prices among those that a model has had; a new one when they are new. */
export async function priceVersionOf(queries: Queries, modelId: string, prices: object): Promise<number> {
  const text = JSON.stringify(prices);
  const find = async () => {
    const { rows } = await sql<{ version: number }>`
      select version from model_prices where model_id = ${modelId} and prices = ${text}::jsonb`.execute(queries);
    return rows[0]?.version;
  };
  const known = await find();
  if (known !== undefined) return known;
  // Two at once take the same number; the one that comes second finds the first one's, or takes the next.
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const { rows } = await sql<{ version: number }>`
      insert into model_prices (model_id, version, prices)
      select ${modelId}, coalesce(max(version), 0) + 1, ${text}::jsonb from model_prices where model_id = ${modelId}
      on conflict do nothing returning version`.execute(queries);
    const version = rows[0]?.version ?? (await find());
    if (version !== undefined) return version;
  }
  throw new Error("the version of a model's prices could not be found");
}
