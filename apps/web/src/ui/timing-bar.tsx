import { Box, Flex, Text } from "@chakra-ui/react";
import { formatDuration } from "./format.ts";

/** One phase: null milliseconds when it has not begun. */
export interface TimingPhase {
  readonly label: string;
  readonly ms: number | null;
  readonly color: string;
  readonly live: boolean;
}

interface TimingBarProps {
  readonly phases: readonly TimingPhase[];
}

/** Phases one after the other, as long as they took, with their figures below. */
export function TimingBar({ phases }: TimingBarProps) {
  const total = phases.reduce((sum, phase) => sum + (phase.ms ?? 0), 0);
  return (
    <Box>
      <Flex h="1.5" rounded="full" overflow="hidden" bg="bg.muted" gap="1px" aria-hidden>
        {phases.map((phase) =>
          phase.ms !== null && phase.ms > 0 ? (
            <Box key={phase.label} bg={phase.color} style={{ width: `${(phase.ms / Math.max(total, 1)) * 100}%`, minWidth: 3 }} />
          ) : null,
        )}
      </Flex>
      <Flex as="dl" mt="1.5" columnGap="5" rowGap="1" wrap="wrap" fontSize="xs">
        {phases.map((phase) => (
          <Flex key={phase.label} align="center" gap="1.5">
            <Box aria-hidden w="2" h="2" rounded="sm" bg={phase.ms === null ? "bg.emphasized" : phase.color} />
            <Text as="dt" color="fg.muted">
              {phase.label}
            </Text>
            <Text as="dd" fontWeight="medium">
              {formatDuration(phase.ms)}
              {phase.live ? "…" : ""}
            </Text>
          </Flex>
        ))}
      </Flex>
    </Box>
  );
}
