import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamAddCommand: Command = defineServerCommand("add", "invite somebody to a team, and print the link")
  .argument("<team>", "its id, slug or name")
  .argument("<email>", "of the person")
  .option("--owner", "as an owner")
  .action(async (word: string, email: string, flags: CommonFlags & { readonly owner?: boolean }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const team = await findTeam(syla, word);
    const invited = await syla.teams.invite(team.id, { email, role: flags.owner === true ? "owner" : "member" });
    if (flags.json === true) printJson(invited);
    else printLine(invited.url);
  });
