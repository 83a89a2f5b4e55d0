import { Box, Flex, Text } from "@chakra-ui/react";
import type { Run } from "@syla/sdk";
import { Hourglass } from "lucide-react";
import { Approval, Value } from "../../builder/node-run.tsx";
import { useRunNodes } from "../../builder/queries.ts";

/** Where the run waits for somebody to decide, and of what. Nothing when it does not. */
export function RunApprovals({ run }: { readonly run: Run }) {
  const isWaiting = run.status === "waiting";
  const nodes = useRunNodes(isWaiting ? run.id : "");
  if (!isWaiting) return null;
  const waiting = nodes.data?.filter(({ state }) => state === "waiting") ?? [];
  return (
    <Flex direction="column" gap="2" as="section" aria-label="Waiting for a decision">
      {waiting.map((node) => (
        <Flex key={node.path} gap="3" px="3" py="2.5" borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" align="flex-start">
          <Box aria-hidden color="fg.warning" mt="0.5">
            <Hourglass size={16} />
          </Box>
          <Flex direction="column" gap="2" flex="1" minW="0" maxW="720px">
            <Text fontWeight="medium" overflowWrap="anywhere">
              {node.label === "" ? node.path : node.label} waits for a decision
            </Text>
            <Value runId={run.id} run={node} side="inputs" value={node.inputs} />
            <Approval runId={run.id} run={node} />
          </Flex>
        </Flex>
      ))}
    </Flex>
  );
}
