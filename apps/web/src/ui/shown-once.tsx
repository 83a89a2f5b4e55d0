import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { useCopy } from "./copyable.tsx";

interface ShownOnceProps {
  readonly text: string;
  readonly children: ReactNode;
}

/** A secret that is shown this once, and how to take it along. */
export function ShownOnce({ text, children }: ShownOnceProps) {
  const [copied, copy] = useCopy();
  return (
    <Box px="4" py="3" bg="accent.subtle" borderTopWidth="1px" borderColor="border" role="status">
      <Text fontWeight="medium">{children}</Text>
      <Flex gap="2" mt="2" align="center">
        <Box
          fontFamily="mono"
          fontSize="xs"
          bg="bg.panel"
          borderWidth="1px"
          borderColor="border"
          rounded="md"
          px="2"
          py="1.5"
          minW="0"
          overflowX="auto"
          whiteSpace="nowrap"
          tabIndex={0}
        >
          {text}
        </Box>
        <Button size="xs" variant="outline" onClick={() => copy(text)} flexShrink="0">
          {copied ? "Copied" : "Copy"}
        </Button>
      </Flex>
    </Box>
  );
}
