import { addLlm, type NodeLlm, type NodeRun, type NodeSaved } from "@syla/contracts/node-runs";
import { formatCount, formatDuration, formatPlural } from "../ui/format.ts";
import { formatDollars } from "../ui/format-dollars.ts";

const compact = new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: 1 });

/** What calls of models cost; what nobody knows of it is said. */
export function costOf({ calls, cost, unknownCosts }: NodeLlm): string {
  if (unknownCosts === 0) return formatDollars(cost);
  return cost === null || unknownCosts === calls
    ? "cost unknown"
    : `${formatDollars(cost)} and ${formatPlural(unknownCosts, "call")} of unknown cost`;
}

/** In a few characters, for a node on the canvas. */
export function shortUse(llm: NodeLlm | null): string {
  if (llm === null) return "";
  const tokens = `${compact.format(llm.inputTokens + llm.outputTokens)} tok`;
  return llm.cost === null ? tokens : `${tokens} · ${formatDollars(llm.cost)}`;
}

/** The same in words. */
export function describeLlm(llm: NodeLlm): string {
  const failed = llm.failed === 0 ? "" : `, ${formatCount(llm.failed)} failed`;
  const tokens = `${formatCount(llm.inputTokens)} tokens in, ${formatCount(llm.outputTokens)} out`;
  return `${formatPlural(llm.calls, "model call")}${failed} · ${tokens} · ${costOf(llm)}`;
}

/** What was not paid and not waited for once more. */
export function describeSaved({ ms, calls, inputTokens, outputTokens, cost }: NodeSaved): string {
  const parts = [formatDuration(ms)];
  if (calls !== null && calls > 0)
    parts.push(formatPlural(calls, "model call"), `${formatCount((inputTokens ?? 0) + (outputTokens ?? 0))} tokens`, formatDollars(cost));
  return parts.join(", ");
}

/** What the nodes of a run called together, and what those that were used again saved. */
export function sumOf(nodes: readonly NodeRun[]): { readonly llm: NodeLlm | null; readonly saved: NodeSaved | null } {
  let llm: NodeLlm | null = null;
  let saved: NodeSaved | null = null;
  for (const node of nodes) {
    llm = addLlm(llm, node.llm);
    saved = addSaved(saved, node.saved);
  }
  return { llm, saved };
}

function addSaved(one: NodeSaved | null, other: NodeSaved | null): NodeSaved | null {
  if (one === null || other === null) return one ?? other;
  const add = (a: number | null, b: number | null) => (a === null || b === null ? (a ?? b) : a + b);
  return {
    ms: one.ms + other.ms,
    calls: add(one.calls, other.calls),
    inputTokens: add(one.inputTokens, other.inputTokens),
    outputTokens: add(one.outputTokens, other.outputTokens),
    cost: add(one.cost, other.cost),
  };
}
