import { Argument, type Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const notificationsTestCommand: Command = defineServerCommand("test", "send something at once, to see whether it arrives")
  .addArgument(new Argument("<channel>", "where").choices(["email", "webhook"]))
  .action(async (channel: "email" | "webhook", flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const outcome = await syla.notifications.preferences.test(channel);
    if (flags.json === true) printJson(outcome);
    else if (outcome.sent) printLine("Sent.");
    if (!outcome.sent)
      throw new CliError(`It was not taken: ${plainLine(outcome.problem ?? "no reason was given")}.`, {
        code: "not_sent",
        exit: "unavailable",
        hint: "`syla notifications preferences` shows where it goes.",
      });
  });
