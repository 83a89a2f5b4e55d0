import type { AssetFilter, AssetSort } from "@syla/contracts/assets";
import { sql, type RawBuilder, type SqlBool } from "kysely";
import { can, type Viewer } from "../../access/service.ts";
import type { Queries } from "../../platform/database.ts";
import { lengthOfTwoMistakes } from "./alike-words.ts";

/** A place in a list: the value that it is sorted by, as text, and the id. */
export interface Place {
  readonly value: string;
  readonly id: string;
}

/** A list that is asked for, with its defaults filled in. */
export interface AssetQuery {
  readonly view: AssetFilter["view"];
  readonly types: readonly string[] | null;
  readonly ownerId: string | null;
  readonly tags: readonly string[];
  readonly visibility: string | null;
  /** The words that are looked for. */
  readonly sought: readonly string[];
  /** A `tsquery`, or, when there is no word in what is looked for, a part of a name. */
  readonly words: string | null;
  readonly part: string | null;
  /** Whether words will do that are like those which are looked for. */
  readonly isAlike: boolean;
  /** How the name begins that is looked for, as names are compared. */
  readonly nameStart: string;
  readonly sort: AssetSort;
  readonly order: "asc" | "desc";
  readonly limit: number;
  readonly after: Place | null;
}

/** Who looks. */
export interface ListViewer extends Viewer {
  /** By which they see things: themselves, their teams, the links that they have redeemed. */
  readonly subjects: readonly string[];
  readonly ownedTeamIds: readonly string[];
  /** What they see until a grant ends. */
  readonly lentIds: readonly string[];
}

type Fragment = RawBuilder<SqlBool>;

/** What each sort compares, and as which type a place in it is read. */
function sortOf({ sort }: AssetQuery): { value: RawBuilder<unknown>; type: RawBuilder<unknown> } {
  switch (sort) {
    case "created":
      return { value: sql`a.created_at`, type: sql`timestamptz` };
    case "name":
      return { value: sql`a.name_key collate "C"`, type: sql`text` };
    case "lastRun":
      return { value: sql`coalesce(a.last_run_at, '-infinity')`, type: sql`timestamptz` };
    default:
      return { value: sql`a.updated_at`, type: sql`timestamptz` };
  }
}

/** The ids of a page, and their places; one more than `limit` tells that there is a next page. */
export async function listAssetIds(queries: Queries, viewer: ListViewer, query: AssetQuery): Promise<Place[]> {
  if (query.sort === "relevance" && query.words !== null) return await listByRelevance(queries, viewer, query);
  const { value, type } = sortOf(query);
  const descending = query.order === "desc";
  const direction = descending ? sql`desc` : sql`asc`;
  const wanted = [seenBy(viewer, query.view), ...conditions(query), ...(await partOfName(queries, query))];
  if (query.after !== null) {
    const { value: at, id } = query.after;
    const than = descending ? sql`<` : sql`>`;
    wanted.push(sql`(${value}, a.id) ${than} (${at}::${type}, ${id})`);
  }
  const { rows } = await sql<Place>`
    select a.id, (${value})::text as value from assets a where ${sql.join(wanted, sql` and `)}
    order by ${value} ${direction}, a.id ${direction} limit ${query.limit + 1}`.execute(queries);
  return rows;
}

/** So many of the latest finds are put in order; besides, so many whose names begin like what is looked for. */
const mostRanked = 500;
const mostNamed = 200;

