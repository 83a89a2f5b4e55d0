import { Box, chakra, Flex } from "@chakra-ui/react";
import type { TreeFile } from "@syla/sdk";
import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { ChevronRight, File, Folder } from "lucide-react";
import { type CSSProperties, type DragEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { foldersOf, parentsOf, rowsOf, type TreeRow } from "./tree-rows.ts";
import { useTreeKeys } from "./use-tree-keys.ts";

/** Pixels. */
const rowHeight = 28;
const mostOpenFiles = 200;
/** What is dragged within the tree is known by this type: its path. */
const dragType = "text/x-syla-path";

interface FileTreeProps {
  readonly files: readonly TreeFile[];
  /** The file that is open. */
  readonly selected: string | null;
  /** Paths of files that were edited and not saved. */
  readonly edited: ReadonlySet<string>;
  readonly onSelect: (path: string) => void;
  /** What else a row shows at its end, by the path of its file or folder. */
  readonly decorations?: ReadonlyMap<string, ReactNode>;
  /** The row that the keys are at, which may be a folder. */
  readonly onActive?: (row: TreeRow) => void;
  readonly onRename?: (row: TreeRow) => void;
  readonly onDelete?: (row: TreeRow) => void;
  /** `folder` is empty for the outermost. */
  readonly onMove?: (path: string, folder: string) => void;
  /** Files from elsewhere were dropped on a folder. */
  readonly onDropFiles?: (transfer: DataTransfer, folder: string) => void;
}

/** The files as a tree that the arrow keys walk through. Only what is seen is drawn: there may be 100,000 files. It fills what it is in. */
export function FileTree({ files, selected, edited, onSelect, decorations, onActive, onRename, onDelete, ...drops }: FileTreeProps) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(() => closedAtFirst(files, selected));
  const [active, setActive] = useState<string | null>(null);
  const wantsFocus = useRef(false);
  const box = useRef<HTMLDivElement>(null);
  const root = useMemo(() => foldersOf(files), [files]);
  const rows = useMemo(() => rowsOf(root, closed), [root, closed]);
  const indexes = useMemo(() => new Map(rows.map(({ path }, index) => [path, index])), [rows]);
  const at = indexes.get(active ?? selected ?? "") ?? 0;
  const focused = rows[at];
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 20,
    // The row that the keys are at stays, so that focus is not lost when it is scrolled away.
    rangeExtractor: (range) => [...new Set([...defaultRangeExtractor(range), ...(at < rows.length ? [at] : [])])].toSorted((a, b) => a - b),
    useFlushSync: false,
  });
  const toggle = (path: string, open: boolean) =>
    setClosed((before) => new Set(open ? [...before].filter((other) => other !== path) : [...before, path]));
  const go = (row: TreeRow) => {
    wantsFocus.current = true;
    setActive(row.path);
    onActive?.(row);
    virtualizer.scrollToIndex(indexes.get(row.path) ?? 0);
  };
  const choose = (row: TreeRow) => {
    setActive(row.path);
    onActive?.(row);
    if (row.isFolder) toggle(row.path, closed.has(row.path));
    else onSelect(row.path);
  };
  useEffect(() => {
    if (!wantsFocus.current || active === null) return;
    wantsFocus.current = false;
    box.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(active)}"]`)?.focus({ preventScroll: true });
  }, [active]);
  // What is opened from elsewhere is shown: its folders open, and it is scrolled to.
  useEffect(() => {
    if (selected === null) return;
    setActive(selected);
    setClosed((before) => {
      const parents = parentsOf(selected).filter((path) => before.has(path));
      return parents.length === 0 ? before : new Set([...before].filter((path) => !parents.includes(path)));
    });
  }, [selected]);
  const place = selected === null ? undefined : indexes.get(selected);
  useEffect(() => {
    if (place !== undefined) virtualizer.scrollToIndex(place);
    // Only when another one is opened: what scrolls by hand stays where it is.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [selected, place === undefined]);
  const onKeyDown = useTreeKeys({ rows, focused, closed, go, choose, toggle, onRename, onDelete });
  return (
    <Box ref={box} role="tree" aria-label="Files" onKeyDown={onKeyDown} h="100%" overflowY="auto" py="1" {...dropOn("", drops)}>
      <Box position="relative" style={{ height: `${virtualizer.getTotalSize()}px` }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return row === undefined ? null : (
            <Row
              key={row.path}
              row={row}
              isOpen={!closed.has(row.path)}
              isSelected={row.path === selected}
              isEdited={edited.has(row.path)}
              isFocusable={index === at}
              decoration={decorations?.get(row.path)}
              onChoose={() => choose(row)}
              onFocus={() => {
                setActive(row.path);
                onActive?.(row);
              }}
              drops={drops}
              style={{ position: "absolute", top: 0, left: 0, right: 0, transform: `translateY(${start}px)` }}
            />
          );
        })}
      </Box>
    </Box>
  );
}

