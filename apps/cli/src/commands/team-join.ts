import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamJoinCommand: Command = defineServerCommand("join", "accept an invitation to a team")
  .argument("<invitation>", "its link, or its id as a notification has it")
  .action(async (text: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const [, token = text] = /#(\S+)$/.exec(text) ?? [];
    const team = text.startsWith("inv_") ? await syla.teams.joinInvited(text) : await syla.teams.join(token);
    if (flags.json === true) printJson(team);
    else printLine(`You are in ${plainLine(team.name)} now`);
  });
