import type { Delivery, ListDeliveriesQuery } from "@syla/sdk";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";

interface Flags extends CommonFlags {
  readonly state?: Delivery["state"];
  readonly limit: string;
  readonly cursor?: string;
}

export const adminDeliveriesListCommand: Command = defineServerCommand(
  "list",
  "list what is sent outside by mail and webhook, newest first",
)
  .addOption(new Option("--state <state>", "only these").choices(["due", "sent", "failed"]))
  .option("-n, --limit <number>", "how many, at most 200", "50")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (flags: Flags) => {
    const { state, cursor } = flags;
    const query: ListDeliveriesQuery = { state, cursor, limit: parsePageSize(flags.limit) };
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const page = await syla.admin.listDeliveries(query);
    if (flags.json === true) return printJson(page);
    printTable<Delivery>(
      [
        { title: "id", value: (delivery) => delivery.id },
        { title: "by", value: (delivery) => delivery.channel },
        { title: "to", value: (delivery) => plainLine(delivery.to) },
        { title: "subject", value: (delivery) => plainLine(delivery.subject) },
        { title: "state", value: (delivery) => styleStatus(process.stdout, delivery.state) },
        { title: "tries", value: (delivery) => String(delivery.attempts), align: "right" },
        { title: "queued", value: (delivery) => delivery.createdAt },
        { title: "problem", value: (delivery) => plainLine(delivery.lastError ?? "-") },
      ],
      page.items,
    );
  });
