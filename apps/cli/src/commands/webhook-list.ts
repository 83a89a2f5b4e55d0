import type { Webhook } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const webhookListCommand: Command = defineServerCommand("list", "list your webhooks and those of your teams").action(
  async (flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const items: Webhook[] = [];
    for await (const webhook of syla.webhooks.list()) items.push(webhook);
    if (flags.json === true) return printJson({ items });
    printTable<Webhook>(
      [
        { title: "id", value: ({ id }) => id },
        { title: "name", value: ({ name }) => plainLine(name) },
        { title: "state", value: ({ enabled, failingSince }) => (enabled ? (failingSince === null ? "on" : "failing") : "off") },
        { title: "events", value: ({ events }) => events.join(",") },
        { title: "owner", value: ({ owner }) => plainLine(owner.name) },
        { title: "url", value: ({ url }) => plainLine(url) },
      ],
      items,
    );
  },
);
