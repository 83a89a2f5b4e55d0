import type { ColumnStatistics } from "@syla/sdk";
import type { Command } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const datasetShowCommand: Command = defineServerCommand(
  "show",
  "show a dataset: its columns, its splits, and what its values are like",
)
  .argument("<dataset>", "its id, slug or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const dataset = await findAsset(syla, "dataset", word);
    const { columns } = await syla.datasets.statistics(dataset.id);
    if (flags.json === true) return printJson({ ...dataset, statistics: columns });
    const { rowCount, format, source, splits } = syla.datasets.config(dataset);
    printFields(
      (
        [
          ["id", dataset.id],
          ["name", dataset.name],
          ["slug", dataset.slug],
          ["description", dataset.description],
          ["tags", dataset.tags.join(", ")],
          ["owner", dataset.owner.name],
          ["access", `${dataset.visibility}; you have ${dataset.yourLevel}`],
          ["version", dataset.version ?? "none published"],
          ["rows", `${rowCount}, kept as ${format}${source === format ? "" : ` (uploaded as ${source})`}`],
          [
            "splits",
            splits === null
              ? "none"
              : `${splits.shares.map(({ name, rows, percent }) => `${name} ${rows} (${percent} %)`).join(", ")}; seed ${splits.seed}`,
          ],
          ["changed", dataset.updatedAt],
        ] as const
      ).flatMap(([name, value]) => (value === "" ? [] : [[name, plainLine(value)] as const])),
    );
    printLine();
    printTable<ColumnStatistics>(
      [
        { title: "column", value: (column) => plainLine(column.name) },
        { title: "type", value: (column) => column.type },
        { title: "empty", value: (column) => String(column.empty), align: "right" },
        {
          title: "different",
          value: (column) => (column.distinct === null ? `>${column.distinctBound}` : String(column.distinct)),
          align: "right",
        },
        { title: "from", value: (column) => String(column.min ?? "-"), align: "right" },
        { title: "to", value: (column) => String(column.max ?? "-"), align: "right" },
        { title: "examples", value: (column) => plainLine(column.examples.join(", ")).slice(0, 60) },
      ],
      columns,
    );
  });
