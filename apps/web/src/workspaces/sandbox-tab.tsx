import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Pause, Play, Save, Square, SquareTerminal } from "lucide-react";
import { lazy, Suspense } from "react";
import { Link } from "react-router";
import { syla } from "../app/api.ts";
import { useWorkspaceSandbox } from "../notebook/use-ended-kernel.ts";
import { SandboxStatusBadge } from "../sandboxes/sandbox-status.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { sandboxOutcome } from "./sandbox-outcome.ts";
import type { WorkspaceTabProps } from "./workspace-tab.ts";

const TerminalPanel = lazy(async () => ({ default: (await import("../sandboxes/detail/terminal-panel.tsx")).TerminalPanel }));

/** One's sandbox in a workspace: a terminal on its files, and what became of what was changed there. */
export function SandboxTab({ workspace }: WorkspaceTabProps) {
  const client = useQueryClient();
  const found = useWorkspaceSandbox(workspace.id);
  const act = useMutation({
    mutationFn: async (action: "start" | "pause" | "resume" | "save" | "delete") => {
      if (action === "start") await syla.workspaces.sandbox.start(workspace.id);
      else if (found.data?.sandbox) await syla.sandboxes.open(found.data.sandbox.id)[action]();
    },
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: ["workspace", workspace.id] });
    },
  });
  if (found.isPending) return <SkeletonRows rows={3} />;
  if (found.isError) return <ErrorPanel error={found.error} onRetry={() => void found.refetch()} />;
  const { sandbox } = found.data;
  if (sandbox === null || sandbox.endedAt !== null)
    return (
      <EmptyState
        icon={SquareTerminal}
        title="No sandbox of yours runs here"
        action={
          <Button size="sm" colorPalette="accent" loading={act.isPending} onClick={() => act.mutate("start")}>
            <Play aria-hidden /> Start one
          </Button>
        }
      >
        It has the files of the workspace, a terminal, and interpreters that keep their variables. What is changed there comes back here.
        {sandbox?.error == null ? "" : ` The last one did not start: ${sandbox.error.message}`}
      </EmptyState>
    );
  const problem = sandboxOutcome(sandbox.saved);
  const isRunning = sandbox.status === "running";
  return (
    <Flex direction="column" h="100%" minH="0">
      <Flex
        align="center"
        gap="3"
        wrap="wrap"
        px={{ base: "4", md: "6" }}
        py="2"
        fontSize="sm"
        borderBottomWidth="1px"
        borderColor="border"
      >
        <SandboxStatusBadge sandbox={sandbox} />
        <Text color="fg.muted" role="status">
          {sandbox.workspace?.writeBack === false ? (
            "What is changed here stays here: you may not change the files of the workspace, or it keeps nothing."
          ) : sandbox.saved === null ? (
            "Nothing was saved yet."
          ) : (
            <>
              {sandbox.saved.changed > 0 ? `${formatPlural(sandbox.saved.changed, "file")} saved ` : "Looked at "}
              <TimeAgo time={sandbox.saved.at} />
            </>
          )}
        </Text>
        <Flex gap="2" ml="auto" wrap="wrap">
          {sandbox.workspace?.writeBack === false ? null : (
            <Button size="xs" variant="outline" disabled={!isRunning} loading={act.isPending} onClick={() => act.mutate("save")}>
              <Save aria-hidden /> Save now
            </Button>
          )}
          {sandbox.status === "paused" ? (
            <Button size="xs" variant="outline" onClick={() => act.mutate("resume")}>
              <Play aria-hidden /> Resume
            </Button>
          ) : (
            <Button size="xs" variant="outline" disabled={!isRunning} onClick={() => act.mutate("pause")}>
              <Pause aria-hidden /> Pause
            </Button>
          )}
          <Button size="xs" variant="outline" onClick={() => act.mutate("delete")}>
            <Square aria-hidden /> Stop
          </Button>
          <Button size="xs" variant="ghost" asChild>
            <Link to={`/sandboxes/${sandbox.id}`}>Open</Link>
          </Button>
        </Flex>
      </Flex>
      {act.isError ? <ErrorPanel error={act.error} /> : null}
      {problem === null ? null : (
        <Text role="alert" px={{ base: "4", md: "6" }} py="1.5" fontSize="xs" bg="bg.error">
          What was changed in the sandbox is not in the workspace. {problem}
        </Text>
      )}
      <Box flex="1" minH="0">
        {isRunning ? (
          <Suspense fallback={<SkeletonRows rows={3} />}>
            <TerminalPanel key={sandbox.id} id={sandbox.id} />
          </Suspense>
        ) : (
          <Text px={{ base: "4", md: "6" }} py="4" color="fg.muted">
            {sandbox.status === "starting" ? "It starts …" : "It is paused, memory and all. Resume it, or run a cell of a notebook."}
          </Text>
        )}
      </Box>
    </Flex>
  );
}
