import type { Command } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const datasetRestoreCommand: Command = defineServerCommand("restore", "restore a deleted dataset")
  .argument("<dataset>", "its id, slug or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findAsset(syla, "dataset", word, "deleted");
    const restored = await syla.assets.restore(id);
    if (flags.json === true) printJson(restored);
    else printLine(restored.id);
  });
