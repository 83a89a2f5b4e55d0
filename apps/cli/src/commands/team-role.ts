import { Argument, type Command } from "commander";
import type { TeamRole } from "@syla/sdk";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findMember } from "../teams/find-member.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamRoleCommand: Command = defineServerCommand("role", "make a member an owner, or an owner a member")
  .argument("<team>", "its id, slug or name")
  .argument("<member>", "the e-mail address or the id")
  .addArgument(new Argument("<role>", "the new role; a team keeps at least one owner").choices(["owner", "member"]))
  .action(async (word: string, who: string, role: TeamRole, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const team = await findTeam(syla, word);
    const { userId } = await findMember(syla, team, who);
    const member = await syla.teams.setRole(team.id, userId, role);
    if (flags.json === true) printJson(member);
    else printLine(`${plainLine(member.name)} is ${member.role} of ${plainLine(team.name)} now`);
  });
