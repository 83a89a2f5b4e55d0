import type { Syla, Trigger } from "@syla/sdk";
import { usageError } from "../cli-error.ts";
import { plainLine } from "../output/terminal-text.ts";

/** One of yours, by id or name. */
export async function findTrigger(syla: Syla, word: string): Promise<Trigger> {
  if (/^trg_[0-9a-z]{26}$/.test(word)) return await syla.triggers.get(word);
  const found: Trigger[] = [];
  for await (const trigger of syla.triggers.list()) if (trigger.name === word) found.push(trigger);
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const problem =
    first === undefined ? `There is no trigger "${plainLine(word)}" of yours.` : `Several triggers are called "${plainLine(word)}".`;
  throw usageError(problem, "`syla trigger list` shows their ids.");
}
