import { Flex, Spinner, Text } from "@chakra-ui/react";
import type { RunStatus } from "@syla/contracts/runs";
import { CircleAlert, CircleCheck, CircleDashed, CircleSlash, CircleX, Hourglass, type LucideIcon, TimerOff } from "lucide-react";

interface StatusLook {
  readonly label: string;
  readonly color: string;
  /** Null: a spinner, because something is happening. */
  readonly icon: LucideIcon | null;
}

/** How each status is written and drawn: always a word and a shape, never colour alone. */
export const statusLooks: Readonly<Record<RunStatus, StatusLook>> = {
  queued: { label: "Queued", color: "fg.muted", icon: CircleDashed },
  starting: { label: "Starting", color: "fg.info", icon: null },
  running: { label: "Running", color: "fg.info", icon: null },
  waiting: { label: "Waiting", color: "fg.warning", icon: Hourglass },
  succeeded: { label: "Succeeded", color: "fg.success", icon: CircleCheck },
  failed: { label: "Failed", color: "fg.error", icon: CircleX },
  cancelled: { label: "Cancelled", color: "fg.muted", icon: CircleSlash },
  timed_out: { label: "Timed out", color: "fg.warning", icon: TimerOff },
};

interface StatusProps {
  readonly status: RunStatus;
}

/** The status as a shape only; give the word to screen readers. */
export function StatusIcon({ status }: StatusProps) {
  const look = statusLooks[status];
  const Icon = look.icon;
  return (
    <Flex as="span" role="img" aria-label={look.label} color={look.color} w="4" h="4" align="center" justify="center" flexShrink="0">
      {Icon ? (
        <Icon size={16} aria-hidden />
      ) : (
        <Spinner size="xs" borderWidth="2px" css={{ "--spinner-track-color": "colors.border.emphasized" }} />
      )}
    </Flex>
  );
}

/** The status as a shape and a word. */
export function StatusBadge({ status }: StatusProps) {
  const look = statusLooks[status];
  const Icon = look.icon ?? CircleAlert;
  return (
    <Flex as="span" align="center" gap="1.5" color={look.color} whiteSpace="nowrap" data-status={status}>
      <Flex as="span" aria-hidden w="4" h="4" align="center" justify="center" flexShrink="0">
        {look.icon ? <Icon size={16} /> : <Spinner size="xs" borderWidth="2px" />}
      </Flex>
      <Text as="span" fontWeight="medium">
        {look.label}
      </Text>
    </Flex>
  );
}
