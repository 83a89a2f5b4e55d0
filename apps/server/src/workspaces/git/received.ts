import { AppError } from "@syla/contracts/errors";
import type { BlobRef, Blobs, WrittenBlob } from "../../platform/blobs.ts";
import { mostTreeFiles } from "../../platform/paths.ts";
import type { TreeEntry } from "../../platform/trees.ts";
import { ByteReader } from "./byte-reader.ts";

/** What git found in a pack that was sent: some commits, the oldest first, and what each has changed. Not believed further than it has to be. */
export interface ReceivedCommit {
  readonly id: string;
  readonly author: string;
  readonly message: string;
  readonly entries: readonly TreeEntry[];
}

type Files = ReadonlyMap<string, BlobRef>;

const hash = /^[0-9a-f]{40}$/;
/** The most that is read of what the commits of a push have changed: their paths and objects. */
export const mostFactBytes = 64 * 1024 * 1024;
const mostMessage = 2000;

interface Change {
  readonly path: string;
  /** Undefined: it is gone. */
  readonly to?: { readonly mode: 420 | 493; readonly object: string };
}

/** Reads what `repository.sh` has left of a push onto `base`. @throws AppError `git_rejected`, `git_failed`, `payload_too_large` */
export async function readReceived(
  blobs: Blobs,
  files: Files,
  base: readonly TreeEntry[],
): Promise<{ commits: ReceivedCommit[]; fresh: BlobRef[] }> {
  const numbers = [...files.keys()].flatMap((name) => /^commit-(\d+)$/.exec(name)?.[1] ?? []).toSorted();
  const facts = numbers.flatMap((number) => [files.get(`commit-${number}`), files.get(`diff-${number}`)]);
  if (facts.reduce((sum, fact) => sum + (fact?.size ?? 0), 0) > mostFactBytes) throw tooManyChanges();
  const told: { id: string; author: string; message: string; changes: Change[] }[] = [];
  for (const number of numbers) {
    const commit = await blobs.get(files.get(`commit-${number}`)?.sha256 ?? "");
    const changes = readChanges(await blobs.get(files.get(`diff-${number}`)?.sha256 ?? ""));
    told.push({ ...readCommit(commit), changes });
  }
  const contents = await storeContents(blobs, files.get("contents"));
  let entries = new Map(base.map((entry) => [entry.path, entry]));
  const commits: ReceivedCommit[] = [];
  for (const { changes, ...commit } of told) {
    entries = new Map(entries);
    for (const { path, to } of changes) {
      if (to === undefined) entries.delete(path);
      else entries.set(path, { path, mode: to.mode, ...contentOf(contents, to.object) });
    }
    if (entries.size > mostTreeFiles) throw tooManyChanges();
    commits.push({ ...commit, entries: [...entries.values()] });
  }
  return { commits, fresh: [...contents.values()] };
}

export function tooManyChanges(): AppError {
  return new AppError("payload_too_large", {
    message: `The commits change too many files: a workspace holds at most ${mostTreeFiles}.`,
    hint: "Leave some of them out, or send fewer commits at once.",
  });
}

function contentOf(contents: ReadonlyMap<string, BlobRef>, object: string): BlobRef {
  const content = contents.get(object);
  if (content === undefined) throw new AppError("git_failed");
  return content;
}

/** Hash, author and message, a line each, the message to the end. */
function readCommit(bytes: Buffer): { id: string; author: string; message: string } {
  const [id = "", author = "", ...message] = bytes.toString().split("\n");
  if (!hash.test(id)) throw new AppError("git_failed");
  return { id, author: clean(author).slice(0, 200), message: clean(message.join("\n")).trim().slice(0, mostMessage) };
}

function clean(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}

/** Entries of `git diff-tree -r -z --raw`. */
function readChanges(bytes: Buffer): Change[] {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const changes: Change[] = [];
  for (let start = 0; start < bytes.length;) {
    const [facts, afterFacts] = partAt(bytes, start);
    const [name, end] = partAt(bytes, afterFacts);
    start = end;
    const [, mode = "", object = "", status = ""] =
      /^:\d{6} (\d{6}) [0-9a-f]{40} ([0-9a-f]{40}) ([A-Z])/.exec(facts.toString("latin1")) ?? [];
    let path: string;
    try {
      path = decoder.decode(name);
    } catch {
      throw new AppError("git_rejected", {
        message: `the name of a file is no valid UTF-8: ${name.toString("latin1").replaceAll(/[^ -~]/g, "?")}`,
      });
    }
    if (status === "D") changes.push({ path });
    else if (mode === "100644" || mode === "100664" || mode === "100755")
      changes.push({ path, to: { mode: mode === "100755" ? 493 : 420, object } });
    else throw new AppError("git_rejected", { message: `${kindOf(mode)}: ${JSON.stringify(path)}` });
  }
  return changes;
}

function kindOf(mode: string): string {
  if (mode === "120000") return "a workspace holds no symbolic links";
  return mode === "160000" ? "a workspace holds no submodules" : "a workspace holds nothing but files";
}

/** Up to the next NUL, and where what follows begins. */
function partAt(bytes: Buffer, start: number): [Buffer, number] {
  const end = bytes.indexOf(0, start);
  if (end < 0) throw new AppError("git_failed");
  return [bytes.subarray(start, end), end + 1];
}

const smallBytes = 64 * 1024;

/** Stores what `git cat-file --batch` has written: for each object a line with its name, kind and size, its bytes, and a line feed. */
async function storeContents(blobs: Blobs, file: BlobRef | undefined): Promise<Map<string, BlobRef>> {
  const stored = new Map<string, BlobRef>();
  if (file === undefined) return stored;
  const reader = new ByteReader(await blobs.open(file.sha256));
  const syncs = new Set<WrittenBlob["sync"]>();
  while (!(await reader.isAtEnd())) {
    const head = (await reader.takeLine(200))?.toString("latin1") ?? "";
    const [, name, kind, length] = /^([0-9a-f]{40}) (\w+)(?: (\d+))?$/.exec(head) ?? [];
    if (name === undefined) throw new AppError("git_failed");
    if (length === undefined) continue; // missing: a commit of a submodule
    const size = Number(length);
    const content = size <= smallBytes ? await reader.take(size) : undefined;
    if (content !== undefined) {
      const { sync, ...ref } = await blobs.write(Buffer.from(content));
      syncs.add(sync);
      stored.set(name, ref);
    } else {
      const ref = await blobs.putStream(reader.pass(size));
      if (kind === "blob" && ref.size === size) stored.set(name, ref);
    }
    await reader.take(1);
  }
  for (const sync of syncs) await sync();
  return stored;
}
