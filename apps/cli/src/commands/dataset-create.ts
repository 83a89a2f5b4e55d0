import type { Command } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { connect } from "../connection.ts";
import { addUploadFlags, readUpload, type UploadFlags } from "../datasets/read-upload.ts";
import { printJson, printLine } from "../output/print.ts";
import { createProgress } from "../output/progress.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface CreateFlags extends CommonFlags, UploadFlags {
  readonly description?: string;
  readonly tag?: string;
  readonly team?: string;
}

export const datasetCreateCommand: Command = addUploadFlags(
  defineServerCommand("create", "upload rows (CSV, TSV, JSON, JSON Lines, Parquet) as a dataset, and print its id"),
)
  .argument("<name>", "what people call it")
  .argument("<file>", "its rows; - for what is piped in")
  .option("-d, --description <text>", "what is in it")
  .option("-t, --tag <tags>", "tags (comma separated)")
  .option("--team <team>", "a team of yours that owns it: its id, slug or name")
  .action(async (name: string, file: string, flags: CreateFlags) => {
    const { content, query } = await readUpload(file, flags);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const ownerId = flags.team === undefined ? undefined : (await findTeam(syla, flags.team)).id;
    const progress = createProgress();
    progress.show(`uploading ${file}`);
    const { description, tag: tags } = flags;
    const made = await syla.datasets
      .create(content, {
        ...query,
        name,
        ...(description !== undefined && { description }),
        ...(tags !== undefined && { tags }),
        ...(ownerId !== undefined && { ownerId }),
      })
      .finally(() => progress.clear());
    if (flags.json === true) printJson(made);
    else printLine(made.id);
  });

interface UpdateFlags extends CommonFlags, UploadFlags {
  readonly name?: string;
  readonly description?: string;
  readonly tag?: string;
  readonly message?: string;
  readonly version?: string;
}

export const datasetUpdateCommand: Command = addUploadFlags(
  defineServerCommand("update", "upload other rows as the next version, or change what people read of a dataset"),
)
  .argument("<dataset>", "its id, slug or name")
  .argument("[file]", "other rows, in place of those that are there; - for what is piped in")
  .option("-n, --name <name>", "what people call it")
  .option("-d, --description <text>", "what is in it")
  .option("-t, --tag <tags>", "tags (comma separated), in place of those that it has")
  .option("-m, --message <text>", "what has changed in the rows")
  .option("--version <version>", "the number of the version, e.g. 1.2.0; the next patch when left out")
  .action(async (word: string, file: string | undefined, flags: UpdateFlags) => {
    const { name, description, tag: tags, message, version } = flags;
    const upload = file === undefined ? null : await readUpload(file, flags);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    let dataset = await findAsset(syla, "dataset", word);
    if (name !== undefined || description !== undefined || tags !== undefined)
      dataset = await syla.assets.update(
        dataset.id,
        {
          ...(name !== undefined && { name }),
          ...(description !== undefined && { description }),
          ...(tags !== undefined && { tags: tags.split(",").map((tag) => tag.trim()) }),
        },
        dataset.revision,
      );
    if (upload !== null) {
      const query = { ...upload.query, ...(message !== undefined && { message }), ...(version !== undefined && { version }) };
      dataset = await syla.datasets.replace(dataset.id, upload.content, dataset.revision, query);
    }
    if (flags.json === true) printJson(dataset);
    else printLine(dataset.version ?? dataset.id);
  });
