import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { AssetSummary } from "@syla/sdk";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { Link } from "react-router";
import { CheckBox } from "../ui/check-box.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import type { AssetListProps } from "./asset-card.tsx";
import { AssetIcon, assetLooks, assetPath } from "./asset-looks.tsx";
import { LastRun, SharingState, TagList } from "./asset-parts.tsx";

const rowHeight = 40;
/** Longer lists are drawn in part. */
const longest = 150;

interface AssetTableProps extends AssetListProps {
  readonly onSelectAll: (on: boolean) => void;
}

/** The catalog as a table; on small screens only what tells assets apart. */
export function AssetTable({ assets, selected, onSelect, onSelectAll, onTag }: AssetTableProps) {
  const all = assets.length > 0 && assets.every((asset) => selected.has(asset.id));
  const table = useRef<HTMLDivElement>(null);
  // Only the rows in sight exist; a short list is left as it is.
  const virtualizer = useVirtualizer({
    count: assets.length,
    getScrollElement: () => table.current?.closest<HTMLElement>("[data-scrolls]") ?? null,
    estimateSize: () => rowHeight,
    overscan: 30,
    scrollMargin: table.current?.offsetTop ?? 0,
    useFlushSync: false,
  });
  const isLong = assets.length > longest;
  const items = isLong ? virtualizer.getVirtualItems() : assets.map((_, index) => ({ index, start: 0, end: 0 }));
  const margin = virtualizer.options.scrollMargin;
  const before = isLong ? Math.max(0, (items[0]?.start ?? 0) - margin) : 0;
  const after = isLong ? Math.max(0, virtualizer.getTotalSize() - ((items.at(-1)?.end ?? 0) - margin)) : 0;
  return (
    <Box ref={table} borderWidth="1px" borderColor="border" rounded="md" overflow="hidden" bg="bg.panel">
      <chakra.table
        w="full"
        tableLayout="fixed"
        aria-label="Assets"
        aria-rowcount={assets.length + 1}
        css={{ "& th, & td": { px: "2", py: "1.5", textAlign: "left" } }}
      >
        <thead>
          <chakra.tr bg="bg.subtle" fontSize="xs" color="fg.muted">
            <chakra.th fontWeight="medium" scope="col" w="10">
              <CheckBox
                aria-label="Select all that are shown"
                checked={all}
                onChange={(event) => onSelectAll(event.currentTarget.checked)}
              />
            </chakra.th>
            <chakra.th fontWeight="medium" scope="col">
              Name
            </chakra.th>
            <chakra.th fontWeight="medium" scope="col" w="24" hideBelow="lg">
              Type
            </chakra.th>
            <chakra.th fontWeight="medium" scope="col" w="36" hideBelow="md">
              Owner
            </chakra.th>
            <chakra.th fontWeight="medium" scope="col" w="24" hideBelow="md">
              Access
            </chakra.th>
            <chakra.th fontWeight="medium" scope="col" w="24" hideBelow="lg">
              Version
            </chakra.th>
            <chakra.th fontWeight="medium" scope="col" w="32" hideBelow="md">
              Last run
            </chakra.th>
            <chakra.th fontWeight="medium" scope="col" w="28" css={{ "&&": { textAlign: "right" } }}>
              Changed
            </chakra.th>
          </chakra.tr>
        </thead>
        <tbody>
          <Spacer height={before} />
          {items.flatMap(({ index }) => {
            const asset = assets[index];
            return asset === undefined
              ? []
              : [<AssetRow key={asset.id} asset={asset} selected={selected} onSelect={onSelect} onTag={onTag} />];
          })}
          <Spacer height={after} />
        </tbody>
      </chakra.table>
    </Box>
  );
}

/** Keeps the place of rows that are out of sight. */
function Spacer({ height }: { readonly height: number }) {
  return height === 0 ? null : <tr aria-hidden style={{ height }} />;
}

function AssetRow({ asset, selected, onSelect, onTag }: Omit<AssetListProps, "assets"> & { readonly asset: AssetSummary }) {
  return (
    <chakra.tr
      borderTopWidth="1px"
      borderColor="border.muted"
      h="10"
      bg={selected.has(asset.id) ? "accent.subtle" : undefined}
      _hover={{ bg: "bg.subtle" }}
    >
      <chakra.td>
        <CheckBox
          aria-label={`Select ${asset.name}`}
          checked={selected.has(asset.id)}
          onChange={(event) => onSelect(asset.id, event.currentTarget.checked)}
        />
      </chakra.td>
      <chakra.td>
        <Flex align="center" gap="2" minW="0">
          <AssetIcon type={asset.type} />
          <Text asChild truncate fontWeight="medium" display="block" lineHeight="24px" minW="12">
            <Link to={assetPath(asset)} title={asset.name}>
              {asset.name}
            </Link>
          </Text>
          <Box hideBelow="lg" flexShrink="0">
            <TagList tags={asset.tags.slice(0, 3)} onTag={onTag} />
          </Box>
        </Flex>
      </chakra.td>
      <chakra.td hideBelow="lg" color="fg.muted">
        {assetLooks[asset.type].label}
      </chakra.td>
      <chakra.td hideBelow="md" color="fg.muted">
        <Text truncate>{asset.owner.name}</Text>
      </chakra.td>
      <chakra.td hideBelow="md" color="fg.muted">
        <SharingState asset={asset} />
      </chakra.td>
      <chakra.td hideBelow="lg" fontFamily="mono" fontSize="xs" color="fg.muted">
        {asset.version ?? "–"}
      </chakra.td>
      <chakra.td hideBelow="md" color="fg.muted">
        <LastRun asset={asset} />
      </chakra.td>
      <chakra.td css={{ "&&": { textAlign: "right" } }} color="fg.muted">
        <TimeAgo time={asset.updatedAt} />
      </chakra.td>
    </chakra.tr>
  );
}
