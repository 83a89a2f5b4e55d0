import type { AssetType } from "@syla/contracts/asset-fields";
import { AppError } from "@syla/contracts/errors";
import type { Queries, Work } from "../platform/database.ts";
import { freeName, freeSlug, nameKey, slugify } from "./names.ts";
import { toSearchVector } from "./search-text.ts";
import * as store from "./store.ts";

type NewRow = Omit<Parameters<typeof store.insertAsset>[1], "name_key" | "slug" | "search">;
export type RowChange = Parameters<typeof store.changeAsset>[3];

/** Inserts an asset under a name that its owner has not used; with `another`, under one like it if need be. @throws AppError `name_taken` */
export async function insertNamed(work: Work, row: NewRow, another = false): Promise<void> {
  const wish = { name: row.name, slug: slugify(row.name, row.type) };
  const owner = { ownerId: row.owner_id, type: row.type };
  await store.lockNames(work, owner.ownerId, owner.type);
  const { names, slugs } = await store.findTaken(work, owner, wish);
  const isTaken = names.has(nameKey(row.name));
  if (isTaken && !another) throw nameTaken(row.name, names);
  const name = isTaken ? freeName(row.name, names) : row.name;
  const found = { name, description: row.description ?? "", tags: row.tags ?? [], slots: row.slots ?? [] };
  await store.insertAsset(work, {
    ...row,
    name,
    name_key: nameKey(name),
    slug: freeSlug(wish.slug, slugs),
    search: toSearchVector(found),
  });
}

/** What of an asset can be changed that it is found by. */
interface Described {
  readonly name?: string | undefined;
  readonly slug?: string | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly slots?: readonly string[] | undefined;
}

/** The columns of what an asset is called, with what follows from them. */
export function describeAsset(row: store.AssetRow, { name, slug, description, tags, slots }: Described): RowChange {
  if ([name, slug, description, tags, slots].every((part) => part === undefined)) return {};
  const next = {
    name: name ?? row.name,
    description: description ?? row.description,
    tags: [...(tags ?? row.tags)],
    slots: [...(slots ?? row.slots)],
  };
  return { ...next, name_key: nameKey(next.name), search: toSearchVector(next), ...(slug === undefined ? {} : { slug }) };
}

/** Sees to it that an asset's name and slug are its owner's only ones, until the transaction ends. @throws AppError `name_taken` */
export async function claimNames(work: Work, row: store.AssetRow, wish: { ownerId?: string; name?: string; slug?: string }): Promise<void> {
  const { ownerId = row.owner_id, name = row.name, slug = row.slug } = wish;
  await store.lockNames(work, ownerId, row.type);
  const { names, slugs } = await store.findTaken(work, { ownerId, type: row.type, but: row.id }, { name, slug });
  if (names.has(nameKey(name))) throw nameTaken(name, names);
  if (!slugs.has(slug)) return;
  const suggestion = freeSlug(slug, slugs);
  const fields = [{ path: "slug", message: `${slug} is in use; ${suggestion} is not` }];
  throw new AppError("name_taken", { message: `The owner has something with the slug ${slug} already.`, fields, details: { suggestion } });
}

/** Refuses a name that is in use now; nothing is held. @throws AppError `name_taken` */
export async function requireFreeName(
  queries: Queries,
  { type, name, ownerId }: { type: AssetType; name: string; ownerId: string },
): Promise<void> {
  const { names } = await store.findTaken(queries, { ownerId, type }, { name, slug: slugify(name, type) });
  if (names.has(nameKey(name))) throw nameTaken(name, names);
}

function nameTaken(name: string, taken: ReadonlySet<string>): AppError {
  const suggestion = freeName(name, taken);
  return new AppError("name_taken", {
    message: `The owner has something called “${name}” already.`,
    fields: [{ path: "name", message: `is in use; “${suggestion}” is not` }],
    details: { suggestion },
  });
}
