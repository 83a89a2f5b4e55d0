import type { LeastTier } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly name?: string;
  readonly description?: string;
  readonly leastTier?: LeastTier;
}

export const teamUpdateCommand: Command = defineServerCommand(
  "update",
  "change the name or the description of a team, or how its members' runs are isolated",
)
  .argument("<team>", "its id, slug or name")
  .option("--name <name>", "another name")
  .option("-d, --description <text>", "what it is for")
  .addOption(
    new Option("--least-tier <name>", "how runs and sandboxes of its members are isolated at least").choices(["namespace", "microvm"]),
  )
  .action(async (word: string, { name, description, leastTier, ...flags }: Flags) => {
    const change = {
      ...(name !== undefined && { name }),
      ...(description !== undefined && { description }),
      ...(leastTier !== undefined && { leastTier }),
    };
    if (Object.keys(change).length === 0) throw usageError("There is nothing to change.", "Give --name, --description or --least-tier.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findTeam(syla, word);
    const team = await syla.teams.update(id, change);
    if (flags.json === true) printJson(team);
    else printLine(`${team.id}\t${plainLine(team.name)}`);
  });
