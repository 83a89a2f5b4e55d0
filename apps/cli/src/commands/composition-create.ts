import type { CompositionDraft, Syla } from "@syla/sdk";
import type { Command } from "commander";
import { noteMissing } from "../compositions/note-missing.ts";
import { readDocument } from "../compositions/read-document.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly name?: string;
  readonly description?: string;
  readonly tag?: string;
  readonly team?: string;
  readonly template?: string;
}

function withFlags(command: Command): Command {
  return command
    .option("-d, --description <text>", "what it does")
    .option("-t, --tag <tags>", "tags (comma separated)")
    .option("--team <team>", "a team of yours that owns it: its id, slug or name");
}

async function draftOf(syla: Syla, flags: Flags): Promise<CompositionDraft> {
  return {
    ...(flags.description === undefined ? {} : { description: flags.description }),
    ...(flags.tag === undefined ? {} : { tags: flags.tag.split(",").map((tag) => tag.trim()) }),
    ...(flags.team === undefined ? {} : { ownerId: (await findTeam(syla, flags.team)).id }),
  };
}

async function create(flags: Flags, draft: CompositionDraft): Promise<void> {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const made = await syla.compositions.create({ ...(await draftOf(syla, flags)), ...draft });
  if (flags.json === true) return printJson(made);
  noteMissing(made.missing);
  printLine(made.asset.id);
}

export const compositionCreateCommand: Command = withFlags(
  defineServerCommand("create", "make a composition, empty or from a template, and print its id").argument(
    "[name]",
    "what people call it; like the template when left out",
  ),
)
  .option("--template <template>", "what it begins with (`syla template list`)")
  .action(async (name: string | undefined, flags: Flags) => {
    const template = flags.template?.replace(/^template:/, "");
    await create(flags, { ...(name === undefined ? {} : { name }), ...(template === undefined ? {} : { template }) });
  });

export const compositionImportCommand: Command = withFlags(
  defineServerCommand("import", "make a composition of what was exported, or of a graph, and print its id").argument(
    "<file>",
    "its JSON; - for standard input",
  ),
)
  .option("--name <name>", "what people call it; as the file says when left out")
  .action(async (file: string, flags: Flags) => {
    await create(flags, { document: await readDocument(file), ...(flags.name === undefined ? {} : { name: flags.name }) });
  });
