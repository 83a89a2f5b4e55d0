import { type Command, CommanderError } from "commander";
import { exitCodes } from "./cli-error.ts";
import { loadProgram } from "./load-program.ts";
import { closedPipeExitCode, endOnClosedPipe, isClosedPipe } from "./output/closed-pipe.ts";
import { choosePlugin, describePlugins } from "./plugins/choose-plugin.ts";

/** Commander would exit by itself with 1; here a mistake in the command line has a code of its own, with `--json` too. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => undefined });
  command.showSuggestionAfterError();
  command.commands.forEach(prepare);
}

async function main(argv: readonly string[]): Promise<number> {
  const program = await loadProgram(argv);
  prepare(program);
  try {
    const plugin = choosePlugin(program, argv, process.env);
    if (plugin !== null) return await (await import("./plugins/run-plugin.ts")).runPlugin(plugin, argv.slice(1), process.env);
    program.addHelpText("after", () => describePlugins(program, process.env));
    await program.parseAsync(argv, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (isClosedPipe(error)) return closedPipeExitCode;
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // no command at all: commander has printed the help
    if (error instanceof CommanderError && error.code === "commander.help") return exitCodes.usage;
    return (await import("./report-failure.ts")).reportFailure(error, argv);
  }
}

endOnClosedPipe();
process.exitCode = await main(process.argv.slice(2));
