import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine } from "../output/print.ts";
import { plainLine, plainText } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const adminDeliveriesShowCommand: Command = defineServerCommand(
  "show",
  "show something that waits to be sent, to pass it on by hand; that you read it is recorded",
)
  .argument("<id>", "its id, from `syla admin deliveries list`")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const delivery = await syla.admin.readDelivery(id);
    if (flags.json === true) return printJson(delivery);
    printFields([
      ["to", plainLine(delivery.to)],
      ["subject", plainLine(delivery.subject)],
      ["state", delivery.state],
      ["problem", plainLine(delivery.lastError ?? "-")],
    ]);
    printLine();
    printLine(delivery.text === null ? "It was sent; its text is not kept." : plainText(delivery.text));
  });