/** Of what is more than some screens long the folders are closed, but for those around the open file. */
function closedAtFirst(files: readonly TreeFile[], selected: string | null): ReadonlySet<string> {
  if (files.length <= mostOpenFiles) return new Set();
  const around = new Set(selected === null ? [] : parentsOf(selected));
  return new Set(files.flatMap(({ path }) => parentsOf(path)).filter((folder) => !around.has(folder)));
}

type Drops = Pick<FileTreeProps, "onMove" | "onDropFiles">;

/** Takes what is dropped on a folder: a file of the tree, or files from elsewhere. */
function dropOn(folder: string, { onMove, onDropFiles }: Drops) {
  if (onMove === undefined && onDropFiles === undefined) return {};
  return {
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      event.stopPropagation();
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      event.stopPropagation();
      const path = event.dataTransfer.getData(dragType);
      if (path !== "") onMove?.(path, folder);
      else onDropFiles?.(event.dataTransfer, folder);
    },
  };
}

interface RowProps {
  readonly row: TreeRow;
  readonly isOpen: boolean;
  readonly isSelected: boolean;
  readonly isEdited: boolean;
  readonly isFocusable: boolean;
  readonly decoration: ReactNode;
  readonly onChoose: () => void;
  readonly onFocus: () => void;
  readonly drops: Drops;
  readonly style: CSSProperties;
}

function Row({ row, isOpen, isSelected, isEdited, isFocusable, decoration, onChoose, onFocus, drops, style }: RowProps) {
  const folder = row.isFolder ? row.path : (parentsOf(row.path).at(-1) ?? "");
  return (
    <Flex
      role="treeitem"
      data-path={row.path}
      aria-level={row.level}
      aria-setsize={row.siblings}
      aria-posinset={row.place}
      aria-selected={isSelected}
      {...(row.isFolder ? { "aria-expanded": isOpen } : {})}
      tabIndex={isFocusable ? 0 : -1}
      onClick={onChoose}
      onFocus={onFocus}
      draggable={drops.onMove !== undefined}
      onDragStart={(event: DragEvent) => event.dataTransfer.setData(dragType, row.path)}
      {...dropOn(folder, drops)}
      align="center"
      gap="1.5"
      h="7"
      pr="2"
      style={{ ...style, paddingLeft: `${row.level * 12 - 4}px` }}
      cursor="pointer"
      fontSize="xs"
      bg={isSelected ? "accent.subtle" : undefined}
      color={isSelected ? "accent.fg" : "fg"}
      outlineOffset="-2px"
      _hover={{ bg: isSelected ? "accent.subtle" : "bg.muted" }}
    >
      {row.isFolder ? (
        <chakra.span aria-hidden display="flex" color="fg.subtle" style={{ rotate: isOpen ? "90deg" : "0deg" }}>
          <ChevronRight size={12} />
        </chakra.span>
      ) : (
        <chakra.span w="3" flexShrink="0" />
      )}
      <chakra.span aria-hidden color="fg.subtle" display="flex" flexShrink="0">
        {row.isFolder ? <Folder size={14} /> : <File size={14} />}
      </chakra.span>
      <chakra.span truncate title={row.path}>
        {row.name}
      </chakra.span>
      <Flex ml="auto" align="center" gap="1" flexShrink="0">
        {decoration}
        {isEdited ? (
          <chakra.span role="img" aria-label="not saved" title="not saved" color="fg.warning">
            ●
          </chakra.span>
        ) : null}
      </Flex>
    </Flex>
  );
}
