import { Box, Flex, Text } from "@chakra-ui/react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useEffect, useId, useRef } from "react";
import { formatDuration } from "../../../ui/format.ts";
import { barOf, type Range, type SpanRow } from "./rows.ts";
import { barColor, describeUse } from "./span-looks.ts";
import type { TraceView } from "./use-trace-view.ts";

const rowHeight = 28;
const columns = { base: "minmax(0, 46%) 1fr", md: "minmax(0, 38%) 1fr" };

/** Bars to scale, one below the other; only those in sight are in the page. One stop of the Tab key, arrows inside. */
export function Waterfall({ view }: { readonly view: TraceView }) {
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const virtualizer = useVirtualizer({
    count: view.rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  const { chosen } = view;
  useEffect(() => virtualizer.scrollToIndex(chosen), [chosen, virtualizer]);
  return (
    <Box>
      <Axis range={view.range} />
      <Box
        ref={box}
        role="treegrid"
        aria-label="Spans"
        aria-rowcount={view.rows.length}
        aria-activedescendant={`${id}-${chosen}`}
        aria-readonly
        tabIndex={0}
        onKeyDown={view.onKeyDown}
        maxH="min(60vh, 640px)"
        minH="120px"
        overflowY="auto"
        overflowX="hidden"
        outlineOffset="-2px"
      >
        <div style={{ height: virtualizer.getTotalSize(), position: "relative" }} role="presentation">
          {virtualizer.getVirtualItems().map((item) => {
            const row = view.rows[item.index];
            return row === undefined ? null : (
              <Row key={row.span.id} id={`${id}-${item.index}`} row={row} view={view} index={item.index} top={item.start} />
            );
          })}
        </div>
      </Box>
    </Box>
  );
}

interface RowProps {
  readonly id: string;
  readonly row: SpanRow;
  readonly view: TraceView;
  readonly index: number;
  readonly top: number;
}

function Row({ id, row: { span, level, hasParts }, view, index, top }: RowProps) {
  const bar = barOf(span, view.range, view.whole);
  const isOpen = !view.folded.has(span.id);
  const isChosen = view.chosen === index;
  const use = describeUse(span);
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <Box
      id={id}
      role="row"
      aria-level={level}
      aria-rowindex={index + 1}
      aria-selected={isChosen}
      {...(hasParts && { "aria-expanded": isOpen })}
      onClick={() => view.choose(index)}
      onDoubleClick={view.fit}
      position="absolute"
      insetX="0"
      display="grid"
      gridTemplateColumns={columns}
      alignItems="center"
      h={`${rowHeight}px`}
      style={{ top }}
      bg={isChosen ? "bg.emphasized" : undefined}
      _hover={{ bg: isChosen ? "bg.emphasized" : "bg.subtle" }}
      cursor="default"
      fontSize="xs"
    >
      <Flex role="gridcell" align="center" gap="1" minW="0" pr="2" style={{ paddingLeft: 8 + (level - 1) * 14 }}>
        <Box aria-hidden flexShrink="0" w="4" h="4" color="fg.muted" onClick={() => (hasParts ? view.toggle(span.id) : undefined)}>
          {hasParts ? <Chevron size={14} /> : null}
        </Box>
        <Text as="span" truncate title={span.name} color={span.status === "failed" ? "fg.error" : undefined}>
          {span.name}
          {span.status === "failed" ? " · failed" : ""}
          {span.attempt !== null && span.attempt > 1 && span.kind !== "attempt" ? ` (attempt ${span.attempt})` : ""}
        </Text>
        {use === null ? null : (
          <Text as="span" ml="auto" pl="2" color="fg.muted" whiteSpace="nowrap" hideBelow="md">
            {use}
          </Text>
        )}
      </Flex>
      <Box role="gridcell" position="relative" h="full" borderLeftWidth="1px" borderColor="border.muted">
        {bar === null ? null : (
          <Box
            position="absolute"
            top="9px"
            h="10px"
            rounded="sm"
            bg={barColor(span)}
            opacity={span.status === "running" ? 0.7 : 1}
            style={{ left: `${bar.left}%`, width: `${bar.width}%`, minWidth: 2 }}
          />
        )}
        <Text as="span" position="absolute" color="fg.muted" whiteSpace="nowrap" css={placeOf(bar)}>
          {span.durationMs === null ? "…" : formatDuration(span.durationMs)}
        </Text>
      </Box>
    </Box>
  );
}

/** Behind the bar where there is room, else before it; on it, with a ground of its own, where there is none. */
function placeOf(bar: { readonly left: number; readonly width: number } | null): Record<string, string> {
  const line = { lineHeight: `${rowHeight}px` };
  if (bar === null) return { ...line, right: "8px", opacity: "0.6" };
  const end = bar.left + bar.width;
  if (end < 78) return { ...line, left: `calc(${end}% + 6px)` };
  if (bar.left > 22) return { ...line, right: `calc(${100 - bar.left}% + 6px)` };
  return {
    right: "8px",
    background: "var(--chakra-colors-bg-panel)",
    lineHeight: "16px",
    top: "6px",
    padding: "0 4px",
    borderRadius: "4px",
  };
}

const ticks = [0, 0.25, 0.5, 0.75];

function Axis({ range }: { readonly range: Range }) {
  const length = range.to - range.from;
  return (
    <Box
      display="grid"
      gridTemplateColumns={columns}
      h="7"
      borderBottomWidth="1px"
      borderColor="border.muted"
      fontSize="2xs"
      color="fg.muted"
      aria-hidden
    >
      <Box />
      <Box position="relative" overflow="hidden">
        {ticks.map((share) => (
          <Text
            key={share}
            as="span"
            position="absolute"
            top="1.5"
            pl="1"
            borderLeftWidth="1px"
            borderColor="border"
            style={{ left: `${share * 100}%` }}
          >
            {formatDuration(range.from + length * share)}
          </Text>
        ))}
      </Box>
    </Box>
  );
}
