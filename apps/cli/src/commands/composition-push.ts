import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { FlowGraph } from "@syla/sdk";
import type { Command } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { CliError, usageError } from "../cli-error.ts";
import { hashText, readCompositionLink, writeCompositionLink } from "../compositions/link-file.ts";
import { readDocument } from "../compositions/read-document.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly file: string;
  readonly force?: boolean;
  readonly at?: string;
}

const usualFile = "composition.json";

export const compositionPushCommand: Command = defineServerCommand("push", "make the graph in a file that of a composition")
  .argument("[composition]", "its id, slug or name; the one of the file when left out")
  .option("-o, --file <file>", "the file", usualFile)
  .option("-f, --force", "also when the composition has been changed since it was pulled")
  .action(async (word: string | undefined, flags: Flags) => {
    const { syla, target, file, id, link } = await open(word, flags);
    const graph = (await readDocument(file)) as FlowGraph;
    const now = await syla.compositions.graph(id);
    if (flags.force !== true && link?.id !== id)
      throw usageError(
        `${flags.file} was not pulled from this composition.`,
        "Pull it first, or put it in place of what is there with --force.",
      );
    if (flags.force !== true && link?.graph !== hashText(print(now.graph)))
      throw new CliError("The composition has been changed since it was pulled.", {
        code: "revision_conflict",
        exit: "invalid_request",
        hint: "Pull it into another file (--file) and put both together, or write over it with --force.",
      });
    const put = await syla.compositions.put(id, graph, flags.force === true ? "*" : now.revision);
    remember(file, { server: target.url, id }, readFileSync(file, "utf8"), put.graph);
    if (flags.json === true) return printJson({ id, revision: put.revision, hash: put.hash });
    printLine(put.revision === now.revision ? "Nothing differs." : `Revision ${put.revision}.`);
  });

export const compositionPullCommand: Command = defineServerCommand("pull", "write the graph of a composition into a file")
  .argument("[composition]", "its id, slug or name; the one of the file when left out")
  .option("-o, --file <file>", "the file", usualFile)
  .option("-f, --force", "also over a file that was changed here")
  .option("--at <version>", "a published version; what is there now when left out")
  .action(async (word: string | undefined, flags: Flags) => {
    const { syla, target, file, id, link } = await open(word, flags);
    const { graph, revision, hash } = await syla.compositions.graph(id, flags.at);
    const text = print(graph);
    const there = existsSync(file) ? readFileSync(file, "utf8") : null;
    if (there !== null && there !== text && hashText(there) !== link?.file && flags.force !== true)
      throw new CliError(`${flags.file} has been changed here, or is something else.`, {
        code: "file_exists",
        exit: "cannot_create",
        hint: "Name another with --file, or write over it with --force.",
      });
    if (there !== text) {
      writeFileSync(`${file}.${process.pid}`, text, { flag: "wx" });
      renameSync(`${file}.${process.pid}`, file);
    }
    remember(file, { server: target.url, id }, text, graph);
    if (flags.json === true) return printJson({ id, revision, hash, file });
    printLine(there === text ? "Nothing differs." : `Revision ${revision}.`);
  });

function print(graph: FlowGraph): string {
  return `${JSON.stringify(graph, null, 2)}\n`;
}

function remember(file: string, of: { readonly server: string; readonly id: string }, text: string, graph: FlowGraph): void {
  writeCompositionLink(file, { ...of, file: hashText(text), graph: hashText(print(graph)) });
}

async function open(word: string | undefined, flags: Flags) {
  const { syla, target } = await connect({ env: process.env, profile: flags.profile });
  const file = resolve(flags.file);
  const link = readCompositionLink(file, target.url);
  const wanted = word ?? link?.id;
  if (wanted === undefined)
    throw usageError(
      "This file belongs to no composition of this server.",
      "Name the composition, or make one with `syla composition import`.",
    );
  return { syla, target, file, link, id: (await findAsset(syla, "composition", wanted)).id };
}
