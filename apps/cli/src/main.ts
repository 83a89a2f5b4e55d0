import { type Command, CommanderError } from "commander";
import { type CliError, exitCodes, usageError } from "./cli-error.ts";
import { closedPipeExitCode, endOnClosedPipe, isClosedPipe } from "./output/closed-pipe.ts";
import { printJson } from "./output/print.ts";
import { describeError, reportError } from "./output/report-error.ts";
import { loadProgram } from "./load-program.ts";
import { resultOfError } from "./runs/result-document.ts";

/** Commander would exit by itself with 1; here a mistake in the command line has a code of its own, with `--json` too. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => undefined });
  command.showSuggestionAfterError();
  command.commands.forEach(prepare);
}

async function main(argv: readonly string[]): Promise<number> {
  const program = await loadProgram(argv);
  prepare(program);
  const json = argv.includes("--json");
  try {
    await program.parseAsync(argv, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (isClosedPipe(error)) return closedPipeExitCode;
    if (!(error instanceof CommanderError)) return reportError(error, json);
    if (error.exitCode === 0) return 0;
    // no command at all: commander has printed the help
    if (error.code === "commander.help") return exitCodes.usage;
    return reportUsage(usageError(error.message.replace(/^error: /, "").replaceAll("\n", " ")), argv[0] === "exec", json);
  }
}

/** `syla exec --json` prints its one document in every case. */
function reportUsage(error: CliError, isExec: boolean, json: boolean): number {
  if (!isExec || !json) return reportError(error, json);
  printJson(resultOfError(describeError(error).report));
  return error.exitCode;
}

endOnClosedPipe();
process.exitCode = await main(process.argv.slice(2));
