import { openAsBlob } from "node:fs";
import { join } from "node:path";
import { SylaError, type Asset, type Syla, type TreeChanges, type TreeFile } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import { note } from "../output/progress.ts";
import { writeLink, type Link } from "./link-file.ts";
import { readLocalTree, type LocalEntry } from "./local-tree.ts";
import { findSecrets, type SecretFinding, type SecretFlags } from "./secret-files.ts";

/** What a push did. */
export interface Pushed {
  readonly program: Asset;
  readonly written: readonly string[];
  readonly deleted: readonly string[];
  /** What looks secret and was not taken: the program keeps of these files what it had. */
  readonly leftOut: readonly SecretFinding[];
  /** What had to be sent; the rest was there. */
  readonly sentFiles: number;
  readonly sentBytes: number;
}

const uploadsAtOnce = 4;

/** Sends those contents that the server does not have from you. @returns how much that was */
export async function sendContents(syla: Syla, folder: string, entries: readonly LocalEntry[]): Promise<{ files: number; bytes: number }> {
  const byHash = new Map(entries.map((entry) => [entry.sha256, entry]));
  const missing = new Set(await syla.blobs.missing([...byHash.keys()]));
  const waiting = [...byHash.values()].filter((entry) => missing.has(entry.sha256));
  const bytes = waiting.reduce((sum, entry) => sum + entry.size, 0);
  const files = waiting.length;
  const send = async () => {
    for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
      const { sha256 } = await syla.blobs.upload(await openAsBlob(join(folder, entry.path)));
      if (sha256 !== entry.sha256)
        throw new CliError(`${entry.path} has changed while it was sent.`, {
          code: "file_changed",
          exit: "try_later",
          hint: "Push again when nothing writes to it.",
        });
    }
  };
  await Promise.all(Array.from({ length: uploadsAtOnce }, send));
  return { files, bytes };
}

/** Makes the program's files those of the folder. Refused when the program has changed since the last push or pull, unless forced. */
export async function push(
  syla: Syla,
  server: string,
  folder: string,
  program: Asset,
  options: { readonly link: Link | null; readonly force: boolean } & SecretFlags,
): Promise<Pushed> {
  const local = await readLocalTree(folder);
  const remote = await syla.programs.files(program.id);
  const there = new Map(remote.items.map((file) => [file.path, file]));
  const differing = local.filter((entry) => !isSame(there.get(entry.path), entry));
  const kept = new Set(local.map((entry) => entry.path));
  const deleted = remote.items.map((file) => file.path).filter((path) => !kept.has(path));
  const known = new Set(remote.items.map((file) => file.sha256));
  const differs = differing.length + deleted.length > 0;
  if (differs && !options.force) requireKnown(program, remote.items, options.link);
  const sent = await sendContents(
    syla,
    folder,
    differing.filter((entry) => !known.has(entry.sha256)),
  );
  const leftOut = await findSecrets(syla, differing, options);
  const secret = new Set(leftOut.map(({ path }) => path));
  const changed = differing.filter(({ path }) => !secret.has(path));
  const changes: TreeChanges = [
    ...deleted.map((path) => ({ op: "delete" as const, path })),
    ...changed.map(({ path, sha256, executable }) => ({ op: "write" as const, file: { path, blob: sha256, executable } })),
  ];
  const after =
    changes.length === 0 ? program : await syla.programs.changeFiles(program.id, changes, remote.revision).catch(explainConflict);
  if (changes.length > 0) await lookAt(syla, after.id);
  const same = local.flatMap((entry) => (secret.has(entry.path) ? (there.get(entry.path) ?? []) : entry));
  remember(server, folder, after, same);
  return { program: after, written: changed.map((entry) => entry.path), deleted, leftOut, sentFiles: sent.files, sentBytes: sent.bytes };
}

/** Has the files looked at, beside everything else: the page shows what was found, and the catalog finds the program by its slots. */
export async function lookAt(syla: Syla, programId: string): Promise<void> {
  try {
    await syla.programs.analyse(programId);
  } catch (error) {
    if (!(error instanceof SylaError)) throw error;
    note(`the files could not be looked at: ${error.message}`);
  }
}

/** Remembers that folder and program are the same. */
export function remember(
  server: string,
  folder: string,
  program: Asset,
  entries: readonly Pick<LocalEntry, "path" | "sha256" | "executable">[],
): void {
  const files = Object.fromEntries(entries.map(({ path, sha256, executable }) => [path, [sha256, executable] as const]));
  writeLink(folder, { server, id: program.id, revision: program.revision, files });
}

export function isSame(file: Pick<TreeFile, "sha256" | "executable"> | undefined, entry: Pick<TreeFile, "sha256" | "executable">): boolean {
  return file !== undefined && file.sha256 === entry.sha256 && file.executable === entry.executable;
}

/** What is on the server must be what the folder began with: a push would take away what somebody else has done. */
function requireKnown(program: Asset, remote: readonly TreeFile[], link: Link | null): void {
  if (link === null || link.id !== program.id)
    throw new CliError(`This folder was never pushed to "${program.name}" or pulled from it.`, {
      code: "not_linked",
      exit: "invalid_request",
      hint: "--force replaces what is there with this folder; `syla program pull` fetches what is there.",
    });
  const isAsLeft = ({ path, sha256, executable }: TreeFile) => link.files[path]?.[0] === sha256 && link.files[path]?.[1] === executable;
  if (remote.length !== Object.keys(link.files).length || !remote.every(isAsLeft)) throw changedOnServer();
}

function explainConflict(error: unknown): never {
  throw error instanceof SylaError && error.code === "revision_conflict" ? changedOnServer(error) : error;
}

function changedOnServer(cause?: unknown): CliError {
  return new CliError("The program has been changed on the server since your last push or pull.", {
    code: "revision_conflict",
    exit: "invalid_request",
    hint: "`syla program pull` fetches the changes; --force replaces them with this folder.",
    cause,
  });
}
