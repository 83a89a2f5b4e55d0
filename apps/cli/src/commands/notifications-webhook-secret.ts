import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const notificationsWebhookSecretCommand: Command = defineServerCommand(
  "webhook-secret",
  "print a new secret that signs your webhook; the one before is worth nothing any more",
).action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const secret = await syla.notifications.preferences.rotateWebhookSecret();
  if (flags.json === true) printJson({ secret });
  else printLine(secret);
});