/** The finds in the order of how well they fit. A word that a great part of the catalog has costs little more than a rare one. */
async function listByRelevance(queries: Queries, viewer: ListViewer, query: AssetQuery): Promise<Place[]> {
  const wanted = sql.join([seenBy(viewer, query.view), ...conditions(query)], sql` and `);
  const found = [sql`(select a.id, a.search from assets a where ${wanted} order by a.updated_at desc, a.id desc limit ${mostRanked})`];
  const { nameStart } = query;
  if (nameStart.length > 1) {
    const named = sql`a.name_key collate "C" >= ${nameStart} and a.name_key collate "C" < ${nameStart} || chr(1114111)`;
    found.push(sql`(select a.id, a.search from assets a where ${named} and ${wanted} limit ${mostNamed})`);
  }
  const descending = query.order === "desc";
  const direction = descending ? sql`desc` : sql`asc`;
  const { after } = query;
  const beyond = after === null ? sql`true` : sql`(place, id) ${descending ? sql`<` : sql`>`} (${after.value}::real, ${after.id})`;
  const { rows } = await sql<Place>`
    select id, place::text as value from (
      select distinct on (id) id, ts_rank(search, ${query.words}::tsquery) as place from (${sql.join(found, sql` union all `)}) every) ranked
    where ${beyond} order by place ${direction}, id ${direction} limit ${query.limit + 1}`.execute(queries);
  return rows;
}

function conditions(query: AssetQuery): Fragment[] {
  const wanted: Fragment[] = [query.view === "deleted" ? sql`a.deleted_at is not null` : sql`a.deleted_at is null`];
  if (query.types !== null) wanted.push(sql`a.type = any(${[...query.types]})`);
  if (query.ownerId !== null) wanted.push(sql`a.owner_id = ${query.ownerId}`);
  if (query.tags.length > 0) wanted.push(sql`a.tags @> ${[...query.tags]}`);
  if (query.visibility !== null) wanted.push(sql`a.visibility = ${query.visibility}`);
  if (query.words !== null) wanted.push(sql`a.search @@ ${query.words}::tsquery`);
  return wanted;
}

/** What is in a view: the same rule as `can` with `view`. One index has viewers, words and tags, so that the database may start from any. */
function seenBy(viewer: ListViewer, view: AssetFilter["view"]): Fragment {
  switch (view) {
    case "mine":
      return sql`a.owner_id = ${viewer.userId}`;
    case "shared":
      return sql`${reaches(viewer, viewer.subjects)} and a.owner_id <> ${viewer.userId}`;
    case "public":
      return sql`a.visibility = 'public'`;
    case "deleted":
      return can(viewer, "asset:list-all") ? sql`true` : sql`a.owner_id = any(${[viewer.userId, ...viewer.ownedTeamIds]})`;
    default:
      return can(viewer, "asset:list-all") ? sql`true` : reaches(viewer, [...viewer.subjects, "public"]);
  }
}

function reaches({ lentIds }: ListViewer, subjects: readonly string[]): Fragment {
  const lasting = sql<SqlBool>`a.viewers && ${[...subjects]}`;
  return lentIds.length === 0 ? lasting : sql`(${lasting} or a.id = any(${[...lentIds]}))`;
}

/** More names than these have the part: then the list itself is read until enough are found. */
const mostNames = 2000;

/** Names that have a part which no word is in. An index alone is read for it, which is a fraction of the table. */
async function partOfName(queries: Queries, { part }: AssetQuery): Promise<Fragment[]> {
  if (part === null) return [];
  const { rows } = await sql<{ id: string }>`
    select a.id from assets a where strpos(a.name_key collate "C", ${part}) > 0 limit ${mostNames + 1}`.execute(queries);
  return rows.length > mostNames ? [sql`strpos(a.name_key collate "C", ${part}) > 0`] : [sql`a.id = any(${rows.map(({ id }) => id)})`];
}

/** So many are compared with what was typed: those of the nearest length. */
const mostWords = 3000;

/** Words of any asset that begin like this one and are not much shorter. */
export async function listWords(queries: Queries, like: string): Promise<string[]> {
  const start = Array.from(like)
    .slice(0, like.length < lengthOfTwoMistakes ? 1 : 2)
    .join("");
  const { rows } = await sql<{ word: string }>`
    select word from asset_words
    where word >= ${start} and word < ${start} || chr(1114111) and length(word) >= ${like.length - 1}
    order by abs(length(word) - ${like.length}), word limit ${mostWords}`.execute(queries);
  return rows.map(({ word }) => word);
}
