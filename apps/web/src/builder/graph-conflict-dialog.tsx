import { Box, Button, Flex, Heading, Text } from "@chakra-ui/react";
import type { FlowGraph } from "@syla/contracts/flow";
import { useMemo } from "react";
import { Modal } from "../ui/modal.tsx";
import { bodyAt } from "./edits/bodies.ts";
import { mergeGraphs } from "./edits/merge.ts";
import { GraphDiff } from "./graph-diff.tsx";
import { titleOf } from "./kinds.ts";
import type { GraphConflict, Settlement } from "./use-autosave.ts";

interface GraphConflictDialogProps {
  readonly conflict: GraphConflict;
  readonly mine: FlowGraph;
  readonly onSettle: (how: Settlement) => void;
  /** Nothing is decided: it is asked again. */
  readonly onClose: () => void;
}

/** Shows what somebody else has done to the draft since, and what oneself has, and lets one decide. Nothing is saved until then. */
export function GraphConflictDialog({ conflict: { base, theirs }, mine, onSettle, onClose }: GraphConflictDialogProps) {
  const { clashes } = useMemo(() => mergeGraphs(base, mine, theirs.graph), [base, mine, theirs]);
  const names = clashes.map((id) => {
    const node = bodyAt(mine, [])?.nodes.find((each) => each.id === id) ?? theirs.graph.nodes.find((each) => each.id === id);
    return node === undefined ? id : titleOf(node);
  });
  return (
    <Modal label="Somebody else has changed this" width="44rem" onClose={onClose}>
      <Flex direction="column" gap="3" p="4">
        <Text>
          Since you opened this composition, somebody else has saved another draft. Nothing of yours is lost, and nothing of it is saved
          yet.
        </Text>
        <Box>
          <Heading as="h3" fontSize="sm" mb="1">
            What they have done
          </Heading>
          <GraphDiff before={base} after={theirs.graph} label="Their changes" />
        </Box>
        <Box>
          <Heading as="h3" fontSize="sm" mb="1">
            What you have done
          </Heading>
          <GraphDiff before={base} after={mine} label="Your changes" />
        </Box>
        <Text color="fg.muted">
          {names.length === 0
            ? "You have changed different things: both can be kept."
            : `Both of you have changed ${names.join(", ")}: with both, these are as you have made them.`}
        </Text>
        <Flex justify="flex-end" gap="2" wrap="wrap">
          <Button size="sm" variant="outline" onClick={() => onSettle("theirs")}>
            Take theirs
          </Button>
          <Button size="sm" variant="outline" onClick={() => onSettle("mine")}>
            Keep mine
          </Button>
          <Button size="sm" colorPalette="accent" onClick={() => onSettle("both")}>
            Keep both
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}
