import type { Mark, SyncState } from "./state-file.ts";

/** Files by their paths. */
export type Marks = ReadonlyMap<string, Mark>;

/** Which way changes go. */
export type Direction = "both" | "pull" | "push";

/** What is to be done so that a folder and a workspace become the same. */
export interface Plan {
  /** To be sent as changes of what the workspace has now: nobody else has changed these. */
  readonly send: readonly string[];
  /** To be sent as changes of what both had in common: the server puts them together with what others have changed. */
  readonly merge: readonly string[];
  /** To be fetched, or deleted here. */
  readonly fetch: readonly string[];
  /** Both sides have changed them, and nobody can put that together. */
  readonly conflicts: readonly string[];
}

/** Beside a file of which both sides have changed the same lines: what the workspace has. It is never sent. */
export const theirsEnding = ".syla-theirs";

/**
 * Compares three lists path by path: what was common, what is here, and what is there. What one side alone has changed is taken; a file that was deleted on
 * one side and changed on the other stays, as it was changed.
 */
export function planSync(
  state: Pick<SyncState, "files" | "behind" | "conflicts"> | null,
  here: Marks,
  there: Marks,
  options: { readonly direction: Direction; readonly isLeftOut: (path: string) => boolean },
): Plan {
  const [send, merge, fetch, conflicts]: string[][] = [[], [], [], []];
  const files = state?.files ?? {};
  const behind = new Set(state?.behind);
  const mayMerge = options.direction !== "pull";
  for (const path of new Set([...Object.keys(files), ...here.keys(), ...there.keys()])) {
    if (path.endsWith(theirsEnding) || options.isLeftOut(path)) continue;
    const [was, mine, theirs] = [files[path], here.get(path), there.get(path)];
    if (isSameMark(mine, theirs)) continue;
    if (isSameMark(mine, was)) fetch?.push(path);
    else if (isSameMark(theirs, was) || theirs === undefined) send?.push(path);
    else if (mine === undefined) fetch?.push(path);
    else if (was !== undefined && !behind.has(path) && mayMerge) merge?.push(path);
    else conflicts?.push(path);
  }
  return {
    send: options.direction === "pull" ? [] : (send ?? []),
    merge: merge ?? [],
    fetch: options.direction === "push" ? [] : (fetch ?? []),
    conflicts: conflicts ?? [],
  };
}

export function isSameMark(one: Mark | null | undefined, other: Mark | null | undefined): boolean {
  if (one == null || other == null) return one == null && other == null;
  return one[0] === other[0] && one[1] === other[1];
}
