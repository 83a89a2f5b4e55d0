import type { Schedule } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const scheduleListCommand: Command = defineServerCommand("list", "list your schedules, newest first")
  .option("--all", "of everybody (administrators)")
  .action(async (flags: CommonFlags & { readonly all?: boolean }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const items = await Array.fromAsync(syla.schedules.list(flags.all === true ? { owner: "all" } : {}));
    if (flags.json === true) return printJson({ items });
    printTable<Schedule>(
      [
        { title: "id", value: ({ id }) => id },
        { title: "name", value: ({ name }) => plainLine(name) },
        { title: "program", value: ({ program }) => plainLine(program.name ?? program.id) },
        { title: "when", value: ({ cron, timeZone }) => plainLine(`${cron} ${timeZone}`) },
        {
          title: "next",
          value: ({ next, disabledReason }) => next[0] ?? `disabled${disabledReason === null ? "" : `: ${plainLine(disabledReason)}`}`,
        },
        { title: "last", value: ({ last }) => (last === null ? "-" : plainLine(last.status ?? last.outcome)) },
      ],
      items,
    );
  });
