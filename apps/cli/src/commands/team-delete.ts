import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamDeleteCommand: Command = defineServerCommand("delete", "delete a team, and every grant that it has")
  .argument("<team>", "its id, slug or name")
  .option("-y, --yes", "also when it has been given something")
  .option("--assets-to <team>", "who gets the assets that it owns: `me`, or another team of yours")
  .action(async (word: string, flags: CommonFlags & { readonly yes?: boolean; readonly assetsTo?: string }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const team = await findTeam(syla, word);
    const { runs, sandboxes, assets } = await syla.teams.grants(team.id);
    if (runs + sandboxes + assets > 0 && flags.yes !== true)
      throw usageError(
        `The members of "${team.name}" would lose what was shared with it: ${runs} runs, ${sandboxes} sandboxes and ${assets} assets.`,
        "Add --yes to delete it all the same.",
      );
    const { assetsTo } = flags;
    const transferTo = assetsTo === undefined || assetsTo === "me" ? assetsTo : (await findTeam(syla, assetsTo)).id;
    await syla.teams.delete(team.id, transferTo === undefined ? {} : { transferTo });
    if (flags.json === true) printJson({ deleted: team.id });
  });
