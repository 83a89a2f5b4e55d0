import { Box, Grid, Text } from "@chakra-ui/react";
import type { Run, RunTrace, Span } from "@syla/sdk";
import { useFastNow } from "../../ui/clock.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatDuration } from "../../ui/format.ts";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useRunTrace } from "../queries.ts";
import { barColor } from "./trace/span-looks.ts";
import { barOf, wholeRange } from "./trace/rows.ts";

/** What a run went through one after the other, to scale. Calls of models are left to the trace. */
export function PhaseList({ run }: { readonly run: Run }) {
  const trace = useRunTrace(run);
  if (trace.isError && !trace.data) return <ErrorPanel error={trace.error} onRetry={() => void trace.refetch()} />;
  if (!trace.data) return <SkeletonRows rows={4} />;
  return <Phases trace={trace.data} />;
}

const calls: ReadonlySet<Span["kind"]> = new Set(["run", "llm", "attempt"]);

function Phases({ trace }: { readonly trace: RunTrace }) {
  const now = useFastNow(trace.durationMs === null);
  const whole = wholeRange(trace, now);
  const phases = trace.spans.filter(({ kind }) => !calls.has(kind)).toSorted((a, b) => a.startMs - b.startMs);
  if (phases.length === 0)
    return (
      <Text px="4" py="3" color="fg.muted">
        Nothing has begun yet.
      </Text>
    );
  return (
    <Box as="ol" listStyleType="none" py="1.5">
      {phases.map((span) => {
        const bar = barOf(span, whole, whole);
        return (
          <Grid
            as="li"
            key={span.id}
            templateColumns={{ base: "minmax(0, 1fr) auto", sm: "184px minmax(0, 1fr) 80px" }}
            columnGap="4"
            alignItems="center"
            px="4"
            py="1"
          >
            <Text truncate title={span.note ?? undefined}>
              {span.name}
              {span.attempt !== null && span.attempt > 1 ? (
                <Text as="span" color="fg.subtle">
                  {" "}
                  attempt {span.attempt}
                </Text>
              ) : null}
            </Text>
            <Box
              aria-hidden
              position="relative"
              h="2"
              rounded="sm"
              bg="bg.muted"
              gridRow={{ base: "2", sm: "auto" }}
              gridColumn={{ base: "1 / -1", sm: "auto" }}
            >
              {bar === null ? null : (
                <Box
                  position="absolute"
                  h="full"
                  rounded="sm"
                  minW="2px"
                  bg={barColor(span)}
                  style={{ left: `min(${bar.left}%, calc(100% - 2px))`, width: `${bar.width}%` }}
                />
              )}
            </Box>
            <Text textAlign="right" color="fg.muted" fontSize="xs">
              {span.durationMs === null ? "goes on" : formatDuration(span.durationMs)}
            </Text>
          </Grid>
        );
      })}
    </Box>
  );
}
