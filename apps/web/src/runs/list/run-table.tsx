import { Box, chakra, Grid } from "@chakra-ui/react";
import type { RunSummary } from "@syla/sdk";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { RunRow, runColumns } from "../run-row.tsx";

const rowHeight = 40;

interface RunTableProps {
  readonly runs: readonly RunSummary[];
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
  readonly onEnd: () => void;
}

/** The list itself: only the rows in sight exist, and its end asks for more. */
export function RunTable({ runs, selected, onSelect, onEnd }: RunTableProps) {
  const box = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: runs.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    useFlushSync: false,
  });
  const items = virtualizer.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastShown >= runs.length - 20) onEnd();
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [lastShown, runs.length]);
  const select = (id: string, on: boolean) => {
    const next = new Set(selected);
    if (on) next.add(id);
    else next.delete(id);
    onSelect(next);
  };
  return (
    <Box
      role="table"
      aria-label="Runs"
      aria-rowcount={runs.length + 1}
      display="flex"
      flexDirection="column"
      flex="1 0 264px"
      borderWidth="1px"
      borderColor="border"
      rounded="md"
      overflow="hidden"
      bg="bg.panel"
    >
      <Head runs={runs} selected={selected} onSelect={onSelect} />
      <Box ref={box} role="rowgroup" flex="1" minH="0" overflowY="auto" tabIndex={0} outlineOffset="-2px">
        <Box role="presentation" position="relative" style={{ height: virtualizer.getTotalSize() }}>
          {items.map((item) => {
            const run = runs[item.index];
            return run ? (
              <Box
                key={run.id}
                role="presentation"
                position="absolute"
                insetX="0"
                top="0"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <RunRow run={run} selection={{ selected: selected.has(run.id), onSelect: (on) => select(run.id, on) }} />
              </Box>
            ) : null;
          })}
        </Box>
      </Box>
    </Box>
  );
}

type HeadProps = Omit<RunTableProps, "onEnd">;

function Head({ runs, selected, onSelect }: HeadProps) {
  const all = runs.length > 0 && runs.every((run) => selected.has(run.id));
  return (
    <Box role="rowgroup" flexShrink="0" pr="var(--scrollbar, 0px)">
      <Grid
        role="row"
        templateColumns={runColumns}
        alignItems="center"
        columnGap="2"
        h="8"
        px="3"
        fontSize="xs"
        color="fg.muted"
        borderBottomWidth="1px"
        borderColor="border"
        bg="bg.subtle"
      >
        <chakra.label role="columnheader" display="flex" alignItems="center" h="full">
          <chakra.input
            type="checkbox"
            accentColor="accent.solid"
            w="4"
            h="4"
            checked={all}
            aria-label="Select every run that is shown"
            onChange={(event) => onSelect(new Set(event.currentTarget.checked ? runs.map((run) => run.id) : []))}
          />
        </chakra.label>
        <chakra.span role="columnheader">
          <chakra.span srOnly>Status</chakra.span>
        </chakra.span>
        <chakra.span role="columnheader">Run</chakra.span>
        <chakra.span role="columnheader" hideBelow="md">
          Language
        </chakra.span>
        <chakra.span role="columnheader" hideBelow="md">
          Result
        </chakra.span>
        <chakra.span role="columnheader" textAlign="right" hideBelow="md">
          Duration
        </chakra.span>
        <chakra.span role="columnheader" textAlign="right">
          Started
        </chakra.span>
      </Grid>
    </Box>
  );
}
