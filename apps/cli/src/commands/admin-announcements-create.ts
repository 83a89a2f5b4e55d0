import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly body?: string;
  readonly level: "info" | "warning";
  readonly until?: string;
  readonly notify: boolean;
}

export const adminAnnouncementsCreateCommand: Command = defineServerCommand("create", "say something to everybody, and print its id")
  .argument("<title>", "one line")
  .option("-b, --body <text>", "more about it")
  .addOption(new Option("--level <level>", "how it looks").choices(["info", "warning"]).default("info"))
  .option("--until <time>", "when it is taken down by itself, e.g. 2030-01-31T00:00:00Z")
  .option("--no-notify", "the banner alone, no notification for everybody")
  .action(async (title: string, { body, level, until, notify, ...flags }: Flags) => {
    const end = until === undefined ? null : new Date(until);
    if (end !== null && Number.isNaN(end.getTime())) throw usageError(`"${until}" is not a time.`, "Write it like 2030-01-31T00:00:00Z.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const made = await syla.admin.createAnnouncement({
      title,
      level,
      notify,
      ...(body !== undefined && { body }),
      ...(end !== null && { endsAt: end.toISOString() }),
    });
    if (flags.json === true) printJson(made);
    else printLine(made.id);
  });
