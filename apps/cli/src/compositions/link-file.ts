import { hash } from "node:crypto";
import { basename, dirname } from "node:path";
import { isRecord, readLocalState, writeLocalState, type LocalState } from "../project/local-state.ts";

/** What a file was when it and its composition were last the same. */
export interface CompositionLink {
  readonly server: string;
  readonly id: string;
  /** SHA-256 of the file. */
  readonly file: string;
  /** SHA-256 of the graph as the server has it. */
  readonly graph: string;
}

/** Links by the names of files in the folder. */
const state: LocalState<Readonly<Record<string, CompositionLink>>> = {
  name: "compositions.json",
  hint: "Delete it; the next push or pull writes it anew.",
  parse(links) {
    if (!isRecord(links) || !Object.values(links).every(isLink)) throw new Error("it has another shape");
    return links as Readonly<Record<string, CompositionLink>>;
  },
};

export function hashText(text: string): string {
  return hash("sha256", text);
}

/** The link of a file; null when it has none to a composition of this server. */
export function readCompositionLink(file: string, server: string): CompositionLink | null {
  const link = readLocalState(dirname(file), state)?.[basename(file)];
  return link?.server === server ? link : null;
}

/** Remembers that the file and the composition are the same now. */
export function writeCompositionLink(file: string, link: CompositionLink): void {
  const folder = dirname(file);
  writeLocalState(folder, state, { ...readLocalState(folder, state), [basename(file)]: link });
}

function isLink(link: unknown): boolean {
  return isRecord(link) && ["server", "id", "file", "graph"].every((part) => typeof link[part] === "string");
}
