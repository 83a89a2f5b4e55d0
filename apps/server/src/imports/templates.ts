import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Template } from "@syla/contracts/imports";
import { ProgramConfig } from "@syla/contracts/program-config";
import { AppError } from "@syla/contracts/errors";
import { parse } from "yaml";
import { z } from "zod";

const Description = z.strictObject({
  title: z.string(),
  description: z.string(),
  needsModel: z.boolean().default(false),
  config: ProgramConfig,
});

/** A program to begin with, which comes with Syla. */
export interface LoadedTemplate extends Template {
  readonly config: ProgramConfig;
  readonly folder: string;
}

/** The templates of an installation: folders with a `template.yaml`, which is not part of the program. */
export class Templates {
  readonly #all: readonly LoadedTemplate[];

  constructor(folder: string) {
    this.#all = readdirSync(folder)
      .toSorted()
      .map((id) => load(join(folder, id), id));
  }

  list(): Template[] {
    return this.#all.map(({ config: _config, folder: _folder, ...template }) => template);
  }

  /** @throws AppError `template_unknown` */
  get(id: string): LoadedTemplate {
    const found = this.#all.find((template) => template.id === id);
    if (found === undefined)
      throw new AppError("template_unknown", {
        message: `There is no template ${JSON.stringify(id)}.`,
        details: { known: this.#all.map((template) => template.id) },
      });
    return found;
  }
}

function load(folder: string, id: string): LoadedTemplate {
  const { title, description, needsModel, config } = Description.parse(parse(readFileSync(join(folder, "template.yaml"), "utf8")));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name !== "template.yaml" && statSync(join(folder, name)).isFile())
    .map((name) => relative("", name).split(sep).join("/"))
    .toSorted();
  const readme = files.includes("README.md") ? readFileSync(join(folder, "README.md"), "utf8") : null;
  return { id, type: "program", title, description, needsModel, readme, runtime: config.runtime, files, config, folder };
}
