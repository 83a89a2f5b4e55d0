import type { DatasetRow } from "@syla/sdk";
import type { Command } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { note } from "../output/progress.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";

interface Flags extends CommonFlags {
  readonly version?: string;
  readonly split?: string;
  readonly columns?: string;
  readonly offset?: string;
  readonly where?: string;
  readonly limit: string;
  readonly cursor?: string;
}

const widest = 40;

export const datasetRowsCommand: Command = defineServerCommand("rows", "print rows of a dataset")
  .argument("<dataset>", "its id, slug or name")
  .option("--version <version>", "a published version; what is there now when left out")
  .option("-s, --split <name>", "only those of a split")
  .option("-c, --columns <names>", "only these columns (comma separated)")
  .option("-w, --where <condition>", "only rows for which it holds: column=value, column~part or ~part")
  .option("--offset <number>", "leave so many out")
  .option("-n, --limit <number>", "how many, at most 200", "20")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (word: string, flags: Flags) => {
    const where = flags.where === undefined ? {} : parseCondition(flags.where);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const dataset = await findAsset(syla, "dataset", word);
    const page = await syla.datasets.rows(dataset.id, {
      ...where,
      limit: parsePageSize(flags.limit),
      ...(flags.version !== undefined && { version: flags.version }),
      ...(flags.split !== undefined && { split: flags.split }),
      ...(flags.columns !== undefined && { columns: flags.columns }),
      ...(flags.offset !== undefined && { offset: flags.offset }),
      ...(flags.cursor !== undefined && { cursor: flags.cursor }),
    });
    if (flags.json === true) return printJson(page);
    const names = page.items[0] === undefined ? [] : Object.keys(page.items[0].values);
    printTable<DatasetRow>(
      [
        { title: "row", value: ({ row }) => String(row), align: "right" },
        ...names.map((name) => ({ title: plainLine(name), value: ({ values }: DatasetRow) => shown(values[name]) })),
      ],
      page.items,
    );
    if (page.nextCursor !== null && process.stderr.isTTY) note(`there are more: --cursor ${page.nextCursor}`);
  });

function shown(value: unknown): string {
  if (value === null || value === undefined) return process.stdout.isTTY ? "–" : "";
  const text = plainLine(typeof value === "string" ? value : JSON.stringify(value));
  return process.stdout.isTTY && text.length > widest ? `${text.slice(0, widest - 1)}…` : text;
}

function parseCondition(text: string): { column?: string; equals?: string; contains?: string } {
  const [, column = "", sign, value = ""] = /^([^=~]*)([=~])(.*)$/s.exec(text) ?? [];
  if (sign === undefined) throw usageError(`"${text}" is no condition.`, "Write column=value, column~part or ~part.");
  return { ...(column !== "" && { column }), ...(sign === "=" ? { equals: value } : { contains: value }) };
}
