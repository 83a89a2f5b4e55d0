import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findWebhook } from "../webhooks/find-webhook.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

const lookEveryMs = 200;

export const webhookTestCommand: Command = defineServerCommand("test", "send a test, and tell what came of it")
  .argument("<webhook>", "its id or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findWebhook(syla, word);
    let delivery = await syla.webhooks.test(id);
    while (delivery.state === "due" && delivery.lastError === null) {
      await sleep(lookEveryMs);
      delivery = await syla.webhooks.delivery(id, delivery.id);
    }
    if (flags.json === true) printJson(delivery);
    if (delivery.state !== "sent") {
      const reason = plainLine(delivery.lastError ?? "");
      throw new CliError(`It was not taken: ${reason}.`, {
        code: "webhook_failed",
        exit: "unavailable",
        hint: "`syla webhook deliveries` shows each try.",
      });
    }
    if (flags.json !== true) printLine(`Taken with ${delivery.lastStatus} in ${delivery.lastDurationMs} ms.`);
  });
