import { Box, Button, Flex, Skeleton, Text } from "@chakra-ui/react";
import type { RunTotals } from "@syla/sdk";
import type { UseQueryResult } from "@tanstack/react-query";
import { ChartColumn } from "lucide-react";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { Figure } from "../../ui/figure.tsx";
import { formatCount, formatDuration } from "../../ui/format.ts";
import { formatCost } from "../../usage/figures.ts";
import { type RunListFilter, sinceChoices } from "./run-filter.ts";

interface RunTotalsStripProps {
  readonly filter: RunListFilter;
  readonly totals: UseQueryResult<RunTotals>;
  readonly withCharts: boolean;
  readonly onCharts: (on: boolean) => void;
}

/** What the runs of the list come to, in one line; the charts below it on demand. */
export function RunTotalsStrip({ filter, totals, withCharts, onCharts }: RunTotalsStripProps) {
  if (totals.isError && !totals.data)
    return (
      <Box mb="3">
        <ErrorPanel error={totals.error} onRetry={() => void totals.refetch()} />
      </Box>
    );
  const period = sinceChoices.find(({ value }) => value === filter.since)?.label ?? "last 30 days";
  return (
    <Flex
      role="region"
      aria-label="Totals"
      align="flex-start"
      columnGap="8"
      rowGap="2"
      mb="3"
      px="4"
      py="2.5"
      wrap="wrap"
      borderWidth="1px"
      borderColor="border"
      rounded="md"
      bg="bg.panel"
      flexShrink="0"
    >
      {totals.data ? <Figures totals={totals.data} /> : <Skeleton h="11" flex="1" minW="200px" aria-label="Loading" />}
      <Flex ml="auto" direction={{ base: "row", sm: "column" }} align={{ base: "center", sm: "flex-end" }} gap="1">
        <Text fontSize="xs" color="fg.subtle">
          {totals.isError ? "as last seen" : period}
        </Text>
        <Button size="2xs" variant="ghost" color="fg.muted" aria-expanded={withCharts} onClick={() => onCharts(!withCharts)}>
          <ChartColumn aria-hidden /> {withCharts ? "Hide charts" : "Charts"}
        </Button>
      </Flex>
    </Flex>
  );
}

function Figures({ totals: { total, successRate } }: { readonly totals: RunTotals }) {
  return (
    <Flex as="dl" columnGap="8" rowGap="2" wrap="wrap">
      <Figure label="Runs" value={formatCount(total.runs)} />
      <Figure
        label="Succeeded"
        value={successRate === null ? "–" : `${Math.floor(successRate * 100)} %`}
        aside={total.failed > 0 ? `${formatCount(total.failed)} failed` : null}
      />
      <Figure
        label="Duration"
        value={formatDuration(total.p50Ms)}
        aside={total.p95Ms === null ? null : `95 %: ${formatDuration(total.p95Ms)}`}
      />
      <Figure
        label="Tokens"
        value={formatCount(total.inputTokens + total.outputTokens)}
        aside={total.calls > 0 ? `${formatCount(total.outputTokens)} out` : null}
      />
      <Figure label="Cost" value={formatCost(total)} />
    </Flex>
  );
}
