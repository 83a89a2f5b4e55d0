import { randomUUID } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import type { Run, Syla } from "@syla/sdk";
import { note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type LocalEntry, readEntries } from "../programs/local-tree.ts";
import { sendContents } from "../programs/push.ts";
import { requireRealFolders, requireSafe, writeInto } from "../programs/write-into.ts";
import type { Mount } from "./mounts.ts";

/** Folders that a run may write into: they are a workspace while it lasts. */
export interface WritableMounts {
  readonly workspaceId: string;
  /** Brings back what the run has changed; what was changed here meanwhile stays, and the run's is put beside it. */
  bringBack(run: Pick<Run, "id" | "workspace">): Promise<void>;
  /** Removes the workspace. */
  close(): Promise<void>;
}

interface Sent extends LocalEntry {
  readonly mount: Mount;
}

/** Sends folders for a run to write into. */
export async function openWritableMounts(syla: Syla, mounts: readonly Mount[]): Promise<WritableMounts> {
  const sent = new Map<string, Sent>();
  for (const mount of mounts) {
    const paths = mount.files.map(({ path }) => relative(mount.folder, path).split(sep).join("/"));
    const entries = await readEntries(mount.folder, paths);
    await sendContents(syla, mount.folder, entries);
    for (const entry of entries) sent.set(posix.join(mount.path, entry.path), { ...entry, mount });
  }
  const files = [...sent].map(([path, { sha256, executable }]) => ({ path, blob: sha256, executable }));
  const name = `exec-${randomUUID()}`;
  const { id } = await syla.workspaces.create({ name, kind: "session", files });
  return {
    workspaceId: id,
    bringBack: (run) => bringBack(syla, id, run, mounts, sent),
    close: async () => await syla.workspaces.delete(id, true),
  };
}

async function bringBack(
  syla: Syla,
  id: string,
  run: Pick<Run, "id" | "workspace">,
  mounts: readonly Mount[],
  sent: ReadonlyMap<string, Sent>,
): Promise<void> {
  const outcome = run.workspace?.outcome ?? null;
  if (outcome === "unchanged") return;
  if (outcome !== "merged") return note("nothing was brought back: the run did not come to its end, or what it left cannot be kept");
  const { items } = await syla.workspaces.files(id);
  items.forEach(({ path }) => requireSafe(path));
  const left = new Set(items.map(({ path }) => path));
  for (const file of items) {
    const place = placeOf(mounts, file.path);
    const before = sent.get(file.path);
    const isSame = before?.sha256 === file.sha256 && before.executable === file.executable;
    if (place === null || isSame) continue;
    const path = (await isUntouched(place.mount.folder, place.path, before)) ? place.path : `${place.path}.${run.id}`;
    if (path !== place.path) note(plainLine(`${place.path} was changed here meanwhile; what the run wrote is ${path}`));
    await writeInto(place.mount.folder, { path, executable: file.executable }, () => syla.workspaces.readFile(id, file.path));
  }
  for (const [path, entry] of sent) {
    if (left.has(path)) continue;
    if (await isUntouched(entry.mount.folder, entry.path, entry)) rmSync(join(entry.mount.folder, entry.path), { force: true });
    else note(plainLine(`${entry.path} was changed here meanwhile, and stays although the run has removed it`));
  }
}

/** Which mount a path of the run lies in; the deepest one. */
function placeOf(mounts: readonly Mount[], path: string): { readonly mount: Mount; readonly path: string } | null {
  const [mount] = mounts
    .filter((one) => one.path === "" || path.startsWith(`${one.path}/`))
    .toSorted((a, b) => b.path.length - a.path.length);
  return mount === undefined ? null : { mount, path: mount.path === "" ? path : path.slice(mount.path.length + 1) };
}

/** Whether a file here is as it was sent; where none was, that there is still none. */
async function isUntouched(folder: string, path: string, before: LocalEntry | undefined): Promise<boolean> {
  requireRealFolders(folder, path);
  if (!existsSync(join(folder, path))) return before === undefined;
  if (before === undefined) return false;
  const [now] = await readEntries(folder, [path]);
  return now?.sha256 === before.sha256;
}
