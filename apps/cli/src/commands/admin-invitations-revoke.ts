import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const adminInvitationsRevokeCommand: Command = defineServerCommand("revoke", "take an invitation to make an account back")
  .argument("<id>", "its id, from `syla admin invitations list`")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await syla.invitations.revoke(id);
    if (flags.json === true) printJson({ revoked: id });
    else printLine("Taken back.");
  });
