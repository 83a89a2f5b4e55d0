import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { findWebhook } from "../webhooks/find-webhook.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const webhookRotateCommand: Command = defineServerCommand("rotate", "print a new secret; the one before signs as well for a day")
  .argument("<webhook>", "its id or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const rotated = await syla.webhooks.rotate((await findWebhook(syla, word)).id);
    if (flags.json === true) printJson(rotated);
    else printLine(rotated.secret);
  });
