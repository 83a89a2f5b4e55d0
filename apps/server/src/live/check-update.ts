import { AppError } from "@syla/contracts/errors";
import { mostLiveBytes } from "@syla/contracts/workspace-live";
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

/** What documents of a kind hold, and nothing else. */
export interface DocumentRules {
  /** What an item says of itself. Where it goes on from another one, it says nothing of where it is. @throws AppError `live_update_invalid` */
  checkItem(item: Y.Item): void;
  /** Whether it may be where it is: an entry of a map, or in a text. @throws AppError `live_update_invalid` */
  checkPlace?(item: Y.Item, isEntry: boolean): void;
  /** `inserted`: new text, characters; `bytes`: of the change. @throws AppError `live_too_large` */
  checkSize(document: Y.Doc, inserted: number, bytes: number): void;
}

/**
 * Reads a change that somebody wants to make, as hostile as it may be: it brings what the rules allow and deletes, goes on where its writers were, and
 * rests on nothing that the document does not have.
 *
 * @throws AppError `live_update_invalid`, `live_too_large`; RestsOnUnknownError, also where that is only not there yet
 */
export function checkUpdate(document: Y.Doc, update: Uint8Array, rules: DocumentRules): NewContent {
  const { structs, ds } = decode(update);
  if (structs.length > mostStructs) throw new AppError("live_too_large");
  const states = new Map<number, number>();
  const stateOf = (client: number) => states.get(client) ?? Y.getState(document.store, client);
  const waiting = new Map<number, Y.Item[]>();
  let inserted = 0;
  for (const struct of structs) {
    const { client, clock } = struct.id;
    const end = clock + struct.length;
    if (!Number.isSafeInteger(end) || struct.length > mostLiveBytes) throw refuseUpdate("It counts to where nobody counts.");
    if (end <= stateOf(client)) continue;
    const item = asItem(struct);
    rules.checkItem(item);
    inserted += item.content instanceof Y.ContentString ? item.length : 0;
    const items = waiting.get(client);
    if (items === undefined) waiting.set(client, [item]);
    else items.push(item);
  }
  if (waiting.size > mostWriters) throw new AppError("live_too_large");
  const clientIds = [...waiting.keys()];
  takeInTurn(waiting, states, stateOf, placing(document, rules));
  let deleted = 0;
  for (const [client, ranges] of ds.clients)
    for (const { clock, len } of ranges) {
      deleted += 1;
      if (clock + len > stateOf(client)) throw new RestsOnUnknownError();
    }
  rules.checkSize(document, inserted, update.length);
  return { clientIds, isEmpty: clientIds.length === 0 && (deleted === 0 || isKnown(document, update)) };
}

/** Looks at where each item is, in the order in which what they rest on is there. */
function placing(document: Y.Doc, rules: DocumentRules): (item: Y.Item) => void {
  if (rules.checkPlace === undefined) return () => {};
  /** Of what is new: where each item ends, and whether it is an entry; by writer, in order. */
  const seen = new Map<number, { readonly end: number; readonly isEntry: boolean }[]>();
  const isEntryAt = (id: Y.ID): boolean => {
    if (id.clock < Y.getState(document.store, id.client)) {
      const known = Y.getItem(document.store, id);
      return known instanceof Y.Item && known.parentSub !== null;
    }
    const items = seen.get(id.client) ?? [];
    let [low, high] = [0, items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((items[middle]?.end ?? 0) > id.clock) high = middle;
      else low = middle + 1;
    }
    return items[low]?.isEntry ?? false;
  };
  return (item) => {
    const before = item.origin ?? item.rightOrigin;
    const isEntry = before === null ? item.parentSub !== null : isEntryAt(before);
    rules.checkPlace?.(item, isEntry);
    const items = seen.get(item.id.client) ?? [];
    items.push({ end: item.id.clock + item.length, isEntry });
    seen.set(item.id.client, items);
  };
}

/** Goes through what is new as a replica does: what rests on what is not there stays over, also when two pieces rest on each other. */
function takeInTurn(
  waiting: Map<number, Y.Item[]>,
  states: Map<number, number>,
  stateOf: (client: number) => number,
  onTaken: (item: Y.Item) => void,
): void {
  const isKnownId = (id: unknown) => !(id instanceof Y.ID) || id.clock < stateOf(id.client);
  for (let isMoving = true; isMoving;) {
    isMoving = false;
    for (const [client, items] of waiting) {
      let taken = 0;
      for (const item of items) {
        const { id, length, origin, rightOrigin } = item;
        if (id.clock > stateOf(client) || !isKnownId(origin) || !isKnownId(rightOrigin)) break;
        onTaken(item);
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

function asItem(struct: Struct): Y.Item {
  // What was deleted keeps its place: only what was inside of something that was deleted is swept, and nothing is inside of anything here.
  if (!(struct instanceof Y.Item)) throw refuseUpdate("It leaves something out.");
  return struct;
}

function isKnown(document: Y.Doc, update: Uint8Array): boolean {
  return Y.snapshotContainsUpdate(Y.snapshot(document), update);
}

/** The error of a change that is none. */
export function refuseUpdate(message: string): AppError {
  return new AppError("live_update_invalid", { message: `What was sent is no change of this document. ${message}` });
}
