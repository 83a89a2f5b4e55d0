import { Box, Flex, Text } from "@chakra-ui/react";
import { describeWait } from "@syla/contracts/queue";
import type { Run } from "@syla/sdk";
import { Hourglass } from "lucide-react";
import { formatCount, formatExact } from "../../ui/format.ts";
import { useWait } from "../queries.ts";

const usualPriority = 5;

/** Why a run has not begun, and what stands before it. Nothing once it has. */
export function WaitNotice({ run }: { readonly run: Run }) {
  const wait = useWait(run);
  if (run.status !== "queued" || wait.data === undefined || wait.data.reason === null) return null;
  const { position, until } = wait.data;
  const facts = [
    ...(position === null ? [] : [`place ${formatCount(position)} in the queue`]),
    ...(until === null ? [] : [`not before ${formatExact(until)}`]),
    ...(run.priority !== usualPriority ? [`priority ${run.priority}`] : []),
  ];
  return (
    <Flex
      role="status"
      gap="3"
      px="3"
      py="2.5"
      borderWidth="1px"
      borderColor="border"
      rounded="md"
      bg="bg.panel"
      align="flex-start"
      data-reason={wait.data.reason}
    >
      <Box aria-hidden color="fg.muted" mt="0.5">
        <Hourglass size={16} />
      </Box>
      <Box minW="0">
        <Text fontWeight="medium">{describeWait(wait.data)}</Text>
        {facts.length === 0 ? null : (
          <Text fontSize="xs" color="fg.muted">
            {facts.join(" · ")}
          </Text>
        )}
      </Box>
    </Flex>
  );
}
