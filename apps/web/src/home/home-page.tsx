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
import { Approvals } from "./approvals.tsx";
import { NearLimits } from "./near-limits.tsx";
import { QuickStart } from "./quick-start.tsx";
import { StartCards } from "./start-cards.tsx";

const dayMs = 86_400_000;

/** What one wants to know first: what runs, what went wrong, what is nearly used up, what was last; and ways to begin. */
export default function HomePage() {
  const recent = useHomeRuns(recentRuns);
  const isNew = recent.data?.items.length === 0;
  return (
    <ScrollPage>
      <PageHeader title="Home" />
      {isNew ? <Welcome /> : null}
      <StartCards />
      {isNew ? <QuickStart /> : null}
      {recent.isPending ? <SkeletonRows rows={6} /> : null}
      <Approvals />
      <RunSection {...liveRuns} hideEmpty />
      <NearLimits />
      <RunSection {...failedRuns} hideEmpty />
      {isNew || recent.isPending ? null : (
        <>
          <RunSection {...recentRuns} />
          <QuickStart />
        </>
      )}
    </ScrollPage>
  );
}

function Welcome() {
  return (
    <Text color="fg.muted" mb="4" maxW="640px">
      Nothing of yours has run yet. Press <strong>Run</strong> on an example below and watch its output come; or bring something of your
      own.
    </Text>
  );
}

interface HomeRuns {
  readonly heading: string;
  readonly note?: string;
  readonly name: string;
  readonly statuses: readonly RunStatus[];
  readonly limit: number;
  readonly intervalMs: number;
  readonly sinceMs?: number;
  readonly more: string;
}

const liveRuns: HomeRuns = {
  heading: "Running now",
  name: "live",
  statuses: liveStatuses,
  limit: 10,
  intervalMs: 1500,
  more: "/runs?status=queued,starting,running,waiting",
};
const failedRuns: HomeRuns = {
  heading: "Needs attention",
  note: "failed in the last 24 hours",
  name: "attention",
  statuses: ["failed", "timed_out"],
  limit: 5,
  intervalMs: 10_000,
  sinceMs: dayMs,
  more: "/runs?status=failed,timed_out&since=24h",
};
const recentRuns: HomeRuns = { heading: "Recent runs", name: "recent", statuses: [], limit: 10, intervalMs: 4000, more: "/runs" };

function useHomeRuns({ name, statuses, limit, intervalMs, sinceMs }: HomeRuns) {
  return useQuery({
    queryKey: ["runs", "home", name],
    queryFn: ({ signal }) => {
      const since = sinceMs === undefined ? {} : { since: new Date(Date.now() - sinceMs).toISOString() };
      return syla.runs.list({ limit, ...(statuses.length > 0 ? { status: statuses.join(",") } : {}), ...since }, { signal });
    },
    refetchInterval: intervalMs,
  });
}

function RunSection({ hideEmpty = false, ...wanted }: HomeRuns & { readonly hideEmpty?: boolean }) {
  const { heading, note, more } = wanted;
  const runs = useHomeRuns(wanted);
  if (hideEmpty && !runs.isError && (runs.data?.items.length ?? 0) === 0) return null;
  return (
    <Section heading={heading} note={note}>
      {runs.isPending ? <SkeletonRows rows={3} /> : null}
      {runs.isError && !runs.data ? <ErrorPanel error={runs.error} onRetry={() => void runs.refetch()} /> : null}
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
