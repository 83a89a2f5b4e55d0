import type { Syla, Webhook } from "@syla/sdk";
import { usageError } from "../cli-error.ts";
import { plainLine } from "../output/terminal-text.ts";

/** One of yours or your teams', by id or name. */
export async function findWebhook(syla: Syla, word: string): Promise<Webhook> {
  if (/^whk_[0-9a-z]{26}$/.test(word)) return await syla.webhooks.get(word);
  const found: Webhook[] = [];
  for await (const webhook of syla.webhooks.list()) if (webhook.name === word) found.push(webhook);
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const problem =
    first === undefined ? `There is no webhook "${plainLine(word)}" of yours.` : `Several webhooks are called "${plainLine(word)}".`;
  throw usageError(problem, "`syla webhook list` shows their ids.");
}
