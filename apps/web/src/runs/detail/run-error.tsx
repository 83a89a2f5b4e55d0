import { Box, Flex, Link, Text } from "@chakra-ui/react";
import type { RunError } from "@syla/sdk";
import { CircleAlert } from "lucide-react";
import { stripAnsi } from "../../ui/log/ansi.ts";

const classes = {
  user_code: "in the program",
  limit: "a limit was reached",
  infrastructure: "on Syla's side",
  denied: "not allowed",
} as const;

interface RunErrorPanelProps {
  readonly error: RunError;
  /** Called with the line when the location is chosen; without it the location is only text. */
  readonly onLocation?: (file: string, line: number) => void;
}

/** Why a run did not succeed: whose fault, the code, what to do, and where. */
export function RunErrorPanel({ error, onLocation }: RunErrorPanelProps) {
  const { location } = error;
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
      <Box minW="0">
        <Text fontWeight="medium" overflowWrap="anywhere">
          {stripAnsi(error.message)}
        </Text>
        <Text color="fg.muted">{error.hint}</Text>
        <Flex columnGap="3" wrap="wrap" fontSize="xs" color="fg.muted" mt="1">
          <Text as="span" fontFamily="mono">
            {error.code}
          </Text>
          <Text as="span">{classes[error.class]}</Text>
          {location ? (
            <Text as="span" fontFamily="mono">
              {onLocation ? (
                <Link asChild color="accent.fg" textDecoration="underline">
                  <button type="button" onClick={() => onLocation(location.file, location.line)}>
                    {location.file}:{location.line}
                  </button>
                </Link>
              ) : (
                `${location.file}:${location.line}`
              )}
            </Text>
          ) : null}
        </Flex>
      </Box>
    </Flex>
  );
}
