import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findWebhook } from "../webhooks/find-webhook.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const webhookDeleteCommand: Command = defineServerCommand("delete", "delete a webhook, with what waits for it and its log")
  .argument("<webhook>", "its id or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id, name } = await findWebhook(syla, word);
    await syla.webhooks.delete(id);
    if (flags.json === true) printJson({ id });
    else printLine(`${plainLine(name)} is deleted.`);
  });
