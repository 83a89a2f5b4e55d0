import * as Y from "yjs";

/** Where the moving end of the selection is that somebody shows of themselves; null where it is nowhere. */
export function cursorPlace(state: Record<string, unknown>, document: Y.Doc): number | null {
  const head = (state["cursor"] as { readonly head?: unknown } | null | undefined)?.head;
  if (head === undefined || head === null) return null;
  try {
    return Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(head), document)?.index ?? null;
  } catch {
    return null; // whatever somebody's editor says of itself
  }
}
