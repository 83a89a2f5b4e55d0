import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { TreeChanges, Workspace } from "@syla/sdk";
import { useMutation, useQuery } from "@tanstack/react-query";
import { FolderInput, SquareArrowOutUpRight, Terminal } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Link } from "react-router";
import { syla } from "../../app/api.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatPlural } from "../../ui/format.ts";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { changesOf, openCopy } from "./copy.ts";

const TerminalPanel = lazy(async () => ({ default: (await import("../../sandboxes/detail/terminal-panel.tsx")).TerminalPanel }));
const lookMs = 10_000;

interface TerminalDockProps {
  readonly workspace: Workspace;
  readonly isEditable: boolean;
  /** Puts changes, made on a revision, into the files. */
  readonly onChanges: (changes: TreeChanges, revision: number) => Promise<unknown>;
}

/** A shell beside the files, in a sandbox with a copy of them; what is changed there is brought back when one says so. */
export function TerminalDock({ workspace, isEditable, onChanges }: TerminalDockProps) {
  const [id, setId] = useKept(`syla.terminal.${workspace.id}`);
  const sandbox = useQuery({
    queryKey: ["sandbox", id],
    queryFn: ({ signal }) => syla.sandboxes.get(id ?? "", { signal }),
    enabled: id !== null,
    refetchInterval: lookMs,
    retry: false,
  });
  const opening = useMutation({ mutationFn: () => openCopy(workspace), onSuccess: setId });
  const bringing = useMutation({
    mutationFn: async () => {
      const { changes, revision } = await changesOf(syla.sandboxes.open(id ?? ""));
      if (changes.length > 0) await onChanges(changes, revision);
      return changes.length;
    },
  });
  if (id !== null && sandbox.isPending) return <SkeletonRows rows={2} />;
  const lives = sandbox.data !== undefined && sandbox.data.endedAt === null && sandbox.data.status !== "failed";
  if (id === null || !lives)
    return (
      <Box overflowY="auto">
        <EmptyState
          icon={Terminal}
          title={id === null ? "No terminal yet" : "The terminal has ended"}
          action={
            <Button size="xs" colorPalette="accent" loading={opening.isPending} loadingText="Opening" onClick={() => opening.mutate()}>
              Open a terminal
            </Button>
          }
        >
          A shell in a sandbox with a copy of the files as they are saved. What you change there can be brought back.
        </EmptyState>
        {opening.isError ? <ErrorPanel error={opening.error} /> : null}
      </Box>
    );
  return (
    <>
      <Flex align="center" gap="2" px="3" py="1" wrap="wrap" fontSize="xs" color="fg.muted" flexShrink="0">
        <Text role="status" mr="auto">
          {bringing.data === undefined
            ? "A copy of the files as they were when it was opened."
            : bringing.data === 0
              ? "Nothing has changed in the terminal."
              : `${formatPlural(bringing.data, "change")} brought back.`}
        </Text>
        {isEditable ? (
          <Button size="2xs" variant="outline" loading={bringing.isPending} loadingText="Bringing back" onClick={() => bringing.mutate()}>
            <FolderInput aria-hidden /> Bring changes back
          </Button>
        ) : null}
        <Button size="2xs" variant="outline" loading={opening.isPending} onClick={() => opening.mutate()}>
          Open anew
        </Button>
        <Button asChild size="2xs" variant="ghost">
          <Link to={`/sandboxes/${id}`}>
            <SquareArrowOutUpRight aria-hidden /> Sandbox
          </Link>
        </Button>
      </Flex>
      {bringing.isError ? <ErrorPanel error={bringing.error} /> : null}
      <Box flex="1" minH="0">
        <Suspense fallback={<SkeletonRows rows={2} />}>
          <TerminalPanel key={id} id={id} />
        </Suspense>
      </Box>
    </>
  );
}

/** A text that the browser remembers. */
function useKept(key: string): readonly [string | null, (value: string) => void] {
  const [value, setValue] = useState(() => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  });
  const keep = (next: string) => {
    setValue(next);
    try {
      localStorage.setItem(key, next);
    } catch {
      // Blocked: it is known as long as the page is there.
    }
  };
  return [value, keep];
}
