import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Command, Option } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
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
    const source = Readable.fromWeb(body);
    if (output === undefined) return await pipeline(source, process.stdout, { end: false });
    await pipeline(source, createWriteStream(output, { flags: "wx" })).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
      throw new CliError(`The file ${output} is there already.`, {
        code: "file_exists",
        exit: "cannot_create",
        hint: "Name another.",
        cause,
      });
    });
    if (json === true) printJson({ id, file: output });
    else note(`written to ${output}`);
  });
