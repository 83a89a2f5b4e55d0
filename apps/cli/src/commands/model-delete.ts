import type { Command } from "commander";
import { connect } from "../connection.ts";
import { findModel } from "../models/find-model.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const modelDeleteCommand: Command = defineServerCommand("delete", "delete a model; what is bound to it fails from then on")
  .argument("<model>", "its id, slug or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id, name } = await findModel(syla, word);
    await syla.models.delete(id);
    if (flags.json === true) printJson({ id });
    else printLine(`${plainLine(name)} is deleted.`);
  });
