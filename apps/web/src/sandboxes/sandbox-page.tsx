import { Box, Button, Flex, Heading, Text } from "@chakra-ui/react";
import { levelCovers } from "@syla/contracts/access";
import type { AccessLevel, Sandbox } from "@syla/sdk";
import { Pause, Play, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { useAccess } from "../access/queries.ts";
import { ShareButton } from "../access/share-button.tsx";
import { SharedBy } from "../access/shared-by.tsx";
import { useNow } from "../ui/clock.ts";
import { Copyable } from "../ui/copyable.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatDuration } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import { ScrollPage, usePageTitle } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { ActivityPanel } from "./detail/activity-panel.tsx";
import { ConsolePanel } from "./detail/console-panel.tsx";
import { FilesPanel } from "./detail/files-panel.tsx";
import { ProgramLink } from "./program-link.tsx";
import { useSandbox, useSandboxAction } from "./queries.ts";
import { describeState, SandboxStatusBadge } from "./sandbox-status.tsx";

const TerminalPanel = lazy(async () => ({ default: (await import("./detail/terminal-panel.tsx")).TerminalPanel }));
const tabs = ["terminal", "files", "console", "activity"] as const;

/** One sandbox: its terminal, files, interpreters and what goes on in it. */
export default function SandboxPage() {
  const { id = "" } = useParams();
  const sandbox = useSandbox(id);
  usePageTitle(sandbox.data?.name ?? "Sandbox");
  if (sandbox.data) return <SandboxDetail key={id} sandbox={sandbox.data} />;
  return (
    <ScrollPage>
      {sandbox.isError ? (
        <ErrorPanel error={sandbox.error} onRetry={() => void sandbox.refetch()}>
          <Text mt="1">
            <Link to="/sandboxes">All sandboxes</Link>
          </Text>
        </ErrorPanel>
      ) : (
        <SkeletonRows rows={4} />
      )}
    </ScrollPage>
  );
}

function SandboxDetail({ sandbox }: { readonly sandbox: Sandbox }) {
  const [search] = useSearchParams();
  const tab = search.get("tab") ?? "terminal";
  const state = describeState(sandbox);
  const level = useAccess({ resourceType: "sandbox", resourceId: sandbox.id }).data?.level;
  const mayUse = level !== undefined && levelCovers(level, "edit");
  const usable = mayUse && sandbox.endedAt === null && sandbox.status !== "starting" && sandbox.pauseReason !== "user";
  const rest = usable ? null : describeRest(sandbox, level);
  return (
    <Flex direction="column" h="100%" minH="0">
      <Flex direction="column" gap="2" px={{ base: "4", md: "6" }} pt="4" pb="2" flexShrink="0">
        <SandboxHeading sandbox={sandbox} />
        {state ? (
          <Text role="status" color="fg.muted" fontSize="sm">
            {state}
          </Text>
        ) : null}
      </Flex>
      <Box px={{ base: "4", md: "6" }}>
        <TabLinks
          label="Sandbox"
          tabs={tabs.map((name) => ({
            to: `/sandboxes/${sandbox.id}${name === "terminal" ? "" : `?tab=${name}`}`,
            label: name.charAt(0).toUpperCase() + name.slice(1),
            current: tab === name,
          }))}
        />
      </Box>
      <Box flex="1" minH="0" overflow="hidden">
        <Suspense fallback={<SkeletonRows rows={3} />}>
          {usable && tab === "terminal" ? <TerminalPanel id={sandbox.id} /> : null}
          {usable && tab === "files" ? <FilesPanel id={sandbox.id} /> : null}
          {usable && tab === "activity" ? <ActivityPanel sandbox={sandbox} /> : null}
          {/* What the cells have shown stays while another tab is shown, and while nothing runs. */}
          <Box h="100%" display={tab === "console" ? "block" : "none"}>
            <ConsolePanel id={sandbox.id} language={sandbox.language} rest={rest} />
          </Box>
        </Suspense>
        {rest === null || tab === "console" ? null : (
          <Text p="6" color="fg.subtle">
            {rest}
          </Text>
        )}
      </Box>
    </Flex>
  );
}

function describeRest(sandbox: Sandbox, level: AccessLevel | undefined): string {
  if (sandbox.endedAt !== null) return "There is nothing more to run here.";
  if (level !== undefined && !levelCovers(level, "edit")) return "It was shared with you to be looked at, not to be used.";
  if (level === undefined || sandbox.status === "starting") return "";
  return "Resume it to go on.";
}

function SandboxHeading({ sandbox }: { readonly sandbox: Sandbox }) {
  const action = useSandboxAction(sandbox.id);
  const thing = { resourceType: "sandbox", resourceId: sandbox.id } as const;
  const level = useAccess(thing).data?.level ?? "view";
  const [deleting, setDeleting] = useState(false);
  const now = useNow();
  const until = (iso: string) => formatDuration(Math.max(0, Math.round((Date.parse(iso) - now) / 5000) * 5000));
  return (
    <>
      <Flex align="flex-start" gap="3" wrap="wrap">
        <Box minW="0">
          <Flex align="center" gap="3" wrap="wrap">
            <Heading as="h1" fontSize="lg" fontWeight="semibold" letterSpacing="-0.01em" overflowWrap="anywhere">
              {sandbox.name}
            </Heading>
            <SandboxStatusBadge sandbox={sandbox} />
          </Flex>
          <Flex align="center" columnGap="3" wrap="wrap" fontSize="xs" color="fg.muted">
            <Copyable text={sandbox.id} label="sandbox id" />
            {sandbox.program === null ? <SharedBy thing={thing} /> : <ProgramLink program={sandbox.program} />}
            {sandbox.endedAt === null ? <Text as="span">ends in {until(sandbox.expiresAt)}</Text> : null}
            {sandbox.idleAt === null ? null : (
              <Text as="span">
                {sandbox.onIdle === "end" ? "ends" : "pauses"} in {until(sandbox.idleAt)} if unused
              </Text>
            )}
          </Flex>
        </Box>
        {sandbox.endedAt === null ? (
          <Flex gap="2" ml={{ base: "0", md: "auto" }}>
            {sandbox.program === null ? <ShareButton thing={thing} /> : null}
            {!levelCovers(level, "edit") || sandbox.status === "starting" ? null : sandbox.status === "paused" ? (
              <Button size="xs" variant="outline" loading={action.isPending} onClick={() => action.mutate("resume")}>
                <Play aria-hidden /> Resume
              </Button>
            ) : (
              <Button size="xs" variant="outline" loading={action.isPending} onClick={() => action.mutate("pause")}>
                <Pause aria-hidden /> Pause
              </Button>
            )}
            {levelCovers(level, "admin") ? (
              <Button size="xs" variant="outline" onClick={() => setDeleting(true)}>
                <Trash2 aria-hidden /> Delete
              </Button>
            ) : null}
          </Flex>
        ) : null}
      </Flex>
      {action.isError ? <ErrorPanel error={action.error} /> : null}
      {deleting ? (
        <Modal label="Delete this sandbox?" onClose={() => setDeleting(false)}>
          <Flex direction="column" gap="3" p="4">
            <Text>Every process ends, and every file in it is gone. This cannot be undone.</Text>
            <Flex justify="flex-end" gap="2">
              <Button size="sm" variant="outline" onClick={() => setDeleting(false)}>
                Keep it
              </Button>
              <Button
                size="sm"
                colorPalette="red"
                loading={action.isPending}
                onClick={() => action.mutate("delete", { onSettled: () => setDeleting(false) })}
              >
                Delete
              </Button>
            </Flex>
          </Flex>
        </Modal>
      ) : null}
    </>
  );
}
