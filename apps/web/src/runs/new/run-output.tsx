import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { Columns2, Package, SquareArrowOutUpRight, Terminal } from "lucide-react";
import { Link } from "react-router";
import { useFastNow } from "../../ui/clock.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatDuration, formatPlural } from "../../ui/format.ts";
import { ShortcutKeys } from "../../ui/shortcut-keys.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { RunErrorPanel } from "../detail/run-error.tsx";
import { useRun } from "../queries.ts";
import { RunLogView } from "../run-log-view.tsx";
import { describeExit, isLive, runMs } from "../run-state.ts";

interface RunOutputProps {
  readonly runId: string;
  /** Nothing was run: it is an earlier run whose result answers. */
  readonly reused: boolean;
  /** Why the last try to start a run was refused. */
  readonly failure: unknown;
  readonly onLocation: (file: string, line: number) => void;
}

/** The output of the last run, beside the editor. */
export function RunOutput({ runId, reused, failure, onLocation }: RunOutputProps) {
  const run = useRun(runId);
  const now = useFastNow(run.data !== undefined && isLive(run.data));
  if (failure) return <Framed error={failure} />;
  if (run.isError) return <Framed error={run.error} onRetry={() => void run.refetch()} />;
  if (runId === "") {
    return (
      <EmptyState icon={Terminal} title="The output appears here">
        Press Run, or <ShortcutKeys keys={["mod", "enter"]} />, and watch it line by line.
      </EmptyState>
    );
  }
  if (!run.data) return null;
  const exit = describeExit(run.data);
  return (
    <Flex direction="column" h="100%" minH="0">
      <Flex align="center" gap="3" px="3" h="10" flexShrink="0" borderBottomWidth="1px" borderColor="border" aria-live="polite">
        <StatusBadge status={run.data.status} />
        <Text as="span" fontSize="xs" color="fg.muted" whiteSpace="nowrap" aria-hidden={isLive(run.data)}>
          {formatDuration(runMs(run.data, now))}
        </Text>
        {exit ? (
          <Text as="span" fontFamily="mono" fontSize="xs" color="fg.muted">
            {exit}
          </Text>
        ) : null}
        {reused ? (
          <Text as="span" fontSize="xs" color="fg.muted" truncate>
            kept result of an earlier run
          </Text>
        ) : null}
        <Flex ml="auto" gap="1">
          {run.data.artifactCount > 0 ? (
            <Button asChild size="xs" variant="ghost">
              <Link to={`/runs/${runId}?tab=artifacts`}>
                <Package aria-hidden /> {formatPlural(run.data.artifactCount, "artifact")}
              </Link>
            </Button>
          ) : null}
          {run.data.retryOf === null ? null : (
            <Button asChild size="xs" variant="ghost">
              <Link to={`/runs/${run.data.retryOf}/compare/${runId}`}>
                <Columns2 aria-hidden /> Compare
              </Link>
            </Button>
          )}
          <Button asChild size="xs" variant="ghost">
            <Link to={`/runs/${runId}`}>
              <SquareArrowOutUpRight aria-hidden /> Open run
            </Link>
          </Button>
        </Flex>
      </Flex>
      {run.data.error ? (
        <Box px="2" py="2" borderBottomWidth="1px" borderColor="border">
          <RunErrorPanel error={run.data.error} onLocation={onLocation} short />
        </Box>
      ) : null}
      <Box flex="1" minH="0">
        <RunLogView key={runId} run={run.data} />
      </Box>
    </Flex>
  );
}

function Framed({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  return (
    <Box p="3">
      <ErrorPanel error={error} {...(onRetry ? { onRetry } : {})} />
    </Box>
  );
}
