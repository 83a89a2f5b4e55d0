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

/** It rests on what the document does not have, or not yet: the same content from further back may be all that is missing. */
export class RestsOnUnknownError extends AppError {
  constructor() {
    super("live_update_invalid", { message: "What was sent rests on what this document does not have." });
  }
}

const mostStructs = 100_000;
/** A page is one replica. */
const mostWriters = 16;
type Struct = ReturnType<typeof Y.decodeUpdate>["structs"][number];

/**
 * Reads a change that somebody wants to make, as hostile as it may be: it inserts text into the one text and deletes from it, goes on where its writers
 * were, and rests on nothing that the document does not have.
 *
 * @throws AppError `live_update_invalid`, `live_too_large`; RestsOnUnknownError, also where that is only not there yet
 */
export function checkUpdate(document: Y.Doc, update: Uint8Array): NewContent {
  const { structs, ds } = decode(update);
  if (structs.length > mostStructs) throw new AppError("live_too_large");
  const states = new Map<number, number>();
  const stateOf = (client: number) => states.get(client) ?? Y.getState(document.store, client);
  const waiting = new Map<number, Y.Item[]>();
  let inserted = 0;
  for (const struct of structs) {
    const { client, clock } = struct.id;
    const end = clock + struct.length;
    if (!Number.isSafeInteger(end) || struct.length > mostLiveBytes) throw invalid("It counts to where nobody counts.");
    if (end <= stateOf(client)) continue;
    const item = checkStruct(struct);
    inserted += item.content instanceof Y.ContentString ? item.length : 0;
    const items = waiting.get(client);
    if (items === undefined) waiting.set(client, [item]);
    else items.push(item);
  }
  if (waiting.size > mostWriters) throw new AppError("live_too_large");
  const clientIds = [...waiting.keys()];
  takeInTurn(waiting, states, stateOf);
  let deleted = 0;
  for (const [client, ranges] of ds.clients)
    for (const { clock, len } of ranges) {
      deleted += 1;
      if (clock + len > stateOf(client)) throw new RestsOnUnknownError();
    }
  if (inserted > mostLiveInsert || document.getText(liveTextName).length + inserted > mostLiveBytes) throw new AppError("live_too_large");
  return { clientIds, isEmpty: clientIds.length === 0 && (deleted === 0 || isKnown(document, update)) };
}

/** Goes through what is new as a replica does: what rests on what is not there stays over, also when two pieces rest on each other. */
function takeInTurn(waiting: Map<number, Y.Item[]>, states: Map<number, number>, stateOf: (client: number) => number): void {
  const isKnownId = (id: unknown) => !(id instanceof Y.ID) || id.clock < stateOf(id.client);
  for (let isMoving = true; isMoving;) {
    isMoving = false;
    for (const [client, items] of waiting) {
      let taken = 0;
      for (const { id, length, origin, rightOrigin } of items) {
        if (id.clock > stateOf(client) || !isKnownId(origin) || !isKnownId(rightOrigin)) break;
        states.set(client, Math.max(stateOf(client), id.clock + length));
        taken += 1;
      }
      if (taken === 0) continue;
      isMoving = true;
      if (taken === items.length) waiting.delete(client);
      else waiting.set(client, items.slice(taken));
    }
  }
  if (waiting.size > 0) throw new RestsOnUnknownError();
}

function decode(update: Uint8Array): ReturnType<typeof Y.decodeUpdate> {
  try {
    return Y.decodeUpdate(update);
  } catch (cause) {
    throw new AppError("live_update_invalid", { cause });
  }
}

/** What a document of text holds, and nothing else. */
function checkStruct(struct: Struct): Y.Item {
  // What was deleted keeps its place: only what was inside of something that was deleted is swept, and nothing is inside of a text.
  if (!(struct instanceof Y.Item)) throw invalid("It leaves something out.");
  const { content, parent, parentSub } = struct;
  if (parentSub !== null || parent instanceof Y.ID || (typeof parent === "string" && parent !== liveTextName))
    throw invalid("It is of something else than the text.");
  if (content instanceof Y.ContentDeleted) return struct;
  if (!(content instanceof Y.ContentString)) throw invalid("It is no text.");
  if (/[\0\r]/.test(content.str)) throw invalid("It holds characters that no line has.");
  return struct;
}

function isKnown(document: Y.Doc, update: Uint8Array): boolean {
  return Y.snapshotContainsUpdate(Y.snapshot(document), update);
}

function invalid(message: string): AppError {
  return new AppError("live_update_invalid", { message: `What was sent is no change of this document. ${message}` });
}
