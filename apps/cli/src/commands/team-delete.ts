import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamDeleteCommand: Command = defineServerCommand("delete", "delete a team, and every grant that it has")
  .argument("<team>", "its id, slug or name")
  .option("-y, --yes", "also when it has been given something")
  .action(async (word: string, flags: CommonFlags & { readonly yes?: boolean }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const team = await findTeam(syla, word);
    const { runs, sandboxes } = await syla.teams.grants(team.id);
    if (runs + sandboxes > 0 && flags.yes !== true)
      throw usageError(
        `The members of "${team.name}" would lose what was shared with it: ${runs} runs and ${sandboxes} sandboxes.`,
        "Add --yes to delete it all the same.",
      );
    await syla.teams.delete(team.id);
    if (flags.json === true) printJson({ deleted: team.id });
  });
