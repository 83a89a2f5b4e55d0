import { Button, Flex } from "@chakra-ui/react";
import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import { IconButton } from "../ui/icon-button.tsx";

interface FileTabsProps {
  /** Paths, in the order in which they were opened. */
  readonly open: readonly string[];
  readonly current: string | null;
  readonly edited: ReadonlySet<string>;
  readonly onSelect: (path: string) => void;
  readonly onClose: (path: string) => void;
}

/** The files that are open, beside each other. */
export function FileTabs({ open, current, edited, onSelect, onClose }: FileTabsProps) {
  const shown = useRef<HTMLDivElement>(null);
  useEffect(() => {
    shown.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [current, open.length]);
  if (open.length === 0) return null;
  return (
    <Flex as="nav" aria-label="Open files" overflowX="auto" flexShrink="0" borderBottomWidth="1px" borderColor="border" bg="bg.subtle">
      {open.map((path) => {
        const isCurrent = path === current;
        const name = path.slice(path.lastIndexOf("/") + 1);
        return (
          <Flex
            key={path}
            ref={isCurrent ? shown : undefined}
            align="center"
            flexShrink="0"
            borderRightWidth="1px"
            borderColor="border"
            bg={isCurrent ? "bg.panel" : undefined}
            onAuxClick={(event) => {
              if (event.button === 1) onClose(path);
            }}
          >
            <Button
              size="xs"
              variant="plain"
              fontWeight="normal"
              pl="3"
              pr="1"
              title={path}
              color={isCurrent ? "fg" : "fg.muted"}
              aria-current={isCurrent ? "page" : undefined}
              aria-label={`${path}${edited.has(path) ? ", not saved" : ""}`}
              onClick={() => onSelect(path)}
            >
              {name}
              {edited.has(path) ? " ●" : ""}
            </Button>
            <IconButton label={`Close ${name}`} onClick={() => onClose(path)}>
              <X />
            </IconButton>
          </Flex>
        );
      })}
    </Flex>
  );
}
