import { AppError } from "@syla/contracts/errors";
import { liveTextName, mostLiveBytes, mostLiveInsert } from "@syla/contracts/workspace-live";
import * as Y from "yjs";

/** What a change brings that the document does not have. */
export interface NewContent {
  /** The replicas that it was written by. */
  readonly clientIds: readonly number[];
  /** It brings nothing. */
  readonly isEmpty: boolean;
}

const mostStructs = 100_000;
type Struct = ReturnType<typeof Y.decodeUpdate>["structs"][number];

/**
 * Reads a change that somebody wants to make, as hostile as it may be: it inserts text into the one text and deletes from it, goes on where its writers
 * were, and rests on nothing that the document does not have.
 *
 * @throws AppError `live_update_invalid`, `live_too_large`; `isMissing` of the first says that it rests on what is not there (yet)
 */
export function checkUpdate(document: Y.Doc, update: Uint8Array): NewContent {
  const { structs, ds } = decode(update);
  if (structs.length > mostStructs) throw new AppError("live_too_large");
  const states = new Map<number, number>();
  const stateOf = (client: number) => states.get(client) ?? Y.getState(document.store, client);
  const clientIds = new Set<number>();
  let inserted = 0;
  for (const struct of structs) {
    const { client, clock } = struct.id;
    const end = clock + struct.length;
    const known = stateOf(client);
    if (!Number.isSafeInteger(end) || struct.length > mostLiveBytes) throw invalid("It counts to where nobody counts.");
    inserted += checkStruct(struct);
    if (clock > known) throw missing();
    if (end <= known) continue;
    clientIds.add(client);
    states.set(client, end);
  }
  for (const struct of structs) if (struct instanceof Y.Item) checkOrigins(struct, stateOf);
  let deleted = 0;
  for (const [client, ranges] of ds.clients)
    for (const { clock, len } of ranges) {
      deleted += 1;
      if (clock + len > stateOf(client)) throw missing();
    }
  if (inserted > mostLiveInsert || document.getText(liveTextName).length + inserted > mostLiveBytes) throw new AppError("live_too_large");
  return { clientIds: [...clientIds], isEmpty: clientIds.size === 0 && (deleted === 0 || isKnown(document, update)) };
}

/** Whether a refusal may be because this server has not heard of something yet. */
export function isMissing(error: unknown): boolean {
  return error instanceof AppError && error.details["missing"] === true;
}

function decode(update: Uint8Array): ReturnType<typeof Y.decodeUpdate> {
  try {
    return Y.decodeUpdate(update);
  } catch (cause) {
    throw new AppError("live_update_invalid", { cause });
  }
}

/** @returns how many characters it inserts */
function checkStruct(struct: Struct): number {
  if (struct instanceof Y.GC) return 0;
  if (!(struct instanceof Y.Item)) throw invalid("It leaves something out.");
  const { content, parent, parentSub } = struct;
  if (parentSub !== null || (typeof parent === "string" && parent !== liveTextName))
    throw invalid("It is of something else than the text.");
  if (content instanceof Y.ContentDeleted) return 0;
  if (!(content instanceof Y.ContentString)) throw invalid("It is no text.");
  if (/[\0\r]/.test(content.str)) throw invalid("It holds characters that no line has.");
  return content.str.length;
}

function checkOrigins({ origin, rightOrigin, parent }: Y.Item, stateOf: (client: number) => number): void {
  for (const id of [origin, rightOrigin, parent]) if (id instanceof Y.ID && id.clock >= stateOf(id.client)) throw missing();
}

function isKnown(document: Y.Doc, update: Uint8Array): boolean {
  return Y.snapshotContainsUpdate(Y.snapshot(document), update);
}

function invalid(message: string): AppError {
  return new AppError("live_update_invalid", { message: `What was sent is no change of this document. ${message}` });
}

function missing(): AppError {
  return new AppError("live_update_invalid", {
    message: "What was sent rests on what this document does not have.",
    details: { missing: true },
  });
}
