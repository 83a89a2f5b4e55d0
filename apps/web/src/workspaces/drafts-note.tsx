import { Button, Flex, Text } from "@chakra-ui/react";
import { formatPlural } from "../ui/format.ts";

interface DraftsNoteProps {
  readonly count: number;
  readonly onTake: () => void;
  readonly onDrop: () => void;
}

/** Offers what an earlier visit has not saved. */
export function DraftsNote({ count, onTake, onDrop }: DraftsNoteProps) {
  return (
    <Flex role="status" align="center" gap="2" wrap="wrap" px="4" py="1.5" bg="bg.warning" fontSize="xs">
      <Text>What you wrote in {formatPlural(count, "file")} was not saved when this page was left.</Text>
      <Button size="2xs" variant="outline" onClick={onTake}>
        Take it up
      </Button>
      <Button size="2xs" variant="outline" onClick={onDrop}>
        Drop it
      </Button>
    </Flex>
  );
}
