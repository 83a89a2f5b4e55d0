import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { CliError, exitCodes, usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { note } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findWorkspace, findWorkspaceOrCurrent } from "../workspaces/find-workspace.ts";
import type { Direction } from "../workspaces/sync/plan.ts";
import { readState } from "../workspaces/sync/state-file.ts";
import { syncFolder, type Synced, type SyncPair } from "../workspaces/sync/sync-folder.ts";
import { theirsEnding } from "../workspaces/sync/plan.ts";
import { watchFolder } from "../workspaces/sync/watch.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly workspace?: string;
  readonly watch?: boolean;
  readonly pull?: boolean;
  readonly push?: boolean;
}

export const workspaceSyncCommand: Command = defineServerCommand(
  "sync",
  "keep a folder and a workspace the same: what either side has changed goes to the other",
)
  .argument("[folder]", "the folder; it remembers in .syla what was the same", ".")
  .option("-w, --workspace <workspace>", "its id or name; that of the folder, else the one in use, when left out")
  .option("--watch", "go on: again whenever one side has changed, until Ctrl+C")
  .option("--pull", "only what the workspace has changed")
  .option("--push", "only what was changed here")
  .action(async (folder: string, flags: Flags) => {
    if (flags.pull === true && flags.push === true)
      throw usageError("--pull and --push together are neither.", "Leave both out to go both ways.");
    const direction: Direction = flags.pull === true ? "pull" : flags.push === true ? "push" : "both";
    const pair = await open(folder, flags, direction);
    if (flags.watch === true) return await watchUntilStopped(pair, flags);
    const synced = await syncFolder(pair, readState(pair.folder, pair.server));
    if (flags.json === true) printJson(synced);
    else print(synced);
    if (synced.conflicts.length === 0) return;
    if (flags.json === true) process.exitCode = exitCodes.invalid_request;
    else
      throw new CliError(`Both sides have changed ${synced.conflicts.length === 1 ? "a file" : `${synced.conflicts.length} files`}.`, {
        code: "sync_conflict",
        exit: "invalid_request",
        hint: `What the workspace has lies beside, as FILE${theirsEnding}. Make the file what it should be, delete that, and sync again.`,
      });
  });

async function open(folder: string, flags: Flags, direction: Direction): Promise<SyncPair> {
  const { syla, target } = await connect({ env: process.env, profile: flags.profile });
  const place = resolve(folder);
  const state = readState(place, target.url);
  const workspace =
    state !== null && flags.workspace === undefined
      ? await syla.workspaces.get(state.id)
      : await (flags.workspace === undefined ? findWorkspaceOrCurrent(syla, target.url, undefined) : findWorkspace(syla, flags.workspace));
  if (state === null && flags.workspace === undefined && holdsFiles(place))
    throw usageError(
      `${plainLine(place)} has files, and belongs to no workspace yet.`,
      `Name the one that it is to become the same as, e.g. --workspace ${plainLine(workspace.name)}, which is in use.`,
    );
  if (workspace.deletedAt !== null)
    throw new CliError(`The workspace ${plainLine(workspace.name)} is deleted.`, {
      code: "workspace_deleted",
      exit: "invalid_request",
      hint: "`syla workspace restore` brings it back; the folder is as it was.",
    });
  if (state !== null && state.id !== workspace.id)
    throw usageError(`${place} belongs to another workspace, ${state.id}.`, "Take another folder, or delete its .syla/workspace.json.");
  return { syla, server: target.url, folder: place, workspace, direction };
}

function holdsFiles(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name !== ".syla");
}

async function watchUntilStopped(pair: SyncPair, flags: Flags): Promise<void> {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const told = new Set<string>();
  await watchFolder(pair, stopping.signal, (synced) => {
    if (flags.json === true) return process.stdout.write(`${JSON.stringify(synced)}\n`);
    const skipped = synced.skipped.filter(({ path }) => !told.has(path));
    skipped.forEach(({ path }) => told.add(path));
    return print({ ...synced, skipped }, true);
  });
}

function print(synced: Synced, isQuiet = false): void {
  const { sent, received, merged, deletedHere, deletedThere, conflicts, skipped } = synced;
  const lists = [
    [">", sent],
    ["<", received.filter((path) => !merged.includes(path))],
    ["=", merged],
    ["> -", deletedThere],
    ["< -", deletedHere],
    ["!", conflicts],
  ] as const;
  for (const [sign, paths] of lists) for (const path of paths) printLine(`${sign} ${plainLine(path)}`);
  for (const { path, reason } of skipped) note(`${plainLine(path)} is left out: ${plainLine(reason)}`);
  const count = lists.reduce((sum, [, paths]) => sum + paths.length, 0);
  if (count === 0 && !isQuiet) printLine("Nothing differs.");
}
