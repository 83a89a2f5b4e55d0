import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Run, RunTrace } from "@syla/sdk";
import { Maximize, Scan, Table2, ZoomIn, ZoomOut } from "lucide-react";
import { useState } from "react";
import { useFastNow } from "../../ui/clock.ts";
import { Copyable } from "../../ui/copyable.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatCount, formatDuration, formatPlural } from "../../ui/format.ts";
import { formatDollars } from "../../ui/format-dollars.ts";
import { IconButton } from "../../ui/icon-button.tsx";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useRunTrace } from "../queries.ts";
import { SpanFacts } from "./trace/span-facts.tsx";
import { SpanTable } from "./trace/span-table.tsx";
import { useTraceView } from "./trace/use-trace-view.ts";
import { Waterfall } from "./trace/waterfall.tsx";

/** What the run consisted of, to scale, while it goes on and afterwards. */
export function TraceTab({ run }: { readonly run: Run }) {
  const trace = useRunTrace(run);
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="1280px">
      {trace.isError ? <ErrorPanel error={trace.error} onRetry={() => void trace.refetch()} /> : null}
      {trace.isPending ? <SkeletonRows rows={6} /> : null}
      {trace.data ? <TraceSection trace={trace.data} /> : null}
    </Box>
  );
}

function TraceSection({ trace }: { readonly trace: RunTrace }) {
  const now = useFastNow(trace.durationMs === null);
  const view = useTraceView(trace, now);
  const [isTable, setTable] = useState(false);
  const chosen = view.rows[view.chosen];
  return (
    <Section heading="Trace" note={<Totals trace={trace} />}>
      <Flex align="center" gap="1" px="2" py="1" borderBottomWidth="1px" borderColor="border.muted" wrap="wrap">
        <IconButton label="Zoom in (+)" onClick={() => view.zoom(2)} disabled={isTable}>
          <ZoomIn />
        </IconButton>
        <IconButton label="Zoom out (−)" onClick={() => view.zoom(0.5)} disabled={isTable || !view.isZoomed}>
          <ZoomOut />
        </IconButton>
        <IconButton label="Zoom to the chosen span (Enter)" onClick={view.fit} disabled={isTable}>
          <Scan />
        </IconButton>
        <IconButton label="Show the whole trace (0)" onClick={view.showAll} disabled={isTable || !view.isZoomed}>
          <Maximize />
        </IconButton>
        <Button size="xs" variant="ghost" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          <Table2 /> Table
        </Button>
        <Box ml="auto" fontSize="xs" color="fg.muted">
          <Copyable text={trace.traceId} label="trace id" />
        </Box>
      </Flex>
      {isTable ? <SpanTable rows={view.rows} /> : <Waterfall view={view} />}
      {chosen && !isTable ? <SpanFacts span={chosen.span} /> : null}
      {trace.omittedNodes > 0 ? (
        <Text px="4" py="2" fontSize="xs" color="fg.muted">
          {formatPlural(trace.omittedNodes, "later node")} {trace.omittedNodes === 1 ? "is" : "are"} not shown here.
        </Text>
      ) : null}
      {trace.omitted > 0 ? (
        <Text px="4" py="2" fontSize="xs" color="fg.muted">
          {formatPlural(trace.omitted, "later call")} of models {trace.omitted === 1 ? "is" : "are"} not shown here, and counted above.
        </Text>
      ) : null}
    </Section>
  );
}

function Totals({ trace: { durationMs, spans, totals } }: { readonly trace: RunTrace }) {
  const facts = [
    durationMs === null ? "goes on" : formatDuration(durationMs),
    formatPlural(spans.length, "span"),
    ...(totals === null
      ? []
      : [
          formatPlural(totals.calls, "model call"),
          `${formatCount(totals.inputTokens)} tokens in, ${formatCount(totals.outputTokens)} out`,
          `${formatDollars(totals.cost)}${totals.unknownCosts > 0 ? `, and ${formatPlural(totals.unknownCosts, "call")} of unknown cost` : ""}`,
        ]),
  ];
  return <Text as="span">{facts.join(" · ")}</Text>;
}
