import type { Command } from "commander";
import { openQuestions } from "../accounts/questions.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const authTwoFactorDisableCommand: Command = defineServerCommand("disable", "have sign-in ask for the password alone").action(
  async (flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    using questions = openQuestions();
    const password = await questions.secret("Your password");
    await syla.me.twoFactor.disable({ password, code: (await questions.text("A code of your authenticator, or a recovery code")).trim() });
    if (flags.json === true) printJson({ enabled: false });
    else printLine("The second factor is off.");
  },
);
