import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly name?: string;
  readonly description?: string;
}

export const teamUpdateCommand: Command = defineServerCommand("update", "change the name or the description of a team")
  .argument("<team>", "its id, slug or name")
  .option("--name <name>", "another name")
  .option("-d, --description <text>", "what it is for")
  .action(async (word: string, { name, description, ...flags }: Flags) => {
    if (name === undefined && description === undefined) throw usageError("There is nothing to change.", "Give --name or --description.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findTeam(syla, word);
    const team = await syla.teams.update(id, { ...(name !== undefined && { name }), ...(description !== undefined && { description }) });
    if (flags.json === true) printJson(team);
    else printLine(`${team.id}\t${plainLine(team.name)}`);
  });
