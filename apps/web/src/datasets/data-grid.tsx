import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { DatasetColumn, DatasetRow } from "@syla/sdk";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { formatCount } from "../ui/format.ts";
import { shownValue, TypeWord, wholeValue } from "./values.tsx";

const rowHeight = 28;
const headHeight = 44;
const numberWidth = 76;
const columnWidth = 172;
const rightAligned = new Set(["integer", "number"]);

/** A cell by its place among what is shown, from 0. */
interface Cell {
  readonly row: number;
  readonly column: number;
}

interface DataGridProps {
  readonly columns: readonly DatasetColumn[];
  readonly rowCount: number;
  /** Undefined: it is being read. */
  readonly rowAt: (index: number) => DatasetRow | undefined;
  /** Which rows are seen, the last one exclusive. */
  readonly onRange: (from: number, to: number) => void;
}

/** Rows and columns of any number, of which only those that are seen are drawn. Arrow keys go from cell to cell. */
export function DataGrid({ columns, rowCount, rowAt, onRange }: DataGridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<Cell>({ row: 0, column: 0 });
  const rows = useVirtualizer({
    count: rowCount,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollPaddingStart: headHeight,
  });
  const cells = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => columnWidth,
    overscan: 2,
    scrollPaddingStart: numberWidth,
  });
  const seen = rows.getVirtualItems();
  const [first, last] = [seen[0]?.index ?? 0, (seen.at(-1)?.index ?? -1) + 1];
  useEffect(() => onRange(first, last), [first, last, onRange]);
  const move = (to: Cell) => {
    const cell = {
      row: Math.max(0, Math.min(rowCount - 1, to.row)),
      column: Math.max(0, Math.min(columns.length - 1, to.column)),
    };
    setActive(cell);
    rows.scrollToIndex(cell.row, { align: "auto" });
    cells.scrollToIndex(cell.column, { align: "auto" });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = targetOf(event, active, { rowCount, columnCount: columns.length, pageRows: Math.max(1, last - first - 18) });
    if (to === null) return;
    event.preventDefault();
    move(to);
  };
  const shownColumns = cells.getVirtualItems();
  const width = numberWidth + cells.getTotalSize();
  const row = rowAt(active.row);
  const column = columns[active.column];
  return (
    <Flex direction="column" h="full" minH="0" borderWidth="1px" borderColor="border" rounded="md" overflow="hidden" bg="bg.panel">
      <Box
        ref={scroller}
        role="grid"
        aria-label="Rows"
        aria-rowcount={rowCount + 1}
        aria-colcount={columns.length + 1}
        aria-activedescendant={`cell-${active.row}-${active.column}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        flex="1"
        minH="0"
        overflow="auto"
        position="relative"
        outlineOffset="-2px"
        css={{ contain: "strict" }}
      >
        <Box role="rowgroup" position="sticky" top="0" zIndex="2" style={{ width, height: headHeight }} bg="bg.subtle">
          <Box role="row" aria-rowindex={1} position="relative" h="full" borderBottomWidth="1px" borderColor="border">
            <RowNumber isHead>#</RowNumber>
            {shownColumns.map(({ index, start }) => (
              <Box
                key={index}
                role="columnheader"
                aria-colindex={index + 2}
                position="absolute"
                top="0"
                h="full"
                px="2"
                py="1"
                borderRightWidth="1px"
                borderColor="border.muted"
                style={{ left: numberWidth + start, width: columnWidth }}
                textAlign={rightAligned.has(columns[index]?.type ?? "") ? "right" : "left"}
              >
                <Text truncate fontSize="xs" fontWeight="medium" lineHeight="18px" title={columns[index]?.name}>
                  {columns[index]?.name}
                </Text>
                <Box lineHeight="16px">
                  <TypeWord type={columns[index]?.type ?? ""} />
                </Box>
              </Box>
            ))}
          </Box>
        </Box>
        <Box role="rowgroup" position="relative" style={{ width, height: rows.getTotalSize() }}>
          {seen.map(({ index, start }) => {
            const item = rowAt(index);
            return (
              <Box
                key={index}
                role="row"
                aria-rowindex={index + 2}
                position="absolute"
                left="0"
                style={{ top: start, height: rowHeight, width }}
                borderBottomWidth="1px"
                borderColor="border.muted"
                bg={index === active.row ? "bg.subtle" : "bg.panel"}
              >
                <RowNumber>{item === undefined ? "" : formatCount(item.row + 1)}</RowNumber>
                {shownColumns.map(({ index: at, start: left }) => {
                  const { name, type } = columns[at] ?? { name: "", type: "" };
                  const value = item?.values[name];
                  return (
                    <Box
                      key={at}
                      id={`cell-${index}-${at}`}
                      role="gridcell"
                      aria-colindex={at + 2}
                      aria-selected={index === active.row && at === active.column}
                      onMouseDown={() => setActive({ row: index, column: at })}
                      position="absolute"
                      top="0"
                      h="full"
                      px="2"
                      fontSize="xs"
                      lineHeight="27px"
                      truncate
                      cursor="default"
                      color={value === null ? "fg.subtle" : "fg"}
                      textAlign={rightAligned.has(type) ? "right" : "left"}
                      boxShadow={
                        index === active.row && at === active.column ? "inset 0 0 0 2px var(--chakra-colors-accent-solid)" : undefined
                      }
                      style={{ left: numberWidth + left, width: columnWidth }}
                    >
                      {item === undefined ? (
                        <Box aria-hidden mt="9px" h="10px" w="60%" rounded="sm" bg="bg.muted" />
                      ) : value === null || value === undefined ? (
                        "–"
                      ) : (
                        shownValue(value)
                      )}
                    </Box>
                  );
                })}
              </Box>
            );
          })}
        </Box>
      </Box>
      <Flex
        position="relative"
        zIndex="3"
        bg="bg.subtle"
        borderTopWidth="1px"
        borderColor="border"
        px="3"
        py="2"
        gap="3"
        maxH="28"
        overflowY="auto"
        fontSize="xs"
        flexShrink="0"
        tabIndex={0}
        role="group"
        aria-label="The whole value"
      >
        <Text color="fg.muted" flexShrink="0" maxW="40%" truncate>
          {row === undefined ? "" : `${formatCount(row.row + 1)} · `}
          {column?.name}
          {row?.split == null ? "" : ` · ${row.split}`}
        </Text>
        <chakra.code whiteSpace="pre-wrap" overflowWrap="anywhere" minW="0">
          {row === undefined || column === undefined ? "" : wholeValue(row.values[column.name]).slice(0, 20_000) || "no value"}
        </chakra.code>
      </Flex>
    </Flex>
  );
}

function RowNumber({ children, isHead = false }: { readonly children: string; readonly isHead?: boolean }) {
  return (
    <Box
      role={isHead ? "columnheader" : "rowheader"}
      aria-colindex={1}
      position="sticky"
      left="0"
      zIndex="1"
      h="full"
      px="2"
      fontSize="xs"
      textAlign="right"
      color="fg.subtle"
      bg="bg.subtle"
      borderRightWidth="1px"
      borderColor="border"
      style={{ width: numberWidth, lineHeight: isHead ? `${headHeight}px` : `${rowHeight - 1}px` }}
    >
      {children}
    </Box>
  );
}

interface Extent {
  readonly rowCount: number;
  readonly columnCount: number;
  readonly pageRows: number;
}

/** Where a key leads from a cell; null when it is none of the grid's. Source: WAI-ARIA Authoring Practices, grid. */
function targetOf(
  { key, ctrlKey, metaKey }: KeyboardEvent,
  { row, column }: Cell,
  { rowCount, columnCount, pageRows }: Extent,
): Cell | null {
  const far = ctrlKey || metaKey;
  switch (key) {
    case "ArrowUp":
      return { row: far ? 0 : row - 1, column };
    case "ArrowDown":
      return { row: far ? rowCount - 1 : row + 1, column };
    case "ArrowLeft":
      return { row, column: far ? 0 : column - 1 };
    case "ArrowRight":
      return { row, column: far ? columnCount - 1 : column + 1 };
    case "PageUp":
      return { row: row - pageRows, column };
    case "PageDown":
      return { row: row + pageRows, column };
    case "Home":
      return { row: far ? 0 : row, column: 0 };
    case "End":
      return { row: far ? rowCount - 1 : row, column: columnCount - 1 };
    default:
      return null;
  }
}
