import { Box, Flex, Heading } from "@chakra-ui/react";
import type { ReactNode } from "react";

interface LinkedFrameProps {
  readonly icon?: ReactNode;
  readonly name: string;
  /** What is said of it in a line. */
  readonly facts: ReactNode;
  readonly children: ReactNode;
}

/** The heading of something that a link leads to, and what is shown of it. */
export function LinkedFrame({ icon, name, facts, children }: LinkedFrameProps) {
  return (
    <Flex direction="column" h="100%" overflowY="auto" tabIndex={0} outlineOffset="-2px">
      <Box px={{ base: "4", md: "6" }} pt="4" pb="3" flexShrink="0">
        <Flex align="center" gap="2">
          {icon}
          <Heading as="h1" fontSize="lg" fontWeight="semibold" letterSpacing="-0.01em" overflowWrap="anywhere">
            {name}
          </Heading>
        </Flex>
        <Flex align="center" columnGap="3" wrap="wrap" fontSize="xs" color="fg.muted">
          {facts}
        </Flex>
      </Box>
      {children}
    </Flex>
  );
}
