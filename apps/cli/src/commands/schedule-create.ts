import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { findProgram } from "../programs/find-program.ts";
import { parseVariables } from "../runs/parse-flags.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly name?: string;
  readonly timeZone?: string;
  readonly overlap?: "skip" | "queue" | "cancel_previous";
  readonly missed?: "skip" | "once" | "all";
  readonly version?: string;
  readonly env: readonly string[];
}

export const scheduleCreateCommand: Command = defineServerCommand("create", "run a program again and again, and print the schedule's id")
  .argument("<program>", "its id, name or slug")
  .argument("<cron>", "minute, hour, day, month, weekday in one word: '0 6 * * mon-fri', or @hourly, @daily, @weekly, @monthly")
  .argument("[args...]", "arguments in place of the program's own; put -- before those that begin with a dash")
  .option("--name <name>", "what it is called; like the program when left out")
  .option("--time-zone <zone>", "whose clock counts, e.g. Europe/Oslo; yours when left out")
  .addOption(
    new Option("--overlap <what>", "when its time comes while its last run goes on: skip it, queue it, or cancel_previous").choices([
      "skip",
      "queue",
      "cancel_previous",
    ]),
  )
  .addOption(
    new Option("--missed <what>", "times that no server was there for: skip, once, or all (24 at most)").choices(["skip", "once", "all"]),
  )
  .option("--version <version>", "a published version; what is there then when left out")
  .option("-e, --env <NAME=value>", "set a variable; NAME alone passes yours on", collect, [])
  .action(async (word: string, cron: string, args: string[], flags: Flags) => {
    const env = parseVariables([], flags.env, process.env);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const program = await findProgram(syla, word);
    const schedule = await syla.schedules.create({
      name: flags.name ?? program.name,
      programId: program.id,
      cron,
      timeZone: flags.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      ...(flags.overlap !== undefined && { overlap: flags.overlap }),
      ...(flags.missed !== undefined && { missed: flags.missed }),
      run: { env, ...(args.length > 0 && { args }), ...(flags.version !== undefined && { version: flags.version }) },
    });
    if (flags.json === true) printJson(schedule);
    else printLine(schedule.id);
  });
