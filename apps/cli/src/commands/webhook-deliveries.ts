import type { WebhookDelivery } from "@syla/sdk";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findWebhook } from "../webhooks/find-webhook.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly state?: WebhookDelivery["state"];
  readonly show?: string;
}

export const webhookDeliveriesCommand: Command = defineServerCommand("deliveries", "list what a webhook was sent in the last two weeks")
  .argument("<webhook>", "its id or name")
  .addOption(new Option("--state <state>", "only these").choices(["due", "sent", "failed"]))
  .option("--show <id>", "one of them as JSON, with what was sent and answered")
  .action(async (word: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findWebhook(syla, word);
    if (flags.show !== undefined) return printJson(await syla.webhooks.delivery(id, flags.show));
    const page = await syla.webhooks.deliveries(id, flags.state === undefined ? {} : { state: flags.state });
    if (flags.json === true) return printJson(page);
    printTable<WebhookDelivery>(
      [
        { title: "id", value: (row) => row.id },
        { title: "event", value: (row) => row.eventType },
        { title: "state", value: (row) => row.state },
        { title: "tries", value: (row) => String(row.attempts), align: "right" },
        { title: "answer", value: (row) => (row.lastStatus === null ? "-" : String(row.lastStatus)) },
        { title: "queued", value: (row) => row.createdAt },
        { title: "problem", value: (row) => plainLine(row.lastError ?? "-") },
      ],
      page.items,
    );
  });
