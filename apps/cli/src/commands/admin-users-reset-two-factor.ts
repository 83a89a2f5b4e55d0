import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { findUser } from "./find-user.ts";

export const adminUsersResetTwoFactorCommand: Command = defineServerCommand(
  "reset-two-factor",
  "take the second factor off an account whose owner has lost it",
)
  .argument("<user>", "id or e-mail address")
  .requiredOption("--reason <text>", "why; kept in the audit trail")
  .action(async (named: string, flags: CommonFlags & { readonly reason: string }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const user = await syla.users.resetTwoFactor((await findUser(syla, named)).id, flags.reason);
    if (flags.json === true) printJson(user);
    else printLine(`${plainLine(user.name)} signs in without a second factor now, and was signed out everywhere`);
  });
