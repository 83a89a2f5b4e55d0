import { Box, Flex, Input, Text } from "@chakra-ui/react";
import type { TreeFile } from "@syla/sdk";
import { type KeyboardEvent, useEffect, useId, useMemo, useState } from "react";
import { Modal } from "../ui/modal.tsx";
import { bestPaths } from "./best-paths.ts";

const mostShown = 50;

interface QuickOpenProps {
  readonly files: readonly TreeFile[];
  /** `line` where one was named: `main.py:12`. */
  readonly onOpen: (path: string, line: number | null) => void;
  readonly onClose: () => void;
}

/** Opens a file by letters of its path. */
export function QuickOpen({ files, onOpen, onClose }: QuickOpenProps) {
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const id = useId();
  const [, letters = "", line] = /^(.*?)(?::(\d{0,9}))?$/.exec(query) ?? [];
  const paths = useMemo(
    () =>
      bestPaths(
        files.map(({ path }) => path),
        letters,
        mostShown,
      ),
    [files, letters],
  );
  const chosen = Math.min(active, paths.length - 1);
  const open = (path: string | undefined) => {
    if (path === undefined) return;
    onClose();
    onOpen(path, line === undefined || line === "" ? null : Number(line));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && paths.length > 0) setActive((chosen + step + paths.length) % paths.length);
    else if (event.key === "Enter") open(paths[chosen]);
    else return;
    event.preventDefault();
  };
  useEffect(() => {
    document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: "nearest" });
  }, [id, chosen]);
  return (
    <Modal label="Open a file" place="top" width="36rem" header={false} onClose={onClose}>
      <Input
        autoFocus
        role="combobox"
        aria-expanded
        aria-controls={id}
        aria-activedescendant={chosen < 0 ? undefined : `${id}-${chosen}`}
        aria-label="Letters of a file's path"
        placeholder="Letters of a file's path, and a line: main.py:12"
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        border="none"
        borderBottomWidth="1px"
        rounded="0"
        h="12"
        px="4"
        outline="none"
        position="sticky"
        top="0"
        bg="bg.panel"
        zIndex="1"
      />
      <Box id={id} role="listbox" aria-label="Files" p="2">
        {paths.map((path, index) => (
          <Flex
            key={path}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            align="baseline"
            gap="2"
            px="2"
            py="1.5"
            rounded="md"
            cursor="pointer"
            bg={index === chosen ? "bg.muted" : "transparent"}
            onMouseMove={() => setActive(index)}
            onClick={() => open(path)}
          >
            <Text flexShrink="0">{path.slice(path.lastIndexOf("/") + 1)}</Text>
            <Text fontSize="xs" color="fg.muted" truncate>
              {path.slice(0, Math.max(0, path.lastIndexOf("/")))}
            </Text>
          </Flex>
        ))}
        {paths.length === 0 ? (
          <Text px="2" py="4" color="fg.muted" role="status">
            No file is called so.
          </Text>
        ) : null}
      </Box>
    </Modal>
  );
}
