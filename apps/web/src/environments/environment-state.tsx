import { Flex, Spinner, Text } from "@chakra-ui/react";
import type { EnvironmentPhase, EnvironmentState } from "@syla/sdk";
import { CircleAlert, CircleCheck, CircleDashed, CircleX, type LucideIcon } from "lucide-react";

interface Look {
  readonly label: string;
  readonly color: string;
  /** Null: a spinner, because something is happening. */
  readonly icon: LucideIcon | null;
}

const looks: Readonly<Record<EnvironmentState, Look>> = {
  none: { label: "Not built", color: "fg.muted", icon: CircleDashed },
  building: { label: "Building", color: "fg.info", icon: null },
  ready: { label: "Ready", color: "fg.success", icon: CircleCheck },
  stale: { label: "Stale", color: "fg.warning", icon: CircleAlert },
  failed: { label: "Failed", color: "fg.error", icon: CircleX },
};

/** What is done in each phase, for people. */
export const phaseLabels: Readonly<Record<EnvironmentPhase, string>> = {
  resolve: "choosing versions",
  download: "downloading",
  install: "installing",
  verify: "checking",
};

/** The state as a shape and a word. */
export function EnvironmentStateBadge({ state, phase }: { readonly state: EnvironmentState; readonly phase: EnvironmentPhase | null }) {
  const look = looks[state];
  const Icon = look.icon;
  return (
    <Flex as="span" align="center" gap="1.5" color={look.color} whiteSpace="nowrap" data-state={state}>
      <Flex as="span" aria-hidden w="4" h="4" align="center" justify="center" flexShrink="0">
        {Icon ? <Icon size={16} /> : <Spinner size="xs" borderWidth="2px" />}
      </Flex>
      <Text as="span">
        {look.label}
        {phase === null ? null : `: ${phaseLabels[phase]}`}
      </Text>
    </Flex>
  );
}
