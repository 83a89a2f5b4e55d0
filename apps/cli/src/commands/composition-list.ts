import type { AssetSummary } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";

interface Flags extends CommonFlags {
  readonly shared?: boolean;
  readonly public?: boolean;
  readonly all?: boolean;
  readonly deleted?: boolean;
  readonly search?: string;
  readonly limit: string;
  readonly cursor?: string;
}

function viewOf({ shared, public: isPublic, all, deleted, search }: Flags): "mine" | "shared" | "public" | "all" | "deleted" {
  if (shared === true) return "shared";
  if (isPublic === true) return "public";
  if (deleted === true) return "deleted";
  return all === true || search !== undefined ? "all" : "mine";
}

export const compositionListCommand: Command = defineServerCommand("list", "list your compositions")
  .option("--shared", "what others have shared with you")
  .option("--public", "what everybody sees")
  .option("--all", "all that you may see")
  .option("--deleted", "what you may restore")
  .option("-s, --search <words>", "words of names, tags and descriptions, or how they begin")
  .option("-n, --limit <number>", "how many, at most 200", "20")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const page = await syla.assets.list({
      type: "composition",
      view: viewOf(flags),
      limit: parsePageSize(flags.limit),
      ...(flags.search === undefined ? {} : { q: flags.search.slice(0, 200) }),
      ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
    });
    if (flags.json === true) return printJson(page);
    if (page.isAlike) process.stderr.write("Nothing has these words. What is like them:\n");
    printTable<AssetSummary>(
      [
        { title: "id", value: (composition) => composition.id },
        { title: "slug", value: (composition) => composition.slug },
        { title: "name", value: (composition) => plainLine(composition.name) },
        { title: "version", value: (composition) => composition.version ?? "-" },
        { title: "owner", value: (composition) => plainLine(composition.owner.name) },
        { title: "access", value: (composition) => composition.yourLevel },
        { title: "changed", value: ({ updatedAt }) => (process.stdout.isTTY ? formatAge(updatedAt) : updatedAt) },
      ],
      page.items,
    );
  });
