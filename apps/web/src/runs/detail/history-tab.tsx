import { Box, Flex, Text } from "@chakra-ui/react";
import type { Run, RunTransition } from "@syla/sdk";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatDuration, formatExact } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { StatusIcon, statusLooks } from "../../ui/status-badge.tsx";
import { useRunTransitions } from "../queries.ts";

const causes: Readonly<Record<string, string>> = {
  submitted: "submitted",
  rerun: "the rerun of an earlier run",
  schedule: "started by a schedule",
  cancel_requested: "somebody cancelled it",
  worker_lost: "its worker was lost",
  worker_stopped: "its worker was stopped",
  worker_drained: "its worker was to take no more runs",
};

/** The states that a run came through: when, by whom and why. */
export function HistoryTab({ run }: { readonly run: Run }) {
  const transitions = useRunTransitions(run);
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="960px">
      <Section heading="History">
        {transitions.isError ? (
          <ErrorPanel error={transitions.error} onRetry={() => void transitions.refetch()} />
        ) : transitions.isPending ? (
          <SkeletonRows rows={4} />
        ) : (
          <Box as="ol" px="4" py="3" listStyleType="none">
            {transitions.data.map((step, index) => (
              <Step key={index} step={step} before={transitions.data[index - 1]} isLast={index === transitions.data.length - 1} />
            ))}
          </Box>
        )}
      </Section>
    </Box>
  );
}

interface StepProps {
  readonly step: RunTransition;
  readonly before: RunTransition | undefined;
  readonly isLast: boolean;
}

function Step({ step, before, isLast }: StepProps) {
  const { status, at, attempt, workerId, cause } = step;
  const isRetry = before !== undefined && before.attempt !== attempt;
  const facts = [
    ...(cause === null ? [] : [causes[cause] ?? cause.replaceAll("_", " ")]),
    ...(isRetry ? [`attempt ${attempt}`] : []),
    ...(workerId !== null && status === "starting" ? [`by ${workerId}`] : []),
  ];
  return (
    <Flex as="li" gap="3" align="stretch">
      <Flex direction="column" align="center" pt="1">
        <MarkOf status={status} isLast={isLast} />
        {isLast ? null : <Box flex="1" w="1px" minH="3" bg="border.emphasized" mt="1" />}
      </Flex>
      <Box pb={isLast ? "0" : "3"} minW="0">
        <Flex columnGap="3" wrap="wrap" align="baseline">
          <Text as="span" fontWeight="medium">
            {statusLooks[status].label}
          </Text>
          <Text as="time" {...{ dateTime: at }} fontSize="xs" color="fg.muted">
            {formatExact(at)}
          </Text>
          {before === undefined ? null : (
            <Text as="span" fontSize="xs" color="fg.muted">
              after {formatDuration(Math.max(0, Date.parse(at) - Date.parse(before.at)))}
            </Text>
          )}
        </Flex>
        {facts.length === 0 ? null : (
          <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
            {facts.join(" · ")}
          </Text>
        )}
      </Box>
    </Flex>
  );
}

/** Only the last state may still be going on: what is over does not turn. */
function MarkOf({ status, isLast }: Pick<RunTransition, "status"> & { readonly isLast: boolean }) {
  if (isLast || statusLooks[status].icon !== null) return <StatusIcon status={status} />;
  return <Box aria-hidden w="2" h="2" m="1" borderRadius="full" bg={statusLooks[status].color} flexShrink="0" />;
}
