import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const notificationsDeleteCommand: Command = defineServerCommand("delete", "delete notifications")
  .argument("<ids...>", "which")
  .action(async (ids: readonly string[], flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    for (const id of ids) await syla.notifications.delete(id);
    if (flags.json === true) printJson({ deleted: ids.length });
    else printLine(`${ids.length} deleted`);
  });
