import { resolve } from "node:path";
import type { Command } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { followLines, formatLogLine, readLastLines, serverLogFile } from "../local-server/server-log.ts";
import { printLine } from "../output/print.ts";
import { defaultDataDir } from "../settings/home.ts";
import { defineCommand } from "./command.ts";

interface Flags {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly lines: string;
  readonly dataDir?: string;
}

export const serverLogsCommand: Command = defineCommand("logs", "show the log of the server of this machine")
  .option("-f, --follow", "go on showing what is added")
  .option("-n, --lines <number>", "how many lines from the end", "100")
  .option("--data-dir <folder>", "of the server that works on this folder ($SYLA_HOME/data)")
  .action(showLogs);

async function showLogs(flags: Flags): Promise<void> {
  if (!/^\d{1,9}$/.test(flags.lines)) throw usageError(`"${flags.lines}" is not a number of lines.`, "Write -n 100.");
  const file = serverLogFile(flags.dataDir === undefined ? defaultDataDir(process.env) : resolve(flags.dataDir));
  // one JSON document a line is how the log is kept, and what --json shows
  const show = (line: string) => printLine(flags.json === true ? line : formatLogLine(line));
  const { lines, end } = readLastLines(file, Number(flags.lines));
  if (end === 0 && flags.follow !== true)
    throw new CliError(`There is no log at ${file}.`, {
      code: "log_not_found",
      exit: "no_input",
      hint: "`syla up` starts a server, which writes it.",
    });
  lines.forEach(show);
  if (flags.follow !== true) return;
  const leaving = new AbortController();
  process.once("SIGINT", () => leaving.abort());
  for await (const line of followLines(file, end, leaving.signal)) show(line);
}
