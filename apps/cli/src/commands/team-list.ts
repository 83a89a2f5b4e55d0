import type { Team } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamListCommand: Command = defineServerCommand("list", "list your teams, newest first")
  .option("--all", "of everybody (administrators)")
  .action(async (flags: CommonFlags & { readonly all?: boolean }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const teams: Team[] = [];
    for await (const team of syla.teams.list(flags.all === true ? { owner: "all" } : {})) teams.push(team);
    if (flags.json === true) return printJson({ items: teams });
    printTable<Team>(
      [
        { title: "id", value: (team) => team.id },
        { title: "name", value: (team) => plainLine(team.name) },
        { title: "you", value: (team) => team.yourRole ?? "-" },
        { title: "members", value: (team) => String(team.memberCount), align: "right" },
      ],
      teams,
    );
  });
