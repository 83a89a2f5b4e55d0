import { Box, Button, chakra, Flex, Text } from "@chakra-ui/react";
import type { AssetVersion } from "@syla/sdk";
import { GitCompareArrows, PackageCheck, RotateCcw } from "lucide-react";
import type { ComponentType } from "react";
import { useSearchParams } from "react-router";
import { CompareEnds } from "../../ui/compare-ends.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { TimeAgo } from "../../ui/time-ago.tsx";
import { useRestoreVersion, useVersions } from "../queries.ts";
import type { AssetTabProps } from "../../catalog/asset-page.tsx";
import { DiffView } from "./diff-view.tsx";

interface VersionsTabProps extends AssetTabProps {
  /** How differences are shown where lines of files say little. */
  readonly differences?: ComponentType<{ readonly id: string; readonly from: string; readonly to: string }>;
}

/** What was published, and what differs between two of them. */
export function VersionsTab({ asset, differences: Differences = DiffView }: VersionsTabProps) {
  const versions = useVersions(asset.id);
  const restore = useRestoreVersion(asset.id);
  const [search, setSearch] = useSearchParams();
  const items = versions.data?.items ?? [];
  const mayEdit = asset.deletedAt === null && (asset.yourLevel === "edit" || asset.yourLevel === "admin");
  const from = search.get("from") ?? asset.version ?? "head";
  const to = search.get("to") ?? "head";
  const compare = (ends: { readonly from?: string; readonly to?: string }) =>
    setSearch({ tab: "versions", from: ends.from ?? from, to: ends.to ?? to }, { replace: true });
  if (versions.isPending) return <SkeletonRows rows={4} />;
  if (versions.isError) return <ErrorPanel error={versions.error} onRetry={() => void versions.refetch()} />;
  if (items.length === 0)
    return (
      <EmptyState icon={PackageCheck} title="Nothing is published yet">
        {mayEdit ? "Publish a version when others should rely on it: it never changes." : "Its owner has not published a version."}
      </EmptyState>
    );
  return (
    <Box maxW="1120px" px={{ base: "4", md: "6" }} py="4">
      {restore.error ? (
        <Box mb="3">
          <ErrorPanel error={restore.error} />
        </Box>
      ) : null}
      <Section heading="Versions">
        <Box as="ul" listStyleType="none">
          {items.map((item, index) => (
            <VersionRow
              key={item.version}
              item={item}
              onCompare={() => compare({ from: items[index + 1]?.version ?? item.version, to: item.version })}
              {...(mayEdit ? { onRestore: () => restore.mutate({ version: item.version, revision: asset.revision }) } : {})}
            />
          ))}
        </Box>
      </Section>
      <CompareEnds from={from} to={to} versions={items.map((item) => item.version)} onChoose={compare} />
      <Differences id={asset.id} from={from} to={to} />
    </Box>
  );
}

interface VersionRowProps {
  readonly item: AssetVersion;
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
      <chakra.span fontFamily="mono" fontWeight="medium" minW="20">
        {item.version}
      </chakra.span>
      <Text flex="1 1 200px" color="fg.muted" whiteSpace="pre-wrap" overflowWrap="anywhere">
        {item.message}
      </Text>
      <Flex gap="1" fontSize="xs" color="fg.subtle">
        <TimeAgo time={item.createdAt} />
        {item.createdBy === null || item.createdBy.name === "" ? null : <span>by {item.createdBy.name}</span>}
      </Flex>
      <Button size="xs" variant="ghost" onClick={onCompare} aria-label={`Changes of ${item.version}`}>
        <GitCompareArrows aria-hidden /> Changes
      </Button>
      {onRestore === undefined ? null : (
        <Button size="xs" variant="ghost" onClick={onRestore} aria-label={`Restore ${item.version} into what is there now`}>
          <RotateCcw aria-hidden /> Restore
        </Button>
      )}
    </Flex>
  );
}
