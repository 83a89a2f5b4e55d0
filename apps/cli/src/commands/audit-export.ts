import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { writeNewFile } from "../output/new-file.ts";
import { note } from "../output/progress.ts";
import { addAuditFilters, type AuditFilterFlags, readAuditFilters } from "./audit-filter.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, AuditFilterFlags {
  readonly format: string;
  readonly output?: string;
}

export const auditExportCommand: Command = addAuditFilters(
  defineServerCommand("export", "write the audit trail to a file or to stdout (administrators)"),
)
  .option("--format <name>", "json or csv", "json")
  .option("-o, --output <file>", "a new file, readable by you only")
  .action(async (flags: Flags) => {
    const { format } = flags;
    if (format !== "json" && format !== "csv") throw usageError(`"${format}" is not a format.`, "Write --format json or --format csv.");
    const filters = readAuditFilters(flags);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { body } = await syla.audit.export({ ...filters, format });
    if (body === null) return;
    if (flags.output === undefined) return await pipeline(Readable.fromWeb(body), process.stdout, { end: false });
    await writeNewFile(flags.output, body, { mode: 0o600 });
    note(`written to ${flags.output}`);
  });
