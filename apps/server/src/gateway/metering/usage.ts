import type { Family } from "../upstream/target.ts";

/** Tokens of a call. `input` is all of the input, `cached` the part of it that the provider had; `reasoning` is a part of `output`. */
export interface Tokens {
  readonly input: number | null;
  readonly output: number | null;
  readonly cached: number | null;
  readonly reasoning: number | null;
}

type Document = Readonly<Record<string, unknown>>;

/** What a document of a provider (an answer, or an event of a stream) says of usage; null when it says nothing. */
export function readUsage(family: Family, document: Document): Tokens | null {
  if (family === "ollama") return ollamaUsage(document);
  const nested = objectAt(document, "response") ?? objectAt(document, "message");
  const usage = objectAt(document, "usage") ?? (nested === undefined ? undefined : objectAt(nested, "usage"));
  if (usage === undefined) return null;
  return family === "anthropic" ? anthropicUsage(usage) : openaiUsage(usage);
}

function openaiUsage(usage: Document): Tokens {
  const inputDetails = objectAt(usage, "prompt_tokens_details") ?? objectAt(usage, "input_tokens_details") ?? {};
  const outputDetails = objectAt(usage, "completion_tokens_details") ?? objectAt(usage, "output_tokens_details") ?? {};
  return {
    input: count(usage["prompt_tokens"] ?? usage["input_tokens"]),
    output: count(usage["completion_tokens"] ?? usage["output_tokens"]),
    cached: count(inputDetails["cached_tokens"]),
    reasoning: count(outputDetails["reasoning_tokens"]),
  };
}

/** Anthropic counts what was cached beside the input, not in it. */
function anthropicUsage(usage: Document): Tokens {
  const fresh = count(usage["input_tokens"]);
  const cached = count(usage["cache_read_input_tokens"]);
  const written = count(usage["cache_creation_input_tokens"]);
  return {
    input: fresh === null ? null : fresh + (cached ?? 0) + (written ?? 0),
    output: count(usage["output_tokens"]),
    cached,
    reasoning: null,
  };
}

function ollamaUsage(document: Document): Tokens | null {
  if (document["prompt_eval_count"] === undefined && document["eval_count"] === undefined) return null;
  const output = count(document["eval_count"]);
  // What stays the same between calls is not evaluated again, and not counted: then it is not known.
  return { input: count(document["prompt_eval_count"]), output: output ?? 0, cached: null, reasoning: null };
}

/** Later documents of a stream say more. */
export function mergeTokens(before: Tokens | null, next: Tokens | null): Tokens | null {
  if (before === null || next === null) return before ?? next;
  return {
    input: next.input === null || next.input === 0 ? before.input : next.input,
    output: next.output ?? before.output,
    cached: next.cached ?? before.cached,
    reasoning: next.reasoning ?? before.reasoning,
  };
}

/** A number of tokens as somebody else wrote it. */
function count(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= 1_000_000_000 ? value : null;
}

function objectAt(document: Document, key: string): Document | undefined {
  const value = document[key];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Document) : undefined;
}
