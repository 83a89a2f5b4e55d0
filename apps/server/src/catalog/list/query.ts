import type { AssetFilter } from "@syla/contracts/assets";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../../access/actor.ts";
import type { Queries } from "../../platform/database.ts";
import { listWords, type AssetQuery, type Place } from "./store.ts";
import { nameKey } from "../names.ts";
import { soughtWords, toSearchQuery } from "../search-text.ts";
import { findAlike, leastLength } from "./alike-words.ts";

/** What a filter asks for. No text in it is an error. */
export function readFilter(actor: Actor, filter: AssetFilter): AssetQuery {
  const text = (filter.q ?? "").replaceAll("\0", " ").trim();
  const sought = soughtWords(text);
  const words = toSearchQuery(sought);
  const sort = filter.sort === "relevance" && words === null ? "updated" : (filter.sort ?? (words === null ? "updated" : "relevance"));
  const query: AssetQuery = {
    view: filter.view,
    types: filter.type?.split(",") ?? null,
    ownerId: filter.owner === "me" ? actor.userId : (filter.owner?.replaceAll("\0", "") ?? null),
    tags: filter.tags?.split(",") ?? [],
    visibility: filter.visibility ?? null,
    sought,
    words,
    isAlike: false,
    nameStart: nameKey(text.toWellFormed()),
    part: text !== "" && words === null ? nameKey(text.toWellFormed()) : null,
    sort,
    order: filter.order ?? (sort === "name" ? "asc" : "desc"),
    limit: filter.limit,
    after: null,
  };
  return { ...query, ...readPlace(query, filter.cursor) };
}

const isTimeForm = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{1,6})?([+-]\d\d)(:[0-5]\d){0,2}$/;
const isId = /^[a-z]{1,8}_[0-9a-z]{26}$/;
const isNumberForm = /^\d+(\.\d+)?(e[+-]?\d{1,2})?$/;
/** What the database's `real` can hold besides zero. */
const [leastReal, mostReal] = [1.2e-38, 3.4e38];

/** Of so many words alike ones are looked for: who types more has no one mistake. */
const mostWidened = 4;

/** The same list with words that are like those which are looked for; null when there are none. */
export async function widen(queries: Queries, query: AssetQuery): Promise<AssetQuery | null> {
  const alike = new Map<string, string[]>();
  const long = new Set(query.sought.filter((word) => word.length >= leastLength));
  for (const word of [...long].slice(0, mostWidened)) alike.set(word, findAlike(word, await listWords(queries, word)));
  if ([...alike.values()].every((words) => words.length === 0)) return null;
  return { ...query, words: toSearchQuery(query.sought, alike), isAlike: true, nameStart: "" };
}

/** A place as a cursor, which says which list it is of. */
export function writePlace({ sort, order, isAlike }: AssetQuery, { value, id }: Place): string {
  return Buffer.from(JSON.stringify([sort, order, value, id, ...(isAlike ? ["alike"] : [])])).toString("base64url");
}

/** @throws AppError `invalid_cursor` */
function readPlace({ sort, order }: AssetQuery, cursor: string | undefined): Pick<AssetQuery, "after" | "isAlike"> {
  if (cursor === undefined) return { after: null, isAlike: false };
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    throw new AppError("invalid_cursor");
  }
  const [ofSort, ofOrder, value, id, alike] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (ofSort !== sort || ofOrder !== order || typeof value !== "string" || typeof id !== "string" || !isId.test(id))
    throw new AppError("invalid_cursor");
  const fits = sort === "name" ? !value.includes("\0") : sort === "relevance" ? isReal(value) : isTime(value);
  if (!fits) throw new AppError("invalid_cursor");
  return { after: { value, id }, isAlike: alike === "alike" };
}

function isReal(value: string): boolean {
  const number = isNumberForm.test(value) ? Number(value) : Number.NaN;
  return number === 0 || (number >= leastReal && number <= mostReal);
}

/** A time as the database writes it, on a day that there is. */
function isTime(value: string): boolean {
  if (value === "-infinity") return true;
  const [, day = "", time = "", , zone = ""] = isTimeForm.exec(value) ?? [];
  const at = new Date(`${day}T${time}Z`);
  return (
    !Number.isNaN(at.getTime()) && at.toISOString() === `${day}T${time}.000Z` && Math.abs(Number(zone)) < 16 && at.getUTCFullYear() > 0
  );
}
