import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const scheduleDisableCommand: Command = defineServerCommand("disable", "keep a schedule from beginning runs")
  .argument("<schedule>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const schedule = await syla.schedules.update(id, { enabled: false });
    if (flags.json === true) printJson(schedule);
    else printLine(`${schedule.id} is disabled`);
  });
