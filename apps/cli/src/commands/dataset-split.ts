import type { Syla } from "@syla/sdk";
import type { Command } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly seed: string;
  readonly none?: boolean;
  readonly message?: string;
}

type Shares = NonNullable<Parameters<Syla["datasets"]["split"]>[1]>["shares"];

export const datasetSplitCommand: Command = defineServerCommand(
  "split",
  "share the rows of a dataset out by a seed, as its next version: the same seed gives the same rows",
)
  .argument("<dataset>", "its id, slug or name")
  .argument("[shares...]", "name=percent of each split", ["train=80", "validation=10", "test=10"])
  .option("--seed <number>", "another seed gives other rows", "0")
  .option("--none", "no splits any more")
  .option("-m, --message <text>", "what has changed")
  .action(async (word: string, texts: string[], flags: Flags) => {
    const shares = flags.none === true ? null : texts.map(parseShare);
    if (!/^\d{1,10}$/.test(flags.seed)) throw usageError(`"${flags.seed}" is no seed.`, "Write a whole number, 0 or more.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id, revision } = await findAsset(syla, "dataset", word);
    const changed = await syla.datasets.split(id, shares === null ? null : { seed: Number(flags.seed), shares }, revision, flags.message);
    if (flags.json === true) return printJson(changed);
    printTable(
      [
        { title: "split", value: ({ name }) => name },
        { title: "rows", value: ({ rows }) => String(rows), align: "right" },
        { title: "percent", value: ({ percent }) => String(percent), align: "right" },
      ],
      syla.datasets.config(changed).splits?.shares ?? [],
    );
  });

function parseShare(text: string): Shares[number] {
  const [, name = "", percent = ""] = /^([^=]+)=(\d+(?:\.\d+)?)%?$/.exec(text) ?? [];
  if (name === "") throw usageError(`"${text}" is no share.`, "Write train=80 validation=10 test=10.");
  return { name, percent: Number(percent) };
}
