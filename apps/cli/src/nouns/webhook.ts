import { webhookCreateCommand } from "../commands/webhook-create.ts";
import { webhookDeleteCommand } from "../commands/webhook-delete.ts";
import { webhookDeliveriesCommand } from "../commands/webhook-deliveries.ts";
import { webhookListCommand } from "../commands/webhook-list.ts";
import { webhookReplayCommand } from "../commands/webhook-replay.ts";
import { webhookRotateCommand } from "../commands/webhook-rotate.ts";
import { webhookTestCommand } from "../commands/webhook-test.ts";
import { webhookUpdateCommand } from "../commands/webhook-update.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla webhook` */
export const webhookNoun = defineNoun("webhook", "addresses that are told of what happens", [
  webhookListCommand,
  webhookCreateCommand,
  webhookUpdateCommand,
  webhookTestCommand,
  webhookDeliveriesCommand,
  webhookReplayCommand,
  webhookRotateCommand,
  webhookDeleteCommand,
]);
