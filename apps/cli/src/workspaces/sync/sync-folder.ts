import { existsSync, lstatSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { SylaError, type Syla, type TreeChanges, type TreeFile, type Workspace } from "@syla/sdk";
import { CliError } from "../../cli-error.ts";
import { createIgnored, readEntry, readLocalTree, type LocalEntry } from "../../programs/local-tree.ts";
import { sendContents } from "../../programs/push.ts";
import { requireRealFolders, requireSafe, writeInto } from "../../programs/write-into.ts";
import { isSameMark, planSync, theirsEnding, type Direction, type Plan } from "./plan.ts";
import { writeState, type Mark, type SyncState } from "./state-file.ts";

/** What came of bringing a folder and a workspace together. */
export interface Synced {
  readonly workspace: { readonly id: string; readonly name: string };
  readonly revision: number;
  readonly sent: readonly string[];
  readonly received: readonly string[];
  readonly deletedHere: readonly string[];
  readonly deletedThere: readonly string[];
  /** Both sides had changed these, and the server has put it together. */
  readonly merged: readonly string[];
  /** Both sides have changed these: what the workspace has lies beside, until somebody deletes that. */
  readonly conflicts: readonly string[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/** A folder and a workspace that belong together. */
export interface SyncPair {
  readonly syla: Syla;
  readonly server: string;
  readonly folder: string;
  readonly workspace: Pick<Workspace, "id" | "name">;
  readonly direction: Direction;
}

const mostChanges = 10_000;

/** Brings them together once. What was interrupted is taken up by doing it again: what is equal already is left as it is. */
export async function syncFolder(pair: SyncPair, before: SyncState | null): Promise<Synced> {
  const { syla, folder, workspace, direction } = pair;
  const skipped: { path: string; reason: string }[] = [];
  mkdirSync(folder, { recursive: true });
  const local = new Map(
    (await readLocalTree(folder, (path, reason) => skipped.push({ path, reason }))).map((entry) => [entry.path, entry]),
  );
  leaveOutCollisions(local, skipped);
  const remote = await syla.workspaces.files(workspace.id);
  const state = settleConflicts(folder, before);
  const isIgnored = createIgnored(folder);
  const isSkipped = (path: string) =>
    skipped.some(
      (entry) => path === entry.path || (entry.path.endsWith("/") ? path.startsWith(entry.path) : path.startsWith(`${entry.path}/`)),
    );
  const isLeftOut = (path: string) => isIgnored(path) || isSkipped(path) || isInConflict(folder, state, path);
  const there = marksOf(remote.items);
  const plan = planSync(state, marksOf([...local.values()]), there, { direction, isLeftOut });
  const pushed = await send(pair, local, plan, { state, revision: remote.revision });
  const after = pushed.isChanged ? await syla.workspaces.files(workspace.id) : remote;
  const conflicts = [...plan.conflicts, ...pushed.conflicts];
  // What was put together on the server comes back, as what others have written since.
  const again = pushed.isChanged
    ? planSync(pushed.state, marksOf([...local.values()]), marksOf(after.items), {
        direction: direction === "push" ? "push" : "both",
        isLeftOut: (path) => isLeftOut(path) || conflicts.includes(path),
      })
    : plan;
  const fetched = await receive(pair, local, after.items, [...again.fetch, ...(direction === "push" ? [] : pushed.merged)], skipped);
  const beside = await putBeside(pair, after.items, conflicts);
  remember(pair, state, { local, after, isLeftOut: (path) => isIgnored(path) || isSkipped(path), conflicts: beside });
  return {
    workspace: { id: workspace.id, name: workspace.name },
    revision: after.revision,
    sent: pushed.sent,
    ...fetched,
    deletedThere: pushed.deleted,
    merged: pushed.merged,
    conflicts: [...new Set([...Object.keys(beside), ...Object.keys(state?.conflicts ?? {})])].toSorted(),
    skipped,
  };
}

/** Names that differ in case alone: not every file system, and no workspace, holds both. */
function leaveOutCollisions(local: Map<string, LocalEntry>, skipped: { path: string; reason: string }[]): void {
  const known = new Map<string, string>();
  for (const path of [...local.keys()].toSorted()) {
    let isOut = false;
    for (let end = path.indexOf("/"); !isOut; end = path.indexOf("/", end + 1)) {
      const place = end < 0 ? path : path.slice(0, end);
      const key = place.normalize("NFC").toLowerCase();
      const other = known.get(key);
      if (other === undefined) known.set(key, place);
      else if (other !== place) {
        isOut = true;
        skipped.push({ path, reason: `It differs from ${JSON.stringify(other)} only in case.` });
        local.delete(path);
      }
      if (end < 0) break;
    }
  }
}

function marksOf(files: readonly Pick<TreeFile, "path" | "sha256" | "executable">[]): Map<string, Mark> {
  return new Map(files.map(({ path, sha256, executable }) => [path, [sha256, executable] as const]));
}

/** A conflict is over when what the workspace had does not lie beside any more: what is here now is what its people want. */
function settleConflicts(folder: string, state: SyncState | null): SyncState | null {
  if (state === null) return null;
  const [files, conflicts] = [{ ...state.files }, { ...state.conflicts }];
  const behind = new Set(state.behind);
  for (const [path, mark] of Object.entries(conflicts)) {
    if (existsSync(join(folder, path + theirsEnding))) continue;
    delete conflicts[path];
    behind.add(path);
    if (mark === null) delete files[path];
    else files[path] = mark;
  }
  return { ...state, files, conflicts, behind: [...behind] };
}

function isInConflict(folder: string, state: SyncState | null, path: string): boolean {
  return state?.conflicts[path] !== undefined && existsSync(join(folder, path + theirsEnding));
}

interface Sent {
  readonly isChanged: boolean;
  readonly sent: readonly string[];
  readonly deleted: readonly string[];
  readonly merged: readonly string[];
  readonly conflicts: readonly string[];
  /** What is common now, as far as it was sent. */
  readonly state: Pick<SyncState, "files" | "behind" | "conflicts"> | null;
}

async function send(
  { syla, folder, workspace }: SyncPair,
  local: ReadonlyMap<string, LocalEntry>,
  plan: Plan,
  { state, revision }: { readonly state: SyncState | null; readonly revision: number },
): Promise<Sent> {
  const wanted = [...plan.send, ...plan.merge];
  await sendContents(
    syla,
    folder,
    wanted.flatMap((path) => local.get(path) ?? []),
  );
  const changeOf = (path: string): TreeChanges[number] => {
    const entry = local.get(path);
    if (entry === undefined) return { op: "delete", path };
    return { op: "write", file: { path, blob: entry.sha256, executable: entry.executable } };
  };
  const conflicts: string[] = [];
  // A folder that became a file has to go first.
  const plain = plan.send.toSorted((one, other) => Number(local.has(one)) - Number(local.has(other)));
  for (let start = 0; start < plain.length; start += mostChanges)
    conflicts.push(...(await change(syla, workspace.id, plain.slice(start, start + mostChanges), changeOf, revision)));
  if (plan.merge.length > 0) conflicts.push(...(await change(syla, workspace.id, plan.merge, changeOf, state?.revision ?? revision)));
  const isLost = new Set(conflicts);
  const done = wanted.filter((path) => !isLost.has(path));
  const files: Record<string, Mark> = Object.assign(Object.create(null) as Record<string, Mark>, state?.files);
  for (const path of done) {
    const entry = local.get(path);
    if (entry === undefined) delete files[path];
    else files[path] = [entry.sha256, entry.executable];
  }
  const merged = plan.merge.filter((path) => !isLost.has(path));
  return {
    isChanged: done.length > 0,
    sent: plan.send.filter((path) => !isLost.has(path) && local.has(path)),
    deleted: plan.send.filter((path) => !isLost.has(path) && !local.has(path)),
    merged,
    conflicts,
    state: { files, behind: state?.behind ?? [], conflicts: state?.conflicts ?? {} },
  };
}

/** Sends changes of what was seen at a revision. What cannot be put together with what others have written is left out. @returns that */
async function change(
  syla: Syla,
  id: string,
  paths: readonly string[],
  changeOf: (path: string) => TreeChanges[number],
  revision: number,
): Promise<string[]> {
  const conflicts: string[] = [];
  let left = [...paths];
  while (left.length > 0) {
    try {
      await syla.workspaces.changeFiles(id, left.map(changeOf), revision);
      break;
    } catch (error) {
      if (!(error instanceof SylaError)) throw error;
      if (error.code === "workspace_base_gone") return [...conflicts, ...left];
      const named = error.code === "workspace_conflict" ? readPaths(error) : [];
      const lost = left.filter((path) => named.includes(path));
      if (lost.length === 0) throw error;
      conflicts.push(...lost);
      left = left.filter((path) => !named.includes(path));
    }
  }
  return conflicts;
}

function readPaths({ details }: SylaError): string[] {
  const paths = (details as { readonly paths?: unknown } | undefined)?.paths;
  return Array.isArray(paths) ? paths.filter((path) => typeof path === "string") : [];
}

/** Makes files here those of the workspace, as far as nobody writes to them at this moment. */
async function receive(
  { syla, folder, workspace }: SyncPair,
  local: Map<string, LocalEntry>,
  items: readonly TreeFile[],
  paths: readonly string[],
  skipped: { path: string; reason: string }[],
): Promise<{ received: string[]; deletedHere: string[] }> {
  const there = new Map(items.map((file) => [file.path, file]));
  const [received, deletedHere]: [string[], string[]] = [[], []];
  const isStill = async (path: string) => {
    const known = local.get(path);
    if (lstatSync(join(folder, path), { throwIfNoEntry: false }) === undefined) return known === undefined;
    const now = await readEntry(folder, path).catch(() => null);
    return now !== null && known !== undefined && now.sha256 === known.sha256 && now.executable === known.executable;
  };
  const forget = async (path: string) => {
    requireRealFolders(folder, path);
    if (!(await isStill(path))) return;
    rmSync(join(folder, path));
    local.delete(path);
    deletedHere.push(path);
    removeEmptyFolders(folder, path);
  };
  const unique = [...new Set(paths)];
  const attempt = async (path: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof CliError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
      if (error instanceof SylaError) throw error;
      skipped.push({ path, reason: (error as Error).message });
    }
  };
  for (const path of unique.filter((candidate) => !there.has(candidate))) await attempt(path, () => forget(path));
  for (const path of unique) {
    const file = there.get(path);
    const known = local.get(path);
    if (file === undefined || (known !== undefined && known.sha256 === file.sha256 && known.executable === file.executable)) continue;
    requireSafe(path);
    await attempt(path, async () => {
      if (
        !(await writeInto(
          folder,
          file,
          () => syla.workspaces.readFile(workspace.id, path),
          () => isStill(path),
        ))
      )
        return;
      local.set(path, await readEntry(folder, path));
      received.push(path);
    });
  }
  return { received, deletedHere };
}

function removeEmptyFolders(folder: string, path: string): void {
  for (let place = dirname(path); place !== "."; place = dirname(place)) {
    try {
      rmdirSync(join(folder, place));
    } catch {
      return;
    }
  }
}

/** Puts what the workspace has beside what is here. @returns what that is, by path */
async function putBeside(
  { syla, folder, workspace }: SyncPair,
  items: readonly TreeFile[],
  paths: readonly string[],
): Promise<Record<string, Mark | null>> {
  const there = new Map(items.map((file) => [file.path, file]));
  const beside: Record<string, Mark | null> = Object.create(null) as Record<string, Mark | null>;
  for (const path of paths) {
    const file = there.get(path);
    if (file === undefined) continue;
    requireSafe(path);
    await writeInto(folder, { path: path + theirsEnding, executable: false }, () => syla.workspaces.readFile(workspace.id, path));
    beside[path] = [file.sha256, file.executable];
  }
  return beside;
}

/** Notes what is common now: what is the same on both sides. Of the rest, what was common before. */
function remember(
  { server, folder, workspace }: SyncPair,
  before: SyncState | null,
  now: {
    readonly local: ReadonlyMap<string, LocalEntry>;
    readonly after: { readonly revision: number; readonly items: readonly TreeFile[] };
    readonly isLeftOut: (path: string) => boolean;
    readonly conflicts: Readonly<Record<string, Mark | null>>;
  },
): void {
  const there = marksOf(now.after.items);
  const files: Record<string, Mark> = Object.create(null) as Record<string, Mark>;
  const behind: string[] = [];
  for (const path of new Set([...Object.keys(before?.files ?? {}), ...there.keys()])) {
    const [was, entry, theirs] = [before?.files[path], now.local.get(path), there.get(path)];
    const mine: Mark | undefined = entry === undefined ? undefined : [entry.sha256, entry.executable];
    const common = isSameMark(mine, theirs) && !now.isLeftOut(path) ? theirs : was;
    if (common !== undefined) files[path] = common;
    if (!isSameMark(common, theirs)) behind.push(path);
  }
  const conflicts = { ...before?.conflicts, ...now.conflicts };
  writeState(folder, { server, id: workspace.id, revision: now.after.revision, files, behind, conflicts });
}
