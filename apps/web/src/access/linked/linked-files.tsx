import { Box, Grid, Text } from "@chakra-ui/react";
import { FileX2 } from "lucide-react";
import { useState } from "react";
import { FileTree } from "../../editor/file-tree.tsx";
import { CodeView } from "../../ui/code-view.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useLinkedFiles, useLinkedText } from "./queries.ts";

const none: ReadonlySet<string> = new Set();

/** The files of a program, to read. */
export function LinkedFiles({ id }: { readonly id: string }) {
  const files = useLinkedFiles(id);
  const [chosen, setChosen] = useState<string | null>(null);
  if (files.isPending) return <SkeletonRows rows={4} />;
  if (files.isError) return <ErrorPanel error={files.error} onRetry={() => void files.refetch()} />;
  const path = chosen ?? files.data.items[0]?.path;
  if (path === undefined)
    return (
      <EmptyState icon={FileX2} title="No files">
        There is nothing in it yet.
      </EmptyState>
    );
  return (
    <Grid templateColumns={{ base: "minmax(0, 1fr)", md: "240px minmax(0, 1fr)" }} flex="1" minH="320px">
      <Box borderRightWidth={{ base: "0", md: "1px" }} borderBottomWidth={{ base: "1px", md: "0" }} borderColor="border" maxH="70vh">
        <FileTree files={files.data.items} selected={path} edited={none} onSelect={setChosen} />
      </Box>
      <Box minW="0">
        <LinkedFile key={path} id={id} path={path} />
      </Box>
    </Grid>
  );
}

function LinkedFile({ id, path }: { readonly id: string; readonly path: string }) {
  const content = useLinkedText(id, path);
  if (content.isPending) return <SkeletonRows rows={4} />;
  if (content.isError) return <ErrorPanel error={content.error} onRetry={() => void content.refetch()} />;
  const { text, reason } = content.data;
  if (text === null) {
    return (
      <Text p="4" color="fg.muted">
        {reason === "large" ? "This is too large to show." : "This is no text."}
      </Text>
    );
  }
  return <CodeView text={text} label={path} />;
}
