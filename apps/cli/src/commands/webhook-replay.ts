import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { findWebhook } from "../webhooks/find-webhook.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const webhookReplayCommand: Command = defineServerCommand("replay", "send again what was given up, or one delivery")
  .argument("<webhook>", "its id or name")
  .argument("[delivery]", "one of them")
  .option("--since <time>", "all that were given up since then, e.g. 2030-01-31T00:00:00Z")
  .action(async (word: string, deliveryId: string | undefined, flags: CommonFlags & { readonly since?: string }) => {
    if ((deliveryId === undefined) === (flags.since === undefined)) throw usageError("Give a delivery or --since.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findWebhook(syla, word);
    let replayed = 1;
    if (deliveryId !== undefined) await syla.webhooks.replay(id, deliveryId);
    else replayed = await syla.webhooks.replayMany(id, { since: flags.since ?? "" });
    if (flags.json === true) printJson({ replayed });
    else printLine(`${replayed} will be sent again.`);
  });
