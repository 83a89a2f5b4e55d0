import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFileDiff } from "../output/file-diff.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findProgram } from "../programs/find-program.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const programDiffCommand: Command = defineServerCommand("diff", "show what differs between two versions of a program")
  .argument("<program>", "its id, slug or name")
  .argument("[from]", "a version, or head for what is there now; the newest version when left out")
  .argument("[to]", "a version, or head", "head")
  .action(async (word: string, from: string | undefined, to: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findProgram(syla, word);
    const diff = await syla.assets.diff(id, { to, ...(from === undefined ? {} : { from }) });
    if (flags.json === true) return printJson(diff);
    for (const { field, from: before, to: after } of [...diff.metadata, ...diff.config])
      printLine(plainLine(`${field}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`));
    diff.files.forEach(printFileDiff);
    if (diff.omitted > 0) printLine(`… and ${diff.omitted} more files`);
    if (diff.files.length + diff.config.length + diff.metadata.length === 0) printLine("Nothing differs.");
  });
