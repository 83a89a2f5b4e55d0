import type { Span } from "@syla/sdk";
import { costOf, describeSaved } from "../../../builder/node-use.ts";
import { formatCount, formatPlural } from "../../../ui/format.ts";
import { formatDollars } from "../../../ui/format-dollars.ts";

/** The colour of a bar: what failed stands out, models are told from the rest. */
export function barColor({ kind, status, node }: Span): string {
  if (status === "failed") return "fg.error";
  if (kind === "llm" || kind === "attempt") return "fg.info";
  if (kind === "execution") return "accent.solid";
  if (kind === "node") return node?.state === "reused" ? "fg.success" : "accent.emphasized";
  return kind === "queue" || kind === "waiting" ? "border.emphasized" : "fg.subtle";
}

/** Tokens and cost of a span, if it has some. */
export function describeUse({ llm, node }: Span): string | null {
  if (node?.saved != null) return `saved ${describeSaved(node.saved)}`;
  if (node?.llm != null) {
    const { inputTokens, outputTokens, calls } = node.llm;
    return `${formatPlural(calls, "call")} · ${formatCount(inputTokens)} → ${formatCount(outputTokens)} tokens · ${costOf(node.llm)}`;
  }
  if (llm === null) return null;
  const about = llm.isEstimate ? "≈" : "";
  const tokens = [llm.inputTokens, llm.outputTokens].map((count) => (count === null ? "?" : formatCount(count)));
  return `${about}${tokens.join(" → ")} tokens · ${llm.cached ? "from memory" : formatDollars(llm.cost)}`;
}
