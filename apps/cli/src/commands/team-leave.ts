import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamLeaveCommand: Command = defineServerCommand("leave", "leave a team")
  .argument("<team>", "its id, slug or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const team = await findTeam(syla, word);
    await syla.teams.leave(team.id);
    if (flags.json === true) printJson({ left: team.id });
  });
