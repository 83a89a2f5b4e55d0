import { Box, chakra, Flex } from "@chakra-ui/react";
import type { TreeFile } from "@syla/sdk";
import { ChevronRight, File, Folder } from "lucide-react";
import { type KeyboardEvent, useMemo, useState } from "react";

/** A row of the tree: a folder, or a file in it. */
interface Row {
  readonly path: string;
  readonly name: string;
  readonly level: number;
  readonly isFolder: boolean;
}

/** The rows that are seen, folders before files; what lies in a closed folder is not among them. */
function rowsOf(files: readonly TreeFile[], closed: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const walk = (prefix: string, level: number) => {
    const inside = files.filter((file) => file.path.startsWith(prefix));
    const folders = new Set(inside.flatMap(({ path }) => folderOf(path.slice(prefix.length))));
    for (const name of [...folders].toSorted((a, b) => a.localeCompare(b))) {
      const path = prefix + name;
      rows.push({ path, name, level, isFolder: true });
      if (!closed.has(path)) walk(`${path}/`, level + 1);
    }
    for (const { path } of inside) {
      const name = path.slice(prefix.length);
      if (!name.includes("/")) rows.push({ path, name, level, isFolder: false });
    }
  };
  walk("", 1);
  return rows;
}

function folderOf(rest: string): string[] {
  const slash = rest.indexOf("/");
  return slash < 0 ? [] : [rest.slice(0, slash)];
}

interface FileTreeProps {
  readonly files: readonly TreeFile[];
  readonly selected: string | null;
  /** Paths of files that were edited and not saved. */
  readonly edited: ReadonlySet<string>;
  readonly onSelect: (path: string) => void;
}

/** The files as a tree that the arrow keys walk through. */
export function FileTree({ files, selected, edited, onSelect }: FileTreeProps) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState<string | null>(null);
  const rows = useMemo(() => rowsOf(files, closed), [files, closed]);
  const focused = rows.find((row) => row.path === (active ?? selected)) ?? rows[0];
  const toggle = (path: string, open = closed.has(path)) =>
    setClosed((before) => new Set(open ? [...before].filter((other) => other !== path) : [...before, path]));
  const choose = (row: Row) => {
    setActive(row.path);
    if (row.isFolder) toggle(row.path);
    else onSelect(row.path);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const index = focused === undefined ? -1 : rows.indexOf(focused);
    const go = (row: Row | undefined) => {
      if (row === undefined) return;
      setActive(row.path);
      event.currentTarget.querySelector<HTMLElement>(`[data-path="${CSS.escape(row.path)}"]`)?.focus();
    };
    if (event.key === "ArrowDown") go(rows[index + 1]);
    else if (event.key === "ArrowUp") go(rows[index - 1]);
    else if (event.key === "Home") go(rows[0]);
    else if (event.key === "End") go(rows.at(-1));
    else if (event.key === "ArrowRight" && focused?.isFolder === true) toggle(focused.path, true);
    else if (event.key === "ArrowLeft" && focused?.isFolder === true) toggle(focused.path, false);
    else if ((event.key === "Enter" || event.key === " ") && focused !== undefined) choose(focused);
    else return;
    event.preventDefault();
  };
  return (
    <Box role="tree" aria-label="Files" onKeyDown={onKeyDown} py="1">
      {rows.map((row) => (
        <Flex
          key={row.path}
          role="treeitem"
          data-path={row.path}
          aria-level={row.level}
          aria-selected={row.path === selected}
          {...(row.isFolder ? { "aria-expanded": !closed.has(row.path) } : {})}
          tabIndex={row === focused ? 0 : -1}
          onClick={() => choose(row)}
          align="center"
          gap="1.5"
          h="7"
          pr="2"
          style={{ paddingLeft: `${row.level * 12 - 4}px` }}
          cursor="pointer"
          fontSize="xs"
          bg={row.path === selected ? "accent.subtle" : undefined}
          color={row.path === selected ? "accent.fg" : "fg"}
          outlineOffset="-2px"
          _hover={{ bg: row.path === selected ? "accent.subtle" : "bg.muted" }}
        >
          {row.isFolder ? (
            <chakra.span aria-hidden display="flex" color="fg.subtle" style={{ rotate: closed.has(row.path) ? "0deg" : "90deg" }}>
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
          {edited.has(row.path) ? (
            <chakra.span ml="auto" role="img" aria-label="not saved" title="not saved" color="fg.warning">
              ●
            </chakra.span>
          ) : null}
        </Flex>
      ))}
    </Box>
  );
}
