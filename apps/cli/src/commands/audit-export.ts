import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
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
    const source = Readable.fromWeb(body);
    if (flags.output === undefined) return await pipeline(source, process.stdout, { end: false });
    await pipeline(source, createWriteStream(flags.output, { flags: "wx", mode: 0o600 })).catch((cause: unknown) => {
      throw describeFailure(flags.output ?? "", cause);
    });
    note(`written to ${flags.output}`);
  });

function describeFailure(path: string, cause: unknown): unknown {
  if ((cause as NodeJS.ErrnoException).code !== "EEXIST") return cause;
  return new CliError(`The file ${path} is there already.`, { code: "file_exists", exit: "cannot_create", hint: "Name another.", cause });
}
