import type { Sandbox } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly ended?: boolean;
  readonly shared?: boolean;
  readonly all?: boolean;
  readonly cursor?: string;
}

export const sandboxListCommand: Command = defineServerCommand("list", "list sandboxes, newest first")
  .option("--ended", "those that have ended too")
  .option("--shared", "what others have shared with you")
  .option("--all", "of everybody (administrators)")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const page = await syla.sandboxes.list({
      cursor: flags.cursor,
      ...(flags.ended === true ? {} : { live: true }),
      ...(flags.all === true ? { owner: "all" } : flags.shared === true ? { owner: "shared" } : {}),
    });
    if (flags.json === true) return printJson(page);
    printTable<Sandbox>(
      [
        { title: "id", value: (sandbox) => sandbox.id },
        { title: "name", value: (sandbox) => plainLine(sandbox.name) },
        { title: "status", value: (sandbox) => sandbox.status },
        { title: "language", value: (sandbox) => plainLine(sandbox.language) },
        { title: "created", value: (sandbox) => (process.stdout.isTTY ? formatAge(sandbox.createdAt) : sandbox.createdAt) },
        { title: "program", value: (sandbox) => plainLine(sandbox.program?.name ?? "") },
      ],
      page.items,
    );
  });
