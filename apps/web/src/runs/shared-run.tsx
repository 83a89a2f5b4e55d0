import { Box, Flex, Heading, Text } from "@chakra-ui/react";
import type { Run } from "@syla/sdk";
import { useLocation, useSearchParams } from "react-router";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { StatusBadge } from "../ui/status-badge.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { ArtifactsTab } from "./detail/artifacts-tab.tsx";
import { RunErrorPanel } from "./detail/run-error.tsx";
import { RunTiming } from "./detail/run-timing.tsx";
import { useRun } from "./queries.ts";
import { RunLogView } from "./run-log-view.tsx";
import { describeExit } from "./run-state.ts";

/** A run to look at: what it is doing and what came out. */
export function SharedRun({ id }: { readonly id: string }) {
  const run = useRun(id);
  if (run.isError) {
    return (
      <Box p="4" maxW="lg" mx="auto">
        <ErrorPanel error={run.error} onRetry={() => void run.refetch()} />
      </Box>
    );
  }
  return run.data ? <Detail run={run.data} /> : <SkeletonRows rows={4} />;
}

function Detail({ run }: { readonly run: Run }) {
  const [search] = useSearchParams();
  const { pathname, hash } = useLocation();
  const tab = search.get("tab") === "artifacts" ? "artifacts" : "log";
  return (
    <Flex direction="column" h="100%" overflowY="auto">
      <Flex direction="column" gap="3" px={{ base: "4", md: "6" }} pt="4" pb="2" flexShrink="0">
        <SharedHeading run={run} />
        <RunTiming run={run} />
        {run.error ? <RunErrorPanel error={run.error} /> : null}
      </Flex>
      <Box px={{ base: "4", md: "6" }}>
        {/* The link itself is behind the `#`: it stays there. */}
        <TabLinks
          label="Run"
          tabs={[
            { to: pathname + hash, label: "Log", current: tab === "log" },
            { to: `${pathname}?tab=artifacts${hash}`, label: "Artifacts", current: tab === "artifacts", count: run.artifactCount },
          ]}
        />
      </Box>
      <Box flex="1 0 320px" minH="320px" css={tab === "log" ? { height: 0 } : {}}>
        {/* The log goes on being read while the artifacts are shown. */}
        <Box h="100%" display={tab === "log" ? "block" : "none"}>
          <RunLogView run={run} />
        </Box>
        {tab === "artifacts" ? <ArtifactsTab run={run} /> : null}
      </Box>
    </Flex>
  );
}

function SharedHeading({ run }: { readonly run: Run }) {
  const exit = describeExit(run);
  return (
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
        <Text as="span">
          {run.language}
          {run.runtimeVersion ? ` ${run.runtimeVersion}` : ""}
        </Text>
        <TimeAgo time={run.createdAt} />
      </Flex>
    </Box>
  );
}
