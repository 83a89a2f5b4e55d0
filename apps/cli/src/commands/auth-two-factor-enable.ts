import type { Command } from "commander";
import { openQuestions } from "../accounts/questions.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const authTwoFactorEnableCommand: Command = defineServerCommand(
  "enable",
  "have sign-in ask for a code of an authenticator besides the password; prints the recovery codes, this once",
).action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  using questions = openQuestions();
  const { secret, uri } = await syla.me.twoFactor.begin(await questions.secret("Your password"));
  note(`type this secret into your authenticator: ${plainLine(secret)}`);
  note(`or open this address with it: ${plainLine(uri)}`);
  const recoveryCodes = await syla.me.twoFactor.confirm((await questions.text("The six digits that it shows")).trim());
  if (flags.json === true) return printJson({ enabled: true, recoveryCodes });
  for (const code of recoveryCodes) printLine(code);
  note("the second factor is on. Keep these codes where you find them without your authenticator: each lets you in once.");
});
