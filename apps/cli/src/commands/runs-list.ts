import type { RunSummary } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge, formatDuration } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly status?: string;
  readonly language?: string;
  readonly search?: string;
  readonly shared?: boolean;
  readonly all?: boolean;
  readonly deadLetters?: boolean;
  readonly limit: string;
  readonly cursor?: string;
}

export const runsListCommand: Command = defineServerCommand("list", "list runs, newest first")
  .option("-s, --status <words>", "only these: queued, starting, running, succeeded, failed, cancelled, timed_out (comma separated)")
  .option("-l, --language <name>", "only of this language")
  .option("-q, --search <text>", "only with this in the id or the entrypoint")
  .option("--shared", "what others have shared with you")
  .option("--all", "of everybody (administrators)")
  .option("--dead-letters", "only those that the installation failed, after all attempts, and that have not been run again")
  .option("-n, --limit <number>", "how many, at most 200", "20")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (flags: Flags) => {
    const limit = Number(flags.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > 200)
      throw usageError(`"${flags.limit}" is not a number from 1 to 200.`, "Write -n 50; --cursor asks for the next page.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const owner = flags.all === true ? "all" : flags.shared === true ? "shared" : undefined;
    const page = await syla.runs.list({
      status: flags.status,
      language: flags.language,
      q: flags.search,
      owner,
      deadLetters: flags.deadLetters === true ? "true" : undefined,
      cursor: flags.cursor,
      limit,
    });
    if (flags.json === true) return printJson(page);
    printTable<RunSummary>(
      [
        { title: "id", value: (run) => run.id },
        { title: "status", value: (run) => styleStatus(process.stdout, run.status) },
        { title: "exit", value: (run) => run.signal ?? (run.exitCode === null ? "-" : String(run.exitCode)), align: "right" },
        { title: "time", value: (run) => formatDuration(run.timings.runMs), align: "right" },
        { title: "language", value: (run) => plainLine(run.language) },
        { title: "entrypoint", value: (run) => plainLine(run.entrypoint) },
        { title: "created", value: (run) => (process.stdout.isTTY ? formatAge(run.createdAt) : run.createdAt) },
      ],
      page.items,
    );
  });
