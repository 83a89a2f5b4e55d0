import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const scheduleShowCommand: Command = defineServerCommand("show", "show a schedule, its next times and what became of the last")
  .argument("<schedule>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const schedule = await syla.schedules.get(id);
    if (flags.json === true) return printJson(schedule);
    const { name, program, cron, timeZone, overlap, missed, enabled, disabledReason, next, last } = schedule;
    printFields([
      ["id", schedule.id],
      ["name", plainLine(name)],
      ["program", plainLine(program.name ?? program.id)],
      ["when", plainLine(`${cron} ${timeZone}`)],
      ["overlap", overlap],
      ["missed", missed],
      ["state", enabled ? "enabled" : `disabled${disabledReason === null ? "" : ` by the server: ${plainLine(disabledReason)}`}`],
      [
        "last",
        last === null ? "-" : `${last.at} ${plainLine(last.outcome)}${last.runId === null ? "" : `, ${last.runId} ${last.status ?? ""}`}`,
      ],
    ]);
    if (next.length > 0) printLine("\nNext:");
    for (const time of next) printLine(`  ${time}`);
  });
