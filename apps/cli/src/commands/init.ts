import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { CANCEL_SYMBOL } from "@clack/prompts";
import type { ProjectFile } from "@syla/contracts/project-file";
import type { Syla } from "@syla/sdk";
import type { Command } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { didYouMean } from "../did-you-mean.ts";
import { createProgress, note } from "../output/progress.ts";
import { type Detected, detectProject, languageOf, type KnownLanguage } from "../project/detect.ts";
import { findTemplate, writeTemplate } from "../project/templates.ts";
import { writeProject } from "../project/write-project.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly auto?: boolean;
  readonly name?: string;
  readonly language?: string;
  readonly entrypoint?: string;
  readonly template?: string;
  readonly force?: boolean;
}

export const initCommand: Command = defineServerCommand("init", "make a .syla.yml of what a folder holds; asks on a terminal")
  .argument("[folder]", "the folder", ".")
  .option("--auto", "do not ask: take what is found")
  .option("--name <name>", "what the program is called in the catalog")
  .option("-l, --language <name>", "its language, e.g. python or python@3.11")
  .option("--entrypoint <file>", "the file to start")
  .option("--template <template>", "begin with the files of a template (`syla template list`)")
  .option("-f, --force", "replace the .syla.yml that is there")
  .action(async (folder: string, flags: Flags) => await initialize(resolve(folder), flags));

/** Writes the project file of a folder, after the files of a template where one is named. */
async function initialize(folder: string, flags: Flags): Promise<void> {
  const asks = flags.auto !== true && flags.json !== true && process.stdin.isTTY && process.stdout.isTTY;
  if (!asks && flags.auto !== true && flags.json !== true)
    throw usageError("Nobody is there to be asked.", "Say --auto to take what is found.");
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new CliError(`There is no folder ${folder}.`, {
      code: "file_not_found",
      exit: "no_input",
      hint: "`syla new NAME` makes a folder with a program in it.",
    });
  if (existsSync(join(folder, ".syla.yml")) && flags.force !== true) await writeProject(folder, {}, false);
  const syla = await reach(flags);
  if (flags.template !== undefined) await writeTemplate(syla, await findTemplate(syla, flags.template), folder);
  const languages = await syla.runtimes.list();
  const names = languages.flatMap(({ name, aliases }) => [name, ...aliases]);
  if (flags.language !== undefined && !names.includes(flags.language))
    throw usageError(`There is no language "${flags.language}" here.${didYouMean(flags.language, names)}`, "`syla runtimes` lists them.");
  const found = detectProject(folder, languages);
  const settings = asks ? await ask(found, languages, flags) : settle(found, languages, flags);
  const file = await writeProject(folder, settings, flags.force === true);
  if (flags.json === true) return printJson({ file, settings, dependencyFile: found.dependencyFile });
  printLine(file);
  if (found.dependencyFile !== null) note(`the packages of ${found.dependencyFile} are installed when the program is pushed and run`);
  if (settings.entrypoint === undefined) note("nothing says which file to start: write `entrypoint` into it");
}

async function reach(flags: CommonFlags): Promise<Syla> {
  const progress = createProgress();
  progress.show("starting the local server …");
  return (await connect({ env: process.env, profile: flags.profile, start: true }).finally(progress.clear)).syla;
}

function settle(found: Detected, languages: readonly KnownLanguage[], flags: Flags): ProjectFile {
  const entrypoint = flags.entrypoint ?? found.entrypoint;
  const runtime = flags.language ?? (entrypoint === null ? null : languageOf(entrypoint, languages));
  return {
    name: flags.name ?? found.name,
    ...(runtime !== null && { runtime }),
    ...(entrypoint !== null && { entrypoint }),
    ...(found.tests !== null && { tests: found.tests }),
  };
}

/** The same, with what was found as what is offered. */
async function ask(found: Detected, languages: readonly KnownLanguage[], flags: Flags): Promise<ProjectFile> {
  const { intro, isCancel, select, text } = await import("@clack/prompts");
  const given = (answer: string | typeof CANCEL_SYMBOL): string => {
    if (isCancel(answer)) process.exit(130);
    return answer;
  };
  const answer = async (message: string, before: string) => given(await text({ message, initialValue: before, defaultValue: before }));
  intro("A project of Syla");
  const name = flags.name ?? (await answer("What is it called?", found.name));
  const entrypoint = flags.entrypoint ?? (await answer("Which file is started?", found.entrypoint ?? "main.py"));
  const runtime =
    flags.language ??
    given(
      await select({
        message: "In which language is it written?",
        options: languages.map((language) => ({ value: language.name, label: language.name })),
        ...(languageOf(entrypoint, languages) !== null && { initialValue: languageOf(entrypoint, languages) ?? "" }),
      }),
    );
  return settle(found, languages, { ...flags, name, entrypoint, language: runtime });
}
