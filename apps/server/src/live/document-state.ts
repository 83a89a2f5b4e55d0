import * as Y from "yjs";

/** A document of a state and what was written since. */
export function readState(snapshot: Uint8Array, updates: readonly { readonly update: Uint8Array }[] = []): Y.Doc {
  const document = new Y.Doc();
  document.transact(() => {
    Y.applyUpdate(document, snapshot);
    for (const { update } of updates) Y.applyUpdate(document, update);
  });
  return document;
}

/** What a document is told to do, as the change that it makes; null when it makes none. */
export function updateOf(document: Y.Doc, write: () => void): Uint8Array | null {
  const before = Y.encodeStateVector(document);
  const updates: Uint8Array[] = [];
  const note = (update: Uint8Array) => updates.push(update);
  document.on("update", note);
  document.transact(write);
  document.off("update", note);
  if (updates.length === 0) return null;
  return updates.length === 1 ? (updates[0] ?? null) : Y.encodeStateAsUpdate(document, before);
}
