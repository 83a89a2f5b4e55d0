import type { Syla } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly note?: string;
}

/** The node that is meant where none is named: the only one that waits. */
async function onlyWaiting(syla: Syla, runId: string): Promise<string> {
  const nodes = await syla.compositionRuns.nodes(runId);
  const waiting = nodes.filter(({ state }) => state === "waiting").map(({ path }) => path);
  const [only] = waiting;
  if (only !== undefined && waiting.length === 1) return only;
  if (only === undefined)
    throw usageError("No node of this run waits for a decision.", "`syla composition approvals` lists those that do.");
  throw usageError(`${waiting.length} nodes of this run wait for a decision.`, `Name one of them: ${waiting.slice(0, 10).join(", ")}.`);
}

function decideCommand(verb: string, isApproval: boolean, done: string): Command {
  return defineServerCommand(verb, `${verb} where a run waits for a person; it then goes on`)
    .argument("<run>", "its id")
    .argument("[node]", "its path, ids with / between; the only one that waits when left out")
    .option("--note <text>", "why, for whoever looks at it later")
    .action(async (runId: string, node: string | undefined, { note, json, profile }: Flags) => {
      const { syla } = await connect({ env: process.env, profile });
      const path = node ?? (await onlyWaiting(syla, runId));
      const decided = await syla.compositionRuns.decide(runId, {
        path,
        approved: isApproval,
        ...(note === undefined ? {} : { comment: note }),
      });
      if (json === true) printJson(decided);
      else printLine(`${done} ${decided.path}`);
    });
}

export const compositionApproveCommand: Command = decideCommand("approve", true, "approved");
export const compositionRejectCommand: Command = decideCommand("reject", false, "rejected");
