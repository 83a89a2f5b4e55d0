import { isRecord, readLocalState, writeLocalState, type LocalState } from "../project/local-state.ts";

/** What a folder was when it and its program were last the same. */
export interface Link {
  readonly server: string;
  readonly id: string;
  readonly revision: number;
  /** Hash and executable bit by path. */
  readonly files: Readonly<Record<string, readonly [sha256: string, executable: boolean]>>;
}

const state: LocalState<Link> = {
  name: "program.json",
  hint: "Delete it; the next push or pull writes it anew.",
  parse(link) {
    if (!isRecord(link) || typeof link["id"] !== "string" || typeof link["revision"] !== "number" || !isRecord(link["files"]))
      throw new Error("it has another shape");
    return link as unknown as Link;
  },
};

/** The link of a folder; null when it has none to a program of this server. */
export function readLink(folder: string, server: string): Link | null {
  const link = readLocalState(folder, state);
  return link?.server === server ? link : null;
}

/** Remembers that the folder and the program are the same now. */
export function writeLink(folder: string, link: Link): void {
  writeLocalState(folder, state, link);
}
