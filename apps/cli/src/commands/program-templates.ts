import type { Template } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

/** The list of templates, under the name of a verb: those of programs, or all of them. */
export function defineTemplatesCommand(name: "templates" | "list"): Command {
  const isAll = name === "list";
  const what = isAll ? "programs and compositions to begin with" : "programs to begin with";
  return defineServerCommand(name, what).action(async (flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const items = (await syla.imports.templates()).filter(({ type }) => isAll || type === "program");
    if (flags.json === true) return printJson({ items });
    printTable<Template>(
      [
        ...(isAll ? [{ title: "type", value: ({ type }: Template) => type }] : []),
        { title: "template", value: (template) => `template:${template.id}` },
        { title: "model", value: ({ needsModel }) => (needsModel ? "needs one" : "-") },
        { title: "language", value: (template) => template.runtime },
        { title: "what it is", value: (template) => plainLine(template.description) },
      ],
      items,
    );
  });
}
