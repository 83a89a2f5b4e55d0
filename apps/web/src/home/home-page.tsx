import { Box, Text } from "@chakra-ui/react";
import type { RunStatus } from "@syla/sdk";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { syla } from "../app/api.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { RunRow } from "../runs/run-row.tsx";
import { liveStatuses } from "../runs/run-state.ts";
import { QuickStart } from "./quick-start.tsx";

const dayMs = 86_400_000;

/** What one wants to know first: what runs, what went wrong, what was last; and a program to start with. */
export default function HomePage() {
  return (
    <ScrollPage>
      <PageHeader title="Home" />
      <QuickStart />
      <RunSection
        heading="Running now"
        name="live"
        statuses={liveStatuses}
        limit={10}
        intervalMs={1500}
        more="/runs?status=queued,starting,running,waiting"
        hideEmpty
      />
      <RunSection
        heading="Needs attention"
        note="failed in the last 24 hours"
        name="attention"
        statuses={["failed", "timed_out"]}
        limit={5}
        intervalMs={10_000}
        sinceMs={dayMs}
        more="/runs?status=failed,timed_out&since=24h"
        hideEmpty
      />
      <RunSection heading="Recent runs" name="recent" statuses={[]} limit={10} intervalMs={4000} more="/runs" />
    </ScrollPage>
  );
}

interface RunSectionProps {
  readonly heading: string;
  readonly note?: string;
  readonly name: string;
  readonly statuses: readonly RunStatus[];
  readonly limit: number;
  readonly intervalMs: number;
  readonly sinceMs?: number;
  readonly more: string;
  readonly hideEmpty?: boolean;
}

function RunSection({ heading, note, name, statuses, limit, intervalMs, sinceMs, more, hideEmpty = false }: RunSectionProps) {
  const runs = useQuery({
    queryKey: ["runs", "home", name],
    queryFn: ({ signal }) => {
      const since = sinceMs === undefined ? {} : { since: new Date(Date.now() - sinceMs).toISOString() };
      return syla.runs.list({ limit, ...(statuses.length > 0 ? { status: statuses.join(",") } : {}), ...since }, { signal });
    },
    refetchInterval: intervalMs,
  });
  if (hideEmpty && !runs.isError && (runs.data?.items.length ?? 0) === 0) return null;
  return (
    <Section heading={heading} note={note}>
      {runs.isPending ? <SkeletonRows rows={3} /> : null}
      {runs.isError && !runs.data ? <ErrorPanel error={runs.error} onRetry={() => void runs.refetch()} /> : null}
      {runs.data?.items.length === 0 ? (
        <Text px="4" py="5" color="fg.muted">
          Nothing has run yet. Start one of the examples above, or write your own.
        </Text>
      ) : null}
      <Box role="table" aria-label={heading}>
        {runs.data?.items.map((run) => (
          <RunRow key={run.id} run={run} />
        ))}
      </Box>
      {runs.data?.nextCursor ? (
        <Box px="3" py="2" fontSize="xs" color="accent.fg">
          <Link to={more}>Show all</Link>
        </Box>
      ) : null}
    </Section>
  );
}
