import { Box, Text } from "@chakra-ui/react";
import type { FileDiff, Import } from "@syla/sdk";
import { HunkView } from "../runs/compare/hunk-view.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useImportDiff } from "./queries.ts";

const notes = { binary: "they are not text", large: "too large to compare", omitted: "there was no time to compare them" } as const;

/** What an import changes in the program that it is for, line by line. */
export function Changes({ found }: { readonly found: Import }) {
  if (found.diff === null) return null;
  const { added, changed, removed } = found.diff;
  const counts = [`${added.length} new`, `${changed.length} changed`, `${removed.length} removed`].join(", ");
  const isSame = added.length + changed.length + removed.length === 0;
  return (
    <Section heading="Changes" note={isSame ? "nothing changes" : `to the program as it is now: ${counts}`}>
      {isSame ? null : <Differences found={found} />}
    </Section>
  );
}

function Differences({ found }: { readonly found: Import }) {
  const diff = useImportDiff(found);
  if (diff.isPending) return <SkeletonRows rows={3} />;
  if (diff.isError) return <ErrorPanel error={diff.error} onRetry={() => void diff.refetch()} />;
  const { files, omitted } = diff.data;
  return (
    <Box maxH="640px" overflowY="auto" role="region" aria-label="Changes" tabIndex={0} outlineOffset="-2px">
      {files.map((file) => (
        <HunkView
          key={file.path}
          title={file.path}
          facts={describe(file)}
          hunks={file.hunks}
          {...(file.note === null ? {} : { unknown: notes[file.note] })}
        />
      ))}
      {omitted > 0 ? (
        <Text px="3" py="2" color="fg.muted">
          and {formatPlural(omitted, "more file")}
        </Text>
      ) : null}
    </Box>
  );
}

const words = { added: "new", removed: "removed", changed: "changed" } as const;

function describe({ status, note, additions, deletions, from, to }: FileDiff): string {
  const lines = note === null ? `, +${additions} −${deletions}` : "";
  const isMoved = from !== null && to !== null && from.executable !== to.executable;
  return `${words[status]}${lines}${isMoved ? `, ${to.executable ? "can be started now" : "can no longer be started"}` : ""}`;
}
