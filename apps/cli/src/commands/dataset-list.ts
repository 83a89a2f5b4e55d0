import type { AssetSummary } from "@syla/sdk";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";

interface Flags extends CommonFlags {
  readonly view: "mine" | "shared" | "public" | "all" | "deleted";
  readonly search?: string;
  readonly tag?: string;
  readonly limit: string;
  readonly cursor?: string;
}

export const datasetListCommand: Command = defineServerCommand("list", "list datasets")
  .addOption(new Option("--view <name>", "whose").choices(["mine", "shared", "public", "all", "deleted"]).default("mine"))
  .option("-s, --search <words>", "only those with these words, or how they begin")
  .option("-t, --tag <tags>", "only with all of these tags (comma separated)")
  .option("-n, --limit <number>", "how many, at most 200", "20")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const page = await syla.assets.list({
      type: "dataset",
      view: flags.view,
      limit: parsePageSize(flags.limit),
      ...(flags.search !== undefined && { q: flags.search.slice(0, 200) }),
      ...(flags.tag !== undefined && { tags: flags.tag }),
      ...(flags.cursor !== undefined && { cursor: flags.cursor }),
    });
    if (flags.json === true) return printJson(page);
    printTable<AssetSummary>(
      [
        { title: "id", value: (dataset) => dataset.id },
        { title: "slug", value: (dataset) => dataset.slug },
        { title: "name", value: (dataset) => plainLine(dataset.name) },
        { title: "version", value: (dataset) => dataset.version ?? "-" },
        { title: "owner", value: (dataset) => plainLine(dataset.owner.name) },
        { title: "access", value: (dataset) => dataset.yourLevel },
        { title: "changed", value: (dataset) => (process.stdout.isTTY ? formatAge(dataset.updatedAt) : dataset.updatedAt) },
      ],
      page.items,
    );
  });
