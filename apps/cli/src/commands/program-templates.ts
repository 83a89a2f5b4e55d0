import type { Template } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

/** The list of templates, under the name of a verb. */
export function defineTemplatesCommand(name: "templates" | "list"): Command {
  return defineServerCommand(name, "programs to begin with").action(async (flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const items = await syla.imports.templates();
    if (flags.json === true) return printJson({ items });
    printTable<Template>(
      [
        { title: "template", value: (template) => `template:${template.id}` },
        { title: "model", value: ({ needsModel }) => (needsModel ? "needs one" : "-") },
        { title: "language", value: (template) => template.runtime },
        { title: "what it is", value: (template) => plainLine(template.description) },
      ],
      items,
    );
  });
}
