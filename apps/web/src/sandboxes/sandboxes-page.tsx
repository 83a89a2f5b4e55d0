import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Sandbox } from "@syla/sdk";
import { Container, Plus } from "lucide-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { CreateDialog } from "./create-dialog.tsx";
import { ProgramLink } from "./program-link.tsx";
import { useSandboxes } from "./queries.ts";
import { SandboxStatusBadge } from "./sandbox-status.tsx";

/** Long-lived sandboxes. */
export default function SandboxesPage() {
  const [search] = useSearchParams();
  const shown = search.get("show") ?? "live";
  const ended = shown === "all";
  const shared = shown === "shared";
  const sandboxes = useSandboxes(ended, shared);
  const [creating, setCreating] = useState(false);
  const items = sandboxes.data?.items ?? [];
  return (
    <ScrollPage>
      <PageHeader
        title="Sandboxes"
        actions={
          <Button size="xs" colorPalette="accent" onClick={() => setCreating(true)}>
            <Plus aria-hidden /> New sandbox
          </Button>
        }
      />
      <Box mb="3">
        <TabLinks
          label="Which sandboxes"
          tabs={[
            { to: "/sandboxes", label: "Live", current: !ended && !shared },
            { to: "/sandboxes?show=all", label: "All", current: ended },
            { to: "/sandboxes?show=shared", label: "Shared with me", current: shared },
          ]}
        />
      </Box>
      {sandboxes.isError ? <ErrorPanel error={sandboxes.error} onRetry={() => void sandboxes.refetch()} /> : null}
      {sandboxes.isPending ? <SkeletonRows rows={4} /> : null}
      {sandboxes.isSuccess && items.length === 0 ? (
        <EmptyState icon={Container} title={shared ? "Nobody has shared a sandbox with you" : "No sandbox"}>
          A sandbox is a small computer that stays: files, processes, a terminal and interpreters that keep their variables.
        </EmptyState>
      ) : null}
      {items.length > 0 ? (
        <Box as="ul" listStyleType="none" borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" overflow="hidden">
          {items.map((sandbox) => (
            <SandboxRow key={sandbox.id} sandbox={sandbox} />
          ))}
        </Box>
      ) : null}
      {creating ? <CreateDialog onClose={() => setCreating(false)} /> : null}
    </ScrollPage>
  );
}

function SandboxRow({ sandbox }: { readonly sandbox: Sandbox }) {
  return (
    <Flex
      as="li"
      align="center"
      columnGap="4"
      rowGap="1"
      wrap="wrap"
      px="3"
      py="2.5"
      position="relative"
      borderBottomWidth="1px"
      borderColor="border"
      _last={{ borderBottomWidth: "0" }}
      _hover={{ bg: "bg.muted" }}
    >
      <Box minW="0" flex="1 1 180px">
        <Text fontWeight="medium" overflowWrap="anywhere" css={{ "& a::after": { content: '""', position: "absolute", inset: 0 } }}>
          <Link to={`/sandboxes/${sandbox.id}`}>{sandbox.name}</Link>
        </Text>
        <Text fontSize="xs" color="fg.muted">
          {sandbox.language}
          {sandbox.program === null ? null : (
            <>
              {", "}
              <ProgramLink program={sandbox.program} />
            </>
          )}
        </Text>
      </Box>
      <Box w="24">
        <SandboxStatusBadge sandbox={sandbox} />
      </Box>
      <Box fontSize="xs" color="fg.muted" w="20" textAlign="right">
        <TimeAgo time={sandbox.createdAt} />
      </Box>
    </Flex>
  );
}
