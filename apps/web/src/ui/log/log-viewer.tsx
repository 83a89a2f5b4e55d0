import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { type CSSProperties, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import type { Downloadable } from "../download-button.tsx";
import { formatCount, formatPlural } from "../format.ts";
import { useStoredFlag } from "../use-stored-flag.ts";
import "./log.css";
import type { LogBuffer, LogLine } from "./log-buffer.ts";
import { LogRow } from "./log-row.tsx";
import type { Matcher } from "@syla/contracts/log-search";
import { includesSorted, type LogFilter, type LogView, noFilter } from "./log-search.ts";
import { LogToolbar } from "./log-toolbar.tsx";
import { useFollow } from "./use-follow.ts";
import { useLogView } from "./use-log-view.ts";
import { useMatcher } from "./use-matcher.ts";

const rowHeight = 20;

interface LogViewerProps {
  readonly buffer: LogBuffer;
  /** Whether more may come. */
  readonly live: boolean;
  readonly download: Downloadable | null;
  /** The lines that a filter leaves, with or without their times; the whole log where it is left out. */
  readonly downloadLines?: (filter: LogFilter, times: boolean) => Downloadable;
  /** What is looked for at first. */
  readonly initialFilter?: LogFilter;
  readonly onFilter?: (filter: LogFilter) => void;
  /** The line that the address names (`#L12`). */
  readonly linkedLine?: number | null;
  /** Whether lines can be linked to; not where what is behind the `#` is something else. */
  readonly linksLines?: boolean;
  /** Said while there is no line. */
  readonly empty: ReactNode;
  /** The connection was lost and is being made again. */
  readonly reconnecting?: boolean;
}

/** A log of any length: virtualised, searched, followed. It knows nothing of where the lines come from. */
export function LogViewer(props: LogViewerProps) {
  const { buffer, live, linkedLine = null, linksLines = true, empty, reconnecting = false, onFilter } = props;
  const [filter, setFilter] = useState<LogFilter>(props.initialFilter ?? noFilter);
  const [match, setMatch] = useState(0);
  const [times, setTimes] = useStoredFlag("syla.log.times", false);
  const [wrap, setWrap] = useStoredFlag("syla.log.wrap", false);
  const searchRef = useRef<HTMLInputElement>(null);
  const { matcher, problem } = useMatcher(filter);
  const view = useLogView(buffer, filter, matcher);
  const download = props.downloadLines?.(filter, times) ?? props.download;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    searchRef.current?.focus();
  };
  return (
    <Flex direction="column" h="100%" minH="0" onKeyDown={onKeyDown}>
      <LogToolbar
        filter={filter}
        onFilter={(next) => {
          setFilter(next);
          setMatch(0);
          onFilter?.(next);
        }}
        nodes={buffer.nodes()}
        problem={problem}
        matchCount={view.matches.length}
        searching={!view.complete}
        match={Math.min(match, Math.max(0, view.matches.length - 1))}
        onMatch={setMatch}
        times={times}
        onTimes={setTimes}
        wrap={wrap}
        onWrap={setWrap}
        download={download}
        searchRef={searchRef}
      />
      <LogRows key={String(wrap)} {...{ buffer, view, matcher, match, times, wrap, live, linkedLine, linksLines, empty }} />
      {buffer.total() > buffer.lines.length ? (
        <Text role="status" fontSize="xs" px="3" py="1" color="fg.muted" borderTopWidth="1px" borderColor="border">
          The first {formatCount(buffer.lines.length)} of {formatCount(buffer.total())} lines are shown. Download the log to read all of it,
          or search it with “syla logs --search”.
        </Text>
      ) : null}
      {reconnecting ? (
        <Text role="status" fontSize="xs" px="3" py="1" color="fg.warning" borderTopWidth="1px" borderColor="border">
          The connection was lost. Reconnecting; nothing will be missing.
        </Text>
      ) : null}
    </Flex>
  );
}

interface LogRowsProps {
  readonly buffer: LogBuffer;
  readonly view: LogView;
  readonly matcher: Matcher | null;
  readonly match: number;
  readonly times: boolean;
  readonly wrap: boolean;
  readonly live: boolean;
  readonly linkedLine: number | null;
  readonly linksLines: boolean;
  readonly empty: ReactNode;
}

function LogRows({ buffer, view, matcher, match, times, wrap, live, linkedLine, linksLines, empty }: LogRowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const count = view.rows ? view.rows.length : buffer.lines.length;
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    useFlushSync: false,
  });
  const follow = useFollow(box, virtualizer.getTotalSize(), live && linkedLine === null);
  const matchRow = matcher === null ? undefined : view.matches[match];
  const linkedRow =
    linkedLine === null || linkedLine > buffer.lines.length ? undefined : view.rows ? view.rows.indexOf(linkedLine - 1) : linkedLine - 1;
  useScrollTo(matchRow, follow.release, virtualizer.scrollToIndex);
  useScrollTo(linkedRow, follow.release, virtualizer.scrollToIndex);
  const gutter = `${Math.max(3, String(buffer.lines.length).length)}ch`;
  const page = `${window.location.pathname}${window.location.search}`;
  return (
    <Box position="relative" flex="1" minH="0">
      <Box
        ref={box}
        className="log"
        role="log"
        aria-live="off"
        aria-label={`Output, ${formatPlural(count, "line")}`}
        tabIndex={0}
        data-wrap={wrap || undefined}
        h="100%"
        overflow="auto"
        outlineOffset="-2px"
        style={{ "--log-gutter": `calc(${gutter} + 18px)` } as CSSProperties}
      >
        {count === 0 ? (
          <Text fontFamily="body" color="fg.subtle" px="4" py="3">
            {!view.complete ? "Searching…" : buffer.lines.length > 0 ? "No line is like that." : empty}
          </Text>
        ) : null}
        <div style={{ height: virtualizer.getTotalSize(), position: "relative" }}>
          {virtualizer.getVirtualItems().map((item) => {
            const line = buffer.lines[view.rows ? (view.rows[item.index] ?? 0) : item.index];
            return line ? (
              <LogRow
                key={line.number}
                line={line}
                raw={line.raw}
                top={item.start}
                index={item.index}
                matcher={matcher}
                level={line.level}
                showTime={times}
                match={matcher !== null && includesSorted(view.matches, item.index)}
                current={item.index === matchRow}
                linked={line.number === linkedLine}
                href={linksLines ? `${page}#L${line.number}` : undefined}
                measure={wrap ? virtualizer.measureElement : undefined}
              />
            ) : null;
          })}
        </div>
      </Box>
      {!follow.following && live ? <JumpButton onClick={follow.jump} newest={buffer.lines.at(-1)} /> : null}
    </Box>
  );
}

function JumpButton({ onClick, newest }: { readonly onClick: () => void; readonly newest: LogLine | undefined }) {
  return (
    <Button
      size="xs"
      position="absolute"
      bottom="3"
      left="50%"
      transform="translateX(-50%)"
      shadow="md"
      rounded="full"
      colorPalette="accent"
      onClick={onClick}
    >
      <ArrowDown aria-hidden /> Jump to newest{newest ? ` (line ${newest.number})` : ""}
    </Button>
  );
}

function useScrollTo(
  row: number | undefined,
  release: () => void,
  scrollToIndex: (index: number, options: { align: "center" }) => void,
): void {
  useEffect(() => {
    if (row === undefined || row < 0) return;
    release();
    scrollToIndex(row, { align: "center" });
    // Only a change of the row scrolls; the functions are new on every render.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [row]);
}
