import type { AuditEvent } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { addAuditFilters, type AuditFilterFlags, readAuditFilters } from "./audit-filter.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, AuditFilterFlags {
  readonly limit: string;
  readonly cursor?: string;
}

export const auditListCommand: Command = addAuditFilters(defineServerCommand("list", "who did what, newest first (administrators)"))
  .option("-n, --limit <number>", "how many, at most 200", "50")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (flags: Flags) => {
    const limit = Number(flags.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > 200)
      throw usageError(`"${flags.limit}" is not a number from 1 to 200.`, "Write -n 50; --cursor asks for the next page.");
    const filters = readAuditFilters(flags);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const page = await syla.audit.list({ ...filters, limit, ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }) });
    if (flags.json === true) return printJson(page);
    printTable<AuditEvent>(
      [
        { title: "time", value: (event) => (process.stdout.isTTY ? formatAge(event.at) : event.at) },
        { title: "who", value: (event) => plainLine(event.actorName || (event.via === "link" ? "(link)" : "-")) },
        { title: "action", value: (event) => plainLine(event.action) },
        { title: "outcome", value: (event) => styleStatus(process.stdout, event.outcome) },
        { title: "about", value: (event) => plainLine(event.resourceId ?? event.resourceType ?? "-") },
        { title: "address", value: (event) => plainLine(event.ip ?? "-") },
        { title: "id", value: (event) => event.id },
      ],
      page.items,
    );
  });
