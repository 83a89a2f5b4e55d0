import { Box, Flex } from "@chakra-ui/react";
import type { SourceExcerpt } from "@syla/sdk";

interface ErrorExcerptProps {
  readonly excerpt: SourceExcerpt;
  readonly column: number | null;
}

/** The lines around the one that failed, which is marked; with the place in it, where that is known. */
export function ErrorExcerpt({ excerpt, column }: ErrorExcerptProps) {
  return (
    <Box
      role="region"
      aria-label={`${excerpt.path}, line ${excerpt.line}`}
      tabIndex={0}
      overflowX="auto"
      mt="2"
      py="1"
      rounded="sm"
      borderWidth="1px"
      borderColor="border.muted"
      bg="bg.subtle"
      fontFamily="mono"
      fontSize="xs"
      lineHeight="20px"
      outlineOffset="-2px"
    >
      <Box minW="max-content">
        {excerpt.lines.map((text, index) => {
          const number = excerpt.firstLine + index;
          const failed = number === excerpt.line;
          return (
            <Flex
              key={number}
              bg={failed ? "bg.error" : undefined}
              boxShadow={failed ? "inset 2px 0 0 var(--chakra-colors-border-error)" : undefined}
              aria-current={failed ? "location" : undefined}
            >
              <Box w="12" pr="3" textAlign="right" color={failed ? "fg.error" : "fg.muted"} userSelect="none" flexShrink="0">
                {number}
              </Box>
              <Box whiteSpace="pre" pr="4">
                {failed && column !== null ? <Marked text={text} at={column - 1} /> : text}
              </Box>
            </Flex>
          );
        })}
      </Box>
    </Box>
  );
}

function Marked({ text, at }: { readonly text: string; readonly at: number }) {
  const length = /^(?:[\p{L}\p{N}_$]+|.)/u.exec(text.slice(at))?.[0].length ?? 0;
  return (
    <>
      {text.slice(0, at)}
      <Box as="span" textDecoration="underline wavy" textDecorationColor="border.error" textUnderlineOffset="3px">
        {text.slice(at, at + length)}
      </Box>
      {text.slice(at + length)}
    </>
  );
}
