import { Flex, Text } from "@chakra-ui/react";
import type { Workspace } from "@syla/sdk";
import { Archive, CircleDot, CirclePause, type LucideIcon, Play, Trash2 } from "lucide-react";
import { stateLabels } from "./kinds.ts";

const icons: Readonly<Record<Workspace["state"], LucideIcon>> = {
  active: CircleDot,
  suspended: CirclePause,
  archived: Archive,
  deleted: Trash2,
};

/** Where a workspace stands, as a shape and a word. */
export function WorkspaceStateBadge({ workspace }: { readonly workspace: Pick<Workspace, "state" | "runningCount"> }) {
  const isRunning = workspace.runningCount > 0;
  const Icon = isRunning ? Play : icons[workspace.state];
  return (
    <Flex as="span" align="center" gap="1.5" whiteSpace="nowrap" color={workspace.state === "active" ? "fg.success" : "fg.muted"}>
      <Icon size={14} aria-hidden />
      <Text as="span">{isRunning ? `${workspace.runningCount} running` : stateLabels[workspace.state]}</Text>
    </Flex>
  );
}
