import { Flex, Text } from "@chakra-ui/react";
import type { Sandbox } from "@syla/sdk";
import { CircleCheck, CirclePause, CircleStop, CircleX, LoaderCircle, type LucideIcon } from "lucide-react";

const looks: Readonly<Record<Sandbox["status"], { readonly label: string; readonly color: string; readonly icon: LucideIcon }>> = {
  starting: { label: "Starting", color: "fg.info", icon: LoaderCircle },
  running: { label: "Running", color: "fg.success", icon: CircleCheck },
  paused: { label: "Paused", color: "fg.warning", icon: CirclePause },
  stopped: { label: "Ended", color: "fg.muted", icon: CircleStop },
  failed: { label: "Failed", color: "fg.error", icon: CircleX },
};

const reasons: Readonly<Record<NonNullable<Sandbox["endReason"]>, string>> = {
  deleted: "it was deleted",
  expired: "its time was over",
  idle: "nobody used it",
  access_ended: "its program or workspace may not be used any more as it was",
  out_of_memory: "it needed more memory than its limit",
  disk_limit: "it wrote more to disk than its limit",
  sandbox_failed: "it failed",
  environment_failed: "the packages of its program could not be installed",
  server_restarted: "the server that held it has ended",
};

/** The status as a shape and a word. */
export function SandboxStatusBadge({ sandbox }: { readonly sandbox: Pick<Sandbox, "status"> }) {
  const { label, color, icon: Icon } = looks[sandbox.status];
  return (
    <Flex as="span" align="center" gap="1.5" color={color} whiteSpace="nowrap" data-status={sandbox.status}>
      <Icon size={16} aria-hidden />
      <Text as="span" fontWeight="medium">
        {label}
      </Text>
    </Flex>
  );
}

/** Why it is not running; null while it is. */
export function describeState({ endReason, pauseReason, error, phase }: Sandbox): string | null {
  if (error !== null) return `It could not be started. ${error.message} ${error.hint}`;
  if (phase !== null) return "The packages of its program are being installed.";
  if (endReason !== null) return `This sandbox has ended: ${reasons[endReason]}. What was in it is gone.`;
  if (pauseReason === "idle") return "Paused because nobody used it. It goes on as soon as you use it.";
  return pauseReason === "user" ? "Paused: every process stands still, memory and all." : null;
}
