import { Box, Flex, Link, Text } from "@chakra-ui/react";
import type { RunError } from "@syla/sdk";
import { CircleAlert, Lightbulb } from "lucide-react";
import { stripAnsi } from "@syla/contracts/ansi";
import { ErrorExcerpt } from "./error-excerpt.tsx";
import { ErrorFrames } from "./error-frames.tsx";

const classes = {
  user_code: "in the program",
  limit: "a limit was reached",
  infrastructure: "on Syla's side",
  denied: "not allowed",
} as const;

interface RunErrorPanelProps {
  readonly error: RunError;
  /** Called with the line when the location is chosen; without it the location is only text. */
  readonly onLocation?: (path: string, line: number) => void;
  /** Without the lines around the failure and the way there: the source stands beside it. */
  readonly short?: boolean;
}

/** Why a run did not succeed: whose fault, the code, where, and what to do. */
export function RunErrorPanel({ error, onLocation, short = false }: RunErrorPanelProps) {
  const { location, suggestion, excerpt } = error;
  return (
    <Flex
      role="group"
      aria-label="Error"
      gap="3"
      px="3"
      py="2.5"
      borderWidth="1px"
      borderColor="border"
      boxShadow="inset 3px 0 0 var(--chakra-colors-border-error)"
      rounded="md"
      bg="bg.panel"
    >
      <Box aria-hidden color="fg.error" mt="0.5">
        <CircleAlert size={16} />
      </Box>
      <Box minW="0" flex="1">
        <Text fontWeight="medium" overflowWrap="anywhere">
          {stripAnsi(error.message)}
        </Text>
        {error.causes.map((cause, index) => (
          <Text key={index} color="fg.muted" fontSize="sm" overflowWrap="anywhere">
            from {stripAnsi(cause)}
          </Text>
        ))}
        {suggestion === null ? <Text color="fg.muted">{error.hint}</Text> : <Suggestion text={stripAnsi(suggestion.text)} />}
        <Flex columnGap="3" wrap="wrap" fontSize="xs" color="fg.muted" mt="1">
          <Text as="span" fontFamily="mono">
            {error.code}
          </Text>
          <Text as="span">{classes[error.class]}</Text>
          {location ? (
            <Text as="span" fontFamily="mono" overflowWrap="anywhere">
              {onLocation ? (
                <Link asChild color="accent.fg" textDecoration="underline">
                  <button type="button" onClick={() => onLocation(location.path, location.line)}>
                    {place(location)}
                  </button>
                </Link>
              ) : (
                place(location)
              )}
            </Text>
          ) : null}
        </Flex>
        {short || excerpt === null ? null : <ErrorExcerpt excerpt={excerpt} column={location?.column ?? null} />}
        {short || error.frames.length < 2 ? null : <ErrorFrames frames={error.frames} {...(onLocation ? { onLocation } : {})} />}
      </Box>
    </Flex>
  );
}

function place({ path, line, column }: NonNullable<RunError["location"]>): string {
  return `${path}:${line}${column === null ? "" : `:${column}`}`;
}

function Suggestion({ text }: { readonly text: string }) {
  return (
    <Flex gap="1.5" mt="0.5" align="flex-start">
      <Box as="span" aria-hidden color="fg.muted" mt="1" flexShrink="0">
        <Lightbulb size={14} />
      </Box>
      <Text overflowWrap="anywhere">{text}</Text>
    </Flex>
  );
}
