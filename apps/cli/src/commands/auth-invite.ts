import { type Command, Option } from "commander";
import type { Role } from "@syla/sdk";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly role: Role;
}

export const authInviteCommand: Command = defineServerCommand("invite", "invite somebody to make an account (administrators)")
  .argument("<email>", "their address")
  .addOption(new Option("--role <role>", "what they will be").choices(["end_user", "developer", "admin"]).default("developer"))
  .action(async (email: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const invitation = await syla.invitations.create({ email, role: flags.role });
    if (flags.json === true) return printJson(invitation);
    printLine(`Invited ${plainLine(invitation.email)}. The link works once, until ${invitation.expiresAt.slice(0, 10)}:`);
    printLine(plainLine(invitation.url));
  });
