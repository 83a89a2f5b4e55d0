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
  readonly tag?: string;
  readonly sort?: string;
  readonly limit: string;
  readonly cursor?: string;
}

const sorts = ["updated", "created", "name", "lastRun", "relevance"] as const;

function viewOf(flags: Flags): "mine" | "shared" | "public" | "all" | "deleted" {
  if (flags.shared === true) return "shared";
  if (flags.public === true) return "public";
  if (flags.deleted === true) return "deleted";
  return flags.all === true ? "all" : "mine";
}

async function list(flags: Flags, view: ReturnType<typeof viewOf>, q: string | undefined): Promise<void> {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const sort = sorts.find((known) => known === flags.sort);
  const page = await syla.assets.list({
    type: "program",
    view,
    limit: parsePageSize(flags.limit),
    ...(q === undefined ? {} : { q }),
    ...(flags.tag === undefined ? {} : { tags: flags.tag }),
    ...(sort === undefined ? {} : { sort }),
    ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
  });
  if (flags.json === true) return printJson(page);
  if (page.isAlike) process.stderr.write("Nothing has these words. What is like them:\n");
  printTable<AssetSummary>(
    [
      { title: "id", value: (program) => program.id },
      { title: "slug", value: (program) => program.slug },
      { title: "name", value: (program) => plainLine(program.name) },
      { title: "version", value: (program) => program.version ?? "-" },
      { title: "owner", value: (program) => plainLine(program.owner.name) },
      { title: "access", value: (program) => program.yourLevel },
      { title: "last run", value: (program) => program.lastRun?.status ?? "-" },
      { title: "changed", value: (program) => (process.stdout.isTTY ? formatAge(program.updatedAt) : program.updatedAt) },
    ],
    page.items,
  );
}

function withPage(command: Command): Command {
  return command
    .option("-t, --tag <tags>", "only with all of these tags (comma separated)")
    .option("--sort <word>", "updated, created, name, lastRun or, for a search, relevance")
    .option("-n, --limit <number>", "how many, at most 200", "20")
    .option("--cursor <cursor>", "the page after: `nextCursor` of the page before");
}

export const programListCommand: Command = withPage(
  defineServerCommand("list", "list your programs")
    .option("--shared", "what others have shared with you")
    .option("--public", "what everybody sees")
    .option("--all", "all that you may see")
    .option("--deleted", "what you may restore"),
).action(async (flags: Flags) => await list(flags, viewOf(flags), undefined));

export const programSearchCommand: Command = withPage(
  defineServerCommand("search", "find programs by words of their names, tags, slots and descriptions").argument(
    "<words...>",
    "words, or how they begin",
  ),
).action(async (words: string[], flags: Flags) => await list(flags, "all", words.join(" ").slice(0, 200)));
