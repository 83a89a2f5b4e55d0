import type { Blobs } from "../../platform/blobs.ts";
import { diffEntries, type TreeEntry, type Trees } from "../../platform/trees.ts";
import { branch } from "./refs.ts";

/** A commit to be made: the files of a tree, and what is said of them. Equal ones get equal ids, whoever makes them. */
export interface Commit {
  readonly tree: string;
  readonly message: string;
  readonly author: { readonly id: string | null; readonly name: string | null };
  readonly at: Date;
}

/** The commits one after another, on top of `from`, as `git fast-import` reads them. Each is given a mark, from 1. */
export async function* streamCommits(
  { blobs, trees }: { readonly blobs: Blobs; readonly trees: Trees },
  from: { readonly tip: string | null; readonly tree: string | null },
  commits: readonly Commit[],
): AsyncGenerator<Uint8Array> {
  let before = from.tree === null ? [] : visible(await trees.read(from.tree));
  for (const [index, { tree, message, author, at }] of commits.entries()) {
    const after = visible(await trees.read(tree));
    const who = `${authorName(author.name)} <${author.id ?? "nobody"}@users.syla.invalid> ${Math.floor(at.getTime() / 1000)} +0000`;
    const text = Buffer.from(message.endsWith("\n") ? message : `${message}\n`);
    yield Buffer.from(`commit ${branch}\nmark :${index + 1}\nauthor ${who}\ncommitter ${who}\ndata ${text.length}\n`);
    yield text;
    if (index === 0 && from.tip !== null) yield Buffer.from(`from ${from.tip}\n`);
    const { added, removed, changed } = diffEntries(before, after);
    for (const { path } of removed) yield Buffer.from(`D ${quote(path)}\n`);
    for (const entry of [...added, ...changed.map(({ to }) => to)]) {
      yield Buffer.from(`M ${entry.mode === 493 ? "100755" : "100644"} inline ${quote(entry.path)}\ndata ${entry.size}\n`);
      yield* await blobs.open(entry.sha256);
      yield Buffer.from("\n");
    }
    yield Buffer.from("\n");
    before = after;
  }
  yield Buffer.from("done\n");
}

/** Git has names that it keeps for itself, in many spellings; a file of such a name stays in the workspace and is in no commit. */
function isHiddenFromGit(path: string): boolean {
  return path.split(/[/\\]/).some((part) => /^(?:\.git|git~1)[ .]*(?::.*)?$/i.test(part.replaceAll(ignorable, "")));
}

/** What a file system of Apple's leaves out of names. */
const ignorable = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

function visible(entries: readonly TreeEntry[]): readonly TreeEntry[] {
  return entries.filter(({ path }) => !isHiddenFromGit(path));
}

/** A name without what ends one in a commit. */
function authorName(name: string | null): string {
  const plain = (name ?? "").replaceAll(/[\u0000-\u001f\u007f<>]/g, " ").trim();
  return plain === "" ? "Syla" : plain;
}

function quote(path: string): string {
  const escaped = path.replaceAll(/["\\]/g, "\\$&").replaceAll(/[\u0001-\u001f\u007f]/g, (sign) => {
    return `\\${sign.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
  return `"${escaped}"`;
}
