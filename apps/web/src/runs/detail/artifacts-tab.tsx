import { Box, Button, Flex, Input, Text } from "@chakra-ui/react";
import type { Artifact, Run } from "@syla/sdk";
import { Braces, Download, File, FileCode, FileImage, FileText, Package, Table } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { createSearchParams, useLocation, useNavigate, useSearchParams } from "react-router";
import { useClient } from "../../app/client.ts";
import { DownloadButton } from "../../ui/download-button.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatBytes, formatCount, formatPlural } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useArtifactAt, useArtifacts } from "../queries.ts";
import { isLive } from "../run-state.ts";
import { ArtifactLinks } from "./artifact-links.tsx";
import { ArtifactPreview } from "./artifact-preview.tsx";
import { type PreviewKind, previewKind } from "./preview/preview-kind.ts";

/** So many names of what was left out are shown. */
const mostSkipped = 50;
/** More than a screen of them: then they can be searched. */
const many = 12;

/** What the run left in /output: a list, a look, a download. */
export function ArtifactsTab({ run }: { readonly run: Run }) {
  return (
    <Box px={{ base: "4", md: "6" }} py="4">
      {isLive(run) ? (
        <EmptyState icon={Package} title="Artifacts come when the run ends">
          Everything that the program writes to /output is kept then.
        </EmptyState>
      ) : run.expiredAt !== null && run.artifactCount > 0 ? (
        <EmptyState icon={Package} title="Removed">
          The artifacts of this run were older than artifacts are kept. Pin a run to keep them for good.
        </EmptyState>
      ) : run.artifactCount === 0 ? (
        <EmptyState icon={Package} title="No artifacts">
          Let the program write files to /output, and they are kept here.
        </EmptyState>
      ) : (
        <ArtifactList run={run} />
      )}
      {run.skippedArtifacts.length > 0 ? <SkippedArtifacts run={run} /> : null}
    </Box>
  );
}

function ArtifactList({ run }: { readonly run: Run }) {
  const [part, setPart] = useState("");
  const pages = useArtifacts(run.id, useDeferredValue(part), true);
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const { hash } = useLocation();
  const artifacts = pages.data?.pages.flatMap((page) => page.items) ?? [];
  const path = search.get("path");
  const listed = artifacts.find((artifact) => artifact.path === path);
  const elsewhere = useArtifactAt(run.id, path, pages.isSuccess && listed === undefined);
  const first = artifacts.find((artifact) => previewKind(artifact) !== "none");
  const chosen = path === null ? first : (listed ?? elsewhere.data ?? undefined);
  const choose = (next: string) =>
    void navigate({ search: createSearchParams({ tab: "artifacts", path: next }).toString(), hash }, { replace: true });
  if (pages.isError) return <ErrorPanel error={pages.error} onRetry={() => void pages.refetch()} />;
  if (pages.isPending) return <SkeletonRows rows={3} />;
  const size = artifacts.reduce((sum, artifact) => sum + artifact.size, 0);
  const isAll = !pages.hasNextPage && part === "";
  return (
    <Flex gap="4" direction={{ base: "column", lg: "row" }} align="stretch">
      <Box flex="0 0 360px" minW="0">
        <ArtifactActions run={run} artifact={chosen} />
        <Section
          heading="/output"
          note={isAll ? formatBytes(size) : `${formatCount(artifacts.length)} of ${formatPlural(run.artifactCount, "file")}`}
        >
          {run.artifactCount > many ? (
            <Input
              type="search"
              size="xs"
              placeholder="Search by name"
              aria-label="Search artifacts"
              rounded="0"
              borderWidth="0"
              borderBottomWidth="1px"
              value={part}
              onChange={(event) => setPart(event.currentTarget.value)}
            />
          ) : null}
          <Box maxH={{ base: "240px", lg: "480px" }} overflowY="auto">
            {artifacts.map((artifact) => (
              <ArtifactRow
                key={artifact.id}
                run={run}
                artifact={artifact}
                chosen={artifact.id === chosen?.id}
                onChoose={() => choose(artifact.path)}
              />
            ))}
            {artifacts.length === 0 ? (
              <Text px="3" py="2" fontSize="sm" color="fg.muted">
                No name has this in it.
              </Text>
            ) : null}
            {pages.hasNextPage ? (
              <Flex justify="center" py="2">
                <Button size="2xs" variant="ghost" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                  More
                </Button>
              </Flex>
            ) : null}
          </Box>
        </Section>
      </Box>
      <Box flex="1" minW="0">
        {chosen ? <ArtifactPreview key={chosen.id} runId={run.id} artifact={chosen} /> : null}
        {!chosen && elsewhere.data === null ? (
          <Text fontSize="sm" color="fg.muted" overflowWrap="anywhere">
            The run left no “{path}”.
          </Text>
        ) : null}
      </Box>
    </Flex>
  );
}

