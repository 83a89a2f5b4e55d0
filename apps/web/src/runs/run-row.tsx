import { chakra, Grid, Text } from "@chakra-ui/react";
import type { RunSummary } from "@syla/sdk";
import { Link } from "react-router";
import { useNow } from "../ui/clock.ts";
import { formatDuration } from "../ui/format.ts";
import { StatusIcon } from "../ui/status-badge.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { describeExit, isLive, runMs } from "./run-state.ts";

/** Columns of every list of runs: mark, status, what ran, language, result, time, age. */
export const runColumns = {
  base: "20px 20px minmax(0, 1fr) auto",
  md: "32px 24px minmax(160px, 1fr) 96px minmax(0, 200px) 80px 96px",
};
const plainColumns = {
  base: "24px minmax(0, 1fr) auto",
  md: "24px minmax(160px, 1fr) 96px minmax(0, 200px) 80px 96px",
};

interface RunRowProps {
  readonly run: RunSummary;
  readonly selection?: { readonly selected: boolean; readonly onSelect: (selected: boolean) => void };
}

/** One run in a list. The name is the link, and it covers the row. */
export function RunRow({ run, selection }: RunRowProps) {
  const now = useNow();
  return (
    <Grid
      role="row"
      templateColumns={selection ? runColumns : plainColumns}
      alignItems="center"
      columnGap="2"
      h="10"
      px="3"
      position="relative"
      borderBottomWidth="1px"
      borderColor="border.muted"
      bg={selection?.selected ? "accent.subtle" : undefined}
      _hover={{ bg: "bg.muted" }}
    >
      {selection ? (
        <chakra.label role="cell" position="relative" zIndex="1" display="flex" alignItems="center" h="full" cursor="pointer">
          <chakra.input
            type="checkbox"
            accentColor="accent.solid"
            w="4"
            h="4"
            checked={selection.selected}
            aria-label={`Select ${run.entrypoint}, ${run.id}`}
            onChange={(event) => selection.onSelect(event.currentTarget.checked)}
          />
        </chakra.label>
      ) : null}
      <chakra.span role="cell">
        <StatusIcon status={run.status} />
      </chakra.span>
      <chakra.span role="cell" minW="0" display="flex" gap="2" alignItems="baseline">
        <Text as="span" truncate fontWeight="medium" css={{ "& a::after": { content: '""', position: "absolute", inset: 0 } }}>
          <Link to={`/runs/${run.id}`}>{run.entrypoint}</Link>
        </Text>
        <Text as="span" fontFamily="mono" fontSize="xs" color="fg.subtle" title={run.id}>
          {run.id.slice(-8)}
        </Text>
      </chakra.span>
      <chakra.span role="cell" color="fg.muted" hideBelow="md">
        {run.language}
      </chakra.span>
      <chakra.span role="cell" hideBelow="md" minW="0">
        <Outcome run={run} />
      </chakra.span>
      <chakra.span role="cell" textAlign="right" hideBelow="md">
        {formatDuration(runMs(run, now))}
      </chakra.span>
      <chakra.span role="cell" textAlign="right" color="fg.muted" fontSize="xs">
        <TimeAgo time={run.createdAt} />
      </chakra.span>
    </Grid>
  );
}

function Outcome({ run }: { readonly run: RunSummary }) {
  if (isLive(run))
    return (
      <Text as="span" display="block" truncate color="fg.info">
        {run.phase?.replaceAll("_", " ") ?? run.status}
      </Text>
    );
  const text = run.error?.code ?? describeExit(run) ?? run.status;
  return (
    <Text
      as="span"
      display="block"
      truncate
      fontFamily="mono"
      fontSize="xs"
      color={run.error ? "fg.error" : "fg.muted"}
      title={run.error?.message}
    >
      {text}
    </Text>
  );
}
