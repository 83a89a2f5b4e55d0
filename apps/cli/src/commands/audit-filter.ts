import type { AuditExportQuery } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";

/** Flags that say which events are meant. */
export interface AuditFilterFlags {
  readonly actor?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly outcome?: string;
  readonly since?: string;
  readonly until?: string;
  readonly search?: string;
}

/** Adds the filters that reading and exporting have in common. */
export function addAuditFilters(command: Command): Command {
  return command
    .option("--actor <id>", "only what this person did")
    .option("--action <name>", "only this: run.create, or run.* for all that begin so")
    .option("--resource <id>", "only what was about this")
    .option("--outcome <word>", "only ok, denied or failed")
    .option("--since <time>", "only from then on: 2026-03-01, or 2026-03-01T12:00:00Z")
    .option("--until <time>", "only before then")
    .option("-q, --search <text>", "only with this in the name, the action, an id or the address");
}

const outcomes = ["ok", "denied", "failed"] as const;

/** The filters as the server takes them. */
export function readAuditFilters(flags: AuditFilterFlags): Omit<AuditExportQuery, "format"> {
  const outcome = outcomes.find((known) => known === flags.outcome);
  if (flags.outcome !== undefined && outcome === undefined)
    throw usageError(`"${flags.outcome}" is not an outcome.`, `Write one of: ${outcomes.join(", ")}.`);
  return {
    ...(flags.actor === undefined ? {} : { actor: flags.actor }),
    ...(flags.action === undefined ? {} : { action: flags.action }),
    ...(flags.resource === undefined ? {} : { resource: flags.resource }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(flags.since === undefined ? {} : { since: readTime(flags.since) }),
    ...(flags.until === undefined ? {} : { until: readTime(flags.until) }),
    ...(flags.search === undefined ? {} : { q: flags.search }),
  };
}

function readTime(text: string): string {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw usageError(`"${text}" is not a time.`, "Write 2026-03-01 or 2026-03-01T12:00:00Z.");
  return new Date(time).toISOString();
}
