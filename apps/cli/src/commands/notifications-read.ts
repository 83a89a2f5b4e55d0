import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly all?: boolean;
}

export const notificationsReadCommand: Command = defineServerCommand("read", "mark notifications as read")
  .argument("[ids...]", "which")
  .option("--all", "all of them")
  .action(async (ids: readonly string[], flags: Flags) => {
    if ((ids.length === 0) === (flags.all !== true)) throw usageError("Nothing says which.", "Give ids, or --all for every one.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    let marked = 0;
    if (flags.all === true) marked = await syla.notifications.readAll();
    for (const id of ids) {
      await syla.notifications.setRead(id, true);
      marked += 1;
    }
    if (flags.json === true) printJson({ marked });
    else printLine(`${marked} marked as read`);
  });
