import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findPackageIndex } from "../programs/package-indexes.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const environmentIndexDeleteCommand: Command = defineServerCommand("delete", "forget a package index; what was built with it stays")
  .argument("<index>", "its id or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id, name } = await findPackageIndex(syla, word);
    await syla.packageIndexes.delete(id);
    if (flags.json === true) printJson({ id });
    else printLine(`${plainLine(name)} is forgotten.`);
  });
