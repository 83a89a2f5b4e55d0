import { Box } from "@chakra-ui/react";
import { lazy, type RefObject, Suspense, useLayoutEffect, useRef, useState } from "react";
import { type AssetListProps, CardRow, gap } from "./asset-card.tsx";

/** A longer list is drawn in part, which takes more code. */
const longest = 150;
const LongAssetCards = lazy(async () => ({ default: (await import("./long-asset-cards.tsx")).LongAssetCards }));

const narrowest = 280;

/** The catalog as cards; of a long list only the rows in sight exist. */
export function AssetCards(props: AssetListProps) {
  const list = useRef<HTMLDivElement>(null);
  const columns = useColumns(list);
  const rowCount = Math.ceil(props.assets.length / columns);
  const all = Array.from({ length: rowCount }, (_, index) => <CardRow key={index} index={index} columns={columns} {...props} />);
  return (
    <Box ref={list} role="list" aria-label="Assets" position="relative">
      {props.assets.length <= longest ? (
        all
      ) : (
        <Suspense fallback={all}>
          <LongAssetCards columns={columns} rowCount={rowCount} list={list} {...props} />
        </Suspense>
      )}
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
