import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const notificationsUnreadCommand: Command = defineServerCommand("unread", "mark notifications as not read yet")
  .argument("<ids...>", "which")
  .action(async (ids: readonly string[], flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    for (const id of ids) await syla.notifications.setRead(id, false);
    if (flags.json === true) printJson({ marked: ids.length });
    else printLine(`${ids.length} marked as not read`);
  });
