import type { Command } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { connect } from "../connection.ts";
import { writeNewFile } from "../output/new-file.ts";
import { note } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const compositionExportCommand: Command = defineServerCommand(
  "export",
  "write a composition as a document that can be given to anybody: no secrets are in it",
)
  .argument("<composition>", "its id, slug or name")
  .option("--at <version>", "a published version; what is there now when left out")
  .option("-o, --output <file>", "a new file; standard output when left out")
  .action(async (word: string, flags: CommonFlags & { readonly at?: string; readonly output?: string }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findAsset(syla, "composition", word);
    const document = await syla.compositions.export(id, flags.at);
    for (const { path, node, field, reason } of document.leftOut)
      note(plainLine(`left out: ${[...path, node].join("/")} ${field}: ${reason}`));
    if (flags.output === undefined || flags.output === "-") return printJson(document);
    await writeNewFile(flags.output, new Response(`${JSON.stringify(document, null, 2)}\n`).body, { hint: "Name another: --output FILE." });
    if (flags.json === true) printJson({ file: flags.output, leftOut: document.leftOut });
    else printLine(flags.output);
  });
