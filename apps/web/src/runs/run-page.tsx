import { Box, Flex, Heading, Text } from "@chakra-ui/react";
import type { Run } from "@syla/sdk";
import { useState } from "react";
import { Link, useNavigate, useParams, useSearchParams } from "react-router";
import { SharedBy } from "../access/shared-by.tsx";
import { Copyable } from "../ui/copyable.tsx";
import { errorCode } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatExact } from "../ui/format.ts";
import { ScrollPage, usePageTitle } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { StatusBadge } from "../ui/status-badge.tsx";
import { type TabLink, TabLinks } from "../ui/tab-links.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { ArtifactsTab } from "./detail/artifacts-tab.tsx";
import { ConfigurationTab } from "./detail/configuration-tab.tsx";
import { HistoryTab } from "./detail/history-tab.tsx";
import { MetricsTab } from "./detail/metrics-tab.tsx";
import { ModelRefusal } from "./detail/model-refusal.tsx";
import { ModelsTab } from "./detail/models-tab.tsx";
import { NetworkTab } from "./detail/network-tab.tsx";
import { OverviewTab } from "./detail/overview-tab.tsx";
import { RunActions } from "./detail/run-actions.tsx";
import { RunApprovals } from "./detail/run-approvals.tsx";
import { RunErrorPanel } from "./detail/run-error.tsx";
import { RunTiming } from "./detail/run-timing.tsx";
import { TestsTab } from "./detail/tests-tab.tsx";
import { TraceTab } from "./detail/trace-tab.tsx";
import { useTabKeys } from "./detail/use-tab-keys.ts";
import { WaitNotice } from "./detail/wait-notice.tsx";
import { RunLogView } from "./run-log-view.tsx";
import { useRun } from "./queries.ts";
import { describeExit } from "./run-state.ts";

/** One run: what it is doing, what came out, and how it was configured. */
export default function RunPage() {
  const { id = "" } = useParams();
  const run = useRun(id);
  usePageTitle(run.data ? `${run.data.entrypoint} · ${run.data.status.replace("_", " ")}` : "Run");
  // Somebody else's run may be taken back while it is looked at.
  const gone = run.isError && errorCode(run.error) === "not_found";
  if (run.data && !gone) return <RunDetail key={id} run={run.data} />;
  return (
    <ScrollPage>
      {run.isError ? (
        <ErrorPanel error={run.error} onRetry={() => void run.refetch()}>
          <Text mt="1">
            <Link to="/runs">All runs</Link>
          </Text>
        </ErrorPanel>
      ) : (
        <SkeletonRows rows={4} />
      )}
    </ScrollPage>
  );
}

function RunDetail({ run }: { readonly run: Run }) {
  const [search] = useSearchParams();
  const [failure, setFailure] = useState<unknown>(null);
  const navigate = useNavigate();
  const here = `/runs/${run.id}`;
  const first = run.tests === null ? "log" : "tests";
  const asked = search.get("tab") ?? first;
  // An address may name a tab that this run does not have.
  const tab = tabsOf(run, here, asked).some(({ current }) => current) ? asked : first;
  const showFile = (file: string, line: number) => void navigate(`${here}?tab=configuration&file=${encodeURIComponent(file)}&line=${line}`);
  const tabs = tabsOf(run, here, tab);
  useTabKeys(tabs);
  return (
    <Flex direction="column" h="100%" overflowY="auto">
      <Flex direction="column" gap="3" px={{ base: "4", md: "6" }} pt="4" pb="2" flexShrink="0">
        <RunHeading run={run} onError={setFailure} />
        <RunTiming run={run} />
        <WaitNotice run={run} />
        <RunApprovals run={run} />
        {run.error ? <RunErrorPanel error={run.error} onLocation={showFile} /> : null}
        <ModelRefusal run={run} />
        {failure ? <ErrorPanel error={failure} /> : null}
      </Flex>
      <Box px={{ base: "4", md: "6" }}>
        <TabLinks label="Run" tabs={tabs} />
      </Box>
      <Box flex="1 0 320px" minH="320px" css={tab === "log" ? { height: 0 } : {}}>
        {/* The log goes on being read while another tab is shown. */}
        <Box h="100%" display={tab === "log" ? "block" : "none"}>
          <RunLogView run={run} />
        </Box>
        {tab === "tests" && run.tests !== null ? <TestsTab run={run} tests={run.tests} /> : null}
        {tab === "artifacts" ? <ArtifactsTab run={run} /> : null}
        {tab === "models" ? <ModelsTab run={run} /> : null}
        {tab === "network" ? <NetworkTab run={run} /> : null}
        {tab === "overview" ? <OverviewTab run={run} /> : null}
        {tab === "metrics" ? <MetricsTab run={run} /> : null}
        {tab === "trace" ? <TraceTab run={run} /> : null}
        {tab === "history" ? <HistoryTab run={run} /> : null}
        {tab === "configuration" ? <ConfigurationTab run={run} /> : null}
      </Box>
    </Flex>
  );
}

