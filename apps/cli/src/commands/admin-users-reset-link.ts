import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { findUser } from "./find-user.ts";

export const adminUsersResetLinkCommand: Command = defineServerCommand(
  "reset-link",
  "print a link with which somebody sets a new password, for you to hand over",
)
  .argument("<user>", "id or e-mail address")
  .action(async (named: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const link = await syla.passwordReset.createFor((await findUser(syla, named)).id);
    if (flags.json === true) return printJson(link);
    printLine(plainLine(link.url));
    note(`it works once, until ${link.expiresAt.slice(0, 16).replace("T", " ")} (UTC).`);
  });
