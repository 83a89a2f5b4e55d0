import { AppError } from "@syla/contracts/errors";
import type { LiveNotice } from "@syla/contracts/workspace-live";
import type { Actor } from "../access/actor.ts";
import type { Database, Work } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import * as store from "./store.ts";

/** What has come of bringing a document and what it is of together, for those who have it open. */
export interface Settled {
  /** Whether changes of others have come into the document. */
  readonly isChanged: boolean;
  readonly notices: readonly LiveNotice[];
}

/** What came of one look at the two. */
export interface Turn extends Partial<Settled> {
  /** They are to be looked at once more. */
  readonly isAgain?: boolean;
}

export interface SettlingContext {
  readonly database: Pick<Database, "queries">;
  readonly logger: Logger;
}

/** So often somebody else may be quicker. */
const mostTurns = 50;

/** Somebody was quicker: it is looked at again. */
export class OvertakenError extends Error {}

/** The document of something, as `find` finds it. One is made when there is none. */
export async function openInTurns(
  { database }: Pick<SettlingContext, "database">,
  find: () => Promise<store.DocumentRow | undefined>,
  make: () => Promise<Parameters<typeof store.insertDocument>[1]>,
): Promise<store.DocumentRow> {
  for (let left = mostTurns; left > 0; left -= 1) {
    const known = await find();
    if (known !== undefined) {
      await store.touchDocuments(database.queries, [known.id]);
      return known;
    }
    const made = await store.insertDocument(database.queries, await make());
    if (made !== null) return made;
  }
  throw new AppError("conflict", { hint: "Try again." });
}

/**
 * Brings a document and what it is of together, by as many looks as that takes. `take`: one of them, told whether changes of others have come in by now; it
 * may be overtaken, also with the error `conflict`. What cannot be is said to those who have the document open, which keeps it.
 */
export async function settleInTurns(
  { database, logger }: SettlingContext,
  id: string,
  conflict: AppError["code"],
  take: (isChanged: boolean) => Promise<Turn>,
): Promise<Settled> {
  const notices: LiveNotice[] = [];
  let isChanged = false;
  for (let left = mostTurns; left > 0; left -= 1) {
    try {
      const turn = await take(isChanged);
      isChanged ||= turn.isChanged === true;
      notices.push(...(turn.notices ?? []));
      if (turn.isAgain !== true) return { isChanged, notices };
    } catch (error) {
      if (error instanceof OvertakenError || (error instanceof AppError && error.code === conflict)) continue;
      if (!(error instanceof AppError) || error.status >= 500) throw error;
      await store.markDocument(database.queries, id, { problem: error.code });
      notices.push({ type: "settled", problem: { code: error.code, message: error.message } });
      return { isChanged, notices };
    }
  }
  logger.warn({ document: id }, "a live document could not be brought together with what it is of: others write all the time");
  return { isChanged, notices };
}

/** A document and what was written in it since it was settled; null when it was settled between the two looks. */
export async function readUpdates(
  { database }: Pick<SettlingContext, "database">,
  row: store.DocumentRow,
): Promise<store.UpdateRow[] | null> {
  const updates = await store.listUpdates(database.queries, row.id, row.snapshot_seq);
  const isWhole = updates.every(({ seq }, index) => seq === row.snapshot_seq + index + 1);
  return isWhole && (updates.length > 0 || row.last_seq <= row.snapshot_seq) ? updates : null;
}

/** The document as it was looked at, which stays so. @throws OvertakenError */
export async function lockSame(work: Work, row: store.DocumentRow): Promise<void> {
  const now = await store.lockDocument(work, row.id);
  const isSame =
    now !== undefined &&
    now.snapshot_seq === row.snapshot_seq &&
    now.base_sha256 === row.base_sha256 &&
    now.path === row.path &&
    (now.detached_at === null) === (row.detached_at === null);
  if (!isSame) throw new OvertakenError("the document was settled by somebody else");
}

/** Who wrote updates, last first. */
export function authorsOf(updates: readonly store.UpdateRow[]): string[] {
  return [...new Set(updates.map(({ user_id: author }) => author).toReversed())].filter((author) => author !== null);
}

/** The first of people who may act still; else `last`, in whose name the server does. */
export async function firstActor(
  actFor: (userId: string) => Promise<Actor>,
  people: readonly (string | null)[],
  last: string,
): Promise<Actor> {
  for (const id of people) {
    const actor = id === null ? null : await actFor(id).catch(() => null);
    if (actor !== null) return actor;
  }
  return { userId: last, role: "end_user", via: "server" };
}
