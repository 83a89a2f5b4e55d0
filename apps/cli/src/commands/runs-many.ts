import type { BulkAction, BulkRunsInputDraft, Syla } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { createProgress, note } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { parseDuration } from "../runs/parse-flags.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly status?: string;
  readonly language?: string;
  readonly search?: string;
  readonly program?: string;
  readonly olderThan?: string;
  readonly everything?: boolean;
}

const summaries: Readonly<Record<BulkAction, string>> = {
  cancel: "cancel runs: SIGTERM, and SIGKILL after the grace time",
  retry: "run ended runs again, each as it was",
  delete: "delete ended runs, with their logs and artifacts",
};
const past: Readonly<Record<BulkAction, string>> = { cancel: "cancelled", retry: "started again", delete: "deleted" };

/** `syla runs cancel|retry|delete`: those that are named, or those of yours that a filter finds. */
export function defineRunsManyCommand(action: BulkAction): Command {
  return defineServerCommand(action, summaries[action])
    .argument("[runs...]", "their ids")
    .option("-s, --status <words>", "those of yours in these states, comma separated")
    .option("-l, --language <name>", "those of yours in this language")
    .option("-q, --search <text>", "those of yours with this in the id or the entrypoint")
    .option("--program <id>", "those of yours of this program, by its id")
    .option("--older-than <duration>", "those of yours that were made longer ago, e.g. 12h, 30d")
    .option("--everything", "all of yours")
    .action(async (ids: string[], flags: Flags) => await performMany(action, ids, flags));
}

async function performMany(action: BulkAction, ids: readonly string[], flags: Flags): Promise<void> {
  const input: BulkRunsInputDraft = { action, ...(ids.length > 0 ? { ids: [...ids] } : { filter: readFilter(flags) }) };
  if (ids.length > 0 && Object.keys(filterOf(flags)).length > 0)
    throw usageError("Name runs, or say which to look for, not both.", "Leave the ids out, or the filters.");
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const [only] = ids;
  if (action === "cancel" && only !== undefined && ids.length === 1) return await cancelOne(syla, only, flags);
  const progress = createProgress();
  const done: string[] = [];
  const refused: { id: string; code: string; message: string }[] = [];
  try {
    for await (const part of syla.runs.bulkAll(input)) {
      done.push(...part.done);
      refused.push(...part.refused);
      if (part.remaining > 0) progress.show(`${done.length} ${past[action]}, ${part.remaining} left …`);
    }
  } finally {
    progress.clear();
  }
  if (flags.json === true) printJson({ action, done, refused });
  else if (action === "retry" && ids.length > 0) done.forEach((id) => printLine(id));
  else printLine(`${done.length} ${done.length === 1 ? "run" : "runs"} ${past[action]}`);
  for (const { id, message } of flags.json === true ? [] : refused) note(`${plainLine(id)}: ${plainLine(message)}`);
  if (refused.length > 0) process.exitCode = 1;
}

async function cancelOne(syla: Syla, id: string, flags: CommonFlags): Promise<void> {
  const run = await syla.runs.cancel(id);
  if (flags.json === true) printJson(run);
  else printLine(`${run.id} ${run.status === "cancelled" ? "is cancelled" : "is being cancelled"}`);
}

function readFilter(flags: Flags): NonNullable<BulkRunsInputDraft["filter"]> {
  const filter = filterOf(flags);
  if (Object.keys(filter).length === 0 && flags.everything !== true)
    throw usageError("Which runs?", "Name them, or say which to look for: --status failed, --older-than 30d, --everything.");
  return filter;
}

function filterOf({ status, language, search, program, olderThan }: Flags): NonNullable<BulkRunsInputDraft["filter"]> {
  return {
    ...(status !== undefined && { status }),
    ...(language !== undefined && { language }),
    ...(search !== undefined && { q: search }),
    ...(program !== undefined && { program }),
    ...(olderThan !== undefined && { until: new Date(Date.now() - parseDuration(olderThan)).toISOString() }),
  };
}
