import type { Command } from "commander";
import { openQuestions } from "../accounts/questions.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const accountEmailCommand: Command = defineServerCommand(
  "email",
  "have the link sent that confirms your address, or a new one in its place",
)
  .argument("[address]", "the new one; needs your password")
  .action(async (email: string | undefined, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    if (email === undefined) await syla.me.verifyEmail();
    else {
      using questions = openQuestions();
      await syla.me.verifyEmail({ email, password: await questions.secret("Your password") });
    }
    if (flags.json === true) printJson({ accepted: true });
    else printLine(email === undefined ? "A link is on its way to your address." : `A link is on its way to ${plainLine(email)}.`);
  });
