import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Command, Option } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { connect } from "../connection.ts";
import { writeNewFile } from "../output/new-file.ts";
import { printJson } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly version?: string;
  readonly split?: string;
  readonly format?: "csv" | "jsonl";
  readonly output?: string;
}

export const datasetExportCommand: Command = defineServerCommand("export", "write the rows of a dataset to a file or to stdout")
  .argument("<dataset>", "its id, slug or name")
  .option("--version <version>", "a published version; what is there now when left out")
  .option("-s, --split <name>", "only those of a split")
  .addOption(new Option("-f, --format <name>", "as they are kept when left out").choices(["csv", "jsonl"]))
  .option("-o, --output <file>", "a new file")
  .action(async (word: string, { version, split, format, output, json, profile }: Flags) => {
    const { syla } = await connect({ env: process.env, profile });
    const { id } = await findAsset(syla, "dataset", word);
    const { body } = await syla.datasets.export(id, {
      ...(version !== undefined && { version }),
      ...(split !== undefined && { split }),
      ...(format !== undefined && { format }),
    });
    if (body === null) return;
    if (output === undefined) return await pipeline(Readable.fromWeb(body), process.stdout, { end: false });
    await writeNewFile(output, body);
    if (json === true) printJson({ id, file: output });
    else note(`written to ${output}`);
  });
