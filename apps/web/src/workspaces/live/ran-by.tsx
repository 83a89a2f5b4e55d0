import { Box, Flex, Text } from "@chakra-ui/react";
import type { Other } from "./live-session.ts";

/** Whose run it is that everybody who is here sees. */
export function RanBy({ name, color }: Pick<Other, "name" | "color">) {
  return (
    <Flex align="center" gap="1.5" px="3" py="1" fontSize="xs" color="fg.muted" minW="0" flexShrink="0">
      <Box aria-hidden w="2" h="2" flexShrink="0" borderRadius="full" style={{ backgroundColor: color }} />
      <Text truncate>{name} has run this</Text>
    </Flex>
  );
}
