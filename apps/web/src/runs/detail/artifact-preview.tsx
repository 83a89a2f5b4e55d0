import { Box, Image, Text } from "@chakra-ui/react";
import type { Artifact } from "@syla/sdk";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useClient } from "../../app/client.ts";
import { CodeView } from "../../ui/code-view.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatBytes } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";

const maxTextBytes = 512 * 1024;
const maxImageBytes = 20 * 1024 * 1024;

/** How an artifact can be looked at here. Images are drawn by `<img>`, which runs no script, also not that of an SVG. */
export function previewKind(artifact: Artifact): "image" | "text" | "none" {
  if (/^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)/.test(artifact.mimeType)) return artifact.size <= maxImageBytes ? "image" : "none";
  if (/^text\/|[/+](json|xml|yaml|javascript|x-ndjson|x-sh)\b/.test(artifact.mimeType))
    return artifact.size <= maxTextBytes ? "text" : "none";
  return "none";
}

interface ArtifactPreviewProps {
  readonly runId: string;
  readonly artifact: Artifact;
}

/** A look at one artifact. */
export function ArtifactPreview({ runId, artifact }: ArtifactPreviewProps) {
  const { syla } = useClient();
  const kind = previewKind(artifact);
  const content = useQuery({
    queryKey: ["run", runId, "artifact", artifact.id],
    queryFn: async ({ signal }) => (await syla.runs.downloadArtifact(runId, artifact.id, { signal })).blob(),
    enabled: kind !== "none",
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  return (
    <Section heading={artifact.path} note={`${artifact.mimeType}, ${formatBytes(artifact.size)}`}>
      {kind === "none" ? (
        <Text p="4" color="fg.muted">
          No preview for this kind or size of file. Download it to look at it.
        </Text>
      ) : content.isError ? (
        <ErrorPanel error={content.error} onRetry={() => void content.refetch()} />
      ) : content.isPending ? (
        <SkeletonRows rows={3} />
      ) : kind === "image" ? (
        <ImagePreview blob={content.data} artifact={artifact} />
      ) : (
        <TextPreview blob={content.data} label={artifact.path} />
      )}
    </Section>
  );
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

function TextPreview({ blob, label }: { readonly blob: Blob; readonly label: string }) {
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    void blob.text().then((read) => wanted && setText(read));
    return () => {
      wanted = false;
    };
  }, [blob]);
  return text === null ? <SkeletonRows rows={3} /> : <CodeView text={text} label={label} />;
}
