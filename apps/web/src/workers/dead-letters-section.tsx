import { Box, Button, Flex, Grid, Text } from "@chakra-ui/react";
import type { RunSummary } from "@syla/sdk";
import { useQuery } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { Link } from "react-router";
import { syla } from "../app/api.ts";
import { RequeueRuns } from "../runs/list/requeue-runs.tsx";
import { useRequeue } from "../runs/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatCount } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { RunName } from "./waiting-section.tsx";

const mostShown = 20;

/** Runs that the installation failed after all attempts, to be queued again. `count`: all there are. */
export function DeadLettersSection({ count }: { readonly count: number }) {
  const found = useQuery({
    queryKey: ["runs", "given-up", count],
    queryFn: ({ signal }) => syla.runs.list({ deadLetters: "true", owner: "all", limit: mostShown }, { signal }),
    enabled: count > 0,
    placeholderData: (before) => before,
  });
  const runs = count === 0 ? [] : (found.data?.items ?? []);
  return (
    <Section heading="Given up" note="the installation failed them, after all attempts">
      {found.isError ? <ErrorPanel error={found.error} onRetry={() => void found.refetch()} /> : null}
      {count === 0 ? (
        <Text px="4" py="3" color="fg.muted">
          None.
        </Text>
      ) : (
        <>
          <Flex align="center" gap="3" px="4" py="2" borderBottomWidth="1px" borderColor="border.muted" wrap="wrap">
            <Text fontSize="xs" color="fg.muted" mr="auto">
              {formatCount(count)}
              {count > runs.length ? (
                <Text as="span">
                  , the newest {formatCount(runs.length)} here.{" "}
                  <Text as="span" textDecoration="underline">
                    <Link to="/runs?deadLetters=true">Show all</Link>
                  </Text>
                </Text>
              ) : null}
            </Text>
            <RequeueRuns ids={[]} onDone={() => undefined} />
          </Flex>
          <Box as="ul" listStyleType="none" aria-label="Given up">
            {runs.map((run) => (
              <DeadRow key={run.id} run={run} />
            ))}
          </Box>
        </>
      )}
    </Section>
  );
}

function DeadRow({ run }: { readonly run: RunSummary }) {
  const requeue = useRequeue();
  const refused = requeue.data?.refused[0];
  return (
    <Grid
      as="li"
      templateColumns={{ base: "minmax(0, 1fr) auto", md: "minmax(0, 1fr) minmax(0, 1fr) 96px auto" }}
      columnGap="3"
      alignItems="center"
      px="4"
      py="2"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
    >
      <RunName runId={run.id} entrypoint={run.entrypoint} facts={[run.language, run.ownerName, `attempt ${run.attempt}`]} />
      <Box minW="0" fontSize="xs" gridColumn={{ base: "1 / -1", md: "auto" }} gridRow={{ base: "2", md: "auto" }}>
        <Text fontFamily="mono" color="fg.error">
          {run.error?.code ?? "unknown"}
        </Text>
        <Text color={refused || requeue.isError ? "fg.error" : "fg.muted"} truncate title={run.error?.message}>
          {requeue.isError ? requeue.error.message : (refused?.message ?? run.error?.message ?? "")}
        </Text>
      </Box>
      <Box textAlign="right" fontSize="xs" color="fg.muted" hideBelow="md">
        <TimeAgo time={run.finishedAt ?? run.createdAt} />
      </Box>
      <Button
        size="xs"
        variant="outline"
        loading={requeue.isPending}
        aria-label={`Queue ${run.entrypoint} again, ${run.id.slice(-8)}`}
        onClick={() => requeue.mutate({ owner: "all", ids: [run.id] })}
      >
        <RotateCcw aria-hidden /> Requeue
      </Button>
    </Grid>
  );
}
