import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { exitCodeOfRun } from "../runs/exit-code.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const runsWaitCommand: Command = defineServerCommand("wait", "wait for the end of a run, and exit with its exit code")
  .argument("<run>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const run = await syla.runs.wait(id);
    if (flags.json === true) printJson(run);
    else printLine(`${run.id} ${styleStatus(process.stdout, run.status)}`);
    process.exitCode = exitCodeOfRun(run);
  });
