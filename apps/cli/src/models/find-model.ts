import type { Model, Syla } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import { plainLine } from "../output/terminal-text.ts";

/** A model by id, slug or name. @throws CliError `not_found` */
export async function findModel(syla: Syla, word: string): Promise<Model> {
  if (/^model_[0-9a-z]{26}$/.test(word)) return await syla.models.get(word);
  for await (const model of syla.models.list()) if (model.slug === word || model.name === word) return model;
  throw new CliError(`There is no model "${plainLine(word)}".`, {
    code: "not_found",
    exit: "invalid_request",
    hint: "`syla model list` shows those that you may see.",
  });
}
