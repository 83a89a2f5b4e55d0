import type { Span } from "@syla/sdk";
import { formatCount } from "../../../ui/format.ts";
import { formatDollars } from "../../../ui/format-dollars.ts";

/** The colour of a bar: what failed stands out, models are told from the rest. */
export function barColor({ kind, status }: Span): string {
  if (status === "failed") return "fg.error";
  if (kind === "llm" || kind === "attempt") return "fg.info";
  if (kind === "execution") return "accent.solid";
  return kind === "queue" || kind === "waiting" ? "border.emphasized" : "fg.subtle";
}

/** Tokens and cost of a span, if it has some. */
export function describeUse({ llm }: Span): string | null {
  if (llm === null) return null;
  const about = llm.isEstimate ? "≈" : "";
  const tokens = [llm.inputTokens, llm.outputTokens].map((count) => (count === null ? "?" : formatCount(count)));
  return `${about}${tokens.join(" → ")} tokens · ${llm.cached ? "from memory" : formatDollars(llm.cost)}`;
}
