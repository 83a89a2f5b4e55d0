import { Box, chakra, Flex } from "@chakra-ui/react";
import { Link } from "react-router";
import type { AssetTabProps } from "../catalog/asset-page.tsx";
import { VersionsTab } from "../programs/versions/versions-tab.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { GraphDiff } from "./graph-diff.tsx";
import { useGraph } from "./queries.ts";

/** The versions of a composition, and what differs between them, node by node. */
export function CompositionVersions({ asset }: AssetTabProps) {
  return <VersionsTab asset={asset} differences={Differences} />;
}

function Differences({ id, from, to }: { readonly id: string; readonly from: string; readonly to: string }) {
  const versionOf = (end: string) => (end === "head" ? undefined : end);
  const before = useGraph(id, versionOf(from));
  const after = useGraph(id, versionOf(to));
  const error = before.error ?? after.error;
  if (error !== null) return <ErrorPanel error={error} />;
  if (before.data === undefined || after.data === undefined) return <SkeletonRows rows={3} />;
  const ends = [...new Set([from, to])];
  return (
    <Section heading="What differs">
      <Box px="4" py="2">
        <GraphDiff before={before.data.graph} after={after.data.graph} label="Differences" />
        <Flex gap="3" mt="2" fontSize="xs">
          {ends.map((end) => (
            <chakra.span key={end} textDecoration="underline" color="accent.fg">
              <Link to={end === "head" ? `/compositions/${id}` : `/compositions/${id}?version=${encodeURIComponent(end)}`}>
                {end === "head" ? "Open the draft" : `Look at ${end}`}
              </Link>
            </chakra.span>
          ))}
        </Flex>
      </Box>
    </Section>
  );
}
