import type { NodeLlm, NodeSaved } from "@syla/sdk";
import { dollars } from "../models/dollars.ts";
import { formatDuration } from "../output/units.ts";

/** `1 call`, `2 calls`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What was called of models, and what that cost. */
export function describeLlm({ calls, inputTokens, outputTokens, cost, unknownCosts }: NodeLlm): string {
  const unknown = unknownCosts > 0 && unknownCosts < calls ? `, and ${plural(unknownCosts, "call")} of unknown cost` : "";
  return `${plural(calls, "call")}, ${inputTokens} tokens in, ${outputTokens} out, ${dollars(cost)}${unknown}`;
}

/** What a result that was used again had taken. */
export function describeSaved({ ms, calls, inputTokens, outputTokens, cost }: NodeSaved): string {
  const models = calls === null || calls === 0 ? [] : [`${(inputTokens ?? 0) + (outputTokens ?? 0)} tokens`, dollars(cost)];
  return [formatDuration(ms), ...models].join(", ");
}
