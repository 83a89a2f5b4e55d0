import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const scheduleDeleteCommand: Command = defineServerCommand("delete", "delete a schedule; its runs stay")
  .argument("<schedule>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await syla.schedules.delete(id);
    if (flags.json !== true) printLine(`${id} is deleted`);
  });
