import type { Command } from "commander";
import { connect } from "../connection.ts";
import { parseBinding } from "../datasets/parse-binding.ts";
import { note } from "../output/progress.ts";
import { printJson } from "../output/print.ts";
import { findProgram } from "../programs/find-program.ts";
import { openEnvironment } from "../programs/open-environment.ts";
import { parseVariables } from "../runs/parse-flags.ts";
import { readPipedStdin } from "../runs/read-stdin.ts";
import { execCommand } from "../sandboxes/exec-command.ts";
import { joinTerminal, requireTerminal, startShell } from "../sandboxes/join-terminal.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly version?: string;
  readonly command?: string;
  readonly restart?: boolean;
  readonly stop?: boolean;
  readonly env: readonly string[];
  readonly dataset: readonly string[];
}

export const programShellCommand: Command = defineServerCommand(
  "shell",
  "work in the interactive environment of a program, on this terminal",
)
  .argument("<program>", "its id, slug or name")
  .option("--version <version>", "of this version of the program")
  .option("-c, --command <line>", "run this line for the shell, and exit with its exit code")
  .option("-e, --env <NAME=value>", "a variable of one that is started now; NAME alone passes yours on", collect, [])
  .option("--dataset <name>", "a dataset of one that is started now: [name=]dataset[@version][:split]", collect, [])
  .option("--restart", "end the one that lives, and begin with the program as it is now")
  .option("--stop", "end it, with everything in it")
  .action(async (word: string, flags: Flags) => {
    const { version, command, restart = false, stop = false, json = false } = flags;
    if (command === undefined && !stop && !json) requireTerminal("In scripts use `--command`, or `--json` to start it.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const program = await findProgram(syla, word);
    if (stop) {
      const { sandbox } = await syla.environments.sandboxOf(program.id);
      if (sandbox?.endedAt === null) await syla.sandboxes.delete(sandbox.id);
      else note("there was none.");
      return json ? printJson(await syla.environments.sandboxOf(program.id)) : undefined;
    }
    const env = parseVariables([], flags.env, process.env);
    const datasets = await Promise.all(flags.dataset.map((text) => parseBinding(syla, text)));
    const { id } = await openEnvironment(syla, program, { restart, env, datasets, ...(version !== undefined && { version }) });
    const sandbox = syla.sandboxes.open(id);
    if (command !== undefined) {
      const stdin = await readPipedStdin();
      const options = stdin === null ? {} : { stdinBase64: stdin.toString("base64") };
      process.exitCode = await execCommand(sandbox, command, options, json);
    } else if (json) printJson(await sandbox.get());
    else process.exitCode = await joinTerminal(sandbox.processes.terminal(await startShell(sandbox)), process.stdin, process.stdout);
  });
