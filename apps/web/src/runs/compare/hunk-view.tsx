import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { FileDiff } from "@syla/sdk";
import { Fragment } from "react";

interface HunkViewProps {
  readonly title: string;
  readonly facts: string;
  /** Null: how they differ is not known. */
  readonly hunks: FileDiff["hunks"];
  readonly unknown?: string;
}

const looks = {
  "+": { bg: "bg.success", word: "added" },
  "-": { bg: "bg.error", word: "removed" },
} as const;

/** Lines that differ, with a few around them. */
export function HunkView({ title, facts, hunks, unknown }: HunkViewProps) {
  return (
    <Box borderBottomWidth="1px" borderColor="border.muted" _last={{ borderBottomWidth: "0" }}>
      <Flex gap="3" px="3" py="1.5" bg="bg.subtle" align="baseline" wrap="wrap">
        <Text fontFamily="mono" fontSize="xs" overflowWrap="anywhere">
          {title}
        </Text>
        <Text ml="auto" fontSize="xs" color="fg.muted">
          {facts}
        </Text>
      </Flex>
      {hunks === null && unknown !== undefined ? (
        <Text px="3" py="2" color="fg.muted">
          They differ: {unknown}.
        </Text>
      ) : null}
      {hunks === null || hunks.length === 0 ? null : (
        <Box
          role="region"
          aria-label={`Differences in ${title}`}
          tabIndex={0}
          overflow="auto"
          maxH="480px"
          fontFamily="mono"
          fontSize="xs"
          lineHeight="20px"
          outlineOffset="-2px"
        >
          <Box minW="max-content">
            {hunks.map((hunk) => (
              <Fragment key={`${hunk.oldStart} ${hunk.newStart}`}>
                <Text px="3" color="fg.muted" bg="bg.subtle">
                  @@ −{hunk.oldStart} +{hunk.newStart} @@
                </Text>
                {hunk.lines.map((line, index) => (
                  <Line key={index} line={line} />
                ))}
              </Fragment>
            ))}
          </Box>
        </Box>
      )}
    </Box>
  );
}

function Line({ line }: { readonly line: string }) {
  const sign = line.slice(0, 1);
  const look = sign === "+" || sign === "-" ? looks[sign] : null;
  return (
    <Flex bg={look?.bg} px="3">
      <Box as="span" aria-hidden w="4" flexShrink="0" color="fg.muted" userSelect="none">
        {sign}
      </Box>
      <Box as="span" whiteSpace="pre">
        {look === null ? null : <chakra.span srOnly>{look.word}: </chakra.span>}
        {line.slice(1)}
      </Box>
    </Flex>
  );
}
