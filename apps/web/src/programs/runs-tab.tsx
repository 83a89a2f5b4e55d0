import { Box, chakra, Flex, Grid, Text } from "@chakra-ui/react";
import type { RunSummary } from "@syla/sdk";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { syla } from "../app/api.ts";
import { describeExit, isLive, runMs } from "../runs/run-state.ts";
import { useNow } from "../ui/clock.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { formatDollars } from "../ui/format-dollars.ts";
import { formatDuration } from "../ui/format.ts";
import { PagedList } from "../ui/paged-list.tsx";
import { StatusIcon } from "../ui/status-badge.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { changedSearch } from "../editor/use-place.ts";
import type { AssetTabProps } from "../catalog/asset-page.tsx";

const refreshMs = 4000;
const whose = [
  { value: "me", label: "Mine" },
  { value: "visible", label: "All that I may see" },
] as const;

/** The runs of a program, newest first: one's own, or those of others too as far as they were shared. */
export function RunsTab({ asset }: AssetTabProps) {
  const [search, setSearch] = useSearchParams();
  const owner = search.get("whose") === "visible" ? "visible" : "me";
  const runs = useInfiniteQuery({
    queryKey: ["runs", "program", asset.id, owner],
    queryFn: ({ pageParam, signal }) =>
      syla.runs.list({ program: asset.id, owner, limit: 50, ...(pageParam ? { cursor: pageParam } : {}) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: refreshMs,
    placeholderData: (previous) => previous,
  });
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="1120px">
      <Flex gap="1.5" mb="3" role="group" aria-label="Whose runs">
        {whose.map(({ value, label }) => (
          <FilterChip
            key={value}
            pressed={value === owner}
            onClick={() => setSearch((before) => changedSearch(before, { whose: value === "me" ? null : value }), { replace: true })}
          >
            {label}
          </FilterChip>
        ))}
      </Flex>
      <PagedList
        pages={runs}
        empty={
          <EmptyState icon={Play} title={owner === "me" ? "You have not run it yet" : "No runs that you may see"}>
            Run it with the button above, or in a terminal: syla run {asset.slug}
          </EmptyState>
        }
        renderRow={(run) => <SmallRunRow run={run} />}
      />
    </Box>
  );
}

/** One run: how it ended, who ran which version, what it cost. */
export function SmallRunRow({ run }: { readonly run: RunSummary }) {
  const now = useNow();
  const outcome = isLive(run) ? (run.phase?.replaceAll("_", " ") ?? run.status) : (run.error?.code ?? describeExit(run) ?? run.status);
  return (
    <Grid
      as="li"
      templateColumns={{ base: "20px minmax(0, 1fr) auto", md: "20px minmax(140px, 1fr) minmax(0, 160px) minmax(0, 160px) 80px 80px 90px" }}
      alignItems="center"
      columnGap="3"
      rowGap="0.5"
      px="3"
      py="2"
      position="relative"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
      _hover={{ bg: "bg.muted" }}
    >
      <StatusIcon status={run.status} />
      <Flex minW="0" gap="2" align="baseline">
        <Text as="span" truncate fontWeight="medium" css={{ "& a::after": { content: '""', position: "absolute", inset: 0 } }}>
          <Link to={`/runs/${run.id}`}>{run.entrypoint}</Link>
        </Text>
        <chakra.span fontFamily="mono" fontSize="xs" color="fg.muted" title={run.id}>
          {run.program?.version ?? run.id.slice(-8)}
        </chakra.span>
      </Flex>
      <Text truncate fontFamily="mono" fontSize="xs" color={run.error ? "fg.error" : "fg.muted"} title={run.error?.message} hideBelow="md">
        {outcome}
      </Text>
      <Text truncate color="fg.muted" hideBelow="md">
        {run.ownerName}
      </Text>
      <Text textAlign="right" fontVariantNumeric="tabular-nums" hideBelow="md" title="What its calls of models cost">
        {run.cost === null ? "–" : formatDollars(run.cost)}
      </Text>
      <Text textAlign="right" fontVariantNumeric="tabular-nums" hideBelow="md">
        {formatDuration(runMs(run, now))}
      </Text>
      <Box textAlign="right" color="fg.muted" fontSize="xs">
        <TimeAgo time={run.createdAt} />
      </Box>
      <Text hideFrom="md" gridColumn="2 / -1" fontSize="xs" color={run.error ? "fg.error" : "fg.muted"} truncate>
        {[outcome, run.ownerName, run.cost === null ? "" : formatDollars(run.cost), formatDuration(runMs(run, now))]
          .filter((part) => part !== "" && part !== "–")
          .join(" · ")}
      </Text>
    </Grid>
  );
}
