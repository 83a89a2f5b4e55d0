import { Box, Flex } from "@chakra-ui/react";
import { useEffect, useRef } from "react";

interface CodeViewProps {
  readonly text: string;
  readonly label: string;
  /** A line to show and to mark, from 1. */
  readonly line?: number | null;
}

/** More lines than this are cut: this is for looking, the file itself can be downloaded. */
const maxLines = 5000;

/** Text with line numbers, to read. */
export function CodeView({ text, label, line = null }: CodeViewProps) {
  const marked = useRef<HTMLDivElement>(null);
  useEffect(() => {
    marked.current?.scrollIntoView({ block: "center" });
  }, [line]);
  const all = text.replace(/\n$/, "").split("\n");
  const lines = all.slice(0, maxLines);
  return (
    <Box
      role="region"
      aria-label={label}
      tabIndex={0}
      overflow="auto"
      maxH="480px"
      bg="bg.subtle"
      fontFamily="mono"
      fontSize="xs"
      lineHeight="20px"
      py="2"
      outlineOffset="-2px"
    >
      <Box minW="max-content">
        {lines.map((content, index) => (
          <Flex key={index} ref={index + 1 === line ? marked : undefined} bg={index + 1 === line ? "accent.muted" : undefined}>
            <Box w="12" pr="3" textAlign="right" color="fg.subtle" userSelect="none" flexShrink="0">
              {index + 1}
            </Box>
            <Box whiteSpace="pre" pr="4">
              {content}
            </Box>
          </Flex>
        ))}
        {all.length > maxLines ? <Box pl="12">… {all.length - maxLines} more lines</Box> : null}
      </Box>
    </Box>
  );
}
