import type { EnvironmentSummary } from "@syla/sdk";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge, formatBytes } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";

interface Flags extends CommonFlags {
  readonly state?: "none" | "building" | "ready" | "failed";
  readonly search?: string;
  readonly all?: boolean;
  readonly limit: string;
  readonly cursor?: string;
}

export const environmentListCommand: Command = defineServerCommand("list", "list the environments of your programs, newest first")
  .addOption(new Option("-s, --state <state>", "only these").choices(["none", "building", "ready", "failed"]))
  .option("-q, --search <text>", "only with this in the id or a dependency")
  .option("--all", "of everybody (administrators)")
  .option("-n, --limit <number>", "how many, at most 200", "20")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (flags: Flags) => {
    const limit = parsePageSize(flags.limit);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const page = await syla.environments.list({
      limit,
      ...(flags.state !== undefined && { state: flags.state }),
      ...(flags.search !== undefined && { q: flags.search }),
      ...(flags.all === true && { owner: "all" as const }),
      ...(flags.cursor !== undefined && { cursor: flags.cursor }),
    });
    if (flags.json === true) return printJson(page);
    printTable<EnvironmentSummary>(
      [
        { title: "id", value: (environment) => environment.id },
        { title: "state", value: (environment) => environment.phase ?? environment.state },
        { title: "language", value: (environment) => `${environment.language} ${environment.runtimeVersion}` },
        { title: "packages", value: (environment) => String(environment.packageCount), align: "right" },
        { title: "size", value: (environment) => (environment.size === null ? "-" : formatBytes(environment.size)), align: "right" },
        { title: "warm", value: ({ warmth }) => (warmth.isWarm ? (warmth.isKept ? "kept" : "yes") : warmth.isKept ? "soon" : "-") },
        { title: "used", value: (environment) => formatAge(environment.usedAt) },
        { title: "dependencies", value: (environment) => plainLine(environment.dependencies.join(", ").slice(0, 60)) },
      ],
      page.items,
    );
  });
