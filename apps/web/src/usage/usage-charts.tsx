import { Grid } from "@chakra-ui/react";
import type { Usage, UsageGroupFigures, UsageGroups } from "@syla/sdk";
import { formatBytes, formatCount, formatDuration, formatPlural } from "../ui/format.ts";
import { formatDollars } from "../ui/format-dollars.ts";
import { DayChart } from "./day-chart.tsx";
import { failedOf, formatCost, formatSuccess } from "./figures.ts";

interface UsageChartsProps {
  readonly counts: UsageGroups;
  /** What is counted for people alone; null where something else is looked at. */
  readonly usage: Usage | null;
}

/** What there was on each day. */
export function UsageCharts({ counts, usage }: UsageChartsProps) {
  const { total } = counts;
  const span = { from: counts.from, to: counts.to, days: counts.groups.map((group) => ({ ...group, day: group.key })) };
  return (
    <Grid templateColumns={{ base: "minmax(0, 1fr)", md: "repeat(2, minmax(0, 1fr))" }} gap="6" p="4">
      <DayChart
        {...span}
        title="Runs"
        format={formatCount}
        summary={total.runs === 0 ? "0" : `${formatCount(total.runs)}, ${formatSuccess(total)}`}
        parts={[
          { label: "succeeded", value: ({ succeeded }) => succeeded, color: "accent.solid" },
          { label: "failed", value: failedOf, color: "fg.error" },
          { label: "cancelled", value: ({ cancelled }) => cancelled, color: "border.emphasized" },
        ]}
      />
      <DayChart
        {...span}
        title="Duration of programs"
        format={formatDuration}
        summary={formatQuantiles(total)}
        tell={formatQuantiles}
        parts={[
          { label: "half within", value: ({ p50Ms }) => p50Ms ?? 0, color: "accent.solid" },
          { label: "95 % within", value: ({ p50Ms, p95Ms }) => (p95Ms ?? 0) - (p50Ms ?? 0), color: "accent.emphasized" },
        ]}
      />
      <DayChart {...span} title="Cost of models" value={({ cost }) => cost} format={formatDollars} summary={formatCost(total)} />
      <DayChart
        {...span}
        title="Tokens"
        format={formatCount}
        summary={`${formatCount(total.inputTokens)} in, ${formatCount(total.outputTokens)} out`}
        parts={[
          { label: "in", value: ({ inputTokens, cachedTokens }) => inputTokens - cachedTokens, color: "accent.solid" },
          { label: "in, cached", value: ({ cachedTokens }) => cachedTokens, color: "accent.emphasized" },
          { label: "out", value: ({ outputTokens }) => outputTokens, color: "fg.info" },
        ]}
      />
      <DayChart
        {...span}
        title="Calls of models"
        format={formatCount}
        summary={`${formatPlural(total.calls, "call")}, ${formatCount(total.failedCalls)} failed`}
        parts={[
          { label: "answered", value: ({ calls, failedCalls }) => calls - failedCalls, color: "accent.solid" },
          { label: "failed", value: ({ failedCalls }) => failedCalls, color: "fg.error" },
        ]}
      />
      <DayChart {...span} title="CPU time" value={({ cpuMs }) => cpuMs} format={formatDuration} />
      {usage === null ? null : (
        <>
          <DayChart
            from={usage.from}
            to={usage.to}
            days={usage.days}
            title="Stored"
            value={({ storedBytes }) => storedBytes}
            format={formatBytes}
          />
          <DayChart
            from={usage.from}
            to={usage.to}
            days={usage.days}
            title="Network"
            value={({ networkBytes }) => networkBytes}
            format={formatBytes}
          />
        </>
      )}
    </Grid>
  );
}

function formatQuantiles({ p50Ms, p95Ms }: Pick<UsageGroupFigures, "p50Ms" | "p95Ms">): string {
  return p50Ms === null ? "nothing ran" : `half within ${formatDuration(p50Ms)}, 95 % within ${formatDuration(p95Ms)}`;
}
