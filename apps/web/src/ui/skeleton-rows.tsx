import { Flex, Skeleton } from "@chakra-ui/react";

interface SkeletonRowsProps {
  readonly rows?: number;
}

/** Grey lines while a list loads; one hidden word says so to screen readers. */
export function SkeletonRows({ rows = 5 }: SkeletonRowsProps) {
  return (
    <Flex direction="column" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <Flex key={index} align="center" gap="3" h="10" px="3" borderBottomWidth="1px" borderColor="border.muted">
          <Skeleton w="4" h="4" rounded="full" />
          <Skeleton h="3" w={`${28 + ((index * 13) % 30)}%`} />
          <Skeleton h="3" w="12%" ml="auto" />
        </Flex>
      ))}
    </Flex>
  );
}
