import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamLimitCommand: Command = defineServerCommand("limit", "how many runs its members may have at once (administrators)")
  .argument("<team>", "its id, slug or name")
  .argument("<runs>", "a number for all of them together, or `none`")
  .action(async (word: string, runs: string, flags: CommonFlags) => {
    if (!/^(none|\d{1,7})$/.test(runs)) throw usageError(`"${runs}" is no number of runs.`, "Write a number, or none.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const team = await findTeam(syla, word);
    const changed = await syla.teams.update(team.id, { concurrentRuns: runs === "none" ? null : Number(runs) });
    if (flags.json === true) return printJson(changed);
    printLine(
      `${plainLine(changed.name)}: ${changed.concurrentRuns === null ? "no limit of its own" : `${changed.concurrentRuns} runs at once`}`,
    );
  });
