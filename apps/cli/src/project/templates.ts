import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Syla, Template } from "@syla/sdk";
import { CliError, usageError } from "../cli-error.ts";
import { didYouMean } from "../did-you-mean.ts";
import { requireSafe, writeInto } from "../programs/write-into.ts";

/** The template of a name, of whatever type. @throws CliError */
export async function findTemplate(syla: Syla, word: string): Promise<Template> {
  const all = await syla.imports.templates();
  const id = word.replace(/^template:/, "");
  const found = all.find((template) => template.id === id);
  if (found !== undefined) return found;
  throw usageError(
    `There is no template "${id}".${didYouMean(
      id,
      all.map((template) => template.id),
    )}`,
    "`syla template list` lists them.",
  );
}

/** Writes the files of a template into a folder; nothing when one of them is there already. @returns their paths @throws CliError */
export async function writeTemplate(syla: Syla, template: Template, folder: string): Promise<readonly string[]> {
  if (template.type !== "program")
    throw usageError(
      `${template.id} is the template of a ${template.type}.`,
      `Begin with it: \`syla ${template.type} create --template ${template.id}\`.`,
    );
  template.files.forEach(requireSafe);
  const there = template.files.filter((path) => existsSync(join(folder, path)));
  if (there.length > 0)
    throw new CliError(`${folder} has ${there.slice(0, 5).join(", ")}${there.length > 5 ? ", …" : ""} already.`, {
      code: "file_exists",
      exit: "cannot_create",
      hint: "Name another folder: nothing was written.",
    });
  // The files of a template are read where they are unpacked: in a workspace of our own.
  const { id } = await syla.workspaces.create({
    name: `template-${randomUUID()}`,
    kind: "session",
    source: { kind: "template", template: template.id },
  });
  try {
    const { items } = await syla.workspaces.files(id);
    items.forEach(({ path }) => requireSafe(path));
    mkdirSync(folder, { recursive: true });
    for (const file of items) await writeInto(folder, file, () => syla.workspaces.readFile(id, file.path));
    return items.map(({ path }) => path);
  } finally {
    await syla.workspaces.delete(id, true);
  }
}