/** What is done with all of them. */
function ArtifactActions({ run, artifact }: { readonly run: Run; readonly artifact: Artifact | undefined }) {
  const { syla, hasKey } = useClient();
  // A link of the page carries no key, and an archive of hundreds of megabytes is not read into the page.
  if (hasKey) return null;
  return (
    <Flex gap="2" mb="3">
      <Button asChild size="xs" variant="outline">
        <a href={syla.runs.artifactsUrl(run.id)} download={`${run.id}.zip`}>
          <Download aria-hidden /> Download all
        </a>
      </Button>
      <ArtifactLinks run={run} artifact={artifact} />
    </Flex>
  );
}

interface ArtifactRowProps {
  readonly run: Run;
  readonly artifact: Artifact;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

const icons: Readonly<Record<PreviewKind, typeof File>> = {
  image: FileImage,
  table: Table,
  json: Braces,
  markdown: FileText,
  page: FileCode,
  text: FileText,
  none: File,
};

function ArtifactRow({ run, artifact, chosen, onChoose }: ArtifactRowProps) {
  const { syla, hasKey } = useClient();
  const Icon = icons[previewKind(artifact)];
  return (
    <Flex
      align="center"
      gap="2"
      pl="3"
      pr="1"
      h="10"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
      bg={chosen ? "bg.muted" : undefined}
    >
      <Button
        variant="plain"
        size="xs"
        h="full"
        px="0"
        minW="0"
        flex="1"
        justifyContent="flex-start"
        fontWeight="normal"
        fontSize="sm"
        aria-pressed={chosen}
        onClick={onChoose}
      >
        <Icon aria-hidden />
        <Text as="span" truncate>
          {artifact.path}
        </Text>
      </Button>
      <Text fontSize="xs" color="fg.muted" whiteSpace="nowrap">
        {formatBytes(artifact.size)}
      </Text>
      <DownloadButton
        label={`Download ${artifact.path}`}
        file={{
          href: syla.runs.artifactUrl(run.id, artifact.id),
          name: artifact.path.split("/").at(-1) ?? "artifact",
          ...(hasKey && { load: () => syla.runs.downloadArtifact(run.id, artifact.id) }),
        }}
      />
    </Flex>
  );
}

function SkippedArtifacts({ run }: { readonly run: Run }) {
  return (
    <Section heading="Not kept" mt="4" note={formatPlural(run.skippedArtifactCount, "file")}>
      {run.skippedArtifacts.slice(0, mostSkipped).map((skipped) => (
        <Flex
          key={skipped.path}
          px="3"
          py="2"
          gap="3"
          wrap="wrap"
          borderBottomWidth="1px"
          borderColor="border.muted"
          _last={{ borderBottomWidth: "0" }}
        >
          <Text fontFamily="mono" fontSize="xs" overflowWrap="anywhere">
            {skipped.path}
          </Text>
          <Text fontSize="xs" color="fg.muted" ml="auto">
            {skipped.reason}
          </Text>
        </Flex>
      ))}
      {run.skippedArtifactCount > mostSkipped ? (
        <Text px="3" py="2" fontSize="xs" color="fg.muted">
          and {formatCount(run.skippedArtifactCount - mostSkipped)} more
        </Text>
      ) : null}
    </Section>
  );
}
