import { Box, Link, Text, chakra } from "@chakra-ui/react";
import type { RunFrame } from "@syla/sdk";
import { formatPlural } from "../../ui/format.ts";

interface ErrorFramesProps {
  readonly frames: readonly RunFrame[];
  readonly onLocation?: (path: string, line: number) => void;
}

/** How the program came to where it failed, innermost first. What is a library's stands back. */
export function ErrorFrames({ frames, onLocation }: ErrorFramesProps) {
  return (
    <chakra.details mt="2" fontSize="xs">
      <chakra.summary cursor="pointer" color="fg.muted" w="fit-content">
        How it came there: {formatPlural(frames.length, "step")}
      </chakra.summary>
      <Box as="ol" mt="1" fontFamily="mono" lineHeight="20px">
        {frames.map((frame, index) => (
          <Box as="li" key={index} color={frame.own ? "fg" : "fg.muted"} overflowWrap="anywhere">
            {frame.own && onLocation ? (
              <Link asChild color="accent.fg" textDecoration="underline">
                <button type="button" onClick={() => onLocation(frame.path, frame.line)}>
                  {frame.path}:{frame.line}
                </button>
              </Link>
            ) : (
              <Text as="span">
                {frame.path}:{frame.line}
              </Text>
            )}
            {frame.function === null ? "" : `  ${frame.function}`}
          </Box>
        ))}
      </Box>
    </chakra.details>
  );
}
