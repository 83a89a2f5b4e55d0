import { Box, Flex, Text } from "@chakra-ui/react";
import { parseNotebook } from "@syla/contracts/notebook";
import type { Workspace } from "@syla/sdk";
import { useQuery } from "@tanstack/react-query";
import { useMemo, type ReactNode } from "react";
import { fileQuery, type ReadFile } from "../editor/file-query.ts";
import { mostShownBytes, readBytes } from "../editor/file-kinds.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatBytes } from "../ui/format.ts";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { NotebookView } from "./notebook-view.tsx";

interface NotebookPaneProps {
  readonly workspace: Workspace;
  readonly file: { readonly path: string; readonly sha256: string; readonly size: number };
  readonly read: ReadFile;
  /** What was written over it here, and is not saved. */
  readonly edit: string | undefined;
  readonly readOnly: boolean;
  readonly mayRun: boolean;
  readonly onEdit: (text: string, loaded: string) => void;
  readonly onSave: () => void;
  /** The file as text. */
  readonly asText: ReactNode;
}

/** A notebook, or why a file is none above its text. */
export function NotebookPane({ workspace, file, read, edit, readOnly, mayRun, onEdit, onSave, asText }: NotebookPaneProps) {
  const isTooLarge = file.size > mostShownBytes;
  const content = useQuery({
    ...fileQuery(file.sha256, null, read),
    enabled: !isTooLarge,
    // While what was saved is read again, what was there stays in view.
    placeholderData: (previous) => previous,
  });
  const loaded = useMemo(() => (content.data === undefined ? undefined : readBytes(content.data, false)), [content.data]);
  const text = edit ?? loaded;
  const problem = useMemo(() => (text === undefined ? null : text === null ? "It is no text." : problemOf(text)), [text]);
  if (isTooLarge)
    return <AsText problem={`It is of ${formatBytes(file.size)}; ${formatBytes(mostShownBytes)} can be shown.`} asText={asText} />;
  if (content.isError) return <ErrorPanel error={content.error} onRetry={() => void content.refetch()} />;
  if (text === undefined || loaded === undefined) return <SkeletonRows rows={4} />;
  if (problem !== null || text === null || loaded === null) return <AsText problem={problem ?? "It is no text."} asText={asText} />;
  return (
    <NotebookView
      workspace={workspace}
      path={file.path}
      text={text}
      readOnly={readOnly}
      mayRun={mayRun}
      onText={(now) => onEdit(now, loaded)}
      onSave={onSave}
    />
  );
}

function AsText({ problem, asText }: { readonly problem: string; readonly asText: ReactNode }) {
  return (
    <Flex direction="column" h="100%" minH="0">
      <Text role="alert" px="4" py="2" fontSize="xs" bg="bg.warning">
        This file cannot be opened as a notebook, and is shown as it is. {problem}
      </Text>
      <Box flex="1" minH="0">
        {asText}
      </Box>
    </Flex>
  );
}

function problemOf(text: string): string | null {
  try {
    parseNotebook(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
