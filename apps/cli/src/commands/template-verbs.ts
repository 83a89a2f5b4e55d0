import { resolve } from "node:path";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine } from "../output/print.ts";
import { plainLine, plainText } from "../output/terminal-text.ts";
import { findTemplate } from "../project/templates.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { makeProject } from "./new.ts";
import { defineTemplatesCommand } from "./program-templates.ts";

/** `list`, `show` and `use` of templates. */
export function templateVerbs(): Command[] {
  return [defineTemplatesCommand("list"), show(), use()];
}

function show(): Command {
  return defineServerCommand("show", "what a template is, and its files")
    .argument("<template>", "its name")
    .action(async (word: string, flags: CommonFlags) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile, start: true });
      const template = await findTemplate(syla, word);
      if (flags.json === true) return printJson(template);
      printFields([
        ["template", template.id],
        ["title", plainLine(template.title)],
        ["what it is", plainLine(template.description)],
        ["language", template.runtime],
        ["model", template.needsModel ? "needs one" : "-"],
        ["files", template.files.map(plainLine).join(", ")],
      ]);
      if (template.readme !== null && process.stdout.isTTY) printLine(`\n${plainText(template.readme).trimEnd()}`);
    });
}

function use(): Command {
  return defineServerCommand("use", "write the files of a template into a folder, with a .syla.yml where there is none")
    .argument("<template>", "its name")
    .argument("[folder]", "the folder, which may have other files", ".")
    .action(async (word: string, folder: string, flags: CommonFlags) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile, start: true });
      const made = await makeProject(syla, word, resolve(folder));
      if (flags.json === true) return printJson(made);
      for (const path of made.files) printLine(plainLine(path));
    });
}
