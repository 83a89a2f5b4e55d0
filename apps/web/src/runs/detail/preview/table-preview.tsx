import { Box, Text } from "@chakra-ui/react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { parse } from "csv-parse/browser/esm/sync";
import { useMemo, useRef } from "react";
import { formatCount } from "../../../ui/format.ts";

const rowHeight = 28;
const mostRows = 20_000;
const mostColumns = 100;

interface TablePreviewProps {
  readonly text: string;
  readonly label: string;
  /** There is more of it than the text. */
  readonly cut: boolean;
  /** It takes the whole of what it is in, which has a height. */
  readonly fills?: boolean;
}

/** Rows of comma- or tab-separated values, of which only those that are seen are drawn. */
export function TablePreview({ text, label, cut, fills = false }: TablePreviewProps) {
  const { head, rows, problem } = useMemo(() => readTable(text, cut), [text, cut]);
  const box = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    useFlushSync: false,
  });
  const shapes = useMemo(() => head.map((name, column) => shapeOf(name, rows, column)), [head, rows]);
  const columns = `56px ${shapes.map(({ width }) => `${width}px`).join(" ")}`;
  return (
    <Box {...(fills ? { display: "flex", flexDirection: "column", h: "100%", minH: "0" } : {})}>
      <Box
        ref={box}
        role="table"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        tabIndex={0}
        overflow="auto"
        {...(fills ? { flex: "1", minH: "0" } : { maxH: "480px" })}
        fontSize="xs"
        fontVariantNumeric="tabular-nums"
        outlineOffset="-2px"
      >
        <Box minW="max-content">
          <Box
            role="row"
            display="grid"
            gridTemplateColumns={columns}
            position="sticky"
            top="0"
            zIndex="1"
            bg="bg.subtle"
            fontWeight="medium"
          >
            <Cell role="columnheader" muted>
              #
            </Cell>
            {head.map((name, index) => (
              <Cell key={index} role="columnheader" end={shapes[index]?.isNumeric === true}>
                {name}
              </Cell>
            ))}
          </Box>
          <Box position="relative" style={{ height: virtualizer.getTotalSize() }}>
            {virtualizer.getVirtualItems().map(({ index, start }) => (
              <Box
                key={index}
                role="row"
                aria-rowindex={index + 2}
                display="grid"
                gridTemplateColumns={columns}
                position="absolute"
                w="full"
                borderTopWidth="1px"
                borderColor="border.muted"
                style={{ top: start, height: rowHeight }}
              >
                <Cell role="rowheader" muted>
                  {formatCount(index + 1)}
                </Cell>
                {head.map((_, column) => {
                  const value = rows[index]?.[column] ?? "";
                  return (
                    <Cell key={column} role="cell" end={shapes[column]?.isNumeric === true}>
                      {value}
                    </Cell>
                  );
                })}
              </Box>
            ))}
          </Box>
        </Box>
      </Box>
      {problem === null ? null : (
        <Text fontSize="xs" color="fg.muted" px="3" py="2" borderTopWidth="1px" borderColor="border">
          {problem}
        </Text>
      )}
    </Box>
  );
}

interface CellProps {
  readonly role: string;
  readonly children: string;
  readonly muted?: boolean;
  readonly end?: boolean;
}

function Cell({ role, children, muted = false, end = false }: CellProps) {
  return (
    <Box
      role={role}
      px="2"
      lineHeight="27px"
      truncate
      title={children.length > 24 ? children.slice(0, 1000) : undefined}
      color={muted ? "fg.subtle" : undefined}
      textAlign={muted || end ? "right" : undefined}
    >
      {children.slice(0, 500)}
    </Box>
  );
}

interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What is not shown, or not as it is meant. */
  readonly problem: string | null;
}

function readTable(text: string, cut: boolean): Table {
  // The last line may be half of one.
  const whole = cut ? text.slice(0, text.lastIndexOf("\n") + 1) : text;
  try {
    const records = parse(whole, {
      bom: true,
      delimiter: delimiterOf(whole),
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      to: mostRows + 1,
    });
    const columns = records.reduce((most, record) => Math.max(most, record.length), 0);
    const head = Array.from({ length: Math.min(columns, mostColumns) }, (_, index) => records[0]?.[index] ?? "");
    const rows = records.slice(1, mostRows + 1);
    const isShort = cut || records.length > mostRows;
    const notes = [
      ...(isShort ? [`The first ${formatCount(rows.length)} rows are shown.`] : []),
      ...(columns > mostColumns ? [`${mostColumns} of ${formatCount(columns)} columns are shown.`] : []),
    ];
    return { head, rows, problem: notes.length === 0 ? null : `${notes.join(" ")} Download the file for all of it.` };
  } catch (error) {
    const lines = whole.split("\n").slice(0, mostRows);
    return {
      head: ["line"],
      rows: lines.map((line) => [line]),
      problem: `This is no table: ${error instanceof Error ? error.message : ""}`,
    };
  }
}

/** What divides the first line most often. */
function delimiterOf(text: string): string {
  const first = text.slice(0, text.indexOf("\n") === -1 ? undefined : text.indexOf("\n"));
  return [",", "\t", ";", "|"].toSorted((one, other) => first.split(other).length - first.split(one).length)[0] ?? ",";
}

/** So many rows tell how wide a column is, and whether it holds numbers. */
const sampleRows = 50;

function shapeOf(
  name: string,
  rows: readonly (readonly string[])[],
  column: number,
): { readonly width: number; readonly isNumeric: boolean } {
  const values = rows.slice(0, sampleRows).map((row) => row[column] ?? "");
  const longest = values.reduce((most, value) => Math.max(most, value.length), name.length);
  return {
    width: Math.min(320, Math.max(64, longest * 7 + 24)),
    isNumeric: values.some(isNumber) && values.every((value) => value === "" || isNumber(value)),
  };
}

function isNumber(value: string): boolean {
  return /^-?\d[\d.,]*(?:e[+-]?\d+)?%?$/i.test(value);
}
