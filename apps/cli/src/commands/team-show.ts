import type { TeamMember } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamShowCommand: Command = defineServerCommand("show", "list the members of a team")
  .argument("<team>", "its id, slug or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const team = await findTeam(syla, word);
    const members: TeamMember[] = [];
    for await (const member of syla.teams.members(team.id)) members.push(member);
    if (flags.json === true) return printJson({ ...team, members });
    printTable<TeamMember>(
      [
        { title: "id", value: (member) => member.userId },
        { title: "name", value: (member) => plainLine(member.name) },
        { title: "e-mail", value: (member) => plainLine(member.email ?? "-") },
        { title: "role", value: (member) => member.role },
      ],
      members,
    );
  });
