import { Box, Flex, Text } from "@chakra-ui/react";
import { X } from "lucide-react";
import { RunOutput } from "../runs/new/run-output.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import type { DockedRun } from "./live/use-shared-run.ts";

interface RunDockProps extends DockedRun {
  readonly onLocation: (file: string, line: number) => void;
  readonly onClose: () => void;
}

/** The output of a run, below what is edited. */
export function RunDock({ runId, by, onLocation, onClose }: RunDockProps) {
  return (
    <Flex as="section" aria-label="Output" direction="column" h="40%" minH="160px" flexShrink="0" borderTopWidth="1px" borderColor="border">
      <Flex align="center" px="3" bg="bg.subtle">
        <Text fontSize="xs" fontWeight="medium">
          Output
        </Text>
        <Flex role="status" align="center" gap="1.5" ml="3" fontSize="xs" color="fg.muted" minW="0">
          {by === null ? null : (
            <>
              <Box aria-hidden w="2" h="2" flexShrink="0" borderRadius="full" style={{ backgroundColor: by.color }} />
              <Text truncate>{by.name} has run this</Text>
            </>
          )}
        </Flex>
        <Box ml="auto">
          <IconButton label="Close the output" onClick={onClose}>
            <X />
          </IconButton>
        </Box>
      </Flex>
      <Box flex="1" minH="0">
        <RunOutput runId={runId} reused={false} failure={null} onLocation={onLocation} />
      </Box>
    </Flex>
  );
}
