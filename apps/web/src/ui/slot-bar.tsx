import { Box, Flex } from "@chakra-ui/react";

interface SlotBarProps {
  readonly busy: number;
  readonly ready: number;
  /** All there are; what is neither busy nor ready is being made. */
  readonly slots: number;
  /** How many there should be. */
  readonly wanted: number;
}

/** The colours of a slot's states, for the bar and for its legend. */
export const slotColors = { busy: "accent.solid", ready: "fg.success", made: "border.emphasized" } as const;

/** Slots as a bar: busy, ready, being made, and empty up to what is wanted. Say the figures beside it. */
export function SlotBar({ busy, ready, slots, wanted }: SlotBarProps) {
  const made = Math.max(slots - busy - ready, 0);
  const missing = Math.max(wanted - slots, 0);
  const parts = [
    { name: "busy", count: busy, color: slotColors.busy },
    { name: "ready", count: ready, color: slotColors.ready },
    { name: "made", count: made, color: slotColors.made },
  ];
  return (
    <Flex aria-hidden h="2" w="full" gap="1px" rounded="sm" overflow="hidden" bg="bg.muted">
      {parts.map(({ name, count, color }) => (count > 0 ? <Box key={name} bg={color} style={{ flexGrow: count, flexBasis: 0 }} /> : null))}
      {missing > 0 || slots === 0 ? <Box style={{ flexGrow: Math.max(missing, 1), flexBasis: 0 }} /> : null}
    </Flex>
  );
}
