import { chakra, Text } from "@chakra-ui/react";
import type { Artifact } from "@syla/sdk";
import { useClient } from "../../../app/client.ts";

interface PagePreviewProps {
  readonly runId: string;
  readonly artifact: Artifact;
  /** The page itself, where it has to be read with a key. */
  readonly text: string | null;
}

/** An HTML page of the program's in a frame that is an origin of its own: it can reach neither this page, nor cookies, nor the network. */
export function PagePreview({ runId, artifact, text }: PagePreviewProps) {
  const { syla, hasKey } = useClient();
  const shared = { title: artifact.path, referrerPolicy: "no-referrer", w: "full", h: "60vh", border: "0", bg: "white" } as const;
  if (!hasKey) return <chakra.iframe {...shared} sandbox="allow-scripts" src={syla.runs.artifactViewUrl(runId, artifact.id)} />;
  return (
    <>
      <chakra.iframe {...shared} sandbox="" srcDoc={text ?? ""} />
      <Text fontSize="xs" color="fg.muted" px="3" py="2">
        Scripts do not run here. Download the page to see all of it.
      </Text>
    </>
  );
}
