import type { ListUsersQuery, UserRecord } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";

interface Flags extends CommonFlags {
  readonly search?: string;
  readonly role?: string;
  readonly status?: string;
  readonly limit: string;
  readonly cursor?: string;
}

export const adminUsersListCommand: Command = defineServerCommand("list", "list accounts, newest first")
  .option("-q, --search <text>", "only with this in the name, the e-mail address or the id")
  .option("-r, --role <role>", "only these: end_user, developer or admin")
  .option("-s, --status <status>", "only these: active or suspended")
  .option("-n, --limit <number>", "how many, at most 200", "50")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (flags: Flags) => {
    const limit = parsePageSize(flags.limit);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { search: q, role, status, cursor } = flags;
    const page = await syla.users.list({ q, role, status, cursor, limit } as ListUsersQuery);
    if (flags.json === true) return printJson(page);
    printTable<UserRecord>(
      [
        { title: "id", value: (user) => user.id },
        { title: "name", value: (user) => plainLine(user.name) },
        { title: "e-mail", value: (user) => plainLine(user.email ?? "-") },
        { title: "role", value: (user) => user.role },
        { title: "status", value: (user) => styleStatus(process.stdout, user.status) },
        { title: "created", value: (user) => (process.stdout.isTTY ? formatAge(user.createdAt) : user.createdAt) },
      ],
      page.items,
    );
  });
