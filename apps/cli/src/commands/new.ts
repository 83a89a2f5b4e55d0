import { basename, join, resolve } from "node:path";
import { existsSync, readdirSync } from "node:fs";
import type { Syla } from "@syla/sdk";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { createProgress, note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { detectProject } from "../project/detect.ts";
import { findTemplate, writeTemplate } from "../project/templates.ts";
import { writeProject } from "../project/write-project.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly template?: string;
}

const defaultTemplate = "hello";

export const newCommand: Command = defineServerCommand("new", "make a folder with a program in it, from a template")
  .argument("<folder>", "the folder, which must not be there yet or be empty; the program is called after it")
  .option("--template <template>", "which one (`syla template list`); asked on a terminal, else hello")
  .action(async (folder: string, flags: Flags) => {
    const place = resolve(folder);
    requireEmpty(place);
    const syla = await reach(flags);
    const word = flags.template ?? (await choose(syla, flags));
    const made = await makeProject(syla, word, place);
    if (flags.json === true) return printJson(made);
    printLine(place);
    note(`cd ${folder} && syla exec`);
  });

/** Writes a template and a project file for it into a folder. */
export async function makeProject(syla: Syla, word: string, folder: string) {
  const template = await findTemplate(syla, word);
  const written = await writeTemplate(syla, template, folder);
  const { entrypoint, tests } = detectProject(folder, []);
  const hasProject = existsSync(join(folder, ".syla.yml"));
  const settings = {
    name: basename(folder),
    runtime: template.runtime,
    ...(entrypoint !== null && { entrypoint }),
    ...(tests !== null && { tests }),
  };
  const file = hasProject ? null : await writeProject(folder, settings, false);
  return { folder, template: template.id, files: file === null ? written : [...written, ".syla.yml"] };
}

function requireEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  try {
    if (readdirSync(folder).length === 0) return;
  } catch {
    // a file, or a folder that cannot be read: in the way all the same
  }
  throw new CliError(`${folder} is there already.`, {
    code: "file_exists",
    exit: "cannot_create",
    hint: "Name another folder; `syla template use` writes into one that has other files.",
  });
}

async function choose(syla: Syla, flags: Flags): Promise<string> {
  if (flags.json === true || !process.stdin.isTTY || !process.stdout.isTTY) return defaultTemplate;
  const { isCancel, select } = await import("@clack/prompts");
  const programs = (await syla.imports.templates()).filter(({ type }) => type === "program");
  const options = programs.map(({ id, title, description }) => ({
    value: id,
    label: plainLine(title),
    hint: plainLine(description),
  }));
  const answer = await select({ message: "What is it to begin with?", options, initialValue: defaultTemplate });
  if (isCancel(answer)) process.exit(130);
  return answer;
}

async function reach(flags: CommonFlags): Promise<Syla> {
  const progress = createProgress();
  progress.show("starting the local server …");
  return (await connect({ env: process.env, profile: flags.profile, start: true }).finally(progress.clear)).syla;
}
