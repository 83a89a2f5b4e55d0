import { providerMessage } from "./protocol-error.ts";
import type { Family } from "./upstream/target.ts";

type Document = Readonly<Record<string, unknown>>;

/** Whether an event says that the answer is complete. */
export function isLast(family: Family, document: Document): boolean {
  if (family === "ollama") return document["done"] === true;
  if (family === "anthropic") return document["type"] === "message_stop";
  const type = document["type"];
  if (typeof type === "string") return type === "response.completed" || type === "response.incomplete";
  const choices = document["choices"];
  return Array.isArray(choices) && choices.some((choice: { finish_reason?: unknown }) => choice.finish_reason != null);
}

/** What went wrong, where an event says so; null where it does not. */
export function streamError(document: Document): string | null {
  const type = document["type"];
  const failed = document["error"] != null || type === "error" || type === "response.failed";
  if (!failed) return null;
  return providerMessage(JSON.stringify(document["response"] ?? document)) ?? "The provider broke off with an error.";
}

/** An event with usage alone, which comes only because it was asked for. */
export function isUsageOnly(document: Document): boolean {
  return Array.isArray(document["choices"]) && document["choices"].length === 0 && document["usage"] != null;
}

/** Whether an answer goes on at the provider, in the background: what it will have used is not known here. */
export function isUnfinished(document: Document): boolean {
  return document["object"] === "response" && (document["status"] === "queued" || document["status"] === "in_progress");
}
