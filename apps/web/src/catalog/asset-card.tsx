import { Box, chakra, Flex, Grid, Text } from "@chakra-ui/react";
import type { AssetSummary } from "@syla/sdk";
import type { CSSProperties, Ref } from "react";
import { Link } from "react-router";
import { CheckBox } from "../ui/check-box.tsx";
import { formatPlural } from "../ui/format.ts";
import { TimeAgo } from "../ui/time-ago.tsx";
import { AssetIcon, assetPath } from "./asset-looks.tsx";
import { LastRun, PackagesState, SharingState, TagList } from "./asset-parts.tsx";

/** What both layouts of the list are given. */
export interface AssetListProps {
  readonly assets: readonly AssetSummary[];
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (id: string, on: boolean) => void;
  readonly onTag: (tag: string) => void;
}

/** Pixels between cards. */
export const gap = 12;

interface CardRowProps extends AssetListProps {
  readonly index: number;
  readonly columns: number;
  readonly style?: CSSProperties;
  readonly ref?: Ref<HTMLDivElement>;
}

/** Cards beside each other. */
export function CardRow({ index, columns, style, ref, ...list }: CardRowProps) {
  return (
    <Grid
      ref={ref}
      data-index={index}
      role="presentation"
      gap={`${gap}px`}
      pb={`${gap}px`}
      style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, ...style }}
    >
      {list.assets.slice(index * columns, (index + 1) * columns).map((asset, column) => (
        <AssetCard key={asset.id} asset={asset} position={index * columns + column + 1} {...list} />
      ))}
    </Grid>
  );
}

interface AssetCardProps extends AssetListProps {
  readonly asset: AssetSummary;
  readonly position: number;
}

function AssetCard({ asset, assets, position, selected, onSelect, onTag }: AssetCardProps) {
  const isSelected = selected.has(asset.id);
  return (
    <Flex
      role="listitem"
      aria-posinset={position}
      aria-setsize={assets.length}
      position="relative"
      direction="column"
      gap="2"
      minH="136px"
      p="3"
      borderWidth="1px"
      borderColor={isSelected ? "accent.solid" : "border"}
      rounded="md"
      bg={isSelected ? "accent.subtle" : "bg.panel"}
      _hover={{ borderColor: isSelected ? "accent.solid" : "border.emphasized" }}
    >
      <Flex align="center" gap="2">
        <AssetIcon type={asset.type} />
        <AssetLink asset={asset} />
        <Box ml="auto" position="relative" zIndex="1" lineHeight="1">
          <CheckBox
            aria-label={`Select ${asset.name}`}
            checked={isSelected}
            onChange={(event) => onSelect(asset.id, event.currentTarget.checked)}
          />
        </Box>
      </Flex>
      <Text color="fg.muted" fontSize="xs" lineClamp={2} minH="9" overflowWrap="anywhere">
        {asset.description}
      </Text>
      <TagList tags={asset.tags} onTag={onTag} />
      <Flex mt="auto" gap="3" wrap="wrap" fontSize="xs" color="fg.subtle" align="center">
        <Text as="span" truncate maxW="32">
          {asset.owner.name}
        </Text>
        {asset.runtime === null ? null : <span>{asset.runtime}</span>}
        {asset.rowCount === null ? null : <span>{formatPlural(asset.rowCount, "row")}</span>}
        {asset.version === null ? null : <chakra.span fontFamily="mono">{asset.version}</chakra.span>}
        <SharingState asset={asset} />
        <LastRun asset={asset} />
        <PackagesState asset={asset} />
        <chakra.span ml="auto">
          <TimeAgo time={asset.updatedAt} />
        </chakra.span>
      </Flex>
    </Flex>
  );
}

/** The name, whose link covers the whole card. */
function AssetLink({ asset }: { readonly asset: AssetSummary }) {
  return (
    <Text as="h2" fontWeight="medium" truncate minW="0">
      <chakra.span asChild _before={{ content: '""', position: "absolute", inset: "0" }}>
        <Link to={assetPath(asset)} title={asset.name}>
          {asset.name}
        </Link>
      </chakra.span>
    </Text>
  );
}
