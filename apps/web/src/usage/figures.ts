import type { UsageGroupFigures } from "@syla/sdk";
import { formatDollars } from "../ui/format-dollars.ts";

/** Runs that failed, for whatever reason. */
export function failedOf({ failures }: Pick<UsageGroupFigures, "failures">): number {
  return failures.userCode + failures.limit + failures.infrastructure + failures.denied;
}

/** How many of the runs that came to an end of their own succeeded. */
export function formatSuccess(figures: Pick<UsageGroupFigures, "succeeded" | "failures">): string {
  const came = figures.succeeded + failedOf(figures);
  return came === 0 ? "–" : `${Math.floor((figures.succeeded / came) * 100)} % succeeded`;
}

/** What is known of the cost, and whether that is all. */
export function formatCost({ cost, unknownCosts }: Pick<UsageGroupFigures, "cost" | "unknownCosts">): string {
  return unknownCosts === 0 ? formatDollars(cost) : `${formatDollars(cost)} and ${unknownCosts} unknown`;
}
