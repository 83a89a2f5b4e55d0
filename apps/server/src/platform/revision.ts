import { AppError } from "@syla/contracts/errors";
import type { Queries, Work } from "./database.ts";
import { answer, type Answer } from "./http-call.ts";

/** What a change is a change of: the revision that was loaded, or `*` for whatever is there. */
export type Revision = number | "*";

/** Tables of things that have an id and a revision, which the database counts. */
type RevisedTable = "credentials" | "package_indexes" | "schedules" | "triggers" | "webhooks";

/** What a change says that it is a change of; undefined when it does not say. */
export function readRevision(headers: { readonly "if-match"?: string | undefined }): Revision | undefined {
  const given = headers["if-match"];
  if (given === undefined) return undefined;
  return given === "*" ? "*" : Number(given.replaceAll(/\D/g, ""));
}

export function etagOf({ revision }: { readonly revision: number }): Record<string, string> {
  return { etag: `"${revision}"` };
}

/** The document, with its revision as `ETag`. */
export function withEtag(document: object & { readonly revision: number }): Answer {
  return answer(200, document, etagOf(document));
}

/** Whether something is still what was loaded; it stays so until the transaction ends. */
export async function isRevision(work: Work, table: RevisedTable, id: string, revision: Revision): Promise<boolean> {
  if (revision === "*") return true;
  const row = await work.selectFrom(table).select("revision").where("id", "=", id).forUpdate().executeTakeFirst();
  return row?.revision === revision;
}

/** What is to be changed is what was loaded, or nothing of it is. `current`: what is there now. @throws AppError `revision_conflict` */
export async function changeRevised<T>(
  queries: Queries,
  { table, id, revision }: { readonly table: RevisedTable; readonly id: string; readonly revision: Revision },
  change: (work: Work) => Promise<T>,
  current: () => Promise<object>,
): Promise<T> {
  const done = await queries
    .transaction()
    .execute(async (work) => ((await isRevision(work, table, id, revision)) ? { value: await change(work) } : null));
  if (done === null) throw new AppError("revision_conflict", { details: { current: await current() } });
  return done.value;
}
