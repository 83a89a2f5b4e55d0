import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findWebhook } from "../webhooks/find-webhook.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly url?: string;
  readonly name?: string;
  readonly on?: boolean;
  readonly off?: boolean;
}

export const webhookUpdateCommand: Command = defineServerCommand("update", "change a webhook, switch it off or on")
  .argument("<webhook>", "its id or name")
  .option("--url <url>", "another address")
  .option("--name <name>", "another name")
  .option("--on", "send to it again")
  .option("--off", "send nothing to it")
  .action(async (word: string, flags: Flags) => {
    if (flags.on === true && flags.off === true) throw usageError("Give --on or --off, not both.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findWebhook(syla, word);
    const webhook = await syla.webhooks.update(id, {
      ...(flags.url === undefined ? {} : { url: flags.url }),
      ...(flags.name === undefined ? {} : { name: flags.name }),
      ...(flags.on === true ? { enabled: true } : {}),
      ...(flags.off === true ? { enabled: false } : {}),
    });
    if (flags.json === true) printJson(webhook);
    else printLine(`${plainLine(webhook.name)} is ${webhook.enabled ? "on" : "off"}.`);
  });
