import { Box, Grid, Text } from "@chakra-ui/react";
import { describeWait } from "@syla/contracts/queue";
import type { Queue, QueuedRun } from "@syla/sdk";
import { Link } from "react-router";
import { formatCount, formatExact } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";

const usualPriority = 5;

/** What waits, in the order in which it begins as things stand, and why. */
export function WaitingSection({ queue }: { readonly queue: Queue }) {
  const { items, waiting, later } = queue;
  const more = waiting + later - items.length;
  return (
    <Section
      heading="Waiting runs"
      note={later === 0 ? formatCount(waiting) : `${formatCount(waiting)}, and ${formatCount(later)} for later`}
    >
      {items.length === 0 ? (
        <Text px="4" py="3" color="fg.muted">
          Nothing waits.
        </Text>
      ) : (
        <Box as="ol" listStyleType="none" aria-label="Waiting runs">
          {items.map((item) => (
            <WaitingRow key={item.runId} item={item} />
          ))}
        </Box>
      )}
      {more > 0 ? (
        <Text px="4" py="2" fontSize="xs" color="fg.muted">
          and {formatCount(more)} more
        </Text>
      ) : null}
    </Section>
  );
}

function WaitingRow({ item }: { readonly item: QueuedRun }) {
  const { runId, entrypoint, language, ownerName, position, until, priority, attempt, createdAt, reason } = item;
  const facts = [
    language,
    ownerName,
    ...(priority !== usualPriority ? [`priority ${priority}`] : []),
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
  ];
  return (
    <Grid
      as="li"
      templateColumns={{ base: "32px minmax(0, 1fr) auto", md: "32px minmax(0, 1fr) minmax(0, 1fr) 112px" }}
      columnGap="3"
      alignItems="baseline"
      px="4"
      py="2"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
      data-reason={reason}
    >
      <Text color="fg.subtle" textAlign="right">
        {position ?? "–"}
      </Text>
      <RunName runId={runId} entrypoint={entrypoint} facts={facts} />
      <Text
        color="fg.muted"
        fontSize={{ base: "xs", md: "sm" }}
        gridColumn={{ base: "2 / -1", md: "auto" }}
        gridRow={{ base: "2", md: "auto" }}
      >
        {describeWait(item)}
        {until === null ? "" : ` Not before ${formatExact(until)}.`}
      </Text>
      <Box textAlign="right" fontSize="xs" color="fg.muted">
        <TimeAgo time={createdAt} />
      </Box>
    </Grid>
  );
}

interface RunNameProps {
  readonly runId: string;
  readonly entrypoint: string;
  readonly facts: readonly string[];
}

/** A run by its name, which leads to it, with what else is known of it. */
export function RunName({ runId, entrypoint, facts }: RunNameProps) {
  return (
    <Box minW="0">
      <Text truncate fontWeight="medium">
        <Link to={`/runs/${runId}`}>{entrypoint}</Link>{" "}
        <Text as="span" fontFamily="mono" fontSize="xs" fontWeight="normal" color="fg.subtle">
          {runId.slice(-8)}
        </Text>
      </Text>
      <Text truncate fontSize="xs" color="fg.muted">
        {facts.join(" · ")}
      </Text>
    </Box>
  );
}
