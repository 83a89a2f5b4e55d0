import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly code?: string;
  readonly language?: string;
  readonly all?: boolean;
}

export const runsRequeueCommand: Command = defineServerCommand("requeue", "queue runs again that the installation failed")
  .argument("[runs...]", "their ids; all that match when left out (`syla runs list --dead-letters` lists them)")
  .option("--code <code>", "only those that ended with this error, e.g. worker_lost")
  .option("-l, --language <name>", "only of this language")
  .option("--all", "of everybody, each as its owner's (administrators)")
  .action(async (ids: string[], { code, language, all, ...flags }: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const answer = await syla.runs.requeue({
      ...(ids.length > 0 && { ids }),
      ...(code !== undefined && { code }),
      ...(language !== undefined && { language }),
      ...(all === true && { owner: "all" }),
    });
    if (answer.refused.length > 0) process.exitCode = 1;
    if (flags.json === true) return printJson(answer);
    printTable<{ readonly id: string; readonly became: string }>(
      [
        { title: "id", value: (row) => plainLine(row.id) },
        { title: "queued as", value: (row) => plainLine(row.became) },
      ],
      [
        ...answer.requeued.map(({ id, runId }) => ({ id, became: runId })),
        ...answer.refused.map(({ id, code: reason, message }) => ({ id, became: `refused: ${message} (${reason})` })),
      ],
    );
    if (answer.more) printLine("There are more: run the command again.");
  });
