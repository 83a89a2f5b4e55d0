import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const runsCancelCommand: Command = defineServerCommand("cancel", "cancel a run: SIGTERM, and SIGKILL after the grace time")
  .argument("<run>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const run = await syla.runs.cancel(id);
    if (flags.json === true) printJson(run);
    else printLine(`${run.id} ${run.status === "cancelled" ? "is cancelled" : "is being cancelled"}`);
  });
