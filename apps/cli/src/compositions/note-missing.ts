import type { CreatedComposition } from "@syla/sdk";
import { note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";

/** Says what a document named that is not here: those nodes use nothing any more. */
export function noteMissing(missing: CreatedComposition["missing"]): void {
  for (const { reference, name, path, node } of missing) {
    const what = name === null ? reference.id : `“${name}” (${reference.id})`;
    note(plainLine(`The ${reference.kind} ${what} is not here; choose another for the node ${[...path, node].join("/")}.`));
  }
}
