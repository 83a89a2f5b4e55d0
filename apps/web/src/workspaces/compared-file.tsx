import { Box, Text } from "@chakra-ui/react";
import type { TreeFile, Workspace } from "@syla/sdk";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { MergeView } from "../editor/merge-view.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { textAt, useWorkspaceFiles } from "./queries.ts";

interface ComparedFileProps {
  readonly workspace: Workspace;
  readonly file: TreeFile;
  /** What is shown; what is there now when undefined. */
  readonly version: number | undefined;
  /** What was written over it, and is not saved. */
  readonly edit: string | undefined;
  /** The number of a version, or `saved`. */
  readonly other: string;
}

/** How a file differs from what is saved, or from a version. */
export function ComparedFile({ workspace: { id, revision }, file, version, edit, other }: ComparedFileProps) {
  const client = useQueryClient();
  const otherVersion = other === "saved" ? undefined : Number(other);
  const listing = useWorkspaceFiles(id, revision, otherVersion);
  const before = listing.data?.items.find(({ path }) => path === file.path);
  const texts = useQuery({
    queryKey: ["compared", id, file.sha256, before?.sha256 ?? null],
    queryFn: async () => ({
      before: before === undefined ? "" : await textAt(client, id, before, otherVersion),
      after: await textAt(client, id, file, version),
    }),
    enabled: listing.data !== undefined,
  });
  if (listing.isError) return <ErrorPanel error={listing.error} onRetry={() => void listing.refetch()} />;
  if (texts.isError) return <ErrorPanel error={texts.error} onRetry={() => void texts.refetch()} />;
  if (texts.isPending) return <SkeletonRows rows={4} />;
  const after = version === undefined ? (edit ?? texts.data.after) : texts.data.after;
  const { before: was } = texts.data;
  if (was === null || after === null) return <Note>It is no text, or too large to be compared.</Note>;
  if (was === after) return <Note>Nothing differs.</Note>;
  return (
    <Box h="100%" overflow="auto">
      {before === undefined ? <Note>It was not there.</Note> : null}
      <MergeView key={`${other} ${file.path} ${after.length}`} path={file.path} before={was} after={after} />
    </Box>
  );
}

function Note({ children }: { readonly children: string }) {
  return (
    <Text px="4" py="3" color="fg.muted">
      {children}
    </Text>
  );
}
