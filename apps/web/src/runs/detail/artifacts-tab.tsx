import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Artifact, Run } from "@syla/sdk";
import { File, FileImage, FileText, Package } from "lucide-react";
import { createSearchParams, useLocation, useNavigate, useSearchParams } from "react-router";
import { useClient } from "../../app/client.ts";
import { DownloadButton } from "../../ui/download-button.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatBytes } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useArtifacts } from "../queries.ts";
import { isLive } from "../run-state.ts";
import { ArtifactPreview, previewKind } from "./artifact-preview.tsx";

/** What the run left in /output: a list, a look, a download. */
export function ArtifactsTab({ run }: { readonly run: Run }) {
  const artifacts = useArtifacts(run.id, !isLive(run));
  return (
    <Box px={{ base: "4", md: "6" }} py="4">
      {isLive(run) ? (
        <EmptyState icon={Package} title="Artifacts come when the run ends">
          Everything that the program writes to /output is kept then.
        </EmptyState>
      ) : artifacts.isError ? (
        <ErrorPanel error={artifacts.error} onRetry={() => void artifacts.refetch()} />
      ) : artifacts.isPending ? (
        <SkeletonRows rows={3} />
      ) : artifacts.data.length === 0 ? (
        <EmptyState icon={Package} title="No artifacts">
          Let the program write files to /output, and they are kept here.
        </EmptyState>
      ) : (
        <ArtifactList run={run} artifacts={artifacts.data} />
      )}
      {run.skippedArtifacts.length > 0 ? <SkippedArtifacts run={run} /> : null}
    </Box>
  );
}

function ArtifactList({ run, artifacts }: { readonly run: Run; readonly artifacts: readonly Artifact[] }) {
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const { hash } = useLocation();
  const chosen =
    artifacts.find((artifact) => artifact.path === search.get("path")) ?? artifacts.find((artifact) => previewKind(artifact) !== "none");
  const choose = (path: string) =>
    void navigate({ search: createSearchParams({ tab: "artifacts", path }).toString(), hash }, { replace: true });
  return (
    <Flex gap="4" direction={{ base: "column", lg: "row" }} align="stretch">
      <Box flex="0 0 360px" minW="0">
        <Section heading="/output" note={formatBytes(artifacts.reduce((sum, artifact) => sum + artifact.size, 0))}>
          {artifacts.map((artifact) => (
            <ArtifactRow
              key={artifact.id}
              run={run}
              artifact={artifact}
              chosen={artifact === chosen}
              onChoose={() => choose(artifact.path)}
            />
          ))}
        </Section>
      </Box>
      <Box flex="1" minW="0">
        {chosen ? <ArtifactPreview runId={run.id} artifact={chosen} /> : null}
      </Box>
    </Flex>
  );
}

interface ArtifactRowProps {
  readonly run: Run;
  readonly artifact: Artifact;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

const icons = { image: FileImage, text: FileText, none: File };

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
    <Section heading="Not kept" mt="4">
      {run.skippedArtifacts.map((skipped) => (
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
    </Section>
  );
}
