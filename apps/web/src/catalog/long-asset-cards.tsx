import { Box } from "@chakra-ui/react";
import { useVirtualizer } from "@tanstack/react-virtual";
import type { RefObject } from "react";
import { type AssetListProps, CardRow } from "./asset-card.tsx";

const rowHeight = 148;

interface LongAssetCardsProps extends AssetListProps {
  readonly columns: number;
  readonly rowCount: number;
  /** What the rows are in. */
  readonly list: RefObject<HTMLElement | null>;
}

/** A long list of cards, of which only the rows in sight exist. */
export function LongAssetCards({ columns, rowCount, list, ...cards }: LongAssetCardsProps) {
  const virtualizer = useVirtualizer({
    count: rowCount,
    getScrollElement: () => list.current?.closest<HTMLElement>("[data-scrolls]") ?? null,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollMargin: list.current?.offsetTop ?? 0,
    useFlushSync: false,
  });
  const { scrollMargin } = virtualizer.options;
  return (
    <Box style={{ height: virtualizer.getTotalSize() }}>
      {virtualizer.getVirtualItems().map(({ index, start }) => (
        <CardRow
          key={index}
          ref={virtualizer.measureElement}
          index={index}
          columns={columns}
          style={{ position: "absolute", insetInline: 0, top: start - scrollMargin }}
          {...cards}
        />
      ))}
    </Box>
  );
}
