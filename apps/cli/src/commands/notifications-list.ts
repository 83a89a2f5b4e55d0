import type { Notification, NotificationType } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { style } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";

interface Flags extends CommonFlags {
  readonly unread?: boolean;
  readonly type?: string;
  readonly limit: string;
  readonly cursor?: string;
}

export const notificationsListCommand: Command = defineServerCommand("list", "list your notifications, newest first")
  .option("-u, --unread", "only those that are not read yet")
  .option("-t, --type <type>", "only of this type, e.g. run_finished")
  .option("-n, --limit <number>", "how many, at most 200", "20")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (flags: Flags) => {
    const limit = parsePageSize(flags.limit);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const unread = flags.unread === true ? true : undefined;
    const page = await syla.notifications.list({ unread, type: flags.type as NotificationType | undefined, limit, cursor: flags.cursor });
    if (flags.json === true) return printJson(page);
    printTable<Notification>(
      [
        { title: "id", value: (entry) => entry.id },
        { title: "read", value: (entry) => (entry.readAt === null ? style(process.stdout, "yellow", "new") : "read") },
        { title: "type", value: (entry) => entry.type },
        { title: "title", value: (entry) => plainLine(entry.title) },
        { title: "when", value: (entry) => (process.stdout.isTTY ? formatAge(entry.createdAt) : entry.createdAt) },
      ],
      page.items,
    );
  });
