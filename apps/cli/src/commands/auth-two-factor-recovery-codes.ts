import type { Command } from "commander";
import { openQuestions } from "../accounts/questions.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const authTwoFactorRecoveryCodesCommand: Command = defineServerCommand(
  "recovery-codes",
  "print new recovery codes, this once; those before are worth nothing any more",
).action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  using questions = openQuestions();
  const password = await questions.secret("Your password");
  const code = (await questions.text("A code of your authenticator, or a recovery code")).trim();
  const recoveryCodes = await syla.me.twoFactor.renewCodes({ password, code });
  if (flags.json === true) return printJson({ recoveryCodes });
  for (const recoveryCode of recoveryCodes) printLine(recoveryCode);
  note("each lets you in once, in place of a code of your authenticator.");
});
