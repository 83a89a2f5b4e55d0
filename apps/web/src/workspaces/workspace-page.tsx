import { Box, Flex, Heading, Text } from "@chakra-ui/react";
import type { Workspace } from "@syla/sdk";
import { type ComponentType, lazy, Suspense } from "react";
import { useParams, useSearchParams } from "react-router";
import { Copyable } from "../ui/copyable.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { usePageTitle } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { kindLabels } from "./kinds.ts";
import { Presence } from "./live/presence.tsx";
import { LiveSessionContext, useOpenLiveSession } from "./live/use-live-session.ts";
import { useWorkspace } from "./queries.ts";
import { SandboxBadge } from "./sandbox-badge.tsx";
import { WorkspaceActions } from "./workspace-actions.tsx";
import { WorkspaceStateBadge } from "./workspace-state.tsx";
import { mayEdit, type WorkspaceTabProps } from "./workspace-tab.ts";

interface Tab {
  readonly id: string;
  readonly label: string;
  readonly content: ComponentType<WorkspaceTabProps>;
  readonly fills?: boolean;
  readonly isShown?: (workspace: Workspace) => boolean;
}

/** The tabs in their order. Each is loaded when it is first opened. */
const tabs: readonly Tab[] = [
  { id: "files", label: "Files", content: lazy(async () => ({ default: (await import("./files-tab.tsx")).FilesTab })), fills: true },
  { id: "versions", label: "Versions", content: lazy(async () => ({ default: (await import("./versions-tab.tsx")).VersionsTab })) },
  {
    id: "sandbox",
    label: "Sandbox",
    content: lazy(async () => ({ default: (await import("./sandbox-tab.tsx")).SandboxTab })),
    fills: true,
    isShown: ({ yourLevel, state }) => yourLevel !== "view" && state !== "archived" && state !== "deleted",
  },
  { id: "runs", label: "Runs", content: lazy(async () => ({ default: (await import("./runs-tab.tsx")).RunsTab })) },
  {
    id: "sharing",
    label: "Sharing",
    content: lazy(async () => ({ default: (await import("./sharing-tab.tsx")).SharingTab })),
    isShown: ({ yourLevel }) => yourLevel === "admin",
  },
  {
    id: "settings",
    label: "Settings",
    content: lazy(async () => ({ default: (await import("./settings-tab.tsx")).SettingsTab })),
    isShown: mayEdit,
  },
];

/** One workspace: its files, its versions, what ran in it, and who has it. */
export default function WorkspacePage() {
  const { id = "" } = useParams();
  const workspace = useWorkspace(id);
  if (workspace.data !== undefined) return <Content key={id} workspace={workspace.data} />;
  return (
    <Box px={{ base: "4", md: "6" }} py="5">
      {workspace.isError ? <ErrorPanel error={workspace.error} onRetry={() => void workspace.refetch()} /> : <SkeletonRows rows={4} />}
    </Box>
  );
}

function Content({ workspace }: WorkspaceTabProps) {
  usePageTitle(workspace.name);
  const session = useOpenLiveSession(workspace);
  const [search] = useSearchParams();
  const shown = tabs.filter((tab) => tab.isShown?.(workspace) ?? true);
  const tab = shown.find(({ id }) => id === search.get("tab")) ?? shown[0];
  const Shown = tab?.content;
  const fills = tab?.fills === true;
  const counts: Readonly<Record<string, number>> = { files: workspace.tree.files };
  return (
    <LiveSessionContext value={session}>
      <Flex direction="column" h="100%" minH="0" overflowY={fills ? "hidden" : "auto"}>
        <Box px={{ base: "4", md: "6" }} pt={{ base: "3", md: "5" }} pb="3" flexShrink="0">
          <WorkspaceHeading workspace={workspace} />
        </Box>
        <Box px={{ base: "4", md: "6" }} flexShrink="0">
          <TabLinks
            label="Workspace"
            tabs={shown.map(({ id, label }, index) => ({
              to: index === 0 ? `/workspaces/${workspace.id}` : `/workspaces/${workspace.id}?tab=${id}`,
              label,
              current: id === tab?.id,
              ...(counts[id] ? { count: counts[id] } : {}),
            }))}
          />
        </Box>
        <Box flex="1" minH={fills ? "0" : undefined}>
          <Suspense fallback={<SkeletonRows rows={4} />}>{Shown === undefined ? null : <Shown workspace={workspace} />}</Suspense>
        </Box>
      </Flex>
    </LiveSessionContext>
  );
}

function WorkspaceHeading({ workspace }: WorkspaceTabProps) {
  const { id, name, kind, owner, description, lastUsedAt, expiresAt } = workspace;
  return (
    <Flex align="flex-start" gap="3" wrap="wrap">
      <Box minW="0">
        <Flex align="center" columnGap="3" wrap="wrap">
          <Heading as="h1" fontSize="lg" fontWeight="semibold" letterSpacing="-0.01em" overflowWrap="anywhere">
            {name}
          </Heading>
          <Presence />
        </Flex>
        <Flex align="center" columnGap="3" wrap="wrap" fontSize="xs" color="fg.muted">
          <Copyable text={id} label="workspace id" />
          <span>{kindLabels[kind]}</span>
          <WorkspaceStateBadge workspace={workspace} />
          {workspace.yourLevel === "view" || workspace.state === "deleted" ? null : <SandboxBadge workspace={workspace} />}
          <span>{owner.name}</span>
          <span>
            used <TimeAgo time={lastUsedAt} />
          </span>
          {expiresAt === null ? null : (
            <span>
              its time is over <TimeAgo time={expiresAt} />
            </span>
          )}
        </Flex>
        {description === "" ? null : (
          <Text mt="1" color="fg.muted" lineClamp={2} overflowWrap="anywhere">
            {description}
          </Text>
        )}
      </Box>
      <Flex align="center" gap="2" ml={{ base: "0", md: "auto" }} wrap="wrap">
        <WorkspaceActions workspace={workspace} />
      </Flex>
    </Flex>
  );
}
