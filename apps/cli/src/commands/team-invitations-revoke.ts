import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamInvitationsRevokeCommand: Command = defineServerCommand("revoke", "take an invitation to a team back")
  .argument("<team>", "its id, slug or name")
  .argument("<id>", "its id, from `syla team invitations list`")
  .action(async (word: string, id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await syla.teams.revokeInvitation((await findTeam(syla, word)).id, id);
    if (flags.json === true) printJson({ revoked: id });
    else printLine("Taken back.");
  });
