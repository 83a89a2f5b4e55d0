import { Box, Text } from "@chakra-ui/react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import type { useTestChannel } from "./queries.ts";

/** What came of a test. */
export function TestResult({ test }: { readonly test: ReturnType<typeof useTestChannel> }) {
  if (test.error) {
    return (
      <Box w="full">
        <ErrorPanel error={test.error} />
      </Box>
    );
  }
  if (!test.data) return null;
  return (
    <Text role="status" fontSize="xs" color={test.data.sent ? "fg.success" : "fg.error"} overflowWrap="anywhere">
      {test.data.sent ? "Sent." : `It did not arrive: ${test.data.problem}`}
    </Text>
  );
}
