import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamCreateCommand: Command = defineServerCommand("create", "create a team, and print its id")
  .argument("<name>", "what people call it")
  .option("-d, --description <text>", "what it is for")
  .action(async (name: string, flags: CommonFlags & { readonly description?: string }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const team = await syla.teams.create({ name, ...(flags.description === undefined ? {} : { description: flags.description }) });
    if (flags.json === true) printJson(team);
    else printLine(team.id);
  });
