import type { Approval } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";

interface Flags extends CommonFlags {
  readonly limit: string;
  readonly cursor?: string;
}

export const compositionApprovalsCommand: Command = defineServerCommand("approvals", "list where runs wait for you to decide")
  .option("-n, --limit <number>", "how many, at most 200", "20")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async ({ limit, cursor, json, profile }: Flags) => {
    const { syla } = await connect({ env: process.env, profile });
    const page = await syla.compositionRuns.approvals({ limit: parsePageSize(limit), ...(cursor === undefined ? {} : { cursor }) });
    if (json === true) return printJson(page);
    printTable<Approval>(
      [
        { title: "run", value: ({ runId }) => runId },
        { title: "node", value: ({ path }) => path },
        { title: "composition", value: ({ composition }) => plainLine(composition.name) },
        { title: "whose", value: ({ runOwner }) => plainLine(runOwner.name) },
        { title: "question", value: ({ message }) => plainLine(message) },
        { title: "since", value: ({ since }) => (since === null ? "-" : process.stdout.isTTY ? formatAge(since) : since) },
      ],
      page.items,
    );
  });
