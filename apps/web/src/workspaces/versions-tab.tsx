import { Box, Button, chakra, Flex, Text } from "@chakra-ui/react";
import type { FileDiff, WorkspaceVersion } from "@syla/sdk";
import { Equal, GitCompareArrows, History, RotateCcw } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { HunkView } from "../runs/compare/hunk-view.tsx";
import { CompareEnds } from "../ui/compare-ends.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { GitSection } from "./git-section.tsx";
import { useWorkspaceChange, useWorkspaceDiff, useWorkspaceVersions } from "./queries.ts";
import { mayEdit, type WorkspaceTabProps } from "./workspace-tab.ts";

const causes: Readonly<Record<WorkspaceVersion["cause"], string>> = {
  manual: "snapshot",
  before_restore: "before a restore",
  before_delete: "before a deletion",
  before_import: "before an import",
  before_run: "before a run",
  run: "left by a run",
  before_sandbox: "before a sandbox",
  sandbox: "left by a sandbox",
  clone: "before a copy",
  push: "pushed by git",
};

/** What was kept, what differs between two of them, and the way back. */
export function VersionsTab({ workspace }: WorkspaceTabProps) {
  const versions = useWorkspaceVersions(workspace.id);
  const change = useWorkspaceChange(workspace.id);
  const [search, setSearch] = useSearchParams();
  const items = versions.data?.items ?? [];
  const isEditable = mayEdit(workspace) && workspace.state !== "archived";
  const from = search.get("from") ?? String(items[0]?.number ?? "head");
  const to = search.get("to") ?? "head";
  const compare = (ends: { readonly from?: string; readonly to?: string }) =>
    setSearch({ tab: "versions", from: ends.from ?? from, to: ends.to ?? to }, { replace: true });
  if (versions.isPending) return <SkeletonRows rows={4} />;
  if (versions.isError) return <ErrorPanel error={versions.error} onRetry={() => void versions.refetch()} />;
  if (items.length === 0)
    return (
      <Box maxW="1120px" px={{ base: "4", md: "6" }} py="4">
        <EmptyState icon={History} title="No version yet">
          A snapshot keeps the files as they are. One is made by itself before a run, a restore or an import changes them.
        </EmptyState>
        <GitSection workspace={workspace} />
      </Box>
    );
  return (
    <Box maxW="1120px" px={{ base: "4", md: "6" }} py="4">
      {change.error ? (
        <Box mb="3">
          <ErrorPanel error={change.error} />
        </Box>
      ) : null}
      <Section heading="Versions">
        <Box as="ul" listStyleType="none">
          {items.map((item) => (
            <VersionRow
              key={item.number}
              item={item}
              onCompare={() => compare({ from: String(item.number), to: "head" })}
              {...(isEditable
                ? { onRestore: () => change.mutate((all) => all.versions.restore(workspace.id, item.number, workspace.revision)) }
                : {})}
            />
          ))}
        </Box>
      </Section>
      <CompareEnds from={from} to={to} versions={items.map((item) => String(item.number))} onChoose={compare} />
      <GitSection workspace={workspace} />
      <Differences id={workspace.id} from={from} to={to} revision={workspace.revision} />
    </Box>
  );
}

interface VersionRowProps {
  readonly item: WorkspaceVersion;
  readonly onCompare: () => void;
  readonly onRestore?: () => void;
}

function VersionRow({ item, onCompare, onRestore }: VersionRowProps) {
  return (
    <Flex
      as="li"
      align="center"
      gap="3"
      px="4"
      py="2"
      wrap="wrap"
      borderTopWidth="1px"
      borderColor="border.muted"
      _first={{ borderTopWidth: 0 }}
    >
      <chakra.span fontFamily="mono" fontWeight="medium" minW="8">
        {item.number}
      </chakra.span>
      <Text flex="1 1 200px" color="fg.muted" overflowWrap="anywhere">
        {item.message === "" ? causes[item.cause] : item.message}
        {item.runId === null ? null : (
          <>
            {" "}
            <chakra.span textDecoration="underline">
              <Link to={`/runs/${item.runId}`}>the run</Link>
            </chakra.span>
          </>
        )}
      </Text>
      <Flex gap="2" fontSize="xs" color="fg.subtle">
        <span>{formatPlural(item.tree.files, "file")}</span>
        <TimeAgo time={item.createdAt} />
        {item.createdBy === null || item.createdBy.name === "" ? null : <span>by {item.createdBy.name}</span>}
      </Flex>
      <Button size="xs" variant="ghost" onClick={onCompare} aria-label={`What has changed since version ${item.number}`}>
        <GitCompareArrows aria-hidden /> Changes since
      </Button>
      {onRestore === undefined ? null : (
        <Button size="xs" variant="ghost" onClick={onRestore} aria-label={`Restore version ${item.number}`}>
          <RotateCcw aria-hidden /> Restore
        </Button>
      )}
    </Flex>
  );
}

function Differences({
  id,
  from,
  to,
  revision,
}: {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly revision: number;
}) {
  const diff = useWorkspaceDiff(id, from, to, revision);
  if (diff.isPending) return <SkeletonRows rows={3} />;
  if (diff.isError) return <ErrorPanel error={diff.error} onRetry={() => void diff.refetch()} />;
  const { files, omitted } = diff.data;
  if (files.length === 0)
    return (
      <EmptyState icon={Equal} title="Nothing differs">
        The files are the same.
      </EmptyState>
    );
  return (
    <>
      {files.map((file) => (
        <FileDifference key={file.path} file={file} />
      ))}
      {omitted > 0 ? <Text color="fg.muted">And {formatPlural(omitted, "more file")}.</Text> : null}
    </>
  );
}

const noteWords = { binary: "not text", large: "too large to compare", omitted: "not compared" } as const;

function FileDifference({ file }: { readonly file: FileDiff }) {
  const facts = file.note === null ? `${file.status}, +${file.additions} −${file.deletions}` : file.status;
  return (
    <Box mb="3" borderWidth="1px" borderColor="border" rounded="md" overflow="hidden" bg="bg.panel">
      <HunkView title={file.path} facts={facts} hunks={file.hunks} {...(file.note === null ? {} : { unknown: noteWords[file.note] })} />
    </Box>
  );
}
