import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { findMember } from "../teams/find-member.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamRemoveCommand: Command = defineServerCommand("remove", "remove a member from a team")
  .argument("<team>", "its id, slug or name")
  .argument("<member>", "the e-mail address or the id")
  .action(async (word: string, who: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const team = await findTeam(syla, word);
    const { userId } = await findMember(syla, team, who);
    await syla.teams.removeMember(team.id, userId);
    if (flags.json === true) printJson({ removed: userId });
  });
