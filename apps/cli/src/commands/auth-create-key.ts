import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly scope: readonly string[];
  readonly days?: string;
  readonly perMinute?: string;
}

export const authCreateKeyCommand: Command = defineServerCommand("create-key", "make an API key; it is printed this once")
  .argument("<name>", "what will use it")
  .option("--scope <scope>", "what it may do, e.g. runs:read or runs:* (several times; everything without it)", collect, [])
  .option("--days <number>", "how long it counts (without end when left out)")
  .option("--per-minute <number>", "how many requests a minute it may make")
  .action(async (name: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const [expiresInDays, requestsPerMinute] = [wholeNumber("--days", flags.days), wholeNumber("--per-minute", flags.perMinute)];
    const created = await syla.apiKeys.create({
      name,
      ...(flags.scope.length > 0 && { scopes: [...flags.scope] }),
      ...(expiresInDays !== undefined && { expiresInDays }),
      ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    });
    if (flags.json === true) printJson(created);
    else printLine(created.key);
  });

function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw usageError(`${flag} takes a whole number.`);
  return Number(text);
}
