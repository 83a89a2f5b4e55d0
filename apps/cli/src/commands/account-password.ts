import type { Command } from "commander";
import { openQuestions } from "../accounts/questions.ts";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const accountPasswordCommand: Command = defineServerCommand(
  "password",
  "change your password; signs you out of your browsers",
).action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  using questions = openQuestions();
  const currentPassword = await questions.secret("Your password");
  const newPassword = await questions.secret("The new one");
  if ((await questions.secret("The new one again")) !== newPassword)
    throw usageError("The new password was typed in two ways.", "Begin again; nothing was changed.");
  await syla.me.changePassword({ currentPassword, newPassword });
  if (flags.json === true) printJson({ changed: true });
  else printLine("Your password was changed.");
});
