import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const adminDeliveriesRetryCommand: Command = defineServerCommand("retry", "try to send something again now")
  .argument("<ids...>", "which, from `syla admin deliveries list`")
  .action(async (ids: readonly string[], flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    for (const id of ids) await syla.admin.retryDelivery(id);
    if (flags.json === true) printJson({ retried: ids });
    else printLine(`${ids.length} will be sent again.`);
  });
