import { Box, Button, Flex, Image, Text } from "@chakra-ui/react";
import type { Artifact } from "@syla/sdk";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import { useClient } from "../../app/client.ts";
import { CodeView } from "../../ui/code-view.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatBytes } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { PagePreview } from "./preview/page-preview.tsx";
import { bytesToRead, mostTextBytes, type PreviewKind, previewKind } from "./preview/preview-kind.ts";

const TablePreview = lazy(async () => ({ default: (await import("./preview/table-preview.tsx")).TablePreview }));
const JsonPreview = lazy(async () => ({ default: (await import("./preview/json-preview.tsx")).JsonPreview }));
const MarkdownPreview = lazy(async () => ({ default: (await import("./preview/markdown-preview.tsx")).MarkdownPreview }));

interface ArtifactPreviewProps {
  readonly runId: string;
  readonly artifact: Artifact;
}

/** A look at one artifact. */
export function ArtifactPreview({ runId, artifact }: ArtifactPreviewProps) {
  const kind = previewKind(artifact);
  const [wantsSource, setWantsSource] = useState(false);
  const hasSource = kind !== "none" && kind !== "image" && kind !== "text";
  return (
    <Section heading={artifact.path} note={`${artifact.mimeType}, ${formatBytes(artifact.size)}`}>
      {hasSource ? (
        <Flex px="2" py="1" gap="1" borderBottomWidth="1px" borderColor="border.muted">
          <Choice label="Preview" chosen={!wantsSource} onChoose={() => setWantsSource(false)} />
          <Choice label="Source" chosen={wantsSource} onChoose={() => setWantsSource(true)} />
        </Flex>
      ) : null}
      {kind === "none" ? (
        <Text p="4" color="fg.muted">
          No preview for this kind or size of file. Download it to look at it.
        </Text>
      ) : (
        <Content runId={runId} artifact={artifact} kind={hasSource && wantsSource ? "text" : kind} />
      )}
    </Section>
  );
}

function Choice({ label, chosen, onChoose }: { readonly label: string; readonly chosen: boolean; readonly onChoose: () => void }) {
  return (
    <Button size="2xs" variant={chosen ? "subtle" : "ghost"} aria-pressed={chosen} onClick={onChoose}>
      {label}
    </Button>
  );
}

function Content({ runId, artifact, kind }: ArtifactPreviewProps & { readonly kind: Exclude<PreviewKind, "none"> }) {
  const { syla, hasKey } = useClient();
  const end = bytesToRead(kind, artifact.size);
  // A page is fetched by its frame, which the server tells what it may do.
  const isFramed = kind === "page" && !hasKey;
  const content = useQuery({
    queryKey: ["run", runId, "artifact", artifact.id, end],
    queryFn: async ({ signal }) =>
      (await syla.runs.downloadArtifact(runId, artifact.id, { signal, ...(end !== null && { range: { start: 0, end } }) })).blob(),
    enabled: !isFramed,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  if (isFramed) return <PagePreview runId={runId} artifact={artifact} text={null} />;
  if (content.isError) return <ErrorPanel error={content.error} onRetry={() => void content.refetch()} />;
  if (content.isPending) return <SkeletonRows rows={3} />;
  if (kind === "image") return <ImagePreview blob={content.data} artifact={artifact} />;
  return <TextContent {...{ runId, artifact, kind }} blob={content.data} cut={end !== null} />;
}

interface TextContentProps extends ArtifactPreviewProps {
  readonly kind: Exclude<PreviewKind, "none" | "image">;
  readonly blob: Blob;
  readonly cut: boolean;
}

function TextContent({ runId, artifact, kind, blob, cut }: TextContentProps) {
  const text = useText(blob);
  if (text === null) return <SkeletonRows rows={3} />;
  const label = artifact.path;
  if (kind === "page") return <PagePreview runId={runId} artifact={artifact} text={text} />;
  return (
    <Suspense fallback={<SkeletonRows rows={3} />}>
      {kind === "table" ? (
        <TablePreview text={text} label={label} cut={cut} />
      ) : kind === "json" ? (
        <JsonPreview text={text} label={label} />
      ) : kind === "markdown" ? (
        <MarkdownPreview text={text} label={label} />
      ) : (
        <CodeView text={text} label={label} />
      )}
      {cut && kind === "text" ? (
        <Text fontSize="xs" color="fg.muted" px="3" py="2" borderTopWidth="1px" borderColor="border">
          The first {formatBytes(mostTextBytes)} of {formatBytes(artifact.size)} are shown. Download the file for all of it.
        </Text>
      ) : null}
    </Suspense>
  );
}

function useText(blob: Blob): string | null {
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    setText(null);
    void blob.text().then((read) => wanted && setText(read));
    return () => {
      wanted = false;
    };
  }, [blob]);
  return text;
}

function ImagePreview({ blob, artifact }: { readonly blob: Blob; readonly artifact: Artifact }) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([blob], { type: artifact.mimeType }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob, artifact.mimeType]);
  return (
    <Box p="4" textAlign="center" bg="bg.subtle">
      {url ? <Image src={url} alt={artifact.path} maxH="60vh" maxW="100%" display="inline-block" bg="white" /> : null}
    </Box>
  );
}
