import { Box, Text } from "@chakra-ui/react";

interface FigureProps {
  readonly label: string;
  readonly value: string;
  readonly aside?: string | null;
}

/** A number that is looked at, below its name; put several into a `dl`. */
export function Figure({ label, value, aside = null }: FigureProps) {
  return (
    <Box minW="20">
      <Text as="dt" fontSize="xs" color="fg.muted">
        {label}
      </Text>
      <Text as="dd" fontSize="lg" fontWeight="semibold" whiteSpace="nowrap">
        {value}
        {aside ? (
          <Text as="span" ml="2" fontSize="xs" fontWeight="normal" color="fg.subtle">
            {aside}
          </Text>
        ) : null}
      </Text>
    </Box>
  );
}
