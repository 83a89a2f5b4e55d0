import { Box, chakra, Flex, Grid, Text } from "@chakra-ui/react";
import type { AssetSummary } from "@syla/sdk";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { formatPlural } from "../ui/format.ts";
import { CheckBox } from "../ui/check-box.tsx";
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

const narrowest = 280;
const gap = 12;
const rowHeight = 148;
/** Longer lists are drawn in part. */
const longest = 150;

/** The catalog as cards; of a long list only the rows in sight exist. */
export function AssetCards(props: AssetListProps) {
  const { assets } = props;
  const list = useRef<HTMLDivElement>(null);
  const columns = useColumns(list);
  const isLong = assets.length > longest;
  const rowCount = Math.ceil(assets.length / columns);
  const virtualizer = useVirtualizer({
    count: rowCount,
    getScrollElement: () => list.current?.closest<HTMLElement>("[data-scrolls]") ?? null,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollMargin: list.current?.offsetTop ?? 0,
    useFlushSync: false,
  });
  const rows = isLong ? virtualizer.getVirtualItems() : Array.from({ length: rowCount }, (_, index) => ({ index, start: 0 }));
  const place = (start: number) => ({ position: "absolute", insetInline: 0, top: start - virtualizer.options.scrollMargin }) as const;
  return (
    <Box ref={list} role="list" aria-label="Assets" position="relative" style={isLong ? { height: virtualizer.getTotalSize() } : {}}>
      {rows.map(({ index, start }) => (
        <Grid
          key={index}
          ref={isLong ? virtualizer.measureElement : undefined}
          data-index={index}
          role="presentation"
          gap={`${gap}px`}
          pb={`${gap}px`}
          style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, ...(isLong ? place(start) : {}) }}
        >
          {assets.slice(index * columns, (index + 1) * columns).map((asset, column) => (
            <AssetCard key={asset.id} asset={asset} position={index * columns + column + 1} {...props} />
          ))}
        </Grid>
      ))}
    </Box>
  );
}

/** As many as fit beside each other. */
function useColumns(element: RefObject<HTMLElement | null>): number {
  const [columns, setColumns] = useState(1);
  useLayoutEffect(() => {
    const box = element.current;
    if (box === null) return;
    const look = () => setColumns(Math.max(1, Math.floor((box.clientWidth + gap) / (narrowest + gap))));
    look();
    const observer = new ResizeObserver(look);
    observer.observe(box);
    return () => observer.disconnect();
  }, [element]);
  return columns;
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