function tabsOf(run: Run, here: string, tab: string): readonly TabLink[] {
  return [
    ...(run.tests === null
      ? []
      : [{ to: here, label: "Tests", current: tab === "tests", count: `${run.tests.passed}/${run.tests.total}` }]),
    { to: run.tests === null ? here : `${here}?tab=log`, label: "Log", current: tab === "log" },
    { to: `${here}?tab=overview`, label: "Overview", current: tab === "overview" },
    { to: `${here}?tab=artifacts`, label: "Artifacts", current: tab === "artifacts", count: run.artifactCount },
    ...(run.models.length === 0 ? [] : [modelsTab(run, here, tab)]),
    ...(run.network === "none" ? [] : [networkTab(run, here, tab)]),
    { to: `${here}?tab=trace`, label: "Trace", current: tab === "trace" },
    { to: `${here}?tab=metrics`, label: "Metrics", current: tab === "metrics" },
    { to: `${here}?tab=history`, label: "History", current: tab === "history" },
    { to: `${here}?tab=configuration`, label: "Configuration", current: tab === "configuration" },
  ];
}

function modelsTab(run: Run, here: string, tab: string): TabLink {
  const count = run.usage?.llm?.calls;
  const link = { to: `${here}?tab=models`, label: "Models", current: tab === "models" };
  return count === undefined ? link : { ...link, count };
}

function networkTab(run: Run, here: string, tab: string): TabLink {
  const count = run.usage?.network?.connections;
  const link = { to: `${here}?tab=network`, label: "Network", current: tab === "network" };
  return count === undefined ? link : { ...link, count };
}

function ProgramLink({ program: { id, name, version } }: { readonly program: NonNullable<Run["program"]> }) {
  return (
    <Text as="span" overflowWrap="anywhere">
      <Text as="span" textDecoration="underline">
        <Link to={`/programs/${id}`}>{name}</Link>
      </Text>
      {version === null ? "" : ` ${version}`}
    </Text>
  );
}

function RunHeading({ run, onError }: { readonly run: Run; readonly onError: (error: unknown) => void }) {
  const exit = describeExit(run);
  return (
    <Flex align="flex-start" gap="3" wrap="wrap">
      <Box minW="0">
        <Flex align="center" gap="3" wrap="wrap">
          <Heading as="h1" fontSize="lg" fontWeight="semibold" letterSpacing="-0.01em" overflowWrap="anywhere">
            {run.entrypoint}
          </Heading>
          <StatusBadge status={run.status} />
          {exit ? (
            <Text as="span" fontFamily="mono" fontSize="xs" color="fg.muted">
              {exit}
            </Text>
          ) : null}
        </Flex>
        <Flex align="center" columnGap="3" wrap="wrap" fontSize="xs" color="fg.muted">
          <Copyable text={run.id} label="run id" />
          <Text as="span">
            {run.language}
            {run.runtimeVersion ? ` ${run.runtimeVersion}` : ""}
          </Text>
          {run.program ? <ProgramLink program={run.program} /> : null}
          {run.composition ? (
            <Text as="span" overflowWrap="anywhere">
              <Text as="span" textDecoration="underline">
                <Link to={`/compositions/${run.composition.id}?run=${run.id}`}>{run.composition.name}</Link>
              </Text>
              {run.composition.version === null ? "" : ` ${run.composition.version}`}
            </Text>
          ) : null}
          <TimeAgo time={run.createdAt} />
          <SharedBy thing={{ resourceType: "run", resourceId: run.id }} />
          {run.scheduleId === null ? null : (
            <Text as="span" textDecoration="underline">
              <Link to="/schedules">scheduled</Link>
            </Text>
          )}
          {run.startAt === null ? null : <Text as="span">starts {formatExact(run.startAt)}</Text>}
          {run.attempt > 1 ? <Text as="span">attempt {run.attempt}</Text> : null}
          {run.retryOf ? (
            <Text as="span" textDecoration="underline">
              <Link to={`/runs/${run.retryOf}`}>rerun of an earlier run</Link>
            </Text>
          ) : null}
        </Flex>
      </Box>
      <Flex gap="2" ml={{ base: "0", md: "auto" }} wrap="wrap">
        <RunActions run={run} onError={onError} />
      </Flex>
    </Flex>
  );
}
