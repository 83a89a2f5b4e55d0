import { Box, Flex, Heading, Text } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { type ComponentType, type ReactNode, Suspense } from "react";
import { useParams, useSearchParams } from "react-router";
import { Copyable } from "../ui/copyable.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { usePageTitle } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { AssetIcon, assetLooks, assetPath } from "./asset-looks.tsx";
import { SharingState } from "./asset-parts.tsx";
import { DeletedNotice } from "./deleted-notice.tsx";
import { useAsset } from "./queries.ts";

/** What each tab of an asset is given. */
export interface AssetTabProps {
  readonly asset: Asset;
}

/** A tab of the page of an asset. */
export interface AssetTab {
  /** Its word in the address; the first tab has none. */
  readonly id: string;
  readonly label: string;
  readonly content: ComponentType<AssetTabProps>;
  /** Takes the whole height, and scrolls by itself. */
  readonly fills?: boolean;
  readonly isShown?: (asset: Asset) => boolean;
}

/** The asset that the address names, as soon as it is known. */
export function AddressedAsset({
  type,
  content: Content,
}: {
  readonly type: Asset["type"];
  readonly content: ComponentType<AssetTabProps>;
}) {
  const { id = "" } = useParams();
  const asset = useAsset(id);
  if (asset.data?.type === type) return <Content key={id} asset={asset.data} />;
  return (
    <Box px={{ base: "4", md: "6" }} py="5">
      {asset.isError ? <ErrorPanel error={asset.error} onRetry={() => void asset.refetch()} /> : <SkeletonRows rows={4} />}
    </Box>
  );
}

interface Props extends AssetTabProps {
  readonly tabs: readonly AssetTab[];
  /** Of what a tab shows, where a number says something. */
  readonly counts: Readonly<Record<string, number>>;
  /** What is particular to its type, beside owner and sharing. */
  readonly facts: ReactNode;
  readonly actions: ReactNode;
  /** The heading takes little room: what is below needs it. */
  readonly isDense?: boolean;
}

/** The page of an asset: what it is, what can be done with it, and its tabs. */
export function AssetPage({ asset, tabs, counts, facts, actions, isDense = false }: Props) {
  usePageTitle(asset.name);
  const [search] = useSearchParams();
  const shown = tabs.filter((tab) => tab.isShown?.(asset) ?? true);
  const tab = shown.find(({ id }) => id === search.get("tab")) ?? shown[0];
  const Content = tab?.content;
  const fills = tab?.fills === true;
  return (
    <Flex direction="column" h="100%" minH="0" overflowY={fills ? "hidden" : "auto"}>
      <Box px={{ base: "4", md: "6" }} pt={isDense ? "2" : { base: "3", md: "5" }} pb={isDense ? "0" : "3"} flexShrink="0">
        <AssetHeading asset={asset} facts={facts} actions={actions} hasDescription={!isDense} />
        {asset.deletedAt === null ? null : <DeletedNotice asset={asset} />}
      </Box>
      {Content === undefined ? null : (
        <>
          {/* What fills the page begins at a line from edge to edge. */}
          <Box px={{ base: "4", md: "6" }} flexShrink="0" boxShadow={fills ? "inset 0 -1px 0 var(--chakra-colors-border)" : undefined}>
            <TabLinks
              label={assetLooks[asset.type].label}
              tabs={shown.map(({ id, label }, index) => ({
                to: index === 0 ? assetPath(asset) : `${assetPath(asset)}?tab=${id}`,
                label,
                current: id === tab?.id,
                ...(counts[id] ? { count: counts[id] } : {}),
              }))}
            />
          </Box>
          <Box flex="1" minH={fills ? "0" : undefined}>
            <Suspense fallback={<SkeletonRows rows={4} />}>
              <Content asset={asset} />
            </Suspense>
          </Box>
        </>
      )}
    </Flex>
  );
}

function AssetHeading({
  asset,
  facts,
  actions,
  hasDescription,
}: Pick<Props, "asset" | "facts" | "actions"> & { readonly hasDescription: boolean }) {
  return (
    <Flex align="flex-start" gap="3" wrap="wrap">
      <Box minW="0">
        <Flex align="center" gap="2">
          <AssetIcon type={asset.type} size={18} />
          <Heading as="h1" fontSize="lg" fontWeight="semibold" letterSpacing="-0.01em" overflowWrap="anywhere">
            {asset.name}
          </Heading>
          {asset.version === null ? null : (
            <Text as="span" fontFamily="mono" fontSize="xs" color="fg.muted">
              {asset.version}
            </Text>
          )}
        </Flex>
        <Flex align="center" columnGap="3" wrap="wrap" fontSize="xs" color="fg.muted">
          <Copyable text={asset.id} label={`${asset.type} id`} />
          <span>{asset.owner.name}</span>
          <SharingState asset={asset} />
          {facts}
          <span>
            changed <TimeAgo time={asset.updatedAt} />
          </span>
        </Flex>
        {asset.description === "" || !hasDescription ? null : (
          <Text mt="1" color="fg.muted" lineClamp={2} overflowWrap="anywhere">
            {asset.description}
          </Text>
        )}
      </Box>
      <Flex gap="2" ml={{ base: "0", md: "auto" }} wrap="wrap">
        {actions}
      </Flex>
    </Flex>
  );
}
